"""Clips whose truth is known on every frame: real face crops that move through real backgrounds.

Faces drift, bob, grow, tilt, leave, come back and pass behind things; backgrounds pan; shots cut, dissolve
and fade; the clip is compressed. For every frame the visible pixels of every face are known exactly, from the
same warp that drew them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from skimage import data

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
FACE = 128
"""Side of a face inside its cut-out, which is twice as large: hair, neck and shoulders come with it."""


@dataclass(frozen=True)
class CutOut:
    """One face with its surroundings: 256 x 256 BGR, soft-edged, the face in the middle 128 x 128."""

    image: Image
    alpha: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Actor:
    """One identity in one shot; times are 0 to 1 over the shot."""

    name: str
    cut: CutOut
    start: tuple[float, float]
    """Centre at the start, as a share of the picture; may lie outside."""
    end: tuple[float, float]
    size: tuple[float, float]
    """Face size in pixels at start and end."""
    tilt: tuple[float, float] = (0.0, 0.0)
    """Degrees."""
    bob: float = 0.0
    """Height of a quick nod, as a share of the face."""
    flip: bool = False


@dataclass(frozen=True)
class Shot:
    """A background, who is in it, and bars that they pass behind."""

    background: Image
    actors: tuple[Actor, ...]
    frames: int
    pan: float = 0.0
    bars: tuple[tuple[float, float], ...] = ()
    """Left and right edge of vertical bars, as shares of the width."""


@dataclass(frozen=True)
class Clip:
    """Shots in a row; `dissolve` frames of each overlap with the next (0: cuts)."""

    name: str
    width: int
    height: int
    shots: tuple[Shot, ...]
    dissolve: int = 0
    fade: int = 0
    """Frames of fade from black at the start and to black at the end."""
    rate: int = 25
    crf: int = 28


@dataclass
class Truth:
    """Visible pixels of one identity on one frame."""

    identity: str
    mask: Mask
    """Only inside `box`."""
    box: tuple[int, int, int, int]
    """x0, y0, x1, y1 of the visible part."""
    size: float
    """Face size in pixels, whole."""
    visible: float
    """Share of the face that is in the picture and not behind something."""
    behind: float = 0.0
    """Share of the face that lies behind other people."""


@dataclass
class Frame:
    """One drawn frame."""

    image: Image
    truths: list[Truth] = field(default_factory=list)


def cut_out(photo: Image, box: tuple[float, float, float, float]) -> CutOut:
    """The face in `box` (x, y, w, h) of a BGR photo, with as much again around it."""
    x, y, w, h = box
    side = max(w, h)
    centre = (x + w / 2, y + h / 2)
    scale = FACE / side
    warp = np.array([[scale, 0, FACE - scale * centre[0]], [0, scale, FACE - scale * centre[1]]], np.float32)
    image = cv2.warpAffine(
        photo, warp, (2 * FACE, 2 * FACE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    grid = np.mgrid[0 : 2 * FACE, 0 : 2 * FACE].astype(np.float32) / FACE - 1
    distance = np.sqrt((grid[0] * 0.95) ** 2 + grid[1] ** 2)
    alpha = np.clip((1.0 - distance) / 0.12, 0, 1).astype(np.float32)
    return CutOut(np.asarray(image, np.uint8), alpha)


def public_faces() -> list[CutOut]:
    """Faces that ship with scikit-image: the astronaut, and herself mirrored, darker and softer."""
    astronaut = np.ascontiguousarray(data.astronaut()[..., ::-1])
    box = (172.0, 62.0, 104.0, 128.0)
    dark = np.asarray(astronaut * 0.55, np.uint8)
    soft = np.asarray(cv2.GaussianBlur(astronaut, (0, 0), 2.0), np.uint8)
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    return [
        cut_out(astronaut, box),
        cut_out(mirrored, (512 - box[0] - box[2], *box[1:])),
        cut_out(dark, box),
        cut_out(soft, box),
    ]


def public_backgrounds() -> list[Image]:
    """Scenes without people out of scikit-image."""
    scenes = [data.coffee(), data.rocket(), data.chelsea(), data.colorwheel()[..., :3]]
    return [np.ascontiguousarray(scene[..., ::-1]) for scene in scenes[:3]]


def _place(actor: Actor, t: float, width: int, height: int) -> tuple[npt.NDArray[np.float32], float]:
    """The 2 x 3 warp from the cut-out to the picture, and the face's size in pixels."""
    x = (actor.start[0] + (actor.end[0] - actor.start[0]) * t) * width
    y = (actor.start[1] + (actor.end[1] - actor.start[1]) * t) * height
    size = actor.size[0] * (actor.size[1] / actor.size[0]) ** t
    y += actor.bob * size * math.sin(t * 6 * math.pi)
    angle = math.radians(actor.tilt[0] + (actor.tilt[1] - actor.tilt[0]) * t)
    scale = size / FACE
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    flip = -1.0 if actor.flip else 1.0
    warp = np.array([[c * flip, -s, 0], [s * flip, c, 0]], np.float64)
    warp[:, 2] = (x, y) - warp[:, :2] @ (FACE, FACE)
    return warp.astype(np.float32), size


