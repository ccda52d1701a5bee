"""A picture is the same scene at every size, and its sizes cost little and may be shared."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_samples import scene

from redact.media.picture import ArrayPicture


@given(width=st.integers(1, 300), height=st.integers(1, 300), side=st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_the_longer_side_has_exactly_the_asked_length(width: int, height: int, side: int) -> None:
    picture = ArrayPicture(np.zeros((height, width, 3), np.uint8))
    image = picture.bgr(side)
    assert max(image.shape[:2]) == side
    assert abs(image.shape[0] * width - image.shape[1] * height) <= max(width, height)
    assert (picture.width, picture.height) == (width, height)


@pytest.mark.parametrize("side", [1280, 700, 333, 160, 64])
def test_shrinking_in_steps_gives_what_one_area_mean_gives(side: int) -> None:
    image = scene(1280, 853)
    direct = cv2.resize(image, (side, round(853 * side / 1280)), interpolation=cv2.INTER_AREA)
    stepped = ArrayPicture(image).bgr(side)
    assert stepped.shape == direct.shape
    assert abs(stepped.astype(int) - direct).mean() < 1.5


def test_native_size_is_the_array_itself_and_sizes_are_kept() -> None:
    image = scene()
    picture = ArrayPicture(image)
    assert picture.bgr() is image
    assert picture.bgr(40) is picture.bgr(40)
    assert picture.bgr(200).shape[1] == 200


def test_threads_get_the_same_picture() -> None:
    picture = ArrayPicture(scene(640, 480))
    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(picture.bgr, [320, 160, 100, 320, 160, 100, 50, 640] * 4))
    for side, image in zip([320, 160, 100, 320, 160, 100, 50, 640] * 4, images, strict=True):
        assert image is picture.bgr(side)
