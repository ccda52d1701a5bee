"""Decoded frames as pictures for detectors: scaled straight from YUV, upright, shared between threads."""

from __future__ import annotations

import threading

import av.video.frame
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation, VideoReformatter

from redact.detect.base import BgrImage
from redact.media.orientation import turned
from redact.plan import MediaFacts

BASE = 640
"""Sizes up to half of this are made from it: one pass over the full frame serves them all."""
PQ, HLG = 16, 18
MOST_SQUEEZED = 4.0
"""Sides of a sample that are further apart are a mistake in the file; the widest in use is 2.13 (D-10 and
lens adapters give 2). Without a bound one number in a header would blow up every picture."""
_DIFFUSE_WHITE_NITS = 203.0


def tone_curve(transfer: int) -> npt.NDArray[np.uint8] | None:
    """256-entry table that brings an HDR signal near to what detectors were trained on, or None for SDR.

    PQ: SMPTE ST 2084 to light, diffuse white to 1, gamma 2.2. HLG is near to SDR up to its knee: a mild lift.
    """
    signal = np.arange(256) / 255
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        power = signal ** (1 / m2)
        nits = 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
        shown = np.clip(nits / _DIFFUSE_WHITE_NITS, 0, 1) ** (1 / 2.2)
    elif transfer == HLG:
        shown = np.clip(signal / 0.75, 0, 1)
    else:
        return None
    return np.round(shown * 255).astype(np.uint8)


class Scalers:
    """swscale contexts by size, kept for a whole clip: making one costs more than using it."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], tuple[VideoReformatter, threading.Lock]] = {}
        self._lock = threading.Lock()

    def bgr(self, frame: av.video.frame.VideoFrame, width: int, height: int) -> BgrImage:
        """The frame as H x W x 3 BGR of that size."""
        with self._lock:
            if (width, height) not in self._made:
                self._made[width, height] = (VideoReformatter(), threading.Lock())
        scaler, lock = self._made[width, height]
        shrink = width < frame.width
        with lock:
            small = scaler.reformat(
                frame,
                width,
                height,
                "bgr24",
                interpolation=Interpolation.AREA if shrink else Interpolation.BILINEAR,
                threads=1,
            )
        return np.asarray(small.to_ndarray(), dtype=np.uint8)


def shown_shape(facts: MediaFacts) -> tuple[float, float]:
    """Width and height of the picture in square pixels, at which no row and no column is lost.

    Wide-screen film of standard definition, DVCPRO HD and HDV are stored squeezed, and detectors know faces
    as they look on screens. Of 479 faces of 24 px and up and 405 from 12 px in photos squeezed like film, the
    light look and the full one saw so many; drawing out costs as much more as it adds pixels:

    ============================  ========  ========  =======  =======
    stored as                     light >=  light <   full >=  full <
    ============================  ========  ========  =======  =======
    720 x 576, samples, 16:9           379       200      463      351
    the same, drawn out                460       313      474      397
    the same, rows shrunk instead      437       250      476      383
    1440 x 1080, samples, 16:9         283        96      447      255
    the same, drawn out                379       147      465      348
    the same, rows shrunk instead      332        81      456      280
    ============================  ========  ========  =======  =======
    """
    wide, high = facts.sample_aspect
    aspect = wide / high if wide > 0 and high > 0 else 1.0
    if not 1 / MOST_SQUEEZED <= aspect <= MOST_SQUEEZED:
        aspect = 1.0
    return facts.width * max(1.0, aspect), facts.height * max(1.0, 1 / aspect)


class VideoPicture:
    """One decoded frame as a `redact.detect.base.Picture`."""

    def __init__(self, frame: av.video.frame.VideoFrame, facts: MediaFacts, scalers: Scalers) -> None:
        self._frame, self._facts, self._scalers = frame, facts, scalers
        self._shape = shown_shape(facts)
        self._made: dict[int, BgrImage] = {}
        self._lock = threading.Lock()

    @property
    def width(self) -> int:
        """Upright width in the film's own pixels."""
        return self._facts.width

    @property
    def height(self) -> int:
        """Upright height in the film's own pixels."""
        return self._facts.height

    def bgr(self, long_side: int | None = None) -> BgrImage:
        """The frame, its longer side scaled to `long_side` pixels (None: native), then drawn out to how it is
        shown. Never write into it."""
        side = long_side or max(self.width, self.height)
        with self._lock:
            if side not in self._made:
                self._made[side] = self._from_base(side) if side * 2 <= BASE else self._from_frame(side)
            return self._made[side]

    def _from_base(self, side: int) -> BgrImage:
        if BASE not in self._made:
            self._made[BASE] = self._from_frame(BASE)
        base = self._made[BASE]
        scale = side / BASE
        size = (max(1, round(base.shape[1] * scale)), max(1, round(base.shape[0] * scale)))
        return np.asarray(cv2.resize(base, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def _from_frame(self, side: int) -> BgrImage:
        scale = side / max(self.width, self.height)
        width, height = (max(1, round(scale * length)) for length in self._shape)
        if self._facts.rotation in (90, 270):
            width, height = height, width
        image = self._scalers.bgr(self._frame, width, height)
        curve = tone_curve(self._facts.colour.transfer)
        if curve is not None:
            image = np.asarray(cv2.LUT(image, curve), dtype=np.uint8)
        if self._facts.rotation or self._facts.mirrored:
            planes = [turned(image[..., n], self._facts.rotation, self._facts.mirrored) for n in range(3)]
            image = np.ascontiguousarray(np.stack(planes, axis=-1).astype(np.uint8, copy=False))
        return image
