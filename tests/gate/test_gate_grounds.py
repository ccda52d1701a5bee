"""Analysis and gate unite what they find over every ground of a see-through picture."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from redact.analysis import analyse
from redact.detect.base import Picture
from redact.findings import FindingKind
from redact.gate.inspect import inspect
from redact.gate.pixels import GateDetectors, PixelGate, look_at_frames
from redact.gate.thresholds import Looks
from redact.media.base import DecodedFrame
from redact.media.grounds import decoded_frame
from redact.plan import Box, Kind, Region
from redact.policy import Policy

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
BLACK, WHITE = Box(20, 30, 100, 20), Box(20, 90, 100, 20)


class Bars:
    """Sees dark and light patches that are no more than a tenth of the picture."""

    def __init__(self, kind: Kind = Kind.TEXT) -> None:
        self.kind = kind
        self.looks = 0

    def look(self, picture: Picture, places: Sequence[Box] | None = None) -> list[Region]:
        self.looks += 1
        grey = cv2.cvtColor(picture.bgr(), cv2.COLOR_BGR2GRAY)
        found = []
        for mask in (grey < 40, grey > 215):
            _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
            found += [Box(*map(float, row[:4])) for row in stats[1:] if row[4] < grey.size / 10]
        return [Region(self.kind, box, 0.9, "bars@whole", "bars") for box in found]

    def describe(self) -> list[str]:
        return ["bars@whole"]


def see_through(part: int = 230) -> np.ndarray:
    """H x W x 4: a black and a white bar on nothing, beside a large opaque part."""
    pixels = np.zeros((160, 400, 4), np.uint8)
    pixels[:, 160:] = (part, part, part, 255)
    for box, level in ((BLACK, 0), (WHITE, 255)):
        x, y, w, h = map(int, box)
        pixels[y : y + h, x : x + w] = (level, level, level, 255)
    return pixels


def models(bars: Bars) -> Any:
    faces = bars if bars.kind is Kind.FACE else None
    text = bars if bars.kind is Kind.TEXT else None
    return SimpleNamespace(
        light=faces, full=faces, photo=faces, turned=[], hearing=None, reader=None, text=text, video_text=text
    )


@pytest.mark.parametrize("kind", [Kind.FACE, Kind.TEXT])
@pytest.mark.parametrize("part", [20, 230])
@pytest.mark.parametrize("animated", [False, True])
def test_analysis_covers_what_only_one_ground_shows(
    kind: Kind, part: int, animated: bool, tmp_path: Path
) -> None:
    path = tmp_path / "item.bin"
    image = Image.fromarray(see_through(part))
    more = [Image.fromarray(see_through(part - 9))] if animated else []
    image.save(path, "PNG", save_all=animated, append_images=more)
    plan = analyse(path, "item", Policy(), models(Bars(kind)))
    assert plan.media.frames == 1 + animated
    for frame in range(plan.media.frames):
        covers = [cover.box for cover in plan.covers().at(frame)]
        for box in (BLACK, WHITE):
            assert any(cover.intersection(box) == box.area for cover in covers), (frame, box)


def gate_over(pictures: Sequence[np.ndarray], bars: Bars) -> list[Any]:
    faces = bars if bars.kind is Kind.FACE else None
    text = bars if bars.kind is Kind.TEXT else None
    gate = PixelGate(400, 160, GateDetectors(faces, text), Looks(1, 1))
    frames = [decoded_frame(n, Fraction(n), pixels) for n, pixels in enumerate(pictures)]
    return look_at_frames(frames, gate, 99, lambda _: None).findings


@pytest.mark.parametrize("kind", [Kind.FACE, Kind.TEXT])
@pytest.mark.parametrize("part", [20, 230])
def test_the_gate_finds_what_only_one_ground_shows(kind: Kind, part: int) -> None:
    found = {tuple(map(round, finding.box)) for finding in gate_over([see_through(part)], Bars(kind))}
    assert found == {tuple(map(int, BLACK)), tuple(map(int, WHITE))}


def test_the_gate_looks_again_when_only_another_ground_shows_a_change() -> None:
    without = see_through()
    x, y, w, h = map(int, BLACK)
    without[y : y + h, x : x + w] = 0
    found = gate_over([without, without, see_through()], Bars())
    assert sorted(finding.first for finding in found) == [0, 2]


def test_an_opaque_frame_costs_the_gate_one_look() -> None:
    bars = Bars()
    gate_over([np.full((160, 400, 4), 255, np.uint8)], bars)
    assert bars.looks == 1


def test_a_frame_without_further_pictures_is_one_look() -> None:
    frame = next(iter([decoded_frame(0, Fraction(0), np.zeros((4, 4, 3), np.uint8))]))
    assert list(frame.looks()) == [frame.picture]
    assert list(DecodedFrame(0, Fraction(0), frame.picture).looks()) == [frame.picture]


@pytest.mark.parametrize("letters", [(0, 0, 0, 255), (128, 128, 128, 255), (255, 255, 255, 90)])
def test_the_real_gate_sees_letters_on_transparent_ground(
    letters: tuple[int, int, int, int], tmp_path: Path
) -> None:
    card = Image.new("RGBA", (480, 320), (0, 0, 0, 0))
    draw = ImageDraw.Draw(card)
    part = 235 if letters[0] < 200 else 20
    draw.rectangle((0, 110, 480, 320), (part, part, part, 255))
    draw.text((30, 40), "Gevorg Orinakyan", letters, ImageFont.truetype(str(FONT), 36))
    card.save(tmp_path / "item.png")
    policy = Policy.model_validate({"gate": {"faces": False}, "faces": {"expected_heads": "off"}})
    report = inspect(tmp_path / "item.png", policy, standalone=False)
    boxes = [Box(*each.box) for each in report.findings if each.kind is FindingKind.TEXT and each.box]
    assert any(box.intersection(Box(40, 45, 300, 30)) > 0.8 * 9000 for box in boxes)
