"""Small whole files of every kind for `make fuzz`, made afresh: pictures, films, metadata blocks, plans."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pillow_heif
from PIL import Image, PngImagePlugin

from redact.metadata.embed import into_jpeg, into_png, into_webp, to_iptc, to_xmp
from redact.metadata.iptc import photoshop_resources
from redact.metadata.rights import Rights
from redact.plan import Kind, MediaFacts, Origin, OutputSpec, Plan, SourceDigest, Span, Track

FILMS = {
    "mp4-h264": ("mp4", "libx264", "yuv420p"),
    "mp4-hevc": ("mp4", "libx265", "yuv420p10le"),
    "mov-prores": ("mov", "prores_ks", "yuv422p10le"),
    "mov-mjpeg": ("mov", "mjpeg", "yuvj420p"),
    "mkv-ffv1": ("matroska", "ffv1", "yuv420p"),
    "mkv-h264": ("matroska", "libx264", "yuv420p"),
    "webm-vp9": ("webm", "libvpx-vp9", "yuv420p"),
    "webm-vp8": ("webm", "libvpx", "yuv420p"),
    "avi-mpeg4": ("avi", "mpeg4", "yuv420p"),
    "avi-mjpeg": ("avi", "mjpeg", "yuvj420p"),
}


def _scene(mode: str = "RGB", shift: int = 0) -> Image.Image:
    y, x = np.mgrid[0:40, 0:56]
    stack = np.stack([(x * 4 + shift) % 256, y * 6 % 256, (x + y) * 2 % 256], axis=-1)
    return Image.fromarray(stack.astype(np.uint8)).convert(mode)


def _saved(kind: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    _scene(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def _film(path: Path, container: str, codec: str, pixels: str, sound: bool) -> bytes:
    with av.open(str(path), "w", format=container) as sink:
        video = sink.add_stream(codec, rate=Fraction(25))
        video.width, video.height, video.pix_fmt = 64, 48, pixels
        if codec == "libx265":
            video.options = {"x265-params": "log-level=none"}
        audio = (
            sink.add_stream("aac" if container in ("mp4", "mov") else "mp3", rate=44100) if sound else None
        )
        for n in range(4):
            picture = np.asarray(_scene(shift=20 * n).resize((64, 48)))
            sink.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        if audio is not None:
            frame = av.AudioFrame.from_ndarray(
                np.zeros((2, 4608), np.float32), format="fltp", layout="stereo"
            )
            frame.sample_rate = 44100
            sink.mux(audio.encode(frame))
            sink.mux(audio.encode())
        sink.mux(video.encode())
    return path.read_bytes()


def _plan() -> bytes:
    spans = (
        Span(first=0, last=5, box=(1.0, 2.0, 30.0, 40.0), origin=Origin.DETECTED),
        Span(first=6, last=9, box=(2.0, 2.0, 30.0, 40.0), origin=Origin.EXTENDED),
    )
    plan = Plan(
        item="abcd2345",
        source=SourceDigest(salt="0" * 32, sha256="0" * 64),
        media=MediaFacts(kind="video", format="mp4", width=64, height=48, frames=10),
        shots=((0, 9),),
        tracks=(Track(id=1, kind=Kind.FACE, spans=spans), Track(id=2, kind=Kind.TEXT, spans=spans)),
        output=OutputSpec(format="mp4"),
        notes=("no_face_found",),
    )
    return plan.to_json().encode()


def seeds(work: Path) -> dict[str, tuple[str, bytes]]:
    """Name -> (kind, bytes). Kinds are those of fuzz.TARGETS_OF."""
    pillow_heif.register_heif_opener()
    rights = Rights.model_validate(dict.fromkeys(("creator", "credit", "copyright"), "Orinakyan Press"))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x8298] = 6, "Orinakyan", "Orinakyan Press"
    block = exif.tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "Orinakyan", zip=True)
    text.add_itxt("XML:com.adobe.xmp", to_xmp(rights).decode(), zip=True)
    more = [_scene(shift=90), _scene(shift=180)]
    moving = {"save_all": True, "append_images": more, "duration": [40, 80, 40], "loop": 0}
    jpeg = _saved("JPEG", exif=block, comment=b"Orinakyan", progressive=True)
    pictures = {
        "jpeg": into_jpeg(jpeg, rights),
        "jpeg-cmyk": _saved("JPEG", "CMYK"),
        "jpeg-grey": _saved("JPEG", "L"),
        "png": into_png(_saved("PNG", "RGBA", pnginfo=text, exif=block), rights),
        "png-palette": _saved("PNG", "P", bits=4),
        "png-16": _saved("PNG", "I;16"),
        "apng": _saved("PNG", **moving),
        "webp": into_webp(_saved("WEBP", exif=block), rights),
        "webp-lossless": _saved("WEBP", "RGBA", lossless=True),
        "webp-moving": _saved("WEBP", **moving),
        "gif": _saved("GIF", "P"),
        "gif-moving": _saved("GIF", **moving),
        "tiff": _saved("TIFF", compression="tiff_lzw", exif=block),
        "tiff-deflate": _saved("TIFF", "CMYK", compression="tiff_adobe_deflate"),
        "tiff-jpeg": _saved("TIFF", compression="jpeg"),
        "tiff-fax": _saved("TIFF", "1", compression="group4"),
        "bmp": _saved("BMP"),
        "bmp-palette": _saved("BMP", "P"),
        "heif": _saved("HEIF", exif=block),
        "avif": _saved("AVIF", speed=10, exif=block),
    }
    found = {name: ("picture", data) for name, data in pictures.items()}
    for name, (container, codec, pixels) in FILMS.items():
        sound = name in ("mp4-h264", "mkv-h264", "avi-mpeg4")
        found[name] = ("film", _film(work / name, container, codec, pixels, sound))
    found |= {
        "exif": ("block", block),
        "xmp": ("block", to_xmp(rights)),
        "iptc": ("block", to_iptc(rights)),
        "resources": ("block", photoshop_resources(to_iptc(rights))),
        "nested": ("block", struct.pack(">2sHI", b"MM", 42, 8) * 3),
        "plan": ("plan", _plan()),
    }
    return found
