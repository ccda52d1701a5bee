"""Large unsure faces in video need another family's word; everything else passes as it is."""

import numpy as np
import numpy.typing as npt
import pytest

from redact.detect.ensemble import Run
from redact.detect.large_faces import FAINT, LargeFaceEnsemble
from redact.media.picture import ArrayPicture
from redact.plan import Box, Kind, Region
from redact.track.associate import Sighting, Trail, without_large_noise

Image = npt.NDArray[np.uint8]


class Says:
    """Returns what it is told to; on crops, one face in the middle of the given score."""

    kinds = frozenset({Kind.FACE})

    def __init__(self, family: str, found: list[Region], on_crops: float = 0.0) -> None:
        self.name = self.family = family
        self.found, self.on_crops = found, on_crops
        self.crops = 0

    def detect(self, image: Image) -> list[Region]:
        if image.shape[:2] != (256, 256):
            return self.found
        self.crops += 1
        return [Region(Kind.FACE, Box(64, 64, 128, 128), self.on_crops, self.name, self.family)]


def face(box: Box, score: float) -> Region:
    return Region(Kind.FACE, box, score, "yunet@640", "yunet")


LARGE, SMALL = Box(100, 50, 200, 200), Box(10, 10, 40, 40)


def look(found: list[Region], own: float, other: float) -> tuple[list[Region], Says]:
    yunet, centre = Says("yunet", found, own), Says("centerface", [], other)
    ensemble = LargeFaceEnsemble([Run("yunet", 640)], {"yunet": yunet}, [yunet, centre])
    return ensemble.look(ArrayPicture(np.zeros((360, 640, 3), np.uint8))), centre


@pytest.mark.parametrize(("own", "other", "stands"), [(0.5, 0.05, False), (0.5, 0.2, True), (0.8, 0.0, True)])
def test_a_large_unsure_face_stands_if_it_is_seen_again(own: float, other: float, stands: bool) -> None:
    (kept,), _ = look([face(LARGE, 0.5)], own, other)
    assert (kept.score >= FAINT) is stands
    assert kept.box == LARGE


def test_sure_small_and_faint_ones_are_not_asked_about() -> None:
    found = [face(LARGE, 0.9), face(SMALL, 0.4), face(LARGE, 0.2)]
    kept, centre = look(found, 0.0, 0.0)
    assert [(each.box, each.score) for each in kept] == [(each.box, each.score) for each in found]
    assert centre.crops == 0


def test_one_crop_answers_for_all_runs_of_a_family() -> None:
    found = [face(LARGE, 0.5), face(LARGE._replace(x=105), 0.45)]
    kept, centre = look(found, 0.0, 0.3)
    assert [each.score for each in kept] == [0.5, 0.45]
    assert centre.crops == 1


def trail(sightings: dict[int, tuple[float, bool]]) -> Trail:
    made = Trail()
    for frame, (size, stands) in sorted(sightings.items()):
        made.add(frame, Sighting(Box(0, 0, size, size), 0.5 if stands else 0.2, stands, 1))
    return made


def test_large_faint_sightings_far_from_a_sure_one_end_no_trail() -> None:
    made = trail({0: (200, False), 40: (200, False), 55: (200, False), 60: (200, True), 90: (200, False)})
    assert without_large_noise(made, 90, 12).frames == [55, 60]


def test_small_faint_ones_and_what_lies_between_sure_ones_stay() -> None:
    small = trail({0: (30, False), 60: (30, True), 99: (30, False)})
    assert without_large_noise(small, 90, 12).frames == [0, 60, 99]
    between = trail({0: (200, True), 50: (200, False), 100: (200, True)})
    assert without_large_noise(between, 90, 12).frames == [0, 50, 100]
