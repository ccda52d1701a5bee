"""What every structure reader stands on: a bounded source of untrusted bytes and a collector of findings.

Readers never trust a length: `Source.take` raises `MalformedError` instead of reading past an end, and its
budget bounds the work a hostile file can ask for. `Collector` records places and never takes content.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from redact.findings import Finding, FindingKind

MAX_FINDINGS = 100
"""More than this many different findings say nothing new about one file."""

MAX_READS = 8_000_000
"""Reads allowed on one file: a two-hour film has about a million samples of a few parts each."""

MAX_TAKE = 1 << 29
"""Most bytes taken at once (512 MiB): a photo at the policy's pixel limit, raw at 32 bits, fits."""

_SAFE_CODE = re.compile(rb"[A-Za-z0-9_\- ]{1,8}\Z")


class MalformedError(Exception):
    """The bytes do not follow their format. `detail` is one of our own words, never something read."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Source:
    """Random access to a window of an open file, with a size and a budget."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = stream.seek(0, 2)
        self._left = MAX_READS

    def take(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes from `offset`.

        Raises:
            MalformedError: the range is not inside the file, is too large, or the budget is used up.
        """
        if offset < 0 or count < 0 or offset + count > self.size:
            raise MalformedError("length beyond the end")
        if count > MAX_TAKE:
            raise MalformedError("a part is too large")
        self._left -= 1
        if self._left < 0:
            raise MalformedError("too many parts")
        self._stream.seek(offset)
        data = self._stream.read(count)
        if len(data) != count:
            raise MalformedError("length beyond the end")
        return data

    def is_zero(self, offset: int, count: int) -> bool:
        """Whether a range holds nothing but zero bytes (padding that carries nothing)."""
        step = 1 << 20
        return all(
            not any(self.take(at, min(step, offset + count - at)))
            for at in range(offset, offset + count, step)
        )

    def all(self) -> bytes:
        """The whole file, for formats whose end can only be found by scanning."""
        return self.take(0, self.size)


class Collector:
    """Gathers findings of one file; says whether rights metadata and a signature may be there."""

    def __init__(self, *, rights: bool = False, provenance: bool = False) -> None:
        self.rights = rights
        self.provenance = provenance
        self.frames = 0
        """Pictures counted in the structure; 0 if the format has no count of its own."""
        self.texts: list[str] = []
        """Values of rights fields, untrusted, for the watch list alone: never shown or kept."""
        self._found: dict[tuple[FindingKind, str], Finding] = {}

    def add(self, kind: FindingKind, detail: str) -> None:
        """Record one place; the same place twice is one finding."""
        key = (kind, detail[:96])
        if key not in self._found and len(self._found) < MAX_FINDINGS:
            self._found[key] = Finding(kind=kind, detail=key[1])

    def metadata(self, detail: str) -> None:
        """A known carrier of metadata."""
        self.add(FindingKind.METADATA, detail)

    def structure(self, detail: str) -> None:
        """Something that is not on the allow-list of its format."""
        self.add(FindingKind.STRUCTURE, detail)

    def stream(self, detail: str) -> None:
        """Something in or beside a codec stream."""
        self.add(FindingKind.STREAM, detail)

    def trailing(self, detail: str) -> None:
        """Bytes after the end of the format's own last part."""
        self.add(FindingKind.TRAILING_BYTES, detail)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything recorded, in order."""
        return tuple(self._found.values())


def code_name(untrusted_code: bytes) -> str:
    """A four-character code as it may appear in a finding: itself if plain, else in hexadecimal.

    The copyright sign of QuickTime's user data atoms is written `(c)`, without its brackets.
    """
    if untrusted_code[:1] == b"\xa9" and _SAFE_CODE.match(untrusted_code[1:5]):
        return "c-" + untrusted_code[1:5].decode("ascii")
    if _SAFE_CODE.match(untrusted_code):
        return untrusted_code.decode("ascii").strip()
    return "0x" + untrusted_code[:8].hex()


def uncovered(ranges: list[tuple[int, int]], first: int, end: int) -> list[tuple[int, int]]:
    """The parts of [first, end) that no (start, stop) range covers, in order."""
    gaps = []
    at = first
    for start, stop in sorted(ranges):
        if stop <= at:
            continue
        if start >= end:
            break
        if start > at:
            gaps.append((at, start))
        at = max(at, stop)
    if at < end:
        gaps.append((at, end))
    return gaps
