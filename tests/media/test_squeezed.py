"""Films of samples that are not square are looked at as they are shown; boxes are in samples all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import av
import cv2
import numpy as np
import pytest
import zxingcpp

from redact.detect.base import BgrImage
from redact.detect.ensemble import Ensemble, Run
from redact.detect.large_text import TextEnsemble
from redact.detect.overlay import overlay_like
from redact.detect.reading import read_codes
from redact.gate.covers import PastCovers
from redact.gate.second_look import SecondLook
from redact.media.frame_at import jpeg_of
from redact.media.orientation import turned
from redact.media.video_picture import Scalers, VideoPicture
from redact.plan import Box, Kind, MediaFacts, Region
from redact.track.text_looks import TextLooks

WIDTH, HEIGHT = 360, 288
WIDE = (64, 45)
PATCH = Box(200, 96, 40, 56)
"""Where the light patch lies; on a screen it is almost square."""


def film_picture(
    samples: np.ndarray,
    aspect: tuple[int, int] = WIDE,
    rotation: Literal[0, 90, 180, 270] = 0,
    mirrored: bool = False,
) -> VideoPicture:
    """A frame whose displayed samples (H x W x 3 BGR) are these, stored as a turned film stores them."""
    stored = samples[:, ::-1] if mirrored else samples
    stored = np.ascontiguousarray(np.rot90(stored, k=rotation // 90))
    assert (turned(stored[..., 0], rotation, mirrored) == samples[..., 0]).all()
    facts = MediaFacts(
        kind="video",
        format="mp4",
        width=samples.shape[1],
        height=samples.shape[0],
        rotation=rotation,
        mirrored=mirrored,
        sample_aspect=aspect,
    )
    return VideoPicture(av.VideoFrame.from_ndarray(stored, format="bgr24"), facts, Scalers())


def patched(box: Box = PATCH, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    samples = np.full((height, width, 3), 30, np.uint8)
    x, y, w, h = map(int, box)
    samples[y : y + h, x : x + w] = 230
    return samples


class Light:
    """Sees the one light patch, and remembers what it was shown."""

    name, family = "light", "light"

    def __init__(self, kind: Kind) -> None:
        self.kinds, self.kind = frozenset({kind}), kind
        self.shown: list[tuple[int, int]] = []

    def detect(self, image: BgrImage) -> list[Region]:
        self.shown.append((image.shape[1], image.shape[0]))
        x, y, w, h = cv2.boundingRect((image[..., 1] > 130).astype(np.uint8))
        return [Region(self.kind, Box(x, y, w, h), 0.7, "light", "light")] if w else []


def near(box: Sequence[float], other: Sequence[float], by: float = 2.0) -> bool:
    return max(abs(a - b) for a, b in zip(box, other, strict=True)) <= by


@pytest.mark.parametrize(
    ("aspect", "native"),
    [
        (WIDE, (512, 288)),
        ((4, 3), (480, 288)),
        ((2, 1), (720, 288)),
        ((1, 2), (360, 576)),
        ((1, 1), (360, 288)),
        ((900, 1), (360, 288)),
        ((0, 1), (360, 288)),
    ],
)
def test_a_frame_has_the_shape_of_the_screen(aspect: tuple[int, int], native: tuple[int, int]) -> None:
    picture = film_picture(patched(), aspect)
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    assert picture.bgr().shape[1::-1] == native
    for side in (1024, 480, 160):
        width, height = picture.bgr(side).shape[1::-1]
        assert abs(width - native[0] * side / WIDTH) <= 2
        assert abs(height - native[1] * side / WIDTH) <= 2


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("aspect", [WIDE, (1, 2)])
def test_what_is_seen_there_is_told_in_samples(
    rotation: Literal[0, 90, 180, 270], mirrored: bool, aspect: tuple[int, int]
) -> None:
    picture = film_picture(patched(), aspect, rotation, mirrored)
    runs = [Run("light", 640), Run("light", 400, flip=True), Run("light", 512, turn=90), Run("light", 160)]
    detectors = {"light": Light(Kind.FACE)}
    seen = [region for run in runs for region in Ensemble([run], detectors).look(picture)]
    assert len(seen) == 4
    assert all(near(region.box, PATCH, 2.5) for region in seen), seen


def test_text_in_the_part_that_changed_is_told_in_samples() -> None:
    network = Light(Kind.TEXT)
    looks = TextLooks(TextEnsemble([Run("light", 640)], {"light": network}, lambda: network))
    line = Box(40, 200, 48, 16)
    assert looks.look(0, film_picture(patched(Box(0, 0, 0, 0))), whole=True) == []
    looks.look(1, film_picture(patched(Box(0, 0, 0, 0))), whole=False)
    found = looks.look(2, film_picture(patched(line)), whole=False)
    assert network.shown[-1][0] < 450, "only the part was looked at"
    assert found is not None
    assert [near(region.box, line) for region in found] == [True]


def test_the_second_look_is_at_the_place_as_it_is_shown() -> None:
    faces, text = Light(Kind.FACE), Light(Kind.TEXT)
    second = SecondLook(lambda: [faces], lambda: text)
    picture = film_picture(patched())
    for kind in (Kind.FACE, Kind.TEXT):
        region = Region(kind, PATCH, 0.5, "light@640", "other")
        assert second.confirmed(picture, [region]) == [region]
        elsewhere = region._replace(box=PATCH._replace(x=20))
        assert second.confirmed(picture, [elsewhere]) == []


def test_codes_are_found_in_samples() -> None:
    made = zxingcpp.create_barcode("Orinakyan", zxingcpp.BarcodeFormat.QRCode)
    code = np.array(zxingcpp.write_barcode_to_image(made, scale=4))
    shown = np.full((288, 512, 3), 255, np.uint8)
    shown[80 : 80 + code.shape[0], 300 : 300 + code.shape[1]] = code.reshape(*code.shape[:2], -1)[..., :1]
    samples = cv2.resize(shown, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    ((text, box),) = read_codes(film_picture(samples))
    assert text.startswith("Orinakyan")
    assert 300 * WIDTH / 512 <= box.x <= box.right <= (300 + code.shape[1]) * WIDTH / 512
    assert 80 <= box.y <= box.bottom <= 80 + code.shape[0]


def test_a_line_that_runs_across_on_the_screen_is_laid_over() -> None:
    box = Box(150, 250, 22, 20)  # higher than wide by samples alone, on a screen of twice the width not
    assert not overlay_like(film_picture(patched(), (1, 1)), Region(Kind.TEXT, box, 0.9, "a", "a"))
    assert overlay_like(film_picture(patched(), (2, 1)), Region(Kind.TEXT, box, 0.9, "a", "a"))


def test_covers_are_filled_in_the_shape_of_the_screen() -> None:
    samples = patched()
    samples[20:120, 20:120] = 0
    past = PastCovers(film_picture(samples), (0, 0, 0))
    assert past.share(Box(20, 20, 100, 100)) > 0.95
    assert past.share(Box(160, 160, 100, 100)) < 0.05
    for side in (None, 960, 640):
        assert past.bgr(side).shape == film_picture(samples).bgr(side).shape
        assert past.bgr(side).min() > 10


@pytest.mark.parametrize("aspect", [WIDE, (2, 1), (1, 2)])
def test_a_frame_for_review_is_never_wider_than_asked_for(aspect: tuple[int, int]) -> None:
    for width in (360, 100):
        data = np.frombuffer(jpeg_of(film_picture(patched(), aspect), width), np.uint8)
        assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape[1] <= width
