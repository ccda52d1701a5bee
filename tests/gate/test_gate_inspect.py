"""The whole gate on finished photos and animations: what is in the pictures, the bytes, and the report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from gate_media import CANARY, movie, picture, saved
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from redact.detect.base import Picture
from redact.findings import FindingKind, GateReport, Verdict
from redact.gate.heal import heal_tracks
from redact.gate.inspect import inspect
from redact.gate.pixels import GateDetectors
from redact.plan import Box, Region
from redact.policy import Policy

FACE_BOX = (160, 50, 300, 240)
"""Around the astronaut's head."""


class Nothing:
    """A detector that sees nothing."""

    def look(self, picture: Picture, places: Sequence[Box] | None = None) -> list[Region]:
        assert picture.bgr(320).shape[2] == 3
        return []

    def describe(self) -> list[str]:
        return ["nothing@whole"]


BLIND = GateDetectors(Nothing(), Nothing())


def astronaut() -> Image.Image:
    return Image.fromarray(data.astronaut())


def covered(image: Image.Image, *boxes: tuple[int, int, int, int]) -> Image.Image:
    draw = ImageDraw.Draw(image)
    for box in boxes:
        draw.rectangle(box, fill=(0, 0, 0))
    return image


def judged(image: Image.Image, folder: Path, **options: object) -> GateReport:
    path = folder / "finished.jpg"
    image.save(path, quality=92)
    return inspect(path, Policy(), standalone=bool(options.get("standalone")))


@pytest.mark.parametrize("standalone", [False, True])
def test_an_uncovered_face_is_found_where_it_is(tmp_path: Path, standalone: bool) -> None:
    report = judged(astronaut(), tmp_path, standalone=standalone)
    faces = [finding for finding in report.findings if finding.kind is FindingKind.FACE]
    assert report.verdict is Verdict.REVIEW
    assert any(finding.box and Box(*finding.box).iou(Box(180, 70, 90, 120)) > 0.3 for finding in faces)


# badges, the flag's stripes and the model of the shuttle pass for text, which the policy covers as well
TEXT_BOXES = ((0, 320, 511, 511), (300, 0, 511, 319), (0, 0, 100, 200))


def test_a_covered_face_is_no_finding(tmp_path: Path) -> None:
    report = judged(covered(astronaut(), FACE_BOX, *TEXT_BOXES), tmp_path)
    assert report.findings == ()
    assert report.verdict is Verdict.PUBLISH


def test_what_the_gate_finds_is_healed_in_one_round(tmp_path: Path) -> None:
    image = covered(astronaut(), *TEXT_BOXES)
    report = judged(image, tmp_path)
    tracks = heal_tracks(report, Policy())
    boxes = [Box(*span.box) for track in tracks for span in track.spans]
    assert boxes
    healed = covered(image, *((int(b.x), int(b.y), int(b.right), int(b.bottom)) for b in boxes))
    assert judged(healed, tmp_path).findings == ()


@pytest.mark.parametrize("words", ["ORINAKYAN ANAHIT", "Оринакян Анаит", "Orinakyan, Yerevan 1998"])
def test_text_is_found_where_it_is(tmp_path: Path, words: str) -> None:
    shade = np.linspace(60, 120, 400, dtype=np.uint8)
    image = Image.fromarray(np.repeat(np.repeat(shade[:, None], 640, 1)[..., None], 3, 2))
    ImageDraw.Draw(image).text((60, 300), words, fill=(240, 240, 240), font=ImageFont.load_default(size=30))
    report = judged(image, tmp_path)
    (finding,) = report.findings
    assert finding.kind is FindingKind.TEXT
    assert finding.box is not None
    assert Box(*finding.box).intersection(Box(70, 305, 200, 22)) > 0.8 * 200 * 22
    assert "rinak" not in report.model_dump_json().lower()


def test_white_words_on_a_black_bar_are_found_although_the_bar_looks_like_a_cover(tmp_path: Path) -> None:
    image = covered(Image.new("RGB", (640, 400), (120, 130, 140)), (0, 280, 639, 360))
    font = ImageFont.load_default(size=34)
    ImageDraw.Draw(image).text((60, 300), "ORINAKYAN", fill=(250, 250, 250), font=font)
    kinds = {finding.kind for finding in judged(image, tmp_path).findings}
    assert kinds == {FindingKind.TEXT}


