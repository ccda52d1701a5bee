"""Runs of an ensemble: whatever the scale, mirror, turn or tile, boxes come back in picture pixels."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redact.detect.ensemble import Ensemble, Run, tile_spans, tile_starts, unseen
from redact.detect.modes import FACE_RUNS, GATE_FACE_RUNS, GATE_VIDEO_FACE_RUNS, still_faces
from redact.media.picture import ArrayPicture
from redact.plan import Box, Kind, Region

Image = npt.NDArray[np.uint8]


class BrightSpot:
    """Finds the bounding box of what is bright: a detector whose right answer is known."""

    name = "spot"
    family = "spot"
    kinds = frozenset({Kind.FACE})

    def detect(self, image: Image) -> list[Region]:
        rows, columns = np.nonzero(image[..., 0] > 128)
        if not len(rows):
            return []
        box = Box(
            float(columns.min()),
            float(rows.min()),
            float(columns.max() - columns.min() + 1),
            float(rows.max() - rows.min() + 1),
        )
        return [Region(Kind.FACE, box, 0.9, self.name, self.family)]


SPOT = {"spot": BrightSpot()}


@given(
    width=st.integers(40, 400),
    height=st.integers(40, 400),
    place=st.tuples(st.floats(0, 0.7), st.floats(0, 0.7), st.floats(0.1, 0.3), st.floats(0.1, 0.3)),
    long_side=st.sampled_from([64, 160, 320]),
    flip=st.booleans(),
    turn=st.sampled_from([0, 90, 180, 270]),
)
def test_boxes_come_back_where_the_thing_is(
    width: int,
    height: int,
    place: tuple[float, float, float, float],
    long_side: int,
    flip: bool,
    turn: int,
) -> None:
    x, y = int(place[0] * width), int(place[1] * height)
    w, h = max(4, int(place[2] * width)), max(4, int(place[3] * height))
    image = np.zeros((height, width, 3), np.uint8)
    image[y : y + h, x : x + w] = 255
    run = Run("spot", long_side, flip=flip, turn=turn)  # type: ignore[arg-type]
    found = Ensemble([run], SPOT).look(ArrayPicture(image))
    step = 2 * max(width, height) / long_side + 1  # a pixel or so of the scaled picture
    if not found:
        assert min(w, h) < step
        return
    assert found[0].source == run.name
    truth = (x, y, x + w, y + h)
    box = found[0].box
    assert np.abs(np.array((box.x, box.y, box.right, box.bottom)) - truth).max() <= step


@given(length=st.integers(1, 5000), tile=st.integers(64, 1200))
def test_tiles_leave_no_gap_and_overlap(length: int, tile: int) -> None:
    starts = tile_starts(length, tile)
    assert starts[0] == 0
    assert starts[-1] + tile >= length
    assert all(0 < b - a <= 0.76 * tile + 1 for a, b in itertools.pairwise(starts))
    assert all(start + tile <= length or start == 0 for start in starts)


@given(st.integers(1, 9000), st.integers(64, 2000), st.integers(1, 63))
def test_oblong_tiles_are_even_leave_no_gap_and_overlap(length: int, tile: int, overlap: int) -> None:
    spans = tile_spans(length, tile, overlap)
    assert spans[0][0] == 0
    assert spans[-1][0] + spans[-1][1] == length
    assert len({side for _, side in spans}) == 1
    assert spans[0][1] <= tile
    for (first, side), (second, _) in itertools.pairwise(spans):
        assert first < second
        assert first + side - second >= overlap - 1


def test_oblong_tiles_of_a_picture_hold_hardly_more_than_it() -> None:
    run = Run("spot", 2304, tile=1344, overlap=128)
    image = np.zeros((1728, 2304, 3), np.uint8)
    image[850:860, 1150:1160] = 255
    seen = [region.box for region in Ensemble([run], SPOT).look(ArrayPicture(image))]
    assert len(seen) == 4, "in the middle, where four tiles meet"
    assert {tuple(box) for box in seen} == {(1150.0, 850.0, 10.0, 10.0)}


def test_a_tiled_run_finds_a_spot_in_every_tile_where_it_is() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    image[250:260, 350:360] = 255
    found = Ensemble([Run("spot", 400, tile=120)], SPOT).look(ArrayPicture(image))
    assert found
    assert {tuple(region.box) for region in found} == {(350.0, 250.0, 10.0, 10.0)}


def test_of_tiles_only_those_at_the_places_are_looked_at() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    image[250:260, 350:360] = 255
    ensemble = Ensemble([Run("spot", 400, tile=120)], SPOT)
    assert ensemble.look(ArrayPicture(image), [Box(340, 240, 5, 5)])
    assert ensemble.look(ArrayPicture(image), [Box(10, 10, 5, 5)]) == []


def test_a_run_for_larger_pictures_is_left_out_on_small_ones() -> None:
    image = np.full((100, 100, 3), 255, np.uint8)
    assert Ensemble([Run("spot", 64, beyond=100)], SPOT).look(ArrayPicture(image)) == []
    assert Ensemble([Run("spot", 64, beyond=99)], SPOT).look(ArrayPicture(image))
    assert Ensemble([Run("spot", 64, upto=99)], SPOT).look(ArrayPicture(image)) == []
    assert Ensemble([Run("spot", 64, upto=100)], SPOT).look(ArrayPicture(image))


def test_the_gate_is_led_by_a_family_without_a_vote_in_analysis() -> None:
    voters = {run.model.split("_")[0] for runs in FACE_RUNS.values() for run in runs}
    assert "blazeface" not in voters
    for runs in (GATE_FACE_RUNS, GATE_VIDEO_FACE_RUNS):
        assert runs[0].model.startswith("blazeface")


@pytest.mark.parametrize("mode", ["fast", "balanced", "careful"])
def test_the_close_look_at_a_film_runs_all_that_the_full_look_and_a_photo_get(mode: str) -> None:
    assert set(FACE_RUNS[mode, "still"]) == {*FACE_RUNS[mode, "full"], *FACE_RUNS[mode, "photo"]}  # type: ignore[index]


def test_of_the_close_look_what_a_photo_would_not_cover_counts_only_if_the_full_look_sees_it() -> None:
    def seen(score: float, source: str, x: float) -> Region:
        return Region(Kind.FACE, Box(x, 100, 24, 24), score, source, source.partition("@")[0])

    full, faint = seen(0.32, "yunet@1280", 100), seen(0.32, "yunet@3200+t480", 900)
    sure = seen(0.5, "yunet@3200+t480", 1700)
    both = [seen(0.2, "yunet@3200+t480", 2500), seen(0.2, "centerface@3200+t480", 2502)]
    kept = still_faces([full, faint, sure, *both], "balanced", (3840, 2160))
    assert sorted(kept) == sorted([full, sure, *both])


def test_faint_sightings_of_a_run_are_dropped_on_request() -> None:
    image = np.full((100, 100, 3), 255, np.uint8)
    (region,) = Ensemble([Run("spot", 64)], SPOT).look(ArrayPicture(image))
    assert Ensemble([Run("spot", 64, least=region.score)], SPOT).look(ArrayPicture(image))
    assert Ensemble([Run("spot", 64, least=region.score + 0.01)], SPOT).look(ArrayPicture(image)) == []


def test_a_turned_look_adds_only_what_no_upright_one_saw() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[50:80, 50:80] = 255
    turned = Run("spot", 200, turn=90)
    assert len(Ensemble([turned], SPOT).look(ArrayPicture(image))) == 1
    (only,) = Ensemble([turned, Run("spot", 200)], SPOT).look(ArrayPicture(image))
    assert only.source == "spot@200"


def test_photos_are_looked_at_upside_down_and_on_both_sides_too() -> None:
    for mode in ("balanced", "careful"):
        assert {run.turn for run in FACE_RUNS[mode, "photo"]} == {0, 90, 180, 270}


@given(st.integers(200, 16_000))
def test_nothing_of_40_pixels_needs_a_hint_to_be_looked_at_as_large_as_eight(native: int) -> None:
    runs = [
        run
        for run in FACE_RUNS["balanced", "photo"]
        if run.beyond < native and (not run.upto or native <= run.upto) and not run.hinted
    ]
    assert max(run.long_side for run in runs if run.model == "yunet") / native >= min(1, 8 / 40)


def test_a_hinted_run_looks_only_where_something_small_was_seen() -> None:
    image = np.zeros((1000, 1000, 3), np.uint8)
    image[40:60, 40:60] = 255
    image[400:900, 400:900] = 255  # large: no hint
    coarse, fine = Run("spot", 500), Run("spot", 1000, tile=250, hinted=True)
    tiles: list[tuple[int, ...]] = []

    class Watched:
        name, family, kinds = "spot", "spot", frozenset({Kind.FACE})

        def detect(self, image: np.ndarray) -> list[Region]:
            if image.shape[0] == 250:
                tiles.append(tuple(image[0, 0]))
            small = [Region(Kind.FACE, Box(20, 20, 10, 10), 0.2, "spot", "spot")]
            large = [Region(Kind.FACE, Box(200, 200, 250, 250), 0.9, "spot", "spot")]
            return small + large if image.shape[0] == 500 else []

    Ensemble([coarse, fine], {"spot": Watched()}).look(ArrayPicture(image))
    assert len(tiles) == 1


def test_what_a_turned_look_sees_more_surely_stands_beside_the_upright_sighting() -> None:
    def seen(score: float, source: str) -> Region:
        return Region(Kind.FACE, Box(50, 50, 30, 30), score, source, "yunet")

    upright = [seen(0.5, "yunet@640")]
    surer, fainter = seen(0.7, "yunet@640+r90"), seen(0.45, "yunet@640+r180")
    assert unseen(upright, [surer, fainter]) == [surer]
    assert unseen([], [fainter]) == [fainter]
