"""The film readers: what our encoders write passes; boxes, tracks, units and bytes beside it are found."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from gate_media import CANARY, box, into_moov, kinds, movie, read

from redact.findings import FindingKind

METADATA, STRUCTURE = FindingKind.METADATA, FindingKind.STRUCTURE
TRAILING, STREAM = FindingKind.TRAILING_BYTES, FindingKind.STREAM
UNVERIFIABLE, UNDECODABLE = FindingKind.UNVERIFIABLE, FindingKind.UNDECODABLE


@pytest.fixture(scope="module")
def ffmpeg() -> str:
    """The system's ffmpeg, which plants streams that our own writer refuses to write."""
    found = shutil.which("ffmpeg")
    assert found, "the tests need ffmpeg, as the product does"
    return found


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return movie(tmp_path_factory.mktemp("film") / "a.mp4", audio="aac")


@pytest.mark.parametrize(
    ("codec", "container", "audio"),
    [
        ("libx264", "mp4", None),
        ("libx264", "mp4", "aac"),
        ("libx265", "mp4", None),
        ("libsvtav1", "mp4", None),
        ("libvpx-vp9", "webm", "libopus"),
        ("libsvtav1", "webm", None),
    ],
)
def test_a_clean_film_has_no_finding(tmp_path: Path, codec: str, container: str, audio: str | None) -> None:
    report = read(movie(tmp_path / "film", codec, container=container, audio=audio))
    assert (report.format, report.frames, report.findings) == (container, 6, ())


def _hidden_in_mdat(film: bytes) -> bytes:
    """Bytes at the end of mdat that no sample refers to; `moov` comes after it and keeps its offsets."""
    at = film.index(b"mdat") - 4
    (size,) = struct.unpack(">I", film[at : at + 4])
    return (
        film[:at]
        + struct.pack(">I", size + len(CANARY))
        + film[at + 4 : at + size]
        + CANARY
        + film[at + size :]
    )


def _creation_time(film: bytes) -> bytes:
    at = film.index(b"mvhd") + 8
    return film[:at] + struct.pack(">I", 3_800_000_000) + film[at + 4 :]


DIRTY: dict[str, tuple[FindingKind, Callable[[bytes], bytes]]] = {
    "free with content": (STRUCTURE, lambda film: into_moov(film, box(b"free", CANARY))),
    "uuid": (METADATA, lambda film: film + box(b"uuid", CANARY)),
    "user data name": (METADATA, lambda film: into_moov(film, box(b"udta", box(b"\xa9nam", CANARY)))),
    "place": (METADATA, lambda film: into_moov(film, box(b"udta", box(b"\xa9xyz", CANARY)))),
    "unknown box": (STRUCTURE, lambda film: into_moov(film, box(b"orin", CANARY))),
    "handler name": (METADATA, lambda film: film.replace(b"VideoHandler", b"Orinakyan  v")),
    "creation time": (METADATA, _creation_time),
    "hidden in mdat": (STRUCTURE, _hidden_in_mdat),
    "fragments": (STRUCTURE, lambda film: film + box(b"moof", b"")),
    "trailing": (TRAILING, lambda film: film + b"abc"),
    "trailing text": (TRAILING, lambda film: film + CANARY * 3),
    "cut": (UNDECODABLE, lambda film: film[:-30]),
}


@pytest.mark.parametrize("name", DIRTY)
def test_a_planted_thing_is_found_as_its_kind(name: str, film: bytes) -> None:
    kind, plant = DIRTY[name]
    report = read(plant(film))
    assert kind in {finding.kind for finding in report.findings}
    assert not any("rinak" in finding.detail.lower() for finding in report.findings)


def test_h264_sei_is_found(tmp_path: Path) -> None:
    findings = read(movie(tmp_path / "a.mp4", sei=True)).findings
    assert [(finding.kind, finding.detail) for finding in findings] == [(STREAM, "SEI")]


def test_muxer_names_and_tags_are_found(tmp_path: Path) -> None:
    assert METADATA in kinds(movie(tmp_path / "a.mp4", bitexact=False))
    assert METADATA in kinds(movie(tmp_path / "b.mp4", tags={"title": CANARY.decode()}))


@pytest.mark.parametrize("tag", ["artist", "copyright", "title"])
def test_no_tag_passes_even_if_rights_are_kept(tag: str, tmp_path: Path) -> None:
    """Rights of films are written as XMP alone."""
    data = movie(tmp_path / "a.mp4", tags={tag: "Agency"})
    assert kinds(data) == kinds(data, rights=True) == {METADATA}


