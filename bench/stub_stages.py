"""Stages without models, for crashes and tests of the batch itself; imported by worker processes by name.

Rendering turns the bytes around; the gate looks at the first byte of what was rendered. An input whose last
byte is P is published, R reviewed, B blocked, and anything else is damaged; K kills whoever looks at it.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redact.errors import DamagedInputError
from redact.findings import Finding, FindingKind, GateReport, Look
from redact.media.digest import digest_file
from redact.plan import MediaFacts, OutputSpec, Plan
from redact.policy import Policy
from redact.workers import Job, ProgressCallback, Reply

PAUSE_S = 0.01
SLOW_S = 1.0


def _plan(path: Path, item: str, policy: Policy) -> Plan:
    media = MediaFacts(kind="photo", format="jpeg", width=8, height=8)
    return Plan(
        item=item,
        policy=policy.name,
        policy_digest=policy.digest(),
        source=digest_file(path),
        media=media,
        output=OutputSpec(format="jpeg"),
    )


def maker() -> Mapping[str, Job]:
    """Analysis and rendering."""

    def sniff(request: Mapping[str, Any], _: ProgressCallback) -> str:
        if Path(request["path"]).read_bytes()[-1:] == b"K":
            os.kill(os.getpid(), signal.SIGKILL)
        return "jpeg"

    def analyse(request: Mapping[str, Any], _: ProgressCallback) -> str:
        time.sleep(PAUSE_S)
        path = Path(request["path"])
        if path.read_bytes()[-1:] not in b"PRB":
            raise DamagedInputError("It does not decode.")
        policy = Policy.model_validate_json(request["policy"])
        return _plan(path, request["item"], policy).model_dump_json()

    def render(request: Mapping[str, Any], _: ProgressCallback) -> None:
        content = Path(request["path"]).read_bytes()[::-1]
        with Path(request["target"]).open("wb") as target:
            target.write(content[: len(content) // 2])
            target.flush()
            time.sleep(PAUSE_S)
            target.write(content[len(content) // 2 :])

    return {"sniff": sniff, "analyse": analyse, "render": render}


def slow_maker() -> Mapping[str, Job]:
    """The same with an analysis of a second and more, so that something can happen in the middle of a job."""
    jobs = dict(maker())
    analyse = jobs["analyse"]

    def slowly(request: Mapping[str, Any], progress: ProgressCallback) -> Reply:
        time.sleep(SLOW_S)
        return analyse(request, progress)

    return {**jobs, "analyse": slowly}


def gate() -> Mapping[str, Job]:
    """The judge."""

    def inspect(request: Mapping[str, Any], _: ProgressCallback) -> str:
        time.sleep(PAUSE_S)
        content = Path(request["path"]).read_bytes()
        kinds: list[FindingKind] = {b"P": [], b"R": [FindingKind.FACE], b"B": [FindingKind.TRAILING_BYTES]}[
            content[:1]
        ]
        return GateReport(
            sha256=hashlib.sha256(content).hexdigest(),
            format="jpeg",
            width=8,
            height=8,
            frames=1,
            looks=(Look(what="first byte", by="a stub"),),
            findings=tuple(Finding(kind=kind) for kind in kinds),
        ).model_dump_json()

    return {"inspect": inspect, "thumbnail": lambda request, _: b"\xff\xd8\xff"}
