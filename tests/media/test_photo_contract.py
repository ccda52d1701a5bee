"""One suite over every photo format: what a picture editor and a frightened family may rely on."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from photo_samples import (
    CANARY,
    COVER,
    FORMATS,
    HEIGHT,
    WIDTH,
    WITH_EXIF,
    BoxPainter,
    encode,
    exif_block,
    loaded,
    plain,
    render,
    save,
    scene,
    shown,
)
from PIL import Image, ImageOps

from redact.errors import DamagedInputError, EncodeError, OutputError, RedactError
from redact.media.photo import PhotoHandler
from redact.plan import OutputSpec
from redact.policy import PhotoPolicy

EXACT = frozenset({"png", "bmp", "tiff", "webp", "gif"})
"""Formats whose test files are stored without loss (the GIF scene has fewer colours than a palette holds)."""
FLAT = {"jpeg": 8, "heif": 8, "avif": 8}
"""Largest deviation from the cover colour well inside a cover, where the format is lossy."""
CLOSE = {"jpeg": 3.0, "heif": 4.0, "avif": 3.0}
"""Largest mean deviation outside covers."""


@pytest.mark.parametrize("format", FORMATS)
def test_size_is_exact_and_known_before_decoding(format: str, tmp_path: Path) -> None:
    path = save(tmp_path, loaded(format))
    facts = PhotoHandler().probe(path)
    assert (facts.kind, facts.format, facts.width, facts.height, facts.frames) == (
        "photo",
        format,
        WIDTH,
        HEIGHT,
        1,
    )
    target = tmp_path / "out"
    assert render(path, target).frames == 1
    assert shown(target).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("colour", [(0, 0, 0), (200, 30, 90)])
@pytest.mark.parametrize("format", FORMATS)
def test_covers_are_flat_and_the_rest_is_left_alone(
    format: str, colour: tuple[int, int, int], tmp_path: Path
) -> None:
    path = save(tmp_path, loaded(format))
    before = shown(path).astype(int)
    target = tmp_path / "out"
    painter = BoxPainter(colour)
    render(path, target, painter)
    after = shown(target).astype(int)
    x0, y0, x1, y1 = COVER
    assert painter.frames == [0]
    assert abs(after[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2] - colour).max() <= FLAT.get(format, 0)
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[y0 - 8 : y1 + 8, x0 - 8 : x1 + 8] = False
    assert abs(after - before)[outside].mean() <= CLOSE.get(format, 0.0)


@pytest.mark.parametrize("format", sorted(EXACT))
def test_what_lies_under_a_cover_changes_no_byte_of_the_output(format: str, tmp_path: Path) -> None:
    outputs = []
    for number, hidden in enumerate((0, 255)):
        picture = scene()
        x0, y0, x1, y1 = COVER
        picture[y0:y1, x0:x1] = hidden
        image = Image.fromarray(picture)
        path = save(tmp_path, encode(format, image.quantize(255) if format == "gif" else image), f"{number}")
        target = tmp_path / f"out{number}"
        render(path, target)
        outputs.append(target.read_bytes())
    if format == "gif":  # its palette was made from all pixels, the hidden ones too
        assert abs(_pixels(outputs[0]) - _pixels(outputs[1]))[y0:y1, x0:x1].max() == 0
    else:
        assert outputs[0] == outputs[1]


def _pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_planted_beside_the_pixels_reaches_the_output(format: str, tmp_path: Path) -> None:
    data = loaded(format)
    assert data.count(CANARY.encode()) >= 1
    target = tmp_path / "out"
    render(save(tmp_path, data), target)
    written = target.read_bytes()
    for code in ("utf-8", "utf-16-le", "utf-16-be"):
        assert CANARY.encode(code) not in written
    for mark in (b"Exif", b"ICC", b"iCCP", b"http://", b"x:xmpmeta", b"Photoshop"):
        assert mark not in written


@pytest.mark.parametrize("format", FORMATS)
def test_metadata_changes_nothing_in_the_pixels(format: str, tmp_path: Path) -> None:
    bare, full = save(tmp_path, plain(format), "bare"), save(tmp_path, loaded(format), "full")
    assert np.array_equal(shown(bare), shown(full))
    render(bare, tmp_path / "a")
    render(full, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", WITH_EXIF)
def test_orientation_is_in_the_pixels(format: str, orientation: int, tmp_path: Path) -> None:
    upright = Image.fromarray(scene())
    tagged = upright.copy()
    tagged.getexif()[0x112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(tagged)).astype(int)
    path = save(tmp_path, loaded(format, orientation))
    facts = PhotoHandler().probe(path)
    assert (facts.width, facts.height) == (expected.shape[1], expected.shape[0])
    assert abs(shown(path).astype(int) - expected).mean() <= 2
    _assert_turn_explains(upright, facts.rotation, facts.mirrored, expected)
    target = tmp_path / "out"
    render(path, target)
    assert (facts.width, facts.height) == shown(target).shape[1::-1]


def _assert_turn_explains(stored: Image.Image, rotation: int, mirrored: bool, expected: np.ndarray) -> None:
    turned = stored.rotate(-rotation, expand=True)
    turned = ImageOps.mirror(turned) if mirrored else turned
    assert np.array_equal(np.asarray(turned), expected)


@pytest.mark.parametrize("orientation", [3, 6, 7])
@pytest.mark.parametrize("format", ["heif", "avif"])
def test_a_turn_that_the_container_and_exif_both_tell_is_applied_once(
    format: str, orientation: int, tmp_path: Path
) -> None:
    # both encoders write the tag as the container's own turn and mirror boxes
    image = Image.fromarray(scene())
    prefix = b"Exif\x00\x00" if format == "avif" else b""
    path = save(tmp_path, encode(format, image, exif=prefix + exif_block(orientation)))
    tagged = image.copy()
    tagged.getexif()[0x112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(tagged)).astype(int)
    assert shown(path).shape == expected.shape
    assert abs(shown(path).astype(int) - expected).mean() <= CLOSE[format]


@pytest.mark.parametrize("format", [*WITH_EXIF, "avif", "heif"])
@pytest.mark.parametrize("keep", [0, 8])
def test_a_broken_exif_block_does_not_stop_a_photo(format: str, keep: int, tmp_path: Path) -> None:
    sound = exif_block(1)
    data = loaded(format)
    if format == "tiff":
        # an EXIF directory that lies outside the file, and one that points to itself
        image = Image.fromarray(scene())
        data = encode(format, image, tiffinfo={34665: 0x7FFFFFFF, 34853: 8})
        broken = data
    else:
        at = data.index(sound[:4])
        body = data[: at + keep] + b"\xff" * 40 + data[at + keep + 40 :]
        broken = body if format != "png" else _with_checksum(body, b"eXIf")
    assert abs(shown(save(tmp_path, broken)).astype(int) - scene()).mean() <= 4


def _with_checksum(data: bytes, kind: bytes) -> bytes:
    at = data.index(kind)
    end = at + 4 + int.from_bytes(data[at - 4 : at], "big")
    return data[:end] + zlib.crc32(data[at:end]).to_bytes(4, "big") + data[end + 4 :]


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_orientation_survives_when_other_parts_of_exif_are_cut_off(format: str, tmp_path: Path) -> None:
    cut = exif_block(6)[: -2 * len(CANARY)]
    prefix = b"Exif\x00\x00" if format == "jpeg" else b""
    path = save(tmp_path, encode(format, Image.fromarray(scene()), exif=prefix + cut))
    facts = PhotoHandler().probe(path)
    assert (facts.width, facts.height, facts.rotation) == (HEIGHT, WIDTH, 90)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("format", FORMATS)
def test_a_truncated_photo_is_refused(format: str, share: float, tmp_path: Path) -> None:
    data = plain(format)
    path = save(tmp_path, data[: int(len(data) * share)])
    target = tmp_path / "out"
    with pytest.raises(DamagedInputError):
        render(path, target)
    assert not target.exists()


def test_a_heif_photo_of_tiles_with_the_last_ones_cut_off_is_refused(tmp_path: Path) -> None:
    # phones store photos as tiles, and libheif leaves missing ones blank without a word
    data = encode("heif", Image.fromarray(scene(300, 200)), tile_size=128)
    assert b"grid" in data
    with pytest.raises(DamagedInputError):
        shown(save(tmp_path, data[:-200]))


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spot=st.floats(0, 1), junk=st.binary(min_size=1, max_size=24))
def test_damage_anywhere_gives_a_picture_or_one_of_our_errors(
    format: str, spot: float, junk: bytes, tmp_path: Path
) -> None:
    data = bytearray(loaded(format))
    at = int(spot * (len(data) - 1))
    data[at : at + len(junk)] = junk
    path = save(tmp_path, bytes(data))
    try:
        facts = PhotoHandler().probe(path)
        if facts.width * facts.height > 4_000_000:
            return
        picture = shown(path)
    except RedactError as error:
        assert str(tmp_path) not in str(error)
    else:
        assert picture.shape == (facts.height, facts.width, 3)


@pytest.mark.parametrize("format", FORMATS)
def test_an_existing_target_is_never_overwritten(format: str, tmp_path: Path) -> None:
    target = save(tmp_path, b"keep me", "out")
    with pytest.raises(OutputError):
        render(save(tmp_path, plain(format)), target)
    assert target.read_bytes() == b"keep me"


def test_a_format_that_cannot_be_written_is_an_encode_error(tmp_path: Path) -> None:
    path = save(tmp_path, plain("png"))
    handler = PhotoHandler()
    with pytest.raises(EncodeError):
        handler.render(path, handler.probe(path), OutputSpec(format="mp4"), BoxPainter(), tmp_path / "out")


def test_quality_is_the_policys(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (120, 120, 3), np.uint8)
    path = save(tmp_path, encode("jpeg", Image.fromarray(noise)))
    render(path, tmp_path / "low", photo=PhotoPolicy(quality=60))
    render(path, tmp_path / "high", photo=PhotoPolicy(quality=95))
    low, high = ((tmp_path / name).stat().st_size for name in ("low", "high"))
    assert low * 1.5 < high


def test_the_picture_that_analysis_decoded_is_not_changed_by_rendering(tmp_path: Path) -> None:
    path = save(tmp_path, plain("png"))
    handler = PhotoHandler()
    facts = handler.probe(path)
    (frame,) = handler.frames(path, facts)
    handler.render(path, facts, OutputSpec(format="png"), BoxPainter(), tmp_path / "out")
    assert np.array_equal(cv2.cvtColor(frame.picture.bgr(), cv2.COLOR_BGR2RGB), scene())


def test_a_file_that_changed_after_analysis_is_decoded_again(tmp_path: Path) -> None:
    path = save(tmp_path, plain("png"))
    handler = PhotoHandler()
    facts = handler.probe(path)
    list(handler.frames(path, facts))
    path.write_bytes(encode("png", Image.fromarray(255 - scene())))
    handler.render(path, facts, OutputSpec(format="png"), BoxPainter(), tmp_path / "out")
    after = shown(tmp_path / "out")
    assert np.array_equal(after[40:], (255 - scene())[40:])
