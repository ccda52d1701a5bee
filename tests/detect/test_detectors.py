"""One contract over every detector, on a public-domain portrait and on lettering that the tests draw."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage import data

from redact.detect.base import Detector
from redact.detect.blazeface import BlazeFace
from redact.detect.blazepose import BlazePose
from redact.detect.centerface import CenterFace
from redact.detect.ensemble import Run
from redact.detect.large_text import TextEnsemble
from redact.detect.text import TextDetector
from redact.detect.weights import ModelStore
from redact.detect.yunet import YuNet
from redact.media.picture import ArrayPicture
from redact.plan import Box, Kind, Region

Image = npt.NDArray[np.uint8]
FLOOR, OVERLAP = 0.3, 0.5
FACE = Box(170, 60, 110, 150)
"""Where the astronaut's face is in scikit-image's 512 x 512 portrait."""
LINE = Box(60, 200, 400, 60)


def make(name: str) -> Detector:
    weights = ModelStore().path(name)
    if name == "yunet":
        return YuNet(weights, FLOOR, OVERLAP)
    if name == "centerface":
        return CenterFace(weights, FLOOR, OVERLAP)
    if name == "blazepose":
        return BlazePose(weights, FLOOR, OVERLAP)
    if name.startswith("blazeface"):
        return BlazeFace(name, weights, FLOOR, OVERLAP)
    return TextDetector(name, weights, 0.15, 0.25, 2.0)


FACES = ("blazepose", "yunet", "centerface", "blazeface_full", "blazeface_short")
TEXTS = ("ppocrv6_tiny", "ppocrv6_small", "ppocrv5")


@pytest.fixture(scope="module", params=[*FACES, *TEXTS])
def detector(request: pytest.FixtureRequest) -> Detector:
    return make(request.param)


@pytest.fixture(scope="module")
def portrait() -> Image:
    return np.ascontiguousarray(data.astronaut()[..., ::-1])


@pytest.fixture(scope="module")
def caption() -> Image:
    image = np.full((512, 512, 3), 60, np.uint8)
    cv2.putText(image, "ORINAKYAN", (70, 250), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (240, 240, 240), 5)
    return image


def scene(detector: Detector, portrait: Image, caption: Image) -> tuple[Image, Box]:
    return (portrait, FACE) if Kind.TEXT not in detector.kinds else (caption, LINE)


def hits(detector: Detector, image: Image, truth: Box) -> bool:
    return any(region.box.iou(truth) > 0.3 for region in detector.detect(image))


def test_every_detector_of_the_list_is_under_contract() -> None:
    # these find nothing on a picture: tests/track and tests/gate have the promises of hearing and reading
    others = {"silero_vad", "ppocrv6_reader", "ppocrv6_letters"}
    assert {*FACES, *TEXTS} | others == set(ModelStore().entries)


def test_it_finds_what_is_there_and_says_who_saw_it(
    detector: Detector, portrait: Image, caption: Image
) -> None:
    image, truth = scene(detector, portrait, caption)
    found = detector.detect(image)
    best = max(found, key=lambda region: region.score)
    assert best.box.iou(truth) > 0.4, best
    for region in found:
        assert 0 < region.score <= 1
        assert region.kind in detector.kinds
        assert (region.source, region.family) == (detector.name, detector.family)
        assert region.box.w > 0
        assert region.box.h > 0


@pytest.mark.parametrize(("width", "height"), [(512, 512), (333, 517), (640, 361), (97, 101)])
def test_any_size_will_do_and_boxes_are_in_pixels_of_the_image(
    detector: Detector, portrait: Image, caption: Image, width: int, height: int
) -> None:
    image, truth = scene(detector, portrait, caption)
    scaled = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    if min(width, height) > 200:
        assert hits(detector, scaled, truth.scaled(width / 512, height / 512))
    else:
        detector.detect(scaled)


def test_it_leaves_the_picture_as_it_was(detector: Detector, portrait: Image, caption: Image) -> None:
    image, _ = scene(detector, portrait, caption)
    before = image.copy()
    detector.detect(image)
    assert (image == before).all()


def test_it_says_the_same_again_and_from_several_threads(
    detector: Detector, portrait: Image, caption: Image
) -> None:
    image, _ = scene(detector, portrait, caption)
    other = np.ascontiguousarray(image[::-1])
    alone = [detector.detect(image), detector.detect(other)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.detect, [image, other] * 4))
    assert together == alone * 4


def test_an_empty_picture_holds_nothing(detector: Detector) -> None:
    for grey in (0, 128, 255):
        assert detector.detect(np.full((256, 256, 3), grey, np.uint8)) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (5, 3)])
def test_tiny_pictures_are_no_error(detector: Detector, size: tuple[int, int]) -> None:
    detector.detect(np.full((*size, 3), 90, np.uint8))


def test_our_yunet_agrees_with_opencv_own(portrait: Image) -> None:
    weights = str(ModelStore().path("yunet"))
    theirs = cv2.FaceDetectorYN.create(weights, "", (512, 512), FLOOR, OVERLAP)
    _, rows = theirs.detect(portrait)
    ours = {region.score: region.box for region in make("yunet").detect(portrait)}
    assert len(ours) == len(rows)
    for row in rows:
        score = min(ours, key=lambda value: abs(value - row[14]))
        assert score == pytest.approx(row[14], abs=0.01)
        assert tuple(ours[score]) == pytest.approx(tuple(row[:4]), abs=1.0)


def test_vertical_and_tilted_lines_are_found_whole(caption: Image) -> None:
    detector = make("ppocrv6_tiny")
    upright = np.ascontiguousarray(np.rot90(caption))
    x, y, w, h = LINE
    assert hits(detector, upright, Box(y, 512 - x - w, h, w))
    turn = cv2.getRotationMatrix2D((256, 256), 20, 1)
    tilted = np.asarray(cv2.warpAffine(caption, turn, (512, 512), borderValue=(60, 60, 60)), np.uint8)
    lettering = tilted[..., 0] > 150
    held = np.zeros(lettering.shape, bool)
    for region in detector.detect(tilted):
        left, top, right, bottom = map(int, (*region.box[:2], region.box.right, region.box.bottom))
        held[top:bottom, left:right] = True
    assert (lettering & held).sum() >= 0.999 * lettering.sum()
    assert held.mean() < 0.8 * (lettering.any(0).sum() * lettering.any(1).sum()) / lettering.size


def test_giant_lettering_is_still_found() -> None:
    image = np.full((960, 1280, 3), 40, np.uint8)
    cv2.putText(image, "ANI", (120, 650), cv2.FONT_HERSHEY_SIMPLEX, 16, (250, 250, 250), 60)
    covered = np.zeros(image.shape[:2], bool)
    for region in make("ppocrv6_tiny").detect(image):
        x, y, w, h = (int(value) for value in region.box)
        covered[y : y + h, x : x + w] = True
    assert covered[image[..., 0] > 200].mean() > 0.95


class Silent:
    name = "second"
    family = "second"
    kinds = frozenset({Kind.TEXT})

    def __init__(self, *found: Region) -> None:
        self.found = list(found)
        self.asked: list[int] = []

    def detect(self, image: Image) -> list[Region]:
        self.asked.append(image.shape[1])
        return self.found


def large_text(first: list[Region], second: Silent) -> list[Region]:
    ensemble = TextEnsemble([Run("first", 400)], {"first": Silent(*first)}, lambda: second)
    return ensemble.look(ArrayPicture(np.zeros((400, 400, 3), np.uint8)))


def text(box: Box) -> Region:
    return Region(Kind.TEXT, box, 0.9, "second", "second")


def test_small_lines_need_no_second_opinion() -> None:
    second = Silent()
    assert len(large_text([text(Box(10, 10, 100, 30))], second)) == 1
    assert second.asked == []


def test_a_large_region_that_a_second_network_sees_too_stands() -> None:
    second = Silent(text(Box(10, 10, 60, 60)))  # seen at a quarter of the size
    (kept,) = large_text([text(Box(40, 40, 240, 240))], second)
    assert kept.box == Box(40, 40, 240, 240)
    assert second.asked == [100]


def test_where_it_disagrees_its_own_lines_stand_instead() -> None:
    line = Box(60, 60, 10, 8)
    second = Silent(text(line))
    found = large_text([text(Box(40, 40, 240, 240)), text(Box(0, 380, 90, 15))], second)
    assert second.asked == [100, 400]
    assert [region.box for region in found] == [Box(0, 380, 90, 15), line]


def test_a_line_inside_a_ring_of_the_map_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ring itself holds too little text to count: a thin frame, the edge of a stamp."""
    chart = np.zeros((320, 320), np.float32)
    cv2.circle(chart, (160, 160), 140, 0.6, 6)
    chart[150:170, 90:230] = 0.9
    reader = make("ppocrv6_tiny")
    monkeypatch.setattr(reader, "_model", Map(chart))
    (line,) = reader.detect(np.zeros((320, 320, 3), np.uint8))
    assert line.box.iou(Box(75, 135, 170, 50)) > 0.8


class Map:
    """A text network that gives one map."""

    def __init__(self, chart: npt.NDArray[np.float32]) -> None:
        self._chart = chart

    def run(self, _image: object) -> list[npt.NDArray[np.float32]]:
        return [self._chart[None, None]]
