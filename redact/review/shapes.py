"""What the page and its server say to each other: one class an answer or a request. Pure data.

Coordinates are pixels of the displayed picture, origin top left; frames are counted from 0, both ends of a
span belong to it; times are seconds of the film.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from redact.plan import Coordinate, Extent, FrameIndex, Kind, Span
from redact.review.edits import Asked, SoundSpan, TrackEdit

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
BoxAsked = tuple[Coordinate, Coordinate, Extent, Extent]
Reason = Annotated[str, Field(max_length=1000)]
"""Longer than any that is taken, so that what is wrong with it is said by the rule for reasons."""


class Entry(Asked):
    """POST /api/session."""

    token: Annotated[str, Field(max_length=200)]


class Accepting(Asked):
    """POST /api/items/ID/accept: why each finding may pass, by its index."""

    sha256: Digest
    reasons: dict[Annotated[str, Field(pattern=r"^[0-9]{1,6}$")], Reason] = Field(default_factory=dict)


class Rejecting(Asked):
    """POST /api/items/ID/reject."""

    sha256: Digest
    reason: Reason = ""


class Drawing(Asked):
    """POST /api/items/ID/draw: everything that is to be covered. What is left out is covered no more."""

    plan: Digest
    sha256: Digest
    tracks: tuple[TrackEdit, ...]
    audio: tuple[SoundSpan, ...] = ()


class Key(Asked):
    """A box that a person drew on one frame."""

    frame: FrameIndex
    box: BoxAsked


class Following(Asked):
    """POST /api/items/ID/follow."""

    kind: Kind
    keys: Annotated[tuple[Key, ...], Field(min_length=1, max_length=2000)]
    first: FrameIndex
    last: FrameIndex


class Approved(BaseModel):
    """How many people must approve a file, and the codes of those who did."""

    needed: int
    given: list[str]


class QueueItem(BaseModel):
    """One line of the queue."""

    item: str
    kind: Literal["photo", "animation", "video", ""]
    """Empty: the item's report is not there or is of another file."""
    format: str
    standing: Literal["REVIEW", "BLOCK", "PUBLISH", "ACCEPTED"]
    findings: dict[str, int]
    covers: dict[str, int]
    width: int
    height: int
    frames: int
    seconds: float
    approvals: Approved
    time: str
    notes: list[str]
    """What analysis asks a person for, in words; `findings` only counts them."""


class Queue(BaseModel):
    """GET /api/queue."""

    by: str
    can_edit: bool
    items: list[QueueItem]


class FindingShown(BaseModel):
    """A finding of the gate, or what analysis asked for."""

    index: int
    kind: str
    words: str
    detail: str
    severity: Literal["REVIEW", "BLOCK"]
    score: float
    first: int | None
    last: int | None
    box: tuple[float, float, float, float] | None
    needs_reason: bool
    """Whether accepting needs a typed reason for it."""


class Looked(BaseModel):
    """One thing that was looked for."""

    what: str
    by: str
    frames: int
    of_frames: int


class TrackShown(BaseModel):
    """One covered thing."""

    id: int
    kind: Kind
    score: float
    keep: bool
    spans: list[Span]


class Happened(BaseModel):
    """One line of an item's history."""

    time: str
    event: str
    by: str
    reason: str


class Item(BaseModel):
    """GET /api/items/ID."""

    item: str
    sha256: str
    plan: str
    kind: str
    standing: str
    room: str
    width: int
    height: int
    frames: int
    seconds: float
    frame_times: list[float]
    has_sound: bool
    findings: list[FindingShown]
    looked_for: list[Looked]
    tracks: list[TrackShown]
    audio: list[SoundSpan]
    audio_mode: str
    shots: list[tuple[int, int]]
    approvals: Approved
    has_original: bool
    """Whether its original can be shown."""
    can_edit: bool
    why_not: str
    history: list[Happened]


class JobShown(BaseModel):
    """GET /api/jobs/JOB."""

    state: Literal["running", "done", "failed"]
    stage: str
    """waiting, or what is done now: follow, render, sign or gate."""
    done: int
    total: int
    result: dict[str, object] | None
    error: str
    """Why it failed, as a word; empty otherwise."""
    message: str
