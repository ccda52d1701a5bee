"""Animations keep every frame and its time, and nothing shows or hides that was covered."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from photo_samples import CANARY, BoxPainter, profile_with_canary, save, scene
from PIL import Image

from redact.errors import DamagedInputError, EncodeError, InputError, OutputError, UnsupportedInputError
from redact.media import animation
from redact.media.animation import AnimationHandler
from redact.media.timeline import read_timeline
from redact.plan import OutputSpec
from redact.policy import CoverPolicy

FORMATS = ("gif", "webp", "apng")
DURATIONS = [100, 100, 250, 40, 1000]
"""Milliseconds; the first two frames are equal, which encoders like to merge."""
SIZE = (96, 65)


def pictures() -> list[Image.Image]:
    """Five frames, the first two equal but for one pixel, or Pillow's own writers would merge them."""
    images = []
    for number in (0, 0, 1, 2, 3):
        picture = np.roll(scene(), 20 * number, axis=1)
        images.append(Image.fromarray(picture).quantize(120).convert("RGB"))
    apart = images[1].copy()
    apart.putpixel((95, 64), (1, 2, 3))
    images[1] = apart
    return images


def moving(format: str, loop: int = 3, durations: list[int] | None = None, **extra: object) -> bytes:
    sink = io.BytesIO()
    first, *rest = pictures()
    options: dict[str, object] = {"lossless": True} if format == "webp" else {}
    first.save(
        sink,
        {"gif": "GIF", "webp": "WEBP", "apng": "PNG"}[format],
        save_all=True,
        append_images=rest,
        duration=durations or DURATIONS,
        loop=loop,
        **options,
        **extra,
    )
    return sink.getvalue()


def render(path: Path, target: Path, painter: BoxPainter | None = None) -> int:
    handler = AnimationHandler()
    facts = handler.probe(path)
    painter = painter or BoxPainter()
    spec = OutputSpec(format=facts.format, cover=CoverPolicy(colour=painter.colour))
    return handler.render(path, facts, spec, painter, target).frames


def decoded(path: Path) -> list[np.ndarray]:
    """Every frame by Pillow: H x W x 4 RGBA."""
    image = Image.open(path)
    frames = []
    for number in range(image.n_frames):
        image.seek(number)
        frames.append(np.asarray(image.convert("RGBA")).astype(int))
    return frames


@pytest.mark.parametrize("format", FORMATS)
def test_every_frame_its_time_and_the_loop_are_kept(format: str, tmp_path: Path) -> None:
    path, target = save(tmp_path, moving(format)), tmp_path / "out"
    facts = AnimationHandler().probe(path)
    assert (facts.kind, facts.format, facts.frames, facts.loop) == ("animation", format, 5, 3)
    assert facts.duration_ticks * facts.tick == Fraction(sum(DURATIONS), 1000)
    times = [frame.time for frame in AnimationHandler().frames(path, facts)]
    assert times == [Fraction(sum(DURATIONS[:n]), 1000) for n in range(5)]
    painter = BoxPainter()
    assert render(path, target, painter) == 5
    assert painter.frames == [0, 1, 2, 3, 4]
    before, after = (read_timeline(file.read_bytes(), format) for file in (path, target))
    assert before is not None
    assert after is not None
    assert after.durations() == before.durations()
    assert after.loop == before.loop
    assert len(decoded(target)) == 5


@pytest.mark.parametrize("format", FORMATS)
def test_every_frame_is_covered_and_the_rest_is_left_alone(format: str, tmp_path: Path) -> None:
    path, target = save(tmp_path, moving(format)), tmp_path / "out"
    render(path, target, BoxPainter((10, 20, 30)))
    for before, after in zip(decoded(path), decoded(target), strict=True):
        assert (after[16:32, 16:40] == (10, 20, 30, 255)).all()
        assert np.array_equal(after[40:], before[40:])


@pytest.mark.parametrize("format", FORMATS)
def test_equal_frames_are_not_merged(format: str, tmp_path: Path) -> None:
    path, target = save(tmp_path, moving(format)), tmp_path / "out"
    render(path, target, BoxPainter(box=(0, 0, 96, 65)))  # all five frames become one colour
    assert len(decoded(target)) == 5


