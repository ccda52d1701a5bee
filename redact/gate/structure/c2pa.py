"""Reads a C2PA manifest only to say whether it is exactly one that this tool writes: nothing rides in it.

Own readers of JUMBF boxes (ISO/IEC 19566-5) and CBOR (RFC 8949), strict and bounded. One manifest, two
assertions (that the asset was made, and its hash), no ingredient, no thumbnail; every text is a constant or
an identifier. The signer's certificates are the one thing that is taken as it is, within a size.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from redact.gate.structure.base import Collector, MalformedError

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
MANIFEST_LABEL = re.compile(rf"urn:c2pa:{UUID}\Z")
INSTANCE = re.compile(rf"xmp\.iid:{UUID}\Z")
VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}\Z")
TYPE_TAIL = b"\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
"""What follows the four letters in a JUMBF type of C2PA."""
REQUESTABLE, WITH_SALT = 0x03, 0x13
CLAIM, SIGNATURE, ASSERTIONS, ACTIONS = (
    "c2pa.claim.v2",
    "c2pa.signature",
    "c2pa.assertions",
    "c2pa.actions.v2",
)
HASHES = ("c2pa.hash.data", "c2pa.hash.bmff.v3")
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits"
MADE = {"actions": [{"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}]}
BOX_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
BOX_HEAD = BOX_UUID + bytes(4) + b"manifest\x00" + bytes(8)
"""A `uuid` box in front of the manifest: type, version, purpose, no Merkle tree."""
LEFT_OUT = [
    {"xpath": "/uuid", "data": [{"offset": 8, "value": BOX_UUID}]},
    *({"xpath": f"/{kind}"} for kind in ("ftyp", "mfra", "free", "skip")),
]
"""Boxes that the hash of a film does not cover."""
MOST_BYTES, MOST_CERTIFICATES, MOST_CERTIFICATE, MOST_SIGNATURE = 65000, 5, 4096, 1024
ALGORITHM, CHAIN, SIGN1 = 1, 33, 18


class _Box(NamedTuple):
    """One JUMBF superbox."""

    kind: bytes
    label: str
    children: list[_Box]
    content: bytes
    """Body of its one `cbor` box, if it has that instead of children."""


class _RefusedError(Exception):
    """Something that is not ours; the argument is one of our words."""


def check_c2pa(untrusted_manifest: bytes, found: Collector) -> None:
    """Report C2PA as metadata unless provenance is allowed and the manifest is one that this tool writes."""
    if not found.provenance:
        found.metadata("C2PA")
        return
    try:
        _check(untrusted_manifest)
    except _RefusedError as error:
        found.metadata(f"C2PA {error}")
    except (MalformedError, IndexError, KeyError, TypeError, ValueError, RecursionError):
        found.metadata("C2PA unreadable")


def _want(holds: object, what: str) -> None:
    if not holds:
        raise _RefusedError(what)


def _check(data: bytes) -> None:
    _want(len(data) <= MOST_BYTES, "size")
    store, end = _superbox(data, 0, 0)
    _want(end == len(data), "trailing bytes")
    _want((store.kind, store.label, len(store.children)) == (b"c2pa", "c2pa", 1), "store")
    manifest = store.children[0]
    _want(manifest.kind == b"c2ma" and MANIFEST_LABEL.match(manifest.label), "manifest")
    parts = {box.label: box for box in manifest.children}
    _want(set(parts) == {ASSERTIONS, CLAIM, SIGNATURE} and len(manifest.children) == 3, "manifest")
    for label, kind in ((ASSERTIONS, b"c2as"), (CLAIM, b"c2cl"), (SIGNATURE, b"c2cs")):
        _want(parts[label].kind == kind, "manifest")
    assertions = {box.label: box for box in parts[ASSERTIONS].children}
    hashes = [name for name in assertions if name in HASHES]
    _want(len(hashes) == 1 and set(assertions) == {ACTIONS, *hashes}, "assertion")
    _want(len(parts[ASSERTIONS].children) == 2, "assertion")
    _want(all(box.kind == b"cbor" for box in assertions.values()), "assertion")
    _want(_cbor(assertions[ACTIONS].content) == MADE, "action")
    _check_hash(hashes[0], _cbor(assertions[hashes[0]].content))
    _check_claim(_cbor(parts[CLAIM].content), manifest.label, {ACTIONS, *hashes})
    _check_signature(_cbor(parts[SIGNATURE].content))


def _check_hash(name: str, content: dict[str, Any]) -> None:
    ours = {"exclusions", "alg", "hash", "name"}
    _want(ours <= set(content) <= ours | {"pad"}, "hash")
    _want(content["alg"] == "sha256" and content["name"] == "jumbf manifest", "hash")
    _want(isinstance(content["hash"], bytes) and len(content["hash"]) == 32, "hash")
    _want(not any(content.get("pad", b"")), "hash padding")
    if name == HASHES[1]:
        _want(content["exclusions"] == LEFT_OUT, "hash")
    else:
        _want(len(content["exclusions"]) == 1, "hash")
        (span,) = content["exclusions"]
        _want(set(span) == {"start", "length"} and all(type(value) is int for value in span.values()), "hash")


def _check_claim(content: dict[str, Any], manifest: str, assertions: set[str]) -> None:
    keys = {
        "instanceID",
        "claim_generator_info",
        "signature",
        "alg",
        "created_assertions",
        "gathered_assertions",
    }
    _want(set(content) <= keys and content["alg"] == "sha256", "claim")
    _want(INSTANCE.match(content["instanceID"]), "claim")
    made_by = dict(content["claim_generator_info"])
    _want(made_by.pop("name") == "redact", "claim")
    _want(set(made_by) <= {"version", "org.contentauth.c2pa_rs"}, "claim")
    _want(all(VERSION.match(value) for value in made_by.values()), "claim")
    _want(content["signature"] == f"self#jumbf=/c2pa/{manifest}/{SIGNATURE}", "claim")
    listed = [*content.get("created_assertions", ()), *content.get("gathered_assertions", ())]
    _want(all(set(each) == {"url", "hash"} and len(each["hash"]) == 32 for each in listed), "claim")
    wanted = sorted(f"self#jumbf={ASSERTIONS}/{name}" for name in assertions)
    _want(sorted(each["url"] for each in listed) == wanted, "claim")


def _check_signature(content: list[Any]) -> None:
    protected, open_part, payload, signature = content
    head = _cbor(protected)
    _want(set(head) == {ALGORITHM, CHAIN} and type(head[ALGORITHM]) is int, "signature")
    chain = head[CHAIN] if isinstance(head[CHAIN], list) else [head[CHAIN]]
    _want(1 <= len(chain) <= MOST_CERTIFICATES, "certificates")
    for certificate in chain:
        whole = isinstance(certificate, bytes) and certificate[:2] == b"\x30\x82"
        _want(whole and len(certificate) <= MOST_CERTIFICATE, "certificates")
        _want(int.from_bytes(certificate[2:4], "big") + 4 == len(certificate), "certificates")
    _want(set(open_part) <= {"pad", "pad2"} and not any(any(pad) for pad in open_part.values()), "signature")
    _want(payload is None and isinstance(signature, bytes), "signature")
    _want(len(signature) <= MOST_SIGNATURE, "signature")


def _superbox(data: bytes, at: int, depth: int) -> tuple[_Box, int]:
    """The superbox at `at`, and the offset after it."""
    _want(depth <= 4, "nesting")
    kind, start, end = _box(data, at, len(data))
    _want(kind == b"jumb", "box")
    kind, first, last = _box(data, start, end)
    description = data[first:last]
    _want(kind == b"jumd" and description[4:16] == TYPE_TAIL, "box")
    label, zero, rest = description[17:].partition(b"\x00")
    _want(zero and description[16] in (REQUESTABLE, WITH_SALT), "box")
    # a salt is 16 random bytes in a box of its own: what makes the hash of a known text unguessable
    _want(len(rest) == (24 if description[16] == WITH_SALT else 0), "salt")
    _want(rest[:8] in (b"", b"\x00\x00\x00\x18c2sh"), "salt")
    children: list[_Box] = []
    content, at = b"", last
    while at < end:
        kind, first, stop = _box(data, at, end)
        if kind == b"cbor":
            _want(not content and not children and stop == end, "box")
            content, at = data[first:stop], stop
        else:
            child, at = _superbox(data[:end], at, depth + 1)
            children.append(child)
    return _Box(description[:4], label.decode("ascii"), children, content), end


def _box(data: bytes, at: int, end: int) -> tuple[bytes, int, int]:
    size = int.from_bytes(data[at : at + 4], "big")
    if size < 8 or at + size > end:
        raise MalformedError("box size")
    return data[at + 4 : at + 8], at + 8, at + size


def _cbor(data: bytes) -> Any:
    """The one value that the bytes hold, to the last byte."""
    value, end = _value(data, 0, 0)
    _want(end == len(data), "trailing bytes")
    return value


def _value(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """One item in its shortest form and of definite length: any other form could spell something."""
    _want(depth <= 8, "nesting")
    major, short = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        _want(short == 22, "value")
        return None, at
    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(short, 0)
    _want(short < 28, "value")
    number = int.from_bytes(data[at : at + width], "big") if width else short
    at += width
    _want(not width or number >= {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}[width], "value")
    if major in (2, 3):
        body = data[at : at + number]
        _want(len(body) == number, "value")
        return (body if major == 2 else body.decode("ascii")), at + number
    if major == 4:
        items = []
        for _ in range(number):
            item, at = _value(data, at, depth + 1)
            items.append(item)
        return items, at
    if major == 5:
        pairs: dict[Any, Any] = {}
        for _ in range(number):
            key, at = _value(data, at, depth + 1)
            _want(key not in pairs, "value")
            pairs[key], at = _value(data, at, depth + 1)
        return pairs, at
    if major == 6:
        _want(number == SIGN1, "value")
        return _value(data, at, depth + 1)
    return (number if major == 0 else -1 - number), at
