"""Child processes that work on untrusted files: one request at a time, plain data in, plain data out.

The parent never decodes a file or loads a model. A `Worker` starts one spawned process, sends it a request,
relays its progress, and turns its death, its silence or its error into one of our exceptions. Which jobs a
worker knows is given by an importable factory, so tests can inject faults the way a user would meet them.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from redact import errors
from redact.errors import RedactError, WorkerDiedError, WorkerTimeoutError

ProgressCallback = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""
Job = Callable[[Mapping[str, Any], ProgressCallback], Any]
"""Takes plain request data and a progress callback; returns plain data (JSON text, numbers, bytes)."""
JobFactory = Callable[[], Mapping[str, Job]]

MAX_REPLY_BYTES = 256 * 1024 * 1024
PROGRESS_INTERVAL_S = 0.2
POLL_S = 0.25
_PR_SET_PDEATHSIG = 1


def _known_errors() -> dict[str, type[RedactError]]:
    found = {}
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, RedactError):
            found[value.__name__] = value
    return found


def debugging() -> bool:
    """Whether the user asked for developers' output, which may hold paths: REDACT_DEBUG=1."""
    return os.environ.get("REDACT_DEBUG") == "1"


def _quiet_and_bound_to_parent() -> None:
    """Silence libraries that print file names, and die with the parent (Linux)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; it ends workers itself
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if not debugging():
        sink = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(sink, fd)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "protocol_whitelist;file")
    os.environ.setdefault("GLOG_minloglevel", "3")


def _load(factory: str) -> Mapping[str, Job]:
    module, _, name = factory.partition(":")
    made: Mapping[str, Job] = getattr(importlib.import_module(module), name)()
    return made


def _serve(connection: Connection, factory: str) -> None:
    _quiet_and_bound_to_parent()
    jobs: Mapping[str, Job] | None = None
    while True:
        try:
            name, request = connection.recv()
        except (EOFError, OSError):
            return
        last = 0.0

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if done == total or now - last >= PROGRESS_INTERVAL_S:
                last = now
                connection.send(("progress", stage, done, total))

        try:
            if jobs is None:
                jobs = _load(factory)
            reply: tuple[Any, ...] = ("done", jobs[name](request, progress))
        except RedactError as error:
            reply = ("error", type(error).__name__, str(error))
        except MemoryError:
            reply = ("error", "WorkerDiedError", "Not enough memory for this item.")
        except OSError as error:
            # errno text only: the exception's own text holds a path
            words = os.strerror(error.errno) if error.errno else "unknown reason"
            reply = ("error", "OutputError", f"The system refused a file operation ({words}).")
        except Exception as error:  # noqa: BLE001 - the boundary: nothing but a class name may cross it
            if debugging():
                traceback.print_exc()
            reply = (
                "error",
                "WorkerDiedError",
                f"An internal error ({type(error).__name__}) stopped this item; it was not published.",
            )
        try:
            connection.send(reply)
        except (BrokenPipeError, OSError):
            return


class Worker:
    """One child process. Not thread-safe: one thread owns it. Restarts by itself after a failure.

    `factory` is `module:function`; the function runs in the child and returns the jobs by name.
    """

    def __init__(self, factory: str) -> None:
        self._factory = factory
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    def _start(self) -> Connection:
        if self._process is not None and self._process.is_alive() and self._connection is not None:
            return self._connection
        self.close()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._factory), daemon=True)
        self._process.start()
        theirs.close()
        self._connection = ours
        return ours

    def call(
        self,
        job: str,
        request: Mapping[str, Any],
        *,
        timeout_s: float,
        progress: ProgressCallback | None = None,
        stop: threading.Event | None = None,
    ) -> Any:
        """Run one job and return its reply.

        Raises:
            WorkerTimeoutError: no reply within `timeout_s` seconds; the process was killed.
            WorkerDiedError: the process ended without a reply.
            KeyboardInterrupt: `stop` was set; the process was killed.
            RedactError: whatever the job raised, as the same class.
        """
        deadline = time.monotonic() + timeout_s
        try:
            connection = self._start()
            connection.send((job, dict(request)))
            while True:
                if connection.poll(POLL_S):
                    untrusted_message = connection.recv_bytes(MAX_REPLY_BYTES)
                    message = multiprocessing.reduction.ForkingPickler.loads(untrusted_message)
                    if message[0] == "progress":
                        if progress is not None:
                            progress(*message[1:])
                    elif message[0] == "done":
                        return message[1]
                    else:
                        raise _known_errors().get(message[1], WorkerDiedError)(message[2])
                elif stop is not None and stop.is_set():
                    self.close()
                    raise KeyboardInterrupt
                elif time.monotonic() > deadline:
                    self.close()
                    raise WorkerTimeoutError(
                        "A stage took longer than limits.item_timeout_s; raise it or split the item."
                    )
        except (EOFError, ConnectionError, BrokenPipeError) as error:
            code = self._exit_code()
            self.close()
            raise WorkerDiedError(
                f"The process working on this item died (status {code}); run again, or take the item out."
            ) from error

    def _exit_code(self) -> int | None:
        if self._process is None:
            return None
        self._process.join(timeout=5)
        return self._process.exitcode

    def close(self) -> None:
        """End the process, if there is one."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
        if self._process is not None and self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process = None
        self._connection = None


def remove_quietly(path: Path) -> None:
    """Remove a temporary file that may not be there."""
    path.unlink(missing_ok=True)
