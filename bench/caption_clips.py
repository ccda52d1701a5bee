"""Clips of captions that come, go and move over real scenes, with the truth of every frame.

Every clip has one caption of one manner over one background, still or moving. The truth of a frame is the
box of the ink that is inside the picture, and how strongly it shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from bench.common import SHARED
from bench.synthetic import Image, public_backgrounds
from redact.plan import Box

WIDTH, HEIGHT, FRAMES, RATE = 1280, 720, 64, 25
MANNERS = ("fade", "slide", "type", "crawl", "blink", "swap", "rise")
BACKGROUNDS = ("still", "grain", "pan", "zoom", "film")
SHOWN = (18, 46)
"""First and last frame on which most captions are there whole."""
LINES = (
    ("Օրինակյան Արամ", "Նմուշյան Լիլիթ"),
    ("ОРИНАКЯН АРАМ", "НМУШЯН ЛИЛИТ"),
    ("Aram Orinakyan", "Lilit Nmushyan"),
    ("Orinakyan Vüqar", "Nümunəyeva Şəhla"),
)
"""Invented names, four scripts and spellings; the second is what a caption that changes changes to."""
FAINTEST = 0.35
"""Opacity from which a caption counts as readable."""


@dataclass(frozen=True)
class Caption:
    """What is on one frame."""

    box: Box | None
    """The ink inside the picture, or None if there is none."""
    opacity: float = 0.0
    words: tuple[str, ...] = ()
    """Words of which every letter is inside the picture."""

    @property
    def readable(self) -> bool:
        """Whether a viewer who stops the clip here could read something."""
        return self.box is not None and self.opacity >= FAINTEST


@dataclass(frozen=True)
class Scene:
    """One clip."""

    seed: int
    manner: str
    background: str
    lines: tuple[str, str]
    size: int
    bar: bool

    @classmethod
    def of(cls, seed: int) -> Scene:
        """Every manner meets every background as seeds go on; sizes, scripts and bars are drawn."""
        draw = np.random.default_rng(seed)
        return cls(
            seed,
            MANNERS[seed % len(MANNERS)],
            BACKGROUNDS[seed % len(BACKGROUNDS)],
            LINES[int(draw.integers(len(LINES)))],
            int(draw.choice([22, 28, 36, 48])),
            bool(draw.random() < 0.5),
        )


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.truetype("DejaVuSans-Bold.ttf", size)
    except OSError:
        return ImageFont.load_default(size)


@lru_cache(maxsize=2)
def _film() -> tuple[Image, ...]:
    """Frames of a real film with people walking; scenes under a moving camera where it is not there."""
    path = SHARED / "video" / "one-by-one-person-detection.mp4"
    if not path.is_file():
        return ()
    frames: list[Image] = []
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number >= 200:
                image = frame.to_ndarray(format="bgr24")
                frames.append(np.asarray(cv2.resize(image, (WIDTH, HEIGHT)), np.uint8))
            if len(frames) == FRAMES:
                break
    return tuple(frames)


def _background(scene: Scene, frame: int) -> Image:
    if scene.background == "film" and _film():
        return _film()[frame % len(_film())].copy()
    source = public_backgrounds()[scene.seed % 3]
    t = frame / FRAMES
    large = cv2.resize(source, (WIDTH * 5 // 4, HEIGHT * 5 // 4), interpolation=cv2.INTER_AREA)
    x, y, w, h = 0.0, 0.0, float(WIDTH), float(HEIGHT)
    if scene.background in ("pan", "film"):
        x, y = 240 * t, 90 * t
    elif scene.background == "zoom":
        w, h = WIDTH * (1 + 0.2 * t), HEIGHT * (1 + 0.2 * t)
    warp = np.array([[w / WIDTH, 0, x], [0, h / HEIGHT, y]], np.float64)
    image = cv2.warpAffine(large, warp, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    if scene.background == "grain":
        noise = np.random.default_rng(1000 * scene.seed + frame).normal(0, 4, image.shape)
        image = np.clip(image + noise, 0, 255)
    return np.asarray(image, np.uint8)


def _placed(scene: Scene, frame: int) -> tuple[str, float, float, float]:
    """Text, left edge as a share of the width (or pixels beyond it), top in pixels, opacity."""
    first, last = SHOWN
    text, x, y, opacity = scene.lines[0], 90.0, HEIGHT * 0.8, 1.0
    inside = first <= frame <= last
    if scene.manner == "fade":
        opacity = float(np.clip(min((frame - first + 12) / 12, (last + 12 - frame) / 12), 0, 1))
    elif scene.manner == "slide":
        x -= 60.0 * max(first - frame, 0) + 60.0 * max(frame - last, 0)
        opacity = 1.0 if first - 14 < frame < last + 14 else 0.0
    elif scene.manner == "type":
        text = text[: max(0, (frame - first) // 2 + 1)] if inside else ""
    elif scene.manner == "crawl":
        text = f"{scene.lines[0]}  ·  {scene.lines[1]}"
        x = WIDTH - 14.0 * (frame - 6)
        y = HEIGHT * 0.92
    elif scene.manner == "blink":
        opacity = 1.0 if frame in (first + 3, first + 4, first + 20, first + 21) else 0.0
    elif scene.manner == "swap":
        text = scene.lines[(frame // 9) % 2]
        opacity = float(inside)
    elif scene.manner == "rise":
        y += 12.0 * max(first - frame, 0) - 9.0 * max(frame - last, 0)
        opacity = float(frame < last + 20)
    return text, x, y, opacity


def _drawn(scene: Scene, frame: int) -> tuple[Image, Caption]:
    image = _background(scene, frame)
    text, x, y, opacity = _placed(scene, frame)
    if not text.strip() or opacity <= 0:
        return image, Caption(None)
    font = _font(scene.size)
    layer = Pillow.new("L", (WIDTH, HEIGHT), 0)
    pen = ImageDraw.Draw(layer)
    pen.text((x, y), text, font=font, fill=255)
    ink = np.asarray(layer)
    place = cv2.boundingRect(ink)
    if place[2] == 0:
        return image, Caption(None)
    words = []
    start = 0
    for word in text.split():
        start = text.index(word, start)
        left = x + pen.textlength(text[:start], font=font)
        if left >= 0 and left + pen.textlength(word, font=font) <= WIDTH:
            words.append(word)
        start += len(word)
    box = Box(*map(float, place))
    mixed = image.astype(np.float32)
    if scene.bar:
        ground = box.grown(scene.size * 0.6, scene.size * 0.4).snapped(WIDTH, HEIGHT, 1)
        if ground is not None:
            x0, y0, x1, y1 = ground
            mixed[y0:y1, x0:x1] += (np.array((90, 30, 20)) - mixed[y0:y1, x0:x1]) * 0.8 * opacity
    else:
        edge = cv2.dilate(ink, np.ones((5, 5), np.uint8)).astype(np.float32)[..., None] / 255 * opacity
        mixed *= 1 - edge
    share = ink.astype(np.float32)[..., None] / 255 * opacity
    mixed += (245 - mixed) * share
    return np.clip(mixed, 0, 255).astype(np.uint8), Caption(box, opacity, tuple(words))


def frames_of(scene: Scene) -> Iterator[tuple[Image, Caption]]:
    """Every frame, 1280 x 720, and what is written on it."""
    for frame in range(FRAMES):
        yield _drawn(scene, frame)


def write(scene: Scene, path: Path) -> list[Caption]:
    """Write the clip as H.264 at a news site's quality; the truth of every frame."""
    truths = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "23", "preset": "veryfast"}
        for image, truth in frames_of(scene):
            truths.append(truth)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return truths


def longest_run(flags: Sequence[bool]) -> int:
    """Most neighbouring frames that are True."""
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best
