"""Rights are read by allow-list and written afresh; a name in any other field never comes through."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from redact.gate.structure import read_structure
from redact.media.animation import AnimationHandler
from redact.media.colour import ADOBE_RGB, matrix_profile
from redact.media.photo import PhotoHandler
from redact.media.video import VideoHandler
from redact.metadata.embed import MP4_XMP, to_iptc, to_xmp
from redact.metadata.film_rights import film_rights
from redact.metadata.iptc import iptc_of_photoshop, photoshop_resources, read_iptc, write_iptc
from redact.metadata.rights import MAX_LENGTH, RIGHTS_FIELDS, Rights, clean, read_rights
from redact.metadata.xmp import read_xmp
from redact.plan import OutputSpec

RELATIVE = "Orinakyan"
FULL = Rights(
    creator="Ani Nkarichyan",
    credit="Example Agency & Sons",
    copyright="© 2026 Example Agency <all rights>",
    usage_terms="Editorial use only",
    licensor="Example Agency",
    licensor_url="https://agency.example/licence/1",
    source="Օրինակ/Пример/Nümunə",
    digital_source_type="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
)
PLACES = [field.xmp for field in RIGHTS_FIELDS]
KEPT = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "tiff": "TIFF", "heif": "HEIF", "avif": "AVIF"}


class NoCover:
    """A painter that covers nothing."""

    def bgr(self, frame: int, image: np.ndarray) -> None:
        """Leave the frame."""

    def covered(self, frame: int) -> list[tuple[int, int, int, int]]:
        """Nothing."""
        return []

    def yuv(self, frame: int, planes: list, *, bit_depth: int, full_range: bool, matrix: int) -> None:
        """Leave the frame."""


def packet(body: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
        'xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" '
        'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" '
        'xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"{body}</rdf:RDF></x:xmpmeta>"
    ).encode()


def photo(format: str, xmp: bytes) -> bytes:
    image, sink = Image.new("RGB", (64, 48), (90, 120, 150)), io.BytesIO()
    if format == "heif":
        pillow_heif.from_pillow(image).save(sink, xmp=xmp)
    elif format == "png":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
        text.add_text("Author", RELATIVE)
        image.save(sink, "PNG", pnginfo=text)
    elif format == "tiff":
        image.save(sink, "TIFF", tiffinfo={700: xmp, 270: RELATIVE})
    else:
        image.save(sink, KEPT[format], xmp=xmp)
    return sink.getvalue()


@pytest.mark.parametrize("format", [*KEPT])
def test_rights_are_kept_in_every_format_that_has_a_place_for_them(format: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    body = to_xmp(FULL).decode()
    person = f"<ext:PersonInImage>{RELATIVE}</ext:PersonInImage>"
    namespace = 'xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    body = body.replace("</rdf:Description>", f"{person}</rdf:Description>").replace(
        '<rdf:Description rdf:about=""', f'<rdf:Description {namespace}rdf:about=""'
    )
    source.write_bytes(photo(format, body.encode()))
    assert read_rights(source, format) == FULL
    handler = PhotoHandler()
    facts = handler.probe(source)
    handler.render(source, facts, OutputSpec(format=format, keep_rights=True), NoCover(), target)
    assert read_rights(target, format) == FULL
    assert RELATIVE.encode() not in target.read_bytes()
    bare = tmp_path / "bare"
    handler.render(source, facts, OutputSpec(format=format), NoCover(), bare)
    assert not read_rights(bare, format)
    assert b"Example Agency" not in bare.read_bytes()


def test_a_jpeg_carries_rights_as_iptc_too(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(photo("jpeg", to_xmp(FULL)))
    handler = PhotoHandler()
    spec = OutputSpec(format="jpeg", keep_rights=True)
    handler.render(source, handler.probe(source), spec, NoCover(), target)
    (resources,) = [body for name, body in Image.open(target).applist if name == "APP13"]
    found = read_iptc(iptc_of_photoshop(resources.removeprefix(b"Photoshop 3.0\x00")))
    assert found == {
        (2, 80): FULL.creator,
        (2, 110): FULL.credit,
        (2, 116): FULL.copyright,
        (2, 0): "\x00\x04",
    }
    # IPTC-IIM allows 32 bytes; half a name would credit somebody else, so XMP alone has it
    assert len(FULL.source.encode()) > 32


@pytest.mark.parametrize(("format", "name"), [("webp", "WEBP"), ("apng", "PNG")])
def test_animations_keep_rights(format: str, name: str, tmp_path: Path) -> None:
    sink = io.BytesIO()
    frames = [Image.new("RGB", (32, 32), (n * 80, 9, 9)) for n in range(3)]
    extra: dict[str, object] = {"xmp": to_xmp(FULL)}
    if format == "apng":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", to_xmp(FULL).decode())
        extra = {"pnginfo": text}
    frames[0].save(sink, name, save_all=True, append_images=frames[1:], duration=90, **extra)
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(sink.getvalue())
    handler = AnimationHandler()
    facts = handler.probe(source)
    handler.render(source, facts, OutputSpec(format=format, keep_rights=True), NoCover(), target)
    assert read_rights(target, format) == FULL
    assert Image.open(target).n_frames == 3


def _film(path: Path, format: str, tags: dict[str, str]) -> None:
    with av.open(str(path), "w", format=format) as container:
        stream = container.add_stream("mpeg4" if format == "avi" else "libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.metadata.update(tags)
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8))
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _rendered_film(source: Path, target: Path, *, keep: bool) -> None:
    handler = VideoHandler()
    facts = handler.probe(source)
    handler.render(source, facts, OutputSpec(format="mp4", keep_rights=keep), NoCover(), target)


@pytest.mark.parametrize("place", ["box", "user data"])
def test_a_film_keeps_the_rights_of_its_xmp_and_nothing_else(place: str, tmp_path: Path) -> None:
    source, target, bare = tmp_path / "in", tmp_path / "out.mp4", tmp_path / "bare.mp4"
    _film(source, "mp4", {"title": RELATIVE, "artist": "not this one"})
    body = to_xmp(FULL).replace(
        b"</rdf:RDF>", f"<rdf:Description><x:note>{RELATIVE}</x:note></rdf:Description></rdf:RDF>".encode()
    )
    data = source.read_bytes()
    if place == "box":
        data += struct.pack(">I4s", len(body) + 24, b"uuid") + MP4_XMP + body
    else:
        inner = struct.pack(">I4s", len(body) + 8, b"XMP_") + body
        udta = struct.pack(">I4s", len(inner) + 8, b"udta") + inner
        at = data.rindex(b"moov") - 4
        data = data[:at] + struct.pack(">I", len(data) - at + len(udta)) + data[at + 4 :] + udta
    source.write_bytes(data)
    _rendered_film(source, target, keep=True)
    assert film_rights(target, "mp4") == FULL
    assert RELATIVE.encode() not in target.read_bytes()
    with target.open("rb") as stream:
        assert read_structure(stream, rights=True).findings == ()
    told = subprocess.run(
        ["exiftool", "-s", "-G1", str(target)], capture_output=True, text=True, check=True
    ).stdout
    for tag in ("XMP-dc", "XMP-photoshop", "XMP-plus", "XMP-iptcExt"):
        assert tag in told
    _rendered_film(source, bare, keep=False)
    assert not film_rights(bare, "mp4")
    assert b"Example Agency" not in bare.read_bytes()


@pytest.mark.parametrize("format", ["mp4", "matroska", "avi", "mov"])
def test_a_film_without_xmp_keeps_artist_and_copyright(format: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out.mp4"
    _film(source, format, {"artist": "Ani Nkarichyan", "copyright": "Example Agency", "comment": RELATIVE})
    _rendered_film(source, target, keep=True)
    assert film_rights(target, "mp4") == Rights(creator="Ani Nkarichyan", copyright="Example Agency")
    assert RELATIVE.encode() not in target.read_bytes()


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff", "heif", "avif"])
def test_what_is_written_passes_the_gate(format: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(photo(format, to_xmp(FULL)))
    handler = PhotoHandler()
    handler.render(
        source, handler.probe(source), OutputSpec(format=format, keep_rights=True), NoCover(), target
    )
    with target.open("rb") as stream:
        assert read_structure(stream, rights=True).findings == ()


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff", "heif", "avif"])
def test_no_byte_of_a_colour_profile_is_written_and_the_colour_is_srgb(format: str, tmp_path: Path) -> None:
    profile = matrix_profile(ADOBE_RGB, 563 / 256)
    image, sink = Image.new("RGB", (64, 48), (60, 180, 90)), io.BytesIO()
    if format == "heif":
        pillow_heif.from_pillow(image).save(sink, icc_profile=profile, quality=95, chroma=444)
    else:
        image.save(sink, KEPT[format], icc_profile=profile)
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(sink.getvalue())
    assert profile in sink.getvalue() or format == "png"
    handler = PhotoHandler()
    handler.render(source, handler.probe(source), OutputSpec(format=format), NoCover(), target)
    written = target.read_bytes()
    pieces = {profile[at : at + 12] for at in range(0, len(profile) - 12, 4) if any(profile[at : at + 12])}
    assert not [piece for piece in pieces if piece in written]
    with pillow_heif.open_heif(target).to_pillow() if format == "heif" else Image.open(target) as shown:
        assert not shown.info.get("icc_profile")
        red, green, blue = shown.convert("RGB").getpixel((30, 20))
    assert red <= 12 and abs(green - 181) <= 8 and abs(blue - 87) <= 8, "Adobe RGB's green is outside sRGB"


def test_xmp_is_believed_before_iptc_and_iptc_before_exif(tmp_path: Path) -> None:
    block = write_iptc({(2, 80): "from iptc", (2, 110): "credit from iptc", (2, 120): RELATIVE})
    text = b"from exif\x00"
    exif = b"Exif\x00\x00MM\x00*" + struct.pack(">IH", 8, 2)
    exif += struct.pack(">HHII", 0x13B, 2, len(text), 38) + struct.pack(">HHII", 0x8298, 2, len(text), 38)
    exif += bytes(4) + text
    image, sink = Image.new("RGB", (16, 16)), io.BytesIO()
    xmp = packet('<rdf:Description rdf:about="" photoshop:Source="from xmp"/>')
    image.save(sink, "JPEG", exif=exif, xmp=xmp)
    data = sink.getvalue()
    body = photoshop_resources(block)
    segment = b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
    path = tmp_path / "in"
    path.write_bytes(data[:2] + segment + data[2:])
    expected = Rights(
        creator="from iptc", credit="credit from iptc", copyright="from exif", source="from xmp"
    )
    assert read_rights(path, "jpeg") == expected


def test_tiff_tags_of_rights_are_read(tmp_path: Path) -> None:
    path = tmp_path / "in"
    Image.new("L", (8, 8)).save(path, "TIFF", tiffinfo={315: "Ani Nkarichyan", 33432: "Example Agency"})
    assert read_rights(path, "tiff") == Rights(creator="Ani Nkarichyan", copyright="Example Agency")


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff", "heif", "avif", "gif", "bmp", "apng"])
def test_a_file_that_cannot_be_read_has_no_rights(format: str, tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"nothing of the kind")
    assert not read_rights(path, format)


def test_a_document_type_is_refused_before_any_entity_expands() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    body = packet('<rdf:Description rdf:about=""><photoshop:Credit>&b;</photoshop:Credit></rdf:Description>')
    assert read_xmp(bomb + body, PLACES) == {}
    assert read_xmp((bomb + body).decode().encode("utf-16"), PLACES) == {}


def test_a_packet_of_excessive_size_is_not_parsed() -> None:
    body = packet('<rdf:Description rdf:about="" photoshop:Credit="Example"/>')
    assert read_xmp(body, PLACES)
    assert read_xmp(body + b" " + b"<!---->" * 200_000, PLACES) == {}


def test_only_plain_addresses_are_kept() -> None:
    for bad in (
        "javascript:alert(1)",
        "http://",
        "https://user:secret@host/",
        "https://host/?id=Orinakyan",
        "x",
    ):
        assert Rights(licensor_url=bad).licensor_url == ""
    assert Rights(licensor_url="https://agency.example/a").licensor_url == "https://agency.example/a"


@given(st.text(max_size=700))
@settings(max_examples=100, deadline=None)
def test_a_value_is_one_bounded_line_without_control_characters(text: str) -> None:
    line = clean(text)
    assert len(line) <= MAX_LENGTH
    assert line == line.strip()
    assert line.isprintable() or all(char.isprintable() or char == " " for char in line)
    assert clean(line) == line


values = st.text(st.characters(exclude_categories=["C"]), max_size=60)


@given(values, values, values, values, values, values)
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_is_read_back(
    creator: str, credit: str, rights: str, terms: str, licensor: str, source: str
) -> None:
    given_rights = Rights(
        creator=creator,
        credit=credit,
        copyright=rights,
        usage_terms=terms,
        licensor=licensor,
        source=source,
        licensor_url="https://agency.example",
    )
    found = read_xmp(to_xmp(given_rights), PLACES)
    for field in RIGHTS_FIELDS:
        assert found.get(field.xmp, "") == getattr(given_rights, field.name)
    found_iptc = read_iptc(to_iptc(given_rights))
    for field in RIGHTS_FIELDS:
        value = getattr(given_rights, field.name)
        fits = field.iptc is not None and len(value.encode()) <= field.iptc_bytes
        assert found_iptc.get(field.iptc or (0, 0), "") == (value.strip() if fits else "")


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_bytes_upset_the_readers(junk: bytes) -> None:
    read_iptc(junk)
    read_iptc(b"\x1c\x02\x50" + junk)
    iptc_of_photoshop(b"8BIM" + junk)
    read_xmp(junk, PLACES)
    read_xmp(packet("")[:-20] + junk, PLACES)


def test_no_rights_means_no_bytes() -> None:
    assert to_xmp(Rights()) == b""
    assert to_iptc(Rights()) == b""


def test_reading_a_photo_loads_no_writer_of_metadata() -> None:
    code = (
        "import sys, redact.media.photo_reader, redact.media.animation_reader;"
        "sys.exit(any(name.startswith('redact.metadata') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
