"""The commands as a user types them: output, exit status, and what they never print.

Batches go through stages without models, for here it is about words, files and exits; what is planned, drawn
and judged goes through the real ones, faces alone, since all that is asked is whether they are heeded.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from in_process import Done, workers_here
from in_process import command as redact
from skimage import data

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from redact.batch.run import RunOptions
from redact.errors import ExitCode

FACES_ALONE = ("--set", "faces=fast", "--set", "text=off", "--set", "gate.text=false")
FACE = np.s_[80:160, 190:260]


def as_typed(*arguments: object, private: Path) -> Done:
    """The command in a process of its own, and its workers in theirs."""
    done = subprocess.run(
        [sys.executable, "-c", "from redact.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "REDACT_PRIVATE_DIR": str(private), "COLUMNS": "200"},
        timeout=300,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(autouse=True)
def in_process() -> Iterator[None]:
    with workers_here():
        yield


@pytest.fixture
def stub_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches without models: see `bench/stub_stages.py`."""
    stubs = partial(RunOptions, maker="bench.stub_stages:maker", gate="bench.stub_stages:gate")
    monkeypatch.setattr("redact.cli.run.RunOptions", stubs)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder with one file, that the stubs publish."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Orinakyan.jpg").write_bytes(b"a portrait P")
    return tmp_path / "in"


@dataclass(frozen=True)
class Portrait:
    """A face, the plan for it, and the file that was drawn by that plan."""

    file: Path
    plan: Path
    covered: Path

    def replanned(self, folder: Path, **changes: object) -> Path:
        """A plan that somebody edited."""
        plan = json.loads(self.plan.read_text())
        edited = folder / "edited.json"
        edited.write_text(json.dumps({**plan, **changes}))
        return edited


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Portrait:
    folder = tmp_path_factory.mktemp("portrait")
    made = Portrait(folder / "Orinakyan.jpg", folder / "plan.json", folder / "covered.jpg")
    cv2.imwrite(str(made.file), data.astronaut()[:, :, ::-1])
    private = folder / "private"
    with workers_here():
        planned = redact("plan", made.file, "--out", made.plan, *FACES_ALONE, private=private)
    assert planned.returncode == ExitCode.PUBLISHED, planned.stderr
    options = ("--plan", made.plan, "--out", made.covered, *FACES_ALONE)
    drawn = as_typed("render", made.file, *options, private=private)
    assert drawn.returncode == ExitCode.PUBLISHED, drawn.stdout + drawn.stderr
    for done in (planned, drawn):
        assert "rinakyan" not in done.stdout + done.stderr
        assert str(folder) not in done.stdout + done.stderr
    return made


@pytest.mark.usefixtures("stub_stages")
def test_run_prints_a_line_an_item_without_names_or_paths(inputs: Path, tmp_path: Path) -> None:
    out, private = tmp_path / "out", tmp_path / "private"
    done = redact("run", inputs, out, private=private)
    assert done.returncode == ExitCode.PUBLISHED, done.stderr
    assert "published" in done.stdout
    assert "rinakyan" not in done.stdout + done.stderr
    assert str(tmp_path) not in done.stdout + done.stderr
    again = redact("run", inputs, out, private=private)
    assert "Nothing to do" in again.stdout
    names = redact("lookup", out, private=private)
    assert "Orinakyan.jpg" in names.stdout
    verified = redact("ledger", "verify", out, private=private)
    assert verified.returncode == ExitCode.PUBLISHED, verified.stderr
    (out / "published" / "extra.jpg").write_bytes(b"no row speaks of it")
    foreign = redact("ledger", "verify", out, private=private)
    assert foreign.returncode == ExitCode.TOOL_ERROR


@pytest.mark.usefixtures("stub_stages")
def test_run_as_json_is_one_object_a_line_with_a_summary_last(inputs: Path, tmp_path: Path) -> None:
    done = redact("run", inputs, tmp_path / "out", "--json", private=tmp_path / "private")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["event"] for record in records] == ["started", "item", "summary"]
    assert records[-1]["published"] == 1


def test_check_refuses_an_original_and_passes_its_redacted_copy(portrait: Portrait, tmp_path: Path) -> None:
    private = tmp_path / "private"
    passed = redact("check", portrait.covered, *FACES_ALONE, private=private)
    assert passed.returncode == ExitCode.PUBLISHED, passed.stdout
    assert " PUBLISH " in passed.stdout
    both = redact("check", "--json", portrait.covered, portrait.file, *FACES_ALONE, private=private)
    copy, original = (json.loads(line) for line in both.stdout.splitlines())
    assert copy["verdict"] == "PUBLISH"
    assert original["verdict"] in ("REVIEW", "BLOCK")
    assert "face" in {finding["kind"] for finding in original["findings"]}
    assert both.returncode in (ExitCode.NEEDS_REVIEW, ExitCode.BLOCKED)
    assert "rinakyan" not in both.stdout + both.stderr


