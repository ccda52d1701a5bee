"""Nothing that is hidden in or around a file comes through: every place that DESIGN.md, section 9, lists.

All samples go through `redact run` together, twice: under the strictest policy, and under the loosest one
(rights and sound kept). Detectors are off, since none of them is what takes hidden data away; the gate's
readers of structure and streams are on.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli
import pytest
from hidden_films import films, hidden_film
from hidden_photos import Sample, encoded, photos
from hidden_search import TOKEN, canary, captions, carved, exiftool, faces, ffprobe, tokens
from in_process import command, workers_here

from redact.batch.store import NEUTRAL_TIME, Store

FILMS = (".mp4", ".mov", ".mkv", ".avi")
OFF = ("faces.mode=off", "text.mode=off", "gate.faces=false", "gate.text=false")
TOLD_BY_EXIFTOOL = ("exif.jpg", "iptc.jpg", "person.jpg", "text.png", "tags.tif", "everything.webp",
                    "exif.heic", "tags.mp4", "keys.mov", "everything.mkv")  # fmt: skip
SIDECARS = (".xmp", ".srt", ".vtt", ".txt", ".json", ".THM", ".aae")
GROUPS = {"SourceFile", "ExifTool", "System", "File", "Composite", "JFIF", "PNG", "RIFF", "GIF", "IFD0",
          "QuickTime", "Track1", "Track2", "Meta", "Av1Config", "H264"}  # fmt: skip
"""exiftool's groups of tags that tell of pixels and boxes alone; IFD0 is the directory of a TIFF."""
RIGHTS_GROUPS = {
    "XMP-dc",
    "XMP-photoshop",
    "XMP-x",
    "IPTC",
    "Photoshop",
    "ItemList",
    "XMP-plus",
    "XMP-xmpRights",
}


@dataclass
class Corpus:
    """The samples on disk."""

    folder: Path
    samples: dict[str, Sample]
    paths: dict[str, Path]


@dataclass
class Finished:
    """What a run made of them."""

    out: Path
    status: dict[str, str]
    published: dict[str, Path]
    told: dict[str, dict[str, Any]]
    """exiftool on the published files, by sample."""
    said: str


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    work = tmp_path_factory.mktemp("work")
    root = tmp_path_factory.mktemp("corpus")
    folder = root / canary("folder")
    folder.mkdir()
    samples = {sample.name: sample for sample in (*photos(hidden_film), *films(work))}
    pair = canary("live photo")
    # a Live Photo: a picture and a film of the same name that hold the same identifier
    for twin in ("exif.heic", "keys.mov"):
        samples[f"live-{twin}"] = Sample(f"live-{twin}", samples[twin].data, samples[twin].tokens,
                                         samples[twin].face)  # fmt: skip
    paths = {}
    for name, sample in samples.items():
        stem = pair if name.startswith("live-") else f"{canary('file name')}-{Path(name).stem}"
        paths[name] = folder / f"{stem}{Path(name).suffix}"
        paths[name].write_bytes(sample.data)
        os.utime(paths[name], (1_562_999_000, 1_562_999_000))
        os.setxattr(paths[name], "user.xdg.comment", canary("extended attribute").encode())
    for ending in SIDECARS:
        (folder / f"{canary('file name')}-exif{ending}").write_text(canary(f"sidecar {ending}"))
    return Corpus(root, samples, paths)


