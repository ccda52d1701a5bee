"""The log of a server of ours: a JSON object a line on standard error, of words, public ids and numbers."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime

_LOCK = threading.Lock()
_LIBRARIES = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "fastapi", "httpx")


def log(event: str, **facts: str | int | float | bool) -> None:
    """Write one line. Callers give ids, words of ours and numbers; never a name, a path or an address."""
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = json.dumps({"time": time, "event": event, **facts})
    with _LOCK:
        print(line, file=sys.stderr, flush=True)


def quiet() -> None:
    """No library writes a log of its own: a line of theirs may hold an address, a path or a header."""
    root = logging.getLogger()
    root.handlers[:] = [logging.NullHandler()]
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
        logger.setLevel(logging.CRITICAL)
