"""The second look: a face or a line that is there is confirmed, an edge or a shadow is not."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage import data

from redact.detect.crops import SIDE, central_score, square_crop
from redact.detect.modes import second_look_faces, second_look_text
from redact.detect.weights import ModelStore
from redact.gate.second_look import SURE, SecondLook
from redact.media.picture import ArrayPicture
from redact.plan import Box, Kind, Region

Image = npt.NDArray[np.uint8]
FACE = Box(172, 62, 104, 128)


@pytest.fixture(scope="module")
def second() -> SecondLook:
    store = ModelStore()
    return SecondLook(lambda: second_look_faces(store), lambda: second_look_text(store))


def scene() -> Image:
    """The portrait on the left half of a plain picture."""
    image = np.full((512, 1024, 3), 120, np.uint8)
    image[:, :512] = data.astronaut()[..., ::-1]
    return image


def face(box: Box, score: float = 0.6) -> Region:
    return Region(Kind.FACE, box, score, "blazeface_full@320", "blazeface")


def line(box: Box) -> Region:
    return Region(Kind.TEXT, box, 0.6, "ppocrv6_tiny@960", "ppocr")


@pytest.mark.parametrize("size", [(1024, 512), (512, 256), (300, 150)])
def test_a_face_is_confirmed_at_any_size(second: SecondLook, size: tuple[int, int]) -> None:
    small = np.asarray(cv2.resize(scene(), size, interpolation=cv2.INTER_AREA), np.uint8)
    sighting = face(FACE.scaled(size[0] / 1024, size[1] / 512))
    assert second.confirmed(ArrayPicture(small), [sighting]) == [sighting]


def test_a_plain_wall_is_no_face_unless_its_own_family_is_sure(second: SecondLook) -> None:
    wall = Box(700, 100, 100, 120)
    picture = ArrayPicture(scene())
    assert second.confirmed(picture, [face(wall)]) == []
    assert second.confirmed(picture, [face(wall, SURE)]) == [face(wall, SURE)]


def test_a_covered_face_is_not_confirmed(second: SecondLook) -> None:
    image = scene()
    image[40:220, 150:300] = 0
    assert second.confirmed(ArrayPicture(image), [face(FACE)]) == []


@pytest.mark.parametrize("height", [12, 24, 60])
def test_a_line_is_confirmed_and_the_edge_of_a_cover_is_not(second: SecondLook, height: int) -> None:
    image = scene()
    scale, stroke = height / 24, max(1, height // 12)
    cv2.putText(
        image, "ORINAKYAN", (560, 300), cv2.FONT_HERSHEY_SIMPLEX, scale, (250, 250, 250), max(1, height // 12)
    )
    (width, tall), _ = cv2.getTextSize("ORINAKYAN", cv2.FONT_HERSHEY_SIMPLEX, scale, stroke)
    there = line(Box(560, 300 - tall, width, tall))
    image[40:160, 700:960] = 0
    corner = line(Box(680, 140, 60, 30))
    assert second.confirmed(ArrayPicture(image), [there, corner]) == [there]


def test_crops_are_square_centred_and_go_on_outside_the_picture() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 190:] = 255
    crop = square_crop(image, Box(180, 40, 20, 20))
    assert crop.shape == (SIDE, SIDE, 3)
    # from x = 170 to 210: white from the middle on, beyond the edge too
    assert (crop[:, : SIDE // 2 - 8] == 0).all()
    assert (crop[:, SIDE // 2 + 8 :] == 255).all()


def test_only_what_lies_in_the_middle_counts() -> None:
    class Corner:
        name = family = "corner"
        kinds = frozenset({Kind.FACE})

        def detect(self, image: Image) -> list[Region]:
            return [face(Box(0, 0, 60, 60), 0.9), face(Box(70, 70, 110, 110), 0.4)]

    assert central_score(Corner(), np.zeros((SIDE, SIDE, 3), np.uint8)) == 0.4
