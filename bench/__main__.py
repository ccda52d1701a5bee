"""`python -m bench [NAME...|all] [--quick|--full]`: run benchmarks and write bench/results/NAME.md."""

from __future__ import annotations

import argparse
import sys
import time

from bench import (
    crash,
    faces,
    hidden,
    memory,
    modes,
    names,
    photos,
    reidentify,
    service,
    sound,
    speed,
    temporal,
    text,
)
from bench.common import RESULTS, SHARED, Size

BENCHMARKS = {
    "photos": photos.run,
    "speed": speed.run,
    "memory": memory.run,
    "faces": faces.run,
    "modes": modes.run,
    "temporal": temporal.run,
    "reidentify": reidentify.run,
    "sound": sound.run,
    "crash": crash.run,
    "names": names.run,
    "hidden": hidden.run,
    "text": text.run,
    "service": service.run,
}
USUAL = ("faces", "modes", "temporal", "reidentify")
"""What is run if nothing is named: that no face is missed."""
NEED_PHOTOS = {"faces", "modes", "reidentify"}
SIZED = {"modes", "temporal", "reidentify"}
"""With --full these have a table of their own."""


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; all; default: {', '.join(USUAL)}"
    )
    parser.add_argument("--quick", action="store_true", help="smaller inputs; results are printed, not kept")
    parser.add_argument("--full", action="store_true", help="more clips and views")
    chosen = parser.parse_args()
    names = list(BENCHMARKS) if chosen.names == ["all"] else chosen.names or USUAL
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark; there are {', '.join(BENCHMARKS)}")
    if chosen.quick and chosen.full:
        parser.error("choose --quick or --full")
    size = Size.QUICK if chosen.quick else Size.FULL if chosen.full else Size.USUAL
    RESULTS.mkdir(exist_ok=True)
    for name in names:
        if name in NEED_PHOTOS and not (SHARED / "faces" / "gt.json").is_file():
            print(f"{name}: left out, the labelled photos are not on this machine")
            continue
        begun = time.monotonic()
        table = BENCHMARKS[name](size).markdown()
        print(f"{table}\n{name}: {time.monotonic() - begun:.0f} s\n", flush=True)
        if size is not Size.QUICK:
            kept = f"{name}-full" if size is Size.FULL and name in SIZED else name
            (RESULTS / f"{kept}.md").write_text(table, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
