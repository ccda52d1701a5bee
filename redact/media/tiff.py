"""TIFF 6.0 directories and EXIF blocks, which are TIFF too: read with bounds, and cut down to the picture.

Takes bytes. Gives entries as raw values; EXIF facts that decide how pixels are shown; and a copy of a TIFF
file in which only the tags that describe pixels are left, so that no decoder meets anything else.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from redact.errors import DamagedInputError, UnsupportedInputError
from redact.media.foreign import CAMERA_RAW

TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
MAX_ENTRIES = 4096
MAX_PAGES = 64
MAX_VALUE = 64 << 20

SUBFILE_TYPE, WIDTH, HEIGHT, BITS, PHOTOMETRIC = 254, 256, 257, 258, 262
ORIENTATION, ARTIST, COPYRIGHT, XMP, IPTC, PHOTOSHOP, ICC = 274, 315, 33432, 700, 33723, 34377, 34675
EXIF_IFD, INTEROP_IFD, COLOUR_SPACE, INTEROP_INDEX, DNG_VERSION = 34665, 40965, 0xA001, 1, 50706
PLANAR, SEPARATE = 284, 2
SAMPLE_BITS = frozenset({1, 2, 4, 8, 16, 32})
"""Bits a sample that the decoder is given. 12 bits are refused, and so are 16 bits in separate planes
or with white as zero: Pillow reads those without an error and gets them wrong."""
RAW_PHOTOMETRICS = frozenset({32803, 34892})
"""Colour filter array and linear raw: sensor data, which only a raw converter can show."""

PIXEL_TAGS = frozenset(
    {
        *(254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293),
        *(317, 320, 322, 323, 324, 325, 332, 334, 338, 339, 347, 512, 513, 514, 515, 519, 520, 521),
        *(529, 530, 531, 532),
    }
)
"""Size, layout, compression and colour interpretation of the samples: all a decoder needs."""


class Entry(NamedTuple):
    """One directory entry: field type and raw value bytes in the file's byte order."""

    type: int
    value: bytes


class Directory(NamedTuple):
    """One image file directory."""

    entries: dict[int, Entry]
    next: int
    order: str

    def number(self, tag: int, default: int = 0) -> int:
        """First value of a BYTE, SHORT or LONG tag."""
        entry = self.entries.get(tag)
        code = {1: "B", 3: "H", 4: "I", 13: "I"}.get(entry.type) if entry else None
        if entry is None or code is None or len(entry.value) < struct.calcsize(code):
            return default
        return int(struct.unpack_from(self.order + code, entry.value)[0])


class BadTiffError(ValueError):
    """The bytes are no TIFF directory."""


