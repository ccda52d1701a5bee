"""The service with stages that load no model, for tests and the load test.

`python -m bench.service_child CONFIG MAKER GATE [SECONDS]`: the seconds take the place of the service's own
pauses before it looks or tries again. The command `redact serve` itself knows no such choices.
"""

from __future__ import annotations

import sys
from pathlib import Path

from redact.errors import RedactError
from redact.service import desk, webhooks, work
from redact.service.config import load_config
from redact.service.serve import serve


def main(arguments: list[str]) -> int:
    """Run until it is told to stop; the exit status is the error's."""
    config, maker, gate, *pause = arguments
    if pause:
        desk.LOOK_EVERY_S = work.AGAIN_S = work.DATABASE_PAUSE_S = webhooks.IDLE_S = float(pause[0])
    try:
        serve(load_config(Path(config)), maker=maker, gate=gate)
    except RedactError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
