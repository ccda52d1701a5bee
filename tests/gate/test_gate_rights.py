"""Rights metadata passes where the policy keeps it, and nothing can ride along with it."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from gate_media import (
    NAMESPACES,
    RIGHTS,
    SOURCE_TYPES,
    XMP_UUID,
    box,
    jpeg_with,
    kinds,
    movie,
    png_with,
    saved,
    xmp,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.findings import FindingKind

XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"


def _jpeg(packet: bytes) -> bytes:
    return jpeg_with(0xE1, XMP_HEADER + packet)


def _iptc(*datasets: tuple[int, int, bytes], name: bytes = b"\0\0", resource: int = 0x0404) -> bytes:
    block = b"".join(bytes([0x1C, record, number]) + struct.pack(">H", len(value)) + value
                     for record, number, value in datasets)  # fmt: skip
    head = b"8BIM" + struct.pack(">H", resource) + name + struct.pack(">I", len(block))
    return b"Photoshop 3.0\0" + head + block + b"\0" * (len(block) % 2)


@pytest.mark.parametrize(
    "packet",
    [xmp(RIGHTS), xmp("<photoshop:Credit>Agency</photoshop:Credit>")],
)
def test_rights_pass_in_every_carrier_where_they_are_kept(packet: bytes) -> None:
    files = [
        _jpeg(packet),
        png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet),
        saved("WEBP", xmp=packet),
        saved("HEIF", xmp=packet),
        saved("AVIF", xmp=packet, speed=10),
    ]
    for data in files:
        assert kinds(data, rights=True) == set()
        assert kinds(data, rights=False) == {FindingKind.METADATA}


STOWAWAYS = {
    "person": "<dc:subject><rdf:Bag><rdf:li>Orinakyan</rdf:li></rdf:Bag></dc:subject>",
    "foreign namespace": "<a:b xmlns:a='http://example.org/'>Orinakyan</a:b>",
    "namespace declaration alone": "<dc:creator xmlns:a='Orinakyan'/>",
    "comment": "<dc:creator><!-- Orinakyan --></dc:creator>",
    "instruction": "<dc:creator><?note Orinakyan?></dc:creator>",
    "attribute": "<dc:creator dc:title='Orinakyan'/>",
    "language": "<dc:rights><rdf:Alt><rdf:li xml:lang='Orinakyan'/></rdf:Alt></dc:rights>",
    "text between properties": "Orinakyan",
    "about": "<rdf:Description rdf:about='Orinakyan'/>",
    "second value": "<photoshop:Credit>Orinakyan</photoshop:Credit>",
    "second item": "<dc:creator><rdf:Seq><rdf:li>A</rdf:li><rdf:li>Orinakyan</rdf:li></rdf:Seq></dc:creator>",
    "white space": " \t ",
    "empty property": "<photoshop:Source></photoshop:Source>",
    "text beside an item": "<dc:creator>Orinakyan<rdf:Seq><rdf:li>A</rdf:li></rdf:Seq></dc:creator>",
    "nested property": "<dc:creator><dc:title>Orinakyan</dc:title></dc:creator>",
}


@pytest.mark.parametrize("name", STOWAWAYS)
def test_nothing_rides_along_with_rights(name: str) -> None:
    packet = xmp(RIGHTS + STOWAWAYS[name])
    assert kinds(_jpeg(packet), rights=True) == {FindingKind.METADATA}


def _credit(value: str) -> bytes:
    return xmp(f"<photoshop:Credit>{value}</photoshop:Credit>")


@pytest.mark.parametrize(
    "packet",
    [
        _credit("Agency").replace(b"photoshop", b"Orinakyan").replace(b"/Orinakyan/1", b"/photoshop/1"),
        _credit("Agency").replace(b'"', b"'"),
        _credit("Agency").replace(b"<photoshop:Credit>", b"<photoshop:Credit >"),
        _credit("Agency").replace(b'end="w"', b'end="r"'),
        _credit("Agency").replace(b"<?xpacket end", b" " * 400 + b"<?xpacket end"),
        _credit("Agency").replace(b"\xef\xbb\xbf", b""),
        _credit("&#65;gency"),
        _credit("<![CDATA[Agency]]>"),
        _credit("Agency\u200bOrinakyan"),
        _credit("Agency\U000e0041"),
        _credit("two  blanks"),
        _credit("two\nlines"),
        _credit("x" * 600),
        _credit(""),
        xmp(""),
        b"<?xml version='1.0' encoding='utf-8'?>" + _credit("Agency"),
        xmp(f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPES}Orinakyan</Iptc4xmpExt:DigitalSourceType>"),
        xmp("<Iptc4xmpExt:DigitalSourceType>Orinakyan</Iptc4xmpExt:DigitalSourceType>"),
        xmp(RIGHTS.replace("https://example.org", "https://example.org/?q=Orinakyan")),
        xmp(RIGHTS.replace("https://example.org", "Orinakyan")),
    ],
)
def test_a_packet_passes_only_in_the_one_way_of_writing_it(packet: bytes) -> None:
    assert kinds(_jpeg(_credit("Agency")), rights=True) == set()
    assert kinds(_jpeg(packet), rights=True) == {FindingKind.METADATA}


@given(at=st.floats(0, 0.9999), new=st.binary(min_size=0, max_size=3), gone=st.integers(0, 3))
@settings(max_examples=120, deadline=None)
def test_no_change_of_a_byte_outside_the_values_passes(at: float, new: bytes, gone: int) -> None:
    packet = xmp(RIGHTS)
    start = int(at * len(packet))
    changed = packet[:start] + new + packet[start + gone :]
    if changed == packet or kinds(_jpeg(changed), rights=True):
        return
    # it passed, so it must be a packet of other values: the same once every value is taken out
    assert _without_values(changed) == _without_values(packet)


def _without_values(packet: bytes) -> bytes:
    return re.sub(rb">[^<>]+<", b"><", packet)


def test_every_digital_source_type_of_the_writer_passes_and_no_other() -> None:
    from redact.metadata.rights import SOURCE_TYPES as KNOWN
    from redact.metadata.rights import SOURCE_TYPES_AT, Rights

    assert SOURCE_TYPES_AT == SOURCE_TYPES
    for name in KNOWN:
        value = Rights(digital_source_type=SOURCE_TYPES + name).digital_source_type
        packet = xmp(f"<Iptc4xmpExt:DigitalSourceType>{value}</Iptc4xmpExt:DigitalSourceType>")
        assert kinds(_jpeg(packet), rights=True) == set(), name
    for wrong in ("Orinakyan", SOURCE_TYPES, SOURCE_TYPES + "Orinakyan", "digitalCapture"):
        assert Rights(digital_source_type=wrong).digital_source_type == ""


def test_rights_of_a_film_pass_at_its_end_once_and_nowhere_else(tmp_path: Path) -> None:
    film, good = movie(tmp_path / "a.mp4"), box(b"uuid", XMP_UUID + xmp(RIGHTS))
    assert kinds(film + good, rights=True) == set()
    assert kinds(film + good) == {FindingKind.METADATA}
    for bad in (
        film + good + good,
        film + box(b"uuid", bytes(16) + xmp(RIGHTS)),
        film + box(b"uuid", XMP_UUID + xmp(RIGHTS) + b"\0"),
        film + box(b"uuid", XMP_UUID + xmp(RIGHTS + STOWAWAYS["person"])),
        film + box(b"uuid", b"Orinakyan"),
    ):
        assert kinds(bad, rights=True) == {FindingKind.METADATA}
    assert FindingKind.METADATA in kinds(saved("AVIF", speed=10) + good, rights=True)


def test_the_tables_of_namespaces_agree_with_the_writer() -> None:
    from redact.metadata.xmp import PREFIXES

    assert dict(NAMESPACES) == {prefix: uri for uri, prefix in PREFIXES.items()}


def test_a_document_type_is_refused_before_any_entity_is_read() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "Orinakyan"><!ENTITY b "&a;&a;&a;&a;">]>'
    assert kinds(_jpeg(xmp(RIGHTS.replace("Ask", "&b;"), head=bomb)), rights=True) == {FindingKind.METADATA}


@pytest.mark.parametrize("broken", [b"", b"<x", xmp(RIGHTS)[:-5], xmp(RIGHTS) + b"Orinakyan", b"\xff" * 50])
def test_an_unreadable_packet_is_metadata(broken: bytes) -> None:
    assert kinds(_jpeg(broken), rights=True) == {FindingKind.METADATA}


def test_iptc_rights_pass_and_other_datasets_do_not() -> None:
    good = _iptc((1, 90, b"\x1b%G"), (2, 80, b"Agency"), (2, 110, b"Agency"), (2, 116, b"Agency"))
    assert kinds(jpeg_with(0xED, good), rights=True) == set()
    assert kinds(jpeg_with(0xED, good), rights=False) == {FindingKind.METADATA}
    for bad in (
        _iptc((2, 80, b"Agency"), (2, 120, b"Orinakyan")),
        _iptc((2, 80, b"Agency"), name=b"\x01O"),
        _iptc((2, 80, b"Agency"), resource=0x040C),
        _iptc((2, 80, b"Agency"))[:-3],
        good + b"Orinakyan",
        _iptc((1, 90, b"Orinakyan"), (2, 80, b"Agency")),
        _iptc((2, 0, b"Or"), (2, 80, b"Agency")),
        _iptc((2, 80, b"Agency"), (2, 80, b"Orinakyan")),
        _iptc((2, 110, b"Agency"), (2, 80, b"Orinakyan")),
        _iptc((2, 80, b"Orinakyan" * 4)),
        _iptc((2, 80, b"Agency\0Orinakyan")),
        _iptc((2, 80, b"\xff\xfe")),
        good + good[14:],
    ):
        assert kinds(jpeg_with(0xED, bad), rights=True) == {FindingKind.METADATA}
