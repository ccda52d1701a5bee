"""The service with stages that load no model, for tests and the load test.

`python -m bench.service_child CONFIG MAKER GATE`. The command `redact serve` itself knows no such choice.
"""

from __future__ import annotations

import sys
from pathlib import Path

from redact.errors import RedactError
from redact.service.config import load_config
from redact.service.serve import serve


def main() -> int:
    """Run until it is told to stop; the exit status is the error's."""
    try:
        serve(load_config(Path(sys.argv[1])), maker=sys.argv[2], gate=sys.argv[3])
    except RedactError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
