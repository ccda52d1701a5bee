"""Takes stock of metadata blocks: EXIF, XMP, IPTC, Photoshop resources, colour profiles, wherever they lie.

Takes untrusted bytes and a `Stock`, adds a row for each field, never raises. Fields are named by the tables
below; what is in none of them is counted as unknown.
"""

from __future__ import annotations

import struct

from redact.media.tiff import PIXEL_TAGS, BadTiffError, Directory, Entry, byte_order, read_directory
from redact.metadata.inventory import Stock, What
from redact.metadata.rights import RIGHTS_FIELDS
from redact.metadata.xmp import RDF, parse_xmp

EXIF_IFD, GPS_IFD, INTEROP_IFD, SUB_IFDS, THUMBNAIL_AT, THUMBNAIL_SIZE = 34665, 34853, 40965, 330, 513, 514
MAKER_NOTE, XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG, ICC_TAG = 37500, 700, 33723, 34377, 34675
MAX_PAGES = 64
DESCRIBES_PIXELS = PIXEL_TAGS | {274, 282, 283, 296, 297, 301, 318, 319, 0xA001, 0xA002, 0xA003, 0xA005}
EXIF_FIELDS: dict[int, tuple[What, str]] = {
    269: (What.WORDS, "DocumentName"),
    270: (What.WORDS, "ImageDescription"),
    271: (What.CAMERA, "Make"),
    272: (What.CAMERA, "Model"),
    285: (What.WORDS, "PageName"),
    305: (What.CAMERA, "Software"),
    306: (What.DATE, "DateTime"),
    315: (What.RIGHTS, "Artist"),
    316: (What.CAMERA, "HostComputer"),
    337: (What.WORDS, "TargetPrinter"),
    33432: (What.RIGHTS, "Copyright"),
    36867: (What.DATE, "DateTimeOriginal"),
    36868: (What.DATE, "DateTimeDigitized"),
    **dict.fromkeys((36880, 36881, 36882), (What.DATE, "OffsetTime")),
    **dict.fromkeys((37520, 37521, 37522), (What.DATE, "SubSecTime")),
    MAKER_NOTE: (What.CAMERA, "MakerNote"),
    37510: (What.WORDS, "UserComment"),
    37724: (What.UNKNOWN, "ImageSourceData"),
    40091: (What.WORDS, "XPTitle"),
    40092: (What.WORDS, "XPComment"),
    40093: (What.PEOPLE, "XPAuthor"),
    40094: (What.WORDS, "XPKeywords"),
    40095: (What.WORDS, "XPSubject"),
    42016: (What.HISTORY, "ImageUniqueID"),
    42032: (What.PEOPLE, "CameraOwnerName"),
    42033: (What.CAMERA, "BodySerialNumber"),
    **dict.fromkeys((42034, 42035, 42036), (What.CAMERA, "Lens")),
    42037: (What.CAMERA, "LensSerialNumber"),
    42038: (What.WORDS, "ImageTitle"),
    42039: (What.PEOPLE, "Photographer"),
    42040: (What.PEOPLE, "ImageEditor"),
    50341: (What.CAMERA, "PrintImageMatching"),
}
CAMERA_SETTINGS = frozenset({*range(33434, 33438), *range(34850, 34868), *range(36864, 37501),
                             *range(40960, 42017), *range(42080, 42113)})  # fmt: skip
"""Exposure, lens, flash and the like: told as one row."""

