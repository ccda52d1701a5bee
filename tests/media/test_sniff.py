"""Formats are told by content: whatever a file is called, and whatever else it pretends to be."""

from __future__ import annotations

import os
import re
import socket
import struct
import sys
import types
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from photo_samples import FORMATS, encode, plain, save, scene
from PIL import Image

from redact.errors import DamagedInputError, InputError, UnsupportedInputError
from redact.media.animation import AnimationHandler
from redact.media.foreign import CAMERA_RAW, DOCUMENT, OTHER_PHOTO, OTHER_VIDEO, SOUND, UNKNOWN
from redact.media.photo import PhotoHandler
from redact.media.registry import handler_for
from redact.media.sniff import identify, media_kind


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = major + bytes(4) + b"".join(compatible)
    return struct.pack(">I", len(body) + 8) + b"ftyp" + body + b"\x00\x00\x00\x08free"


def ebml(doctype: bytes) -> bytes:
    body = b"\x42\x86\x81\x01\x42\x82" + bytes([0x80 | len(doctype)]) + doctype
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(body)]) + body + b"\x18\x53\x80\x67"


HEADS = {
    "mp4 isom": (ftyp(b"isom", b"mp41"), "mp4"),
    "mp4 of a phone": (ftyp(b"3gp5", b"isom"), "mp4"),
    "quicktime": (ftyp(b"qt  ", b"qt  "), "mov"),
    "old quicktime": (struct.pack(">I", 16) + b"moov" + bytes(8), "mov"),
    "heic": (ftyp(b"heic", b"mif1"), "heif"),
    "heif by container": (ftyp(b"mif1", b"heic"), "heif"),
    "avif": (ftyp(b"avif", b"mif1", b"miaf"), "avif"),
    "avif by container": (ftyp(b"mif1", b"avif"), "avif"),
    "matroska": (ebml(b"matroska"), "mkv"),
    "webm": (ebml(b"webm"), "webm"),
    "avi": (b"RIFF\x00\x10\x00\x00AVI LIST", "avi"),
    "webp": (b"RIFF\x00\x10\x00\x00WEBPVP8 ", "webp"),
}
REFUSED = {
    "canon raw 3": ftyp(b"crx ", b"isom"),
    "canon raw 2": b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(40),
    "olympus raw": b"IIRO" + bytes(40),
    "panasonic raw": b"IIU\x00" + bytes(40),
    "big tiff": b"II+\x00\x08\x00\x00\x00" + bytes(40),
    "audio": ftyp(b"M4A ", b"isom"),
    "jpeg 2000": ftyp(b"jp2 "),
    "jpeg xl": ftyp(b"jxl "),
    "wav": b"RIFF\x00\x10\x00\x00WAVEfmt ",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "pdf": b"%PDF-1.7\n",
    "psd": b"8BPS\x00\x01" + bytes(40),
    "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "concat script": b"ffconcat version 1.0\nfile a.mp4\n",
    "fuji raw": b"FUJIFILMCCD-RAW 0201" + bytes(40),
    "ogg with sound": b"OggS" + bytes(24) + b"OpusHead" + bytes(40),
    "ogg with pictures": b"OggS" + bytes(24) + b"\x80theora" + bytes(40),
    "transport stream": (b"\x47" + bytes(187)) * 2,
    "transport stream of a camera": (bytes(4) + b"\x47" + bytes(187)) * 2,
    "aiff": b"FORM\x00\x00\x00\x00AIFFCOMM",
    "unknown ebml": ebml(b"other"),
    "text that starts like a bitmap": b"BMW is a car maker, and this is a long enough line of text.",
    "one byte": b"\xff",
}


@pytest.mark.parametrize("name", [*HEADS])
def test_the_content_tells_the_format(name: str, tmp_path: Path) -> None:
    head, expected = HEADS[name]
    assert identify(save(tmp_path, head, "wrong.txt")) == expected


@pytest.mark.parametrize("format", FORMATS)
def test_the_file_name_tells_nothing(format: str, tmp_path: Path) -> None:
    for name in ("a.mp4", "a", "a.jpg", "a.svg"):
        assert identify(save(tmp_path, plain(format), name)) == format


@pytest.mark.parametrize("name", [*REFUSED])
def test_anything_else_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedInputError):
        identify(save(tmp_path, REFUSED[name], "photo.jpg"))


TOLD_AS = {
    "canon raw 3": CAMERA_RAW,
    "canon raw 2": CAMERA_RAW,
    "olympus raw": CAMERA_RAW,
    "panasonic raw": CAMERA_RAW,
    "big tiff": OTHER_PHOTO,
    "audio": SOUND,
    "jpeg 2000": OTHER_PHOTO,
    "jpeg xl": OTHER_PHOTO,
    "wav": SOUND,
    "svg": DOCUMENT,
    "pdf": DOCUMENT,
    "psd": OTHER_PHOTO,
    "playlist": UNKNOWN,
    "concat script": UNKNOWN,
    "fuji raw": CAMERA_RAW,
    "ogg with sound": SOUND,
    "ogg with pictures": OTHER_VIDEO,
    "transport stream": OTHER_VIDEO,
    "transport stream of a camera": OTHER_VIDEO,
    "aiff": SOUND,
}


