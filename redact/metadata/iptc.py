"""IPTC-IIM 4.2 records: reads text data sets from an untrusted block, writes a minimal new one.

The block lives in a Photoshop resource (number 0x0404) of a JPEG's APP13 segment or in a TIFF tag.
"""

from __future__ import annotations

from collections.abc import Mapping

MARK = 0x1C
UTF8 = b"\x1b%G"
"""Value of data set 1:90 that says text is UTF-8."""
RECORD_VERSION = b"\x00\x04"
IPTC_RESOURCE = b"\x04\x04"
PHOTOSHOP_HEADER = b"Photoshop 3.0\x00"

DataSet = tuple[int, int]


def iptc_of_photoshop(untrusted_resources: bytes) -> bytes:
    """The IPTC block among Photoshop image resources (without their header), or nothing. Never raises."""
    at = 0
    while at + 12 <= len(untrusted_resources):
        if untrusted_resources[at : at + 4] != b"8BIM":
            break
        number = untrusted_resources[at + 4 : at + 6]
        name = untrusted_resources[at + 6] + 1
        start = at + 6 + name + name % 2
        size = int.from_bytes(untrusted_resources[start : start + 4], "big")
        body = untrusted_resources[start + 4 : start + 4 + size]
        if number == IPTC_RESOURCE:
            return body
        at = start + 4 + size + size % 2
    return b""


def read_iptc(untrusted_block: bytes) -> dict[DataSet, str]:
    """Text of every data set of record 2; repeated ones are joined with `; `. Never raises.

    Text that is not UTF-8 is left out (no marker says which code page it is), but for the old © byte.
    """
    found: dict[DataSet, list[str]] = {}
    at = 0
    while at + 5 <= len(untrusted_block) and untrusted_block[at] == MARK:
        key = (untrusted_block[at + 1], untrusted_block[at + 2])
        size = int.from_bytes(untrusted_block[at + 3 : at + 5], "big")
        value = untrusted_block[at + 5 : at + 5 + size]
        if size > 0x7FFF or len(value) < size:
            break
        at += 5 + size
        if key[0] == 2:
            text = _text(value)
            if text:
                found.setdefault(key, []).append(text)
    return {key: "; ".join(values) for key, values in found.items()}


def _text(value: bytes) -> str:
    for candidate in (value, value.replace(b"\xa9", "©".encode())):
        try:
            return candidate.decode("utf-8").strip()
        except UnicodeDecodeError:
            continue
    return ""


def write_iptc(values: Mapping[DataSet, str]) -> bytes:
    """A block with UTF-8 text data sets in ascending order; nothing if all values are empty."""
    used = {key: value.encode() for key, value in values.items() if value}
    if not used:
        return b""
    block = b""
    for (record, number), value in sorted({(1, 90): UTF8, (2, 0): RECORD_VERSION, **used}.items()):
        block += bytes([MARK, record, number]) + len(value).to_bytes(2, "big") + value
    return block


def photoshop_resources(block: bytes) -> bytes:
    """An IPTC block as the body of a JPEG APP13 segment."""
    resource = b"8BIM" + IPTC_RESOURCE + b"\x00\x00" + len(block).to_bytes(4, "big") + block
    return PHOTOSHOP_HEADER + resource + bytes(len(block) % 2)
