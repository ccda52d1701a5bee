"""Files that point to other files and addresses, and files that lie about their size. Written by hand.

`canary` is a file beside them that nobody may open, `port` one on this machine that nobody may connect to.
"""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

CANARY = "CANARY-Orinakyan-beside"


def clip(path: Path, frames: int = 4, container: str = "mp4", codec: str = "libx264") -> bytes:
    """A small grey film."""
    with av.open(str(path), "w", format=container, options={}) as sink:
        stream = sink.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for n in range(frames):
            picture = np.full((48, 64, 3), 60 + 20 * n, np.uint8)
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        sink.mux(stream.encode())
    return path.read_bytes()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def _rewritten(data: bytes, way: tuple[bytes, ...], replacement: bytes) -> bytes:
    """`data` with the boxes at the end of `way` replaced and every size on the way put right."""
    out, at = b"", 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + size]
        if kind == way[0]:
            body = _rewritten(body, way[1:], replacement) if len(way) > 1 else replacement
        out += box(kind, body)
        at += size
    return out


def mov_with_reference(clean: bytes, target: str, kind: bytes = b"url ") -> bytes:
    """A film whose samples are said to lie in another file (`dref`), by address or by Macintosh alias."""
    if kind == b"url ":
        entry = box(kind, struct.pack(">I", 0) + target.encode() + b"\0")
    else:
        name = Path(target.removeprefix("file:")).name.encode()[:62]
        record = struct.pack(">4sHHH", b"\0\0\0\0", 0, 2, 0) + bytes([4]) + b"disk".ljust(27, b"\0")
        record += (
            bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16) + struct.pack(">HH", 1, 1)
        )
        record += bytes(16)
        path = target.removeprefix("file:").encode()
        record += (
            struct.pack(">hH", 2, len(path)) + path + b"\0" * (len(path) % 2) + struct.pack(">hH", -1, 0)
        )
        entry = box(kind, struct.pack(">I", 0) + record)
    body = struct.pack(">II", 0, 1) + entry
    return _rewritten(clean, (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"), body)


def mkv_with_links(clean: bytes, target: str) -> bytes:
    """A Matroska file that names the files before and after itself."""
    links = b""
    for element, text in ((0x3C83AB, target), (0x3E83BB, target)):
        links += element.to_bytes(3, "big") + bytes([0x80 | len(text)]) + text.encode()
    for element in (b"\x3c\xb9\x23", b"\x3e\xb9\x23"):  # their identities
        links += element + b"\x90" + bytes(range(16))
    at = clean.index(b"\x15\x49\xa9\x66") + 4
    width = 9 - clean[at].bit_length()
    size = int.from_bytes(clean[at : at + width], "big") & ((1 << 7 * width) - 1)
    grown = struct.pack(">Q", (size + len(links)) | 1 << 56)
    head = bytearray(clean[:at])
    segment = clean.index(b"\x18\x53\x80\x67") + 4
    if head[segment : segment + 8] != b"\x01" + b"\xff" * 7:
        old = int.from_bytes(head[segment : segment + 8], "big") & ((1 << 56) - 1)
        head[segment : segment + 8] = struct.pack(">Q", (old + len(links) + 8 - width) | 1 << 56)
    return bytes(head) + grown + links + clean[at + width :]


def tiff_with(tags: dict[int, tuple[int, int, int]], data: bytes = b"") -> bytes:
    """A 4 x 4 grey TIFF with odd tags: number -> (type, count, value)."""
    base = {
        256: (3, 1, 4), 257: (3, 1, 4), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1),
        273: (4, 1, 8), 277: (3, 1, 1), 278: (3, 1, 4), 279: (4, 1, 16),
    } | tags  # fmt: skip
    body = bytes(range(16)) + data
    head = struct.pack("<2sHI", b"II", 42, 8 + len(body))
    entries = b"".join(struct.pack("<HHII", tag, *base[tag]) for tag in sorted(base))
    return head + body + struct.pack("<H", len(base)) + entries + struct.pack("<I", 0)


def pointing(canary: Path, port: int, work: Path) -> dict[str, bytes]:
    """Every kind of file that refers to another one, by name without an ending."""
    address, web = f"file://{canary}", f"http://127.0.0.1:{port}/{CANARY}"
    mp4 = clip(work / "base.mp4")
    mov = clip(work / "base.mov", container="mov")
    mkv = clip(work / "base.mkv", container="matroska")
    found: dict[str, bytes] = {}
    for n, target in enumerate((address, str(canary), canary.name, web)):
        found |= {
            f"hls{n}": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n".encode(),
            f"hls-key{n}": (
                f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:1,\n{target}\n'.encode()
            ),
            f"concat{n}": f"ffconcat version 1.0\nfile '{target}'\n".encode(),
            f"dash{n}": (
                '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
                f'<BaseURL>{target}</BaseURL><AdaptationSet mimeType="video/mp4"><Representation id="1">'
                f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
            ).encode(),
            f"svg{n}": (
                '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "' + target + '">]>'
                '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
                f'<image xlink:href="{target}" width="9" height="9"/><text>&x;</text></svg>'
            ).encode(),
            f"asx{n}": f'<asx version="3.0"><entry><ref href="{target}"/></entry></asx>'.encode(),
            f"sdp{n}": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
            f"m=video {port} RTP/AVP 96\n"
            f"a=rtpmap:96 H264/90000\na=control:{target}\n".encode(),
            f"pls{n}": f"[playlist]\nFile1={target}\nNumberOfEntries=1\n".encode(),
            f"mov-url{n}": mov_with_reference(mov, target),
            f"mp4-url{n}": mov_with_reference(mp4, target),
            f"mov-alias{n}": mov_with_reference(mov, target, b"alis"),
            f"mkv-links{n}": mkv_with_links(mkv, target[-100:]),
            f"subtitles{n}": f"[Script Info]\n[V4+ Styles]\n[Fonts]\nfontname: {target}\n".encode(),
            f"image-sequence{n}": f"{target}%d.jpg".encode(),
            f"eps{n}": f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({target}) run\n".encode(),
        }
    found["psd"] = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 4, 4, 8, 3) + bytes(12) + bytes(2 + 48)
    found["tiff-outside"] = tiff_with({273: (4, 1, 1 << 30)})
    found["tiff-loop"] = tiff_with({330: (4, 1, 24)})
    found["tiff-huge-count"] = tiff_with({270: (2, 0xFFFFFFF0, 8)})
    found["tiff-many-strips"] = tiff_with({273: (4, 0x3FFFFFFF, 8), 279: (4, 0x3FFFFFFF, 8)})
    return found


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *extra: bytes, data: bytes | None = None) -> bytes:
    """A grey PNG that claims this size; `data` is its IDAT, deflated zeros for a few rows by default."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = zlib.compress(bytes(width + 1) * min(height, 4)) if data is None else data
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def picture(kind: str, width: int = 64, height: int = 48, **options: object) -> bytes:
    """A small real picture."""
    buffer = io.BytesIO()
    Image.fromarray(np.indices((height, width)).sum(axis=0).astype(np.uint8) * 2).convert("RGB").save(
        buffer, kind, **options
    )
    return buffer.getvalue()


def gif_of(frames: int, width: int = 8, height: int = 8) -> bytes:
    """A GIF of that many one-pixel frames on a canvas of the given size."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes([0, 0, 0, 255, 255, 255])
    frame = (
        b"\x21\xf9\x04\x00\x02\x00\x00\x00"
        + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
        + b"\x02\x02\x44\x01\x00"
    )  # fmt: skip
    return head + frame * frames + b";"


