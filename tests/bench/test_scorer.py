"""The scorer: on pictures whose covered share is known, it finds that share."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.scorer import altered, covered, painted, share


def _photo() -> np.ndarray:
    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


def _jpeg(image: np.ndarray, quality: int = 90) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


FACE = (160, 60, 120, 120)


def test_a_picture_that_was_only_encoded_again_is_bare() -> None:
    photo = _photo()
    for mask in (covered(photo, _jpeg(photo, 75)), painted(_jpeg(photo, 75)) & (photo.max(axis=2) > 12)):
        assert share(mask, FACE) < 0.02


@pytest.mark.parametrize("part", [0.25, 0.5, 1.0])
def test_a_solid_box_counts_for_what_it_covers(part: float) -> None:
    photo = _photo()
    x, y, w, h = FACE
    hidden = photo.copy()
    hidden[y : y + int(h * part), x : x + w] = 0
    assert share(painted(_jpeg(hidden)), FACE) == pytest.approx(part, abs=0.03)
    assert share(covered(photo, _jpeg(hidden)), FACE) == pytest.approx(part, abs=0.08)


def test_a_blurred_ellipse_leaves_the_corners_bare() -> None:
    photo = _photo()
    x, y, w, h = FACE
    inside = np.zeros(photo.shape[:2], np.uint8)
    cv2.ellipse(inside, (x + w // 2, y + h // 2), (w // 2, h // 2), 0, 0, 360, 1, -1)
    hidden = np.where(inside[..., None] > 0, cv2.blur(photo, (61, 61)), photo)
    assert share(covered(photo, _jpeg(hidden)), FACE) == pytest.approx(np.pi / 4, abs=0.1)


def test_a_bare_face_in_the_dark_is_not_taken_for_covered() -> None:
    dark = (_photo() * 0.25).astype(np.uint8) + 14
    assert share(painted(_jpeg(dark)), FACE) < 0.05
    assert share(covered(dark, _jpeg(dark)), FACE) < 0.1


def test_pictures_of_different_sizes_are_never_compared() -> None:
    with pytest.raises(ValueError, match="size"):
        covered(_photo(), _photo()[:-1])


def test_any_change_is_counted_where_it_was_made_and_not_where_a_photo_was_encoded_again() -> None:
    photo = _photo()
    x, y, w, h = FACE
    assert share(altered(photo, _jpeg(photo, 90)), FACE) < 0.1
    blurred = photo.copy()
    blurred[y : y + h, x : x + w] = cv2.GaussianBlur(photo, (0, 0), 8)[y : y + h, x : x + w]
    assert share(altered(photo, _jpeg(blurred)), FACE) > 0.9
