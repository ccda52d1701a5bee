"""The plan: what one item is, what was found in it and what will be done to it. Pure data, no I/O.

A plan is JSON with a versioned schema. It holds no pixels, no names, no paths and no metadata values. A
reviewer's edit is a new plan; what the plan's tracks say is exactly what is drawn.

Coordinates: pixels of the displayed picture (after rotation), origin top left, `x, y, w, h` floats. Frames
are counted from 0 in display order; time is integer ticks of `MediaFacts.time_base`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from redact.errors import PlanMismatchError
from redact.policy import AudioPolicy, CoverPolicy, PhotoPolicy, VideoPolicy

SCHEMA_VERSION = 1
MAX_COORDINATE = 1e6

EXTENSIONS = {
    "jpeg": ".jpg",
    "png": ".png",
    "apng": ".png",
    "webp": ".webp",
    "tiff": ".tif",
    "gif": ".gif",
    "heif": ".heic",
    "avif": ".avif",
    "bmp": ".bmp",
    "mp4": ".mp4",
}
"""Every format that can be written, and the extension its files get."""

Coordinate = Annotated[float, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE, allow_inf_nan=False)]
Extent = Annotated[float, Field(gt=0, le=MAX_COORDINATE, allow_inf_nan=False)]
FrameIndex = Annotated[int, Field(ge=0)]
MAX_RATE = 1_000_000_000
Ticks = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""A point in time; whole numbers up to this size survive every JSON reader."""


class Kind(StrEnum):
    """What a region shows."""

    FACE = "face"
    HEAD = "head"
    TEXT = "text"
    CODE = "code"


class Origin(StrEnum):
    """How a region of a track came to be."""

    DETECTED = "detected"
    INTERPOLATED = "interpolated"
    EXTENDED = "extended"
    GATE = "gate"
    REVIEWER = "reviewer"


class Box(NamedTuple):
    """A rectangle: left, top, width, height, in pixels."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """First x beyond the box."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """First y beyond the box."""
        return self.y + self.h

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return max(self.w, 0.0) * max(self.h, 0.0)

    def grown(self, dx: float, dy: float) -> Box:
        """The box with `dx` pixels added on the left and right, `dy` above and below."""
        return Box(self.x - dx, self.y - dy, self.w + 2 * dx, self.h + 2 * dy)

    def widened(self, left: float, top: float, right: float, bottom: float) -> Box:
        """The box with each edge moved outward by that many pixels."""
        return Box(self.x - left, self.y - top, self.w + left + right, self.h + top + bottom)

    def scaled(self, sx: float, sy: float) -> Box:
        """The box in a frame whose axes are stretched by `sx` and `sy`."""
        return Box(self.x * sx, self.y * sy, self.w * sx, self.h * sy)

    def union(self, other: Box) -> Box:
        """Smallest box that holds both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def intersection(self, other: Box) -> float:
        """Common area in square pixels."""
        w = min(self.right, other.right) - max(self.x, other.x)
        h = min(self.bottom, other.bottom) - max(self.y, other.y)
        return max(w, 0.0) * max(h, 0.0)

    def holds_centre(self, other: Box) -> bool:
        """Whether the centre of `other` lies in this box."""
        x, y = other.x + other.w / 2, other.y + other.h / 2
        return self.x <= x <= self.x + self.w and self.y <= y <= self.y + self.h

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        common = self.intersection(other)
        whole = self.area + other.area - common
        return common / whole if whole > 0 else 0.0

    def clipped(self, width: float, height: float) -> Box | None:
        """The part inside a `width` x `height` picture, or None if there is none."""
        x, y = max(self.x, 0.0), max(self.y, 0.0)
        w, h = min(self.right, width) - x, min(self.bottom, height) - y
        return Box(x, y, w, h) if w > 0 and h > 0 else None

    def snapped(self, width: int, height: int, step: int = 2) -> tuple[int, int, int, int] | None:
        """Integer `x0, y0, x1, y1` (ends exclusive), moved outward to multiples of `step` and clipped.

        Even coordinates keep a cover whole on subsampled chroma planes (DESIGN.md, section 8).
        """
        inside = self.clipped(width, height)
        if inside is None:
            return None
        x0 = math.floor(inside.x / step) * step
        y0 = math.floor(inside.y / step) * step
        x1 = min(math.ceil(inside.right / step) * step, width)
        y1 = min(math.ceil(inside.bottom / step) * step, height)
        return (x0, y0, x1, y1)