def byte_order(data: bytes) -> str:
    """`<` or `>`, from the file's head. Raises BadTiffError if it is no classic TIFF."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        raise BadTiffError("no TIFF header")
    return order


def read_directory(data: bytes, order: str, at: int) -> Directory:
    """The directory at offset `at`. Entries whose value lies outside the data are left out.

    Raises:
        BadTiffError: the directory itself lies outside the data or has too many entries.
    """
    try:
        (count,) = struct.unpack_from(order + "H", data, at)
        if count > MAX_ENTRIES or at + 2 + 12 * count > len(data):
            raise BadTiffError("directory size")
        entries: dict[int, Entry] = {}
        for n in range(count):
            where = at + 2 + 12 * n
            tag, kind, values = struct.unpack_from(order + "HHI", data, where)
            length = TYPE_SIZES.get(kind, 0) * values
            start = where + 8 if length <= 4 else struct.unpack_from(order + "I", data, where + 8)[0]
            if 0 < length <= MAX_VALUE and start + length <= len(data):
                entries.setdefault(tag, Entry(kind, data[start : start + length]))
        end = at + 2 + 12 * count
        following = struct.unpack_from(order + "I", data, end)[0] if end + 4 <= len(data) else 0
    except struct.error as error:
        raise BadTiffError("directory") from error
    return Directory(entries, following, order)


def first_directory(data: bytes) -> Directory:
    """The directory a TIFF file or EXIF block starts with. Raises BadTiffError."""
    order = byte_order(data)
    return read_directory(data, order, struct.unpack_from(order + "I", data, 4)[0])


def check_tiff(data: bytes) -> Directory:
    """Refuse what is not one displayable picture; return its directory.

    Further directories that are marked as reduced-resolution copies are ignored: they are never written.

    Raises:
        UnsupportedInputError: raw files and multi-page documents.
        DamagedInputError: no readable first directory.
    """
    try:
        first = first_directory(data)
        if (
            DNG_VERSION in first.entries
            or first.number(PHOTOMETRIC) in RAW_PHOTOMETRICS
            or first.number(SUBFILE_TYPE) & 1
        ):
            raise UnsupportedInputError(CAMERA_RAW)
        bits, planes, white_is_zero = (
            first.number(BITS, 1),
            first.number(PLANAR),
            first.number(PHOTOMETRIC) == 0,
        )
        if bits not in SAMPLE_BITS or (bits == 16 and (planes == SEPARATE or white_is_zero)):
            raise UnsupportedInputError(
                "This layout of TIFF samples is not handled. Save it as 8 bits or as interleaved 16 bits."
            )
        at, seen = first.next, set[int]()
        while at and at not in seen and len(seen) < MAX_PAGES:
            seen.add(at)
            page = read_directory(data, first.order, at)
            if not page.number(SUBFILE_TYPE) & 1:
                raise UnsupportedInputError(
                    "A TIFF of several pages is not handled. Split it into pages first."
                )
            at = page.next
    except BadTiffError as error:
        raise DamagedInputError("The TIFF directory cannot be read.") from error
    return first


def only_pixels(data: bytes) -> bytes:
    """A copy of the TIFF file whose first directory has only PIXEL_TAGS, and no second directory."""
    order = byte_order(data)
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    kept = bytearray()
    for n in range(count):
        entry = data[at + 2 + 12 * n : at + 14 + 12 * n]
        if struct.unpack_from(order + "H", entry)[0] in PIXEL_TAGS:
            kept += entry
    cut = bytearray(data)
    replacement = struct.pack(order + "H", len(kept) // 12) + kept + bytes(4)
    cut[at : at + len(replacement)] = replacement
    return bytes(cut)


@dataclass(frozen=True)
class ExifFacts:
    """What EXIF says about showing the pixels, and its two rights fields."""

    orientation: int = 1
    """1 to 8, as EXIF counts them."""
    adobe_rgb: bool = False
    """The camera says Adobe RGB by the DCF rule (R03) or by the colour space value 2, without a profile."""
    artist: bytes = b""
    copyright: bytes = b""


def read_exif(block: bytes) -> ExifFacts:
    """Facts from an EXIF block (TIFF structure, with or without the `Exif` prefix). Never raises.

    What can be read is used even if other parts are broken; an unreadable block gives the defaults.
    """
    block = block.removeprefix(b"Exif\x00\x00")
    try:
        first = first_directory(block)
    except BadTiffError:
        return ExifFacts()
    orientation = first.number(ORIENTATION, 1)
    adobe = False
    try:
        if offset := first.number(EXIF_IFD):
            exif = read_directory(block, first.order, offset)
            adobe = exif.number(COLOUR_SPACE) == 2
            if offset := exif.number(INTEROP_IFD):
                index = read_directory(block, first.order, offset).entries.get(INTEROP_INDEX)
                adobe = adobe or (index is not None and index.value.startswith(b"R03"))
    except BadTiffError:
        pass  # the camera's private part is broken; orientation and rights lie in the first directory
    return ExifFacts(
        orientation=orientation if 1 <= orientation <= 8 else 1,
        adobe_rgb=adobe,
        artist=first.entries[ARTIST].value if ARTIST in first.entries else b"",
        copyright=first.entries[COPYRIGHT].value if COPYRIGHT in first.entries else b"",
    )
