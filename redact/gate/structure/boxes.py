"""Walks ISO base media boxes (ISO/IEC 14496-12) into a tree, against an allow-list of what may be in what.

Only structure is judged here: unknown boxes, padding that is not empty, tables whose size does not fit their
count. What the known boxes say is judged in `isobmff` (movies) and `heif` (pictures).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from redact.gate.structure.base import Collector, MalformedError, Source, code_name
from redact.gate.structure.headers import FIXED, check_entry, check_header

MAX_DEPTH = 12
MAX_BOXES = 200_000

VIDEO_ENTRIES = frozenset({b"avc1", b"hvc1", b"hev1", b"av01", b"vp09"})
AUDIO_ENTRIES = frozenset({b"mp4a", b"Opus"})

CHILDREN: dict[bytes, frozenset[bytes]] = {
    # container: boxes that may be in it; b"" is the file itself. `free` may be anywhere if it is all zeros.
    b"": frozenset({b"ftyp", b"moov", b"mdat", b"meta", b"wide", b"uuid"}),
    b"moov": frozenset({b"mvhd", b"trak", b"udta"}),
    b"trak": frozenset({b"tkhd", b"edts", b"mdia"}),
    b"edts": frozenset({b"elst"}),
    b"mdia": frozenset({b"mdhd", b"hdlr", b"minf"}),
    b"minf": frozenset({b"vmhd", b"smhd", b"dinf", b"stbl", b"hdlr"}),
    b"dinf": frozenset({b"dref"}),
    b"dref": frozenset({b"url "}),
    b"stbl": frozenset(
        {b"stsd", b"stts", b"stss", b"ctts", b"cslg", b"stsc", b"stsz", b"stco", b"co64", b"sdtp"}
        | {b"sgpd", b"sbgp"}
    ),
    b"stsd": VIDEO_ENTRIES | AUDIO_ENTRIES,
    **dict.fromkeys(
        VIDEO_ENTRIES,
        frozenset(
            {b"avcC", b"hvcC", b"av1C", b"vpcC", b"colr", b"pasp", b"btrt", b"fiel", b"mdcv", b"clli"}
            | {b"SmDm", b"CoLL", b"chrm"}
        ),
    ),
    **dict.fromkeys(AUDIO_ENTRIES, frozenset({b"esds", b"dOps", b"btrt"})),
    b"udta": frozenset({b"meta"}),
    b"meta": frozenset({b"hdlr", b"ilst", b"pitm", b"iloc", b"iinf", b"iprp", b"iref", b"idat"}),
    b"ilst": frozenset(),
    b"iinf": frozenset({b"infe"}),
    b"iprp": frozenset({b"ipco", b"ipma"}),
    b"ipco": frozenset(
        {b"hvcC", b"av1C", b"ispe", b"pixi", b"colr", b"auxC", b"irot", b"imir", b"pasp", b"clap"}
    ),
    b"iref": frozenset({b"dimg", b"auxl", b"cdsc"}),
}

HEADER_BYTES: dict[bytes, int] = {
    # bytes between a container's own header and its first child
    b"dref": 8,
    b"stsd": 8,
    b"meta": 4,
    b"iref": 4,
    **dict.fromkeys(VIDEO_ENTRIES, 78),
    **dict.fromkeys(AUDIO_ENTRIES, 28),
}

REPEATED = frozenset({(b"", b"mdat"), (b"", b"uuid"), (b"", b"ftyp"), (b"moov", b"trak"), (b"iinf", b"infe")})
"""Boxes that may be there more than once, by (container, box), or are counted elsewhere. A second one of any
other kind is read by nobody. In `REPEATING` containers every kind may be repeated."""
REPEATING = frozenset({b"ipco", b"iref", b"ilst", b"stsd"})
CHECKED = frozenset({*FIXED, b"tkhd", b"sgpd", b"sbgp", b"esds"})

CARRIERS: dict[bytes, str] = {
    b"udta": "box udta",
    b"meta": "box meta",
    b"keys": "box keys",
    b"uuid": "box uuid",
    b"XMP_": "box XMP",
    b"loci": "box loci",
    b"cprt": "box cprt",
    b"chpl": "chapters",
    b"tref": "track reference",
    b"prfl": "box prfl",
    b"jumb": "C2PA",
}

RECORDS: dict[bytes, int] = {
    # tables of `count` records after version, flags and count: bytes of a record
    b"stts": 8,
    b"ctts": 8,
    b"stss": 4,
    b"stsc": 12,
    b"stco": 4,
    b"co64": 8,
}
SIZES: dict[bytes, tuple[int, ...]] = {
    # boxes of fixed size, without their header
    b"vmhd": (12,),
    b"smhd": (8,),
    b"mvhd": (100, 112),
    b"tkhd": (84, 96),
    b"mdhd": (24, 36),
    b"btrt": (12,),
    b"pasp": (8,),
    b"fiel": (2,),
    b"cslg": (24, 44),
    b"mdcv": (24,),
    b"clli": (4,),
    b"SmDm": (28,),
    b"CoLL": (8,),
    b"chrm": (5,),
    b"url ": (4,),
    b"ispe": (12,),
    b"irot": (1,),
    b"clap": (32,),
    b"imir": (1,),
    b"vpcC": (12,),
    b"wide": (0,),
    b"dOps": (11,),
}
MOST_BYTES: dict[bytes, int] = {b"esds": 128, b"sgpd": 24, b"sbgp": 4096, b"ftyp": 64, b"pixi": 16}
"""Boxes of varying size that never need more."""


@dataclass(frozen=True)
class Box:
    """One box: its type, where its body lies, and the boxes in it."""

    kind: bytes
    start: int
    end: int
    children: tuple[Box, ...] = field(default=())

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return self.end - self.start

    def all(self, *path: bytes) -> list[Box]:
        """Every box at `path` below this one."""
        found = [self]
        for kind in path:
            found = [child for box in found for child in box.children if child.kind == kind]
        return found

    def one(self, *path: bytes) -> Box:
        """The only box at `path`.

        Raises:
            MalformedError: there is none, or more than one.
        """
        found = self.all(*path)
        if len(found) != 1:
            raise MalformedError(f"{len(found)} boxes {code_name(path[-1])}")
        return found[0]

    def body(self, source: Source) -> bytes:
        """The bytes of the body."""
        return source.take(self.start, self.size)

    def walk(self) -> Iterator[Box]:
        """This box and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class BoxWalker:
    """Reads the boxes of one file. A box off the list is reported and not entered."""

    def __init__(self, source: Source, found: Collector) -> None:
        self._source = source
        self._found = found
        self._left = MAX_BOXES

    def file(self) -> Box:
        """The whole file as one box without a type."""
        return Box(b"", 0, self._source.size, tuple(self._boxes(b"", 0, self._source.size, 0)))

    def _boxes(self, parent: bytes, at: int, end: int, depth: int) -> Iterator[Box]:
        if depth > MAX_DEPTH:
            raise MalformedError("box nesting")
        seen: set[bytes] = set()
        while at < end:
            if not parent and at and end - at < 8:
                self._found.trailing("after the last box")
                return
            kind, start, stop = self._header(parent, at, end)
            if stop is None:
                self._found.trailing("after the last box")
                return
            at = stop
            if kind in seen and parent not in REPEATING and (parent, kind) not in REPEATED:
                self._found.structure(f"second box {code_name(kind)}")
            if kind not in (b"free", b"skip"):
                seen.add(kind)
            yield from self._box(parent, kind, start, stop, depth)

    def _header(self, parent: bytes, at: int, end: int) -> tuple[bytes, int, int | None]:
        self._left -= 1
        if self._left < 0:
            raise MalformedError("too many boxes")
        head = self._source.take(at, 8)
        size, kind, start = int.from_bytes(head[:4], "big"), head[4:], at + 8
        if size == 1:
            size, start = int.from_bytes(self._source.take(at + 8, 8), "big"), at + 16
        elif size == 0:
            size = end - at
        if size < start - at or at + size > end:
            if not parent and at and kind not in CHILDREN[b""]:
                return kind, start, None  # bytes after the last box that are no box
            raise MalformedError("box size")
        return kind, start, at + size

    def _box(self, parent: bytes, kind: bytes, start: int, end: int, depth: int) -> Iterator[Box]:
        if kind in (b"free", b"skip"):
            if not self._source.is_zero(start, end - start):
                self._found.structure("box free with content")
            return
        if kind not in CHILDREN[parent]:
            if parent == b"ilst":
                yield Box(kind, start, end)  # which tags may be there depends on the policy
            elif kind in CARRIERS:
                self._found.metadata(CARRIERS[kind])
            elif kind[:1] == b"\xa9" or parent == b"udta":
                self._found.metadata(f"box {code_name(kind)}")
            else:
                self._found.structure(f"box {code_name(kind)}")
            return
        self._check_size(kind, start, end)
        self._check_fixed(kind, start, end)
        children: tuple[Box, ...] = ()
        if kind in CHILDREN:
            first = start + self._prefix(kind, start)
            if first > end:
                raise MalformedError("box size")
            children = tuple(self._boxes(kind, first, end, depth + 1))
        yield Box(kind, start, end, children)

    def _prefix(self, kind: bytes, start: int) -> int:
        if kind == b"iinf":  # version 0 counts in 16 bits, later ones in 32
            return 6 if self._source.take(start, 1) == b"\x00" else 8
        return HEADER_BYTES.get(kind, 0)

    def _check_fixed(self, kind: bytes, start: int, end: int) -> None:
        if kind in CHECKED:
            most = 4 if kind in RECORDS or kind in (b"stsz", b"sdtp") else 8192
            check_header(kind, self._source.take(start, min(end - start, most)), self._found)
        elif kind in VIDEO_ENTRIES or kind in AUDIO_ENTRIES:
            picture = kind in VIDEO_ENTRIES
            body = self._source.take(start, min(end - start, HEADER_BYTES[kind]))
            check_entry(body, picture=picture, found=self._found)

    def _check_size(self, kind: bytes, start: int, end: int) -> None:
        size = end - start
        good = True
        if kind in SIZES:
            good = size in SIZES[kind]
        elif kind in RECORDS:
            count = int.from_bytes(self._source.take(start + 4, 4), "big") if size >= 8 else -1
            good = size == 8 + count * RECORDS[kind]
        elif kind == b"elst":
            record = 20 if size >= 8 and self._source.take(start, 1) == b"\x01" else 12
            count = int.from_bytes(self._source.take(start + 4, 4), "big") if size >= 8 else -1
            good = size == 8 + count * record
        elif kind in MOST_BYTES:
            good = size <= MOST_BYTES[kind]
        if not good:
            self._found.structure(f"box {code_name(kind)} size")