@pytest.mark.parametrize("format", FORMATS)
def test_what_lies_under_a_cover_changes_no_byte(format: str, tmp_path: Path) -> None:
    outputs = []
    for number in range(2):
        images = pictures()
        for image in images:
            image.paste((number * 200, 9, 9), (18, 18, 38, 30))
        sink = io.BytesIO()
        lossless = {"lossless": True} if format == "webp" else {}
        name = {"gif": "GIF", "webp": "WEBP", "apng": "PNG"}[format]
        images[0].save(sink, name, save_all=True, append_images=images[1:], duration=DURATIONS, **lossless)
        path, target = save(tmp_path, sink.getvalue(), f"in{number}"), tmp_path / f"out{number}"
        render(path, target)
        outputs.append(target.read_bytes())
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_planted_beside_the_frames_reaches_the_output(format: str, tmp_path: Path) -> None:
    extra: dict[str, object] = {"comment": CANARY.encode()} if format == "gif" else {}
    if format != "gif":
        extra = {"icc_profile": profile_with_canary()}
    data = moving(format, **extra) + CANARY.encode()
    target = tmp_path / "out"
    render(save(tmp_path, data), target)
    assert CANARY.encode() not in target.read_bytes()
    assert b"ICC" not in target.read_bytes()


def test_a_pixel_under_a_later_frame_does_not_survive(tmp_path: Path) -> None:
    # frame 2 draws only a small patch over frame 1 and keeps the rest: covers must hold for the whole canvas
    first, second = Image.new("RGB", (40, 40), (250, 0, 0)), Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    second.paste((0, 0, 250, 255), (0, 0, 5, 5))
    sink = io.BytesIO()
    first.save(sink, "GIF", save_all=True, append_images=[second], duration=100, disposal=1)
    path, target = save(tmp_path, sink.getvalue()), tmp_path / "out"
    render(path, target, BoxPainter(box=(10, 10, 30, 30)))
    for frame in decoded(target):
        assert (frame[10:30, 10:30] == (0, 0, 0, 255)).all()
        assert tuple(frame[35, 35]) == (250, 0, 0, 255)


@pytest.mark.parametrize("format", FORMATS)
def test_transparent_frames_stay_transparent_and_show_no_older_frame(format: str, tmp_path: Path) -> None:
    frames = []
    for at in (0, 20):
        image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
        image.paste((0, 200, 0, 255), (at, at, at + 10, at + 10))
        frames.append(image)
    sink = io.BytesIO()
    name = {"gif": "GIF", "webp": "WEBP", "apng": "PNG"}[format]
    options: dict[str, object] = {
        "gif": {"disposal": 2},
        "webp": {"lossless": True, "kmin": 1, "kmax": 1},  # whole frames, so that the file has alpha
        "apng": {"disposal": 1, "blend": 0},
    }[format]
    frames[0].save(sink, name, save_all=True, append_images=frames[1:], duration=100, **options)
    path, target = save(tmp_path, sink.getvalue()), tmp_path / "out"
    render(path, target, BoxPainter(box=(30, 0, 34, 4)))
    one, two = decoded(target)
    assert tuple(one[5, 5]) == (0, 200, 0, 255)
    assert two[5, 5, 3] == 0
    assert tuple(two[25, 25]) == (0, 200, 0, 255)


@pytest.mark.parametrize("format", FORMATS)
def test_frames_without_a_duration_are_kept(format: str, tmp_path: Path) -> None:
    path, target = save(tmp_path, moving(format, durations=[0] * 5)), tmp_path / "out"
    before = read_timeline(path.read_bytes(), format)
    assert render(path, target) == len(before.delays if before else ())
    after = read_timeline(target.read_bytes(), format)
    assert before is not None
    assert after is not None
    assert after.delays == before.delays


def test_the_hidden_picture_of_an_apng_is_dropped(tmp_path: Path) -> None:
    secret = Image.new("RGB", SIZE, (255, 0, 255))
    sink = io.BytesIO()
    secret.save(sink, "PNG", save_all=True, append_images=pictures()[2:], default_image=True, duration=80)
    path, target = save(tmp_path, sink.getvalue()), tmp_path / "out"
    assert AnimationHandler().probe(path).frames == 3
    assert render(path, target) == 3
    for frame in decoded(target):
        assert not (frame[:, :, :3] == (255, 0, 255)).all(axis=2).any()


