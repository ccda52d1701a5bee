"""Which answer an error of ours becomes. Messages of our errors hold no name and no path."""

from __future__ import annotations

from redact.errors import (
    BlockedError,
    ChangedMeanwhileError,
    InputError,
    InUseError,
    LedgerError,
    OutputError,
    RedactError,
    UsageError,
)
from redact.httpd.answers import RefusedError
from redact.review.hands import StoppedError
from redact.review.items import NoSuchItemError

TABLE: tuple[tuple[type[RedactError], int, str], ...] = (
    (NoSuchItemError, 404, "no_such_item"),
    (ChangedMeanwhileError, 409, "changed"),
    (BlockedError, 403, "blocked"),
    (InUseError, 423, "in_use"),
    (StoppedError, 503, "stopped"),
    (UsageError, 422, "usage"),
    (InputError, 422, "input"),
    (LedgerError, 503, "record"),
    (OutputError, 409, "missing"),
    (RedactError, 503, "tool"),
)
"""The first that fits. 409 and 423 are worth another look or try; 422 is not."""


def refused(error: RedactError) -> RefusedError:
    """The answer to a request that ended in that error."""
    for kind, status, word in TABLE:
        if isinstance(error, kind):
            return RefusedError(status, word, str(error), 2 if status == 423 else None)
    raise AssertionError("RedactError fits every error of ours")
