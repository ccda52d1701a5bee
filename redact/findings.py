"""What the gate says: findings, what was looked for, and the verdict that follows. Pure data and one rule.

A finding tells place and time, never content: no text that was read, no name, no metadata value. The gate
never says "anonymous"; `Look` records what was looked for, by what, and how often.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from redact.plan import Data, FrameIndex


class Verdict(StrEnum):
    """What may happen to the finished file."""

    PUBLISH = "PUBLISH"
    REVIEW = "REVIEW"
    BLOCK = "BLOCK"


class FindingKind(StrEnum):
    """What was seen. `SEVERITY` says what each means for the verdict."""

    FACE = "face"
    FACE_EXPECTED = "face_expected"
    """A person whose head is under no cover, though no face is seen on it."""
    TEXT = "text"
    SPEECH = "speech"
    """Speech where none should be left."""
    SOUND = "sound"
    """Sound that only a person can clear, and no person is known to have listened to."""
    NAME = "name"
    """A name of the watch list, told by the list's line alone, or what looks like a person's name."""
    METADATA = "metadata"
    STRUCTURE = "structure"
    """A box, chunk, marker or page that is not on the allow-list of its format."""
    STREAM = "stream"
    TRAILING_BYTES = "trailing_bytes"
    UNDECODABLE = "undecodable"
    """The file, or a part of it, does not decode without errors."""
    UNVERIFIABLE = "unverifiable"
    """The gate has no reader for this format, so it can rule nothing out."""
    NOTE = "note"
    """Analysis asked for a person, e.g. because it found no face at all."""


SEVERITY: dict[FindingKind, Verdict] = {
    FindingKind.FACE: Verdict.REVIEW,
    FindingKind.FACE_EXPECTED: Verdict.REVIEW,
    FindingKind.TEXT: Verdict.REVIEW,
    FindingKind.SPEECH: Verdict.REVIEW,
    FindingKind.SOUND: Verdict.REVIEW,
    FindingKind.NAME: Verdict.REVIEW,
    FindingKind.NOTE: Verdict.REVIEW,
    FindingKind.UNVERIFIABLE: Verdict.REVIEW,
    # Hidden data and broken files are never a matter of taste: no editor can wave them through by looking.
    FindingKind.METADATA: Verdict.BLOCK,
    FindingKind.STRUCTURE: Verdict.BLOCK,
    FindingKind.STREAM: Verdict.BLOCK,
    FindingKind.TRAILING_BYTES: Verdict.BLOCK,
    FindingKind.UNDECODABLE: Verdict.BLOCK,
}


class Finding(Data):
    """One thing the gate saw, with place and time and without its content."""

    kind: FindingKind
    detail: Annotated[str, Field(max_length=96, pattern=r"^[A-Za-z0-9_.:@/+\- ]*$")] = ""
    """Where in the file's structure, or which detector: `EXIF`, `box udta`, `blazeface_full@whole`."""
    score: Annotated[float, Field(ge=0, le=1)] = 1.0
    first: FrameIndex | None = None
    last: FrameIndex | None = None
    """First and last frame (inclusive) on which it was seen; None if it belongs to no frame."""
    box: tuple[float, float, float, float] | None = None
    """x, y, w, h in pixels of the displayed picture: the union over its frames."""

    @property
    def severity(self) -> Verdict:
        """The best verdict that this finding allows."""
        return SEVERITY[self.kind]


class Look(Data):
    """One thing that was looked for: by what, and on how much of the file."""

    what: str
    by: str
    frames: int = 0
    """Frames looked at; 0 for checks of the whole file."""
    of_frames: int = 0


class GateReport(Data):
    """Everything the gate has to say about one finished file."""

    sha256: str = ""
    """Digest of the bytes that were judged."""
    format: str = ""
    width: int = 0
    height: int = 0
    frames: int = 0
    looks: tuple[Look, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst that any finding allows; PUBLISH only if there is none and something was looked for."""
        return judge(self.findings) if self.looks else Verdict.REVIEW


def judge(findings: tuple[Finding, ...]) -> Verdict:
    """BLOCK beats REVIEW beats PUBLISH."""
    severities = {finding.severity for finding in findings}
    for verdict in (Verdict.BLOCK, Verdict.REVIEW):
        if verdict in severities:
            return verdict
    return Verdict.PUBLISH
