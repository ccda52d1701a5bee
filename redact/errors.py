"""What can go wrong, and how a process says so: one exit-code enum and one exception hierarchy.

Errors are raised where they are known and caught per item in `redact.batch` and per command in `redact.cli`,
nowhere else. A message never holds a name, a path or a value read from a file: it says what happened and
what the user can do next; the caller adds the item's public id.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of every command. A batch exits with its worst item, in the order of `severity`."""

    PUBLISHED = 0
    """Every item passed the gate (or there was nothing to do)."""
    TOOL_ERROR = 1
    """This tool or this machine failed: a missing model, a full disk, a crash."""
    USAGE = 2
    """The command line or the policy is wrong. Nothing was touched."""
    NEEDS_REVIEW = 3
    """At least one item waits for a person."""
    INPUT_ERROR = 4
    """At least one item could not be read whole, or is of a kind that is refused."""
    BLOCKED = 5
    """At least one finished file carries something that must never be published."""
    INTERRUPTED = 130
    """Stopped by the user; the next run goes on from here."""

    @property
    def severity(self) -> int:
        """Rank used to choose one code for a batch; higher is worse."""
        order = (
            ExitCode.PUBLISHED,
            ExitCode.NEEDS_REVIEW,
            ExitCode.BLOCKED,
            ExitCode.INPUT_ERROR,
            ExitCode.TOOL_ERROR,
            ExitCode.USAGE,
            ExitCode.INTERRUPTED,
        )
        return order.index(self)


class RedactError(Exception):
    """Base of every error this tool raises on purpose. `reason` is a stable machine-readable word."""

    exit_code = ExitCode.TOOL_ERROR
    reason = "tool_error"


class UsageError(RedactError):
    """The command line, the policy or a plan is not valid; raised before any item is touched."""

    exit_code = ExitCode.USAGE
    reason = "usage"


class ChangedMeanwhileError(UsageError):
    """What a person decided about is no longer what lies there: it was made again, or decided already."""

    reason = "changed"


class BlockedError(UsageError):
    """The gate found something that nobody can accept."""

    reason = "blocked"


class InputError(RedactError):
    """The item cannot be processed as it is. The rest of a batch goes on."""

    exit_code = ExitCode.INPUT_ERROR
    reason = "input_error"


class UnsupportedInputError(InputError):
    """The bytes are of no format this tool handles, or of a variant it refuses (said in the message)."""

    reason = "unsupported"


class UnreadableInputError(InputError):
    """The file is gone or may not be read just now. Nothing is known of its bytes: to be tried again."""

    reason = "unreadable"


class DamagedInputError(InputError):
    """The bytes do not decode completely and without errors."""

    reason = "damaged"


class InputTooLargeError(InputError):
    """The item is beyond a limit of the policy."""

    reason = "too_large"


class PlanMismatchError(InputError):
    """The plan was made for another input, or its edits do not fit the media."""

    reason = "plan_mismatch"


class InputChangedError(RedactError):
    """The input was replaced or written to while it was worked on: no fault of its own, worth another try."""

    reason = "input_changed"


class ModelError(RedactError):
    """A model's weights are missing or are not the bytes that models.toml names."""

    reason = "model"


class MissingToolError(RedactError):
    """An external program or library that the job needs is not on this machine."""

    reason = "missing_tool"


class EncodeError(RedactError):
    """An encoder failed or wrote something else than it was given."""

    reason = "encode"


class SigningError(RedactError):
    """The finished file could not be signed, or the signature does not verify."""

    reason = "signing"


class WorkerDiedError(RedactError):
    """The process that worked on the item ended without an answer."""

    reason = "worker_died"


class InternalError(RedactError):
    """A fault of this program stopped the item; it is told by the kind of fault alone."""

    reason = "internal"


class WorkerTimeoutError(RedactError):
    """The process that worked on the item did not answer within the policy's time limit."""

    reason = "timeout"


class OutputError(RedactError):
    """The output folder cannot be written or read, or another run holds it."""

    reason = "output"


class InUseError(OutputError):
    """Another process has the output folder; nothing is wrong with it."""

    reason = "in_use"


class LedgerError(OutputError):
    """The ledger does not verify."""

    reason = "ledger"
