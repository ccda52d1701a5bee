"""In captions mode overlays are told from scene text, and in doubt a line counts as laid over."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from redact.detect.base import BgrImage
from redact.detect.overlay import overlay_like, strays
from redact.media.picture import ArrayPicture
from redact.plan import Box, Kind, Region

WIDTH, HEIGHT = 1280, 720


def text(box: Box, kind: Kind = Kind.TEXT) -> Region:
    return Region(kind, box, 0.9, "test", "test")


def scene() -> BgrImage:
    noise = np.random.default_rng(2).integers(40, 200, (90, 160, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("y", [20, 600, 670])
def test_a_line_where_captions_stand_is_one_whatever_it_looks_like(y: int) -> None:
    assert overlay_like(ArrayPicture(scene()), text(Box(80, y, 400, 36)))


def test_a_strap_in_the_middle_is_one_by_its_bar() -> None:
    image = scene()
    image[300:350, 100:700] = (110, 30, 20)
    cv2.putText(image, "ARAM ORINAKYAN", (120, 338), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (250, 250, 250), 4)
    assert overlay_like(ArrayPicture(image), text(Box(100, 300, 600, 50)))


@pytest.mark.parametrize("box", [Box(400, 300, 300, 40), Box(600, 250, 40, 200), Box(400, 500, 600, 200)])
def test_lines_of_the_scene_upright_lines_and_giants_are_none(box: Box) -> None:
    assert not overlay_like(ArrayPicture(scene()), text(box))


def test_a_sign_that_moves_with_the_scene_strays_and_a_crawl_or_roll_does_not() -> None:
    assert strays([Box(100 + 9 * n, 300 + 6 * n, 200, 30) for n in range(20)])
    assert not strays([Box(900 - 20 * n, 650, 200, 30) for n in range(20)])
    assert not strays([Box(300, 700 - 10 * n, 200, 30) for n in range(20)])
