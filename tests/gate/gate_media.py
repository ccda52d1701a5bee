"""Small clean media made in memory, and tools to plant things in them. Used by the tests of this folder."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import av
import numpy as np
import pillow_heif
from PIL import Image

from redact.findings import FindingKind
from redact.gate.structure import StructureReport, read_structure
from redact.media.video_encode import take_turns

pillow_heif.register_heif_opener()

CANARY = b"Anahit Orinakyan"


def picture(mode: str = "RGB", width: int = 48, height: int = 32) -> Image.Image:
    """A smooth gradient."""
    y, x = np.mgrid[0:height, 0:width]
    stack = np.stack([x * 5 % 256, y * 7 % 256, (x + y) * 3 % 256], axis=-1).astype(np.uint8)
    return Image.fromarray(stack).convert(mode)


def saved(kind: str, mode: str = "RGB", **options: object) -> bytes:
    """A picture written by Pillow."""
    buffer = io.BytesIO()
    picture(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def animated(kind: str) -> bytes:
    """Two frames, endless."""
    return saved(kind, save_all=True, append_images=[picture().rotate(180)], duration=[100, 200], loop=0)


def jpeg_with(marker: int, payload: bytes) -> bytes:
    """A JPEG with one more segment after SOI."""
    clean = saved("JPEG")
    return clean[:2] + struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload + clean[2:]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk before IEND."""
    clean = saved("PNG")
    return clean[:-12] + png_chunk(kind, body) + clean[-12:]


def webp_with(kind: bytes, body: bytes) -> bytes:
    """A WebP with one more chunk at the end, inside the RIFF size."""
    clean = saved("WEBP")
    chunk = kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(clean) - 8 + len(chunk)) + clean[8:] + chunk


def gif_with(blocks: bytes) -> bytes:
    """A GIF with more blocks before the trailer."""
    return saved("GIF")[:-1] + blocks + b";"


def movie(
    path: Path,
    codec: str = "libx264",
    *,
    container: str = "mp4",
    audio: str | None = None,
    sei: bool = False,
    tags: dict[str, str] | None = None,
    bitexact: bool = True,
    frames: int = 6,
) -> bytes:
    """A tiny film, written the way the product writes films: new frames, bit-exact muxer, SEI taken out."""
    options = {"fflags": "+bitexact"} if bitexact else {}
    quick = {
        "libx264": {"preset": "ultrafast", "a53cc": "0"},
        "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:info=0"},
        "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime"},
    }
    with av.open(str(path), "w", format=container, options=options) as target:
        stream = target.add_stream(codec, rate=25, options=quick.get(codec, {}))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sound = None
        if audio:
            sound = target.add_stream(audio, rate=48000, layout="mono")
        for key, value in (tags or {}).items():
            target.metadata[key] = value
        target.start_encoding()  # the filter copies size and headers, so the encoder must be open
        take_turns()
        strip = codec == "libx264" and not sei
        sei_filter = (
            av.BitStreamFilterContext("filter_units=remove_types=6", stream, stream) if strip else None
        )

        def mux(packets: list[av.Packet]) -> None:
            for packet in packets:
                for out in sei_filter.filter(packet) if sei_filter else [packet]:
                    target.mux(out)

        for index in range(frames):
            planes = np.full((72, 64), 40 + 20 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts = index
            mux(stream.encode(frame))
        mux(stream.encode())
        if sound is not None:
            for index in range(6):
                block = av.AudioFrame.from_ndarray(
                    np.zeros((1, 960), np.float32), format="flt", layout="mono"
                )
                block.rate, block.pts = 48000, index * 960
                for packet in sound.encode(block):
                    target.mux(packet)
            for packet in sound.encode():
                target.mux(packet)
    return path.read_bytes()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def into_moov(film: bytes, extra: bytes) -> bytes:
    """The film with one more box at the end of `moov`, which is the last box of the file."""
    at = film.rindex(b"moov") - 4
    size = struct.unpack(">I", film[at : at + 4])[0]
    assert at + size == len(film)
    return film[:at] + struct.pack(">I", size + len(extra)) + film[at + 4 :] + extra


def read(data: bytes, *, rights: bool = False) -> StructureReport:
    return read_structure(io.BytesIO(data), rights=rights)


def kinds(data: bytes, *, rights: bool = False) -> set[FindingKind]:
    return {finding.kind for finding in read(data, rights=rights).findings}


NAMESPACES = (
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("photoshop", "http://ns.adobe.com/photoshop/1.0/"),
    ("xmpRights", "http://ns.adobe.com/xap/1.0/rights/"),
    ("plus", "http://ns.useplus.org/ldf/xmp/1.0/"),
    ("Iptc4xmpExt", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"),
)


def xmp(inner: str, *, head: str = "") -> bytes:
    """An XMP packet with `inner` in its description, laid out as the product does."""
    spaces = "".join(f' xmlns:{name}="{uri}"' for name, uri in NAMESPACES if f"<{name}:" in inner)
    return (
        f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{head}<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{spaces}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
RIGHTS = (
    "<dc:creator><rdf:Seq><rdf:li>Agency</rdf:li></rdf:Seq></dc:creator>"
    "<photoshop:Credit>Agency &amp; Sons</photoshop:Credit>"
    '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">All rights</rdf:li></rdf:Alt></dc:rights>'
    '<xmpRights:UsageTerms><rdf:Alt><rdf:li xml:lang="x-default">Ask</rdf:li></rdf:Alt>'
    "</xmpRights:UsageTerms>"
    "<photoshop:Source>Agency</photoshop:Source>"
    f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPES}digitalCapture</Iptc4xmpExt:DigitalSourceType>"
    '<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorName>Agency</plus:LicensorName>'
    "<plus:LicensorURL>https://example.org</plus:LicensorURL></rdf:li></rdf:Seq></plus:Licensor>"
)
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
