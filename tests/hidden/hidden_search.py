"""Looks for canaries and for the hidden face in a file, in every way that a curious reader could.

`tokens` finds every canary in raw bytes, without NULs, in UTF-16, at every bit offset, and in everything that
inflates (zlib, deflate, Brotli) or is base64. `faces` carves every picture and film out of all of those and
decodes every page, frame, item and stream of the file itself. The tests run both on the INPUT first, so that
no test of an output can pass by not looking.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import io
import json
import re
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import brotli
import numpy as np
import pillow_heif
from PIL import Image, ImageFile

TOKEN = re.compile(r"KANARI[0-9A-F]{8}")
_TOKEN_BYTES = re.compile(rb"KANARI[0-9A-F]{8}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n]{120,}={0,2}")
BRUTE_FORCE_BELOW = 6_000
"""Files up to this size are tried as a compressed stream from every byte on, larger ones from zlib heads."""
MOST_INFLATED = 1 << 16
MOST_BROTLI = 512
SIZE = 64
TOLERANCE = 45


def canary(place: str) -> str:
    """The invented token that is planted at `place`: no two places share one."""
    return "KANARI" + hashlib.sha256(place.encode()).hexdigest()[:8].upper()


def _pattern() -> np.ndarray:
    """4 x 4 x 3: the colours that stand for a face."""
    return np.random.default_rng(7).choice([10, 245], (4, 4, 3)).astype(np.uint8)


PATTERN = _pattern()
FACE = PATTERN.repeat(SIZE // 4, 0).repeat(SIZE // 4, 1)
"""H x W x 3 RGB: the picture that stands for the bare face."""


def face_image() -> Image.Image:
    """The hidden face as a picture."""
    return Image.fromarray(FACE)


def face_jpeg() -> bytes:
    """The hidden face as a thumbnail."""
    sink = io.BytesIO()
    face_image().save(sink, "JPEG", quality=90, subsampling=0)
    return sink.getvalue()


def is_face(image: Image.Image) -> bool:
    """Whether the whole picture is the hidden face."""
    small = np.asarray(image.convert("RGB").resize((4, 4), Image.Resampling.BOX)).astype(int)
    if abs(small - PATTERN).mean() < TOLERANCE:
        return True
    grey = small.mean(axis=2) - PATTERN.astype(int).mean(axis=2)  # depth and gain maps are grey
    flat = np.ptp(small, axis=2).max() < 12
    return bool(flat and abs(grey).mean() < TOLERANCE)


@functools.lru_cache(maxsize=512)
def inflated(data: bytes) -> tuple[bytes, ...]:
    """Whatever in `data` is a zlib, gzip, deflate or Brotli stream of 14 bytes or more, decompressed."""
    brute = len(data) <= BRUTE_FORCE_BELOW
    heads = range(len(data)) if brute else [m.start() for m in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data)]
    view = memoryview(data)
    found = []
    for at in heads:
        window = view[at : at + MOST_INFLATED]
        for bits in (15, -15) if brute else (15,):
            with contextlib.suppress(zlib.error):
                found.append(zlib.decompressobj(bits).decompress(window, MOST_INFLATED))
        if brute:
            found.append(_unbrotli(bytes(window[:MOST_BROTLI])))
    return tuple(out for out in found if len(out) >= 14)


def _unbrotli(window: bytes) -> bytes:
    """A few bytes at a time: the decoder refuses, with all it has, what follows the end of its stream."""
    for step in (8, 1):
        stream, out, at = brotli.Decompressor(), b"", 0
        try:
            while at < len(window) and not stream.is_finished():
                out += stream.process(window[at : at + step])
                at += step
            return out
        except brotli.error:
            if at == 0:
                return b""  # nothing of it is Brotli
            window = window[: at + step]
    return out


def _decoded_base64(data: bytes) -> Iterator[bytes]:
    for found in _BASE64.finditer(data):
        text = re.sub(rb"\s", b"", found[0])
        with contextlib.suppress(ValueError):
            yield base64.b64decode(text[: len(text) // 4 * 4])


def _shifted(data: bytes) -> Iterator[bytes]:
    bits = np.frombuffer(data, np.uint8).astype(np.uint16)
    if len(bits) > 1:
        for shift in range(1, 8):
            yield ((bits[:-1] << shift | bits[1:] >> 8 - shift) & 255).astype(np.uint8).tobytes()


def _texts(data: bytes) -> Iterator[bytes]:
    yield data
    yield data.replace(b"\0", b"")
    for code in ("utf-16-le", "utf-16-be"):
        for start in (0, 1):
            yield data[start:].decode(code, "ignore").encode("utf-8", "ignore")
    yield from _shifted(data)


def tokens(data: bytes) -> set[str]:
    """Every canary in the bytes of one file or of one tool's answer."""
    found: set[str] = set()
    for view in (data, *inflated(data), *_decoded_base64(data)):
        for text in _texts(view) if view is data else (view, view.replace(b"\0", b"")):
            found.update(match.decode() for match in _TOKEN_BYTES.findall(text))
    return found


