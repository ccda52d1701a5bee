"""Turns any decoded picture into 8-bit sRGB before its colour description is dropped.

Uses the embedded profile through Little CMS with perceptual intent (matrix profiles have one intent only).
A profile that cannot be read or does not fit the pixels is ignored and the numbers are taken as sRGB, which
is what viewers do. Code points (H.273), PNG gAMA/cHRM and the DCF Adobe RGB mark become profiles of our own.
"""

from __future__ import annotations

import io
import struct
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from redact.errors import UnsupportedInputError
from redact.media.blocks import Blocks
from redact.media.tiff import read_exif

Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x, y of white, red, green, blue: the order of PNG's cHRM."""

D65 = (0.3127, 0.3290)
BT709_PRIMARIES: Chromaticities = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
ADOBE_RGB: Chromaticities = (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
ADOBE_GAMMA = 563 / 256
PRIMARIES: dict[int, Chromaticities] = {
    # H.273 code points of the primaries that photos use
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
GAMMA_TRANSFERS = {4: 2.2, 5: 2.8, 8: 1.0}
"""Others (1, 6, 13, 14, 15, unspecified) are shown with the sRGB curve, as browsers do."""
IDENTITY_TOLERANCE = 1
"""Profiles that change no colour by more than this (of 255) are sRGB under another name: not worth a pass."""

ICC_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError, OverflowError)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.96422, 1.0, 0.82521])


def _curve(gamma: float | None) -> bytes:
    """An ICC `curv` tag for a power law, or for the sRGB curve (1024 points) if `gamma` is None."""
    if gamma is not None:
        return b"curv\x00\x00\x00\x00" + struct.pack(">IH", 1, round(gamma * 256))
    x = np.linspace(0, 1, 1024)
    y = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return b"curv\x00\x00\x00\x00" + struct.pack(">I", 1024) + np.round(y * 65535).astype(">u2").tobytes()


