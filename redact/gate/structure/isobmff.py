"""Reads MP4 and MOV: one movie, one picture track, at most one sound track, every media byte accounted for.

Times, handler names, sample entries, sample tables and the coded units themselves are checked; what is left
over in `mdat` between samples is a finding too, since no player ever shows it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from redact.gate.structure.base import Collector, MalformedError, Source, code_name, uncovered
from redact.gate.structure.boxes import AUDIO_ENTRIES, VIDEO_ENTRIES, Box, BoxWalker
from redact.gate.structure.c2pa import BOX_HEAD, BOX_UUID, check_c2pa
from redact.gate.structure.codecs import Units, check_aac
from redact.gate.structure.heif import check_colour, read_items
from redact.gate.structure.rights import check_xmp

HANDLER_NAMES = frozenset({b"", b"VideoHandler", b"SoundHandler"})
BRANDS = frozenset(
    {
        b"isom",
        b"iso2",
        b"iso3",
        b"iso4",
        b"iso5",
        b"iso6",
        b"avc1",
        b"mp41",
        b"mp42",
        b"hvc1",
        b"av01",
        b"qt  ",
    }
    | {
        b"M4V ",
        b"mif1",
        b"mif2",
        b"miaf",
        b"heic",
        b"heix",
        b"avif",
        b"avis",
        b"msf1",
        b"MA1A",
        b"MA1B",
        b"MiHE",
    }
    | {b"MiHB", b"MiPr", b"MiHA", b"iso8"}
)
MOST_MINOR_VERSION = 0x200
COMPRESSOR_NAMES = frozenset({b"", b"AOM Coding"})
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""The one type of `uuid` box that may be there, in a film, once, and with nothing but rights in it."""
UNDETERMINED = (0x55C4, 0)
"""`und` packed, and QuickTime's zero."""
CONFIGS = {b"avc1": b"avcC", b"hvc1": b"hvcC", b"hev1": b"hvcC", b"av01": b"av1C", b"vp09": b"vpcC"}
MAX_SAMPLES = 20_000_000
MAX_MEDIA_BOXES = 64
AAC_HEAD = 64


def read_isobmff(source: Source, found: Collector) -> None:
    """Check a movie or picture file of boxes."""
    file = BoxWalker(source, found).file()
    if not file.children or file.children[0].kind != b"ftyp":
        raise MalformedError("no ftyp")
    if len(file.all(b"ftyp")) > 1:
        found.structure("second ftyp")
    _check_brands(file.children[0].body(source), found)
    used: list[tuple[int, int]] = []
    if file.all(b"meta"):
        used += read_items(source, file.one(b"meta"), found)
        if file.all(b"moov"):
            found.structure("movie beside a picture")
    if file.all(b"moov"):
        used += _read_movie(source, file.one(b"moov"), found)
    elif not file.all(b"meta"):
        raise MalformedError("no movie")
    seen: set[bytes] = set()
    for box in file.all(b"uuid"):
        kind = source.take(box.start, min(16, box.size))
        if kind == XMP_UUID and kind not in seen and not file.all(b"meta"):
            check_xmp(box.body(source)[16:], "XMP", found)
        elif kind == BOX_UUID and kind not in seen and box.body(source).startswith(BOX_HEAD):
            check_c2pa(box.body(source)[len(BOX_HEAD) :], found)
        else:
            found.metadata("box uuid")
        seen.add(kind)
    media = file.all(b"mdat") + file.all(b"meta", b"idat")
    if len(media) > MAX_MEDIA_BOXES:
        raise MalformedError("too many mdat")
    for box in media:
        gaps = uncovered(used, box.start, box.end)
        if any(not source.is_zero(start, stop - start) for start, stop in gaps):
            found.structure("bytes that no sample refers to")
    spans = sorted((box.start, box.end) for box in media)
    for start, stop in used:
        if not any(first <= start and stop <= end for first, end in spans):
            found.structure("sample outside mdat")
            break


def _check_brands(body: bytes, found: Collector) -> None:
    compatible = [body[at : at + 4] for at in range(8, len(body), 4)]
    plain = int.from_bytes(body[4:8], "big") <= MOST_MINOR_VERSION and len(set(compatible)) == len(compatible)
    if not plain or not {body[:4], *compatible} <= BRANDS:
        found.structure("box ftyp")


def _read_movie(source: Source, moov: Box, found: Collector) -> list[tuple[int, int]]:
    _check_times(source, moov.one(b"mvhd"), found)
    for udta in moov.all(b"udta"):
        _check_user_data(source, udta, found)
    used: list[tuple[int, int]] = []
    kinds: list[bytes] = []
    for trak in moov.all(b"trak"):
        _check_times(source, trak.one(b"tkhd"), found)
        media = trak.one(b"mdia")
        _check_times(source, media.one(b"mdhd"), found)
        header = media.one(b"mdhd").body(source)
        if len(header) >= 4 and int.from_bytes(header[-4:-2], "big") not in UNDETERMINED:
            found.metadata("track language")
        handler = _check_handler(source, media.one(b"hdlr"), found)
        kinds.append(handler)
        if handler not in (b"vide", b"soun"):
            found.stream(f"track {code_name(handler)}")
        for box in media.all(b"minf", b"hdlr"):
            _check_handler(source, box, found)
        for box in media.all(b"minf", b"dinf", b"dref", b"url "):
            if box.body(source)[:4] != b"\x00\x00\x00\x01":
                found.structure("media outside the file")
        used += _read_samples(source, media.one(b"minf", b"stbl"), handler, found)
    if kinds.count(b"vide") != 1:
        found.stream(f"{kinds.count(b'vide')} video tracks")
    if kinds.count(b"soun") > 1:
        found.stream(f"{kinds.count(b'soun')} audio tracks")
    return used


