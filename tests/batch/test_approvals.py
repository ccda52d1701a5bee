"""Two people where the policy asks for two: counted on exact bytes, by code, and never forgotten."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from bench import stub_stages
from redact.batch.audit import audit
from redact.batch.export import export
from redact.batch.history import Approvals, histories
from redact.batch.review import accept, redraw, reject, waiting
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.store import Store
from redact.cli import main
from redact.errors import BlockedError, ChangedMeanwhileError, OutputError, UsageError
from redact.findings import GateReport
from redact.names.watchlist import WatchList
from redact.plan import Plan
from redact.policy import Policy, load_policy
from redact.report.words import NOTES

STUBS = {"maker": "bench.stub_stages:maker", "gate": "bench.stub_stages:gate"}
TWO = "review.approvals=2"
WHY = {0: "a poster"}
Places = tuple[Path, Path, Path]


class _Stages:
    """In place of worker processes: draws what the stub gate reads first; signing adds a mark."""

    def __init__(self, first: bytes = b"P") -> None:
        self._gate, self._first = stub_stages.gate(), first
        self.judged: list[bytes] = []

    def render(self, path, plan, target, progress):
        progress("render", 1, 1)
        target.write_bytes(self._first + b"drawn by a plan")

    def sign(self, path, format, policy, target):
        target.write_bytes(path.read_bytes() + b" and signed")

    def inspect(self, path, policy, focus, progress):
        self.judged.append(path.read_bytes())
        return GateReport.model_validate_json(self._gate["inspect"]({"path": str(path)}, progress))

    def thumbnail(self, path):
        return b""

    def analyse(self, *_):
        raise AssertionError("a reviewer's plan is not analysed")


def _run(places: Places, *settings: str) -> RunSummary:
    source, out, private = places
    policy = load_policy("strict", list(settings))
    return run(source, out, policy, RunOptions(private_folder=private, **STUBS))


def _ids(summary: RunSummary) -> dict[str, str]:
    return {done.status: done.item for done in summary.items}


@pytest.fixture(scope="module")
def done_once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, str]]]:
    """A finished folder of each policy, to be copied: what waits needs one person there, two here."""
    found = {}
    for setting in ("", TWO):
        place = tmp_path_factory.mktemp("done")
        (place / "in").mkdir()
        for end in "PRB":
            (place / "in" / f"Orinakyan {end}.jpg").write_bytes(b"pixels" * 9 + end.encode())
        places = place / "in", place / "out", place / "private"
        found[setting] = place, _ids(_run(places, *filter(None, [setting])))
    return found


def _copied(done: tuple[Path, dict[str, str]], target: Path) -> tuple[Places, dict[str, str]]:
    shutil.copytree(done[0], target, dirs_exist_ok=True)
    return (target / "in", target / "out", target / "private"), done[1]


@pytest.fixture
def one(done_once, tmp_path: Path) -> tuple[Places, dict[str, str]]:
    return _copied(done_once[""], tmp_path)


@pytest.fixture
def two(done_once, tmp_path: Path) -> tuple[Places, dict[str, str]]:
    return _copied(done_once[TWO], tmp_path)


def _redraw(places: Places, store: Store, item: str, end: str, stages: _Stages, policy: Policy, **more):
    plan = Plan.from_json((places[1] / "plans" / f"{item}.json").read_bytes())
    return redraw(store, item, "k7", plan, places[0] / f"Orinakyan {end}.jpg", policy, stages, **more)


def _lies_in(out: Path, item: str) -> list[str]:
    return [room for room in ("published", "review") if list((out / room).glob(f"{item}.*"))]


def _given(store: Store, item: str) -> Approvals:
    return store.histories()[item].approvals


def test_the_second_approval_by_another_code_publishes_and_both_are_in_the_record(two) -> None:
    places, ids = two
    out, item = places[1], ids["review"]
    with Store(out, places[2]) as store:
        assert [each.approvals for each in waiting(store) if each.item == item] == [Approvals(2)]
        for _ in range(2):  # the same code twice counts once
            assert accept(store, item, "k7", WHY) == Approvals(2, ("k7",))
            assert _lies_in(out, item) == ["review"]
    line = _line(out, item)
    assert (line["standing"], line["approved_by"], line["approvals"]) == ("REVIEW", ["k7"], 2)
    assert "2 people must approve it, 1 did: k7." in (out / "report" / "index.html").read_text()
    assert _run(places, TWO).fresh == 0, "an approval outlives the next run"
    with Store(out, places[2]) as store:
        assert accept(store, item, "m2", {0: "a drawing"}) == Approvals(2, ("k7", "m2"))
        rows = [(event, data) for _, event, name, data in store.ledger.rows() if name == item]
        text = export(store.ledger.chain(), "text")
    assert _lies_in(out, item) == ["published"]
    assert [event for event, _ in rows] == ["releasing", "released", "approved", "releasing", "released"]
    first, last = rows[2][1], rows[-1][1]
    assert first["sha256"] == last["sha256"] == rows[1][1]["sha256"]
    assert (first["review"]["action"], first["review"]["by"]) == ("approve", "k7")
    assert first["review"]["reasons"][0]["reason"] == "a poster"
    assert last["review"]["approvals"] == ["k7", "m2"] and last["review"]["by"] == "m2"
    assert "approve by k7" in text and "accept by k7 and m2" in text and "face: a drawing" in text
    line = _line(out, item)
    assert (line["standing"], line["approved_by"]) == ("ACCEPTED", ["k7", "m2"])
    assert "Reviewers k7 and m2." in (out / "report" / "index.html").read_text()
    assert audit(out).problems == []


def _line(out: Path, item: str) -> dict:
    lines = json.loads((out / "report" / "report.json").read_text())["items"]
    return next(line for line in lines if line["item"] == item)


def test_what_the_gate_let_pass_needs_nobody_and_what_it_blocks_no_number_can_accept(two) -> None:
    places, ids = two
    assert _lies_in(places[1], ids["published"]) == ["published"]
    with Store(places[1], places[2]) as store, pytest.raises(BlockedError):
        accept(store, ids["blocked"], "k7", {0: "harmless"})


def test_a_new_file_a_rejection_and_another_policy_end_what_was_approved(two) -> None:
    places, ids = two
    out, item = places[1], ids["review"]
    with Store(out, places[2]) as store:
        accept(store, item, "k7", WHY)
        _redraw(places, store, item, "R", _Stages(b"R"), load_policy("strict", [TWO]))
        assert _given(store, item) == Approvals(2)
        accept(store, item, "k7", dict.fromkeys(range(2), "a poster"))
        reject(store, item, "k7")
        assert _given(store, item).given == ()
    _run(places, TWO, "photo.quality=60")
    with Store(out, places[2]) as store:
        accept(store, item, "k7", dict.fromkeys(range(3), "a poster"))
    _run(places, TWO, "photo.quality=70")
    with Store(out, places[2]) as store:
        assert _given(store, item) == Approvals(2)
        assert not accept(store, item, "m2", dict.fromkeys(range(3), "a poster")).enough
    assert _lies_in(out, item) == ["review"]


def test_a_command_without_the_policy_cannot_forget_that_two_people_must_agree(two) -> None:
    places, ids = two
    out = places[1]
    item = ids["published"]
    with Store(out, places[2]) as store:
        stages = _Stages(b"P")
        done = _redraw(places, store, item, "P", stages, load_policy("strict"))
        assert (done.status, done.reason) == ("review", "second_person")
        assert done.reason in NOTES
        assert not accept(store, item, "k7").enough, "the drawer counts as one, once he approves"
        again = _redraw(places, store, item, "P", _Stages(b"P"), load_policy("strict"))
        assert again.status == "review"
        reject(store, item, "k7")
        again = _redraw(places, store, item, "P", _Stages(b"P"), load_policy("strict"))
        assert again.status == "review", "a rejection does not forget it either"
        assert not accept(store, item, "m2").enough
        assert accept(store, item, "k7").enough
    assert _lies_in(out, item) == ["published"]
    assert audit(out).problems == []


def test_what_is_redrawn_waits_for_two_where_the_policy_says_so(one) -> None:
    places, ids = one
    out, item = places[1], ids["review"]
    with Store(out, places[2]) as store:
        done = _redraw(places, store, item, "R", _Stages(b"P"), load_policy("strict", [TWO]))
    assert done.status == "review" and _lies_in(out, item) == ["review"]
    with Store(out, places[2]) as store:
        done = _redraw(places, store, item, "R", _Stages(b"B"), load_policy("strict", [TWO]))
        assert done.status == "blocked"


def test_a_decision_about_a_file_that_is_another_by_now_changes_nothing(one) -> None:
    places, ids = one
    out = places[1]
    item = ids["review"]
    with Store(out, places[2]) as store:
        seen = store.states()[item]["sha256"]
        policy = load_policy("strict")
        _redraw(places, store, item, "R", _Stages(b"R"), policy, sha256=seen)
        before = list(store.ledger.rows())
        for decide in (
            lambda: accept(store, item, "k7", WHY, seen),
            lambda: reject(store, item, "k7", seen, "too near"),
            lambda: _redraw(places, store, item, "R", _Stages(b"P"), policy, sha256=seen),
        ):
            with pytest.raises(ChangedMeanwhileError):
                decide()
        assert list(store.ledger.rows()) == before
        now = store.states()[item]["sha256"]
        accept(store, item, "k7", WHY, now)
        reject(store, item, "k7", now, "too near")
        with pytest.raises(ChangedMeanwhileError):
            reject(store, item, "m2", now)
    assert _lies_in(out, item) == []


def test_bytes_that_changed_in_review_cannot_be_approved_either(two) -> None:
    places, ids = two
    out, item = places[1], ids["review"]
    (out / "review" / f"{item}.jpg").write_bytes(b"Rother")
    with Store(out, places[2]) as store:
        with pytest.raises(OutputError, match="not the one that was judged"):
            accept(store, item, "k7", WHY)
        assert _given(store, item).given == ()


def test_reasons_that_name_somebody_leave_no_trace(one) -> None:
    places, ids = one
    out, item = places[1], ids["review"]
    with Store(out, places[2]) as store:
        for reasons in ({}, {0: "Gevorg Orinakyan agreed"}, {0: "it is testo"}):
            with pytest.raises(UsageError):
                accept(store, item, "k7", reasons, watch=WatchList(("Proba Testo",)))
        with pytest.raises(UsageError):
            reject(store, item, "k7", reason="Gevorg Orinakyan asked for it")
        reject(store, item, "k7", reason="too near")
        assert store.states()[item]["review"] == {"action": "reject", "by": "k7", "reason": "too near"}
    assert b"rinakyan" not in (out / "ledger.sqlite").read_bytes()


def _fold(*rows: tuple[str, dict]) -> Approvals | None:
    return histories([(n, event, "a", data) for n, (event, data) in enumerate(rows)])["a"].approvals


def test_only_an_approval_of_what_lies_in_review_counts() -> None:
    def approved(sha: str, by: str) -> tuple[str, dict]:
        return "approved", {"sha256": sha, "review": {"action": "approve", "by": by}}

    lies = ("released", {"sha256": "s", "verdict": "REVIEW", "room": "review", "approvals": 2})
    assert _fold(lies, approved("s", "k7"), approved("s", "k7")) == Approvals(2, ("k7",))
    assert _fold(lies, approved("other", "k7")).given == ()
    assert _fold(approved("s", "k7"), lies).given == ()
    for end in (
        ("releasing", lies[1]),
        ("withdrawing", {}),
        ("withdrawn", {}),
        ("rejected", {"review": {}}),
        ("failed", {}),
        lies,
    ):
        assert _fold(lies, approved("s", "k7"), end).given == ()
    assert _fold(lies, ("releasing", lies[1]), ("abandoned", {}), approved("s", "k7")).given == ("k7",)
    published = ("released", {**lies[1], "room": "published"})
    assert _fold(published, approved("s", "k7")).given == ()


def test_verify_tells_of_a_file_that_too_few_people_let_pass(two) -> None:
    places, ids = two
    out, item = places[1], ids["review"]
    with Store(out, places[2]) as store:
        store.approve(item, {"action": "approve", "by": "k7"})
        store.publish_reviewed(item, {"action": "accept", "by": "k7", "approvals": ["k7", "m2"]})
    (problem,) = audit(out).problems
    assert item in problem and "fewer approvals" in problem


def test_a_plan_that_is_drawn_under_a_policy_that_signs_is_signed_before_it_is_judged(
    one, tmp_path: Path
) -> None:
    places, ids = one
    out, item = places[1], ids["review"]
    stages = _Stages(b"P")
    keys = [f"provenance.{name}={tmp_path / name}" for name in ("certificate", "key")]
    with Store(out, places[2]) as store:
        policy = load_policy("strict", ["provenance.mode=c2pa", *keys])
        seen: list[str] = []
        done = _redraw(
            places, store, item, "R", stages, policy, progress=lambda stage, *_: seen.append(stage)
        )
        assert done.status == "published" and seen == ["render"]
        released = (out / "published" / f"{item}.jpg").read_bytes()
        assert released == b"Pdrawn by a plan and signed" and stages.judged == [released]
        assert store.states()[item]["sha256"] == hashlib.sha256(released).hexdigest()


def test_two_reviewers_at_the_command_line(
    two, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (_, out, private), ids = two
    item = ids["review"]
    monkeypatch.setenv("REDACT_PRIVATE_DIR", str(private))

    def redact(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["redact", "review", str(out), *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "rinak" not in said.out + said.err
        return int(ended.value.code or 0), said.out + said.err

    assert redact(item, "--accept", "--by", "k7")[0] == 2, "without a reason"
    assert redact(item, "--accept", "--by", "k7", "--reason", "Gevorg Orinakyan agreed")[0] == 2
    code, said = redact(item, "--accept", "--by", "k7", "--reason", "a poster")
    assert (code, "approved by 1 (k7) of 2" in said) == (3, True)
    code, said = redact("--list")
    assert (code, "approved by 1 (k7) of 2" in said) == (0, True)
    assert redact(item, "--list")[0] == redact("--reason", "a poster")[0] == 2
    code, said = redact(item, "--accept", "--by", "m2", "--reason", "A poster. Nobody else.")
    assert (code, "accepted" in said) == (0, True)
    assert _lies_in(out, item) == ["published"]
    assert redact(item, "--reject", "--by", "m2", "--reason", "too near")[0] == 0
    assert _lies_in(out, item) == []
