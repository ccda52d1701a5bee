"""The worker's own side: confine first, then load the jobs, then serve one request after another.

Started by `redact.workers.parent` with two pipes and nothing else: no standard streams, no inherited files, a
short list of environment variables. Nothing but plain data and class names goes back.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redact.errors import RedactError
from redact.workers.confine import Access, Confinement, confine
from redact.workers.limits import WorkerLimits
from redact.workers.wire import MAX_HEAD_BYTES, MAX_REPLY_BYTES, Job, frame_size, pack, pack_reply, unpack

PROGRESS_INTERVAL_S = 0.2
STOPPING = frozenset({signal.SIGINT, signal.SIGTERM})
"""What a service manager or a terminal may send to every process at once. The parent decides what becomes of
the work and ends workers itself; they start with these blocked."""


def debugging() -> bool:
    """Whether the user asked for developers' output, which may hold paths: REDACT_DEBUG=1."""
    return os.environ.get("REDACT_DEBUG") == "1"


def _read(descriptor: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _receive(descriptor: int) -> tuple[Any, bytes]:
    start = _read(descriptor, 12)
    size = frame_size(start, MAX_HEAD_BYTES, MAX_REPLY_BYTES)
    assert size is not None
    return unpack(start + _read(descriptor, size - len(start)))


def _send(descriptor: int, frame: bytes) -> None:
    view = memoryview(frame)
    while view:
        view = view[os.write(descriptor, view) :]


def _load(factory: str) -> Mapping[str, Job]:
    module, _, name = factory.partition(":")
    made: Mapping[str, Job] = getattr(importlib.import_module(module), name)()
    return made


def _home_of(factory: str) -> tuple[Path, ...]:
    """The folder of the factory's module, if it lies outside the program's own files (tests' do)."""
    top = factory.partition(":")[0].partition(".")[0]
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return ()
    if spec is None or spec.origin is None or top == "redact":
        return ()
    return (Path(spec.origin).resolve().parent,)


def main(reading: int, writing: int) -> None:
    """Serve until the parent closes the pipe."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    configuration, _ = _receive(reading)
    factory = configuration["factory"]
    access = Access(
        read=(*map(Path, configuration["read"]), *_home_of(factory)),
        write=tuple(map(Path, configuration["write"])),
        programs=tuple(map(Path, configuration["programs"])),
    )
    limits = WorkerLimits(**configuration["limits"])
    held = confine(limits, access, configuration["parent"], sys.path)
    _send(writing, _hello(held))
    if limits.required and not held.complete:
        return
    jobs: Mapping[str, Job] | None = None
    while True:
        try:
            head, body = _receive(reading)
        except (EOFError, OSError):
            return
        request = head["request"]
        for name, (start, end) in head["texts"].items():
            request[name] = body[start:end].decode("utf-8", "surrogateescape")
        last = 0.0

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if done == total or now - last >= PROGRESS_INTERVAL_S:
                last = now
                _send(writing, pack({"is": "progress", "stage": stage, "done": done, "total": total}))

        try:
            if jobs is None:
                jobs = _load(factory)
            frame = pack_reply(jobs[head["job"]](request, progress))
        except RedactError as error:
            frame = _failure(type(error).__name__, str(error))
        except MemoryError:
            frame = _failure(
                "WorkerDiedError",
                "Not enough memory for this item (limits.memory_mb); it was not published.",
            )
        except OSError as error:
            # errno text only: the exception's own text holds a path
            words = os.strerror(error.errno) if error.errno else "unknown reason"
            frame = _failure("OutputError", f"The system refused a file operation ({words}).")
        except Exception as error:  # noqa: BLE001 - the boundary: nothing but a class name may cross it
            if debugging():
                traceback.print_exc()
            name = "".join(letter for letter in type(error).__name__ if letter.isalnum() or letter in "._")
            frame = _failure(
                "WorkerDiedError", f"An internal error ({name[:64]}) stopped this item; it was not published."
            )
        try:
            _send(writing, frame)
        except OSError:
            return


def _hello(held: Confinement) -> bytes:
    return pack(
        {
            "is": "hello",
            "limits": held.limits,
            "namespace": held.namespace,
            "seccomp": held.seccomp,
            "landlock": held.landlock,
        }
    )


def _failure(name: str, message: str) -> bytes:
    return pack({"is": "error", "error": name, "message": message})
