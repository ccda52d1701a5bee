"""Reads XMP and IPTC blocks only to say whether anything but rights is in them; values are never kept.

Written for the gate alone, on expat and plain bytes, so that a mistake of the metadata writer is not repeated
here. A packet passes if it is, byte by byte, the one way of writing the values it holds: prefixes, white
space, order and repetition can say nothing. IPTC data sets must rise and have the lengths of their standard.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from xml.parsers import expat

from redact.gate.structure.base import Collector

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
XMP_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
XMP_META = "adobe:ns:meta/"

MAX_XMP = 1 << 16
MAX_VALUE = 512
SOURCE_TYPE = re.compile(
    r"http://cv\.iptc\.org/newscodes/digitalsourcetype/(digitalCapture|computationalCapture|negativeFilm"
    r"|positiveFilm|print|humanEdits|minorHumanEdits|algorithmicallyEnhanced|composite|compositeCapture"
    r"|compositeWithTrainedAlgorithmicMedia|compositeSynthetic|dataDrivenMedia|digitalCreation|digitalArt"
    r"|softwareImage|screenCapture|virtualRecording|algorithmicMedia|trainedAlgorithmicMedia)\Z"
)
ADDRESS = re.compile(r"https?://[^\s@?#<>\"']+\Z")


def _is_line(untrusted_value: str) -> bool:
    """One line of visible characters without any that cannot be seen, which could spell something."""
    plain = not any(unicodedata.category(char)[0] == "C" for char in untrusted_value)
    return plain and untrusted_value == " ".join(untrusted_value.split())


@dataclass(frozen=True)
class Place:
    """One property that may be in a packet, and how it is written around its value."""

    namespace: str
    prefix: str
    name: str
    before: str = ""
    after: str = ""
    fits: Callable[[str], object] = _is_line


_SEQ = ("<rdf:Seq><rdf:li>", "</rdf:li></rdf:Seq>")
_ALT = ('<rdf:Alt><rdf:li xml:lang="x-default">', "</rdf:li></rdf:Alt>")
PROPERTIES: tuple[Place, ...] = (
    # in the order in which they are written
    Place(DC, "dc", "creator", *_SEQ),
    Place(PHOTOSHOP, "photoshop", "Credit"),
    Place(DC, "dc", "rights", *_ALT),
    Place(XMP_RIGHTS, "xmpRights", "UsageTerms", *_ALT),
    Place(PLUS, "plus", "LicensorName"),
    Place(PLUS, "plus", "LicensorURL", fits=ADDRESS.match),
    Place(PHOTOSHOP, "photoshop", "Source"),
    Place(IPTC_EXT, "Iptc4xmpExt", "DigitalSourceType", fits=SOURCE_TYPE.match),
)
LICENSOR = (
    '<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource">',
    "</rdf:li></rdf:Seq></plus:Licensor>",
)
_IN_LICENSOR = frozenset({"LicensorName", "LicensorURL"})
_BY_NAME = {f"{place.namespace} {place.name}": place for place in PROPERTIES}
KNOWN_ELEMENTS = frozenset(
    {f"{XMP_META} xmpmeta", f"{PLUS} Licensor", *_BY_NAME}
    | {f"{RDF} {name}" for name in ("RDF", "Description", "Seq", "Alt", "li")}
)

ALLOWED_IPTC: dict[tuple[int, int], int] = {
    # data set: most bytes (IPTC-IIM 4.2)
    (2, 80): 32,  # by-line
    (2, 110): 32,  # credit
    (2, 115): 32,  # source
    (2, 116): 128,  # copyright notice
}
FIXED_IPTC = {(1, 90): b"\x1b%G", (2, 0): b"\x00\x04"}
"""Character set UTF-8, and the record's version."""
_PHOTOSHOP_HEADER = b"Photoshop 3.0\x00"
_IPTC_RESOURCE = 0x0404


class _Values:
    """Expat handlers that take the value of each known property, and the first reason to refuse."""

    def __init__(self) -> None:
        self.problem = ""
        self.found: dict[Place, str] = {}
        self._open: list[Place | None] = []

    def refuse(self, why: str) -> None:
        self.problem = self.problem or why

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        if name not in KNOWN_ELEMENTS:
            self.refuse("property")
        place = _BY_NAME.get(name)
        if place is not None and (place in self.found or any(self._open)):
            self.refuse("property")
        if place is not None:
            self.found.setdefault(place, "")
        self._open.append(place)

    def end(self, _name: str) -> None:
        self._open.pop()

    def text(self, untrusted_text: str) -> None:
        place = next((place for place in reversed(self._open) if place is not None), None)
        if place is None:
            self.refuse("text")
        else:
            self.found[place] += untrusted_text


