"""How `redact review OUT` starts its page: what it is given, and when it opens a browser."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import redact.review.serve
from redact.cli.app import app
from redact.errors import UsageError

ADDRESS = "http://127.0.0.1:8000/#token"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[Any, list[str], str]]:
    """Start it with options: its settings, the addresses that a browser was opened with, what it printed."""
    (tmp_path / "out").mkdir()
    sqlite3.connect(tmp_path / "out" / "ledger.sqlite").close()
    opened: list[str] = []

    def start(*options: str) -> tuple[Any, list[str], str]:
        seen: list[Any] = []

        def serve(settings: Any, show: Callable[[str, str], None], keyboard: object) -> None:
            assert keyboard is None, "standard input is no terminal"
            seen.append(settings)
            for code in settings.codes:
                show(code, ADDRESS + code)

        monkeypatch.setattr(redact.review.serve, "serve", serve)
        monkeypatch.setattr(redact.review.serve, "open_browser", opened.append)
        done = CliRunner().invoke(app, ["review", str(tmp_path / "out"), *options])
        if done.exception is not None:
            raise done.exception
        return seen[0], opened, done.stdout

    return start


def test_every_reviewer_gets_an_address_and_the_browser_the_first(
    started: Callable[..., tuple[Any, list[str], str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISPLAY", ":7")
    settings, opened, printed = started(
        *("--by", "k7", "--by", "m2", "--by", "k7", "--input", str(tmp_path), "--port", "8123"),
        *("--policy", "desk", "--set", "photo.quality=60"),
    )
    assert settings.codes == ("k7", "m2")
    assert (settings.source, settings.port, settings.policy.photo.quality) == (tmp_path, 8123, 60)
    assert opened == [f"{ADDRESS}k7"]
    assert printed.split() == ["k7", f"{ADDRESS}k7", "m2", f"{ADDRESS}m2"]


def test_no_browser_is_opened_where_there_is_no_display_or_nobody_wants_it(
    started: Callable[..., tuple[Any, list[str], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    settings, opened, printed = started()
    assert (settings.codes, settings.source, opened) == (("me",), None, [])
    assert ADDRESS in printed
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert started("--no-open")[1] == []


@pytest.mark.parametrize(
    "options",
    [
        ("--by", "Orinakyan"),
        ("--accept",),
        ("--reason", "a mask"),
        ("abcd", "--accept", "--by", "k7", "--by", "m2"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    started: Callable[..., tuple[Any, list[str], str]], options: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError) as refused:
        started(*options)
    assert "Orinakyan" not in str(refused.value)
