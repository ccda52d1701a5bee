"""Subtitles beside an item: never copied; released without names, beside what is published."""

from pathlib import Path

import pytest

from redact.batch import sidecars
from redact.batch.beside import SIDECAR_OF
from redact.batch.jobs import WorkerStages
from redact.batch.review import accept, reject
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.settle import identity
from redact.batch.store import Store
from redact.names.watchlist import WatchList
from redact.policy import load_policy

CUE = "1\n00:00:01,000 --> 00:00:02,000\nher son Геворг Оринакян\n"
PASSES, WAITS = b"a picture P", b"a picture R"
"""This is about files, not about what is on them."""
STAGES = {"maker": "bench.stub_stages:maker", "gate": "bench.stub_stages:gate"}
WATCH = WatchList(("Gevorg Orinakyan",))


@pytest.fixture
def places(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(PASSES)
    (tmp_path / "in" / "a.srt").write_text(CUE, encoding="utf-8")
    (tmp_path / "in" / "a.txt").write_text(CUE, encoding="utf-8")
    return tmp_path


def _run(root: Path, mode: str, watch: WatchList | None = WATCH, *settings: str) -> RunSummary:
    policy = load_policy("strict", [f"sidecars={mode}", *settings])
    return run(
        root / "in", root / "out", policy, RunOptions(private_folder=root / "private", watch=watch, **STAGES)
    )


def _released(root: Path) -> dict[str, str]:
    folder = root / "out" / "published"
    return {p.suffix: p.stem for p in folder.rglob("*") if p.is_file()}


def test_redacted_subtitles_lie_beside_the_item_and_go_when_they_may_not(places: Path) -> None:
    summary = _run(places, "redact")
    assert summary.set_aside == 1
    assert summary.counts == {"published": 2}
    released = _released(places)
    assert released[".srt"] == released[".jpg"]
    (text,) = [p.read_text(encoding="utf-8") for p in places.rglob("out/published/*.srt")]
    assert text == "1\n00:00:01,000 --> 00:00:02,000\nher son █████\n"

    again = _run(places, "redact")
    assert again.fresh == 0
    assert again.counts == summary.counts
    assert again.set_aside == 1

    dropped = _run(places, "drop")
    assert dropped.set_aside == 2
    assert set(_released(places)) == {".jpg"}


def test_what_cannot_be_read_as_subtitles_fails_and_is_not_tried_again(places: Path) -> None:
    (places / "in" / "a.srt").write_bytes(b"\xff\x00 no text")
    summary = _run(places, "redact")
    assert summary.counts == {"published": 1, "failed": 1}
    assert set(_released(places)) == {".jpg"}
    again = _run(places, "redact")
    assert (again.fresh, again.counts) == (0, summary.counts)


def test_nothing_lies_beside_an_item_that_waits(places: Path) -> None:
    _run(places, "redact")
    (places / "in" / "a.jpg").rename(places / "in" / "b.jpg")
    (places / "in" / "a.srt").rename(places / "in" / "b.srt")
    (places / "in" / "b.jpg").write_bytes(WAITS)
    summary = _run(places, "redact")
    assert summary.counts["review"] == 1
    assert summary.set_aside == 2
    assert {p.suffix for p in (places / "out" / "review").iterdir()} == {".jpg"}


def test_a_rejected_item_takes_its_subtitles_along_and_an_accepted_one_brings_them(places: Path) -> None:
    _run(places, "redact")
    (item,) = [p.stem for p in places.rglob("out/published/*.jpg")]
    with Store(places / "out", places / "private") as store:
        reject(store, item, "ab1")
    assert _released(places) == {}
    assert _run(places, "redact").counts == {"rejected": 1}
    assert _released(places) == {}

    (places / "in" / "a.jpg").write_bytes(WAITS)
    assert _run(places, "redact").counts["review"] == 1
    (item,) = [p.stem for p in places.rglob("out/review/*.jpg")]
    with Store(places / "out", places / "private") as store:
        accept(store, item, "ab1", {0: "an empty wall"})
    summary = _run(places, "redact")
    assert summary.counts == {"published": 2}
    assert _released(places) == {".jpg": item, ".srt": item}
    assert _run(places, "redact").fresh == 0


def test_a_mended_subtitle_file_is_not_taken_for_the_one_that_was_rejected(places: Path) -> None:
    _run(places, "redact")
    (old,) = _beside(places)
    with Store(places / "out", places / "private") as store:
        reject(store, old, "ab1")
    (places / "in" / "a.srt").write_text(CUE.replace("son", "aunt"), encoding="utf-8")
    assert _run(places, "redact").counts == {"published": 2}
    for _ in range(2):
        assert _run(places, "redact").fresh == 0
        (text,) = [p.read_text(encoding="utf-8") for p in places.rglob("out/published/*.srt")]
        assert "aunt" in text


def test_a_rejected_subtitle_file_is_not_published_beside_another_item(places: Path) -> None:
    _run(places, "redact")
    (old,) = _beside(places)
    with Store(places / "out", places / "private") as store:
        reject(store, old, "ab1")
    (places / "in" / "a.jpg").write_bytes(b"another " + PASSES)
    assert _run(places, "redact").counts == {"published": 1, "review": 1}
    assert set(_released(places)) == {".jpg"}


def test_of_two_subtitle_files_that_differ_in_capitals_one_is_released_and_one_fails(places: Path) -> None:
    (places / "in" / "a.SRT").write_text(CUE, encoding="utf-8")
    assert _run(places, "redact").counts == {"published": 2, "failed": 1}
    again = _run(places, "redact")
    assert (again.fresh, again.counts) == (0, {"published": 2, "failed": 1})
    (places / "in" / "a.SRT").unlink()
    assert _run(places, "redact").counts == {"published": 2}


def _beside(root: Path) -> list[str]:
    """Ids of subtitle files."""
    with Store(root / "out", root / "private") as store:
        return [item for item, state in store.states().items() if SIDECAR_OF in state]


def test_a_subtitle_file_that_cannot_be_read_fails_alone(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sidecars.sha256_file

    def refused(path: Path) -> str:
        if path.suffix == ".srt":
            raise PermissionError
        return whole(path)

    monkeypatch.setattr(sidecars, "sha256_file", refused)
    assert _run(places, "redact").counts == {"published": 1, "failed": 1}
    assert set(_released(places)) == {".jpg"}


def test_another_list_is_another_job_and_its_digest_is_keyed(tmp_path: Path) -> None:
    policy, digests = load_policy("strict"), set()
    for private in ("one", "two"):
        with Store(tmp_path / private, tmp_path / f"{private}-private") as store:
            for watch in (None, WATCH, WatchList(("Lilit Nmushyan",))):
                digests.add(identity(policy, {}, store, watch)["names"])
    assert len(digests) == 5, "none, and two lists under two salts"


def test_a_first_name_of_three_letters_is_no_language(places: Path) -> None:
    for part in ("gor", "hy", "eng"):
        (places / "in" / f"a.{part}.srt").write_text(CUE, encoding="utf-8")
    assert _run(places, "redact").counts == {"published": 4}
    names = sorted(p.name for p in places.rglob("out/published/*.srt"))
    assert [name.partition(".")[2] for name in names] == ["eng.srt", "hy.srt", "srt"]


def test_a_disk_that_is_full_for_subtitles_does_not_fail_the_item(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WorkerStages, "subtitles", full)
    assert _run(places, "redact").counts == {"published": 1, "failed": 1}
    assert set(_released(places)) == {".jpg"}
    monkeypatch.undo()
    assert _run(places, "redact").counts == {"published": 2}
