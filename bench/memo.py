"""Remembers parts of a benchmark, so that one that was stopped goes on where it was.

A part is remembered for as long as the code it depends on is the same: every Python file of the benchmark,
and of `redact/` and `models/` where the part runs the tool.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from bench.common import ROOT, WORK

T = TypeVar("T")
MEMO = WORK / "memo"


@lru_cache
def _digest(tool: bool) -> str:
    files = sorted((ROOT / "bench").glob("*.py"))
    if tool:
        files += [*sorted((ROOT / "redact").rglob("*.py")), ROOT / "models" / "models.toml"]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def kept(key: str, make: Callable[[], T], *, tool: bool = True) -> T:
    """What `make` gave for this key when the same code ran last, or gives now.

    `tool`: whether it runs the tool itself; the peers' parts do not depend on its code.
    """
    path = _path(key, tool)
    if path.is_file():
        value: T = pickle.loads(path.read_bytes())
        return value
    value = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    fresh.write_bytes(pickle.dumps(value))
    fresh.replace(path)
    return value


def _path(key: str, tool: bool) -> Path:
    return MEMO / _digest(tool) / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.pickle"
