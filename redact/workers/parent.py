"""The parent's side of a worker: start it confined, ask it one thing at a time, believe nothing it says.

A worker's death, silence, excess or nonsense becomes one of our exceptions, which names no file; the worker
is ended and the next call starts another. Which jobs a worker knows is given by an importable factory, so
tests can inject faults the way a user would meet them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from redact.errors import MissingToolError, WorkerDiedError, WorkerTimeoutError
from redact.workers.child import STOPPING, debugging
from redact.workers.confine import Access, Confinement
from redact.workers.limits import WorkerLimits, grant_cpu
from redact.workers.wire import (
    MAX_HEAD_BYTES,
    MAX_REPLY_BYTES,
    Done,
    Failed,
    Hello,
    Message,
    NonsenseError,
    Progress,
    ProgressCallback,
    Reply,
    frame_size,
    pack,
    read_message,
)

POLL_S = 0.25
START_TIMEOUT_S = 120.0
LAST_WORD_S = 5.0
"""How long a worker that closed its pipe has to end by itself, so that its exit status can be told."""
PASSED_ON = frozenset(
    {"HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TZ", "XDG_CACHE_HOME"}
)
"""Environment a worker gets, with our own REDACT_ variables: no token or proxy of the user's reaches it."""
LIBRARY_SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": "protocol_whitelist;file",
    "GLOG_minloglevel": "3",
    "MALLOC_ARENA_MAX": "4",  # the C library reserves 64 MiB of address space for each
    "PYTHONDONTWRITEBYTECODE": "1",
}
_START = (
    "import sys, json\n"
    "sys.dont_write_bytecode = True\n"
    "sys.path[:] = json.loads(sys.argv[3])\n"
    "from redact.workers.child import main\n"
    "main(int(sys.argv[1]), int(sys.argv[2]))\n"
)
_DEATHS = {
    signal.SIGXCPU: "used more processor time than limits.cpu_s allows",
    signal.SIGXFSZ: "wrote a larger file than limits.output_mb allows",
    signal.SIGSYS: "asked the system for something that no decoder needs",
    signal.SIGSEGV: "crashed",
    signal.SIGBUS: "crashed",
    signal.SIGABRT: "crashed or ran out of memory (limits.memory_mb)",
    signal.SIGKILL: "was killed (out of memory?)",
}
_NONSENSE = "The process working on this item gave no valid answer; it was stopped and nothing was published."


