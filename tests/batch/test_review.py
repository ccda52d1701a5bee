"""What a reviewer may decide, what is written down about it, and what no reviewer can do."""

import json
import shutil
from pathlib import Path

import pytest
from in_process import command

from bench import stub_stages
from redact.batch.audit import audit
from redact.batch.decided import REJECTED_BEFORE
from redact.batch.review import accept, redraw, reject, reviewer_code, waiting
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.store import NEUTRAL_TIME, Store, sha256_file
from redact.errors import BlockedError, ExitCode, OutputError, PlanMismatchError, UsageError
from redact.plan import Plan
from redact.policy import load_policy

STUBS = {"maker": "bench.stub_stages:maker", "gate": "bench.stub_stages:gate"}
Places = tuple[Path, Path, Path]


def _places(folder: Path) -> Places:
    return folder / "in", folder / "out", folder / "private"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder after a run, and a copy of it."""
    folder = tmp_path_factory.mktemp("review") / "lab"
    places = _places(folder)
    places[0].mkdir(parents=True)
    for end in "PRB":
        (places[0] / f"Orinakyan {end}.jpg").write_bytes(b"pixels" * 9 + end.encode())
    summary = _run(places, "name=house rules")
    assert summary.counts == {"published": 1, "review": 1, "blocked": 1}
    return folder, Path(shutil.copytree(folder, folder.with_name("kept")))


@pytest.fixture
def places(judged: tuple[Path, Path]) -> Places:
    """That folder as the run left it, whatever the test before did to it."""
    folder, kept = judged
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)
    return _places(folder)


def _run(places: Places, *settings: str) -> RunSummary:
    source, out, private = places
    return run(
        source, out, load_policy("strict", list(settings)), RunOptions(private_folder=private, **STUBS)
    )


def _ids(places: Places) -> dict[str, str]:
    """Public ids by what became of the item."""
    with Store(*places[1:]) as store:
        states = store.states()
    status = {"PUBLISH": "published", "REVIEW": "review", "BLOCK": "blocked"}
    return {status[state["verdict"]]: item for item, state in states.items()}


def _names(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir()}


def test_accepting_publishes_exactly_the_bytes_that_were_judged_and_writes_it_down(
    places: Places,
) -> None:
    out, private = places[1:]
    ids = _ids(places)
    item = ids["review"]
    digest = sha256_file(out / "review" / f"{item}.jpg")
    with Store(out, private) as store:
        assert [(found[0], found[1]) for found in waiting(store)] == sorted(
            [(item, "REVIEW"), (ids["blocked"], "BLOCK")]
        )
        assert accept(store, item, "k7", {0: "a poster"}).enough
        row = store.states()[item]
    published = out / "published" / f"{item}.jpg"
    assert sha256_file(published) == digest == row["sha256"]
    assert published.stat().st_mtime == NEUTRAL_TIME
    assert row["review"] == {
        "action": "accept",
        "by": "k7",
        "reasons": [{"kind": "face", "detail": "", "reason": "a poster"}],
    }
    assert (row["verdict"], row["room"]) == ("REVIEW", "published"), "the gate's word stays what it was"
    assert audit(out).problems == []
    assert "ACCEPTED" in (out / "report" / "index.html").read_text()
    again = _run(places)
    assert again.fresh == 0
    assert again.counts == {"published": 2, "blocked": 1}


def test_nobody_can_accept_what_the_gate_blocks(places: Places) -> None:
    ids = _ids(places)
    with Store(*places[1:]) as store:
        with pytest.raises(BlockedError, match="nobody can accept"):
            accept(store, ids["blocked"], "k7", {0: "harmless"})
        with pytest.raises(OutputError):
            accept(store, ids["published"], "k7")
        with pytest.raises(UsageError):
            accept(store, "unknown", "k7")
    assert _names(places[1] / "published") == {ids["published"]}


def test_bytes_that_changed_in_review_are_not_accepted(places: Places) -> None:
    item = _ids(places)["review"]
    (places[1] / "review" / f"{item}.jpg").write_bytes(b"Rother")
    with Store(*places[1:]) as store, pytest.raises(OutputError, match="not the one that was judged"):
        accept(store, item, "k7", {0: "a poster"})
    assert item not in _names(places[1] / "published")


@pytest.mark.parametrize("status", ["published", "review", "blocked"])
def test_what_is_rejected_is_taken_back_and_never_published_unasked_again(
    places: Places, status: str
) -> None:
    out, private = places[1:]
    item = _ids(places)[status]
    with Store(out, private) as store:
        reject(store, item, "k7")
    assert item not in _names(out / "published") | _names(out / "review")
    again = _run(places)
    assert (again.fresh, again.counts["rejected"], again.exit_code) == (0, 1, ExitCode.BLOCKED)
    assert audit(out).problems == []
    other = _run(places, "photo.quality=60")
    done = next(done for done in other.items if done.item == item)
    assert done.status in ("review", "blocked")
    assert REJECTED_BEFORE in done.reason
    assert item not in _names(out / "published")


class _Stages:
    """In place of worker processes: draws 'P' or 'R' first, as the stub gate reads it."""

    def __init__(self, first: bytes) -> None:
        self._maker, self._gate, self._first = stub_stages.maker(), stub_stages.gate(), first

    def render(self, path, plan, target, progress):
        target.write_bytes(self._first + b"drawn by a plan")

    def inspect(self, path, policy, focus, progress):
        from redact.findings import GateReport

        return GateReport.model_validate_json(self._gate["inspect"]({"path": str(path)}, progress))

    def thumbnail(self, path):
        return b""

    def analyse(self, *_):
        raise AssertionError("a reviewer's plan is not analysed")


@pytest.mark.parametrize(("first", "status"), [(b"P", "published"), (b"R", "review"), (b"B", "blocked")])
def test_an_edited_plan_is_drawn_judged_and_released_by_verdict(
    places: Places, first: bytes, status: str
) -> None:
    source, out, private = places
    item = _ids(places)["review"]
    plan = Plan.from_json((out / "plans" / f"{item}.json").read_bytes())
    with Store(out, private) as store:
        done = redraw(
            store, item, "k7", plan, source / "Orinakyan R.jpg", load_policy("strict"), _Stages(first)
        )
        row = store.states()[item]
    assert done.status == status
    assert row["review"] == {"action": "plan", "by": "k7"}
    assert (item in _names(out / "published")) == (status == "published")
    assert audit(out).problems == []
    assert (
        json.loads((out / "report" / "items" / f"{item}.json").read_text())["output"]["sha256"]
        == row["sha256"]
    )
    assert _run(places).fresh == 0


def test_a_photo_in_which_no_face_was_found_waits_also_after_a_box_was_drawn_on_it(places: Places) -> None:
    source, out, private = places
    item = _ids(places)["review"]
    plan = Plan.from_json((out / "plans" / f"{item}.json").read_bytes())
    plan = plan.model_copy(update={"notes": ("no_face_found",)})
    with Store(out, private) as store:
        policy = load_policy("strict")
        done = redraw(store, item, "k7", plan, source / "Orinakyan R.jpg", policy, _Stages(b"P"))
    assert (done.status, done.reason) == ("review", "no_face_found")
    assert item not in _names(out / "published")


def test_a_rejected_item_that_waits_again_is_still_not_published_unasked(
    places: Places,
) -> None:
    source, out, private = places
    item = _ids(places)["published"]
    plan = Plan.from_json((out / "plans" / f"{item}.json").read_bytes())
    with Store(out, private) as store:
        reject(store, item, "k7")
        redraw(store, item, "k7", plan, source / "Orinakyan P.jpg", load_policy("strict"), _Stages(b"R"))
    _run(places, "photo.quality=60")
    assert item in _names(out / "review") and item not in _names(out / "published")
    with Store(out, private) as store:
        accept(store, item, "k7", dict.fromkeys(range(2), "a poster"))
    _run(places, "photo.quality=70")
    assert item in _names(out / "published"), "a person's later yes lifts the no"


def test_a_plan_is_not_drawn_on_another_input(places: Places) -> None:
    source, out, private = places
    item = _ids(places)["review"]
    plan = Plan.from_json((out / "plans" / f"{item}.json").read_bytes())
    with Store(out, private) as store, pytest.raises(PlanMismatchError):
        redraw(store, item, "k7", plan, source / "Orinakyan P.jpg", load_policy("strict"), _Stages(b"P"))
    assert item in _names(out / "review")


@pytest.mark.parametrize("code", ["", "Orinakyan", "a b", "k" * 13, "օրինակ", "k7\n"])
def test_a_reviewer_is_a_code_and_no_name(code: str) -> None:
    with pytest.raises(UsageError):
        reviewer_code(code)


def test_a_lawyer_with_a_copy_of_the_folder_can_verify_it(places: Places, tmp_path: Path) -> None:
    ids = _ids(places)
    copy = tmp_path / "copy"
    shutil.copytree(places[1], copy)
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    found = audit(copy)
    assert (found.problems, found.released) == ([], {"published": 1, "review": 2})
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before, "verifying writes nothing"

    (copy / "published" / f"{ids['published']}.jpg").write_bytes(b"other")
    (copy / "review" / f"{ids['review']}.jpg").rename(copy / "published" / "x.jpg")
    (copy / "published" / "link.jpg").symlink_to(copy / "ledger.sqlite")
    problems = " ".join(audit(copy).problems)
    assert f"{ids['published']}: its file in published/ is not the one that was judged" in problems
    assert f"{ids['review']}: its file is missing from review/" in problems
    assert "stranger" in problems and "link" in problems
    assert "Orinakyan" not in problems and str(tmp_path) not in problems


def test_the_ledger_holds_what_a_lawyer_asks_and_no_name_or_path(places: Places) -> None:
    source, out, private = places
    item = _ids(places)["review"]
    with Store(out, private) as store:
        rows = list(store.ledger.rows())
        state = store.states()[item]
    assert [event for _, event, _, _ in rows][:3] == ["created", "isolation", "run"]
    assert rows[-1][1] == "run_ended"
    begun = rows[2][3]
    assert begun["policy_name"] == "house rules" and begun["models"] and begun["libraries"]["av"]
    assert {
        "sha256",
        "source",
        "policy",
        "policy_name",
        "models",
        "version",
        "verdict",
        "findings",
        "plan",
    } <= set(state)
    assert all(data["time"].endswith("Z") for *_, data in rows)
    plain = sha256_file(source / "Orinakyan R.jpg")
    content = (out / "ledger.sqlite").read_bytes()
    assert plain.encode() not in content, "the input's plain digest could be looked up"
    assert b"rinakyan" not in content and str(source).encode() not in content


def test_a_reviewers_day_on_the_command_line(places: Places) -> None:
    out, private = places[1:]
    ids = _ids(places)
    head = str(audit(out).head)

    def redact(*arguments: object) -> tuple[int, str]:
        """Exit status, and all that was said."""
        done = command(*arguments, private=private)
        return done.returncode, done.stdout + done.stderr

    said = [
        redact("review", out, "--list"),
        redact("review", out, ids["review"], "--accept", "--by", "Orinak"),
        redact("review", out, ids["review"], "--accept", "--reject", "--by", "k7"),
        redact("review", out, ids["blocked"], "--accept", "--by", "k7"),
        redact("review", out, ids["review"], "--accept", "--by", "k7", "--reason", "a poster"),
        redact("review", out, ids["published"], "--reject", "--by", "k7", "--reason", "too near"),
        redact("ledger", "verify", out, "--head", head),
        redact("ledger", "export", out, "--format", "csv"),
        redact("ledger", "verify", out, "--head", "9" * 64),
    ]
    assert [code for code, _ in said] == [0, 2, 2, 2, 0, 0, 0, 0, 1], said
    listed, accepted, exported = said[0][1], said[4][1], said[7][1]
    assert ids["review"] in listed and "face" in listed
    assert "accepted" in accepted and "Ledger head" in accepted
    assert "face: a poster" in exported and "too near" in exported
    assert "accept by k7" in exported and "reject by k7" in exported
    assert _names(out / "published") == {ids["review"]}
    for _, words in said:
        assert "rinak" not in words and str(places[0]) not in words
