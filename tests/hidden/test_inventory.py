"""`redact inspect` names whatever a file carries, says what becomes of it, and tells no value unasked."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path

import pytest
from hidden_films import films, hidden_film
from hidden_photos import Sample, encoded, photos
from hidden_search import TOKEN, canary
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import command, workers_here

from redact.errors import ExitCode, InputError, UnsupportedInputError
from redact.metadata.inventory import Fate, Inventory, Stock, What
from redact.metadata.stock_photo import take_photo
from redact.metadata.stocktaking import take_stock
from redact.policy import load_policy

STRICT, DESK = load_policy("strict"), load_policy("desk")
EXPECTED = {
    # what an editor must be told of each sample, at least
    "exif.jpg": {What.CAMERA, What.DATE, What.PEOPLE, What.WORDS},
    "gps.jpg": {What.PLACE},
    "maker-note.jpg": {What.CAMERA},
    "exif-thumbnail.jpg": {What.THUMBNAIL},
    "jfxx-thumbnail.jpg": {What.THUMBNAIL},
    "photoshop-thumbnail.jpg": {What.THUMBNAIL, What.UNKNOWN},
    "xmp-thumbnail.jpg": {What.THUMBNAIL, What.WORDS},
    "iptc.jpg": {What.RIGHTS, What.WORDS, What.PLACE, What.PEOPLE},
    "xmp.jpg": {What.RIGHTS, What.WORDS, What.HISTORY},
    "extended-xmp.jpg": {What.WORDS},
    "regions.jpg": {What.PEOPLE},
    "person.jpg": {What.PEOPLE},
    "icc.jpg": {What.COLOUR},
    "comment.jpg": {What.WORDS},
    "app9.jpg": {What.UNKNOWN},
    "c2pa.jpg": {What.HISTORY},
    "mpo.jpg": {What.SECOND_PICTURE},
    "gain-map.jpg": {What.SECOND_PICTURE, What.TRAILING},
    "depth-map.jpg": {What.THUMBNAIL},
    "trailing.jpg": {What.TRAILING, What.SECOND_PICTURE},
    "motion.jpg": {What.FILM, What.TRAILING},
    "packed-text.png": {What.WORDS},
    "exif.png": {What.THUMBNAIL},
    "private.png": {What.UNKNOWN},
    "hidden-picture.png": {What.SECOND_PICTURE},
    "everything.webp": {What.THUMBNAIL, What.COLOUR, What.WORDS},
    "tags.tif": {What.CAMERA, What.RIGHTS, What.WORDS, What.UNKNOWN},
    "reduced-page.tif": {What.SECOND_PICTURE},
    "sub-directory.tif": {What.SECOND_PICTURE},
    "blocks.gif": {What.WORDS, What.COLOUR, What.UNKNOWN},
    "around.bmp": {What.TRAILING, What.UNKNOWN},
    "exif.heic": {What.THUMBNAIL, What.WORDS},
    "thumbnail.heic": {What.THUMBNAIL},
    "second.avif": {What.SECOND_PICTURE},
    "depth.heic": {What.SECOND_PICTURE},
    "gain.avif": {What.SECOND_PICTURE},
    "items.heic": {What.UNKNOWN, What.SECOND_PICTURE},
    "tracks.heic": {What.FILM},
    "icc.heic": {What.COLOUR},
    "icc.avif": {What.COLOUR},
    "tags.mp4": {What.WORDS, What.RIGHTS},
    "keys.mov": {What.PLACE, What.CAMERA, What.HISTORY},
    "place.mp4": {What.PLACE},
    "times.mp4": {What.DATE},
    "handler.mp4": {What.CAMERA, What.WORDS},
    "uuid.mp4": {What.UNKNOWN, What.WORDS},
    "trailing.mp4": {What.UNKNOWN},
    "cover.mp4": {What.THUMBNAIL, What.WORDS},
    "second-track.mp4": {What.SECOND_PICTURE},
    "telemetry.mp4": {What.STREAM},
    "captions-608.mp4": {What.CAPTIONS},
    "captions-708.mp4": {What.CAPTIONS},
    "sei.mp4": {What.UNKNOWN},
    "chunks.avi": {What.WORDS, What.DATE, What.TRAILING},
    "subtitles.mp4": {What.CAPTIONS, What.CHAPTERS, What.DATE},
    "everything.mkv": {What.ATTACHMENT, What.CHAPTERS, What.CAPTIONS, What.WORDS, What.DATE},
}
NOT_TOLD = {"edit-list.mp4", "compressor.mp4", "mdat.mp4", "aac-data.mp4", "aac-fill.mp4",
            "ac3-auxiliary.mp4", "scan-lines.jpg", "after-pixels.png"}  # fmt: skip
"""Hidden inside the coded streams and tables: removed all the same, but not listed one by one."""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Sample, Path]]:
    folder = tmp_path_factory.mktemp("stock")
    found = {}
    for sample in (*photos(hidden_film), *films(tmp_path_factory.mktemp("work"))):
        path = folder / sample.name
        path.write_bytes(sample.data)
        found[sample.name] = (sample, path)
    return found


def _beside(inventory: Inventory) -> set[What]:
    return {row.what for row in inventory.rows if row.fate is not Fate.REBUILT}


def test_whatever_is_hidden_is_told_of_without_a_value(samples: dict[str, tuple[Sample, Path]]) -> None:
    missing = {}
    for name, (sample, path) in samples.items():
        if sample.refused:
            with pytest.raises(UnsupportedInputError):
                take_stock(path, STRICT)
            continue
        inventory = take_stock(path, STRICT)
        told = _beside(inventory)
        if not EXPECTED.get(name, set()) <= told or (not told and name not in NOT_TOLD):
            missing[name] = EXPECTED.get(name, set()) - told
        assert TOKEN.search(inventory.model_dump_json()) is None, name
        assert all(row.fate is not Fate.KEPT for row in inventory.rows)
    assert missing == {}


def test_values_are_told_only_when_asked_for(samples: dict[str, tuple[Sample, Path]]) -> None:
    for name in ("exif.jpg", "person.jpg", "regions.jpg", "iptc.jpg", "comment.jpg", "text.png",
                 "packed-text.png", "tags.mp4", "keys.mov", "user-data.mp4", "everything.mkv",
                 "xmp.heic"):  # fmt: skip
        sample, path = samples[name]
        assert sample.tokens[0] in take_stock(path, STRICT, values=True).model_dump_json(), name


def test_rights_are_said_to_be_kept_only_where_they_are(samples: dict[str, tuple[Sample, Path]]) -> None:
    for name in ("iptc.jpg", "xmp.jpg"):
        inventory = take_stock(samples[name][1], DESK)
        kept = {row.what for row in inventory.rows if row.fate is Fate.KEPT}
        assert kept == {What.RIGHTS}
    assert not [row for row in take_stock(samples["blocks.gif"][1], DESK).rows if row.fate is Fate.KEPT]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "HEIF", "AVIF"])
def test_a_bare_picture_carries_nothing(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bare"
    path.write_bytes(encoded(kind))
    assert take_stock(path, STRICT).rows == ()


def test_the_command_lists_files_without_names_and_goes_on_after_a_bad_one(
    samples: dict[str, tuple[Sample, Path]], tmp_path: Path
) -> None:
    secret = tmp_path / f"{canary('file')}.jpg"
    secret.write_bytes(samples["person.jpg"][0].data)
    broken = tmp_path / "note.jpg"
    broken.write_bytes(b"plain words")
    with workers_here():
        done = command("inspect", secret, broken, samples["subtitles.mp4"][1], private=tmp_path / "private")
        as_json = command("inspect", "--json", "--values", secret, private=tmp_path / "private")
    assert done.returncode == ExitCode.INPUT_ERROR
    assert TOKEN.search(done.stdout + done.stderr) is None
    assert str(tmp_path) not in done.stdout + done.stderr
    for words in ("people: PersonInImage", "#2 ERROR unsupported", "subtitle stream", "made anew", "removed"):
        assert words in done.stdout
    assert as_json.returncode == ExitCode.PUBLISHED
    (record,) = map(json.loads, as_json.stdout.splitlines())
    rows = {row["name"]: row for row in record["rows"]}
    assert rows["PersonInImage"]["values"] == [canary("person.jpg")]
    assert rows["PersonInImage"]["fate"] == "removed"


@functools.cache
def _seed(kind: str) -> tuple[str, bytes]:
    names = {"jpeg": "iptc.jpg", "png": "xmp.png", "webp": "everything.webp", "tiff": "tags.tif",
             "gif": "blocks.gif", "bmp": "around.bmp", "heif": "items.heic", "avif": "exif.avif"}  # fmt: skip
    return kind, next(sample.data for sample in photos(hidden_film) if sample.name == names[kind])


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "gif", "bmp", "heif", "avif"])
@given(places=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
       cut=st.floats(0.1, 1))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_no_broken_file_upsets_the_stocktaking(
    kind: str, places: list[tuple[float, int]], cut: float
) -> None:
    name, data = _seed(kind)
    body = bytearray(data[: max(20, int(len(data) * cut))])
    for place, value in places:
        body[int(place * len(body))] = value
    take_photo(Stock(name, values=True), bytes(body), name)


def test_a_broken_film_is_an_input_error(samples: dict[str, tuple[Sample, Path]]) -> None:
    data = samples["boxes.mp4"][0].data
    with tempfile.TemporaryDirectory() as folder:
        for length in range(40, len(data), 211):
            path = Path(folder) / "cut.mp4"
            path.write_bytes(data[:length])
            try:
                take_stock(path, STRICT)
            except InputError:
                continue