class Worker:
    """One confined child process. Not thread-safe: one thread owns it. Restarts by itself after a failure.

    `factory` is `module:function`; the function runs in the child and returns the jobs by name.
    """

    def __init__(
        self,
        factory: str,
        limits: WorkerLimits | None = None,
        access: Access | None = None,
    ) -> None:
        self._factory = factory
        self._limits, self._access = limits or WorkerLimits(), access or Access()
        self._process: subprocess.Popen[bytes] | None = None
        self._reading = self._writing = -1
        self._untrusted = bytearray()
        self.confinement: Confinement | None = None
        """What holds the worker back; known once it has been started."""

    def start(self) -> Confinement:
        """Start the process if there is none, and say what holds it back.

        Raises:
            WorkerDiedError, WorkerTimeoutError: it does not come up.
            MissingToolError: `limits.required`, and this system cannot confine it.
        """
        if self._process is not None and self._process.poll() is None and self.confinement is not None:
            return self.confinement
        self.close()
        child_reads, self._writing = os.pipe()
        self._reading, child_writes = os.pipe()
        paths = json.dumps([entry or os.getcwd() for entry in sys.path])  # noqa: PTH109
        # the child inherits the mask, so none of these ends it before it has said that it ignores them
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, str(child_reads), str(child_writes), paths],
                stdin=subprocess.DEVNULL,
                stdout=None if debugging() else subprocess.DEVNULL,
                stderr=None if debugging() else subprocess.DEVNULL,
                pass_fds=(child_reads, child_writes),
                env=_environment(self._access),
                start_new_session=True,  # so that what it starts can be ended with it
            )
        except OSError as error:
            self.close()
            raise WorkerDiedError(
                "No process could be started for this item; is the machine full?"
            ) from error
        finally:
            os.close(child_reads)
            os.close(child_writes)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.set_blocking(self._writing, False)
        os.set_blocking(self._reading, False)
        deadline = time.monotonic() + START_TIMEOUT_S
        try:
            self._send(self._configuration(), deadline, None)
            hello = self._receive(deadline, None)
            if not isinstance(hello, Hello):
                raise NonsenseError
        except NonsenseError:
            self.close()
            raise WorkerDiedError(_NONSENSE) from None
        except (EOFError, BrokenPipeError) as error:
            raise self._died() from error
        self.confinement = hello.confinement
        if self._limits.required and not hello.confinement.complete:
            self.close()
            raise MissingToolError(
                "This system cannot confine the work on untrusted files (limits.require_isolation); "
                "`redact doctor` says what is missing."
            )
        return hello.confinement

    def _configuration(self) -> bytes:
        return pack(
            {
                "factory": self._factory,
                "parent": os.getpid(),
                "limits": dataclasses.asdict(self._limits),
                "read": [os.fspath(place) for place in self._access.read],
                "write": [os.fspath(place) for place in self._access.write],
                "programs": [os.fspath(place) for place in self._access.programs],
            }
        )

    def call(
        self,
        job: str,
        request: Mapping[str, Any],
        *,
        timeout_s: float,
        progress: ProgressCallback | None = None,
        stop: threading.Event | None = None,
    ) -> Reply:
        """Run one job and return its reply, whose type and contents the caller must check.

        `request` is plain data: what JSON can say; texts may be of any length.

        Raises:
            WorkerTimeoutError: no reply within `timeout_s` seconds; the process was killed.
            WorkerDiedError: the process ended without a reply, or said something that makes no sense.
            KeyboardInterrupt: `stop` was set; the process was killed.
            RedactError: whatever the job raised, as the same class.
        """
        deadline = time.monotonic() + timeout_s
        self.start()
        assert self._process is not None
        try:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError, AttributeError):
                grant_cpu(self._process.pid, self._limits.cpu_s)
            self._send(_request(job, request), deadline, stop)
            while True:
                message = self._receive(deadline, stop)
                if isinstance(message, Progress):
                    if progress is not None:
                        progress(message.stage, message.done, message.total)
                elif isinstance(message, Done):
                    return message.reply
                elif isinstance(message, Failed):
                    raise message.error
                else:
                    raise NonsenseError
        except NonsenseError:
            self.close()
            raise WorkerDiedError(_NONSENSE) from None
        except (EOFError, BrokenPipeError) as error:
            raise self._died() from error

    def _send(self, frame: bytes, deadline: float, stop: threading.Event | None) -> None:
        view = memoryview(frame)
        while view:
            self._wait(self._writing, select.POLLOUT, deadline, stop)
            with contextlib.suppress(BlockingIOError):
                view = view[os.write(self._writing, view[: 1 << 16]) :]

    def _receive(self, deadline: float, stop: threading.Event | None) -> Message:
        size: int | None = None
        while True:
            if size is None:
                size = frame_size(self._untrusted, MAX_HEAD_BYTES, MAX_REPLY_BYTES)
            if size is not None and len(self._untrusted) >= size:
                frame = self._untrusted[:size]
                del self._untrusted[:size]
                self._check_time(deadline, stop)  # a worker that only talks gets no more time either
                return read_message(frame)
            self._wait(self._reading, select.POLLIN, deadline, stop)
            with contextlib.suppress(BlockingIOError):
                part = os.read(self._reading, 1 << 20)
                if not part:
                    raise EOFError
                self._untrusted += part

    def _wait(self, descriptor: int, event: int, deadline: float, stop: threading.Event | None) -> None:
        poller = select.poll()
        poller.register(descriptor, event)
        while True:
            self._check_time(deadline, stop)
            left = min(POLL_S, max(deadline - time.monotonic(), 0.0))
            if poller.poll(left * 1000 + 1):
                return

    def _check_time(self, deadline: float, stop: threading.Event | None) -> None:
        if stop is not None and stop.is_set():
            self.close()
            raise KeyboardInterrupt
        if time.monotonic() > deadline:
            self.close()
            raise WorkerTimeoutError(
                "A stage took longer than limits.item_timeout_s; raise it or split the item."
            )

    def _died(self) -> WorkerDiedError:
        code = None
        process = self._process
        if process is not None:
            until = time.monotonic() + LAST_WORD_S
            # looked at without reaping: its number must stay its own until its session is ended
            while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                if time.monotonic() > until:
                    break
                time.sleep(0.01)
            self.close()
            code = process.returncode
        how = f"ended unasked (status {code})"
        if code is not None and code < 0:
            how = _DEATHS.get(signal.Signals(-code), how) if -code in set(signal.Signals) else how
        return WorkerDiedError(f"The process working on this item {how}; run again, or take the item out.")

    def close(self) -> None:
        """End the process and whatever it started, if there is one."""
        process, self._process = self._process, None
        self.confinement = None
        self._untrusted = bytearray()
        for descriptor in (self._reading, self._writing):
            if descriptor >= 0:
                os.close(descriptor)
        self._reading = self._writing = -1
        if process is not None:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _request(job: str, request: Mapping[str, Any]) -> bytes:
    """Texts travel in the body, so that the head stays short."""
    plain: dict[str, Any] = {}
    texts: dict[str, tuple[int, int]] = {}
    body = bytearray()
    for name, value in request.items():
        if isinstance(value, str):
            start = len(body)
            body += value.encode("utf-8", "surrogateescape")
            texts[name] = (start, len(body))
        else:
            plain[name] = value
    return pack({"job": job, "request": plain, "texts": texts}, bytes(body))


def _environment(access: Access) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("REDACT_")
    }
    if access.write:
        kept["TMPDIR"] = os.fspath(access.write[0])
    return LIBRARY_SETTINGS | kept