IPTC_FIELDS: dict[int, tuple[What, str]] = {
    5: (What.WORDS, "ObjectName"),
    25: (What.WORDS, "Keywords"),
    40: (What.WORDS, "SpecialInstructions"),
    55: (What.DATE, "DateCreated"),
    60: (What.DATE, "TimeCreated"),
    62: (What.DATE, "DigitalCreationDate"),
    63: (What.DATE, "DigitalCreationTime"),
    80: (What.RIGHTS, "By-line"),
    85: (What.PEOPLE, "By-lineTitle"),
    90: (What.PLACE, "City"),
    92: (What.PLACE, "Sub-location"),
    95: (What.PLACE, "Province-State"),
    100: (What.PLACE, "Country-Code"),
    101: (What.PLACE, "Country"),
    103: (What.HISTORY, "TransmissionReference"),
    105: (What.WORDS, "Headline"),
    110: (What.RIGHTS, "Credit"),
    115: (What.RIGHTS, "Source"),
    116: (What.RIGHTS, "CopyrightNotice"),
    118: (What.PEOPLE, "Contact"),
    120: (What.WORDS, "Caption-Abstract"),
    122: (What.PEOPLE, "Writer-Editor"),
}
IPTC_HOUSEKEEPING = frozenset({0})

XMP_FIELDS: dict[str, What] = {
    **dict.fromkeys(
        ("PersonInImage", "PersonInImageWDetails", "RegionInfo", "Regions", "RegionPersonDisplayName",
         "ImageRegion", "People", "Cast", "OwnerName", "CaptionWriter", "AuthorsPosition",
         "CreatorContactInfo", "ModelReleaseID", "artist", "performers"),
        What.PEOPLE,
    ),
    **dict.fromkeys(
        ("City", "State", "Country", "CountryCode", "Location", "LocationCreated", "LocationShown",
         "GPSLatitude", "GPSLongitude", "GPSAltitude", "GPSAreaInformation", "GPSTimeStamp", "GPSDateTime",
         "GPSImgDirection", "GPSDestLatitude", "GPSDestLongitude", "GPSMapDatum", "GPSVersionID"),
        What.PLACE,
    ),
    **dict.fromkeys(
        ("Thumbnails", "image", "Data", "DepthImage", "Items"), What.THUMBNAIL
    ),
    **dict.fromkeys(
        ("CreateDate", "ModifyDate", "MetadataDate", "DateCreated", "DateTimeOriginal", "date",
         "DateTimeDigitized"),
        What.DATE,
    ),
    **dict.fromkeys(
        ("title", "description", "subject", "Headline", "Instructions", "Label", "hierarchicalSubject",
         "UserComment", "Event", "AltTextAccessibility", "ExtDescrAccessibility", "Caption", "Notes",
         "TransmissionReference", "SupplementalCategories", "Category", "Nickname", "Keywords"),
        What.WORDS,
    ),
    **dict.fromkeys(
        ("Make", "Model", "CreatorTool", "Software", "SerialNumber", "Lens", "LensModel", "LensSerialNumber",
         "LensInfo", "Firmware", "ImageNumber", "ExposureTime", "FNumber", "FocalLength", "ISOSpeedRatings"),
        What.CAMERA,
    ),
    **dict.fromkeys(
        ("History", "DerivedFrom", "DocumentID", "InstanceID", "OriginalDocumentID", "Ingredients", "Pantry",
         "DocumentAncestors", "RawFileName", "OriginalFilename", "PreservedFileName", "HasExtendedXMP"),
        What.HISTORY,
    ),
}  # fmt: skip
_RIGHTS_XMP = {
    name: field.name for field in RIGHTS_FIELDS for name in (field.xmp.qualified,) if not field.xmp.member_of
} | {
    f"{{{field.xmp.namespace}}}{field.xmp.member_of}": "licensor"
    for field in RIGHTS_FIELDS
    if field.xmp.member_of
}
_OTHER_RIGHTS = ("Marked", "WebStatement", "Owner", "CopyrightOwner", "ImageSupplier", "ImageCreator")
_XMLNS_RDF = f"{{{RDF}}}"