@lru_cache(maxsize=16)
def matrix_profile(chromaticities: Chromaticities, gamma: float | None) -> bytes:
    """A minimal ICC v2 display profile (ICC.1:2001-04) with these primaries; `gamma` None is the sRGB curve.

    Raises:
        ValueError: the primaries span no colour space.
    """
    points = np.array(chromaticities, dtype=float).reshape(4, 2)
    if (points[:, 1] <= 0).any():
        raise ValueError("chromaticities")
    xyz = np.column_stack([points[:, 0], points[:, 1], 1 - points.sum(axis=1)]) / points[:, 1:2]
    white, primaries = xyz[0], xyz[1:].T
    cone = _BRADFORD @ white
    if abs(np.linalg.det(primaries)) < 1e-6 or (abs(cone) < 1e-6).any():
        raise ValueError("chromaticities")
    adapt = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / cone) @ _BRADFORD
    columns = adapt @ (primaries * np.linalg.solve(primaries, white))

    def place(values: np.ndarray) -> bytes:
        return b"XYZ \x00\x00\x00\x00" + struct.pack(">3i", *(round(float(v) * 65536) for v in values))

    curve = _curve(gamma)
    curve += bytes(-len(curve) % 4)
    tags = [(b"wtpt", place(_D50))]
    tags += [(name, place(columns[:, n])) for n, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
    table, body, start = b"", b"", 132 + 12 * (len(tags) + 3)
    for name, content in tags:
        table += struct.pack(">4sII", name, start + len(body), len(content))
        body += content
    for name in (b"rTRC", b"gTRC", b"bTRC"):  # one curve, three names
        table += struct.pack(">4sII", name, start + len(body), len(curve))
    body += curve
    header = struct.pack(">I4xI4s4s4s", start + len(body), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s", 2001, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += struct.pack(">3i", *(round(v * 65536) for v in _D50))
    return header.ljust(128, b"\x00") + struct.pack(">I", len(tags) + 3) + table + body


def profile_of(blocks: Blocks) -> bytes:
    """The ICC profile that describes the pixels; empty if they are sRGB or nothing is said.

    Raises:
        UnsupportedInputError: an HDR transfer (PQ, HLG), whose numbers mean nothing in sRGB.
    """
    if blocks.code_points is not None and blocks.code_points[1] in HDR_TRANSFERS:
        raise UnsupportedInputError(
            f"HDR photos ({HDR_TRANSFERS[blocks.code_points[1]]}) are not handled. Export it as SDR first."
        )
    if blocks.icc:
        return blocks.icc
    try:
        if blocks.code_points is not None:
            primaries, transfer = blocks.code_points
            gamma = GAMMA_TRANSFERS.get(transfer)
            if primaries in PRIMARIES or gamma is not None:
                return matrix_profile(PRIMARIES.get(primaries, BT709_PRIMARIES), gamma)
        elif blocks.gamma is not None and blocks.gamma[0]:
            numbers = blocks.gamma[1]
            points = tuple(n / 100_000 for n in numbers) if numbers else BT709_PRIMARIES
            # 45455 stands for the sRGB curve; browsers and editors write it for sRGB pictures
            gamma = None if abs(blocks.gamma[0] - 45455) < 100 else 100_000 / blocks.gamma[0]
            return matrix_profile(points, gamma)
        elif blocks.exif and read_exif(blocks.exif).adobe_rgb:
            return matrix_profile(ADOBE_RGB, ADOBE_GAMMA)
    except (ValueError, struct.error):
        return b""  # impossible numbers describe nothing
    return b""


def _plain(image: Image.Image) -> Image.Image:
    """`image` in one of the modes L, LA, RGB, RGBA, CMYK, LAB, 8 bits a sample."""
    mode = image.mode
    if mode.startswith("I;16"):
        wide = np.asarray(image).astype(np.uint32)
        transparent = image.info.get("transparency")
        grey = Image.fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8))
        if not isinstance(transparent, int):
            return grey
        alpha = Image.fromarray(np.where(wide == transparent, 0, 255).astype(np.uint8))
        return Image.merge("LA", (grey, alpha))
    if mode in ("I", "F"):
        raise UnsupportedInputError("Pictures with 32 bits a sample are not handled. Save it with 8 or 16.")
    if "transparency" in image.info and mode in ("1", "L", "P", "RGB"):
        return image.convert("LA" if mode in ("1", "L") else "RGBA")
    simple = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "YCbCr": "RGB", "HSV": "RGB"}
    simple["RGBX"] = "RGB"
    return image.convert(simple[mode]) if mode in simple else image


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Transform from `profile` to sRGB for pixels of `mode`, or None if it is of no use."""
    try:
        source = (
            ImageCms.createProfile("LAB") if mode == "LAB" else ImageCms.ImageCmsProfile(io.BytesIO(profile))
        )
        transform = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, "RGB", renderingIntent=ImageCms.Intent.PERCEPTUAL
        )
        if mode in ("L", "RGB") and _changes_little(transform, mode):
            return None
    except ICC_ERRORS:
        return None
    return transform


def _changes_little(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "L":
        probe = Image.fromarray(steps[None])
    else:
        r, g, b = np.meshgrid(steps, steps, steps)
        probe = Image.fromarray(np.stack([r.ravel(), g.ravel(), b.ravel()], axis=1)[None].copy())
    shown = ImageCms.applyTransform(probe, transform)
    if shown is None:
        return False
    difference = np.asarray(shown).astype(int) - np.asarray(probe.convert("RGB"))
    return bool(abs(difference).max() <= IDENTITY_TOLERANCE)


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """`image` as L, LA, RGB or RGBA in sRGB, 8 bits a sample; alpha is untouched, grey stays grey.

    16-bit samples are scaled to 8 bits (never clipped). CMYK without a usable profile is turned by the plain
    formula, as browsers do.

    Raises:
        UnsupportedInputError: 32-bit samples.
    """
    image = _plain(image)
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    base = image.convert({"LA": "L", "RGBA": "RGB"}[image.mode]) if alpha is not None else image
    grey = base.mode == "L"
    transform = _transform(profile, base.mode) if profile or base.mode == "LAB" else None
    if transform is None and grey and profile:
        # a grey picture with an RGB profile: its numbers are equal red, green and blue
        base = base.convert("RGB")
        transform = _transform(profile, "RGB")
    shown = ImageCms.applyTransform(base, transform) if transform is not None else None
    if shown is None:
        shown = base if base.mode in ("L", "RGB") else base.convert("RGB")
    if grey and shown.mode == "RGB":
        shown = shown.getchannel("G")
    if alpha is not None:
        shown.putalpha(alpha)
    return shown