def bombs(work: Path) -> dict[str, bytes]:
    """Small files that ask for a great deal."""
    big = zlib.compress(bytes(200 << 20), 1)
    jpeg = bytearray(picture("JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 65535, 65535)
    webp = bytearray(picture("WEBP", lossless=True))
    at = webp.index(b"VP8L") + 9
    bits = int.from_bytes(webp[at : at + 4], "little") & ~((1 << 28) - 1) | 16383 | 16383 << 14
    webp[at : at + 4] = bits.to_bytes(4, "little")
    mp4 = bytearray(clip(work / "bomb.mp4"))
    entry = mp4.index(b"avc1") + 28
    mp4[entry : entry + 4] = struct.pack(">HH", 65535, 65535)
    heif = bytearray(_heif())
    size = heif.index(b"ispe") + 8
    heif[size : size + 8] = struct.pack(">II", 65535, 65535)
    return {
        "bomb.png": png(65535, 65535),
        "bomb-full.png": png(20000, 20000, data=big),
        "bomb-icc.png": png(8, 8, png_chunk(b"iCCP", b"x\0\0" + big)),
        "bomb-ztxt.png": png(8, 8, png_chunk(b"zTXt", b"Comment\0\0" + big)),
        "bomb-itxt.png": png(8, 8, png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + big)),
        "bomb.gif": gif_of(1, 65535, 65535),
        "frames.gif": gif_of(100_000, 640, 480),
        "bomb.tif": tiff_with({256: (4, 1, 65535), 257: (4, 1, 65535), 278: (4, 1, 65535)}),
        "bomb.jpg": bytes(jpeg),
        "bomb.webp": bytes(webp),
        "bomb.mp4": bytes(mp4),
        "bomb.heic": bytes(heif),
        "one.png": picture("PNG", 1, 1),
        "one.gif": picture("GIF", 1, 1),
        "one.jpg": picture("JPEG", 1, 1),
        "wide.jpg": picture("JPEG", 65500, 1),
        "wide.png": picture("PNG", 65535, 1),
        "tall.png": picture("PNG", 1, 65535),
    }


def _heif() -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return picture("HEIF")
