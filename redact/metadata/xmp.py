"""XMP packets: reads named properties from an untrusted one, writes a minimal new one.

Reading refuses any document type declaration (so no entity can expand), any encoding but UTF-8 and packets
over 1 MiB. Properties are found by full name wherever RDF allows them: as elements or as attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
XMP_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
PREFIXES = {DC: "dc", PHOTOSHOP: "photoshop", XMP_RIGHTS: "xmpRights", PLUS: "plus", IPTC_EXT: "Iptc4xmpExt"}

MAX_PACKET = 1 << 20


class XmpPlace(NamedTuple):
    """One XMP property."""

    namespace: str
    name: str
    array: Literal["", "Seq", "Alt"] = ""
    """How it is written: a plain value, an ordered list, or a choice of languages."""
    member_of: str = ""
    """Name of the structure (in a list) that it is a field of, if any."""

    @property
    def qualified(self) -> str:
        """`{namespace}name`."""
        return f"{{{self.namespace}}}{self.name}"


def read_xmp(untrusted_packet: bytes, places: Iterable[XmpPlace]) -> dict[XmpPlace, str]:
    """Values of the asked properties; several items of a list are joined with `; `. Never raises."""
    root = parse_xmp(untrusted_packet)
    if root is None:
        return {}
    wanted = {place.qualified: place for place in places}
    found: dict[XmpPlace, str] = {}
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in wanted:
                found.setdefault(wanted[name], value)
        if element.tag in wanted:
            found.setdefault(wanted[element.tag], _value(element))
    return found


def parse_xmp(untrusted_packet: bytes) -> ElementTree.Element | None:
    """The packet's root element; None if it is empty, too large, no XML, or declares a document type."""
    packet = untrusted_packet.strip(b"\x00 \t\r\n")
    if not packet or len(packet) > MAX_PACKET or b"<!" in packet.replace(b"<!--", b""):
        return None
    # With the encoding forced, a declaration cannot be written in other bytes than those looked for above.
    parser = ElementTree.XMLParser(encoding="utf-8")
    try:
        parser.feed(packet)
        return parser.close()
    except (ElementTree.ParseError, ValueError):
        return None


def _value(element: ElementTree.Element) -> str:
    items = element.findall(f"./*/{{{RDF}}}li")
    if not items:
        return element.text or ""
    if element.find(f"./{{{RDF}}}Alt") is not None:
        default = [item for item in items if item.get(XML_LANG) == "x-default"]
        items = (default or items)[:1]
    return "; ".join(item.text.strip() for item in items if item.text and item.text.strip())


def write_xmp(values: Mapping[XmpPlace, str]) -> bytes:
    """A packet (UTF-8) with these properties and no other; empty values are left out."""
    used = {place: value for place, value in values.items() if value}
    if not used:
        return b""
    body: list[str] = []
    structures: dict[tuple[str, str], list[str]] = {}
    for place, value in used.items():
        text = escape(value)
        tag = f"{PREFIXES[place.namespace]}:{place.name}"
        if place.array:
            language = ' xml:lang="x-default"' if place.array == "Alt" else ""
            text = f"<rdf:{place.array}><rdf:li{language}>{text}</rdf:li></rdf:{place.array}>"
        line = f"<{tag}>{text}</{tag}>"
        if place.member_of:
            structures.setdefault((PREFIXES[place.namespace], place.member_of), []).append(line)
        else:
            body.append(line)
    for (prefix, name), lines in structures.items():
        item = f'<rdf:li rdf:parseType="Resource">{"".join(lines)}</rdf:li>'
        body.append(f"<{prefix}:{name}><rdf:Seq>{item}</rdf:Seq></{prefix}:{name}>")
    namespaces = "".join(
        f' xmlns:{PREFIXES[name]}="{name}"' for name in dict.fromkeys(place.namespace for place in used)
    )
    packet = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about=""{namespaces}>{"".join(body)}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )
    return packet.encode()
