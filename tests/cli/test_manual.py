"""The manual page is what the commands say today, and completion knows the commands."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from redact.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "redact.1"


def test_the_page_is_current() -> None:
    spec = importlib.util.spec_from_file_location("man_page", ROOT / "scripts" / "man_page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == PAGE.read_text(encoding="utf-8"), "run `make man`"


def test_every_command_and_option_is_in_it() -> None:
    text = PAGE.read_text(encoding="utf-8").replace("\\-", "-")
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        assert f"\n.SS redact {name}" in text
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert f"\\fB{parameter.opts[0]}" in text


def test_nobody_is_told_to_install_a_strangers_package() -> None:
    """On the public index the name belongs to somebody else; ours is installed from its checkout."""
    by_name = re.compile(r"pip install (?:-\S+ )*[\"']?redact\b")
    places = ("docs/**/*.md", "integrations/**/*.md", "redact/*.py", "redact/*/*.py", "README.md")
    files = [path for place in places for path in ROOT.glob(place)]
    assert [path.name for path in files if by_name.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here")
def test_groff_has_nothing_to_say_about_it() -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", str(PAGE)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "redact" in done.stdout


def test_completion_offers_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'redact'; from redact.cli import main; main()"],
        env={**os.environ, "_REDACT_COMPLETE": "complete_bash", "COMP_WORDS": "redact wa", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["watch"]