class Data(BaseModel):
    """Immutable record; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Region(NamedTuple):
    """One detection on one picture: what every detector returns."""

    kind: Kind
    box: Box
    score: float
    source: str
    """Name of the model and scale that saw it, e.g. `yunet@640`."""
    family: str
    """Detectors of one family fail alike and never confirm each other."""


class Span(Data):
    """Where a track is covered from frame `first` to frame `last` (inclusive): one box, already padded.

    Spans of one track may overlap in time; all of them are drawn. One box for a run of frames keeps covers
    steady and plans small; it is the union of what was seen over that run.
    """

    first: FrameIndex
    last: FrameIndex
    box: tuple[Coordinate, Coordinate, Extent, Extent]
    origin: Origin

    @model_validator(mode="after")
    def _ordered(self) -> Span:
        if self.last < self.first:
            raise ValueError("a span must not end before it starts")
        return self


class Track(Data):
    """One thing through time. A photo's tracks have spans on frame 0 only."""

    id: Annotated[int, Field(ge=1)]
    kind: Kind
    score: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Best score of any detection in it."""
    sources: tuple[Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9@_.+\-]*$")], ...] = ()
    spans: Annotated[tuple[Span, ...], Field(min_length=1)]
    keep: bool = False
    """Show this face: only a person sets it, and only a policy with `keep` renders it."""

    @model_validator(mode="after")
    def _keeps_faces_only(self) -> Track:
        if self.keep and self.kind not in (Kind.FACE, Kind.HEAD):
            raise ValueError("only faces can be kept")
        return self

    @property
    def first(self) -> int:
        """First covered frame."""
        return min(span.first for span in self.spans)

    @property
    def last(self) -> int:
        """Last covered frame."""
        return max(span.last for span in self.spans)


class SoundEdit(Data):
    """A stretch of sound that is overwritten, on every channel: silence, or a tone with no sound under it.

    Times are those of the input's own clock, the one its frames are shown by.
    """

    kind: Literal["mute", "bleep"]
    start: Ticks
    end: Ticks
    """First tick that is left alone again. A sample that is touched in part is overwritten whole."""
    time_base: tuple[Annotated[int, Field(ge=1, le=MAX_RATE)], Annotated[int, Field(ge=1, le=MAX_RATE)]]
    """Seconds of one tick, as numerator and denominator."""
    origin: Literal[Origin.DETECTED, Origin.REVIEWER] = Origin.REVIEWER

    @model_validator(mode="after")
    def _ordered(self) -> SoundEdit:
        if self.end <= self.start:
            raise ValueError("a sound edit must end after it starts")
        return self

    def samples(self, rate: int) -> tuple[int, int]:
        """First sample and first sample after it, at `rate` samples a second: moved outward, never inward."""
        step = Fraction(*self.time_base) * rate
        return math.floor(self.start * step), math.ceil(self.end * step)


class StreamFacts(Data):
    """One stream of the input container."""

    kind: Literal["video", "audio", "subtitle", "data", "attachment", "cover", "timecode", "other"]
    codec: Annotated[str, Field(max_length=32, pattern=r"^[A-Za-z0-9_.\-]*$")] = ""
    kept: bool = False
    """True for the one video stream that is rebuilt, and the one audio stream if the policy keeps sound."""


class ColourFacts(Data):
    """Colour description of a video in ISO/IEC 23091-2 (H.273) code points; 2 means unspecified."""

    full_range: bool = False
    matrix: int = 2
    primaries: int = 2
    transfer: int = 2


class MediaFacts(Data):
    """What probing found out about one item, without any value a person wrote into it."""

    kind: Literal["photo", "animation", "video"]
    format: Annotated[str, Field(max_length=32, pattern=r"^[a-z0-9_]+$")]
    """Container or image format found by content: jpeg, png, webp, tiff, gif, heif, avif, bmp, apng, mp4,
    mov, mkv, webm, avi."""
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    """Displayed size in pixels, after rotation."""
    frames: Annotated[int, Field(ge=1)] = 1
    """Frames in display order. For a video this is exact only in a plan (it is counted by analysis)."""
    rotation: Literal[0, 90, 180, 270] = 0
    """Clockwise turn that was applied to the stored pixels to display them."""
    mirrored: bool = False
    """True if the stored pixels were mirrored left to right after that turn."""
    codec: Annotated[str, Field(max_length=32, pattern=r"^[A-Za-z0-9_.\-]*$")] = ""
    pixel_format: Annotated[str, Field(max_length=32, pattern=r"^[A-Za-z0-9_;:.,\- ]*$")] = ""
    bit_depth: Annotated[int, Field(ge=1, le=32)] = 8
    time_base: tuple[int, int] = (1, 1)
    duration_ticks: int = 0
    frame_rate: tuple[int, int] = (0, 1)
    """Nominal rate; a hint for encoders, never used for timing."""
    sample_aspect: tuple[int, int] = (1, 1)
    interlaced: bool = False
    has_alpha: bool = False
    loop: int | None = None
    """Animations: how often it plays, 0 for ever; None if the format does not say."""
    colour: ColourFacts = ColourFacts()
    streams: tuple[StreamFacts, ...] = ()

    @property
    def tick(self) -> Fraction:
        """Length of one tick in seconds."""
        return Fraction(*self.time_base)


class SourceDigest(Data):
    """Ties a plan to its input: SHA-256 over salt and bytes. The salt keeps it from being looked up."""

    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class OutputSpec(Data):
    """How the rendered file is made; copied from the policy so that a plan renders alone."""

    format: Annotated[str, Field(max_length=32, pattern=r"^[a-z0-9_]+$")]
    """Output format, one of those of `MediaFacts.format` that can be written."""
    cover: CoverPolicy = CoverPolicy()
    photo: PhotoPolicy = PhotoPolicy()
    video: VideoPolicy = VideoPolicy()
    audio: AudioPolicy = AudioPolicy()
    keep_rights: bool = False
    """Write the allow-listed rights fields of the input afresh."""
    drop_rights: tuple[Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")], ...] = ()
    """Rights fields that are left out all the same: their values hold a name of the watch list."""


class Plan(Data):
    """Everything `render` needs besides the input file."""

    schema_version: Literal[1] = 1
    item: Annotated[str, Field(pattern=r"^[a-z0-9]{4,64}$")]
    """Public id of the item."""
    policy: Annotated[str, Field(max_length=64)] = ""
    policy_digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    source: SourceDigest
    media: MediaFacts
    shots: tuple[tuple[FrameIndex, FrameIndex], ...] = ()
    """First and last frame (inclusive) of every shot."""
    tracks: tuple[Track, ...] = ()
    audio: tuple[SoundEdit, ...] = ()
    """What is overwritten in the sound, whatever the mode, as long as sound is kept at all."""
    output: OutputSpec
    notes: tuple[Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9_]+$")], ...] = ()
    """Reasons, found by analysis, why the item must be looked at by a person, e.g. `no_face_found`."""

    @model_validator(mode="after")
    def _spans_inside(self) -> Plan:
        for track in self.tracks:
            if track.last >= self.media.frames:
                raise ValueError(f"track {track.id} goes beyond the last frame, {self.media.frames - 1}")
        if len({track.id for track in self.tracks}) != len(self.tracks):
            raise ValueError("two tracks have the same id")
        return self

    def covers(self) -> CoverIndex:
        """Index for drawing: the regions to cover on each frame."""
        return CoverIndex(self.tracks)

    def with_tracks(self, extra: Iterable[Track]) -> Plan:
        """A new plan with `extra` added under fresh ids."""
        next_id = max((track.id for track in self.tracks), default=0) + 1
        added = tuple(track.model_copy(update={"id": next_id + n}) for n, track in enumerate(extra))
        return self.model_copy(update={"tracks": self.tracks + added})

    def to_json(self) -> str:
        """The plan as indented JSON, for a file a person may edit."""
        return self.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """Parse and validate.

        Raises:
            PlanMismatchError: not JSON, an unknown key or schema version, or values that cannot be drawn.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place, what = [*first["loc"]], first["msg"]
            if first["type"] == "extra_forbidden":  # such a key is a stranger's text: it is not repeated
                place, what = place[:-1], "it holds a key that no plan has"
            where = ".".join(map(str, place)) or "the top"
            raise PlanMismatchError(f"The plan is not valid at {where}: {what}.") from None


