"""One colour in the terms of a video's planes (ITU-T H.273, equations for limited and full range)."""

from __future__ import annotations

LUMA_WEIGHTS: dict[int, tuple[float, float]] = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.470BG, BT.601
    6: (0.299, 0.114),  # SMPTE 170M, BT.601
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020 non-constant luminance
    10: (0.2627, 0.0593),  # BT.2020 constant luminance, near enough for a flat colour
}
"""K_R and K_B by matrix code point."""
UNSPECIFIED = 2
HD_HEIGHT = 720


def yuv_colour(
    rgb: tuple[int, int, int], *, matrix: int, bit_depth: int, full_range: bool, height: int
) -> tuple[int, int, int]:
    """Sample values (Y, Cb, Cr) of an 8-bit RGB colour. Matrix 0 (GBR) gives (G, B, R).

    An unspecified matrix is taken for BT.709 from 720 lines on and BT.601 below, as players do.
    """
    red, green, blue = (value / 255 for value in rgb)
    peak = (1 << bit_depth) - 1
    unit = 1 << (bit_depth - 8)
    if matrix == 0:
        scale, base = (peak, 0) if full_range else (219 * unit, 16 * unit)
        return (round(green * scale + base), round(blue * scale + base), round(red * scale + base))
    if matrix not in LUMA_WEIGHTS:
        matrix = 1 if height >= HD_HEIGHT else 6
    kr, kb = LUMA_WEIGHTS[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    middle = 1 << (bit_depth - 1)
    if full_range:
        return (
            round(luma * peak),
            min(round(cb * peak) + middle, peak),
            min(round(cr * peak) + middle, peak),
        )
    return (
        round((219 * luma + 16) * unit),
        round(224 * unit * cb) + middle,
        round(224 * unit * cr) + middle,
    )
