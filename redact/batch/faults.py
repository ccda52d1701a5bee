"""What anything that went wrong is called in public: one of our errors, without a path, a value or a trace.

Takes any exception and gives a `RedactError`. Whoever develops sees the trace with REDACT_DEBUG=1.
"""

from __future__ import annotations

import contextlib
import traceback

from redact.errors import InternalError, OutputError, RedactError
from redact.workers import debugging


def public_error(error: Exception) -> RedactError:
    """The error as it may be shown and written down: our own as it is, others by their kind alone."""
    if isinstance(error, RedactError):
        return error
    if debugging():
        with contextlib.suppress(OSError, ValueError):  # nobody may be there to read it
            traceback.print_exception(error)
    if isinstance(error, OSError):
        shown: RedactError = OutputError(
            "A file operation was refused (disk full?); make room, check permissions and run again."
        )
    else:
        shown = InternalError(
            f"An internal error ({type(error).__name__}) stopped this item; nothing of it is published. Run "
            "again; REDACT_DEBUG=1 shows the details, which may hold file names."
        )
    shown.__cause__ = error
    return shown
