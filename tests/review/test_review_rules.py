"""The pure rules of the review page: what comes first, what an edit may change, which bytes are played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redact.errors import PlanMismatchError
from redact.findings import SEVERITY, Finding, FindingKind, GateReport, Verdict
from redact.gate.kept import without_kept
from redact.plan import Kind, MediaFacts, Origin, OutputSpec, Plan, SoundEdit, SourceDigest, Span, Track
from redact.review.edits import SoundSpan, TrackEdit, edited, shown_sound
from redact.review.films import part_of
from redact.review.order import GRAVEST_FIRST, Picture, extent, riskiest_first

FILM = Picture(1920, 1080, 500)


def first_of(*items: tuple[Finding, ...], picture: Picture = FILM) -> list[int]:
    keys = [riskiest_first(findings, picture, "2026", f"item{n}") for n, findings in enumerate(items)]
    return sorted(range(len(items)), key=keys.__getitem__)


def face(size: float = 300, frames: int = 100, score: float = 0.9, **more: object) -> Finding:
    return Finding(
        kind=FindingKind.FACE, score=score, first=0, last=frames - 1, box=(0, 0, size, size), **more
    )


def test_every_kind_that_a_person_can_let_pass_has_its_place_in_the_table() -> None:
    kinds = [kind for kind, _ in GRAVEST_FIRST]
    assert sorted(kinds) == sorted(kind for kind in FindingKind if SEVERITY[kind] is Verdict.REVIEW)
    assert all(reason for _, reason in GRAVEST_FIRST)


def test_what_must_not_be_published_comes_first_and_notes_come_last() -> None:
    one = {kind: (Finding(kind=kind),) for kind in FindingKind}
    order = [
        *(FindingKind.METADATA, FindingKind.FACE, FindingKind.SPEECH, FindingKind.FACE_EXPECTED),
        *(FindingKind.TEXT, FindingKind.NOTE),
    ]
    assert first_of(*(one[kind] for kind in reversed(order))) == list(reversed(range(len(order))))
    assert first_of((), one[FindingKind.NOTE]) == [1, 0]


def test_among_faces_the_large_the_long_and_the_sure_come_first() -> None:
    tiny, brief, faint = face(size=20), face(frames=1), face(score=0.3)
    assert first_of((tiny,), (brief,), (faint,), (face(),))[0] == 3
    assert first_of((face(), face()), (face(),)) == [0, 1], "more of the same is more"
    assert first_of((tiny,) * 50, (face(),)) == [1, 0], "many small ones do not hide a large one"


@given(st.floats(0, 1), st.floats(1, 5000), st.floats(1, 5000), st.integers(0, 499), st.integers(0, 499))
def test_extent_is_a_share_and_grows_with_size_length_and_score(
    score: float, w: float, h: float, first: int, last: int
) -> None:
    first, last = sorted((first, last))
    finding = Finding(kind=FindingKind.FACE, score=score, first=first, last=last, box=(0, 0, w, h))
    small = extent(finding, FILM)
    assert 0 <= small <= 1
    larger = finding.model_copy(update={"box": (0, 0, w * 2, h), "score": min(1, score + 0.1)})
    assert extent(larger, FILM) >= small
    assert extent(finding, Picture(0, 0, 0)) <= 1, "a report that is not there"


DETECTED = Span(first=0, last=4, box=(1, 1, 9, 9), origin=Origin.DETECTED)
GATED = Span(first=5, last=9, box=(2, 1, 9, 9), origin=Origin.GATE)
KEPT = (
    Span(first=0, last=5, box=(50, 1, 20, 20), origin=Origin.REVIEWER),
    Span(first=4, last=9, box=(60, 1, 20, 20), origin=Origin.REVIEWER),
)
PLAN = Plan(
    item="abcd",
    source=SourceDigest(salt="0" * 32, sha256="0" * 64),
    media=MediaFacts(kind="video", format="mp4", width=100, height=80, frames=10),
    tracks=(
        Track(
            id=3,
            kind=Kind.FACE,
            score=0.7,
            sources=("yunet@640",),
            spans=(DETECTED, GATED),
        ),
        Track(id=5, kind=Kind.FACE, keep=True, spans=KEPT),
    ),
    audio=(SoundEdit(kind="mute", start=1, end=7, time_base=(1, 3), origin=Origin.DETECTED),),
    output=OutputSpec(format="mp4"),
)


def untouched() -> tuple[TrackEdit, ...]:
    return tuple(
        TrackEdit(id=track.id, kind=track.kind, keep=track.keep, spans=track.spans) for track in PLAN.tracks
    )


def test_a_plan_that_nobody_edited_comes_back_as_it_was() -> None:
    sound = tuple(shown_sound(edit) for edit in PLAN.audio)
    through_json = tuple(SoundSpan.model_validate_json(span.model_dump_json()) for span in sound)
    assert edited(PLAN, untouched(), through_json, 10) == PLAN


def test_new_covers_get_new_numbers_and_are_the_reviewers() -> None:
    span = Span(first=0, last=9, box=(20, 20, 9, 9), origin=Origin.GATE)
    new = tuple(TrackEdit(id=None, kind=Kind.TEXT, spans=(span,)) for _ in range(2))
    plan = edited(PLAN, (*untouched(), *new), (), 10)
    assert [track.id for track in plan.tracks] == [3, 5, 6, 7]
    assert {span.origin for track in plan.tracks[2:] for span in track.spans} == {Origin.REVIEWER}
    assert plan.audio == (), "what the person took away is gone"


def test_a_moved_cover_is_the_reviewers_and_of_the_same_kind() -> None:
    plan = PLAN.model_copy(update={"tracks": (PLAN.tracks[0].model_copy(update={"spans": (DETECTED,)}),)})
    moved = DETECTED.model_copy(update={"box": (3, 3, 9, 9), "origin": Origin.GATE})
    (track,) = edited(plan, (TrackEdit(id=3, kind=Kind.FACE, spans=(moved,)),), (), 10).tracks
    assert [span.origin for span in track.spans] == [Origin.REVIEWER]
    assert (track.score, track.sources) == (0.7, ("yunet@640",))


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize(
    "change",
    [{"box": (9, 9, 9, 9)}, {"box": (2, 1, 9, 8)}, {"first": 4}, {"first": 0, "last": 9}],
    ids=["moved", "smaller", "longer", "held"],
)
def test_what_the_gate_covered_stays_solid_whatever_the_page_calls_it(
    change: dict[str, object], origin: Origin
) -> None:
    """A moved span of the page is called the reviewer's; as such it would be drawn as a mosaic or blur."""
    changed = GATED.model_copy(update={"origin": origin, **change})
    plan = edited(PLAN, (TrackEdit(id=3, kind=Kind.FACE, spans=(changed,)),), (), 10)
    assert {cover.solid for frame in range(10) for cover in plan.covers().at(frame)} == {True}


