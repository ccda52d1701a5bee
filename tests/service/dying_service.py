"""Services that are not as they should be: one kills itself when a result lies in the output folder, before
or after it noted that; one is to give that folder back as soon as it has it.
"""

import os
import signal

from bench.service_child import main
from redact.service import house
from redact.service.jobs import JobStore


def before_the_row(arguments: list[str]) -> None:
    """Takes the arguments of `bench.service_child`."""

    def dying(self: JobStore, *row: object) -> bool:
        os.kill(os.getpid(), signal.SIGKILL)
        return True

    JobStore.settle = dying  # type: ignore[method-assign]
    main(arguments)


def after_the_row(arguments: list[str]) -> None:
    """The same, when the row is written."""
    settle = JobStore.settle

    def dying(self: JobStore, *row: object) -> bool:
        settle(self, *row)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGKILL)
        return True

    JobStore.settle = dying  # type: ignore[method-assign]
    main(arguments)


def soon_tired(arguments: list[str]) -> None:
    """Is to give the folder back at once; takes the same."""
    house.HOLD_S = 0.0
    main(arguments)
