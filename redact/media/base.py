"""The media handler contract: probe a file, hand out its frames, write a new file from covered frames.

A handler never copies a byte of the source's container or codec stream. Frames reach analysis through
`DecodedFrame.picture` and rendering through `render`, which calls the `Painter` on pixels it owns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from redact.detect.base import Picture
from redact.plan import MediaFacts, OutputSpec, SoundEdit

Planes = list[npt.NDArray[np.uint8] | npt.NDArray[np.uint16]]
"""Y, U, V (planar; uint16 above 8 bits), each H' x W' with its own subsampling, display orientation."""

Rectangle = tuple[int, int, int, int]
"""x0, y0, x1, y1 in whole pixels; the last two lie outside."""


@dataclass(frozen=True)
class RenderedFacts:
    """What a render really wrote, for the caller to hold against the plan."""

    frames: int


@dataclass(frozen=True)
class DecodedFrame:
    """One frame in display order."""

    index: int
    time: Fraction
    """Presentation time in seconds, exact."""
    picture: Picture
    """The frame; of a see-through one, how it looks over one of the grounds that it must be seen over."""
    shown: Fraction = Fraction(0)
    """Seconds for which the file says it is shown, 0 if it does not. Only of use for the last frame: the
    others are shown until the next one."""
    more: Callable[[], Iterable[Picture]] = tuple
    """Makes the pictures over the other grounds, one at a time, where the frame is see-through."""

    def looks(self) -> Iterator[Picture]:
        """Every picture of the frame that detectors must see; what is found on any of them is there.

        All are of one size. Each is made when it is asked for, so that few are in memory at a time.
        """
        yield self.picture
        yield from self.more()


class Painter(Protocol):
    """Covers the regions of one frame in place. Implemented in `redact.cover`."""

    def bgr(self, frame: int, image: npt.NDArray[np.unsignedinteger]) -> None:
        """Cover frame number `frame` in an H x W x 3 or 4 array (BGR[A], uint8 or uint16), in place."""

    def covered(self, frame: int) -> Sequence[Rectangle]:
        """The rectangles that are painted over on frame number `frame`. Asked for in ascending order, ahead
        of the painting and perhaps in another thread."""

    def yuv(self, frame: int, planes: Planes, *, bit_depth: int, full_range: bool, matrix: int) -> None:
        """The same on planar YUV in display orientation. `matrix` is the H.273 code point."""


Progress = Callable[[int, int], None]
"""Called with (frames done, frames in all or 0 if unknown)."""


class MediaHandler(Protocol):
    """Everything the pipeline needs to know about one kind of media."""

    kind: str

    def probe(self, path: Path) -> MediaFacts:
        """Read the facts without decoding everything.

        Raises:
            DamagedInputError, UnsupportedInputError: the file is broken or of a refused variant.
        """

    def frames(self, path: Path, facts: MediaFacts) -> Iterator[DecodedFrame]:
        """Decode every frame in display order. Pictures stay valid as long as they are held.

        Raises:
            DamagedInputError: on the first frame that does not decode without errors.
        """

    def render(
        self,
        path: Path,
        facts: MediaFacts,
        spec: OutputSpec,
        painter: Painter,
        target: Path,
        progress: Progress | None = None,
        sound: Sequence[SoundEdit] = (),
    ) -> RenderedFacts:
        """Decode `path` again, cover every frame and write a new file at `target` (must not exist).

        Nothing but pixels (and sound, if `spec` keeps it, overwritten where `sound` says) is carried over.

        Raises:
            DamagedInputError: the input does not decode whole.
            EncodeError: the encoder failed, or frame count or size differ from what was put in.
        """
