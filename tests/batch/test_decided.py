"""What a person rejected or drew stays so when the item is made anew, and for the same bytes elsewhere."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_process import command, workers_here

from bench import stub_stages
from redact.batch.audit import audit
from redact.batch.decided import REDRAWN_BEFORE, REJECTED_BEFORE
from redact.batch.review import accept, redraw, reject
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.settle import identity
from redact.batch.store import Store
from redact.findings import GateReport
from redact.names.watchlist import WatchList
from redact.plan import Plan
from redact.policy import load_policy
from redact.report.words import NOTES

STUBS = {"maker": "bench.stub_stages:maker", "gate": "bench.stub_stages:gate"}
Places = tuple[Path, Path, Path]


@pytest.fixture(scope="module", autouse=True)
def _here() -> Iterator[None]:
    with workers_here():
        yield


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "in" / "day1").mkdir(parents=True)
    (tmp_path / "in" / "day1" / "a.jpg").write_bytes(b"a face that nobody saw P")
    return tmp_path / "in", tmp_path / "out", tmp_path / "private"


def _run(places: Places, *settings: str, source: Path | None = None) -> RunSummary:
    policy = load_policy("strict", list(settings))
    return run(source or places[0], places[1], policy, RunOptions(private_folder=places[2], **STUBS))


class _Drawing:
    """In place of worker processes: draws what the stub gate reads first."""

    def __init__(self, first: bytes) -> None:
        self._gate, self._first = stub_stages.gate(), first

    def render(self, path, plan, target, progress):
        target.write_bytes(self._first + b" with the cover that a person drew")

    def inspect(self, path, policy, focus, progress):
        return GateReport.model_validate_json(self._gate["inspect"]({"path": str(path)}, progress))

    def thumbnail(self, path):
        return b""


def _redraw(places: Places, item: str, first: bytes = b"P") -> None:
    plan = Plan.from_json((places[1] / "plans" / f"{item}.json").read_bytes())
    with Store(*places[1:]) as store:
        redraw(store, item, "k7", plan, places[0] / "day1" / "a.jpg", load_policy("strict"), _Drawing(first))


def _lies(places: Places, item: str) -> str:
    (room,) = [room for room in ("published", "review") if list((places[1] / room).glob(f"{item}.*"))]
    return room


def _wait(summary: RunSummary, note: str) -> None:
    assert [(done.status, note in done.reason) for done in summary.items] == [("review", True)]


def test_covers_that_a_person_drew_are_not_dropped_unasked(places: Places) -> None:
    (done,) = _run(places).items
    _redraw(places, done.item)
    assert _lies(places, done.item) == "published"
    assert _run(places).fresh == 0, "under the same rules it is not made anew"

    again = _run(places, "photo.quality=60")
    _wait(again, REDRAWN_BEFORE)
    assert _lies(places, done.item) == "review" and again.items[0].reason in NOTES
    with Store(*places[1:]) as store:
        accept(store, done.item, "k7", {0: "a statue"})
    assert _run(places, "photo.quality=70").counts == {"published": 1}, "a person saw it without them"


def test_accepting_what_was_drawn_is_no_yes_to_a_file_without_it(places: Places) -> None:
    (done,) = _run(places).items
    _redraw(places, done.item, b"R")
    with Store(*places[1:]) as store:
        accept(store, done.item, "k7", {0: "a poster"})
    _wait(_run(places, "photo.quality=60"), REDRAWN_BEFORE)


@pytest.mark.parametrize("given", [(), ("--names",)])
def test_a_plan_is_drawn_only_under_the_rules_of_the_items_run(
    places: Places, given: tuple[str, ...], tmp_path: Path
) -> None:
    (done,) = _run(places, *([] if given else ["photo.quality=60"])).items
    names = tmp_path / "names.txt"
    names.write_text("Gevorg Orinakyan\n")
    rows = audit(places[1]).head
    plan, file = places[1] / "plans" / f"{done.item}.json", places[0] / "day1" / "a.jpg"
    said = command(
        *("review", places[1], done.item, "--plan", plan, "--input", file, "--by", "k7"),
        *(given and (*given, names)),
        private=places[2],
    )
    assert (said.returncode, "another policy or watch list" in said.stderr) == (2, True)
    assert audit(places[1]).head == rows and _lies(places, done.item) == "published"


def test_what_was_rejected_is_not_published_from_another_place(places: Places) -> None:
    source, out, private = places
    (done,) = _run(places).items
    with Store(out, private) as store:
        reject(store, done.item, "k7")
    (source / "day1" / "a.jpg").rename(source / "b.jpg")
    again = _run(places)
    _wait(again, REJECTED_BEFORE)
    assert again.items[0].item != done.item
    shutil.copy(source / "b.jpg", source / "day1" / "c.jpg")
    other = _run(places, source=source / "day1")
    _wait(other, REJECTED_BEFORE)
    with Store(out, private) as store:
        accept(store, other.items[0].item, "k7", {0: "a statue"})
    assert _run(places, source=source / "day1").counts == {"published": 1}, "a person published this one"
    assert audit(out).problems == []


@pytest.mark.parametrize("note", [REJECTED_BEFORE, REDRAWN_BEFORE])
def test_a_copy_that_was_published_already_waits_too(places: Places, note: str) -> None:
    source, out, private = places
    shutil.copy(source / "day1" / "a.jpg", source / "z.jpg")
    first, copy = (done.item for done in _run(places).items)
    if note == REJECTED_BEFORE:
        with Store(out, private) as store:
            reject(store, first, "k7")
    else:
        _redraw(places, first)
    again = _run(places)
    assert {done.item for done in again.items if note in done.reason} == {copy}
    assert _lies(places, copy) == "review"
    assert _run(places).fresh == 0


def test_bytes_are_told_by_a_keyed_digest(places: Places) -> None:
    policy = load_policy("strict")
    (done,) = _run(places).items
    with Store(*places[1:]) as store:
        content = store.private.content(done.item)
        assert len(content) == 64 and store.private.content("unknown") == ""
        assert identity(policy, {}, store, WatchList(("Gevorg Orinakyan",)))["names"] != content
    assert content.encode() not in (places[1] / "ledger.sqlite").read_bytes()