def _run(corpus: Corpus, folder: Path, *settings: str, policy: str) -> Finished:
    """The corpus through `redact run`."""
    out, private = folder / "out", folder / "private"
    options = [part for setting in (*OFF, *settings) for part in ("--set", setting)]
    options += ["--policy", policy, "--json", "--jobs", "1"]
    with workers_here():
        done = command("run", corpus.folder, out, *options, private=private)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    states = {each["item"]: each for each in records if each["event"] == "item"}
    with Store(out, private) as store:
        names = {relative: item for item, relative in store.private.items()}
    items = {name: names[str(path.relative_to(corpus.folder))] for name, path in corpus.paths.items()}
    published = {}
    for name, item in items.items():
        for path in (out / "published").glob(f"{item}.*"):
            published[name] = path
    status = {name: f"{states[item]['status']}: {states[item]['reason']}" for name, item in items.items()}
    told = exiftool(*published.values())
    by_name = {name: told[path.name] for name, path in published.items()}
    return Finished(out, status, published, by_name, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def strict(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return _run(corpus, tmp_path_factory.mktemp("strict"), policy="strict")


@pytest.fixture(scope="module")
def loose(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """What holds fields of text or sound: others are made no differently under this policy."""
    texts = ("exif", "xmp", "iptc", "regions", "person", "tags", "everything", "live-")
    more = ("keys", "user-data", "uuid", "handler", "subtitles", "chunks", "aac", "ac3")
    names = [name for name in corpus.samples if name.startswith((*texts, *more))]
    root = tmp_path_factory.mktemp("some")
    (root / "in").mkdir()
    paths = {}
    for name in names:
        paths[name] = root / "in" / corpus.paths[name].name
        paths[name].write_bytes(corpus.samples[name].data)
    some = Corpus(root / "in", {name: corpus.samples[name] for name in names}, paths)
    loosest = root / "loosest.toml"
    loosest.write_text('preset = "desk"\nname = "loosest"\n[audio]\nmode = "keep"\nlistened = true\n')
    return _run(some, root, policy=str(loosest))


def _seen(path: Path, told: dict[str, Any]) -> set[str]:
    """Every token that anything finds in the file."""
    seen = tokens(path.read_bytes()) | set(TOKEN.findall(json.dumps(told)))
    if path.suffix in FILMS:
        seen |= set(TOKEN.findall(captions(path) + ffprobe(path)))
    return seen


def test_the_search_finds_every_token_and_every_face_in_the_input(corpus: Corpus) -> None:
    missed: dict[str, set[str]] = {}
    asked = [name for name, sample in corpus.samples.items() if sample.marks or name in TOLD_BY_EXIFTOOL]
    told = exiftool(*(corpus.paths[name] for name in asked))
    for name in TOLD_BY_EXIFTOOL:
        if corpus.samples[name].tokens[0] not in json.dumps(told[corpus.paths[name].name]):
            missed[name] = {"exiftool"}
    for name, sample in corpus.samples.items():
        path = corpus.paths[name]
        lost = set(sample.tokens) - _seen(path, {})
        if sample.captions:
            lost |= set(sample.tokens) - set(TOKEN.findall(captions(path)))
        if lost or bool(faces(path)) != sample.face:
            missed[name] = lost
        words = json.dumps(told.get(path.name, {})) + (ffprobe(path) if path.suffix in FILMS else "")
        words += sample.data.decode("latin-1")
        missed |= {mark: {name} for mark in sample.marks if mark not in words}
    assert missed == {}


def test_the_search_sees_through_every_packing() -> None:
    token = canary("packing")
    text = b"of the " * 4 + token.encode() + b" of the"
    deflate = zlib.compressobj(wbits=-15)
    packings = {
        "plain": text,
        "with NULs": token.encode("utf-32-le"),
        "utf-16": token.encode("utf-16-be"),
        "zlib": zlib.compress(text),
        "deflate": deflate.compress(text) + deflate.flush(),
        "brotli": brotli.compress(text),
        "base64": base64.b64encode(text * 3),
        "three bits on": (int.from_bytes(text, "big") << 3).to_bytes(len(text) + 1, "big"),
    }
    for name, packed in packings.items():
        assert tokens(b"\x01\x02\x03" + packed + b"\x09" * 9) == {token}, name


def test_a_clean_picture_holds_nothing(tmp_path: Path) -> None:
    for kind in ("JPEG", "PNG", "HEIF", "AVIF"):
        path = tmp_path / kind
        path.write_bytes(encoded(kind))
        assert (tokens(path.read_bytes()), faces(path)) == (set(), [])


@pytest.mark.parametrize("policy", ["strict", "loose"])
def test_every_sample_is_published_or_refused_with_a_reason(
    policy: str, corpus: Corpus, request: pytest.FixtureRequest
) -> None:
    finished: Finished = request.getfixturevalue(policy)
    for name, told in finished.status.items():
        wanted = "failed: unsupported: " if corpus.samples[name].refused else "published"
        assert told.startswith(wanted), (name, told)
        assert (name in finished.published) != corpus.samples[name].refused


@pytest.mark.parametrize("policy", ["strict", "loose"])
def test_no_token_reaches_a_published_file(
    policy: str, corpus: Corpus, request: pytest.FixtureRequest
) -> None:
    finished: Finished = request.getfixturevalue(policy)
    leaks = {}
    for name, path in finished.published.items():
        kept = set(corpus.samples[name].rights) if policy == "loose" else set()
        seen = _seen(path, finished.told[name])
        if seen - kept:
            leaks[name] = seen - kept
        words = json.dumps(finished.told[name]) + (ffprobe(path) if path.suffix in FILMS else "")
        words += path.read_bytes().decode("latin-1")
        leaks |= {mark: {name} for mark in corpus.samples[name].marks if mark in words}
        if path.suffix in FILMS and captions(path).strip():
            leaks[name] = {"captions"}
    assert leaks == {}


@pytest.mark.parametrize("policy", ["strict", "loose"])
def test_no_hidden_face_reaches_a_published_file(policy: str, request: pytest.FixtureRequest) -> None:
    finished: Finished = request.getfixturevalue(policy)
    leaks = {name: found for name, path in finished.published.items() if (found := faces(path))}
    assert leaks == {}
    for name, path in finished.published.items():
        signatures = [kind for _, kind in carved(path.read_bytes())]
        assert len(signatures) <= 1, (name, signatures)


@pytest.mark.parametrize("policy", ["strict", "loose"])
def test_another_reader_names_no_group_of_metadata(policy: str, request: pytest.FixtureRequest) -> None:
    finished: Finished = request.getfixturevalue(policy)
    allowed = GROUPS | (RIGHTS_GROUPS if policy == "loose" else set())
    for name, told in finished.told.items():
        groups = {key.partition(":")[0] for key in told}
        assert groups <= allowed, (name, groups - allowed)
        assert name.endswith(".tif") or "IFD0" not in groups


def test_rights_are_kept_where_the_policy_keeps_them(corpus: Corpus, loose: Finished) -> None:
    for name, sample in corpus.samples.items():
        if sample.rights and name in loose.published:
            assert tokens(loose.published[name].read_bytes()) == set(sample.rights), name


@pytest.mark.parametrize("policy", ["strict", "loose"])
def test_nothing_around_a_file_comes_along(
    policy: str, corpus: Corpus, request: pytest.FixtureRequest
) -> None:
    """Names, folders, times, extended attributes, companions, and what ties a Live Photo's two halves."""
    finished: Finished = request.getfixturevalue(policy)
    assert TOKEN.search(finished.said) is None
    assert str(corpus.folder) not in finished.said
    for path in finished.out.rglob("*"):
        assert TOKEN.search(str(path.relative_to(finished.out))) is None
        if path.is_file():
            if path not in finished.published.values():  # those are searched above
                assert TOKEN.search(path.read_bytes().replace(b"\0", b"").decode("latin-1")) is None
            assert path.suffix not in SIDECARS or path.suffix == ".json"
            assert os.listxattr(path) == []
    for path in finished.published.values():
        facts = path.stat()
        assert (facts.st_mtime, facts.st_mode & 0o777) == (NEUTRAL_TIME, 0o644)
    live = [path.stem for name, path in finished.published.items() if name.startswith("live-")]
    assert len(set(live)) == 2, "the halves of a Live Photo share no name"