def test_webm_tags_and_titles_are_found(tmp_path: Path) -> None:
    assert METADATA in kinds(
        movie(tmp_path / "a.webm", "libvpx-vp9", container="webm", tags={"title": CANARY.decode()})
    )
    assert METADATA in kinds(
        movie(tmp_path / "b.webm", "libvpx-vp9", container="webm", tags={"comment": CANARY.decode()})
    )


def test_bytes_after_a_webm_segment_are_found(tmp_path: Path) -> None:
    clean = movie(tmp_path / "a.webm", "libvpx-vp9", container="webm")
    assert kinds(clean + CANARY) == {TRAILING}


def _ffmpeg(ffmpeg: str, *arguments: str | Path) -> None:
    command = [ffmpeg, "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60)


@pytest.fixture
def subtitles(tmp_path: Path) -> Path:
    path = tmp_path / "s.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:00,200\nAnahit Orinakyan\n")
    return path


@pytest.fixture
def chapters(tmp_path: Path) -> Path:
    path = tmp_path / "c.txt"
    path.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle=Anahit Orinakyan\n")
    return path


PLANTED = {
    "subtitle": (STREAM, ("-i", "{film}", "-i", "{subtitles}", "-map", "0", "-map", "1", "-c:s", "mov_text")),
    "chapter": (STREAM, ("-i", "{film}", "-i", "{chapters}", "-map_metadata", "1", "-map", "0:v")),
    "timecode": (STREAM, ("-i", "{film}", "-map", "0:v", "-timecode", "10:20:30:00")),
    "second video": (STREAM, ("-i", "{film}", "-map", "0:v", "-map", "0:v")),
    "second audio": (STREAM, ("-i", "{film}", "-map", "0:v", "-map", "0:a", "-map", "0:a")),
    "no video": (STREAM, ("-i", "{film}", "-map", "0:a")),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_stream_is_found(
    name: str, film: bytes, tmp_path: Path, ffmpeg: str, subtitles: Path, chapters: Path
) -> None:
    kind, template = PLANTED[name]
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    source.write_bytes(film)
    places = {"film": source, "subtitles": subtitles, "chapters": chapters}
    arguments = [part.format(**places) for part in template]
    _ffmpeg(ffmpeg, *arguments, "-c:v", "copy", "-c:a", "copy", "-fflags", "+bitexact", target)
    assert kind in kinds(target.read_bytes())


def test_subtitles_attachments_and_chapters_of_matroska_are_found(
    film: bytes, tmp_path: Path, ffmpeg: str, subtitles: Path, chapters: Path
) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mkv"
    source.write_bytes(film)
    _ffmpeg(ffmpeg, "-i", source, "-i", subtitles, "-i", chapters, "-map", "0", "-map", "1",
            "-map_metadata", "2", "-attach", chapters, "-metadata:s:t", "mimetype=text/plain",
            "-c:v", "copy", "-c:a", "copy", target)  # fmt: skip
    findings = read(target.read_bytes()).findings
    assert {finding.kind for finding in findings} >= {METADATA, STREAM, UNVERIFIABLE}
    assert {"Attachments", "Chapters", "Tags"} <= {finding.detail for finding in findings}


def test_avi_is_never_verified(film: bytes, tmp_path: Path, ffmpeg: str) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.avi"
    source.write_bytes(film)
    _ffmpeg(ffmpeg, "-i", source, "-map", "0:v", "-c:v", "copy", target)
    assert kinds(target.read_bytes()) == {UNVERIFIABLE}


def test_words_in_the_fill_elements_of_sound_are_found(film: bytes) -> None:
    at = film.index(b"Lavc") + 4
    for words in (b"Orinakyan", b"62.28 Orin"):
        changed = film[:at] + words + film[at + len(words) :]
        assert kinds(changed) == {STREAM}, words


def test_hevc_and_av1_units_that_are_no_picture_are_found() -> None:
    from redact.gate.structure.base import Collector
    from redact.gate.structure.codecs import Units, check_obu_stream

    found = Collector()
    hevc = Units(b"hvc1", bytes([1]) + bytes(20) + bytes([3, 0]), found)
    assert found.findings == ()
    hevc.unit(bytes([39 << 1, 1]))
    check_obu_stream(bytes([5 << 3 | 2, len(CANARY)]) + CANARY, found)
    assert [finding.detail for finding in found.findings] == ["SEI", "OBU metadata"]
