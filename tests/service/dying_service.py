"""A service that kills itself when a result lies in the output folder, before or after it noted that."""

import os
import signal
import sys
from pathlib import Path

from bench.crash import STUB_GATE, STUB_MAKER
from redact.service.config import load_config
from redact.service.jobs import JobStore
from redact.service.serve import serve


def main() -> None:
    """`CONFIG MOMENT`."""
    moment = sys.argv[2]
    settle = JobStore.settle

    def dying(self: JobStore, *row: object) -> bool:
        if moment == "after the row":
            settle(self, *row)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGKILL)
        return True

    JobStore.settle = dying  # type: ignore[method-assign]
    serve(load_config(Path(sys.argv[1])), maker=STUB_MAKER, gate=STUB_GATE)


if __name__ == "__main__":
    main()
