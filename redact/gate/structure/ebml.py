"""Reads WebM and Matroska (RFC 8794, RFC 9559) element by element against an allow-list.

Only what is needed to play one picture track and one sound track may be there. FFmpeg's muxer writes a
`DURATION` tag for each track and its own name as application; those constants are known, other tags are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from redact.gate.structure.base import Collector, MalformedError, Source
from redact.gate.structure.codecs import check_obu_stream

MASTER, DATA = True, False

SEGMENT, TAGS, TAG, SIMPLE_TAG, TRACK_ENTRY = 0x18538067, 0x1254C367, 0x7373, 0x67C8, 0xAE
TAG_NAME, TAG_STRING, TAG_TARGETS, TAG_LANGUAGE, TAG_DEFAULT = 0x45A3, 0x4487, 0x63C0, 0x447A, 0x4484
TRACK_TYPE, TRACK_NUMBER, CODEC_ID, CODEC_PRIVATE, LANGUAGE = 0x83, 0xD7, 0x86, 0x63A2, 0x22B59C
MUXING_APP, WRITING_APP, DOC_TYPE, SIMPLE_BLOCK, BLOCK = 0x4D80, 0x5741, 0x4282, 0xA3, 0xA1
CLUSTER, VOID, CRC32 = 0x1F43B675, 0xEC, 0xBF

ALLOWED: dict[int, tuple[str, bool, int]] = {
    # id: name, whether it holds elements, id of the element it belongs in (0: the file)
    0x1A45DFA3: ("EBML", MASTER, 0),
    **dict.fromkeys(
        (0x4286, 0x42F7, 0x42F2, 0x42F3, DOC_TYPE, 0x4287, 0x4285), ("EBML header", DATA, 0x1A45DFA3)
    ),
    SEGMENT: ("Segment", MASTER, 0),
    0x114D9B74: ("SeekHead", MASTER, SEGMENT),
    0x4DBB: ("Seek", MASTER, 0x114D9B74),
    **dict.fromkeys((0x53AB, 0x53AC), ("Seek entry", DATA, 0x4DBB)),
    0x1549A966: ("Info", MASTER, SEGMENT),
    **dict.fromkeys((0x2AD7B1, 0x4489, MUXING_APP, WRITING_APP), ("Info entry", DATA, 0x1549A966)),
    0x1654AE6B: ("Tracks", MASTER, SEGMENT),
    TRACK_ENTRY: ("TrackEntry", MASTER, 0x1654AE6B),
    **dict.fromkeys(
        # number, uid, lacing, language, codec, private, type, default duration, delay, preroll, flags
        (
            *(TRACK_NUMBER, 0x73C5, 0x9C, LANGUAGE, CODEC_ID, CODEC_PRIVATE, TRACK_TYPE, 0x23E383, 0x56AA),
            *(0x56BB, 0x88, 0xB9, 0x55AA, 0x55EE, 0x6DE7, 0x6DF8),
        ),
        ("TrackEntry entry", DATA, TRACK_ENTRY),
    ),
    0xE0: ("Video", MASTER, TRACK_ENTRY),
    **dict.fromkeys(
        (0xB0, 0xBA, 0x54B0, 0x54BA, 0x54B2, 0x9A, 0x9D, 0x54AA, 0x54BB, 0x54CC, 0x54DD, 0x53B8),
        ("Video entry", DATA, 0xE0),
    ),
    0x55B0: ("Colour", MASTER, 0xE0),
    **dict.fromkeys(range(0x55B1, 0x55BE), ("Colour entry", DATA, 0x55B0)),
    0x55D0: ("MasteringMetadata", MASTER, 0x55B0),
    **dict.fromkeys(range(0x55D1, 0x55DB), ("Mastering entry", DATA, 0x55D0)),
    0xE1: ("Audio", MASTER, TRACK_ENTRY),
    **dict.fromkeys((0xB5, 0x78B5, 0x9F, 0x6264), ("Audio entry", DATA, 0xE1)),
    CLUSTER: ("Cluster", MASTER, SEGMENT),
    **dict.fromkeys((0xE7, 0xA7, 0xAB, SIMPLE_BLOCK), ("Cluster entry", DATA, CLUSTER)),
    0xA0: ("BlockGroup", MASTER, CLUSTER),
    **dict.fromkeys((BLOCK, 0x9B, 0xFB, 0x75A2), ("BlockGroup entry", DATA, 0xA0)),
    0x1C53BB6B: ("Cues", MASTER, SEGMENT),
    0xBB: ("CuePoint", MASTER, 0x1C53BB6B),
    0xB3: ("CueTime", DATA, 0xBB),
    0xB7: ("CueTrackPositions", MASTER, 0xBB),
    **dict.fromkeys((0xF7, 0xF1, 0xF0, 0xB2, 0x5378), ("Cue entry", DATA, 0xB7)),
    TAGS: ("Tags", MASTER, SEGMENT),
    TAG: ("Tag", MASTER, TAGS),
    TAG_TARGETS: ("Targets", MASTER, TAG),
    **dict.fromkeys((0x63C5, 0x68CA), ("Target entry", DATA, TAG_TARGETS)),
    SIMPLE_TAG: ("SimpleTag", MASTER, TAG),
    **dict.fromkeys((TAG_NAME, TAG_STRING, TAG_LANGUAGE, TAG_DEFAULT), ("SimpleTag entry", DATA, SIMPLE_TAG)),
}
CARRIERS = {
    0x1941A469: "Attachments",
    0x1043A770: "Chapters",
    0x7BA9: "Title",
    0x4461: "DateUTC",
    0x73A4: "SegmentUUID",
    0x7384: "SegmentFilename",
    0x3CB923: "PrevUUID",
    0x3EB923: "NextUUID",
    0x536E: "track name",
    0x258688: "codec name",
    0x75A1: "BlockAdditions",
    0x41E4: "BlockAdditionMapping",
    0x22B59D: "LanguageBCP47",
}
EBML_CODECS = {
    # codec: most bytes of its private data
    b"V_VP8": 0,
    b"V_VP9": 64,
    b"V_AV1": 256,
    b"A_OPUS": 64,
}
VIDEO, AUDIO = 1, 2
MOST_DATA = 64
"""Bytes of any element but blocks and codec data."""
DURATION_TAG = re.compile(rb"[0-9]{2,}:[0-9]{2}:[0-9]{2}\.[0-9]{9}\x00{0,2}\Z")
LIBAVFORMAT = re.compile(rb"Lavf[0-9.]{0,12}\Z")
UNKNOWN_SIZE = -1
MAX_DEPTH = 8
MAX_TRACKS = 64


@dataclass
class _Track:
    kind: int = 0
    number: int = 0
    codec: bytes = b""


class _Walker:
    def __init__(self, source: Source, found: Collector) -> None:
        self.source = source
        self.found = found
        self.doc_type = b""
        self.tracks: list[_Track] = []
        self.blocks: dict[int, int] = {}

    def header(self, at: int, end: int) -> tuple[int, int, int]:
        """(id, start of the body, its length or UNKNOWN_SIZE) of the element at `at`."""
        head = self.source.take(at, min(12, end - at))
        id_length = 9 - head[0].bit_length() if head[0] else 9
        if id_length > 4 or len(head) <= id_length:
            raise MalformedError("element id")
        mark = head[id_length]
        size_length = 9 - mark.bit_length() if mark else 9
        if size_length > 8 or len(head) < id_length + size_length:
            raise MalformedError("element size")
        raw = int.from_bytes(head[id_length : id_length + size_length], "big")
        size = raw & ((1 << 7 * size_length) - 1)
        if size == (1 << 7 * size_length) - 1:
            size = UNKNOWN_SIZE
        start = at + id_length + size_length
        if size != UNKNOWN_SIZE and start + size > end:
            raise MalformedError("element beyond the end")
        return int.from_bytes(head[:id_length], "big"), start, size

    def elements(self, parent: int, at: int, end: int, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise MalformedError("element nesting")
        while at < end:
            kind, start, size = self.header(at, end)
            if size == UNKNOWN_SIZE:
                raise MalformedError("element of unknown size")
            at = start + size
            if kind == VOID:
                if not self.source.is_zero(start, size):
                    self.found.structure("Void with content")
            elif kind == CRC32 and size == 4:
                continue
            elif kind not in ALLOWED or ALLOWED[kind][2] != parent:
                self.other(kind)
            elif ALLOWED[kind][1] is MASTER:
                if kind == TRACK_ENTRY:
                    if len(self.tracks) >= MAX_TRACKS:
                        raise MalformedError("too many tracks")
                    self.tracks.append(_Track())
                self.elements(kind, start, at, depth + 1)
            else:
                self.data(parent, kind, start, size)

    def other(self, kind: int) -> None:
        if kind in CARRIERS:
            self.found.metadata(CARRIERS[kind])
        else:
            self.found.structure(f"element {kind:X}")

    def data(self, parent: int, kind: int, start: int, size: int) -> None:
        if kind in (SIMPLE_BLOCK, BLOCK):
            self.block(start, size)
            return
        if kind == CODEC_PRIVATE:
            self.private(start, size)
            return
        if size > MOST_DATA:
            self.found.structure(f"{ALLOWED[kind][0]} size")
            return
        body = self.source.take(start, size)
        if kind in (MUXING_APP, WRITING_APP):
            if not LIBAVFORMAT.match(body):
                self.found.metadata("application name")
        elif kind == LANGUAGE:
            if body.rstrip(b"\x00") != b"und":
                self.found.metadata("track language")
        elif parent == SIMPLE_TAG:
            self.tag(kind, body)
        elif kind == DOC_TYPE:
            self.doc_type = body
        elif kind == TRACK_TYPE:
            self.tracks[-1].kind = int.from_bytes(body, "big")
        elif kind == TRACK_NUMBER:
            self.tracks[-1].number = int.from_bytes(body, "big")
        elif kind == CODEC_ID:
            self.tracks[-1].codec = body.rstrip(b"\x00")

    def tag(self, kind: int, body: bytes) -> None:
        good = {
            TAG_NAME: body.rstrip(b"\x00") == b"DURATION",
            TAG_STRING: bool(DURATION_TAG.match(body)),
            TAG_LANGUAGE: body.rstrip(b"\x00") == b"und",
            TAG_DEFAULT: len(body) <= 1,
        }
        if not good[kind]:
            self.found.metadata("Tags")

    def private(self, start: int, size: int) -> None:
        codec = self.tracks[-1].codec
        most = EBML_CODECS.get(codec, MOST_DATA)
        if size > most:
            self.found.structure("CodecPrivate size")
            return
        body = self.source.take(start, size)
        if codec == b"V_AV1":
            check_obu_stream(body[4:], self.found)
        elif codec == b"A_OPUS" and (body[:8] != b"OpusHead" or len(body) < 19):
            self.found.structure("CodecPrivate")

    def block(self, start: int, size: int) -> None:
        head = self.source.take(start, min(size, 12))
        if not head or not head[0]:
            raise MalformedError("block")
        width = 9 - head[0].bit_length()
        number = int.from_bytes(head[:width], "big") & ((1 << 7 * width) - 1)
        self.blocks[number] = self.blocks.get(number, 0) + 1
        track = next((track for track in self.tracks if track.number == number), None)
        if track is None:
            self.found.stream("block of no track")
        elif track.codec == b"V_AV1":
            at = start + width + 3
            check_obu_stream(self.source.take(at, start + size - at), self.found)


def read_ebml(source: Source, found: Collector) -> None:
    """Walk the elements of the file."""
    walker = _Walker(source, found)
    at, segments = 0, 0
    while at < source.size:
        if segments and source.take(at, min(4, source.size - at)) != b"\x18\x53\x80\x67":
            found.trailing("after the segment")
            break
        kind, start, size = walker.header(at, source.size)
        if size == UNKNOWN_SIZE:
            raise MalformedError("element of unknown size")
        if kind == SEGMENT:
            segments += 1
        elif kind == VOID and source.is_zero(start, size):
            at = start + size
            continue
        if kind not in ALLOWED or ALLOWED[kind][2] != 0:
            walker.other(kind)
        else:
            walker.elements(kind, start, start + size, 1)
        at = start + size
    if segments != 1:
        found.structure(f"{segments} segments")
    _check_tracks(walker, found)


def _check_tracks(walker: _Walker, found: Collector) -> None:
    kinds = [track.kind for track in walker.tracks]
    for track in walker.tracks:
        if track.kind not in (VIDEO, AUDIO):
            found.stream(f"track type {track.kind}")
        elif track.codec not in EBML_CODECS and walker.doc_type == b"webm":
            found.stream("codec")
        if track.kind == VIDEO:
            found.frames = max(found.frames, walker.blocks.get(track.number, 0))
    if kinds.count(VIDEO) != 1:
        found.stream(f"{kinds.count(VIDEO)} video tracks")
    if kinds.count(AUDIO) > 1:
        found.stream(f"{kinds.count(AUDIO)} audio tracks")


def is_webm(source: Source) -> bool:
    """Whether the header says WebM rather than Matroska, whose other codecs this reader does not know."""
    return b"\x42\x82\x84webm" in source.take(0, min(64, source.size))
