"""A photo for every place in which a photo can hide something: each with a token, or a face, of its own."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import brotli
import numpy as np
import pillow_heif
from hidden_boxes import Coded, Item, box, coded, heif
from hidden_search import FACE, canary, face_image, face_jpeg
from PIL import Image, ImageCms, TiffImagePlugin

WIDTH, HEIGHT = 96, 64


@dataclass(frozen=True)
class Sample:
    """One file with something hidden in it."""

    name: str
    """File name, which is also the key of its tokens."""
    data: bytes
    tokens: tuple[str, ...] = ()
    face: bool = False
    """It also holds the face somewhere beside its picture."""
    rights: tuple[str, ...] = ()
    """Tokens in rights fields, which stay where a policy keeps rights."""
    refused: bool = False
    """It is no single picture, so nothing of it may be published."""
    captions: bool = False
    """Its tokens are spelt in closed captions."""
    marks: tuple[str, ...] = ()
    """Words, dates and the like that exiftool or ffprobe tell of it and may not tell of its copy."""


def scene() -> np.ndarray:
    """H x W x 3 RGB: the picture itself, smooth and unlike the face."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    return np.stack([90 + x, 100 + y, 120 + (x + y) / 4], axis=2).astype(np.uint8)


def encoded(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    image = Image.fromarray(scene()) if image is None else image
    sink = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(sink, quality=70, **options)
    else:
        image.save(sink, kind, **({"speed": 10} if kind == "AVIF" else {}), **options)
    return sink.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(*segments: bytes, tail: bytes = b"") -> bytes:
    clean = encoded("JPEG", quality=90)
    return clean[:2] + b"".join(segments) + clean[2:] + tail


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, tail: bytes = b"") -> bytes:
    clean = encoded("PNG")
    return clean[:33] + b"".join(chunks) + clean[33:] + tail


def exif(
    ifd0: dict[int, object] | None = None,
    private: dict[int, object] | None = None,
    gps: dict[int, object] | None = None,
    thumbnail: bytes = b"",
) -> bytes:
    """An EXIF block, `Exif` prefix included; a thumbnail goes into a directory of its own."""
    block = Image.Exif()
    block.update(ifd0 or {})
    for number, values in ((0x8769, private), (0x8825, gps)):
        if values:
            block.get_ifd(number).update(values)
    data = block.tobytes()
    if not thumbnail:
        return data
    head, tiff = data[:6], data[6:]
    order = "<" if tiff[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack_from(order + "H", tiff, first)
    at = first + 2 + 12 * count
    where = len(tiff)
    second = struct.pack(order + "H", 3)
    second += struct.pack(order + "HHIHH", 259, 3, 1, 6, 0)
    second += struct.pack(order + "HHII", 513, 4, 1, where + 42)
    second += struct.pack(order + "HHII", 514, 4, 1, len(thumbnail)) + bytes(4)
    tiff = tiff[:at] + struct.pack(order + "I", where) + tiff[at + 4 :]
    return head + tiff + second + thumbnail


def xmp(body: str) -> bytes:
    names = {
        "dc": "http://purl.org/dc/elements/1.1/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "xmpGImg": "http://ns.adobe.com/xap/1.0/g/img/",
        "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
        "stArea": "http://ns.adobe.com/xmp/sType/Area#",
        "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
        "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
        "xmpNote": "http://ns.adobe.com/xmp/note/",
        "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
        "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    }
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in names.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {spaces}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def xmp_segment(body: str) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(body))


def extended_xmp(body: str) -> list[bytes]:
    """The short packet and the long one, split in two as the specification asks."""
    import hashlib

    long = xmp(body)
    guid = hashlib.md5(long).hexdigest().upper()
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid.encode()
    half = len(long) // 2
    parts = [(0, long[:half]), (half, long[half:])]
    return [
        xmp_segment(f"<xmpNote:HasExtendedXMP>{guid}</xmpNote:HasExtendedXMP>"),
        *(segment(0xE1, head + struct.pack(">II", len(long), at) + part) for at, part in parts),
    ]


def photoshop(*resources: tuple[int, bytes]) -> bytes:
    body = b"Photoshop 3.0\0"
    for number, data in resources:
        body += b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) % 2)
    return segment(0xED, body)


def iptc(*sets: tuple[int, str]) -> bytes:
    return b"".join(bytes([0x1C, 2, n]) + struct.pack(">H", len(v)) + v.encode() for n, v in sets)


