"""Films that differ only under their covers come out the same, whatever is done to samples on the way."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from redact.cover.painter import CoverPainter
from redact.media.orientation import as_stored, turned
from redact.media.video import VideoHandler
from redact.plan import CoverIndex, Kind, MediaFacts, OutputSpec, Span, Track
from redact.policy import AudioPolicy, CoverPolicy, VideoPolicy

WIDTH, HEIGHT, FRAMES = 96, 64, 6
# Lossless, in what a film may be stored in: (encoder, pixel format).
STORED = {
    "4:2:0": ("ffv1", "yuv420p"),
    "4:2:2": ("ffv1", "yuv422p"),
    "4:4:4": ("ffv1", "yuv444p"),
    "4:1:1": ("ffv1", "yuv411p"),
    "4:2:2 in 10 bits": ("ffv1", "yuv422p10le"),
    "4:4:4 in 12 bits": ("ffv1", "yuv444p12le"),
    "with alpha": ("ffv1", "yuva444p"),
    "RGB": ("ffv1", "bgr0"),
    "RGB in planes": ("ffv1", "gbrp10le"),
    "RGB in 16 bits": ("png", "rgb48be"),
    "grey": ("ffv1", "gray"),
    "packed 4:2:2": ("rawvideo", "uyvy422"),
    "two planes": ("rawvideo", "nv12"),
    "few colours": ("png", "pal8"),
    "two tones": ("png", "monob"),
}  # fmt: skip
SUBSAMPLED = {"411": (4, 1), "420": (2, 2), "nv12": (2, 2), "422": (2, 1)}


def box_of(frame: int) -> tuple[int, int, int, int]:
    """The cover moves by four pixels a frame, so that it uncovers what it hid."""
    x, y = 16 + 4 * frame, 20
    return x, y, x + 32, y + 24


def painter(width: int, height: int) -> CoverPainter:
    spans = []
    for frame in range(FRAMES):
        x0, y0, x1, y1 = box_of(frame)
        spans.append(Span(first=frame, last=frame, box=(x0, y0, x1 - x0, y1 - y0), origin="detected"))
    index = CoverIndex([Track(id=1, kind=Kind.FACE, spans=tuple(spans))])
    return CoverPainter(index, CoverPolicy(colour=(0, 0, 0)), width, height)


def hidden_noise(number: int, seed: int) -> np.ndarray:
    """H x W x 3: the same scene for every seed, with another noise under the cover."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    scene = np.stack([2 * x + number, 3 * y, 255 - x - y], axis=2).clip(0, 255).astype(np.uint8)
    noise = np.random.default_rng(100 * seed + number).integers(0, 256, scene.shape, np.uint8)
    x0, y0, x1, y1 = box_of(number)
    scene[y0:y1, x0:x1] = noise[y0:y1, x0:x1]
    return scene


def made(path: Path, codec: str, format: str, seed: int, *, interlaced: bool = False) -> Path:
    """A lossless film; under the cover, and only there, `seed` decides what it shows."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, format
        if interlaced:
            stream.codec_context.flags |= int(av.codec.context.Flags.interlaced_dct)
            stream.options = {"qp": "0", "preset": "ultrafast", "x264-params": "tff=1"}
        for number in range(FRAMES):
            frame, other = (_stored(hidden_noise(number, each), format) for each in (0, seed))
            _paste(frame, other, box_of(number))
            frame.pts = number
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def _stored(scene: np.ndarray, format: str) -> av.VideoFrame:
    if format == "pal8":  # swscale makes none
        greys = np.arange(256, dtype=np.uint8)
        palette = np.stack([np.full(256, 255, np.uint8), greys, greys, 255 - greys], axis=1)
        return av.VideoFrame.from_ndarray((scene[..., 0].copy(), palette), format="pal8")
    return av.VideoFrame.from_ndarray(scene, format="rgb24").reformat(format=format)


def _paste(frame: av.VideoFrame, other: av.VideoFrame, box: tuple[int, int, int, int]) -> None:
    """Take over the samples of a box exactly; scaling alone would let its noise run out of it."""
    x0, y0, x1, y1 = box
    for plane, source in zip(frame.planes, other.planes, strict=True):
        if plane.height == 1:
            continue  # a palette
        lines, sources = (
            np.frombuffer(memoryview(each), np.uint8).reshape(plane.height, -1) for each in (plane, source)
        )
        down = HEIGHT // plane.height
        per_pixel = _bytes_per_pixel(frame.format, plane)
        columns = slice(int(x0 * per_pixel), int(x1 * per_pixel))
        lines[y0 // down : y1 // down, columns] = sources[y0 // down : y1 // down, columns]


def _bytes_per_pixel(format: av.VideoFormat, plane: av.video.plane.VideoPlane) -> float:
    by_name = {
        "uyvy422": 2, "bgr0": 4, "rgb48be": 6, "nv12": 1, "pal8": 1, "monob": 1 / 8, "gray": 1
    }  # fmt: skip
    if format.name in by_name:
        return by_name[format.name]
    return plane.width / WIDTH * (2 if "10" in format.name or "12" in format.name else 1)


def rendered(path: Path, target: Path) -> np.ndarray:
    """Decoded luma and colour of every frame of the covered film, which is encoded without loss."""
    handler = VideoHandler()
    facts = handler.probe(path).model_copy(update={"frames": FRAMES})
    video = VideoPolicy(codec="h264", crf=0, preset="ultrafast")
    spec = OutputSpec(format="mp4", video=video, audio=AudioPolicy(mode="remove"))
    handler.render(path, facts, spec, painter(facts.width, facts.height), target)
    with av.open(str(target)) as container:
        return np.stack([frame.to_ndarray() for frame in container.decode(video=0)])


@pytest.mark.parametrize("name", STORED)
def test_what_lies_under_a_cover_changes_no_sample(name: str, tmp_path: Path) -> None:
    codec, format = STORED[name]
    outputs = []
    for seed in (1, 2):
        kind = "mov" if codec == "png" else "mkv"
        path = made(tmp_path / f"{seed}.{kind}", codec, format, seed)
        with av.open(str(path)) as container:
            assert next(container.decode(video=0)).format.name == format
        outputs.append(rendered(path, tmp_path / f"{seed}.mp4"))
    assert len(outputs[0]) == FRAMES
    assert np.array_equal(*outputs)
    assert outputs[0].std() > 10


@pytest.mark.parametrize("format", ["yuv420p", "yuv422p"])
def test_what_lies_under_a_cover_changes_no_sample_of_merged_fields(format: str, tmp_path: Path) -> None:
    outputs = []
    for seed in (1, 2):
        path = made(tmp_path / f"{seed}.mkv", "libx264", format, seed, interlaced=True)
        assert VideoHandler().probe(path).interlaced
        outputs.append(rendered(path, tmp_path / f"{seed}.mp4"))
    assert np.array_equal(*outputs)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_rectangle_goes_back_to_where_it_was_stored(rotation: int, mirrored: bool) -> None:
    stored = np.zeros((5, 9), np.uint8)
    stored[1:3, 2:7] = 1
    shown = turned(stored, rotation, mirrored)
    rows, columns = np.nonzero(shown)
    rectangle = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    facts = MediaFacts(
        kind="video",
        format="mp4",
        width=shown.shape[1],
        height=shown.shape[0],
        rotation=rotation,
        mirrored=mirrored,
    )
    assert as_stored(rectangle, facts) == (2, 1, 7, 3)
