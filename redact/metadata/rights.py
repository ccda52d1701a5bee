"""Reads the allow-listed rights fields of a photo: who made it, who may use it, whom to ask. Nothing else.

Takes a photo's bytes, gives a `Rights` record of short plain strings. Values are untrusted: a field can hold
a relative's name, so later stages hold them against the watch list. No value ever appears in an error.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from redact.errors import InputError
from redact.media.blocks import take_apart
from redact.media.source import read_photo
from redact.media.still import metadata_items
from redact.media.tiff import read_exif
from redact.metadata.iptc import iptc_of_photoshop, read_iptc
from redact.metadata.xmp import DC, IPTC_EXT, PHOTOSHOP, PLUS, XMP_RIGHTS, XmpPlace, read_xmp
from redact.names.watchlist import WatchList
from redact.plan import Data

MAX_LENGTH = 512
"""Characters of one value; a longer one is no credit line and is dropped whole."""


@dataclass(frozen=True)
class RightsField:
    """Where one allow-listed field may be found and is written."""

    name: str
    xmp: XmpPlace
    iptc: tuple[int, int] | None
    """IPTC-IIM record and data set."""
    iptc_bytes: int
    """Longest value the data set may hold (IPTC-IIM 4.2)."""
    exif: str | None
    """Attribute of `ExifFacts`; read only, EXIF is never written."""


RIGHTS_FIELDS: tuple[RightsField, ...] = (
    RightsField("creator", XmpPlace(DC, "creator", "Seq"), (2, 80), 32, "artist"),
    RightsField("credit", XmpPlace(PHOTOSHOP, "Credit"), (2, 110), 32, None),
    RightsField("copyright", XmpPlace(DC, "rights", "Alt"), (2, 116), 128, "copyright"),
    RightsField("usage_terms", XmpPlace(XMP_RIGHTS, "UsageTerms", "Alt"), None, 0, None),
    RightsField("licensor", XmpPlace(PLUS, "LicensorName", member_of="Licensor"), None, 0, None),
    RightsField("licensor_url", XmpPlace(PLUS, "LicensorURL", member_of="Licensor"), None, 0, None),
    RightsField("source", XmpPlace(PHOTOSHOP, "Source"), (2, 115), 32, None),
    RightsField("digital_source_type", XmpPlace(IPTC_EXT, "DigitalSourceType"), None, 0, None),
)

SOURCE_TYPES_AT = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPES = frozenset(
    # IPTC NewsCodes, Digital Source Type, retired ones included since archives hold them
    {"digitalCapture", "computationalCapture", "negativeFilm", "positiveFilm", "print", "humanEdits"}
    | {"minorHumanEdits", "algorithmicallyEnhanced", "compositeWithTrainedAlgorithmicMedia", "composite"}
    | {"compositeCapture", "compositeSynthetic", "dataDrivenMedia", "digitalCreation", "digitalArt"}
    | {"softwareImage", "screenCapture", "virtualRecording", "algorithmicMedia", "trainedAlgorithmicMedia"}
)


def clean(untrusted_value: str) -> str:
    """One line of visible characters, or nothing if it is longer than MAX_LENGTH.

    Control and format characters go: they can carry hidden bytes and turn the reading direction.
    """
    visible = "".join(
        " " if char.isspace() else char
        for char in untrusted_value
        if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    line = " ".join(visible.split())
    return line if len(line) <= MAX_LENGTH else ""


def clean_url(untrusted_value: str) -> str:
    """A plain web address without user name and query, or nothing."""
    url = clean(untrusted_value)
    host = url.partition("://")[2].partition("/")[0]
    plain = url.startswith(("https://", "http://")) and host and not set(url) & set(" @?#<>\"'")
    return url if plain else ""


def clean_source_type(untrusted_value: str) -> str:
    """The address of one of the IPTC's Digital Source Types, or nothing: no other words can stand here."""
    value = untrusted_value.strip()
    address = "http://" + value.removeprefix("https://") if value.startswith("https://") else value
    known = address.startswith(SOURCE_TYPES_AT) and address.removeprefix(SOURCE_TYPES_AT) in SOURCE_TYPES
    return address if known else ""


Line = Annotated[str, Field(max_length=MAX_LENGTH), AfterValidator(clean)]


class Rights(Data):
    """The allow-listed fields; empty where the source says nothing."""

    creator: Line = ""
    credit: Line = ""
    copyright: Line = ""
    usage_terms: Line = ""
    licensor: Line = ""
    licensor_url: Annotated[str, Field(max_length=MAX_LENGTH), AfterValidator(clean_url)] = ""
    source: Line = ""
    digital_source_type: Annotated[str, AfterValidator(clean_source_type)] = ""

    def without(self, names: tuple[str, ...]) -> Rights:
        """These rights with the named fields left empty."""
        return self.model_copy(update=dict.fromkeys(names, ""))

    def listed(self, watch: WatchList) -> tuple[str, ...]:
        """Names of the fields whose values hold a name of the watch list."""
        return tuple(each.name for each in RIGHTS_FIELDS if watch.find(getattr(self, each.name)))

    def __bool__(self) -> bool:
        """Whether any field is set."""
        return any(getattr(self, field.name) for field in RIGHTS_FIELDS)


def read_rights(path: Path, format: str) -> Rights:
    """Rights of the photo at `path`; `format` is what `redact.media.sniff.identify` said.

    Unreadable blocks give no rights; they are no reason to refuse the picture.

    Raises:
        InputError: the file cannot be opened.
    """
    return rights_from_bytes(read_photo(path), format)


def rights_from_bytes(data: bytes, format: str) -> Rights:
    """Rights of a photo file's bytes. XMP is believed before IPTC, IPTC before EXIF."""
    try:
        blocks = take_apart(data, format)
        exif, xmp = metadata_items(data, format) if format in ("heif", "avif") else (blocks.exif, blocks.xmp)
    except InputError:
        return Rights()
    from_xmp = read_xmp(xmp, [field.xmp for field in RIGHTS_FIELDS])
    from_iptc = read_iptc(blocks.iptc or iptc_of_photoshop(blocks.photoshop))
    from_exif = read_exif(exif)
    values = {}
    for field in RIGHTS_FIELDS:
        found = from_xmp.get(field.xmp, "") or from_iptc.get(field.iptc or (0, 0), "")
        if not clean(found) and field.exif is not None:
            found = _exif_text(getattr(from_exif, field.exif))
        values[field.name] = cleaned(field.name, found)
    return Rights(**values)


def cleaned(field: str, untrusted_value: str) -> str:
    """A value as it may be written, or nothing."""
    cleaners = {"licensor_url": clean_url, "digital_source_type": clean_source_type}
    return cleaners.get(field, clean)(untrusted_value)


def _exif_text(untrusted_value: bytes) -> str:
    """An EXIF string: UTF-8 in practice; parts (photographer, editor) are divided by NUL."""
    parts = [part.strip() for part in untrusted_value.split(b"\x00")]
    try:
        return "; ".join(part.decode("utf-8") for part in parts if part)
    except UnicodeDecodeError:
        return ""


__all__ = ["MAX_LENGTH", "RIGHTS_FIELDS", "Rights", "RightsField", "read_rights", "rights_from_bytes"]
