"""Any frame by its number is the frame that a decode from the start gives under that number, bit for bit."""

import random
import shutil
import subprocess
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from photo_samples import plain, save
from test_animation import moving

from redact.errors import DamagedInputError, InputTooLargeError, UnsupportedInputError, UsageError
from redact.media import frame_at
from redact.media.frame_at import FrameReader, jpeg_of
from redact.media.registry import handler_for
from redact.media.video_seek import SeekableVideo

SOURCE = ("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=1.2")
UNEVEN = ("-vf", "select='not(mod(n,3))+eq(mod(n,7),1)'", "-fps_mode", "vfr")
CLIPS: dict[str, tuple[str, ...]] = {
    "b-frames.mp4": ("-c:v", "libx264", "-bf", "3", "-g", "12"),
    "uneven.mp4": (*UNEVEN, "-c:v", "libx264", "-g", "7"),
    "uneven.mkv": (*UNEVEN, "-c:v", "libx264", "-g", "9", "-output_ts_offset", "0.5"),
    "open-groups.mp4": ("-c:v", "libx264", "-g", "10", "-x264-params", "open-gop=1:bframes=3"),
    "open-groups.mov": ("-c:v", "libx265", "-x265-params", "log-level=none:open-gop=1:keyint=12:bframes=4"),
    "one-group.mp4": ("-c:v", "libx264", "-g", "500"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-g", "10"),
    "vp8.webm": ("-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "10", "-g", "10"),
    "av1.mp4": ("-c:v", "libsvtav1", "-preset", "12", "-g", "10", "-svtav1-params", "lp=1"),
    "ten.mkv": ("-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-g", "11"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-bf", "2"),
    "interlaced.mp4": ("-vf", "tinterlace=4", "-flags", "+ildct+ilme", "-c:v", "libx264"),
}  # fmt: skip
FRAMES = 30
JUMPED_IN = ("b-frames.mp4", "uneven.mp4", "uneven.mkv", "open-groups.mov", "vp9.webm", "av1.mp4", "ten.mkv")


def ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for name, options in CLIPS.items():
        ffmpeg(*SOURCE, *options, folder / name)
    # cut out of a longer film without encoding again: an edit list hides what lies before the cut
    ffmpeg("-ss", "0.7", "-i", folder / "b-frames.mp4", "-c", "copy", folder / "cut.mp4")
    with av.open(str(folder / "b-frames.mp4")) as source, av.open(str(folder / "turned.mp4"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(-90)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    for format_ in ("gif", "webp", "apng"):
        (folder / f"moving.{format_}").write_bytes(moving(format_))
    return folder


ALL = (*CLIPS, "cut.mp4", "turned.mp4", "moving.gif", "moving.webp", "moving.apng")


def straight(path: Path) -> list[tuple[float, np.ndarray]]:
    handler = handler_for(path)
    facts = handler.probe(path)
    return [(float(frame.time), frame.picture.bgr().copy()) for frame in handler.frames(path, facts)]


def reader_of(path: Path, frames: int = 0, own: bool = True) -> FrameReader:
    return FrameReader(path, max_pixels=1_000_000, frames=frames, own=own)


@pytest.mark.parametrize("kept", [0, frame_at.KEPT_BYTES])
@pytest.mark.parametrize("name", ALL)
def test_a_frame_by_its_number_is_that_of_a_straight_decode(
    films: Path, name: str, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_at, "KEPT_BYTES", kept)
    expected = straight(films / name)
    order = list(range(len(expected)))
    if kept:
        order += reversed(order)
    else:
        random.Random(name).shuffle(order)
        order = order[:12]
    reader = reader_of(films / name)
    for index in order:
        found = reader.frame(index)
        assert (found.index, float(found.time)) == (index, expected[index][0])
        assert np.array_equal(found.picture.bgr(), expected[index][1]), index
    assert reader.times() == [time for time, _ in expected]
    for beyond in (-1, len(expected)):
        with pytest.raises(UsageError, match="no frame"):
            reader.frame(beyond)
    reader.close()


@pytest.mark.parametrize("name", JUMPED_IN)
def test_a_jump_decodes_from_the_key_frame_before_and_no_more(films: Path, name: str) -> None:
    path = films / name
    film = SeekableVideo(path, handler_for(path).probe(path))
    last = len(film) - 1
    assert last - film.start(last) <= 12
    assert next(film.since(last)).index == film.start(last)
    film.close()


def test_an_input_is_jumped_in_only_if_its_packets_are_as_many_as_the_plan_counts(films: Path) -> None:
    path = films / "b-frames.mp4"
    assert reader_of(path, own=False).count is None
    assert reader_of(path, frames=FRAMES, own=False).count == FRAMES
    for own in (True, False):
        assert reader_of(path, frames=FRAMES - 1, own=own).count is None


def test_a_table_that_lies_is_found_out_and_left(films: Path) -> None:
    path = films / "b-frames.mp4"
    expected = straight(path)
    reader = reader_of(path)
    assert reader._seekable is not None
    del reader._seekable._pts[14]  # as if a picture came from no packet
    assert np.array_equal(reader.frame(20).picture.bgr(), expected[20][1])
    assert reader.count is None


def test_a_photo_has_one_frame(tmp_path: Path) -> None:
    path = save(tmp_path, plain("png"))
    reader = reader_of(path)
    assert reader.times() == [0.0]
    assert np.array_equal(reader.frame(0).picture.bgr(), straight(path)[0][1])
    with pytest.raises(UsageError):
        reader.frame(1)


def test_what_is_broken_or_too_large_is_refused(films: Path, tmp_path: Path) -> None:
    whole = (films / "b-frames.mp4").read_bytes()
    cut = save(tmp_path, whole[: len(whole) // 2])
    with pytest.raises(DamagedInputError):
        reader_of(cut)
    noise = save(tmp_path, random.Random(1).randbytes(4000))
    with pytest.raises(UnsupportedInputError):
        reader_of(noise)
    with pytest.raises(InputTooLargeError):
        FrameReader(films / "b-frames.mp4", max_pixels=96 * 64 - 1)


def test_a_film_that_breaks_in_its_middle_is_not_shown_beyond(films: Path, tmp_path: Path) -> None:
    path = tmp_path / "item"
    shutil.copyfile(films / "one-group.mp4", path)
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    size = int.from_bytes(data[start - 8 : start - 4], "big") - 8
    data[start + size // 2 : start + size // 2 + 400] = bytes(400)
    path.write_bytes(data)
    reader = reader_of(path)
    for _ in range(2):  # asked again, it is not another error
        with pytest.raises(DamagedInputError):
            reader.frame(29)


@pytest.mark.parametrize(("width", "shape"), [(4096, (64, 96)), (48, (32, 48)), (1, (1, 1))])
def test_a_frame_is_never_wider_than_asked_for(films: Path, width: int, shape: tuple[int, int]) -> None:
    picture = reader_of(films / "b-frames.mp4").frame(3).picture
    image = cv2.imdecode(np.frombuffer(jpeg_of(picture, width), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[:2] == shape
    if width == 4096:
        assert cv2.PSNR(image, picture.bgr()) > 25
