"""Stages without models that go wrong in one way each; imported by worker processes by name.

For tests of what a batch, a service or a kit makes of a fault; see `bench.stub_stages` for the rest.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import stub_stages
from redact.workers import Job, ProgressCallback


def dies_while_rendering() -> Mapping[str, Job]:
    """The process is killed, as if by the system's out-of-memory killer, after it began to write."""

    def render(request: Mapping[str, Any], _: ProgressCallback) -> None:
        Path(request["target"]).write_bytes(b"half a file")
        os.kill(os.getpid(), signal.SIGKILL)

    return {**stub_stages.maker(), "render": render}


def encoder_lies() -> Mapping[str, Job]:
    """Rendering copies the input through, covering nothing: what a bug or an attack would look like.

    All but its last byte, which is there for the stubs alone.
    """

    def render(request: Mapping[str, Any], _: ProgressCallback) -> None:
        Path(request["target"]).write_bytes(Path(request["path"]).read_bytes()[:-1])

    return {**stub_stages.maker(), "render": render}


def gate_hangs() -> Mapping[str, Job]:
    """The judge never answers."""
    return {"inspect": lambda request, _: time.sleep(600)}


def gate_dies() -> Mapping[str, Job]:
    """The judge is killed at every file."""

    def inspect(request: Mapping[str, Any], _: ProgressCallback) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    return {**stub_stages.gate(), "inspect": inspect}


def plans_for_no_format() -> Mapping[str, Job]:
    """Analysis asks for a format that nobody writes: what a taken-over process might say."""
    jobs = dict(stub_stages.maker())
    analyse = jobs["analyse"]

    def plan(request: Mapping[str, Any], progress: ProgressCallback) -> str:
        return json.dumps({**json.loads(str(analyse(request, progress))), "output": {"format": "exe"}})

    return {**jobs, "analyse": plan}


def gate_measures_nonsense() -> Mapping[str, Job]:
    """The judge sees a face larger than any picture."""
    jobs = dict(stub_stages.gate())
    inspect = jobs["inspect"]

    def measured(request: Mapping[str, Any], progress: ProgressCallback) -> str:
        report = json.loads(str(inspect(request, progress)))
        face = {"kind": "face", "first": 0, "last": 0, "box": [0, 0, 1e12, 1e12]}
        return json.dumps({**report, "width": 10**15, "height": 10**15, "findings": [face]})

    return {**jobs, "inspect": measured}
