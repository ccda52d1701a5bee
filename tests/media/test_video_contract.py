"""Videos: one suite over containers, codecs and pixel formats. What must be kept is kept exactly."""

import contextlib
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from redact.errors import DamagedInputError, EncodeError, InputError, UnsupportedInputError
from redact.media import video_encode
from redact.media.ffmpeg import probe_streams
from redact.media.video import VideoHandler
from redact.plan import MediaFacts, OutputSpec
from redact.policy import AudioPolicy, VideoPolicy

CANARY = "CANARY-Orinakyan"
ODD = "format=yuv444p,crop=157:117:0:0:exact=1"
BT709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
CLIPS: dict[str, tuple[str, ...]] = {
    "h264.mp4": ("-c:v", "libx264", "-bf", "2"),
    "hevc.mkv": ("-c:v", "libx265", "-x265-params", "log-level=none"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime"),
    "mjpeg.avi": ("-c:v", "mjpeg", "-pix_fmt", "yuvj422p"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-bf", "2"),
    "png.mov": ("-c:v", "png"),
    "full.mp4": ("-c:v", "libx264", "-pix_fmt", "yuvj420p", "-color_range", "pc"),
    "bt709.mp4": ("-c:v", "libx264", *BT709),
    "ten.mkv": ("-c:v", "libx264", "-pix_fmt", "yuv420p10le"),
    "hdr.mov": (
        *("-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le"),
        *("-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", "smpte2084"),
    ),
    "odd.mkv": ("-vf", ODD, "-c:v", "ffv1"),
    "wide-pixels.mp4": ("-c:v", "libx264", "-vf", "setsar=4/3"),
    "uneven.mkv": (
        *("-vf", "select='not(mod(n,3))+eq(mod(n,7),1)'", "-vsync", "vfr", "-c:v", "libx264"),
        *("-output_ts_offset", "0.5"),
    ),
}  # fmt: skip


def _ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


class NoPaint:
    def covered(self, frame: int) -> list[tuple[int, int, int, int]]:
        """Nothing."""
        return []

    def yuv(self, frame: int, planes: list, **_: object) -> None:
        """Leave every frame as it is."""


class BoxPaint:
    """A white box on even frames only: shows on which frame a cover lands."""

    def covered(self, frame: int) -> list[tuple[int, int, int, int]]:
        return [(16, 16, 64, 64)] if frame % 2 == 0 else []

    def yuv(self, frame: int, planes: list, *, bit_depth: int, full_range: bool, matrix: int) -> None:
        if frame % 2 == 0:
            planes[0][16:64, 16:64] = 235 << (bit_depth - 8)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    source = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=1")
    for name, options in CLIPS.items():
        _ffmpeg(*source, *options, folder / name)
    _ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x120:r=50:d=0.8", "-vf", "tinterlace=4",
            "-flags", "+ildct+ilme", "-c:v", "libx264", "-x264-params", "tff=1",
            folder / "interlaced.mp4")  # fmt: skip
    return folder


def _rendered(
    source: Path, folder: Path, painter: object | None = None, codec: str = "h264", audio: str = "remove"
) -> tuple[MediaFacts, list[Fraction], Path]:
    handler = VideoHandler()
    facts = handler.probe(source)
    times = [frame.time for frame in handler.frames(source, facts)]
    facts = facts.model_copy(update={"frames": len(times)})
    spec = OutputSpec(format="mp4", video=VideoPolicy(codec=codec), audio=AudioPolicy(mode=audio))
    target = folder / f"{source.stem}-out.mp4"
    written = handler.render(source, facts, spec, painter or NoPaint(), target)
    assert written.frames == len(times)
    return facts, times, target


def _times(path: Path) -> list[Fraction]:
    """Every frame's time as ffprobe, another program, reads it."""
    shown = ("-select_streams", "v:0", "-show_entries", "frame=pts:stream=time_base", "-of", "csv")
    done = subprocess.run(
        ["ffprobe", "-v", "error", *shown, str(path)], capture_output=True, text=True, check=True
    )
    rows = [line.split(",") for line in done.stdout.split()]
    tick = Fraction(next(row[1] for row in rows if row[0] == "stream"))
    return [int(row[1]) * tick for row in rows if row[0] == "frame"]


@pytest.mark.parametrize("name", [*CLIPS, "interlaced.mp4"])
def test_every_frame_and_every_time_is_kept(clips: Path, tmp_path: Path, name: str) -> None:
    _, times, target = _rendered(clips / name, tmp_path)
    assert _times(target) == times
    if name not in ("mjpeg.avi", "mpeg4.avi"):
        assert times == _times(clips / name)


@pytest.mark.parametrize("name", CLIPS)
def test_size_pixel_shape_depth_and_colour_are_kept(clips: Path, tmp_path: Path, name: str) -> None:
    facts, _, target = _rendered(clips / name, tmp_path)
    (before,) = [each for each in probe_streams(clips / name)["streams"] if each["codec_type"] == "video"]
    (after,) = probe_streams(target)["streams"]
    assert (after["width"], after["height"]) == (before["width"], before["height"])
    assert after.get("sample_aspect_ratio", "1:1") == before.get("sample_aspect_ratio", "1:1")
    assert ("10le" in after["pix_fmt"]) == ("10le" in before["pix_fmt"])
    if before["pix_fmt"].startswith("yuv"):
        for key in ("color_space", "color_primaries", "color_transfer"):
            assert after.get(key) == before.get(key)
        assert (after.get("color_range") == "pc") == (before.get("color_range") == "pc")
    assert after["field_order"] in ("progressive", "unknown")
    assert facts.width == after["width"]


@pytest.mark.parametrize("name", CLIPS)
def test_pictures_are_the_same_to_the_eye(clips: Path, tmp_path: Path, name: str) -> None:
    _, _, target = _rendered(clips / name, tmp_path)
    with av.open(str(clips / name)) as a, av.open(str(target)) as b:
        for before, after in zip(a.decode(video=0), b.decode(video=0), strict=True):
            one, two = before.to_ndarray(format="bgr24"), after.to_ndarray(format="bgr24")
            assert cv2.PSNR(one, two) > 26, f"frame {before.pts}"


@pytest.mark.parametrize("codec", ["hevc", "av1", "vp9"])
def test_other_codecs_keep_times_and_odd_sizes_too(clips: Path, tmp_path: Path, codec: str) -> None:
    for name in ("uneven.mkv", "odd.mkv"):
        facts, times, target = _rendered(clips / name, tmp_path, codec=codec)
        assert _times(target) == times
        (after,) = probe_streams(target)["streams"]
        assert (after["width"], after["height"]) == (facts.width, facts.height)
        assert after["codec_name"] == codec


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root may take it")
@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
def test_no_encoder_takes_the_processor_from_all_others(
    clips: Path, tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, seen = video_encode.VideoWriter.write, []

    def looked_at(*arguments: Any) -> None:
        write(*arguments)
        for thread in Path("/proc/self/task").iterdir():
            with contextlib.suppress(OSError):  # it has ended
                seen.append(os.sched_getscheduler(int(thread.name)))

    monkeypatch.setattr(video_encode.VideoWriter, "write", looked_at)
    _rendered(clips / "odd.mkv", tmp_path, codec=codec)
    assert seen and set(seen) <= {os.SCHED_OTHER, os.SCHED_BATCH, os.SCHED_IDLE}


def test_vp9_refuses_ten_bits_instead_of_losing_them(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedInputError, match="8 bits"):
        _rendered(clips / "hdr.mov", tmp_path, codec="vp9")
    assert not (tmp_path / "hdr-out.mp4").exists()


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotation_is_applied_to_the_pixels_and_its_flag_is_gone(
    clips: Path, tmp_path: Path, angle: int
) -> None:
    turned = tmp_path / f"turned{angle}.mp4"
    with av.open(str(clips / "h264.mp4")) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(-angle)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    facts, _, out = _rendered(turned, tmp_path)
    assert facts.rotation == angle
    assert (facts.width, facts.height) == ((120, 160) if angle != 180 else (160, 120))
    with av.open(str(clips / "h264.mp4")) as a, av.open(str(out)) as b:
        before = next(a.decode(video=0)).to_ndarray(format="bgr24")
        after = next(b.decode(video=0))
        assert after.rotation == 0
        assert (
            cv2.PSNR(np.ascontiguousarray(np.rot90(before, -angle // 90)), after.to_ndarray(format="bgr24"))
            > 26
        )
    handler = VideoHandler()
    shown = next(iter(handler.frames(turned, facts))).picture.bgr()
    assert shown.shape == (facts.height, facts.width, 3)
    # 22.8 dB on this test chart: sharp coloured edges, scaled by another filter
    assert cv2.PSNR(shown, np.ascontiguousarray(np.rot90(before, -angle // 90))) > 21


def test_interlaced_frames_become_progressive_ones(clips: Path, tmp_path: Path) -> None:
    facts, _, target = _rendered(clips / "interlaced.mp4", tmp_path)
    assert facts.interlaced
    with av.open(str(target)) as container:
        assert not any(frame.interlaced_frame for frame in container.decode(video=0))


@pytest.mark.parametrize("name", ["h264.mp4", "ten.mkv", "odd.mkv", "interlaced.mp4"])
def test_a_cover_lands_on_its_own_frame_without_lag(clips: Path, tmp_path: Path, name: str) -> None:
    _, _, target = _rendered(clips / name, tmp_path, BoxPaint())
    with av.open(str(target)) as container:
        for n, frame in enumerate(container.decode(video=0)):
            luma = frame.to_ndarray(format="gray")[24:56, 24:56]
            assert (luma.min() > 215) == (n % 2 == 0), n


def test_nothing_but_pixels_passes(clips: Path, tmp_path: Path) -> None:
    words, notes = tmp_path / "words.srt", tmp_path / "notes.txt"
    words.write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{CANARY}-subtitle\n")
    notes.write_text(
        f";FFMETADATA1\ntitle={CANARY}-title\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle={CANARY}\n"
    )
    inputs = ("-i", clips / "h264.mp4", "-f", "lavfi", "-i", "sine=d=1", "-i", words, "-i", notes)
    maps = ("-map", "0:v", "-map", "1:a", "-map", "2:s", "-map_metadata", "3", "-c:v", "copy", "-c:a", "aac")
    dirty = tmp_path / "dirty.mp4"
    _ffmpeg(*inputs, *maps, "-c:s", "mov_text", "-timecode", "01:00:00:00",
            "-metadata:s:v:0", f"handler_name={CANARY}", dirty)  # fmt: skip
    matroska = tmp_path / "dirty.mkv"
    _ffmpeg(*inputs, *maps, "-c:s", "srt", "-attach", words, "-metadata:s:t", "mimetype=text/plain", matroska)
    for source in (dirty, matroska):
        assert CANARY.encode() in source.read_bytes()
        facts, _, target = _rendered(source, tmp_path)
        assert {"video", "audio", "subtitle"} <= {stream.kind for stream in facts.streams}
        found = probe_streams(target)
        assert [stream["codec_type"] for stream in found["streams"]] == ["video"]
        assert not found["chapters"]
        data = target.read_bytes()
        for trace in (CANARY.encode(), b"x264 - core", b"Lavf", b"Lavc"):
            assert trace not in data
        target.unlink()


def test_closed_captions_inside_the_stream_do_not_pass(clips: Path, tmp_path: Path) -> None:
    """H.264 SEI user data is spliced into every access unit, as broadcast captions are."""
    raw = tmp_path / "raw.h264"
    _ffmpeg("-i", clips / "h264.mp4", "-c:v", "libx264", "-bf", "0", "-f", "h264", raw)
    message = b"\x04" + bytes([16 + len(CANARY)]) + bytes(range(1, 17)) + CANARY.encode() + b"\x80"
    marked = raw.read_bytes().replace(
        b"\x00\x00\x01\x65", b"\x00\x00\x01\x06" + message + b"\x00\x00\x01\x65"
    )
    raw.write_bytes(marked)
    source = tmp_path / "captions.mp4"
    _ffmpeg("-r", "25", "-i", raw, "-c", "copy", source)
    assert CANARY.encode() in source.read_bytes()
    _, _, target = _rendered(source, tmp_path)
    assert CANARY.encode() not in target.read_bytes()


def test_kept_sound_stays_in_sync(clips: Path, tmp_path: Path) -> None:
    """A beep from 0.40 s on, on a track that starts late: it is heard at the same moment afterwards."""
    source = tmp_path / "beep.mkv"
    tone = "aevalsrc='if(gte(t,0.3),sin(2*PI*880*t),0)':d=0.8:s=44100"
    _ffmpeg("-i", clips / "h264.mp4", "-itsoffset", "0.1", "-f", "lavfi", "-i", tone, "-c:v", "copy",
            "-c:a", "pcm_s16le", "-map", "0:v", "-map", "1:a", source)  # fmt: skip
    _, _, target = _rendered(source, tmp_path, audio="keep")
    assert [stream["codec_type"] for stream in probe_streams(target)["streams"]] == ["video", "audio"]

    def onset(path: Path) -> float:
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                loud = np.flatnonzero(np.abs(frame.to_ndarray().astype(np.float64)).max(axis=0) > (
                    0.2 if frame.format.name.startswith("flt") else 6000))  # fmt: skip
                if loud.size:
                    return float(frame.time) + loud[0] / frame.sample_rate
        raise AssertionError("no beep")

    assert onset(target) == pytest.approx(onset(source), abs=0.023)


@pytest.mark.parametrize("name", ["h264.mp4", "hevc.mkv", "vp9.webm", "mjpeg.avi", "png.mov"])
@pytest.mark.parametrize("left", [0.2, 0.6, 0.95])
def test_a_file_cut_short_is_refused_however_much_is_left(
    clips: Path, tmp_path: Path, name: str, left: float
) -> None:
    whole = (clips / name).read_bytes()
    short = tmp_path / name
    short.write_bytes(whole[: int(len(whole) * left)])
    with pytest.raises(InputError):
        _rendered(short, tmp_path)
    assert not list(tmp_path.glob("*-out.mp4"))


def test_a_corrupt_stream_is_refused(clips: Path, tmp_path: Path) -> None:
    data = bytearray((clips / "h264.mp4").read_bytes())
    start = data.index(b"mdat") + 2000
    for at in range(start, start + 4000, 7):
        data[at] ^= 0x5A
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    with pytest.raises(DamagedInputError):
        _rendered(broken, tmp_path)


def test_an_encoder_that_dies_half_way_leaves_no_file(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = video_encode.VideoWriter.write

    def dies(self: video_encode.VideoWriter, frame: av.VideoFrame, pts: int, duration: int) -> None:
        if self.frames == 10:
            raise av.error.ExternalError(1, "encoder gone")
        write(self, frame, pts, duration)

    monkeypatch.setattr(video_encode.VideoWriter, "write", dies)
    with pytest.raises((EncodeError, DamagedInputError)):
        _rendered(clips / "h264.mp4", tmp_path)
    assert not list(tmp_path.glob("*-out.mp4"))


def test_a_playlist_is_no_video(tmp_path: Path) -> None:
    playlist = tmp_path / "list.mp4"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    with pytest.raises(UnsupportedInputError):
        VideoHandler().probe(playlist)