def icc(token: str) -> bytes:
    """An sRGB profile whose copyright and description hold the token, as UTF-16 and as bytes."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    text = b"text\0\0\0\0" + token.encode() + b"\0"
    wide = b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 2 * len(token), 28)
    wide += token.encode("utf-16-be")
    for n in range(count):
        name, _, _ = struct.unpack_from(">4sII", profile, 132 + 12 * n)
        body = {b"cprt": text, b"desc": wide}.get(name)
        if body is not None:
            profile += bytes(-len(profile) % 4)
            struct.pack_into(">II", profile, 136 + 12 * n, len(profile), len(body))
            profile += body
    struct.pack_into(">I", profile, 0, len(profile))
    return bytes(profile)


def mpo() -> bytes:
    """Two pictures in one file, the second is the face, with the index that viewers follow."""
    image = Image.fromarray(scene())
    sink = io.BytesIO()
    image.save(sink, "MPO", save_all=True, append_images=[face_image().resize((WIDTH, HEIGHT))])
    return sink.getvalue()


def _tiff(**options: object) -> bytes:
    return encoded("TIFF", **options)


def _tiff_tags(tags: dict[int, object]) -> bytes:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for number, value in tags.items():
        info[number] = value
        if isinstance(value, bytes):
            info.tagtype[number] = 7
    return _tiff(tiffinfo=info)


def _tiff_directory(face_tag: int | None) -> bytes:
    """A TIFF with a second picture: a reduced copy in the next directory, or (tag 330) a sub-directory."""
    data = bytearray(_tiff_tags({330: 0}) if face_tag == 330 else _tiff())
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    data += bytes(len(data) % 2)
    strip = len(data)
    data += FACE.tobytes()
    where = len(data)
    tags = [(254, 4, 1), (256, 4, FACE.shape[1]), (257, 4, FACE.shape[0]), (259, 3, 1), (262, 3, 2),
            (273, 4, strip), (277, 3, 3), (278, 4, FACE.shape[0]), (279, 4, FACE.size)]  # fmt: skip
    data += struct.pack("<H", len(tags))
    for tag, kind, value in tags:
        data += struct.pack("<HHII", tag, kind, 1, value)
    data += bytes(4)
    if face_tag == 330:
        for n in range(count):
            if struct.unpack_from("<H", data, at + 2 + 12 * n)[0] == 330:
                struct.pack_into("<HHII", data, at + 2 + 12 * n, 330, 4, 1, where)
    else:
        struct.pack_into("<I", data, at + 2 + 12 * count, where)
    return bytes(data)


def _apng_hidden() -> bytes:
    """An APNG whose still picture, which browsers do not show, is the face."""
    frames = [Image.fromarray(scene()), Image.fromarray(scene()[::-1].copy())]
    still = face_image().resize((WIDTH, HEIGHT))
    return encoded("PNG", still, save_all=True, append_images=frames, duration=100, default_image=True)


def _webp(**options: object) -> bytes:
    return encoded("WEBP", quality=80, **options)


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    clean = _webp(exif=b"Exif\0\0" + bytes(8))
    chunk = kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(clean) - 8 + len(chunk)) + clean[8:] + chunk


def _gif(blocks: bytes = b"", tail: bytes = b"") -> bytes:
    return encoded("GIF", Image.fromarray(scene()).quantize(64))[:-1] + blocks + b";" + tail


def _sub_blocks(body: bytes) -> bytes:
    parts = [body[at : at + 255] for at in range(0, len(body), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _bmp(gap: bytes, tail: bytes) -> bytes:
    clean = bytearray(encoded("BMP"))
    struct.pack_into("<I", clean, 10, 54 + len(gap))
    struct.pack_into("<I", clean, 2, len(clean) + len(gap) + len(tail))
    return bytes(clean[:54]) + gap + bytes(clean[54:]) + tail


def _coded(brand: str) -> tuple[Coded, Coded, Coded]:
    """The scene, the face, and the face in grey, as coded pictures."""
    face = face_image()
    return (
        coded(encoded(brand)),
        coded(encoded(brand, face)),
        coded(encoded(brand, face.convert("L"))),
    )


def _heif(brand: bytes, extras: Callable[[Coded, Coded], list[Item]], more: bytes = b"") -> bytes:
    main, face, grey = _coded("HEIF" if brand == b"heic" else "AVIF")
    return heif(brand, [Item(main), *extras(face, grey)], more)


URNS = {
    "depth": b"urn:mpeg:hevc:2015:auxid:2",
    "gain": b"urn:com:apple:photo:2020:aux:hdrgainmap",
    "matte": b"urn:com:apple:photo:2018:aux:portraiteffectsmatte",
}
USER_COMMENT = b"ASCII\0\0\0"


def photos(film: Callable[[str], bytes]) -> Iterator[Sample]:
    """Every row of photos. `film(token)` makes a short film of the face that holds the token."""

    def one(name: str, make: Callable[[str], bytes], *, face: bool = False) -> Sample:
        token = canary(name)
        return Sample(name, make(token), (token,), face)

    yield one("exif.jpg", lambda t: encoded("JPEG", exif=exif(
        {0x10E: t, 0x10F: t, 0x110: t, 0x131: t, 0x13C: t, 0x132: t, 0x9C9B: t.encode("utf-16-le")},
        {0x9286: USER_COMMENT + t.encode(), 0xA430: t, 0xA431: t, 0xA435: t, 0xA420: t})))  # fmt: skip
    yield one(
        "gps.jpg",
        lambda t: encoded(
            "JPEG",
            exif=exif(
                gps={
                    1: "N",
                    2: (39.0, 30.0, 40.0),
                    3: "E",
                    4: (46.0, 20.0, 20.0),
                    28: USER_COMMENT + t.encode(),
                }
            ),
        ),
    )
    yield one("maker-note.jpg", lambda t: encoded("JPEG", exif=exif(
        {0x10F: "Example"}, {0x927C: b"Example\0\0" + t.encode() + bytes(40)})))  # fmt: skip
    yield one("exif-thumbnail.jpg", lambda t: encoded(
        "JPEG", exif=exif({0x10F: t}, thumbnail=face_jpeg())), face=True)  # fmt: skip
    yield one("exif-raw-thumbnail.jpg", lambda t: jpeg(
        segment(0xE1, b"Exif\0\0" + FACE.tobytes() + t.encode())), face=True)  # fmt: skip
    yield one(
        "jfxx-thumbnail.jpg",
        lambda t: jpeg(segment(0xE0, b"JFXX\0\x13" + bytes([64, 64]) + FACE.tobytes() + t.encode())),
        face=True,
    )
    yield one("photoshop-thumbnail.jpg", lambda t: jpeg(photoshop(
        (0x040C, struct.pack(">6IHH", 1, 64, 64, 192, 12288, 100, 24, 1) + face_jpeg()),
        (0x03F3, t.encode()))), face=True)  # fmt: skip
    thumbnail = base64.b64encode(face_jpeg()).decode()
    thumbnails = (
        "<xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType='Resource'><xmpGImg:format>JPEG</xmpGImg:format>"
        f"<xmpGImg:image>{thumbnail}</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails>"
    )
    yield one("xmp-thumbnail.jpg", lambda t: jpeg(xmp_segment(
        thumbnails + f"<dc:title>{t}</dc:title>")), face=True)  # fmt: skip
    credit = canary("iptc.jpg by-line")
    caption = canary("iptc.jpg")
    yield Sample("iptc.jpg", jpeg(photoshop((0x0404, iptc(
        (5, caption), (25, caption), (80, credit), (90, caption), (105, caption), (110, credit),
        (115, credit), (116, credit), (120, caption), (122, caption))))),
        (caption, credit), rights=(credit,))  # fmt: skip
    owner, title = canary("xmp.jpg creator"), canary("xmp.jpg")
    yield Sample("xmp.jpg", jpeg(xmp_segment(
        f"<dc:title>{title}</dc:title><dc:description>{title}</dc:description>"
        f"<dc:creator><rdf:Seq><rdf:li>{owner}</rdf:li></rdf:Seq></dc:creator>"
        f"<photoshop:Headline>{title}</photoshop:Headline><xmpMM:History>{title}</xmpMM:History>")),
        (title, owner), rights=(owner,))  # fmt: skip
    yield one("extended-xmp.jpg", lambda t: jpeg(*extended_xmp(
        f"<dc:description>{'x' * 400}{t}</dc:description>")))  # fmt: skip
    yield one("regions.jpg", lambda t: jpeg(xmp_segment(
        "<mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:RegionList><rdf:Bag><rdf:li>"
        f"<rdf:Description mwg-rs:Name='{t}' mwg-rs:Type='Face'><mwg-rs:Area stArea:x='0.5' stArea:y='0.4'/>"
        "</rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>")))  # fmt: skip
    yield one(
        "person.jpg",
        lambda t: jpeg(
            xmp_segment(
                f"<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>{t}</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>"
            )
        ),
    )
    yield one("icc.jpg", lambda t: encoded("JPEG", icc_profile=icc(t)))
    yield one("comment.jpg", lambda t: jpeg(segment(0xFE, t.encode()), segment(0xFE, t.encode("utf-16-le"))))
    for number in (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15):
        yield one(f"app{number}.jpg", lambda t, n=number: jpeg(segment(0xE0 + n, t.encode())))
    yield one(
        "c2pa.jpg",
        lambda t: jpeg(
            segment(
                0xEB,
                b"JP\0\1\0\0\0\1"
                + box(
                    b"jumb", box(b"jumd", b"c2pa" + bytes(12) + b"\x03" + t.encode() + b"\0") + face_jpeg()
                ),
            )
        ),
        face=True,
    )
    yield one("flashpix.jpg", lambda t: jpeg(segment(0xE2, b"FPXR\0" + t.encode())))
    yield Sample("mpo.jpg", mpo(), face=True)
    yield one("gain-map.jpg", lambda t: jpeg(
        xmp_segment("<hdrgm:Version>1.0</hdrgm:Version>"),
        tail=face_jpeg()[:2] + xmp_segment(f"<hdrgm:Version>{t}</hdrgm:Version>") + face_jpeg()[2:],
    ), face=True)  # fmt: skip
    yield one("depth-map.jpg", lambda t: jpeg(*extended_xmp(
        f"<GDepth:Mime>image/jpeg</GDepth:Mime><GDepth:Note>{t}</GDepth:Note>"
        f"<GDepth:Data>{thumbnail}</GDepth:Data>")), face=True)  # fmt: skip
    yield one("trailing.jpg", lambda t: jpeg(tail=t.encode() + face_jpeg()), face=True)
    yield one("motion.jpg", lambda t: jpeg(tail=film(t)), face=True)
    yield one("scan-lines.jpg", _between_segments)

    yield one("text.png", lambda t: png(png_chunk(b"tEXt", b"Author\0" + t.encode())))
    yield one("packed-text.png", lambda t: png(png_chunk(
        b"zTXt", b"Comment\0\0" + zlib.compress(b"by " * 9 + t.encode()))))  # fmt: skip
    yield one("i-text.png", lambda t: png(png_chunk(
        b"iTXt", b"Description\0\1\0en\0\0" + zlib.compress(b"of " * 9 + t.encode()))))  # fmt: skip
    yield one(
        "xmp.png",
        lambda t: png(
            png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(f"<dc:title>{t}</dc:title>{thumbnails}"))
        ),
        face=True,
    )
    yield one("exif.png", lambda t: encoded(
        "PNG", exif=exif({0x10F: t}, thumbnail=face_jpeg())), face=True)  # fmt: skip
    yield one(
        "raw-profile.png",
        lambda t: png(
            png_chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n 14\n" + t.encode()))
        ),
    )
    yield one("icc.png", lambda t: encoded("PNG", icc_profile=icc(t)))
    yield one("private.png", lambda t: png(png_chunk(b"prVt", t.encode()), png_chunk(b"foRm", t.encode())))
    yield one("known.png", lambda t: png(
        png_chunk(b"sPLT", t.encode() + b"\0\x08"), png_chunk(b"tIME", b"\x07\xea\x0b\x17\0\0\0"),
        png_chunk(b"pCAL", t.encode() + b"\0" * 10), png_chunk(b"sCAL", b"\1" + t.encode() + b"\0" + b"1"),
        png_chunk(b"hIST", bytes(8)), png_chunk(b"caBX", t.encode())))  # fmt: skip
    yield one("trailing.png", lambda t: png(tail=t.encode() + face_jpeg()), face=True)
    yield one("after-pixels.png", _data_after_pixels)
    yield Sample("hidden-picture.png", _apng_hidden(), face=True)

    yield one("everything.webp", lambda t: _webp(
        exif=exif({0x10F: t}, thumbnail=face_jpeg()), xmp=xmp(f"<dc:title>{t}</dc:title>"),
        icc_profile=icc(t)), face=True)  # fmt: skip
    yield one("private.webp", lambda t: _webp_chunk(b"PRIV", t.encode() + face_jpeg()), face=True)
    yield one("trailing.webp", lambda t: _webp() + t.encode() + face_jpeg(), face=True)

    yield one("tags.tif", lambda t: _tiff_tags({
        269: t, 270: t, 271: t, 272: t, 285: t, 305: t, 306: t, 315: "Agency", 316: t, 337: t,
        700: xmp(f"<dc:title>{t}</dc:title>"), 33723: iptc((120, t)), 34377: t.encode(),
        37724: t.encode(), 50341: t.encode(), 65000: t.encode()}))  # fmt: skip
    yield one("icc.tif", lambda t: _tiff(icc_profile=icc(t)))
    yield Sample("reduced-page.tif", _tiff_directory(None), face=True)
    yield Sample("pages.tif", _tiff(save_all=True, append_images=[face_image()]), face=True, refused=True)
    yield Sample("sub-directory.tif", _tiff_directory(330), face=True)
    yield one("trailing.tif", lambda t: _tiff() + t.encode() + face_jpeg(), face=True)

    yield one("blocks.gif", lambda t: _gif(
        b"!\xfe" + _sub_blocks(t.encode()) + b"!\xff\x0bXMP DataXMP" + _sub_blocks(xmp(t)) +
        b"!\xff\x0bICCRGBG1012" + _sub_blocks(icc(t)) + b"!\xff\x0bPRIVATE 1.0" + _sub_blocks(t.encode()) +
        b"!\x01\x0c" + bytes(12) + _sub_blocks(t.encode())))  # fmt: skip
    yield one("trailing.gif", lambda t: _gif(tail=t.encode() + face_jpeg()), face=True)
    yield one("around.bmp", lambda t: _bmp(t.encode(), t.encode() + face_jpeg()), face=True)

    for brand, extension in ((b"heic", "heic"), (b"avif", "avif")):
        yield one(f"exif.{extension}", lambda t, b=brand: _heif(b, lambda face, grey: [
            Item(bytes(4) + exif({0x10F: t}, {0x9286: USER_COMMENT + t.encode()}, thumbnail=face_jpeg())[6:],
                 b"Exif", link=b"cdsc")]), face=True)  # fmt: skip
        yield one(
            f"xmp.{extension}",
            lambda t, b=brand: _heif(
                b,
                lambda face, grey: [
                    Item(
                        xmp(f"<dc:title>{t}</dc:title>"),
                        b"mime",
                        content=b"application/rdf+xml\0",
                        link=b"cdsc",
                    )
                ],
            ),
        )
        yield one(f"thumbnail.{extension}", lambda t, b=brand: _heif(b, lambda face, grey: [
            Item(face, name=t.encode(), link=b"thmb")]), face=True)  # fmt: skip
        yield one(f"second.{extension}", lambda t, b=brand: _heif(b, lambda face, grey: [
            Item(face, name=t.encode())]), face=True)  # fmt: skip
        for what, urn in URNS.items():
            yield one(f"{what}.{extension}", lambda t, b=brand, u=urn: _heif(b, lambda face, grey: [
                Item(grey, name=t.encode(), link=b"auxl", aux=u, hidden=True)]), face=True)  # fmt: skip
        yield one(f"items.{extension}", lambda t, b=brand: _heif(b, lambda face, grey: [
            Item(t.encode(), b"uri ", content=b"urn:example:" + t.encode() + b"\0"),
            Item(brotli.compress(b"of " * 9 + t.encode()), b"mime", content=b"text/plain\0br\0"),
            Item(face_jpeg(), b"jpeg", hidden=True),
            Item(t.encode(), b"prIv")]), face=True)  # fmt: skip
        yield one(
            f"boxes.{extension}",
            lambda t, b=brand: (
                _heif(b, lambda face, grey: [], box(b"uuid", t.encode() * 2) + box(b"free", t.encode()))
                + box(b"uuid", bytes(16) + t.encode())
                + box(b"free", t.encode() + face_jpeg())
            ),
            face=True,
        )
    yield one("icc.heic", lambda t: encoded("HEIF", icc_profile=icc(t)))
    yield one("icc.avif", lambda t: encoded("AVIF", icc_profile=icc(t)))
    yield one("tracks.heic", lambda t: encoded("HEIF") + film(t), face=True)


def _between_segments(token: str) -> bytes:
    """Bytes between two segments and behind a table's entries, where decoders skip them."""
    clean = encoded("JPEG", quality=90)
    at = clean.index(b"\xff\xdb")
    return clean[:at] + token.encode() + clean[at:]


def _data_after_pixels(token: str) -> bytes:
    clean = encoded("PNG")
    at = clean.index(b"IDAT") - 4
    (length,) = struct.unpack_from(">I", clean, at)
    body = clean[at + 8 : at + 8 + length] + token.encode()
    return clean[:at] + png_chunk(b"IDAT", body) + clean[at + 12 + length :]


__all__ = ["HEIGHT", "WIDTH", "Sample", "encoded", "photos", "scene"]
