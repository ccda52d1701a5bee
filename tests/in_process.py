"""Commands and workers in the test's own process, for tests of words, files and pixels, not of processes.

A process costs a second of imports, and a worker the loading of its models on top: here both are paid once.
`tests/workers`, `tests/batch` and one command of each kind keep the real processes honest.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from redact.cli import main
from redact.workers import Access, Confinement, Job, ProgressCallback, Reply, WorkerLimits
from redact.workers.wire import Done as Answer
from redact.workers.wire import pack_reply, read_message


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def command(*arguments: object, private: Path, **settings: str) -> Done:
    """`redact ARGUMENTS` with `settings` in its environment; nothing but its exit ends."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["redact", *map(str, arguments)])
        for name, value in {"REDACT_PRIVATE_DIR": str(private), "COLUMNS": "200", **settings}.items():
            patch.setenv(name, value)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as ended:
                return Done(int(ended.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("A command ends with an exit status.")


@functools.cache
def _jobs(factory: str) -> tuple[Mapping[str, Job], threading.Lock]:
    module, _, name = factory.partition(":")
    return getattr(import_module(module), name)(), threading.Lock()


class WorkerHere:
    """Does the jobs of `factory` where it is called, one at a time; what it says passes the wire's checks."""

    def __init__(
        self, factory: str, limits: WorkerLimits | None = None, access: Access | None = None
    ) -> None:
        del limits, access
        self._factory = factory

    def start(self) -> Confinement:
        """See `redact.workers.Worker`."""
        return Confinement(limits=True, seccomp=True, landlock=1)

    def call(
        self,
        job: str,
        request: Mapping[str, Any],
        *,
        timeout_s: float,
        progress: ProgressCallback | None = None,
        stop: threading.Event | None = None,
    ) -> Reply:
        """See `redact.workers.Worker`."""
        del timeout_s, stop
        jobs, lock = _jobs(self._factory)
        with lock:
            reply = jobs[job](json.loads(json.dumps(request)), progress or (lambda *_: None))
        message = read_message(pack_reply(reply))
        assert isinstance(message, Answer)
        return message.reply

    def close(self) -> None:
        """See `redact.workers.Worker`."""


@contextlib.contextmanager
def workers_here() -> Iterator[None]:
    """Whatever is asked of workers is done in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("redact.batch.jobs.Worker", WorkerHere)
        yield
