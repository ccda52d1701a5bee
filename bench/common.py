"""Places, tables and whole-process measurement that the benchmarks share."""

from __future__ import annotations

import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "bench" / "work"
RESULTS = ROOT / "bench" / "results"
SHARED = ROOT.parent / "shared" / "data"
REDACT = Path(sys.executable).parent / "redact"


class Size(Enum):
    """How much a benchmark takes on."""

    QUICK = "quick"
    """Enough to see that it works; printed, not kept."""
    USUAL = "usual"
    """What `make bench` runs."""
    FULL = "full"
    """As much as there is."""


@dataclass
class Table:
    """One result: a title, a table and notes, written as Markdown."""

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """One more row."""
        self.rows.append(list(cells))

    def note(self, text: str) -> None:
        """One more line under the table."""
        self.notes.append(text)

    def markdown(self) -> str:
        """The whole as Markdown."""
        lines = [
            f"# {self.title}",
            "",
            "| " + " | ".join(self.columns) + " |",
            "|---" * len(self.columns) + "|",
        ]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        lines += ["", *(f"- {note}" for note in self.notes), f"- {machine()}"]
        return "\n".join(lines) + "\n"


@dataclass
class Tables:
    """Several tables of one benchmark, in one file."""

    tables: list[Table]

    def markdown(self) -> str:
        """One after the other."""
        return "\n".join(table.markdown() for table in self.tables)


def machine() -> str:
    """Date and machine, without anything that names it."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}."
    )


@dataclass(frozen=True)
class Cost:
    """What one whole process and its children took."""

    cpu: float
    wall: float
    status: int


def measure(command: Sequence[object], environment: dict[str, str] | None = None) -> Cost:
    """Run a command to its end and count its CPU seconds, children included."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, time.monotonic() - started, done.returncode)


def processes() -> ProcessPoolExecutor:
    """Two worker processes, started afresh: forked ones inherit the locks of the networks' threads."""
    return ProcessPoolExecutor(max_workers=2, mp_context=multiprocessing.get_context("spawn"))


def photo_name(wanted: Path) -> Path | None:
    """The output of that name, if it is there."""
    return wanted if wanted.is_file() else None
