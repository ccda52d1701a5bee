"""Reads XMP and IPTC blocks only to say whether anything but rights is in them; values are never kept.

Written for the gate alone, on expat and plain bytes, so that a mistake of the metadata writer is not repeated
here. A document type, a comment, an unknown namespace or a stray attribute is as bad as an unknown property.
"""

from __future__ import annotations

from xml.parsers import expat

from redact.gate.structure.base import Collector

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
XMP_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
XMP_META = "adobe:ns:meta/"
XML = "http://www.w3.org/XML/1998/namespace"

ALLOWED_PROPERTIES = frozenset(
    {
        f"{DC} creator",
        f"{DC} rights",
        f"{PHOTOSHOP} Credit",
        f"{PHOTOSHOP} Source",
        f"{XMP_RIGHTS} UsageTerms",
        f"{PLUS} Licensor",
    }
)
ALLOWED_FIELDS = frozenset({f"{PLUS} LicensorName", f"{PLUS} LicensorURL"})
"""Fields of a Licensor structure."""
CONTAINERS = frozenset({f"{RDF} Seq", f"{RDF} Bag", f"{RDF} Alt", f"{RDF} li", f"{RDF} Description"})
ALLOWED_NAMESPACES = frozenset({RDF, DC, PHOTOSHOP, XMP_RIGHTS, PLUS, XMP_META})
ALLOWED_ATTRIBUTES = {f"{RDF} parseType": ("Resource",), f"{RDF} about": ("",)}
LANGUAGES = ("x-default", "en", "hy", "ru", "az", "und")
MAX_XMP = 1 << 20
MAX_DEPTH = 12

ALLOWED_IPTC = frozenset({(1, 90), (2, 0), (2, 80), (2, 110), (2, 115), (2, 116)})
"""Character set, record version, by-line, credit, source, copyright notice."""
_PHOTOSHOP_HEADER = b"Photoshop 3.0\x00"
_IPTC_RESOURCE = 0x0404


class _RightsOnly:
    """Expat handlers that note the first thing outside the allow-list."""

    def __init__(self) -> None:
        self.problem = ""
        self._stack: list[str] = []

    def refuse(self, why: str) -> None:
        self.problem = self.problem or why

    def start(self, name: str, attributes: dict[str, str]) -> None:
        depth = len(self._stack)
        self._stack.append(name)
        if depth > MAX_DEPTH:
            self.refuse("nesting")
        wrapper = (f"{XMP_META} xmpmeta", f"{RDF} RDF")
        inside = any(outer in ALLOWED_PROPERTIES for outer in self._stack[:-1])
        if name in wrapper:
            allowed = not inside and depth <= 1
        elif inside:
            allowed = name in CONTAINERS or name in ALLOWED_FIELDS
        elif name == f"{RDF} Description":
            allowed = True
        else:
            allowed = name in ALLOWED_PROPERTIES
        if not allowed:
            self.refuse("property")
        for key, untrusted_value in attributes.items():
            if key in ALLOWED_ATTRIBUTES:
                if untrusted_value not in ALLOWED_ATTRIBUTES[key]:
                    self.refuse("attribute")
            elif key == f"{XML} lang":
                if untrusted_value not in LANGUAGES:
                    self.refuse("language")
            elif not (key in ALLOWED_PROPERTIES and name == f"{RDF} Description") and not (
                key in ALLOWED_FIELDS and inside
            ):
                self.refuse("attribute")

    def end(self, _name: str) -> None:
        self._stack.pop()

    def text(self, untrusted_text: str) -> None:
        if untrusted_text.strip() and not any(name in ALLOWED_PROPERTIES for name in self._stack):
            self.refuse("text")

    def namespace(self, _prefix: str | None, untrusted_uri: str | None) -> None:
        if untrusted_uri not in ALLOWED_NAMESPACES:
            self.refuse("namespace")

    def instruction(self, target: str, untrusted_data: str) -> None:
        known = ('begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"', 'end="w"', 'end="r"')
        if target != "xpacket" or untrusted_data.replace("'", '"').replace('begin=""', known[0][:9]) not in (
            *known,
            known[0].replace("\ufeff", ""),
        ):
            self.refuse("instruction")


def check_xmp(untrusted_xmp: bytes, where: str, found: Collector) -> None:
    """Report `where` as metadata unless rights are allowed and nothing but rights is in the packet."""
    if not found.rights:
        found.metadata(where)
        return
    if len(untrusted_xmp) > MAX_XMP:
        found.metadata(f"{where} size")
        return
    rules = _RightsOnly()
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.StartElementHandler = rules.start
    parser.EndElementHandler = rules.end
    parser.CharacterDataHandler = rules.text
    parser.StartNamespaceDeclHandler = rules.namespace
    parser.ProcessingInstructionHandler = rules.instruction
    parser.CommentHandler = lambda _data: rules.refuse("comment")
    parser.StartDoctypeDeclHandler = lambda *_rest: _refuse_doctype()
    try:
        parser.Parse(untrusted_xmp, True)
    except (expat.ExpatError, _DoctypeError):
        rules.refuse("unreadable")
    if rules.problem:
        found.metadata(f"{where} {rules.problem}")


class _DoctypeError(Exception):
    """A document type declaration: parsing stops before any entity can be used."""


def _refuse_doctype() -> None:
    raise _DoctypeError


def check_photoshop(untrusted_block: bytes, where: str, found: Collector) -> None:
    """Check Photoshop resources (JPEG APP13, TIFF 34377): only an IPTC block of rights may be in them."""
    found_any = False
    if not found.rights or not untrusted_block.startswith(_PHOTOSHOP_HEADER):
        found.metadata(where)
        return
    at = len(_PHOTOSHOP_HEADER)
    while at < len(untrusted_block):
        head = untrusted_block[at : at + 12]
        # signature, resource id, an empty padded name, length: anything else is not ours
        if len(head) < 12 or head[:4] != b"8BIM" or head[6:8] != b"\x00\x00":
            found.metadata(f"{where} resource")
            return
        length = int.from_bytes(head[8:12], "big")
        body = untrusted_block[at + 12 : at + 12 + length]
        if int.from_bytes(head[4:6], "big") != _IPTC_RESOURCE or len(body) != length or found_any:
            found.metadata(f"{where} resource")
            return
        found_any = True
        check_iptc(body, where, found)
        at += 12 + length
        if length % 2:
            if untrusted_block[at : at + 1] != b"\x00":
                found.metadata(f"{where} padding")
            at += 1


def check_iptc(untrusted_block: bytes, where: str, found: Collector) -> None:
    """Check a bare IPTC-IIM block: every data set must be one of the rights fields."""
    if not found.rights:
        found.metadata(where)
        return
    at = 0
    while at < len(untrusted_block):
        head = untrusted_block[at : at + 5]
        length = int.from_bytes(head[3:5], "big")
        if len(head) < 5 or head[0] != 0x1C or length > 0x7FFF or at + 5 + length > len(untrusted_block):
            found.metadata(f"{where} unreadable")
            return
        if (head[1], head[2]) not in ALLOWED_IPTC:
            found.metadata(f"{where} dataset {head[1]}:{head[2]}")
        at += 5 + length
