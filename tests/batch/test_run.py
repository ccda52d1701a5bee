"""The batch: what is published, what is not, and what is said about it.

Real media and models where they decide; else stages without models. `test_crash` kills batches.
"""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from redact.batch.results import Results
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.store import Store
from redact.errors import ExitCode, OutputError, UsageError
from redact.policy import load_policy

Places = tuple[Path, Path, Path]
STUBS = {"maker": "bench.stub_stages:maker", "gate": "bench.stub_stages:gate"}
MODELS_OFF = ("faces=off", "text=off", "gate.faces=false", "gate.text=false")
FACES_ONLY = ("text=off", "gate.text=false", "faces.expected_heads=off")
SECRETS = ("Orinakyan", "Օրինակյան", "Գորիս")


def _portrait(path: Path) -> Path:
    """A NASA portrait (public domain), made small. It ends as the stub stages want what they publish."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = cv2.resize(data.astronaut()[:, :, ::-1], (256, 256), interpolation=cv2.INTER_AREA)
    path.write_bytes(cv2.imencode(".jpg", small)[1].tobytes() + b"P")
    return path


def _places(folder: Path) -> Places:
    source = folder / "in"
    source.mkdir()
    return source, folder / "out", folder / "private"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return _places(tmp_path)


def _run(places: Places, *settings: str, **options: object) -> RunSummary:
    source, out, private = places
    return run(
        source, out, load_policy("strict", list(settings)), RunOptions(private_folder=private, **options)
    )


def _published(places: Places) -> list[Path]:
    folder = places[1] / "published"
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, RunSummary]:
    """A folder of real files after a run of real stages under the strict policy."""
    places = _places(tmp_path_factory.mktemp("real"))
    source = places[0]
    portrait = _portrait(source / "Գորիս" / "er" / "Օրինակյան Orinakyan")
    cv2.imwrite(str(source / "Orinakyan.png"), np.full((120, 160, 3), 90, np.uint8))
    (source / "broken.jpg").write_bytes(portrait.read_bytes()[:9000])
    (source / "Orinakyan.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nOrinakyan\n")
    (source / "link.jpg").symlink_to(portrait)
    return places, _run(places)


def test_a_folder_is_published_item_by_item_and_a_second_run_does_nothing(
    real: tuple[Places, RunSummary],
) -> None:
    places, summary = real
    assert summary.counts == {"published": 1, "review": 1, "failed": 2}
    assert summary.set_aside == 1
    assert summary.exit_code is ExitCode.INPUT_ERROR
    (published,) = _published(places)
    image = cv2.imread(str(published))
    assert image.shape == (256, 256, 3)
    assert image[60, 112].max() <= 8, "the face is covered"
    assert {path.name for path in places[1].iterdir()} == {
        "published", "review", "plans", "report", "ledger.sqlite", ".work"
    }  # fmt: skip

    before = published.stat()
    again = _run(places)
    assert again.fresh == 0
    assert again.counts == summary.counts
    assert again.exit_code is summary.exit_code
    assert published.stat() == before


def test_nothing_under_the_output_folder_tells_an_input_name_or_place(
    real: tuple[Places, RunSummary],
) -> None:
    places, summary = real
    out = places[1]
    assert len(_published(places)) == 1 and len(list((out / "review").iterdir())) == 1
    for path in out.rglob("*"):
        name = str(path.relative_to(out)).lower()
        content = path.read_bytes() if path.is_file() else b""
        for secret in (*SECRETS, str(places[0])):
            assert secret.lower() not in name
            assert secret.encode() not in content, path.name
    assert not any(secret in done.reason for done in summary.items for secret in SECRETS)


def test_kept_names_keep_the_tree_and_never_collide(places: Places) -> None:
    folder = places[0] / "a"
    folder.mkdir()
    for name in ("one.jpeg", "one.jpg", "one.JPG", "one.png"):
        (folder / name).write_bytes(name.encode() + b"P")
    _run(places, "output.filenames=keep", jobs=2, **STUBS)
    published = {str(path.relative_to(places[1] / "published")): path for path in _published(places)}
    # everything that the stubs make is a JPEG, and who of two with one name comes first is chance
    third = {"a/one.JPG", "a/one.jpg"} & set(published)
    assert len(third) == 1 and {"a/one.jpeg", "a/one.png.jpg"} <= set(published)
    assert len({name.casefold() for name in published}) == len(published) == 4
    assert len({path.read_bytes() for path in published.values()}) == 4


def test_another_policy_does_the_work_again_and_takes_the_old_files_back(places: Places) -> None:
    (places[0] / "a.jpg").write_bytes(b"...P")
    _run(places, "output.filenames=keep", **STUBS)
    assert [path.name for path in _published(places)] == ["a.jpg"]
    summary = _run(places, **STUBS)
    assert summary.fresh == 1
    assert [path.stem for path in _published(places)] == [summary.items[0].item]


def test_a_dry_run_writes_plans_and_no_media(places: Places) -> None:
    (places[0] / "a.jpg").write_bytes(b"...P")
    summary = _run(places, dry_run=True, **STUBS)
    assert summary.counts == {"planned": 1}
    (plan,) = (places[1] / "plans").glob("*.json")
    assert json.loads(plan.read_text())["item"] == summary.items[0].item
    assert _published(places) == []
    assert list((places[1] / "review").iterdir()) == []


def test_a_dry_run_leaves_the_plan_of_what_lies_there_alone(places: Places) -> None:
    (places[0] / "a.jpg").write_bytes(b"...R")
    (done,) = _run(places, **STUBS).items
    results, plans = Results(places[1], places[2]), places[1] / "plans"
    drawn = results.plan(done.item)
    assert _run(places, dry_run=True, **STUBS).counts == {"planned": 1}
    assert results.plan(done.item) == drawn
    assert {path.name for path in plans.iterdir()} == {f"{done.item}.json", f"{done.item}.dry-run.json"}
    assert _run(places, **STUBS).fresh == 0


def test_an_item_whose_plan_is_another_is_made_anew_so_that_its_covers_can_be_changed(places: Places) -> None:
    (places[0] / "a.jpg").write_bytes(b"...R")
    (done,) = _run(places, **STUBS).items
    results, plan = Results(places[1], places[2]), places[1] / "plans" / f"{done.item}.json"
    for spoil in (plan.unlink, lambda: plan.write_text("{}")):
        spoil()
        with pytest.raises(OutputError, match="run the folder again"):
            results.plan(done.item)
        assert _run(places, **STUBS).fresh == 1
        assert results.plan(done.item).plan.item == done.item
    assert _run(places, **STUBS).fresh == 0


def test_input_and_output_must_not_contain_each_other(places: Places) -> None:
    source = places[0]
    for out in (source, source / "out", source.parent):
        with pytest.raises(UsageError):
            run(source, out, load_policy("strict"), RunOptions(private_folder=places[2]))


@pytest.mark.parametrize(
    ("settings", "options", "reason"),
    [
        (FACES_ONLY, {"maker": "pipeline_faults:detector_raises"}, "worker_died"),
        (MODELS_OFF, {"maker": "pipeline_faults:full_disk"}, ""),
        ((), {**STUBS, "maker": "bench.stub_faults:dies_while_rendering"}, "worker_died"),
        ((), {**STUBS, "gate": "bench.stub_faults:gate_dies"}, "worker_died"),
        ((), {**STUBS, "maker": "bench.stub_faults:plans_for_no_format"}, "worker_died"),
        ((), {**STUBS, "gate": "bench.stub_faults:gate_measures_nonsense"}, "internal"),
    ],
)
def test_a_fault_publishes_nothing_names_the_item_and_says_nothing_else(
    places: Places, settings: tuple[str, ...], options: dict[str, str], reason: str
) -> None:
    _portrait(places[0] / "Orinakyan.jpg")
    summary = _run(places, *settings, **options)
    (done,) = summary.items
    assert (done.status, done.exit_code) == ("failed", ExitCode.TOOL_ERROR)
    assert done.item
    assert reason in done.reason
    assert "rinakyan" not in done.reason and "/" not in done.reason
    assert _published(places) == []
    assert [path.name for path in (places[1] / ".work").iterdir()] == ["lock"]
    again = _run(places, *settings, **STUBS)
    assert again.counts == {"published": 1}, "the machine's fault is worth another try"
    with Store(places[1], places[2]) as store:
        assert store.ledger.verify() > 0


def test_a_renderer_that_covers_nothing_does_not_get_past_the_gate(places: Places) -> None:
    _portrait(places[0] / "a.jpg")
    settings = ("gate.text=false", "gate.heal_rounds=0")
    summary = _run(places, *settings, maker="bench.stub_faults:encoder_lies")
    (done,) = summary.items
    assert (done.status, _published(places)) == ("review", [])
    report = json.loads((places[1] / "report" / "items" / f"{done.item}.json").read_text())
    assert "face" in {finding["kind"] for finding in report["gate"]["findings"]}