class Cover(NamedTuple):
    """One box to cover on some frame."""

    kind: Kind
    box: Box
    solid: bool
    """Cover it solid whatever the style: what the gate still saw gets no second chance."""
    first: int
    """First frame of its span."""
    last: int


class CoverIndex:
    """Answers "what is covered on frame n" for frames asked in ascending order."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        self._covers = sorted(
            (
                Cover(track.kind, Box(*span.box), span.origin is Origin.GATE, span.first, span.last)
                for track in tracks
                if not track.keep
                for span in track.spans
            ),
            key=lambda cover: cover.first,
        )
        self._next = 0
        self._live: list[Cover] = []
        self._frame = -1

    def rewound(self) -> CoverIndex:
        """Another index over the same covers, which can be asked on its own."""
        other = CoverIndex(())
        other._covers = self._covers
        return other

    def at(self, frame: int) -> list[Cover]:
        """What to cover on `frame`. Going back in time restarts the scan."""
        if frame < self._frame:
            self._next, self._live = 0, []
        self._frame = frame
        while self._next < len(self._covers) and self._covers[self._next].first <= frame:
            self._live.append(self._covers[self._next])
            self._next += 1
        self._live = [cover for cover in self._live if cover.last >= frame]
        return list(self._live)


def digest_bytes(salt: str, chunks: Iterable[bytes]) -> SourceDigest:
    """Salted SHA-256 of the input's bytes. `salt` is 32 hex digits."""
    hasher = hashlib.sha256(bytes.fromhex(salt))
    for chunk in chunks:
        hasher.update(chunk)
    return SourceDigest(salt=salt, sha256=hasher.hexdigest())


def plan_schema() -> dict[str, Any]:
    """JSON schema of the plan file."""
    return Plan.model_json_schema()


__all__ = [
    "EXTENSIONS",
    "SCHEMA_VERSION",
    "Box",
    "ColourFacts",
    "Cover",
    "CoverIndex",
    "Kind",
    "MediaFacts",
    "Origin",
    "OutputSpec",
    "Plan",
    "Region",
    "SoundEdit",
    "SourceDigest",
    "Span",
    "StreamFacts",
    "Track",
    "digest_bytes",
    "plan_schema",
]