def test_check_never_passes_what_it_cannot_read(tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.jpg" for n in range(4)]  # the last one is not there
    contents = (b"", b"plain words", b"\xff\xd8\xff\xe0 not really a picture")
    for file, content in zip(files, contents, strict=False):
        file.write_bytes(content)
    done = redact("check", *files, private=tmp_path / "private")
    assert done.returncode not in (ExitCode.PUBLISHED, ExitCode.USAGE), done.stdout
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(said) == {"#1", "#2", "#3", "#4"}
    for words in said.values():
        assert any(f"{word} " in words for word in ("ERROR", "BLOCK undecodable", "REVIEW unverifiable")), (
            said
        )


def test_what_an_edited_plan_says_is_what_is_drawn(portrait: Portrait, tmp_path: Path) -> None:
    faces = [track for track in json.loads(portrait.plan.read_text())["tracks"] if track["kind"] == "face"]
    assert faces
    added = {"first": 0, "last": 0, "box": [10, 460, 40, 40], "origin": "reviewer"}
    plan = portrait.replanned(tmp_path, tracks=[{"id": 1, "kind": "face", "spans": [added]}])
    out = tmp_path / "edited.jpg"
    options = ("--plan", plan, "--out", out, *FACES_ALONE)
    done = redact("render", portrait.file, *options, private=tmp_path / "private")
    assert done.returncode == ExitCode.NEEDS_REVIEW, "the face is bare again, and the gate says so"
    image = cv2.imread(str(out))
    assert image[465:495, 15:45].max() <= 8
    original = cv2.imread(str(portrait.file))
    assert np.abs(image[FACE].astype(int) - original[FACE]).mean() < 8


def test_a_face_is_shown_only_where_plan_and_policy_and_day_agree(portrait: Portrait, tmp_path: Path) -> None:
    tracks = json.loads(portrait.plan.read_text())["tracks"]
    kept = [{**track, "keep": track["kind"] == "face"} for track in tracks]
    plan = portrait.replanned(tmp_path, tracks=kept)

    def render(name: str, *settings: str) -> tuple[Done, Path]:
        out = tmp_path / name
        options = ["--plan", plan, "--out", out, *FACES_ALONE]
        options += [part for setting in settings for part in ("--set", setting)]
        return redact("render", portrait.file, *options, private=tmp_path / "private"), out

    own = ["name=own-reporter", "keep.mode=reviewed"]
    for name, settings in (("a.jpg", []), ("b.jpg", [*own, "keep.until=2020-01-01"])):
        refused, out = render(name, *settings)
        assert refused.returncode == ExitCode.INPUT_ERROR
        assert not out.exists()
    shown, out = render("c.jpg", *own, "keep.until=2099-01-01")
    assert shown.returncode == ExitCode.PUBLISHED, shown.stdout
    assert "shown on purpose: " in shown.stdout
    original = cv2.imread(str(portrait.file))
    assert np.abs(cv2.imread(str(out))[FACE].astype(int) - original[FACE]).mean() < 8


def test_a_plan_of_another_file_is_refused(portrait: Portrait, tmp_path: Path) -> None:
    other, out = tmp_path / "other.jpg", tmp_path / "x.jpg"
    cv2.imwrite(str(other), cv2.imread(str(portrait.file))[::-1])
    options = ("--plan", portrait.plan, "--out", out, *FACES_ALONE)
    done = redact("render", other, *options, private=tmp_path / "private")
    assert done.returncode == ExitCode.INPUT_ERROR
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "nowhere", "out"],
        ["nonsense"],
        ["run", ".", "out", "--set", "faces.paddng=2"],
        ["check", "x.jpg", "--policy", "nope"],
    ],
)
def test_a_wrong_command_line_has_its_own_exit_status(arguments: list[str], tmp_path: Path) -> None:
    done = redact(*arguments, private=tmp_path / "private")
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert "Traceback" not in done.stderr


def test_a_process_ends_with_the_exit_status_of_its_command(tmp_path: Path) -> None:
    done = as_typed("nonsense", private=tmp_path / "private")
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert "Traceback" not in done.stderr


def test_policy_show_lists_every_setting(tmp_path: Path) -> None:
    done = redact("policy", "show", "--json", private=tmp_path)
    keys = {json.loads(line)["key"] for line in done.stdout.splitlines()}
    assert {"faces.mode", "audio.mode", "output.filenames", "metadata.rights"} <= keys


def test_doctor_names_every_model_with_its_digest(tmp_path: Path) -> None:
    done = redact("doctor", "--json", private=tmp_path)
    names = {json.loads(line)["name"]: json.loads(line) for line in done.stdout.splitlines()}
    assert names["model yunet"]["ok"]
    assert "OCR hye" in names
    assert done.returncode == ExitCode.PUBLISHED, done.stdout


def test_missing_models_stop_a_run_before_anything_is_touched(inputs: Path, tmp_path: Path) -> None:
    empty = tmp_path / "weights"
    empty.mkdir()
    done = redact("run", inputs, tmp_path / "out", private=tmp_path / "private", REDACT_WEIGHTS=str(empty))
    assert done.returncode == ExitCode.TOOL_ERROR
    assert "models pull" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_listed_name_in_an_article_is_told_by_its_place_and_never_written(tmp_path: Path) -> None:
    names, article = tmp_path / "list.txt", tmp_path / "article.txt"
    names.write_text("Գևորգ Օրինակյան, Gevorg Orinakyan\n", encoding="utf-8")
    article.write_text("The council met.\nLetters of Геворга Оринакяна were read.\n", encoding="utf-8")
    done = redact("check", "--text", article, "--names", names, private=tmp_path / "private")
    assert done.returncode == ExitCode.NEEDS_REVIEW
    assert "watch list line 1 at line 2" in done.stdout
    assert not any(word in done.stdout + done.stderr for word in ("Оринакян", "Orinakyan", "Օրինակյան"))