def _written(values: dict[Place, str]) -> bytes:
    """The one packet that holds these values."""
    used = [place for place in PROPERTIES if place in values]
    lines: list[str] = []
    licensor: list[str] = []
    for place in used:
        text = values[place].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        line = f"<{place.prefix}:{place.name}>{place.before}{text}{place.after}</{place.prefix}:{place.name}>"
        (licensor if place.name in _IN_LICENSOR else lines).append(line)
    if licensor:
        lines.append("".join((LICENSOR[0], *licensor, LICENSOR[1])))
    spaces = dict.fromkeys(f' xmlns:{place.prefix}="{place.namespace}"' for place in used)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="{XMP_META}"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about=""{"".join(spaces)}>{"".join(lines)}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def check_xmp(untrusted_xmp: bytes, where: str, found: Collector) -> None:
    """Report `where` as metadata unless rights are allowed and nothing but rights is in the packet."""
    if not found.rights:
        found.metadata(where)
        return
    if len(untrusted_xmp) > MAX_XMP:
        found.metadata(f"{where} size")
        return
    values = _Values()
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.StartElementHandler = values.start
    parser.EndElementHandler = values.end
    parser.CharacterDataHandler = values.text
    parser.CommentHandler = lambda _data: values.refuse("comment")
    parser.StartDoctypeDeclHandler = lambda *_rest: _refuse_doctype()
    try:
        parser.Parse(untrusted_xmp, True)
    except (expat.ExpatError, _DoctypeError):
        values.refuse("unreadable")
    found.texts += values.found.values()
    for place, value in values.found.items():
        if not value or len(value) > MAX_VALUE or not place.fits(value):
            values.refuse("value")
    # what the reader above lets pass in spite of all must still be nothing but its values
    if not values.problem and (not values.found or _written(values.found) != untrusted_xmp):
        values.refuse("layout")
    if values.problem:
        found.metadata(f"{where} {values.problem}")


class _DoctypeError(Exception):
    """A document type declaration: parsing stops before any entity can be used."""


def _refuse_doctype() -> None:
    raise _DoctypeError


def check_photoshop(untrusted_block: bytes, where: str, found: Collector) -> None:
    """Check Photoshop resources (JPEG APP13, TIFF 34377): only an IPTC block of rights may be in them."""
    if not found.rights or not untrusted_block.startswith(_PHOTOSHOP_HEADER):
        found.metadata(where)
        return
    rest = untrusted_block[len(_PHOTOSHOP_HEADER) :]
    # signature, resource id, an empty padded name, length: anything else is not ours
    length = int.from_bytes(rest[8:12], "big")
    head = b"8BIM" + _IPTC_RESOURCE.to_bytes(2, "big") + b"\x00\x00" + length.to_bytes(4, "big")
    body = rest[12 : 12 + length]
    if rest[:12] != head or len(body) != length:
        found.metadata(f"{where} resource")
    elif rest[12 + length :] != bytes(length % 2):
        found.metadata(f"{where} padding")
    else:
        check_iptc(body, where, found)


def check_iptc(untrusted_block: bytes, where: str, found: Collector) -> None:
    """Check a bare IPTC-IIM block: rising data sets, each one of the rights fields, each a visible line."""
    if not found.rights:
        found.metadata(where)
        return
    at, last = 0, (0, 0)
    while at < len(untrusted_block):
        head = untrusted_block[at : at + 5]
        length = int.from_bytes(head[3:5], "big")
        value = untrusted_block[at + 5 : at + 5 + length]
        if len(head) < 5 or head[0] != 0x1C or len(value) != length:
            found.metadata(f"{where} unreadable")
            return
        number = (head[1], head[2])
        if number not in ALLOWED_IPTC and number not in FIXED_IPTC:
            found.metadata(f"{where} dataset {number[0]}:{number[1]}")
        elif number <= last:
            found.metadata(f"{where} order")
        elif not _iptc_fits(number, value):
            found.metadata(f"{where} value")
        last = number
        found.texts.append(value.decode("utf-8", "replace"))
        at += 5 + length


def _iptc_fits(number: tuple[int, int], untrusted_value: bytes) -> bool:
    if number in FIXED_IPTC:
        return untrusted_value == FIXED_IPTC[number]
    try:
        text = untrusted_value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return 0 < len(untrusted_value) <= ALLOWED_IPTC[number] and _is_line(text)
