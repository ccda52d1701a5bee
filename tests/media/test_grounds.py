"""Whatever a see-through picture shows on some page, one of its looks shows to detectors."""

from __future__ import annotations

import io
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from photo_samples import save
from PIL import Image

from redact.media.animation import AnimationHandler
from redact.media.grounds import OPAQUE, decoded_frame
from redact.media.photo import PhotoHandler

LETTERS = (slice(20, 32), slice(10, 30))
PART = (slice(0, 60), slice(40, 120))


def two_tones(part: int, letters: int, alpha: int, around: int = 0) -> np.ndarray:
    """H x W x 4 BGRA: a large opaque part of one level, and letters of another beside it.

    `around`: alpha of what lies about them, which is as light as the part.
    """
    pixels = np.zeros((60, 120, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = (part, around) if around else (0, 0)
    pixels[PART] = (part, part, part, 255)
    pixels[LETTERS] = (letters, letters, letters, alpha)
    return pixels


def contrast(picture: np.ndarray) -> int:
    """Levels between the letters and what lies right above them."""
    return abs(int(picture[26, 20, 1]) - int(picture[10, 20, 1]))


def best(pixels: np.ndarray) -> int:
    frame = decoded_frame(0, Fraction(0), pixels)
    return max(contrast(picture.bgr()) for picture in frame.looks())


@pytest.mark.parametrize("part", [0, 255])
@pytest.mark.parametrize("letters", [0, 64, 128, 192, 255])
@pytest.mark.parametrize("alpha", [3, 60, 128, 255])
def test_letters_of_any_shade_stand_out_on_one_look(part: int, letters: int, alpha: int) -> None:
    assert best(two_tones(part, letters, alpha)) >= 60


def test_letters_in_the_shade_of_the_one_ground_are_seen_on_the_other() -> None:
    frame = decoded_frame(0, Fraction(0), two_tones(230, 0, 255))
    seen = [contrast(picture.bgr()) for picture in frame.looks()]
    assert seen[0] == 0
    assert seen[1:] == [255]


def test_shades_that_lifting_makes_alike_are_seen_as_a_page_shows_them() -> None:
    pixels = two_tones(21, 0, 128, around=204)
    on_a_page = [shade * alpha / 255 + 255 - alpha for shade, alpha in ((0, 128), (21, 204))]
    lifted = list(decoded_frame(0, Fraction(0), pixels).looks())[:2]
    assert max(contrast(picture.bgr()) for picture in lifted) < 25
    assert best(pixels) >= abs(on_a_page[0] - on_a_page[1]) - 1 > 55


@pytest.mark.parametrize("alpha", [255, OPAQUE])
def test_an_opaque_picture_is_looked_at_once(alpha: int) -> None:
    pixels = np.full((9, 9, 4), alpha, np.uint8)
    assert len(list(decoded_frame(0, Fraction(0), pixels).looks())) == 1
    assert len(list(decoded_frame(0, Fraction(0), pixels[:, :, :3]).looks())) == 1


def test_smooth_edges_alone_cost_no_further_looks() -> None:
    pixels = np.zeros((60, 60, 4), np.uint8)
    pixels[:, :30] = 255
    pixels[:, 30:33, 3] = (190, 128, 60)
    assert len(list(decoded_frame(0, Fraction(0), pixels).looks())) == 2
    pixels[:, 30:40, 3] = 128
    assert len(list(decoded_frame(0, Fraction(0), pixels).looks())) == 4


def test_looks_are_made_one_at_a_time_and_without_large_arrays_between() -> None:
    pixels = np.full((1000, 1200, 4), 90, np.uint8)
    picture = pixels.nbytes * 3 // 4
    tracemalloc.start()
    try:
        for _ in decoded_frame(0, Fraction(0), pixels).looks():
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3.7 * picture


@pytest.mark.parametrize("format", ["png", "webp", "gif", "tiff"])
def test_photos_are_seen_over_both_grounds(format: str, tmp_path: Path) -> None:
    image = Image.fromarray(two_tones(230, 0, 255))
    sink = io.BytesIO()
    image.save(sink, format.upper(), **({"lossless": True} if format == "webp" else {}))
    path = save(tmp_path, sink.getvalue())
    (frame,) = PhotoHandler().frames(path, PhotoHandler().probe(path))
    assert max(contrast(picture.bgr()) for picture in frame.looks()) == 255


@pytest.mark.parametrize("format", ["gif", "webp", "apng"])
def test_every_frame_of_an_animation_is_seen_over_both_grounds(format: str, tmp_path: Path) -> None:
    images = [Image.fromarray(two_tones(level, 0, 255)) for level in (230, 200, 215)]
    sink = io.BytesIO()
    options = {"lossless": True} if format == "webp" else {"disposal": 2} if format == "gif" else {}
    name = {"gif": "GIF", "webp": "WEBP", "apng": "PNG"}[format]
    images[0].save(sink, name, save_all=True, append_images=images[1:], duration=100, **options)
    path = save(tmp_path, sink.getvalue())
    handler = AnimationHandler()
    frames = list(handler.frames(path, handler.probe(path)))
    assert len(frames) == 3
    for frame in frames:
        assert max(contrast(picture.bgr()) for picture in frame.looks()) == 255
