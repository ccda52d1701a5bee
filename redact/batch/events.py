"""What a batch tells while it runs: plain records for a progress bar, a log line or a JSON stream."""

from __future__ import annotations

from dataclasses import dataclass

from redact.errors import ExitCode


@dataclass(frozen=True)
class RunStarted:
    """The folder was walked."""

    todo: int
    already: int
    """Items that an earlier run under the same policy finished."""
    set_aside: int


@dataclass(frozen=True)
class ItemStarted:
    """Work on an item begins."""

    item: str


@dataclass(frozen=True)
class ItemProgress:
    """An item moved on. `total` is 0 if the stage does not know."""

    item: str
    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class ItemDone:
    """An item's end."""

    item: str
    status: str
    """published, review, blocked, failed or planned."""
    reason: str
    """Kinds of findings, or what went wrong and what to do; no names, no paths."""
    exit_code: ExitCode
    already: bool = False


Event = RunStarted | ItemStarted | ItemProgress | ItemDone
