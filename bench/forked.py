"""Processes for tests that are forked from one which has imported the product: a start costs milliseconds.

A service or a watcher of its own takes one to two seconds of processor time to import what it needs, and
tests start dozens. What runs in such a process has its own session, environment and log, and inherits nothing
that is open.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.common import ROOT

PRELOADED = [
    "bench.forked",
    "bench.service_child",
    "bench.crash_child",
    "redact.review.serve",
    "redact.batch.watch",
]
Main = Callable[[list[str]], int | None]
"""Takes the arguments of a command line, without the program's name; returns its exit status."""


def _become(main: Main, arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    os.setsid()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    writing = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for target, (name, flags) in enumerate(((os.devnull, os.O_RDONLY), (out, writing), (err, writing))):
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, target)
        os.close(opened)
    sys.exit(main(arguments))


class Forked:
    """`main` at work in a process of its own; to be used like a `subprocess.Popen`.

    What it says goes to the end of the file `out`; its errors too, or to `err`.
    """

    def __init__(
        self,
        main: Main,
        arguments: list[str],
        out: Path,
        err: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        values = dict(os.environ if environment is None else environment)
        places = (str(out), str(err or out))
        self._process = context.Process(target=_become, args=(main, arguments, values, *places), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit status, if it has ended; -9 if SIGKILL ended it."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, when it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not, within that many seconds.
        """
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)