def take_exif(stock: Stock, untrusted_block: bytes, where: str = "EXIF") -> None:
    """Fields of an EXIF block (with or without its prefix), of its thumbnail and of every further page."""
    block = untrusted_block.removeprefix(b"Exif\x00\x00")
    try:
        order = byte_order(block)
        at = struct.unpack_from(order + "I", block, 4)[0]
        for page in range(MAX_PAGES):
            directory = read_directory(block, order, at)
            _take_directory(stock, block, directory, where if page == 0 else f"{where} page {page + 1}", page)
            at = directory.next
            if not at:
                break
    except (BadTiffError, struct.error):
        stock.add(What.UNKNOWN, where, "unreadable part", size=len(block), value=block)


def _take_directory(stock: Stock, block: bytes, directory: Directory, where: str, page: int) -> None:
    if page:
        size = directory.number(THUMBNAIL_SIZE)
        start = directory.number(THUMBNAIL_AT)
        body = block[start : start + size] if size else b""
        is_tiff_page = directory.number(273) or directory.number(324)
        what = What.SECOND_PICTURE if is_tiff_page and not size else What.THUMBNAIL
        stock.add(what, where, "picture", size=len(body) or directory.number(279))
    for tag, entry in directory.entries.items():
        if tag in (EXIF_IFD, GPS_IFD, INTEROP_IFD):
            _take_private(stock, block, directory, tag, where)
        elif tag == SUB_IFDS:
            stock.add(What.SECOND_PICTURE, where, "sub-directory", size=0)
        elif tag == XMP_TAG:
            take_xmp(stock, entry.value)
        elif tag == IPTC_TAG:
            take_iptc(stock, entry.value)
        elif tag == PHOTOSHOP_TAG:
            take_photoshop(stock, entry.value)
        elif tag == ICC_TAG:
            take_profile(stock, entry.value)
        elif tag not in DESCRIBES_PIXELS:
            _take_field(stock, where, tag, entry)


def _take_private(stock: Stock, block: bytes, directory: Directory, tag: int, where: str) -> None:
    try:
        inner = read_directory(block, directory.order, directory.number(tag))
    except BadTiffError:
        stock.add(What.UNKNOWN, where, "unreadable part")
        return
    for number, entry in inner.entries.items():
        if tag == GPS_IFD:
            stock.add(What.PLACE, f"{where} GPS", size=len(entry.value), value=_text(inner, number, entry))
        elif number == INTEROP_IFD and tag == EXIF_IFD:
            _take_private(stock, block, inner, INTEROP_IFD, where)
        elif tag == EXIF_IFD and number not in DESCRIBES_PIXELS:
            _take_field(stock, where, number, entry, inner)


def _take_field(stock: Stock, where: str, tag: int, entry: Entry, directory: Directory | None = None) -> None:
    what, name = EXIF_FIELDS.get(tag, (What.UNKNOWN, ""))
    if not name:
        if tag in CAMERA_SETTINGS:
            what, name = What.CAMERA, "settings"
        else:
            name = f"tag {tag}"
    value = _text(directory, tag, entry) if directory is not None else entry.value
    stock.add(what, where, name, size=len(entry.value), value=value)


def _text(directory: Directory, tag: int, entry: Entry) -> str | bytes:
    """What a field says, for a reader who asked: rationals as quotients, numbers, else its bytes."""
    kinds = {3: "H", 4: "I", 5: "II", 9: "i", 10: "ii"}
    if entry.type not in kinds:
        return entry.value
    code = directory.order + kinds[entry.type]
    usable = len(entry.value) // struct.calcsize(code) * struct.calcsize(code)
    numbers = list(struct.iter_unpack(code, entry.value[:usable]))[:8]
    if entry.type in (5, 10):
        return " ".join(f"{a / b:g}" if b else "?" for a, b in numbers)
    return " ".join(str(each[0]) for each in numbers)


