"""The promise, on the samples: what is published is clean by another reader's word, and nothing leaks.

What is there for what it shows goes through `strict` as it stands; what is there for the form of its file,
without the search for text. `make demo` runs all of them under `strict`, and counts.
"""

import json
import re
import subprocess
import zlib
from pathlib import Path
from typing import Any

import av
import cv2
import pytest
from in_process import workers_here

from redact.batch.events import ItemDone
from redact.batch.run import RunOptions, run
from redact.batch.store import Store
from redact.batch.walk import Entry
from redact.policy import load_policy

STRUCTURE_GROUPS = {"ExifTool", "System", "File", "Composite", "SourceFile"}
TECHNICAL = re.compile(
    r"^(PNG:(ImageWidth|ImageHeight|BitDepth|ColorType|Compression|Filter|Interlace|SRGBRendering|AnimationFrames"
    r"|AnimationPlays)|JFIF:.*|Adobe:.*|GIF:.*|RIFF:.*|QuickTime:.*|Meta:.*|Track1:.*|Av1.*:.*"
    r"|IFD0:(ImageWidth|ImageHeight|BitsPerSample|Compression|PhotometricInterpretation|StripOffsets|SamplesPerPixel"
    r"|RowsPerStrip|StripByteCounts|PlanarConfiguration|SampleFormat|Predictor|XResolution|YResolution"
    r"|ResolutionUnit|Orientation|SubfileType))$"
)  # fmt: skip
HANDLERS = ("VideoHandler", "SoundHandler")
NEVER = re.compile(
    r"gps|location|serial|owner|artist|creator|person|region|comment|description|title|thumbnail", re.I
)


FOR_THEIR_FORM = {
    "moving.gif",
    "rotated.mp4",
    "subtitled.mp4",
    "vfr.mp4",
    "phone.heic",
    "web.webp",
    "chunks.png",
    "scan.tif",
}
Finished = tuple[list[ItemDone], Path, dict[str, str]]


@pytest.fixture(scope="module")
def finished(samples_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The samples run once: (what became of each, output folder, item id by input name)."""
    folder = tmp_path_factory.mktemp("samples")
    out, private = folder / "out", folder / "private"

    def part(of_form: bool, *settings: str) -> list[ItemDone]:
        def taken(entry: Entry) -> bool:
            return (entry.relative.name in FOR_THEIR_FORM) is of_form

        options = RunOptions(private_folder=private, only=taken)
        return run(samples_dir, out, load_policy("strict", settings), options).items

    with workers_here():
        items = part(False) + part(True, "faces=fast", "text=off", "gate.text=false")
    with Store(out, private) as store:
        names = {relative: item for item, relative in store.private.items()}
    return items, out, names


def _file(out: Path, item: str) -> Path:
    (found,) = [path for room in ("published", "review") for path in (out / room).glob(f"{item}.*")]
    return found


def test_every_sample_ends_as_it_should(finished: Finished, expected: dict[str, dict[str, Any]]) -> None:
    items, _, names = finished
    status = {done.item: done.status for done in items}
    assert {name: status[names[name]] for name in expected} == {
        name: item["status"] for name, item in expected.items()
    }


def test_another_reader_finds_no_field_outside_the_technical_set(
    finished: Finished,
) -> None:
    _, out, _ = finished
    done = subprocess.run(
        ["exiftool", "-j", "-a", "-G1", "-ee", "-s", "-r", str(out / "published")],
        capture_output=True,
        check=True,
    )
    files = json.loads(done.stdout)
    assert len(files) == len(list((out / "published").iterdir()))
    for file in files:
        for key, value in file.items():
            group, _, tag = key.partition(":")
            if group in STRUCTURE_GROUPS:
                continue
            assert TECHNICAL.match(key), f"{key} in a published {file['File:FileType']}"
            assert not NEVER.search(tag) or value in HANDLERS, key


def test_no_planted_string_occurs_anywhere_under_the_output_folder(
    finished: Finished, expected: dict[str, dict[str, Any]]
) -> None:
    _, out, _ = finished
    planted = {text for item in expected.values() for text in item.get("planted", [])} | {
        "rinakyan",
        "рինակ",
        "Գևորգ",
    }
    for path in out.rglob("*"):
        assert not any(text in str(path.relative_to(out)) for text in planted)
        if not path.is_file():
            continue
        data = path.read_bytes()
        views = [data, data.replace(b"\0", b"")]
        for start in [found.start() for found in re.finditer(rb"\x78[\x01\x9c\xda]", data)][:200]:
            try:
                views.append(zlib.decompressobj().decompress(data[start:], 1 << 20))
            except zlib.error:
                continue
        for text in planted:
            for encoded in (text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be")):
                assert not any(encoded in view for view in views), path.suffix


def test_published_clips_keep_every_frame_and_time(finished: Finished, samples_dir: Path) -> None:
    _, out, names = finished

    def times(path: Path) -> list[Any]:
        with av.open(str(path)) as container:
            return [frame.pts * frame.time_base for frame in container.decode(video=0)]

    for name in ("entering.mp4", "vfr.mp4", "rotated.mp4", "subtitled.mp4"):
        assert times(_file(out, names[name])) == times(samples_dir / name), name


def test_the_planted_thumbnail_is_gone_and_one_picture_is_left(
    finished: Finished,
) -> None:
    _, out, names = finished
    data = _file(out, names["metadata.jpg"]).read_bytes()
    assert data.count(b"\xff\xd8\xff") == 1
    assert data.endswith(b"\xff\xd9")


def test_known_faces_are_covered_by_flat_colour(
    finished: Finished,
) -> None:
    """Where the person's face was put by the script that made the samples."""
    _, out, names = finished
    faces = {
        "metadata.jpg": [(540, 200, 90, 110)],
        "web.webp": [(305, 95, 60, 60)],
        "group.jpg": [(190, 395, 60, 70), (735, 370, 70, 70), (535, 205, 14, 16)],
        "hard.jpg": [(745, 500, 40, 50), (230, 430, 80, 80), (1105, 625, 115, 125)],
    }
    for name, boxes in faces.items():
        image = cv2.imread(str(_file(out, names[name])))
        for x, y, w, h in boxes:
            assert image[y : y + h, x : x + w].max() <= 10, (name, x, y)


def test_the_contact_sheet_shows_published_pictures_only_and_loads_nothing(
    finished: Finished,
) -> None:
    items, out, _ = finished
    page = (out / "report" / "index.html").read_text()
    assert page.count("<img ") == sum(done.status == "published" for done in items)
    assert "http" not in page.replace("http-equiv", "")
    for done in items:
        assert done.item in page