def carved(data: bytes) -> Iterator[tuple[int, str]]:
    """(offset, kind) of every signature of a picture or film in `data`."""
    for kind, signature, back in (
        ("jpeg", rb"\xff\xd8\xff", 0),
        ("png", rb"\x89PNG\r\n\x1a\n", 0),
        ("gif", rb"GIF8[79]a", 0),
        ("webp", rb"RIFF....WEBP", 0),
        ("ftyp", rb"\0\0\0.ftyp", 0),
        ("matroska", rb"\x1a\x45\xdf\xa3", 0),
    ):
        yield from ((match.start() - back, kind) for match in re.finditer(signature, data, re.DOTALL))


def _extended_xmp(data: bytes) -> bytes:
    """The parts of a JPEG's extended XMP put together: a picture in it may be cut in two."""
    head = b"http://ns.adobe.com/xmp/extension/\0"
    whole, at = b"", data.find(head)
    while at >= 4:
        end = at - 2 + int.from_bytes(data[at - 2 : at], "big")
        whole += data[at + len(head) + 40 : end]
        at = data.find(head, end)
    return whole


def faces(path: Path) -> list[str]:
    """Every place in the file where the hidden face is found."""
    data = path.read_bytes()
    found = []
    packed = [*inflated(data), *_decoded_base64(data), *_decoded_base64(_extended_xmp(data))]
    for name, view in (("raw", data), *(("packed", v) for v in packed)):
        for at, kind in carved(view):
            if kind in ("ftyp", "matroska"):
                shown = any(map(is_face, [*_film_frames(view[at:]), *_heif_pictures(view[at:])]))
            else:
                shown = any(map(is_face, _pages(view[at:])))
            if shown:
                found.append(f"{name} {kind} at {at}")
        rows = (FACE[0], FACE[0][:, ::-1])
        found += [f"{name} samples" for row in rows if row.tobytes()[:96] in view]
    if any(map(is_face, [*_pages(data), *_heif_pictures(data), *_film_frames(data)])):
        found.append("decoded")
    return found


def _pages(data: bytes) -> Iterator[Image.Image]:
    """Every page and frame that Pillow shows, and every TIFF sub-directory's uncompressed picture."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        image = Image.open(io.BytesIO(data))
        for index in range(min(getattr(image, "n_frames", 1), 8)):
            image.seek(index)
            yield image.copy()
    except Exception:  # noqa: BLE001 - carving meets anything; what does not decode shows nothing
        return


def _heif_pictures(data: bytes) -> Iterator[Image.Image]:
    if data[4:8] != b"ftyp":
        return
    try:
        file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        for still in file:
            yield still.to_pillow()
            for depth in still.info.get("depth_images", ()):
                yield depth.to_pillow()
            for ids in still.info.get("aux", {}).values():
                for number in ids:
                    yield still.get_aux_image(number).to_pillow()
    except Exception:  # noqa: BLE001 - see above
        return


def _film_frames(data: bytes) -> Iterator[Image.Image]:
    """The first frames of every picture stream, cover pictures too."""
    try:
        # frames that an edit list hides are looked at too
        with av.open(io.BytesIO(data), options={"ignore_editlist": "1"}) as container:
            for stream in container.streams.video:
                container.seek(0)
                for count, frame in enumerate(container.decode(stream)):
                    yield frame.to_image()
                    if count >= 6:
                        break
    except Exception:  # noqa: BLE001 - see above
        return


@functools.lru_cache(maxsize=256)
def captions(path: Path) -> str:
    """Closed captions of the first picture stream: CEA-608 of both fields, CEA-708 of every service."""
    line21, packets = "", b""
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                side: Any = frame.side_data.get("A53_CC")
                data = bytes(side) if side is not None else b""
                for at in range(0, len(data) - 2, 3):
                    valid, kind, pair = data[at] & 4, data[at] & 3, data[at + 1 : at + 3]
                    if valid and kind < 2 and pair[0] & 0x7F >= 0x20:
                        line21 += bytes(byte & 0x7F for byte in pair).decode("ascii", "ignore")
                    elif valid and kind >= 2:
                        packets += pair
    except av.FFmpegError:
        return ""
    services, at = "", 0
    while at < len(packets):
        end = at + max(2 * (packets[at] & 63), 2)
        at += 1
        while at < min(end, len(packets)) and packets[at] & 31:
            size = packets[at] & 31
            services += packets[at + 1 : at + 1 + size].decode("latin-1")
            at += 1 + size
        at = end
    return line21.replace("\0", "") + "\n" + re.sub(r"[^ -~]", "", services)


def exiftool(*paths: Path) -> dict[str, dict[str, Any]]:
    """What exiftool says of every file, by file name: everything, also unknown and embedded."""
    command = ["exiftool", "-a", "-G1", "-s", "-ee", "-u", "-j", "-struct", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False)
    return {Path(each["SourceFile"]).name: each for each in json.loads(done.stdout or b"[]")}


@functools.lru_cache(maxsize=256)
def ffprobe(path: Path) -> str:
    """What ffprobe says of a film: streams, tags, chapters, and the side data of packets and frames."""
    shown = ["-show_streams", "-show_format", "-show_chapters", "-show_programs", "-show_packets",
             "-show_frames", "-show_data"]  # fmt: skip
    done = subprocess.run(["ffprobe", "-v", "error", *shown, str(path)], capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace")
