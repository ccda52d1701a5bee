"""Write `docs/schema/`: the JSON Schemas of what an output folder holds, from the classes that write it.

`python scripts/make_schemas.py`; with `--check`, only say what is not current.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from redact.report.models import PUBLISHED_MODELS, json_schema

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schema"


def schemas() -> dict[str, str]:
    """Text of every schema file, by file name."""
    return {
        f"{name}.schema.json": json.dumps(json_schema(name), indent=2, sort_keys=True) + "\n"
        for name in PUBLISHED_MODELS
    }


def stale(folder: Path = FOLDER) -> list[str]:
    """Names of files in `folder` that are missing, out of date, or of no class."""
    wanted = schemas()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main() -> int:
    """Exit status."""
    if "--check" in sys.argv[1:]:
        names = stale()
        print("\n".join(f"docs/schema/{name} is not current: run scripts/make_schemas.py" for name in names))
        return 1 if names else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
