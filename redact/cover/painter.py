"""Draws a plan's covers on frames: on BGR pictures, and directly on the planes of planar YUV.

Everything is drawn on whole even pixels, outward, and on every chroma sample that a covered pixel touches, so
no edge of a face survives in the colour planes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from redact.cover.colour import yuv_colour
from redact.cover.styles import CellNoise, Key, draw_cells, surrounding_cells
from redact.media.base import Planes, Rectangle
from redact.plan import Cover, CoverIndex, Kind
from redact.policy import CoverPolicy

CHROMA_NOISE = 0.3
_SNAP = 4
"""Covers start and end on multiples of this: even, and whole for 4:1:1 and 4:1:0 chroma too."""


class CoverPainter:
    """See `redact.media.base.Painter`. One painter draws one item; frames come in ascending order."""

    def __init__(
        self,
        index: CoverIndex,
        cover: CoverPolicy,
        width: int,
        height: int,
        noise: np.random.Generator | None = None,
    ) -> None:
        """`noise` is a secret of this painter's own if it is not given."""
        self._index, self._cover = index, cover
        self._ahead = index.rewound()
        self._width, self._height = width, height
        self._noise = CellNoise(noise)

    def covered(self, frame: int) -> list[Rectangle]:
        """See `redact.media.base.Painter`."""
        snapped = [self._snapped(cover) for cover in self._ahead.at(frame)]
        return [rectangle for rectangle in snapped if rectangle is not None]

    def _snapped(self, cover: Cover) -> Rectangle | None:
        return cover.box.snapped(self._width, self._height, _SNAP)

    def _rectangles(self, frame: int) -> tuple[list[Rectangle], list[tuple[Rectangle, Key]]]:
        """All rectangles to fill, and those of them that are then drawn in the policy's style."""
        solid: list[Rectangle] = []
        styled: list[tuple[Rectangle, Key]] = []
        for cover in self._index.at(frame):
            rectangle = self._snapped(cover)
            if rectangle is None:
                continue
            if self._cover.mode == "solid" or cover.kind is not Kind.FACE or cover.solid:
                solid.append(rectangle)
            else:
                styled.append((rectangle, (cover.first, cover.box)))
        return solid, styled

    def bgr(self, frame: int, image: npt.NDArray[np.unsignedinteger]) -> None:
        """Cover one frame in place: H x W, H x W x 3 (BGR) or H x W x 4 (BGRA), uint8 or uint16."""
        peak = int(np.iinfo(image.dtype).max)
        red, green, blue = (value * peak // 255 for value in self._cover.colour)
        grey = round(0.299 * red + 0.587 * green + 0.114 * blue)
        solid, styled = self._rectangles(frame)
        for x0, y0, x1, y1 in (*solid, *(rectangle for rectangle, _ in styled)):
            if image.ndim == 2:
                image[y0:y1, x0:x1] = grey
                continue
            image[y0:y1, x0:x1, :3] = (blue, green, red)
            if image.shape[2] == 4:
                image[y0:y1, x0:x1, 3] = peak  # what is covered must not show what lies behind the picture
        if styled:
            planes = [image] if image.ndim == 2 else [image[..., n] for n in range(3)]
            fallback = (grey,) if image.ndim == 2 else (blue, green, red)
            self._draw(planes, solid, styled, fallback, peak, same_noise=True)

    def yuv(self, frame: int, planes: Planes, *, bit_depth: int, full_range: bool, matrix: int) -> None:
        """Cover one frame in place on planar YUV (or a single grey plane) of any subsampling."""
        height, width = planes[0].shape
        colour = yuv_colour(
            self._cover.colour, matrix=matrix, bit_depth=bit_depth, full_range=full_range, height=height
        )
        solid, styled = self._rectangles(frame)
        for rectangle in (*solid, *(rectangle for rectangle, _ in styled)):
            for plane, value in zip(planes, colour, strict=False):
                x0, y0, x1, y1 = _on_plane(plane, rectangle, width, height)
                plane[y0:y1, x0:x1] = value
        if styled:
            self._draw(planes, solid, styled, colour, (1 << bit_depth) - 1, same_noise=matrix == 0)

    def _draw(
        self,
        planes: Sequence[npt.NDArray[np.unsignedinteger]],
        solid: list[Rectangle],
        styled: list[tuple[Rectangle, Key]],
        fallback: Sequence[int],
        peak: int,
        *,
        same_noise: bool,
    ) -> None:
        """Draw styled covers on planes whose covers are all filled already, so that no face can be read."""
        mode: Literal["blur", "mosaic"] = "blur" if self._cover.mode == "blur" else "mosaic"
        for number, plane in enumerate(planes):
            hidden = np.zeros(plane.shape, np.bool_)
            places = [
                _on_plane(plane, each, self._width, self._height)
                for each in (*solid, *(rectangle for rectangle, _ in styled))
            ]
            for x0, y0, x1, y1 in places:
                hidden[y0:y1, x0:x1] = True
            drawn = []
            for rectangle, key in styled:
                place = _on_plane(plane, rectangle, self._width, self._height)
                cells = surrounding_cells(plane, hidden, place, fallback[number])
                # chroma moves less than luma, or the cells would look like confetti
                strength = peak if same_noise or number == 0 else peak * CHROMA_NOISE
                drawn.append((place, cells + self._noise.of(key) * strength))
            for (x0, y0, x1, y1), cells in drawn:
                draw_cells(plane[y0:y1, x0:x1], cells, peak, mode)
            for rectangle in solid:
                x0, y0, x1, y1 = _on_plane(plane, rectangle, self._width, self._height)
                plane[y0:y1, x0:x1] = fallback[number]  # nothing is drawn over a solid cover


def _on_plane(
    plane: npt.NDArray[np.unsignedinteger], rectangle: Rectangle, width: int, height: int
) -> Rectangle:
    """The samples of a (subsampled) plane that any pixel of the rectangle touches."""
    x0, y0, x1, y1 = rectangle
    rows, columns = plane.shape
    sx, sy = _subsampling(width, columns), _subsampling(height, rows)
    return x0 // sx, y0 // sy, -(-x1 // sx), -(-y1 // sy)


def _subsampling(pixels: int, samples: int) -> int:
    """Pixels to a sample along one axis: 1, 2 or 4. Odd sizes round the plane up."""
    return next(factor for factor in (1, 2, 4) if -(-pixels // factor) == samples)
