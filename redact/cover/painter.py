"""Draws a plan's covers on frames: on BGR pictures, and directly on the planes of planar YUV.

Everything is drawn on whole even pixels, outward, and on every chroma sample that a covered pixel touches, so
no edge of a face survives in the colour planes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from redact.cover.colour import yuv_colour
from redact.cover.styles import CellMemory, draw_cells
from redact.media.base import Planes
from redact.plan import Box, CoverIndex, Kind
from redact.policy import CoverPolicy

Rectangle = tuple[int, int, int, int]
_SNAP = 4
"""Covers start and end on multiples of this: even, and whole for 4:1:1 and 4:1:0 chroma too."""


class CoverPainter:
    """See `redact.media.base.Painter`. One painter draws one item; frames come in ascending order."""

    def __init__(self, index: CoverIndex, cover: CoverPolicy, width: int, height: int) -> None:
        self._index, self._cover = index, cover
        self._width, self._height = width, height
        self._memory = CellMemory()

    def _rectangles(self, frame: int) -> Iterator[tuple[bool, int, Rectangle, Box]]:
        """(solid, span's first frame, rectangle, box), solid ones last so that nothing is drawn over them."""
        covers = self._index.at(frame)
        drawn = []
        for cover in covers:
            rectangle = cover.box.snapped(self._width, self._height, _SNAP)
            if rectangle is not None:
                solid = self._cover.mode == "solid" or cover.kind is not Kind.FACE or cover.solid
                drawn.append((solid, cover.first, rectangle, cover.box))
        yield from sorted(drawn, key=lambda entry: entry[0])

    def bgr(self, frame: int, image: npt.NDArray[np.unsignedinteger]) -> None:
        """Cover one frame in place: H x W, H x W x 3 (BGR) or H x W x 4 (BGRA), uint8 or uint16."""
        peak = int(np.iinfo(image.dtype).max)
        red, green, blue = (value * peak // 255 for value in self._cover.colour)
        grey = round(0.299 * red + 0.587 * green + 0.114 * blue)
        for solid, first, (x0, y0, x1, y1), box in self._rectangles(frame):
            area = image[y0:y1, x0:x1]
            if solid:
                if image.ndim == 2:
                    area[...] = grey
                else:
                    area[..., :3] = (blue, green, red)
            else:
                channels = [area] if image.ndim == 2 else [area[..., n] for n in range(3)]
                self._cells(channels, (first, box), peak)
            if image.ndim == 3 and image.shape[2] == 4:
                area[..., 3] = peak  # what is covered must not show what lies behind a transparent pixel

    def yuv(self, frame: int, planes: Planes, *, bit_depth: int, full_range: bool, matrix: int) -> None:
        """Cover one frame in place on planar YUV (or a single grey plane) of any subsampling."""
        height, width = planes[0].shape
        colour = yuv_colour(
            self._cover.colour, matrix=matrix, bit_depth=bit_depth, full_range=full_range, height=height
        )
        for solid, first, rectangle, box in self._rectangles(frame):
            areas = [_on_plane(plane, rectangle, width, height) for plane in planes]
            if solid:
                for area, value in zip(areas, colour, strict=False):
                    area[...] = value
            else:
                self._cells(areas, (first, box), (1 << bit_depth) - 1)

    def _cells(
        self,
        areas: list[npt.NDArray[np.unsignedinteger]],
        span: tuple[int, Box],
        peak: int,
    ) -> None:
        mode: Literal["blur", "mosaic"] = "blur" if self._cover.mode == "blur" else "mosaic"
        first, box = span
        for number, area in enumerate(areas):
            draw_cells(area, self._memory.cells((first, number, box), area, peak), mode)


def _on_plane(
    plane: npt.NDArray[np.unsignedinteger], rectangle: Rectangle, width: int, height: int
) -> npt.NDArray[np.unsignedinteger]:
    """The samples of a (subsampled) plane that any pixel of the rectangle touches."""
    x0, y0, x1, y1 = rectangle
    rows, columns = plane.shape
    sx, sy = _subsampling(width, columns), _subsampling(height, rows)
    return plane[y0 // sy : -(-y1 // sy), x0 // sx : -(-x1 // sx)]


def _subsampling(pixels: int, samples: int) -> int:
    """Pixels to a sample along one axis: 1, 2 or 4. Odd sizes round the plane up."""
    return next(factor for factor in (1, 2, 4) if -(-pixels // factor) == samples)