def _check_times(source: Source, box: Box, found: Collector) -> None:
    body = box.body(source)
    if any(body[4 : 20 if body[:1] == b"\x01" else 12]):
        found.metadata(f"times in {code_name(box.kind)}")


def _check_handler(source: Source, box: Box, found: Collector) -> bytes:
    """Report names that are not the muxer's constants; returns the handler type."""
    body = box.body(source)
    if len(body) < 20:
        raise MalformedError("hdlr")
    untrusted_name = body[24:].rstrip(b"\x00")
    component = body[4:8]
    if component in (b"mhlr", b"dhlr") and untrusted_name[:1] == bytes([max(len(untrusted_name) - 1, 0)]):
        untrusted_name = untrusted_name[1:]  # QuickTime's counted string
    elif component != b"\x00" * 4:
        found.structure("box hdlr")
    if untrusted_name not in HANDLER_NAMES:
        found.metadata("handler name")
    if any(body[12:24]) and body[12:24] != b"appl" + b"\x00" * 8:
        found.structure("box hdlr")
    return body[8:12]


def _check_user_data(source: Source, udta: Box, found: Collector) -> None:
    """FFmpeg writes an empty list of tags; nothing may be in it."""
    for meta in udta.all(b"meta"):
        for box in meta.all(b"hdlr"):
            if _check_handler(source, box, found) != b"mdir":
                found.metadata("box meta")
        for box in meta.children:
            if box.kind not in (b"hdlr", b"ilst"):
                found.metadata("box meta")
        for box in meta.all(b"ilst"):
            for tag in box.children:
                found.metadata(f"tag {code_name(tag.kind)}")


def _read_samples(source: Source, stbl: Box, handler: bytes, found: Collector) -> list[tuple[int, int]]:
    """Check every sample of a track; returns the ranges its chunks lie in."""
    entries = stbl.one(b"stsd").children
    if len(entries) != 1:
        found.stream(f"{len(entries)} sample entries")
        return [(start, stop) for start, stop, _ in _chunks(source, stbl)]
    entry = entries[0]
    if entry.kind not in (VIDEO_ENTRIES if handler == b"vide" else AUDIO_ENTRIES):
        found.stream(f"sample entry {code_name(entry.kind)}")
    units = None
    if entry.kind in CONFIGS:
        _check_video_entry(source, entry, found)
        units = Units(entry.kind, entry.one(CONFIGS[entry.kind]).body(source), found)
    used, frames = [], 0
    for start, stop, sizes in _chunks(source, stbl):
        used.append((start, stop))
        frames += len(sizes)
        at = start
        for size in sizes:
            if units is not None:
                units.sample(source, at, size)
            elif entry.kind == b"mp4a":
                check_aac(source.take(at, min(size, AAC_HEAD)), found)
            at += size
    if any(box.size != 4 + frames for box in stbl.all(b"sdtp")):
        found.structure("box sdtp size")
    if handler == b"vide":
        found.frames = max(found.frames, frames)
    return used


def _check_video_entry(source: Source, entry: Box, found: Collector) -> None:
    name = source.take(entry.start + 42, 32)
    if name[0] > 31 or name[1 : 1 + name[0]] not in COMPRESSOR_NAMES or any(name[1 + name[0] :]):
        found.metadata("compressor name")
    for box in entry.all(b"colr"):
        check_colour(box.body(source), found)


def _chunks(source: Source, stbl: Box) -> Iterator[tuple[int, int, list[int]]]:
    """(start, end, sample sizes) of every chunk: ISO/IEC 14496-12, 8.7."""
    table = stbl.one(b"stsz").body(source)
    if len(table) < 12:
        raise MalformedError("stsz")
    same, count = struct.unpack(">II", table[4:12])
    if count > MAX_SAMPLES or len(table) != 12 + (0 if same else 4 * count):
        raise MalformedError("stsz")
    wide = bool(stbl.all(b"co64"))
    places = stbl.one(b"co64" if wide else b"stco").body(source)
    width = 8 if wide else 4
    offsets = [int.from_bytes(places[at : at + width], "big") for at in range(8, len(places), width)]
    runs = list(struct.iter_unpack(">III", _records(stbl.one(b"stsc").body(source), 12)))
    run, taken = -1, 0
    for chunk, offset in enumerate(offsets, start=1):
        while run + 1 < len(runs) and runs[run + 1][0] <= chunk:
            run += 1
        if run < 0:
            raise MalformedError("stsc")
        here = runs[run][1]
        if here > count - taken:
            raise MalformedError("stsc")
        if same:
            sizes = [same] * here
        else:
            sizes = list(struct.unpack(f">{here}I", table[12 + 4 * taken : 12 + 4 * (taken + here)]))
        taken += here
        end = offset + sum(sizes)
        if end > source.size:
            raise MalformedError("sample beyond the end")
        yield offset, end, sizes
    if taken != count:
        raise MalformedError("stsz")


def _records(body: bytes, width: int) -> bytes:
    usable = (len(body) - 8) // width * width
    return body[8 : 8 + max(usable, 0)]
