"""`redact init`: a policy file that says what was answered, is accepted, and replaces nothing."""

import itertools
import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from in_process import command
from typer.testing import CliRunner

from redact.cli.app import app
from redact.cli.init import QUESTIONS, WORTH_KNOWING, policy_text
from redact.errors import ExitCode, UsageError
from redact.policy import Policy, describe, load_policy

COMMAND = [sys.executable, "-c", "from redact.cli import main; main()", "init"]


def _init(*arguments: object, stdin: int = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], stdin=stdin, capture_output=True, text=True, timeout=60, check=False
    )


def test_every_combination_of_answers_is_a_policy_that_says_so(tmp_path: Path) -> None:
    combinations = list(itertools.product(*(question.choices for question in QUESTIONS)))
    assert len(combinations) == 72
    file = tmp_path / "policy.toml"
    for choices in combinations:
        settings = {key: value for choice in choices for key, value in choice.settings.items()}
        file.write_text(policy_text("newsroom", settings))
        values = {key: value for key, value, _ in describe(load_policy(str(file)))}
        assert {key: values[key] for key in settings} == settings
        defaults = {key: value for key, value, _ in describe(Policy())}
        assert {key for key in values if values[key] != defaults[key]} <= {*settings, "name"}


def test_the_first_answers_are_the_strict_preset() -> None:
    settings = {key: value for question in QUESTIONS for key, value in question.choices[0].settings.items()}
    strict = {key: value for key, value, _ in describe(load_policy("strict"))}
    assert {key: strict[key] for key in settings} == settings


def test_the_file_explains_each_setting_and_shows_others_with_their_defaults(tmp_path: Path) -> None:
    settings = {key: value for question in QUESTIONS for key, value in question.choices[0].settings.items()}
    text = policy_text("newsroom", settings)
    meanings = {key: meaning for key, _, meaning in describe(Policy())}
    plain = " ".join(text.replace("#", " ").split())
    for key in (*settings, *WORTH_KNOWING):
        assert " ".join(meanings[key].split()) in plain, key
    opened = "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines())
    file = tmp_path / "policy.toml"
    file.write_text(text)
    assert tomllib.loads(opened)["faces"]["mode"] == load_policy(str(file)).faces.mode


def test_it_runs_without_a_terminal_and_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "desk.toml"
    answers = ["--text", "captions", "--faceless", "publish", "--sound", "keep", "--rights", "keep"]
    done = command("init", file, *answers, "--filenames", "keep", "--name", "desk-two", private=tmp_path)
    assert done.returncode == 0, done.stderr
    policy = load_policy(str(file))
    assert (policy.name, policy.text.mode, policy.faces.require_one) == ("desk-two", "captions", False)
    assert (policy.audio.mode, policy.metadata.rights, policy.output.filenames) == ("keep", "keep", "keep")
    before = file.read_bytes()
    again = command("init", file, "--strict", private=tmp_path)
    assert again.returncode == ExitCode.USAGE
    assert file.read_bytes() == before
    assert str(tmp_path) not in done.stdout + again.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--text", "all"], "--faceless, --sound, --rights, --filenames"),
        (["--strict", "--sound", "loud"], "--sound takes one of"),
        (["--strict", "--name", "strict"], "preset"),
        (["--strict", "--name", "x" * 65], "name"),
    ],
)
def test_what_cannot_be_answered_writes_nothing(tmp_path: Path, arguments: list[str], said: str) -> None:
    file = tmp_path / "policy.toml"
    done = CliRunner().invoke(app, ["init", str(file), *arguments])
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert not file.exists()


def test_on_a_terminal_it_asks_again_until_it_understands(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"nonsense\ncaptions\n\n2\nkeep\n1\n")
    done = _init(file, stdin=terminal)
    os.close(keyboard)
    os.close(terminal)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("none of them") == 1
    assert all(question.text in done.stdout for question in QUESTIONS)
    policy = load_policy(str(file))
    assert (policy.text.mode, policy.faces.require_one, policy.audio.mode) == (
        "captions",
        True,
        "mute_speech",
    )
    assert (policy.metadata.rights, policy.output.filenames) == ("keep", "random")
