"""`make demo`: the main job on samples/, then a word on what came of it.

Runs `redact run IN OUT` as a user would and holds every item against samples/expected.toml. Exit 0 if each
one ended as it should, which for some samples is review or a clear error.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

EXPECTED = Path(__file__).resolve().parent.parent / "samples" / "expected.toml"


def main(source: str, out: str) -> int:
    command = [str(Path(sys.executable).parent / "redact")]
    code = subprocess.run([*command, "run", source, out, "--jobs", "2"], check=False).returncode
    if code not in (0, 3, 4):  # review and refused input are part of the samples
        return code
    names = subprocess.run([*command, "lookup", out], check=True, capture_output=True, text=True).stdout
    paths = dict(line.split("  ", 1) for line in names.splitlines())
    again = subprocess.run(
        [*command, "run", source, out, "--json"], check=False, capture_output=True, text=True
    )
    records = [json.loads(line) for line in again.stdout.splitlines()]
    expected = tomllib.loads(EXPECTED.read_text(encoding="utf-8"))["items"]
    wrong = 0
    print("\nWhat each sample should show, and what came of it:")
    for record in records:
        if record["event"] == "item":
            wanted = expected[paths[record["item"]]]
            fine = record["status"] == wanted["status"]
            wrong += not fine
            print(f"  {'ok ' if fine else 'NOT'} {record['status']:10} {wanted['shows']}")
    fresh = records[-1]["fresh"]
    print(f"  {'ok ' if fresh == 0 else 'NOT'} a second run found nothing left to do")
    print(f"\nOpen {out}/report/index.html; what may be published lies in {out}/published.")
    print(f"One item waits for you:  .venv/bin/redact review {out} --input {source} --by k7")
    return int(wrong > 0 or fresh > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
