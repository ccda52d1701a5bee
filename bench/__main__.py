"""`python -m bench [NAME...] [--quick]`: run benchmarks and write bench/results/NAME.md."""

from __future__ import annotations

import argparse
import sys

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
from bench.common import RESULTS, SHARED

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
NEED_PHOTOS = {"faces", "modes", "reidentify"}


def main() -> int:
    """Run what was asked for; all by default."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="smaller inputs; results are printed, not kept")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark; there are {', '.join(BENCHMARKS)}")
    RESULTS.mkdir(exist_ok=True)
    for name in chosen.names or BENCHMARKS:
        if name in NEED_PHOTOS and not (SHARED / "faces" / "gt.json").is_file():
            print(f"{name}: left out, the labelled photos are not on this machine")
            continue
        table = BENCHMARKS[name](chosen.quick).markdown()
        print(table, flush=True)
        if not chosen.quick:
            (RESULTS / f"{name}.md").write_text(table, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