def test_corners_of_covers_are_no_text(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    y, x = np.mgrid[0:480, 0:640]
    sky = np.stack([120 + x // 8, 140 + y // 8, 190 - y // 8], -1) + rng.integers(-3, 4, (480, 640, 1))
    image = covered(Image.fromarray(sky.astype(np.uint8)), (40, 60, 140, 190), (150, 80, 230, 170),
                    (300, 60, 420, 300), (420, 200, 520, 330), (10, 380, 600, 430))  # fmt: skip
    assert judged(image, tmp_path).findings == ()


CLEAN: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: saved("JPEG"),
    "png": lambda: saved("PNG"),
    "webp": lambda: saved("WEBP"),
    "gif": lambda: saved("GIF"),
    "tiff": lambda: saved("TIFF"),
    "bmp": lambda: saved("BMP"),
    "heif": lambda: saved("HEIF"),
    "avif": lambda: saved("AVIF", speed=10),
}


@pytest.mark.parametrize("kind", CLEAN)
def test_a_clean_file_may_be_published_and_the_report_says_what_was_looked_for(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "finished"
    path.write_bytes(CLEAN[kind]())
    report = inspect(path, Policy(), standalone=False, detectors=BLIND)
    assert report.findings == ()
    assert report.verdict is Verdict.PUBLISH
    assert (report.format, report.width, report.height, report.frames) == (kind, 48, 32, 1)
    assert report.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [look.what for look in report.looks] == ["structure and metadata", "faces", "text"]
    assert all((look.frames, look.of_frames) == (1, 1) for look in report.looks[1:])


def test_every_frame_of_an_animation_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "finished.gif"
    frames = [picture().rotate(90 * n) for n in range(4)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0)
    report = inspect(path, Policy(), standalone=False, detectors=BLIND)
    assert report.findings == ()
    assert report.frames == 4
    assert report.looks[1].frames == 4


def test_what_the_policy_does_not_ask_for_is_not_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "finished.jpg"
    path.write_bytes(saved("JPEG"))
    policy = Policy.model_validate({"gate": {"faces": False, "text": False}})
    report = inspect(path, policy, standalone=False)
    assert [look.what for look in report.looks] == ["structure and metadata"]


def test_metadata_blocks_a_file_without_saying_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "finished.jpg"
    path.write_bytes(saved("JPEG", comment=CANARY))
    report = inspect(path, Policy(), standalone=False, detectors=BLIND)
    assert report.verdict is Verdict.BLOCK
    assert "rinak" not in report.model_dump_json().lower()


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "heif"])
def test_half_a_file_is_blocked_and_never_raises(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "finished"
    whole = CLEAN[kind]()
    path.write_bytes(whole[: len(whole) // 2])
    report = inspect(path, Policy(), standalone=False, detectors=BLIND)
    assert report.verdict is Verdict.BLOCK
    assert FindingKind.UNDECODABLE in {finding.kind for finding in report.findings}


def test_a_file_of_no_known_format_is_not_published(tmp_path: Path) -> None:
    path = tmp_path / "finished.pdf"
    path.write_bytes(b"%PDF-1.7 " + CANARY)
    report = inspect(path, Policy(), standalone=True, detectors=BLIND)
    assert report.verdict is Verdict.REVIEW
    assert {finding.kind for finding in report.findings} == {FindingKind.UNVERIFIABLE}


def test_a_picture_beyond_the_limit_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "finished.png"
    path.write_bytes(saved("PNG"))
    policy = Policy.model_validate({"limits": {"max_pixels": 1000}})
    report = inspect(path, policy, standalone=False, detectors=BLIND)
    assert [finding.detail for finding in report.findings] == ["limits.max_pixels"]
    assert report.frames == 0


def test_a_file_that_changes_under_the_gate_is_blocked(tmp_path: Path) -> None:
    path = tmp_path / "finished.png"
    path.write_bytes(saved("PNG"))

    class Meddler(Nothing):
        def look(self, picture: Picture, places: Sequence[Box] | None = None) -> list[Region]:
            other = tmp_path / "other"
            other.write_bytes(saved("PNG"))
            other.replace(path)
            return []

    report = inspect(path, Policy(), standalone=False, detectors=GateDetectors(Meddler(), None))
    assert [finding.detail for finding in report.findings] == ["changed while it was judged"]


@pytest.mark.parametrize(("codec", "container"), [("libx264", "mp4"), ("libvpx-vp9", "webm")])
def test_a_clean_film_may_be_published_and_a_dirty_one_is_blocked(
    tmp_path: Path, codec: str, container: str
) -> None:
    path = tmp_path / "finished"
    movie(path, codec, container=container)
    report = inspect(path, Policy(), standalone=False, detectors=BLIND)
    assert report.findings == ()
    assert report.verdict is Verdict.PUBLISH
    assert (report.format, report.width, report.height, report.frames) == (container, 64, 48, 6)
    assert [look.what for look in report.looks][1] == "streams, chapters and tags"
    movie(path, codec, container=container, tags={"title": CANARY.decode()})
    dirty = inspect(path, Policy(), standalone=False, detectors=BLIND)
    assert dirty.verdict is Verdict.BLOCK
    assert "rinak" not in dirty.model_dump_json().lower()
