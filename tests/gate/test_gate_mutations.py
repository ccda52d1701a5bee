"""Whatever is put into a clean file, at whatever level, is a finding: each format × each kind of structure.

Every case starts from a file that passes, adds one thing that carries bytes of somebody's choosing, and wants
a finding, with rights allowed too. A case that changes nothing would fail, since the clean file has none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from gate_media import (
    animated,
    box,
    gif_with,
    jpeg_with,
    movie,
    picture,
    png_chunk,
    png_with,
    read,
    saved,
    webp_with,
)

WORDS = b"Orinakyan sits at the laptop"
LEVELS: tuple[tuple[bytes, ...], ...] = (
    (),
    (b"moov",),
    (b"moov", b"trak"),
    (b"moov", b"trak", b"edts"),
    (b"moov", b"trak", b"mdia"),
    (b"moov", b"trak", b"mdia", b"minf"),
    (b"moov", b"trak", b"mdia", b"minf", b"dinf"),
    (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"),
    (b"moov", b"trak", b"mdia", b"minf", b"stbl"),
    (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"),
    (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"),
)
STRAYS = tuple(
    b"orIn uuid free skip udta meta keys ilst \xa9nam \xa9xyz loci covr XMP_ bxml tref chpl thmb pnot PICT "
    b"emsg pssh moof mfra sidx iods jumb wide name titl trak gmhd tmcd text elng kind cprt mp4v sinf dvcC "
    b"vmhd stts btrt hdlr colr".split()
)
HEADERS = {b"meta": 4, b"stsd": 8, b"dref": 8, b"avc1": 78}


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while start + 8 <= end:
        (size,) = struct.unpack_from(">I", data, start)
        yield data[start + 4 : start + 8], start, start + size
        start += size


def _insert(data: bytes, path: tuple[bytes, ...], extra: bytes) -> bytes:
    """`extra` at the end of the first box at `path`, which lies behind `mdat`."""
    patched, start, end = bytearray(data), 0, len(data)
    for kind in path:
        at, end = next((at, stop) for name, at, stop in _boxes(data, start, end) if name == kind)
        struct.pack_into(">I", patched, at, end - at + len(extra))
        if kind in (b"stsd", b"dref"):
            struct.pack_into(">I", patched, at + 12, 2)
        start = at + 8 + HEADERS.get(kind, 0)
    return bytes(patched[:end]) + extra + bytes(patched[end:])


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    data = movie(tmp_path_factory.mktemp("film") / "a.mp4", audio="aac", frames=3)
    assert read(data, rights=True).findings == ()
    return data


def _passes(data: bytes) -> bool:
    return read(data, rights=True).findings == ()


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: b"/".join(level).decode() or "file")
def test_no_box_can_be_added_at_any_level_of_a_film(level: tuple[bytes, ...], film: bytes) -> None:
    passed = [kind for kind in STRAYS if _passes(_insert(film, level, box(kind, WORDS)))]
    assert passed == []


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: b"/".join(level).decode() or "file")
def test_no_box_of_a_film_can_be_there_twice(level: tuple[bytes, ...], film: bytes) -> None:
    """A second box of an allowed kind is read by nobody, so it could say anything."""
    start, end = 0, len(film)
    for kind in level:
        at, end = next((at, stop) for name, at, stop in _boxes(film, start, end) if name == kind)
        start = at + 8 + HEADERS.get(kind, 0)
    for kind, at, stop in list(_boxes(film, start, end)):
        if kind not in (b"mdat", b"free"):
            assert not _passes(_insert(film, level, film[at:stop])), kind


RESERVED = {
    # box: offsets in its body that a player has no use for
    b"mvhd": (26, 28, 32, 76, 82, 88, 95),
    b"tkhd": (16, 28, 31),
    b"mdhd": (22,),
    b"hdlr": (4, 14, 20),
    b"vmhd": (6, 8, 10),
    b"smhd": (6,),
    b"avc1": (0, 5, 8, 12, 23, 36, 42, 60, 73),
    b"mp4a": (0, 5, 10, 12, 20, 22),
}


@pytest.mark.parametrize("kind", RESERVED, ids=lambda kind: kind.decode())
def test_no_reserved_byte_of_a_film_can_say_anything(kind: bytes, film: bytes) -> None:
    start = film.index(kind, film.index(b"moov")) + 4
    for offset in RESERVED[kind]:
        changed = bytearray(film)
        changed[start + offset] ^= 0x41
        assert not _passes(bytes(changed)), offset


def test_no_brand_can_be_a_name(film: bytes) -> None:
    for at, word in ((8, b"Orin"), (12, b"Orin"), (16, b"Orin"), (20, b"isom")):
        assert not _passes(film[:at] + word + film[at + 4 :]), at


def test_no_descriptor_of_sound_can_say_anything(film: bytes) -> None:
    at = film.index(b"esds")
    (size,) = struct.unpack_from(">I", film, at - 4)
    changed = film[: at - 4] + struct.pack(">I", size + len(WORDS)) + film[at : at - 4 + size] + WORDS
    tail = film[at - 4 + size :]
    for name in (b"mp4a", b"stsd", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        place = changed.rindex(name) - 4
        (old,) = struct.unpack_from(">I", changed, place)
        changed = changed[:place] + struct.pack(">I", old + len(WORDS)) + changed[place + 4 :]
    assert not _passes(changed + tail)


@pytest.mark.parametrize("marker", [*range(0xC0, 0xFF)], ids=lambda marker: f"{marker:02X}")
def test_no_segment_can_be_added_to_a_jpeg(marker: int) -> None:
    assert not _passes(jpeg_with(marker, WORDS))
    assert not _passes(jpeg_with(marker, b"JFIF\0" + WORDS))


def test_no_table_of_a_jpeg_can_be_there_for_nothing() -> None:
    clean = saved("JPEG")
    at = clean.index(b"\xff\xc0")
    words = (WORDS * 3)[:64]
    for extra in (
        b"\xff\xdb" + struct.pack(">H", 67) + b"\x03" + words,
        b"\xff\xdb" + struct.pack(">H", 67) + b"\x00" + words,
        b"\xff\xc4" + struct.pack(">H", 19 + 28) + b"\x03" + bytes([0] * 4 + [28] + [0] * 11) + WORDS,
        b"\xff\xdd\0\4\0\0" * 2,
        b"\xff\x01" * 9,
    ):
        assert not _passes(clean[:at] + extra + clean[at:]), extra[:2]


CHUNKS = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"tIME", b"sPLT", b"pCAL", b"sCAL", b"hIST", b"oFFs",
          b"sTER", b"dSIG", b"gIFg", b"gIFx", b"gIFt", b"fRAc", b"caBX", b"caNv", b"orNT", b"vpAg", b"prVt",
          b"ORIN", b"mkBF", b"idOT", b"CgBI", b"IDAT", b"fdAT", b"fcTL", b"acTL", b"PLTE", b"tRNS", b"gAMA",
          b"cHRM", b"sRGB", b"cICP", b"sBIT", b"bKGD", b"pHYs", b"mDCV", b"cLLI", b"IHDR")  # fmt: skip


@pytest.mark.parametrize("kind", CHUNKS, ids=lambda kind: kind.decode())
def test_no_chunk_can_be_added_to_a_png(kind: bytes) -> None:
    clean = saved("PNG")
    for at in (33, len(clean) - 12):
        assert not _passes(clean[:at] + png_chunk(kind, WORDS) + clean[at:])


def test_no_chunk_of_a_png_can_be_there_twice() -> None:
    for kind, size in ((b"gAMA", 4), (b"cHRM", 32), (b"pHYs", 9), (b"bKGD", 6)):
        once = png_with(kind, (WORDS * 2)[:size])
        twice = once[:-12] + png_chunk(kind, (WORDS * 2)[:size]) + once[-12:]
        assert not _passes(twice), kind


WEBP_CHUNKS = b"EXIF,XMP ,ICCP,ORIN,META,VP8 ,VP8L,VP8X,ALPH,ANIM,ANMF,FRGM,JUNK".split(b",")


@pytest.mark.parametrize("kind", WEBP_CHUNKS, ids=lambda kind: kind.decode())
def test_no_chunk_can_be_added_to_a_webp(kind: bytes) -> None:
    assert not _passes(webp_with(kind, WORDS))
    moving = animated("WEBP")
    at = moving.index(b"ANMF") + 4
    (size,) = struct.unpack_from("<I", moving, at)
    extra = kind + struct.pack("<I", len(WORDS)) + WORDS
    body = moving[:at] + struct.pack("<I", size + len(extra)) + moving[at + 4 : at + 4 + size] + extra
    whole = body + moving[at + 4 + size :]
    assert not _passes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])


@pytest.mark.parametrize("label", range(256))
def test_no_extension_can_be_added_to_a_gif(label: int) -> None:
    assert not _passes(gif_with(bytes([0x21, label, len(WORDS)]) + WORDS + b"\0"))


APPLICATIONS = b"NETSCAPE2.0,ANIMEXTS1.0,XMP DataXMP,ICCRGBG1012,ORINAKYAN00,MGK8BIM0000,C2PA_GIF000".split(
    b","
)


@pytest.mark.parametrize("application", APPLICATIONS)
def test_no_application_block_can_be_added_to_a_gif(application: bytes) -> None:
    assert not _passes(gif_with(b"!\xff\x0b" + application + bytes([len(WORDS)]) + WORDS + b"\0"))


def _tiff_with(tag: int, kind: int) -> bytes:
    """A TIFF whose directory, moved to the end, has one more tag that holds the words."""
    clean = saved("TIFF")
    (at,) = struct.unpack_from("<I", clean, 4)
    (count,) = struct.unpack_from("<H", clean, at)
    entries = [clean[at + 2 + 12 * n : at + 14 + 12 * n] for n in range(count)]
    words = WORDS + bytes(len(WORDS) % 2)
    where = len(clean)
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
    entries.append(struct.pack("<HHII", tag, kind, len(words) // sizes[kind], where))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    head = clean[:4] + struct.pack("<I", where + len(words)) + clean[8:at] + bytes(6 + 12 * count)
    head += clean[at + 6 + 12 * count :]
    return head + words + struct.pack("<H", count + 1) + b"".join(entries) + bytes(4)


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 7])
def test_no_tag_can_be_added_to_a_tiff(kind: int) -> None:
    tags = [*range(254, 352), *range(512, 534), 700, 32781, *range(33421, 33424), 33432, 33723, 34377, 34665,
            34675, 34853, 37500, 37724, 40965, 42112, 50341, 50706, 50781, 65000, 65535]  # fmt: skip
    assert [tag for tag in tags if _passes(_tiff_with(tag, kind))] == []


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_no_box_can_be_added_to_a_picture_of_boxes(kind: str) -> None:
    clean = saved(kind, **({"speed": 10} if kind == "AVIF" else {"quality": 80}))
    assert _passes(clean)
    for stray in (*STRAYS, b"idat", b"iprp", b"iref", b"iinf", b"iloc", b"pitm", b"grpl", b"dinf", b"ipro"):
        assert not _passes(clean + box(stray, WORDS)), stray
        assert not _passes(_into_meta(clean, box(stray, WORDS))), stray


def _into_meta(data: bytes, extra: bytes) -> bytes:
    """`extra` at the end of `meta`; places of items move with it."""
    at, end = next((at, stop) for name, at, stop in _boxes(data, 0, len(data)) if name == b"meta")
    patched = bytearray(data)
    struct.pack_into(">I", patched, at, end - at + len(extra))
    place = data.index(b"iloc")
    body = place + 4
    offsets, bases = data[body + 4] >> 4, data[body + 5] >> 4
    version = data[body]
    step = body + 6 + (4 if version == 2 else 2)
    items = int.from_bytes(data[body + 6 : step], "big")
    for _ in range(items):
        step += (4 if version == 2 else 2) + (2 if version else 0) + 2
        width = bases or offsets
        where = step if bases else step + bases + 2
        old = int.from_bytes(patched[where : where + width], "big")
        patched[where : where + width] = (old + len(extra)).to_bytes(width, "big")
        step += bases + 2 + offsets + (data[body + 4] & 15)
    return bytes(patched[:end]) + extra + bytes(patched[end:])


def test_the_helper_that_moves_items_keeps_a_picture_whole() -> None:
    for clean in (saved("HEIF", quality=80), saved("AVIF", speed=10)):
        assert _passes(_into_meta(clean, box(b"free", bytes(28))))


ELEMENTS = [
    "1941A469",
    "1043A770",
    "7BA9",
    "4461",
    "73A4",
    "7384",
    "536E",
    "258688",
    "22B59D",
    "41E4",
    "75A1",
    "EC",
    "BF",
    "53B9",
    "4DBC",
    "63A2",
    "3CB923",
    "80",
    "FB",
    "86",
    "A3",
    "45A3",
    "1254C367",
]


@pytest.mark.parametrize("element", ELEMENTS)
def test_no_element_can_be_added_to_a_webm(element: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    clean = _webm(tmp_path_factory)
    start = clean.index(b"\x18\x53\x80\x67")
    extra = bytes.fromhex(element) + bytes([0x80 | len(WORDS)]) + WORDS
    size = int.from_bytes(clean[start + 4 : start + 12], "big")
    grown = clean[: start + 4] + (size + len(extra)).to_bytes(8, "big") + clean[start + 12 :]
    assert not _passes(grown + extra)
    assert not _passes(clean + extra)


_FILMS: list[bytes] = []


def _webm(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    if not _FILMS:
        folder: Path = tmp_path_factory.mktemp("webm")
        _FILMS.append(movie(folder / "a.webm", "libvpx-vp9", container="webm", frames=2))
        assert _passes(_FILMS[0])
    return _FILMS[0]


def test_every_clean_file_passes() -> None:
    for data in (saved("JPEG"), saved("PNG"), saved("WEBP"), saved("GIF"), saved("TIFF"), animated("WEBP")):
        assert _passes(data)
    assert picture().size == (48, 32)
