"""A person's edits as a plan: what the page sends, held against the plan that the item's file was drawn by.

Pure. Whatever the page says, an edit cannot show more of a face than the plan kept, cannot give a cover
another origin than the plan or the reviewer, cannot change a cover of the gate into one that is not solid,
and cannot shorten a stretch of sound by rounding it.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from redact.errors import PlanMismatchError
from redact.plan import CoverIndex, Kind, Origin, Plan, SoundEdit, Span, Track

MOST_TRACKS = 50_000
TICKS_A_SECOND = 1_000_000
"""Of sound edits that a person made."""
LONGEST_S = 30 * 86400.0


class Asked(BaseModel):
    """Something the page sends; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TrackEdit(Asked):
    """One track as the person left it; without an id it is a new one."""

    id: Annotated[int, Field(ge=1)] | None
    kind: Kind
    keep: bool = False
    spans: Annotated[tuple[Span, ...], Field(min_length=1)]


class SoundSpan(Asked):
    """A stretch of sound to overwrite, in seconds of the film."""

    kind: Literal["mute", "bleep"]
    start: Annotated[float, Field(ge=-LONGEST_S, le=LONGEST_S, allow_inf_nan=False)]
    end: Annotated[float, Field(ge=-LONGEST_S, le=LONGEST_S, allow_inf_nan=False)]


def shown_sound(edit: SoundEdit) -> SoundSpan:
    """A sound edit of a plan as the page gets it."""
    tick = Fraction(*edit.time_base)
    return SoundSpan(kind=edit.kind, start=float(edit.start * tick), end=float(edit.end * tick))


def edited(plan: Plan, tracks: tuple[TrackEdit, ...], audio: tuple[SoundSpan, ...], frames: int) -> Plan:
    """The plan with these tracks and sound edits in place of its own. `frames` is the length of the item.

    Raises:
        PlanMismatchError: they cannot be drawn, or show on purpose what the plan did not.
    """
    if len(tracks) > MOST_TRACKS:
        raise PlanMismatchError("There are too many covers to draw.")
    old = {track.id: track for track in plan.tracks}
    fresh = max([*old, 0]) + 1
    made: list[Track] = []
    try:
        for edit in tracks:
            number = edit.id
            if number is None:
                number, fresh = fresh, fresh + 1
            elif number not in old:
                raise PlanMismatchError("A cover was changed that this item does not have; load it again.")
            if any(span.last >= frames for span in edit.spans):
                raise PlanMismatchError("A cover lies beyond the last frame.")
            if not all(_touches(span, plan) for span in edit.spans):
                raise PlanMismatchError("A cover lies outside of the picture.")
            made.append(_track(number, edit, old.get(number)))
        sound = {shown_sound(edit): edit for edit in plan.audio}
        return Plan.model_validate(
            {
                **dict(plan),
                "tracks": tuple(made),
                "audio": tuple(sound.get(span) or _sound(span) for span in audio),
            }
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise PlanMismatchError(f"The edit cannot be drawn: {first['msg']}.") from None


def _touches(span: Span, plan: Plan) -> bool:
    x, y, w, h = span.box
    return x < plan.media.width and y < plan.media.height and x + w > 0 and y + h > 0


def _track(number: int, edit: TrackEdit, old: Track | None) -> Track:
    if edit.keep and (old is None or not old.keep or not _cut(edit.spans, old.spans)):
        raise PlanMismatchError(
            "No more can be shown on purpose from here than is already; `redact review OUT ID --plan` can."
        )
    spans = _with_origins(edit.spans, old.spans if old is not None else ())
    kept = {"score": old.score, "sources": old.sources} if old is not None else {}
    return Track(id=number, kind=edit.kind, keep=edit.keep, spans=spans, **kept)


def _cut(spans: tuple[Span, ...], old: tuple[Span, ...]) -> bool:
    """Whether `spans` are `old` without some of its frames: on every other, the same boxes and no fewer.

    The gate holds a face to be shown on purpose if all the boxes there are around it; with one fewer, more
    faces could be.
    """
    now, was = (CoverIndex([Track(id=1, kind=Kind.FACE, spans=each)]) for each in (spans, old))
    changes = sorted({frame for span in (*spans, *old) for frame in (span.first, span.last + 1)})
    for frame in changes:
        shown = {cover.box for cover in now.at(frame)}
        if shown and shown != {cover.box for cover in was.at(frame)}:
            return False
    return True


def _with_origins(spans: tuple[Span, ...], old: tuple[Span, ...]) -> tuple[Span, ...]:
    """`spans` with the origin that each may have in a track that had `old`.

    A track that the gate added something to stays solid: what is not a span of the plan, or a part of one,
    is the gate's there, wherever it was moved or held to.
    """
    allowed = {Origin.REVIEWER, *(span.origin for span in old)}
    solid = Origin.GATE in allowed
    places: dict[tuple[object, Origin], list[Span]] = {}
    for span in old:
        places.setdefault((span.box, span.origin), []).append(span)

    def origin(span: Span) -> Origin:
        if not solid:
            return span.origin if span.origin in allowed else Origin.REVIEWER
        same = places.get((span.box, span.origin), ())
        was_there = any(each.first <= span.first and span.last <= each.last for each in same)
        return span.origin if was_there else Origin.GATE

    return tuple(span.model_copy(update={"origin": origin(span)}) for span in spans)


def _sound(span: SoundSpan) -> SoundEdit:
    """Rounded outward: nothing of what was marked stays."""
    return SoundEdit(
        kind=span.kind,
        start=math.floor(span.start * TICKS_A_SECOND),
        end=math.ceil(span.end * TICKS_A_SECOND),
        time_base=(1, TICKS_A_SECOND),
    )
