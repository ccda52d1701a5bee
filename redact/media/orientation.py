"""The eight ways a stored picture can be turned for display, on planes, and as a display matrix says them."""

from __future__ import annotations

import struct
from typing import Literal

import numpy as np
import numpy.typing as npt

from redact.errors import UnsupportedInputError
from redact.media.base import Rectangle
from redact.plan import MediaFacts

Turn = Literal[0, 90, 180, 270]
UNIT = 1 << 16
# (a, b, c, d) of ISO/IEC 14496-12's matrix in units of one: x' = ax + cy, y' = bx + dy
_TURNS: dict[tuple[int, int, int, int], tuple[Turn, bool]] = {
    (1, 0, 0, 1): (0, False),
    (0, 1, -1, 0): (90, False),
    (-1, 0, 0, -1): (180, False),
    (0, -1, 1, 0): (270, False),
    (-1, 0, 0, 1): (0, True),
    (0, 1, 1, 0): (90, True),
    (1, 0, 0, -1): (180, True),
    (0, -1, -1, 0): (270, True),
}


def from_display_matrix(data: bytes) -> tuple[Turn, bool]:
    """(clockwise turn, mirrored left to right afterwards) of a 9 x int32 display matrix.

    Raises:
        UnsupportedInputError: a matrix that is not one of the eight upright ways.
    """
    values = struct.unpack("=9i", data[:36])
    # scale does not matter here, only direction
    signs = tuple(
        (v > UNIT // 100) - (v < -UNIT // 100) for v in (values[0], values[1], values[3], values[4])
    )
    found = _TURNS.get(signs)
    if found is None:
        raise UnsupportedInputError(
            "The video is shown at an angle that is no quarter turn; export it upright."
        )
    return found


def turned(
    plane: npt.NDArray[np.unsignedinteger], turn: Turn, mirrored: bool
) -> npt.NDArray[np.unsignedinteger]:
    """A view of the plane (H x W) in display orientation."""
    view = np.rot90(plane, k=-turn // 90) if turn else plane
    return view[:, ::-1] if mirrored else view


def as_stored(rectangle: Rectangle, facts: MediaFacts) -> Rectangle:
    """A rectangle of the displayed picture in pixels of the stored frame: `turned` backwards."""
    (x0, y0, x1, y1), width, height = rectangle, facts.width, facts.height
    if facts.mirrored:
        x0, x1 = width - x1, width - x0
    if facts.rotation == 90:
        return y0, width - x1, y1, width - x0
    if facts.rotation == 180:
        return width - x1, height - y1, width - x0, height - y0
    if facts.rotation == 270:
        return height - y1, x0, height - y0, x1
    return x0, y0, x1, y1