def _background(shot: Shot, t: float, width: int, height: int) -> Image:
    source = shot.background
    scale = 1.25 * max(width / source.shape[1], height / source.shape[0])
    grown = cv2.resize(source, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    room = grown.shape[1] - width
    x = round(room * (0.5 + shot.pan * (t - 0.5)))
    x = min(max(x, 0), room)
    y = (grown.shape[0] - height) // 2
    return np.ascontiguousarray(grown[y : y + height, x : x + width])


def draw(shot: Shot, index: int, width: int, height: int) -> Frame:
    """Frame `index` of a shot."""
    t = index / max(shot.frames - 1, 1)
    image = _background(shot, t, width, height).astype(np.float32)
    masks: list[tuple[Actor, float, Mask, float]] = []
    behind: dict[str, float] = defaultdict(float)
    face = np.zeros((2 * FACE, 2 * FACE), np.float32)
    # the face proper: brow to chin, an ellipse
    cv2.ellipse(face, (FACE, FACE), (int(FACE * 0.42), int(FACE * 0.5)), 0, 0, 360, 1.0, cv2.FILLED)
    for actor in shot.actors:
        warp, size = _place(actor, t, width, height)
        how = cv2.INTER_AREA if size < FACE else cv2.INTER_LINEAR
        small = actor.cut.image
        if size < FACE / 2:
            # an affine warp does not average; shrink softly first
            small = np.asarray(cv2.GaussianBlur(small, (0, 0), 0.4 * FACE / size), np.uint8)
        drawn = cv2.warpAffine(small, warp, (width, height), flags=how).astype(np.float32)
        alpha = cv2.warpAffine(actor.cut.alpha, warp, (width, height))[..., None]
        image = image * (1 - alpha) + drawn * alpha
        mask = np.asarray(cv2.warpAffine(face, warp, (width, height)) > 0.5, np.bool_)
        for entry in masks:
            hides = entry[2] & (alpha[..., 0] > 0.5)
            behind[entry[0].name] += float(hides.sum() / entry[3])
            entry[2][hides] = False
        masks.append((actor, size, mask, math.pi / 4 * (0.84 * size) * size))
    for left, right in shot.bars:
        x0, x1 = round(left * width), round(right * width)
        image[:, x0:x1] = (70, 85, 90)
        for _, _, mask, _ in masks:
            mask[:, x0:x1] = False
    frame = Frame(np.clip(image, 0, 255).astype(np.uint8))
    for actor, size, mask, whole in masks:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows):
            x0, y0, x1, y1 = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
            visible = float(mask.sum() / whole)
            place = (x0, y0, x1, y1)
            hidden = behind[actor.name]
            frame.truths.append(Truth(actor.name, mask[y0:y1, x0:x1], place, size, visible, hidden))
    return frame