@pytest.mark.parametrize("name", [*TOLD_AS])
def test_a_refusal_says_what_the_file_is(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedInputError, match=re.escape(TOLD_AS[name])):
        identify(save(tmp_path, REFUSED[name], "photo.jpg"))


def test_an_empty_file_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(DamagedInputError):
        identify(save(tmp_path, b""))


def test_nothing_but_regular_files_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")  # opening it for reading would wait for a writer for ever
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    for path in (tmp_path / "fifo", tmp_path / "socket", tmp_path, Path("/dev/zero")):
        with pytest.raises(UnsupportedInputError):
            identify(path)
    listening.close()


def test_a_missing_file_is_an_input_error_that_names_no_path(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        identify(tmp_path / "Orinakyan.jpg")
    assert "Orinakyan" not in str(caught.value)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x00\x00\x00\x00WEBP"])
def test_a_bare_signature_is_a_damaged_file(data: bytes, tmp_path: Path) -> None:
    path = save(tmp_path, data)
    with pytest.raises(DamagedInputError):
        handler = handler_for(path)
        handler.probe(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(
        st.binary(min_size=1, max_size=80),
        st.sampled_from([h for h, _ in HEADS.values()]).flatmap(
            lambda head: st.binary(max_size=20).map(lambda tail: head[:18] + tail)
        ),
    )
)
def test_no_bytes_make_it_fail_with_anything_but_our_errors(data: bytes, tmp_path: Path) -> None:
    path = save(tmp_path, data)
    try:
        assert media_kind(path, identify(path)) in ("photo", "animation", "video")
    except InputError as error:
        assert str(tmp_path) not in str(error)


def frames(count: int) -> list[Image.Image]:
    return [Image.fromarray(scene() // (n + 1)) for n in range(count)]


@pytest.mark.parametrize(("format", "save_as"), [("gif", "gif"), ("webp", "webp"), ("apng", "png")])
def test_more_than_one_frame_makes_an_animation(format: str, save_as: str, tmp_path: Path) -> None:
    first, *rest = frames(3)
    moving = save(tmp_path, encode(save_as, first, save_all=True, append_images=rest, duration=100), "moving")
    still = save(tmp_path, encode(save_as, first), "still")
    assert identify(moving) == format
    assert media_kind(moving, format) == "animation"
    assert isinstance(handler_for(moving), AnimationHandler)
    assert media_kind(still, save_as) == "photo"
    assert isinstance(handler_for(still), PhotoHandler)


def test_a_tiff_of_several_pages_is_refused(tmp_path: Path) -> None:
    first, *rest = frames(2)
    path = save(tmp_path, encode("tiff", first, save_all=True, append_images=rest))
    with pytest.raises(UnsupportedInputError, match="pages"):
        media_kind(path, identify(path))


def test_a_tiff_with_a_small_copy_of_itself_is_one_photo(tmp_path: Path) -> None:
    first, *rest = frames(2)
    data = bytearray(encode("tiff", first, save_all=True, append_images=rest))
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    (second,) = struct.unpack_from("<I", data, at + 2 + 12 * count)
    # its first tag becomes NewSubfileType = 1, a reduced-resolution copy
    struct.pack_into("<HHII", data, second + 2, 254, 4, 1, 1)
    path = save(tmp_path, bytes(data))
    assert media_kind(path, identify(path)) == "photo"
    handler = PhotoHandler()
    (frame,) = handler.frames(path, handler.probe(path))
    assert (frame.picture.bgr()[:, :, ::-1] == scene()).all()


def test_camera_raw_in_a_tiff_coat_is_refused(tmp_path: Path) -> None:
    dng = encode("tiff", frames(1)[0], tiffinfo={50706: b"\x01\x04\x00\x00"})
    path = save(tmp_path, dng)
    with pytest.raises(UnsupportedInputError, match="raw"):
        media_kind(path, identify(path))


@pytest.mark.parametrize("brand", [b"avis", b"msf1", b"hevc"])
def test_image_sequences_are_refused(brand: bytes, tmp_path: Path) -> None:
    path = save(tmp_path, ftyp(brand, b"mif1"))
    with pytest.raises(UnsupportedInputError, match="sequence"):
        media_kind(path, identify(path))


def test_videos_go_to_the_video_handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class VideoHandler:
        kind = "video"

    module = types.ModuleType("redact.media.video")
    module.VideoHandler = VideoHandler  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "redact.media.video", module)
    path = save(tmp_path, HEADS["webm"][0])
    assert handler_for(path).kind == "video"