def take_iptc(stock: Stock, untrusted_block: bytes, where: str = "IPTC") -> None:
    """Every data set of an IPTC-IIM block."""
    at = 0
    while at + 5 <= len(untrusted_block) and untrusted_block[at] == 0x1C:
        record, number = untrusted_block[at + 1 : at + 3]
        size = int.from_bytes(untrusted_block[at + 3 : at + 5], "big")
        value = untrusted_block[at + 5 : at + 5 + size]
        at += 5 + size
        if record != 2:
            if record != 1:
                stock.add(What.UNKNOWN, where, f"data set {record}:{number}", size=len(value), value=value)
        elif number not in IPTC_HOUSEKEEPING:
            what, name = IPTC_FIELDS.get(number, (What.UNKNOWN, f"data set 2:{number}"))
            stock.add(what, where, name, size=len(value), value=value)
    if untrusted_block[at:].strip(b"\x00"):
        stock.add(What.UNKNOWN, where, "unreadable part", size=len(untrusted_block) - at)


def take_photoshop(stock: Stock, untrusted_resources: bytes) -> None:
    """Photoshop image resources, without their header: IPTC, thumbnails, and whatever else there is."""
    at = 0
    while at + 12 <= len(untrusted_resources) and untrusted_resources[at : at + 4] == b"8BIM":
        number = int.from_bytes(untrusted_resources[at + 4 : at + 6], "big")
        name = untrusted_resources[at + 6] + 1
        start = at + 6 + name + name % 2
        size = int.from_bytes(untrusted_resources[start : start + 4], "big")
        body = untrusted_resources[start + 4 : start + 4 + size]
        at = start + 4 + size + size % 2
        if number == 0x0404:
            take_iptc(stock, body)
        elif number in (0x0409, 0x040C):
            stock.add(What.THUMBNAIL, "Photoshop", "picture", size=len(body))
        elif number == 0x040F:
            take_profile(stock, body)
        elif number == 0x0424:
            take_xmp(stock, body)
        elif number in (0x0422, 0x0423):
            take_exif(stock, body)
        else:
            stock.add(What.UNKNOWN, "Photoshop", f"resource {number:04X}", size=len(body), value=body)


def take_profile(stock: Stock, untrusted_profile: bytes) -> None:
    """A colour profile: its texts can name a person, a place or a screen."""
    stock.add(What.COLOUR, "ICC", "profile", size=len(untrusted_profile))


def take_xmp(stock: Stock, untrusted_packet: bytes, where: str = "XMP") -> None:
    """Every property of an XMP packet, whether written as element or attribute."""
    root = parse_xmp(untrusted_packet)
    if root is None:
        stock.add(What.UNKNOWN, where, "unreadable part", size=len(untrusted_packet))
        return
    before = stock.things
    for element in root.iter(f"{_XMLNS_RDF}Description"):
        for name, value in element.attrib.items():
            if not name.startswith((_XMLNS_RDF, "{http://www.w3.org/XML")) and "}" in name:
                _take_property(stock, where, name, value)
    for description in root.iter(f"{_XMLNS_RDF}RDF"):
        for top in description:
            for child in top:
                whole = " ".join(part.strip() for part in child.itertext() if part.strip())
                _take_property(stock, where, child.tag, whole)
    if stock.things == before:
        stock.add(What.UNKNOWN, where, "no properties", size=len(untrusted_packet), value=untrusted_packet)


def _take_property(stock: Stock, where: str, qualified: str, value: str) -> None:
    namespace, _, local = qualified.rpartition("}")
    if qualified in _RIGHTS_XMP:
        what, name = What.RIGHTS, _RIGHTS_XMP[qualified]
    elif namespace.endswith("/regions/") and local == "Name":
        what, name = What.PEOPLE, "region name"
    elif local in XMP_FIELDS:
        what, name = XMP_FIELDS[local], local
    elif local in _OTHER_RIGHTS:
        what, name = What.WORDS, local
    else:
        what, name = What.UNKNOWN, "property"
    stock.add(what, where, name, size=len(value.encode()), value=value)


__all__ = ["take_exif", "take_iptc", "take_photoshop", "take_profile", "take_xmp"]