def frames_of(clip: Clip) -> Iterator[Frame]:
    """All frames of a clip with their truths; during a dissolve both shots' faces count."""
    total = sum(shot.frames for shot in clip.shots) - clip.dissolve * (len(clip.shots) - 1)
    starts, at = [], 0
    for shot in clip.shots:
        starts.append(at)
        at += shot.frames - clip.dissolve
    for number in range(total):
        parts = [
            (shot, number - start)
            for shot, start in zip(clip.shots, starts, strict=True)
            if start <= number < start + shot.frames
        ]
        frame = draw(*parts[0], clip.width, clip.height)
        if len(parts) > 1:
            other = draw(*parts[1], clip.width, clip.height)
            share = (parts[1][1] + 1) / (clip.dissolve + 1)
            frame.image = np.asarray(cv2.addWeighted(frame.image, 1 - share, other.image, share, 0), np.uint8)
            frame.truths = [
                *(frame.truths if share < FAINT else []),
                *(other.truths if share > 1 - FAINT else []),
            ]
        light = min(1.0, (number + 1) / (clip.fade + 1), (total - number) / (clip.fade + 1))
        if light < 1:
            frame.image = np.asarray(frame.image * light, np.uint8)
            if light < 1 - FAINT:
                frame.truths = []
        yield frame


FAINT = 0.8
"""A face that a dissolve or a fade has mixed in by less than a fifth is not counted as shown."""


def write(clip: Clip, path: Path) -> list[list[Truth]]:
    """Encode a clip as H.264; the truths of every frame."""
    truths = []
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=clip.rate)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        stream.options = {"crf": str(clip.crf), "preset": "veryfast"}
        stream.time_base = Fraction(1, clip.rate)
        for number, frame in enumerate(frames_of(clip)):
            made = av.VideoFrame.from_ndarray(frame.image, format="bgr24")
            made.pts = number
            container.mux(stream.encode(made))
            truths.append(frame.truths)
        container.mux(stream.encode())
    return truths


def random_clip(seed: int, faces: list[CutOut], backgrounds: list[Image], *, least: int = 24) -> Clip:
    """A clip of one to three shots with one to three people each; the same seed gives the same clip."""
    rng = np.random.default_rng(seed)
    width, height = ((640, 360), (854, 480), (1280, 720), (480, 640))[int(rng.integers(4))]
    dissolve = int(rng.choice([0, 0, 12]))
    shots = []
    for shot in range(int(rng.integers(1, 4))):
        actors = []
        for person in range(int(rng.integers(1, 4))):
            size = float(rng.uniform(least, 0.5 * height))
            inside = (float(rng.uniform(0.15, 0.85)), float(rng.uniform(0.25, 0.75)))
            outside = (float(rng.choice([-0.25, 1.25])), float(rng.uniform(0.3, 0.7)))
            way = rng.integers(4)
            start, end = {
                0: (outside, inside),
                1: (inside, outside),
                2: (outside, (1 - outside[0], outside[1])),
                3: (inside, (inside[0] + float(rng.normal(0, 0.15)), inside[1])),
            }[int(way)]
            tilt = float(rng.normal(0, 12))
            actors.append(
                Actor(
                    name=f"{seed}-{shot}-{person}",
                    cut=faces[int(rng.integers(len(faces)))],
                    start=start,
                    end=end,
                    size=(size, float(np.clip(size * rng.uniform(0.5, 2), least, 0.7 * height))),
                    tilt=(tilt, tilt + float(rng.normal(0, 15))),
                    bob=float(rng.choice([0.0, 0.15])),
                    flip=bool(rng.integers(2)),
                )
            )
        bars = ((0.45, 0.45 + float(rng.uniform(0.05, 0.2))),) if rng.random() < 0.3 else ()
        shots.append(
            Shot(
                background=backgrounds[int(rng.integers(len(backgrounds)))],
                actors=tuple(actors),
                frames=int(rng.integers(40, 90)),
                pan=float(rng.uniform(-1, 1)),
                bars=bars,
            )
        )
    return Clip(
        name=f"clip{seed}",
        width=width,
        height=height,
        shots=tuple(shots),
        dissolve=dissolve,
        fade=int(rng.choice([0, 0, 10])),
        crf=int(rng.integers(22, 33)),
    )
