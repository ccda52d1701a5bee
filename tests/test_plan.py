"""The plan: boxes, spans, and the JSON a person may edit."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redact.errors import PlanMismatchError
from redact.plan import (
    Box,
    CoverIndex,
    Kind,
    MediaFacts,
    Origin,
    OutputSpec,
    Plan,
    SoundEdit,
    SourceDigest,
    Span,
    Track,
    digest_bytes,
)

number = st.floats(-500, 500, allow_nan=False)
extent = st.floats(0.01, 500)
boxes = st.builds(Box, number, number, extent, extent)


@st.composite
def spans(draw: st.DrawFn, frames: int = 50) -> Span:
    first = draw(st.integers(0, frames - 1))
    last = draw(st.integers(first, frames - 1))
    return Span(first=first, last=last, box=tuple(draw(boxes)), origin=draw(st.sampled_from(Origin)))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    groups = draw(st.lists(st.lists(spans(), min_size=1, max_size=4), max_size=5))
    return Plan(
        item="abcd",
        source=digest_bytes("0" * 32, [b"x"]),
        media=MediaFacts(kind="video", format="mp4", width=640, height=360, frames=50),
        tracks=tuple(
            Track(id=n + 1, kind=draw(st.sampled_from(Kind)), spans=tuple(group))
            for n, group in enumerate(groups)
        ),
        output=OutputSpec(format="mp4"),
    )


@given(plans())
def test_a_plan_survives_its_json_unchanged(plan: Plan) -> None:
    assert Plan.from_json(plan.to_json()) == plan


@given(plans())
def test_the_index_gives_every_span_on_each_of_its_frames_and_no_other(plan: Plan) -> None:
    index = plan.covers()
    for frame in [*range(50), 3, 49, 0]:
        expected = sorted(
            (track.kind, tuple(span.box))
            for track in plan.tracks
            for span in track.spans
            if span.first <= frame <= span.last
        )
        assert sorted((cover.kind, tuple(cover.box)) for cover in index.at(frame)) == expected


@given(boxes, boxes)
def test_a_union_holds_both_boxes_and_iou_is_symmetric(a: Box, b: Box) -> None:
    both = a.union(b)
    for box in (a, b):
        assert both.intersection(box) == pytest.approx(box.area, rel=1e-6, abs=1e-6)
    assert 0 <= a.iou(b) <= 1 + 1e-9
    assert a.iou(b) == pytest.approx(b.iou(a))


@given(boxes, st.integers(1, 700), st.integers(1, 700))
def test_a_snapped_box_covers_the_box_and_starts_on_even_pixels(box: Box, width: int, height: int) -> None:
    snapped = box.snapped(width, height)
    inside = box.clipped(width, height)
    if snapped is None:
        assert inside is None
        return
    x0, y0, x1, y1 = snapped
    assert inside is not None
    assert x0 <= inside.x and y0 <= inside.y and x1 >= inside.right and y1 >= inside.bottom
    assert x0 % 2 == 0 and y0 % 2 == 0 and 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    assert x1 % 2 == 0 or x1 == width
    assert y1 % 2 == 0 or y1 == height


def _plan_dict() -> dict:
    plan = Plan(
        item="abcd",
        source=SourceDigest(salt="0" * 32, sha256="0" * 64),
        media=MediaFacts(kind="photo", format="jpeg", width=64, height=48),
        tracks=(
            Track(
                id=1, kind=Kind.FACE, spans=(Span(first=0, last=0, box=(1, 2, 3, 4), origin=Origin.DETECTED),)
            ),
        ),
        output=OutputSpec(format="jpeg"),
    )
    return json.loads(plan.to_json())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tracks", 0, "spans", 0, "box"), [1, 2, 0, 4]),
        (("tracks", 0, "spans", 0, "box"), [1, 2, 1e9, 4]),
        (("tracks", 0, "spans", 0, "last"), 7),
        (("tracks", 0, "spans", 0, "origin"), "guessed"),
        (("tracks", 0, "sources"), ["a/b c"]),
        (("schema_version",), 2),
        (("item",), "../../etc"),
        (("extra",), 1),
    ],
)
def test_a_plan_that_cannot_be_drawn_is_refused(path: tuple, value: object) -> None:
    data = _plan_dict()
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(PlanMismatchError):
        Plan.from_json(json.dumps(data))


@given(st.binary(max_size=200))
def test_no_bytes_make_the_plan_parser_crash(data: bytes) -> None:
    with pytest.raises(PlanMismatchError):
        Plan.from_json(data)


@pytest.mark.parametrize("place", [(), ("media",), ("media", "colour")])
def test_a_key_that_no_plan_has_is_not_repeated(place: tuple[str, ...]) -> None:
    data = _plan_dict()
    inner = data
    for key in place:
        inner = inner[key]
    inner["gevorg_orinakyan\x7f"] = 1
    with pytest.raises(PlanMismatchError) as caught:
        Plan.from_json(json.dumps(data))
    assert "orinakyan" not in str(caught.value)
    assert (".".join(place) or "the top") in str(caught.value)


def test_added_tracks_get_fresh_ids() -> None:
    plan = Plan.from_json(json.dumps(_plan_dict()))
    grown = plan.with_tracks([plan.tracks[0], plan.tracks[0]])
    assert [track.id for track in grown.tracks] == [1, 2, 3]


def test_an_index_over_nothing_covers_nothing() -> None:
    assert CoverIndex([]).at(0) == []


@st.composite
def sound_edits(draw: st.DrawFn) -> SoundEdit:
    start = draw(st.integers(-(2**53), 2**53 - 1))
    return SoundEdit(
        kind=draw(st.sampled_from(["mute", "bleep"])),
        start=start,
        end=draw(st.integers(start + 1, 2**53)),
        time_base=(draw(st.integers(1, 10**9)), draw(st.integers(1, 10**9))),
        origin=draw(st.sampled_from([Origin.DETECTED, Origin.REVIEWER])),
    )


@given(plans(), st.lists(sound_edits(), max_size=4))
def test_sound_edits_survive_json_to_the_tick(plan: Plan, edits: list[SoundEdit]) -> None:
    edited = plan.model_copy(update={"audio": tuple(edits)})
    again = Plan.from_json(edited.to_json())
    assert again.audio == tuple(edits)
    assert [each.samples(48000) for each in again.audio] == [each.samples(48000) for each in edits]


@given(plans())
def test_a_plan_from_before_sound_edits_is_still_valid(plan: Plan) -> None:
    old = json.loads(plan.to_json())
    del old["audio"]
    del old["output"]["audio"]["listened"]
    assert Plan.from_json(json.dumps(old)) == plan
