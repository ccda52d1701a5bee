"""The service's log: one JSON object a line on standard error, of words, public ids and numbers only."""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime

_LOCK = threading.Lock()


def log(event: str, **facts: str | int | float | bool) -> None:
    """Write one line. Callers give ids, words of ours and numbers; never a name, a path or an address."""
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = json.dumps({"time": time, "event": event, **facts})
    with _LOCK:
        print(line, file=sys.stderr, flush=True)