def test_a_part_of_what_was_covered_is_drawn_as_before() -> None:
    parts = (DETECTED.model_copy(update={"last": 2}), GATED.model_copy(update={"first": 7}))
    (track,) = edited(PLAN, (TrackEdit(id=3, kind=Kind.FACE, spans=parts),), (), 10).tracks
    assert track.spans == parts


def test_no_face_is_shown_on_purpose_by_the_page() -> None:
    first, second = untouched()
    with pytest.raises(PlanMismatchError):
        edited(PLAN, (first.model_copy(update={"keep": True}), second), (), 10)
    hidden = edited(PLAN, (first, second.model_copy(update={"keep": False})), (), 10)
    assert not any(track.keep for track in hidden.tracks), "the other way is always allowed"


def changed(**change: object) -> tuple[Span, ...]:
    """What is shown on purpose, with its second span changed."""
    return (KEPT[0], KEPT[1].model_copy(update=change))


WHOLE = Span(first=0, last=9, box=(0, 0, 100, 80), origin=Origin.REVIEWER)


@pytest.mark.parametrize(
    "spans",
    [
        changed(first=3),
        changed(box=(61, 1, 20, 20)),
        changed(box=(60, 1, 20, 21)),
        (*KEPT, WHOLE),
        (WHOLE,),
        KEPT[:1],
        changed(first=6),
    ],
    ids=["earlier", "moved", "larger", "one more", "the picture", "fewer boxes at once", "one box at once"],
)
def test_what_is_shown_on_purpose_is_not_made_more(spans: tuple[Span, ...]) -> None:
    """Also not by one box fewer: the gate lets pass a face that lies in all boxes of its frame."""
    first, second = untouched()
    with pytest.raises(PlanMismatchError, match="on purpose"):
        edited(PLAN, (first, second.model_copy(update={"spans": spans})), (), 10)


def test_what_is_shown_on_purpose_can_be_shown_on_fewer_frames() -> None:
    first, second = untouched()
    cut = (
        KEPT[0].model_copy(update={"first": 1, "last": 3}),
        KEPT[1].model_copy(update={"first": 6, "last": 7}),
        KEPT[1].model_copy(update={"first": 8, "last": 8}),
    )
    plan = edited(PLAN, (first, second.model_copy(update={"spans": cut})), (), 10)
    assert plan.tracks[1].keep and plan.tracks[1].spans == cut


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from([(50, 1, 20, 20), (60, 1, 20, 20)])),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 9),
    st.integers(0, 9),
    st.floats(45, 85),
)
def test_no_edit_of_the_page_makes_the_gate_let_more_faces_pass(
    asked: list[tuple[int, int, tuple[float, float, float, float]]], first: int, last: int, x: float
) -> None:
    spans = tuple(Span(first=min(a, b), last=max(a, b), box=box, origin="reviewer") for a, b, box in asked)
    try:
        plan = edited(PLAN, (TrackEdit(id=5, kind=Kind.FACE, keep=True, spans=spans),), (), 10)
    except PlanMismatchError:
        return
    first, last = sorted((first, last))
    found = Finding(kind=FindingKind.FACE, score=0.9, first=first, last=last, box=(x, 2, 8, 8))
    report = GateReport(sha256="0" * 64, findings=(found,))
    if without_kept(report, PLAN).findings:
        assert without_kept(report, plan).findings


@given(st.floats(-10, 1000), st.floats(0.000001, 1000))
def test_no_part_of_what_was_marked_stays_audible(start: float, length: float) -> None:
    plan = edited(PLAN, untouched(), (SoundSpan(kind="mute", start=start, end=start + length),), 10)
    (edit,) = plan.audio
    assert edit.start / 1_000_000 <= start and edit.end / 1_000_000 >= start + length


def test_a_stretch_of_sound_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(PlanMismatchError):
        edited(PLAN, untouched(), (SoundSpan(kind="mute", start=2, end=1),), 10)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-", (0, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=10-500", (10, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-500", (0, 99)),
        ("bytes=0-1,5-6", None),
        ("bytes=9-3", None),
        ("bytes=-", None),
        ("items=0-1", None),
        ("bytes=0-" + "9" * 50, None),
    ],
)
def test_a_player_gets_the_part_that_it_asks_for(header: str | None, part: tuple[int, int] | None) -> None:
    assert part_of(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_bytes_that_are_not_there_are_refused(header: str) -> None:
    with pytest.raises(ValueError):
        part_of(header, 100)
