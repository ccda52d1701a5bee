"""What a run and a reviewer's decision leave in `report/`, against the published schemas and the ledger."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from redact.batch.beside import SIDECAR_OF
from redact.batch.reporting import write_report
from redact.batch.review import accept, reject
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.store import Store
from redact.findings import Finding, FindingKind, GateReport, Look
from redact.pipeline import Outcome, StageClock
from redact.plan import MediaFacts, OutputSpec, Plan, SoundEdit, SourceDigest, Span, Track
from redact.policy import Policy, load_policy
from redact.report.items import item_report
from redact.report.models import PUBLISHED_MODELS
from scripts.make_schemas import FOLDER, main, stale

STUBS = {"maker": "bench.stub_stages:maker", "gate": "bench.stub_stages:gate"}


@dataclass(frozen=True)
class Ran:
    """A folder that was run: its output, the private mapping, and what became of each item."""

    out: Path
    private: Path
    summary: RunSummary


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("run")
    source, out, private = folder / "in", folder / "out", folder / "private"
    source.mkdir()
    for end in "PRBX":
        (source / f"Orinakyan {end}.jpg").write_bytes(b"pixels" * 9 + end.encode())
    options = RunOptions(private_folder=private, **STUBS)
    return Ran(out, private, run(source, out, load_policy("strict", []), options))


@pytest.fixture
def ran(once: Ran, tmp_path: Path) -> Ran:
    """A copy that may be changed."""
    shutil.copytree(once.out, tmp_path / "out")
    shutil.copytree(once.private, tmp_path / "private")
    return Ran(tmp_path / "out", tmp_path / "private", once.summary)


def _ids(summary: RunSummary) -> dict[str, str]:
    return {done.status: done.item for done in summary.items}


def _json(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text())
    return data


def _validator(name: str) -> Draft202012Validator:
    schema = _json(FOLDER / f"{name}.schema.json")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_published_schemas_are_those_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stale() == []
    monkeypatch.setattr("scripts.make_schemas.FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["make_schemas"])
    assert main() == 0
    assert stale(tmp_path) == []
    (tmp_path / "plan.schema.json").write_text("{}")
    (tmp_path / "old.schema.json").write_text("{}")
    assert stale(tmp_path) == ["old.schema.json", "plan.schema.json"]


def test_what_a_run_writes_is_what_the_schemas_say(ran: Ran) -> None:
    ids, out = _ids(ran.summary), ran.out
    assert set(ids) == {"published", "review", "blocked", "failed"}
    reports = sorted((out / "report" / "items").glob("*.json"))
    assert {path.stem for path in reports} == set(ids.values()) - {ids["failed"]}
    for name, files in (
        ("item-report", reports),
        ("plan", sorted((out / "plans").glob("*.json"))),
        ("report", [out / "report" / "report.json"]),
    ):
        validator = _validator(name)
        assert files
        for path in files:
            data = _json(path)
            assert [error.message for error in validator.iter_errors(data)] == []
            assert not validator.is_valid({**data, "path": "/home"}), "no room for what nobody knows"
    summary = _json(out / "report" / "report.json")
    assert summary["counts"] == {
        "BLOCK": 1, "FAILED": 1, "REJECTED": 0, "REVIEW": 1, "ACCEPTED": 0, "PUBLISH": 1
    }  # fmt: skip
    assert [line["item"] for line in summary["items"]] == [
        ids[status] for status in ("blocked", "failed", "review", "published")
    ]
    assert summary["items"][1]["reason"] == "damaged"
    assert summary["last_run"]["items"] == 4 and summary["last_run"]["ended"]
    with Store(out, ran.private) as store:
        assert summary["ledger_head"] == str(store.ledger.head())


def test_a_report_with_everything_in_it_fits_its_schema_too() -> None:
    spans = (Span(first=0, last=4, box=(1, 2, 3, 4), origin="detected"),)
    spans += (Span(first=3, last=8, box=(1, 2, 3, 4), origin="gate"),)
    plan = Plan(
        item="film0000",
        source=SourceDigest(salt="0" * 32, sha256="0" * 64),
        media=MediaFacts(
            kind="video",
            format="mov",
            width=64,
            height=36,
            frames=20,
            time_base=(1, 600),
            duration_ticks=1500,
        ),
        shots=((0, 9), (10, 19)),
        tracks=(
            Track(id=1, kind="text", spans=spans),
            Track(id=2, kind="face", keep=True, spans=spans[:1]),
        ),
        audio=(SoundEdit(kind="mute", start=0, end=300, time_base=(1, 600)),),
        output=OutputSpec(format="mp4"),
        notes=("no_face_found",),
    )
    gate = GateReport(
        sha256="0" * 64,
        format="mp4",
        width=64,
        height=36,
        frames=20,
        looks=(Look(what="faces", by="x", frames=3, of_frames=20),),
        findings=(Finding(kind=FindingKind.FACE, detail="x@1", first=1, last=2, box=(0, 0, 1.5, 2)),),
    )
    text = item_report(
        Outcome(plan, gate, Path("x"), 1, {"analyse": 1.23456, "gate": 2.0}),
        Policy(),
        {"yunet": "0" * 64},
        b"\xff",
    )
    data = json.loads(text)
    assert [error.message for error in _validator("item-report").iter_errors(data)] == []
    assert data["timeline"]["covers"][0] == {
        "kind": "text", "keep": False, "origins": ["detected", "gate"], "runs": [[0, 8]], "boxes": []
    }  # fmt: skip
    assert data["covered"]["tracks"] == {"text": 1}, "what is shown on purpose is not covered"
    assert data["output"]["seconds"] == 2.5
    assert data["covered"]["sound"] == {"mode": "remove", "edits": 1, "seconds": 0.5}
    assert data["processing"] == {"seconds": {"analyse": 1.235, "gate": 2.0}, "total_seconds": 3.235}
    assert PUBLISHED_MODELS["plan"].model_validate_json(plan.to_json()) == plan
    endless = plan.audio[0].model_copy(update={"end": 86_400 * 600})
    longer = Outcome(plan.model_copy(update={"audio": (endless,)}), gate, Path("x"), 0, {})
    assert json.loads(item_report(longer, Policy(), {}, b""))["covered"]["sound"]["seconds"] == 2.5


def test_time_is_counted_by_stage_over_all_rounds() -> None:
    ticks = iter([0.0, 2.0, 2.0, 3.0, 10.0, 10.5])
    clock = StageClock(lambda: next(ticks))
    with clock.timing("render"):
        pass
    with clock.timing("gate"):
        pass
    with pytest.raises(ValueError, match="no"), clock.timing("render"):
        raise ValueError("no")
    assert clock.seconds == {"render": 2.5, "gate": 1.0}


def test_times_are_in_the_report_and_nowhere_in_the_ledger(ran: Ran) -> None:
    ids, out = _ids(ran.summary), ran.out
    spent = _json(out / "report" / "items" / f"{ids['published']}.json")["processing"]
    assert set(spent["seconds"]) == {"analyse", "render", "gate"}
    assert spent["total_seconds"] >= 0.02, "the stub stages sleep longer than that"
    with Store(out, ran.private) as store:
        rows = list(store.ledger.rows())
    assert not any({"seconds", "processing"} & set(data) for _, _, _, data in rows)


def test_the_picture_of_what_a_person_rejects_is_gone_everywhere(ran: Ran) -> None:
    ids, out = _ids(ran.summary), ran.out
    item = ids["published"]
    file = out / "report" / "items" / f"{item}.json"
    preview = _json(file)["preview_jpeg"]
    assert preview and preview in (out / "report" / "index.html").read_text()
    with Store(out, ran.private) as store:
        reject(store, item, "k7")
    assert _json(file)["preview_jpeg"] == ""
    assert not any(preview in path.read_text() for path in (out / "report").rglob("*") if path.is_file())
    assert _validator("item-report").is_valid(_json(file))
    assert _json(out / "report" / "report.json")["counts"]["REJECTED"] == 1


def test_a_decision_rewrites_the_report_and_subtitles_are_no_items_of_it(ran: Ran) -> None:
    ids, out = _ids(ran.summary), ran.out
    with Store(out, ran.private) as store:
        row = {SIDECAR_OF: ids["published"], "sha256": "0" * 64, "verdict": "PUBLISH", "room": "published"}
        store.ledger.append("released", "subtitle0", **row)
        accept(store, ids["review"], "k7", {0: "a poster"})
        summary = _json(out / "report" / "report.json")
        assert (summary["beside"], summary["counts"]["ACCEPTED"], summary["counts"]["REVIEW"]) == (1, 1, 0)
        assert {line["item"] for line in summary["items"]} == set(ids.values())
        assert "subtitle0" not in (out / "report" / "index.html").read_text()


def test_a_report_that_is_lost_or_broken_stops_nothing(ran: Ran) -> None:
    ids, out = _ids(ran.summary), ran.out
    folder = out / "report" / "items"
    (folder / f"{ids['published']}.json").write_text('{"preview_jpeg": "<b>"')
    (folder / f"{ids['review']}.json").unlink()
    with Store(out, ran.private) as store:
        write_report(store)
    lines = {line["item"]: line for line in _json(out / "report" / "report.json")["items"]}
    assert lines[ids["published"]]["standing"] == "PUBLISH"
    assert not lines[ids["published"]]["detailed"]
    assert (lines[ids["review"]]["detailed"], lines[ids["review"]]["findings"]) == (False, 1)
    assert lines[ids["blocked"]]["detailed"]
    assert "<b>" not in (out / "report" / "index.html").read_text()


def test_no_name_is_anywhere_in_the_report(once: Ran, ran: Ran) -> None:
    for path in (ran.out / "report").rglob("*"):
        assert "orinakyan" not in path.name.lower()
        if path.is_file():
            text = path.read_text().lower()
            assert "orinakyan" not in text
            assert str(once.out.parent).lower() not in text
