"""Which raw boxes stand, and what their cover holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redact.detect.fusion import FusionRule, cluster
from redact.plan import Box, Kind, Region

PICTURE = (1000, 800)
RULE = FusionRule()

boxes = st.builds(Box, st.floats(0, 900), st.floats(0, 700), st.floats(4, 300), st.floats(4, 300))
regions = st.lists(
    st.builds(
        lambda box, score, family: Region(Kind.FACE, box, score, f"{family}@640", family),
        boxes,
        st.floats(0.01, 1),
        st.sampled_from(["yunet", "centerface", "blazeface"]),
    ),
    max_size=25,
)


def seen(score: float, family: str = "yunet", box: Box = Box(100, 100, 60, 60)) -> Region:  # noqa: B008
    return Region(Kind.FACE, box, score, f"{family}@640", family)


def one(*found: Region) -> bool:
    (only,) = cluster(found, RULE, PICTURE)
    return only.stands


@given(regions)
def test_every_region_is_in_exactly_one_cluster(found: list[Region]) -> None:
    members = [region for each in cluster(found, RULE, PICTURE) for region in each.members]
    assert sorted(members) == sorted(found)


@given(regions)
def test_a_cluster_holds_its_best_box_and_what_is_like_it(found: list[Region]) -> None:
    for each in cluster(found, RULE, PICTURE):
        best = max(each.members, key=lambda region: region.score)
        assert each.score == best.score
        for member in each.members:
            like = (
                member.score >= max(RULE.join_score, RULE.join_share * best.score)
                and member.box.area <= best.box.area
            )
            if member is best or (like and best.score > each.members[-1].score):
                assert each.box.union(member.box).area <= each.box.area * (1 + 1e-9)


@given(regions)
def test_the_order_of_detectors_does_not_matter(found: list[Region]) -> None:
    scores = [region.score for region in found]
    if len(set(scores)) == len(scores):
        assert cluster(found, RULE, PICTURE) == cluster(found[::-1], RULE, PICTURE)


@given(regions, st.floats(0.4, 1))
def test_a_strong_detection_is_never_lost(found: list[Region], score: float) -> None:
    strong = seen(score)
    for each in cluster([*found, strong], RULE, PICTURE):
        if strong in each.members:
            assert each.stands
            assert each.box.union(each.members[0].box) == each.box


SPREAD = FusionRule(spread=1.5)


@given(regions)
def test_with_spread_an_edge_lies_among_those_of_the_members(found: list[Region]) -> None:
    for each in cluster(found, SPREAD, PICTURE):
        members = [member.box for member in each.members]
        assert min(box.x for box in members) - 1e-6 <= each.box.x <= max(box.x for box in members) + 1e-6
        assert each.box.right <= max(box.right for box in members) + 1e-6
        assert all(value >= 0 for value in each.waver)


@given(regions)
def test_spread_changes_no_verdict(found: list[Region]) -> None:
    plain, spread = (cluster(found, rule, PICTURE) for rule in (RULE, SPREAD))
    assert [(each.stands, each.members) for each in plain] == [(each.stands, each.members) for each in spread]


def test_boxes_that_agree_do_not_waver_and_faint_ones_count_less() -> None:
    box = Box(100, 100, 60, 60)
    (same,) = cluster([seen(0.9), seen(0.8)], SPREAD, PICTURE)
    assert same.box == pytest.approx(box)
    assert same.waver == pytest.approx((0, 0, 0, 0), abs=1e-9)
    (off,) = cluster([seen(0.9), seen(0.3, box=box._replace(x=88, w=72))], SPREAD, PICTURE)
    assert off.box.x == pytest.approx(97)
    assert off.waver[0] == pytest.approx(1.5 * (0.75 * 3**2 + 0.25 * 9**2) ** 0.5)
    assert off.waver[1:] == pytest.approx((0, 0, 0))
    (alone,) = cluster([seen(0.9), seen(0.12, box=box._replace(x=88))], SPREAD, PICTURE)
    assert alone.box == pytest.approx(box)


def test_agreement_of_two_families_is_enough_where_one_is_not() -> None:
    assert not one(seen(0.2))
    assert not one(seen(0.2), seen(0.2))
    assert one(seen(0.2), seen(0.12, "centerface"))
    assert not one(seen(0.2), seen(0.08, "centerface"))
    assert one(seen(0.4))


def test_a_large_box_needs_more() -> None:
    large = Box(100, 100, 400, 400)
    assert not one(seen(0.5, box=large))
    assert one(seen(0.6, box=large))
    assert not one(seen(0.2, box=large), seen(0.12, "centerface", large))
    assert one(seen(0.2, box=large), seen(0.16, "centerface", large))


def test_two_faces_side_by_side_stay_two() -> None:
    found = [seen(0.9), seen(0.8, box=Box(165, 100, 60, 60))]
    assert len(cluster(found, RULE, PICTURE)) == 2


def test_a_wild_box_does_not_swallow_its_neighbours() -> None:
    found = [seen(0.9), seen(0.4, box=Box(50, 50, 300, 300))]
    small, wild = cluster(found, RULE, PICTURE)
    assert small.box == Box(100, 100, 60, 60)
    assert wild.stands


HEAD = Box(90, 85, 85, 85)


def head(score: float, box: Box = HEAD) -> Region:
    return Region(Kind.HEAD, box, score, "blazepose@224", "blazepose")


def standing(*found: Region) -> list[Box]:
    return [each.box for each in cluster(found, RULE, PICTURE) if each.stands]


def test_a_head_on_which_no_face_is_seen_is_covered() -> None:
    assert standing(head(RULE.person_strong)) == [HEAD]
    assert standing(head(RULE.person_strong - 0.01)) == []


def test_a_head_with_a_face_needs_no_cover_of_its_own() -> None:
    face = seen(0.9)
    assert standing(face, head(0.95)) == [face.box]
    beside = seen(0.9, box=Box(600, 100, 60, 60))
    assert standing(beside, head(0.95)) == [beside.box, HEAD]


def test_a_head_much_larger_than_the_face_in_it_is_somebody_elses() -> None:
    behind = seen(0.9, box=Box(120, 115, 25, 25))
    assert standing(behind, head(0.95)) == [behind.box, HEAD]


def test_a_person_confirms_a_faint_face_and_leaves_its_box_alone() -> None:
    faint = seen(0.2, box=Box(95, 90, 75, 75))
    assert standing(faint) == []
    assert standing(faint, head(0.62)) == [faint.box]


FEW = FusionRule(fewest=3, total=0.35)


def looks(*scores: float) -> list[Region]:
    """One face by that many runs of two families."""
    families = ("yunet", "centerface")
    return [
        seen(score, families[n % 2])._replace(source=f"{families[n % 2]}@{320 + n}")
        for n, score in enumerate(scores)
    ]


def test_a_faint_face_needs_several_looks_and_a_sure_one_does_not() -> None:
    assert not cluster(looks(0.5, 0.2), FEW, PICTURE)[0].stands
    assert cluster(looks(0.5, 0.2, 0.2), FEW, PICTURE)[0].stands
    assert not cluster(looks(0.1, 0.1, 0.1), FEW, PICTURE)[0].stands
    assert cluster(looks(0.6), FEW, PICTURE)[0].stands


def test_one_run_that_sees_a_face_twice_is_one_look() -> None:
    twice = [*looks(0.5, 0.2), seen(0.4, "centerface")._replace(source="centerface@321")]
    assert not cluster(twice, FEW, PICTURE)[0].stands


def test_large_pictures_at_which_fewer_runs_look_are_not_asked_for_many() -> None:
    assert cluster(looks(0.5, 0.2), FEW, (4000, 3000))[0].stands
