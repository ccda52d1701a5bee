"""Rights metadata passes where the policy keeps it, and nothing can ride along with it."""

from __future__ import annotations

import struct

import pytest
from gate_media import RIGHTS, jpeg_with, kinds, png_with, saved, xmp

from redact.findings import FindingKind

XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'


def _jpeg(packet: bytes) -> bytes:
    return jpeg_with(0xE1, XMP_HEADER + packet)


def _iptc(*datasets: tuple[int, int, bytes], name: bytes = b"\0\0", resource: int = 0x0404) -> bytes:
    block = b"".join(bytes([0x1C, record, number]) + struct.pack(">H", len(value)) + value
                     for record, number, value in datasets)  # fmt: skip
    head = b"8BIM" + struct.pack(">H", resource) + name + struct.pack(">I", len(block))
    return b"Photoshop 3.0\0" + head + block + b"\0" * (len(block) % 2)


@pytest.mark.parametrize(
    "packet",
    [xmp(RIGHTS), xmp(RIGHTS, head=PACKET) + b'<?xpacket end="w"?>', xmp("<dc:creator/>")],
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
    "nested property": "<dc:creator><dc:title>Orinakyan</dc:title></dc:creator>",
}


@pytest.mark.parametrize("name", STOWAWAYS)
def test_nothing_rides_along_with_rights(name: str) -> None:
    packet = xmp(RIGHTS + STOWAWAYS[name])
    assert kinds(_jpeg(packet), rights=True) == {FindingKind.METADATA}


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
    ):
        assert kinds(jpeg_with(0xED, bad), rights=True) == {FindingKind.METADATA}
