"""The commands as a user types them: output, exit status, and what they never print."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from redact.errors import ExitCode


def redact(*arguments: object, private: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "REDACT_PRIVATE_DIR": str(private), "COLUMNS": "200", **settings}
    return subprocess.run(
        [sys.executable, "-c", "from redact.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "Orinakyan.jpg"
    path.parent.mkdir()
    cv2.imwrite(str(path), data.astronaut()[:, :, ::-1])
    return path


def test_run_prints_a_line_an_item_without_names_or_paths(portrait: Path, tmp_path: Path) -> None:
    done = redact("run", portrait.parent, tmp_path / "out", private=tmp_path / "private")
    assert done.returncode == ExitCode.PUBLISHED, done.stderr
    assert "published" in done.stdout
    assert "rinakyan" not in done.stdout + done.stderr
    assert str(tmp_path) not in done.stdout + done.stderr
    again = redact("run", portrait.parent, tmp_path / "out", private=tmp_path / "private")
    assert "Nothing to do" in again.stdout
    names = redact("lookup", tmp_path / "out", private=tmp_path / "private")
    assert "Orinakyan.jpg" in names.stdout
    verified = redact("ledger", "verify", tmp_path / "out", private=tmp_path / "private")
    assert verified.returncode == ExitCode.PUBLISHED, verified.stderr


def test_a_foreign_file_in_published_fails_the_ledger_check(portrait: Path, tmp_path: Path) -> None:
    redact("run", portrait.parent, tmp_path / "out", private=tmp_path / "private")
    (tmp_path / "out" / "published" / "extra.jpg").write_bytes(portrait.read_bytes())
    done = redact("ledger", "verify", tmp_path / "out", private=tmp_path / "private")
    assert done.returncode == ExitCode.TOOL_ERROR


def test_run_as_json_is_one_object_a_line_with_a_summary_last(portrait: Path, tmp_path: Path) -> None:
    done = redact("run", portrait.parent, tmp_path / "out", "--json", private=tmp_path / "private")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["event"] for record in records] == ["started", "item", "summary"]
    assert records[-1]["published"] == 1


def test_check_refuses_an_original_and_passes_its_redacted_copy(portrait: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    refused = redact("check", portrait, private=private)
    assert refused.returncode in (ExitCode.NEEDS_REVIEW, ExitCode.BLOCKED)
    assert "face" in refused.stdout
    assert "rinakyan" not in refused.stdout + refused.stderr
    redact("run", portrait.parent, tmp_path / "out", private=private)
    (published,) = (tmp_path / "out" / "published").iterdir()
    passed = redact("check", published, private=private)
    assert passed.returncode == ExitCode.PUBLISHED, passed.stdout
    both = redact("check", "--json", published, portrait, private=private)
    verdicts = [json.loads(line)["verdict"] for line in both.stdout.splitlines()]
    assert verdicts[0] == "PUBLISH"
    assert verdicts[1] != "PUBLISH"
    assert both.returncode != ExitCode.PUBLISHED


@pytest.mark.parametrize("content", [b"", b"plain words", b"\xff\xd8\xff\xe0 not really a picture"])
def test_check_never_passes_what_it_cannot_read(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file.jpg"
    file.write_bytes(content)
    done = redact("check", file, tmp_path / "missing.jpg", private=tmp_path / "private")
    assert done.returncode not in (ExitCode.PUBLISHED, ExitCode.USAGE), done.stdout
    assert len(done.stdout.splitlines()) >= 2


def test_what_an_edited_plan_says_is_what_is_drawn(portrait: Path, tmp_path: Path) -> None:
    private, plan_file = tmp_path / "private", tmp_path / "plan.json"
    assert redact("plan", portrait, "--out", plan_file, private=private).returncode == 0
    plan = json.loads(plan_file.read_text())
    faces = [track for track in plan["tracks"] if track["kind"] == "face"]
    assert faces
    added = {"first": 0, "last": 0, "box": [10, 460, 40, 40], "origin": "reviewer"}
    plan["tracks"] = [{"id": 1, "kind": "face", "spans": [added]}]
    plan_file.write_text(json.dumps(plan))
    out = tmp_path / "edited.jpg"
    done = redact("render", portrait, "--plan", plan_file, "--out", out, private=private)
    assert done.returncode == ExitCode.NEEDS_REVIEW, "the face is bare again, and the gate says so"
    image = cv2.imread(str(out))
    assert image[465:495, 15:45].max() <= 8
    original = cv2.imread(str(portrait))
    face = np.s_[80:160, 190:260]
    assert np.abs(image[face].astype(int) - original[face]).mean() < 8


def test_a_face_is_shown_only_where_plan_and_policy_and_day_agree(portrait: Path, tmp_path: Path) -> None:
    private, plan_file = tmp_path / "private", tmp_path / "plan.json"
    redact("plan", portrait, "--out", plan_file, private=private)
    plan = json.loads(plan_file.read_text())
    for track in plan["tracks"]:
        track["keep"] = track["kind"] == "face"
    plan_file.write_text(json.dumps(plan))

    def render(name: str, *settings: str) -> tuple[subprocess.CompletedProcess[str], Path]:
        out = tmp_path / name
        options = [part for setting in settings for part in ("--set", setting)]
        return redact("render", portrait, "--plan", plan_file, "--out", out, *options, private=private), out

    own = ["name=own-reporter", "keep.mode=reviewed"]
    for name, settings in (("a.jpg", []), ("b.jpg", [*own, "keep.until=2020-01-01"])):
        refused, out = render(name, *settings)
        assert refused.returncode == ExitCode.INPUT_ERROR
        assert not out.exists()
    shown, out = render("c.jpg", *own, "keep.until=2099-01-01")
    assert shown.returncode == ExitCode.PUBLISHED, shown.stdout
    assert "shown on purpose: " in shown.stdout
    face = np.s_[80:160, 190:260]
    assert np.abs(cv2.imread(str(out))[face].astype(int) - cv2.imread(str(portrait))[face]).mean() < 8


def test_a_plan_of_another_file_is_refused(portrait: Path, tmp_path: Path) -> None:
    private, plan_file, other = tmp_path / "private", tmp_path / "plan.json", tmp_path / "other.jpg"
    redact("plan", portrait, "--out", plan_file, private=private)
    cv2.imwrite(str(other), cv2.imread(str(portrait))[::-1])
    done = redact("render", other, "--plan", plan_file, "--out", tmp_path / "x.jpg", private=private)
    assert done.returncode == ExitCode.INPUT_ERROR
    assert not (tmp_path / "x.jpg").exists()


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


def test_missing_models_stop_a_run_before_anything_is_touched(portrait: Path, tmp_path: Path) -> None:
    empty = tmp_path / "weights"
    empty.mkdir()
    done = redact(
        "run", portrait.parent, tmp_path / "out", private=tmp_path / "private", REDACT_WEIGHTS=str(empty)
    )
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
