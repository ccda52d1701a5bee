"""Colour, depth and transparency: what is seen once the profile is gone is what was meant."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_samples import BoxPainter, encode, exif_block, render, save, shown
from PIL import Image, ImageCms

from redact.errors import UnsupportedInputError
from redact.media.colour import ADOBE_GAMMA, ADOBE_RGB, PRIMARIES, matrix_profile
from redact.media.grounds import visible
from redact.media.photo import PhotoHandler

FORMATS_WITH_PROFILE = ("jpeg", "png", "webp", "tiff", "heif", "avif")
TO_XYZ_D65 = {
    # Adobe RGB (1998), section 4.3.5.3; sRGB, IEC 61966-2-1
    "adobe": np.array(
        [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    ),
    "srgb": np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]),
}


def adobe_to_srgb(rgb: tuple[int, int, int]) -> np.ndarray:
    """The published formulas, without any colour library."""
    linear = (np.array(rgb) / 255) ** ADOBE_GAMMA
    srgb = np.linalg.inv(TO_XYZ_D65["srgb"]) @ TO_XYZ_D65["adobe"] @ linear
    srgb = np.clip(srgb, 0, 1)
    return 255 * np.where(srgb <= 0.0031308, 12.92 * srgb, 1.055 * srgb ** (1 / 2.4) - 0.055)


def flat(rgb: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (32, 32), rgb)


@pytest.mark.parametrize(
    "rgb", [(120, 180, 90), (200, 120, 100), (60, 70, 160), (128, 128, 128), (255, 255, 255)]
)
@pytest.mark.parametrize("format", FORMATS_WITH_PROFILE)
def test_wide_gamut_colours_become_the_srgb_numbers_of_the_same_colour(
    format: str, rgb: tuple[int, int, int], tmp_path: Path
) -> None:
    profile = matrix_profile(ADOBE_RGB, ADOBE_GAMMA)
    path = save(tmp_path, encode(format, flat(rgb), icc_profile=profile))
    expected = adobe_to_srgb(rgb)
    assert abs(shown(path)[16, 16] - expected).max() <= 3
    render(path, tmp_path / "out", BoxPainter(box=(0, 0, 2, 2)))
    assert abs(shown(tmp_path / "out")[16, 16] - expected).max() <= 4


def test_adobe_rgb_marked_only_by_the_camera_is_converted_too(tmp_path: Path) -> None:
    # DCF: no profile, EXIF interoperability index R03
    interop = struct.pack(">HHHI4sI", 1, 1, 2, 4, b"R03\x00", 0)
    exif_ifd = struct.pack(">HHHIII", 1, 0xA005, 4, 1, 44, 0)
    first = struct.pack(">HHHIII", 1, 0x8769, 4, 1, 26, 0)
    block = b"MM\x00*" + struct.pack(">I", 8) + first + exif_ifd + interop
    path = save(tmp_path, encode("jpeg", flat((120, 180, 90)), exif=b"Exif\x00\x00" + block))
    assert abs(shown(path)[16, 16] - adobe_to_srgb((120, 180, 90))).max() <= 3


def test_png_gamma_is_honoured(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    data = encode("png", flat((128, 128, 128)))
    linear = data[:33] + chunk(b"gAMA", struct.pack(">I", 100_000)) + data[33:]
    assert abs(int(shown(save(tmp_path, linear))[0, 0, 0]) - 188) <= 1
    usual = data[:33] + chunk(b"gAMA", struct.pack(">I", 45455)) + data[33:]
    assert shown(save(tmp_path, usual))[0, 0, 0] == 128


def test_code_points_of_display_p3_are_honoured_and_hdr_is_refused(tmp_path: Path) -> None:
    def png(primaries: int, transfer: int) -> Path:
        body = b"cICP" + bytes([primaries, transfer, 0, 1])
        chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
        data = encode("png", flat((200, 60, 60)))
        return save(tmp_path, data[:33] + chunk + data[33:])

    red, green, _ = (int(v) for v in shown(png(12, 13))[0, 0])
    assert red >= 210
    assert green <= 50
    for transfer in (16, 18):
        with pytest.raises(UnsupportedInputError):
            shown(png(9, transfer))


@pytest.mark.parametrize("points", [ADOBE_RGB, *PRIMARIES.values()])
def test_every_profile_of_ours_maps_white_and_black_to_themselves(
    points: tuple[float, ...], tmp_path: Path
) -> None:
    image = Image.fromarray(np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8))
    data = encode("png", image, icc_profile=matrix_profile(points, None))
    assert abs(shown(save(tmp_path, data)).astype(int) - np.asarray(image)).max() <= 1


@pytest.mark.parametrize("profile", [b"\x00" * 200, b"junk", matrix_profile(ADOBE_RGB, 2.2)[:200]])
@pytest.mark.parametrize("format", FORMATS_WITH_PROFILE)
def test_a_broken_profile_is_ignored(format: str, profile: bytes, tmp_path: Path) -> None:
    path = save(tmp_path, encode(format, flat((120, 180, 90)), icc_profile=profile))
    assert abs(shown(path)[16, 16].astype(int) - (120, 180, 90)).max() <= 3


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_sixteen_bit_grey_is_scaled_not_clipped(format: str, tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(20, axis=0)
    done, data = cv2.imencode(".png" if format == "png" else ".tiff", ramp)
    assert done
    path = save(tmp_path, data.tobytes())
    assert PhotoHandler().probe(path).bit_depth == 16
    assert np.array_equal(shown(path)[0, :, 0], np.arange(256))


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_sixteen_bit_colour_keeps_its_upper_byte(format: str, tmp_path: Path) -> None:
    picture = np.zeros((20, 20, 3), np.uint16)
    picture[:] = (0x1234, 0x8000, 0xFEDC)
    _, data = cv2.imencode(".png" if format == "png" else ".tiff", picture)
    red, green, blue = (int(v) for v in shown(save(tmp_path, data.tobytes()))[0, 0])
    assert (red, green) == (0xFE, 0x80)
    assert abs(blue - 0x12) <= 1


@pytest.mark.parametrize("format", ["jpeg", "tiff"])
def test_cmyk_becomes_rgb(format: str, tmp_path: Path) -> None:
    ink = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    path = save(tmp_path, encode(format, ink))
    red, green, blue = (int(v) for v in shown(path)[16, 16])
    assert red > 230
    assert max(green, blue) < 25
    render(path, tmp_path / "out")
    assert Image.open(tmp_path / "out").mode == "RGB"


def test_lab_becomes_rgb(tmp_path: Path) -> None:
    lab = Image.merge("LAB", [Image.new("L", (20, 20), value) for value in (136, 208, 195)])  # sRGB red
    red, green, blue = (int(v) for v in shown(save(tmp_path, encode("tiff", lab)))[10, 10])
    assert red > 240
    assert max(green, blue) < 40


def test_a_profile_for_other_colours_than_the_pixels_is_ignored(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    path = save(tmp_path, encode("png", flat((10, 200, 90)), icc_profile=lab))
    assert tuple(shown(path)[0, 0]) == (10, 200, 90)


@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "heif", "avif", "bmp"])
def test_grey_stays_grey_unless_the_cover_is_coloured(format: str, tmp_path: Path) -> None:
    ramp = Image.fromarray(np.arange(64, dtype=np.uint8)[None].repeat(64, axis=0) * 3)
    path = save(tmp_path, encode(format, ramp))
    render(path, tmp_path / "grey")
    render(path, tmp_path / "red", BoxPainter((200, 0, 0)))
    opened = pillow_heif.open_heif if format == "heif" else Image.open
    assert opened(tmp_path / "grey").mode == "L"
    assert opened(tmp_path / "red").mode == "RGB"


@pytest.mark.parametrize("samples", ["I", "F"])
def test_thirty_two_bit_samples_are_refused(samples: str, tmp_path: Path) -> None:
    path = save(tmp_path, encode("tiff", Image.new(samples, (8, 8), 7)))
    with pytest.raises(UnsupportedInputError):
        shown(path)


def tiff_with(tag: int, value: int) -> bytes:
    """A 16-bit RGB TIFF in which one SHORT tag has another value."""
    done, data = cv2.imencode(".tiff", np.full((8, 8, 3), 30_000, np.uint16))
    assert done
    sound = struct.pack("<HHI", tag, 3, 1)
    assert data.tobytes().count(sound) == 1
    at = data.tobytes().index(sound) + 8
    return data.tobytes()[:at] + struct.pack("<HH", value, 0) + data.tobytes()[at + 4 :]


@pytest.mark.parametrize(("tag", "value"), [(284, 2), (262, 0)])
def test_sixteen_bit_layouts_that_would_come_out_wrong_are_refused(
    tag: int, value: int, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedInputError):
        shown(save(tmp_path, tiff_with(tag, value)))


FACE = np.random.default_rng(5).integers(0, 255, (40, 40, 3), np.uint8)


def rgba(colour: np.ndarray, alpha: int | np.ndarray) -> Image.Image:
    plane = np.full(colour.shape[:2], 0, np.uint8)
    plane[:] = alpha
    return Image.fromarray(np.dstack([colour, plane]))


@pytest.mark.parametrize("format", ["png", "webp", "tiff", "avif", "heif"])
def test_no_colour_survives_under_full_transparency(format: str, tmp_path: Path) -> None:
    alpha = np.zeros((40, 40), np.uint8)
    alpha[:8] = 255
    path = save(tmp_path, encode(format, rgba(FACE, alpha)))
    render(path, tmp_path / "out", BoxPainter(box=(0, 0, 2, 2)))
    image = (
        pillow_heif.open_heif(tmp_path / "out").to_pillow()
        if format == "heif"
        else Image.open(tmp_path / "out")
    )
    out = np.asarray(image.convert("RGBA")).astype(int)
    assert out[20:, :, 3].max() <= 2
    hidden = out[20:, :, :3].reshape(-1, 3)
    assert hidden.std(axis=0).max() <= 2
    assert abs(out[:6, :, 3] - 255).max() <= 2


@pytest.mark.parametrize("alpha", [1, 3, 40, 128, 254])
def test_detectors_see_everything_that_is_written_under_partial_transparency(alpha: int) -> None:
    bgra = np.dstack([FACE, np.full((40, 40), alpha, np.uint8)])
    seen = visible(bgra).astype(float)
    assert np.corrcoef(seen.ravel(), FACE.ravel())[0, 1] > 0.99
    assert seen.std() >= 0.49 * FACE.std()


@given(level=st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_detectors_see_a_shape_that_lies_in_the_alpha_plane_alone(level: int) -> None:
    shape = FACE[:, :, 0].copy()
    shape[:4] = 0
    seen = visible(np.dstack([np.full((40, 40, 3), level, np.uint8), shape])).astype(float)
    shown_part = shape > 0
    assert abs(np.corrcoef(seen[shown_part][:, 0], shape[shown_part])[0, 1]) > 0.99
    assert np.ptp(seen[shown_part]) >= 55


@pytest.mark.parametrize("format", ["png", "webp", "tiff"])
def test_covers_are_opaque_and_transparency_stays(format: str, tmp_path: Path) -> None:
    path = save(tmp_path, encode(format, rgba(FACE, 90)))
    assert PhotoHandler().probe(path).has_alpha
    render(path, tmp_path / "out", BoxPainter((9, 8, 7), (10, 10, 30, 30)))
    out = np.asarray(Image.open(tmp_path / "out"))
    assert (out[10:30, 10:30] == (9, 8, 7, 255)).all()
    assert (out[:10, :, 3] == 90).all()


def test_a_palette_with_transparency_is_understood(tmp_path: Path) -> None:
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) % 2, "P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    path = save(tmp_path, encode("png", image, transparency=1))
    render(path, tmp_path / "out", BoxPainter(box=(0, 0, 1, 1)))
    out = np.asarray(Image.open(tmp_path / "out").convert("RGBA"))
    assert tuple(out[1, 0]) == (255, 0, 0, 255)
    assert tuple(out[1, 1]) == (0, 0, 0, 0)


def test_a_gif_of_more_than_256_colours_after_covering_keeps_the_cover_exact(tmp_path: Path) -> None:
    # 256 colours next to the cover's: any reduction would merge it with one of them
    image = Image.fromarray(np.arange(64 * 64, dtype=np.uint32).reshape(64, 64).astype(np.uint8), "P")
    image.putpalette([value for red in range(256) for value in (red, 77, 201)])
    path = save(tmp_path, encode("gif", image))
    render(path, tmp_path / "out", BoxPainter((3, 78, 201), (0, 0, 4, 2)))
    out = np.asarray(Image.open(tmp_path / "out").convert("RGB"))
    assert (out[:2, :4] == (3, 78, 201)).all()
    assert abs(out[2:].astype(int) - np.asarray(image.convert("RGB"))[2:]).max() <= 4


def test_orientation_and_profile_work_together(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), (120, 180, 90))
    profile = matrix_profile(ADOBE_RGB, ADOBE_GAMMA)
    path = save(tmp_path, encode("jpeg", image, exif=b"Exif\x00\x00" + exif_block(8), icc_profile=profile))
    picture = shown(path)
    assert picture.shape == (40, 20, 3)
    assert abs(picture[20, 10] - adobe_to_srgb((120, 180, 90))).max() <= 3