def test_apng_delays_are_kept_as_the_fractions_they_are(tmp_path: Path) -> None:
    data = bytearray(moving("apng"))
    at, number = 0, 0
    while (at := data.find(b"fcTL", at + 1)) > 0:
        struct.pack_into(">HH", data, at + 24, 1001, (30000, 24000, 7, 0, 65521)[number])
        data[at + 30 : at + 34] = struct.pack(">I", zlib.crc32(data[at : at + 30]))
        number += 1
    path, target = save(tmp_path, bytes(data)), tmp_path / "out"
    render(path, target)
    after = read_timeline(target.read_bytes(), "apng")
    assert after is not None
    assert after.durations() == tuple(Fraction(1001, per) for per in (30000, 24000, 7, 100, 65521))


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
@pytest.mark.parametrize("format", FORMATS)
def test_a_truncated_animation_is_refused(format: str, share: float, tmp_path: Path) -> None:
    data = moving(format)
    path = save(tmp_path, data[: int(len(data) * share)])
    with pytest.raises(DamagedInputError):
        render(path, tmp_path / "out")


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spot=st.floats(0, 1), junk=st.binary(min_size=1, max_size=12))
def test_damage_anywhere_gives_frames_or_one_of_our_errors(
    format: str, spot: float, junk: bytes, tmp_path: Path
) -> None:
    data = bytearray(moving(format))
    at = int(spot * (len(data) - 1))
    data[at : at + len(junk)] = junk
    path = save(tmp_path, bytes(data))
    handler = AnimationHandler()
    try:
        facts = handler.probe(path)
        if facts.width * facts.height > 1_000_000:
            return
        seen = [frame.picture.bgr().shape for frame in handler.frames(path, facts)]
    except InputError as error:
        assert str(tmp_path) not in str(error)
    else:
        assert seen == [(facts.height, facts.width, 3)] * facts.frames


@pytest.mark.parametrize("format", FORMATS)
def test_an_encoder_that_writes_other_durations_is_caught(
    format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = animation.WRITERS[format]
    honest = writer.add
    monkeypatch.setattr(
        writer, "add", lambda self, stored, delay: honest(self, stored, (delay[0] + 1, delay[1]))
    )
    with pytest.raises(EncodeError):
        render(save(tmp_path, moving(format)), tmp_path / "out")


def test_an_existing_target_is_never_overwritten(tmp_path: Path) -> None:
    target = save(tmp_path, b"keep me", "out")
    with pytest.raises(OutputError):
        render(save(tmp_path, moving("gif")), target)
    assert target.read_bytes() == b"keep me"


def test_lossy_webp_stays_close_and_its_covers_flat(tmp_path: Path) -> None:
    sink = io.BytesIO()
    first, *rest = pictures()
    first.save(sink, "WEBP", save_all=True, append_images=rest, duration=DURATIONS, quality=90)
    path, target = save(tmp_path, sink.getvalue()), tmp_path / "out"
    render(path, target)
    for before, after in zip(decoded(path), decoded(target), strict=True):
        assert after[18:30, 18:38, :3].max() <= 8
        assert abs(after - before)[44:].mean() < 4


def test_a_webp_canvas_for_which_no_frame_can_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    data = bytearray(moving("webp"))
    at = data.index(b"VP8X") + 8 + 4  # the canvas' width less one, 24 bits
    data[at : at + 3] = (16384 - 1).to_bytes(3, "little")
    with pytest.raises(UnsupportedInputError):
        AnimationHandler().probe(save(tmp_path, bytes(data)))


def test_a_gif_frame_far_beyond_its_canvas_is_damage_and_no_way_around_the_limit(tmp_path: Path) -> None:
    data = bytearray(moving("gif"))
    at = data.index(b"\x2c\x00\x00\x00\x00")
    data[at + 1 : at + 5] = b"\x20\x00\x20\x00"
    facts = AnimationHandler().probe(save(tmp_path, bytes(data)))
    assert (facts.width, facts.height) == SIZE, "a little over the edge is common"
    data[at + 1 : at + 5] = b"\xf0\xf0\xf0\xf0"
    with pytest.raises(DamagedInputError):
        AnimationHandler().probe(save(tmp_path, bytes(data)))
