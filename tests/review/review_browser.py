"""A real Chromium for the tests of the review page, found where the system keeps it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

UI = Path(__file__).parents[2] / "redact" / "review" / "ui"
PAGE = UI.parent / "page"
AXE = UI / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
]
PATIENCE_S = 60
"""A busy machine may take as long for what takes a blink on an idle one."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def missing() -> str:
    """Why the tests cannot run, or an empty text."""
    if CHROMIUM is None:
        return "Chromium is not installed"
    return "" if (PAGE / "app.js").is_file() else "the review page was not built; run make setup"


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser for a file of tests; each test takes a page of its own."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe finds wrong with the page as it is, a line each. `rules`: only these."""
    # Evaluated by the debugger, which no content policy binds; the page itself loads no such script.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Any = page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(rules or RULES)}}})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def pixel(x: int, y: int, test: str, where: str = ".host") -> str:
    """JavaScript that tests the red of a pixel of the picture, e.g. `> 100`."""
    canvas = f"document.querySelector('{where} canvas')"
    return f"{canvas}?.getContext('2d').getImageData({x}, {y}, 1, 1).data[0] {test}"


def until(page: Page, script: str) -> None:
    """Until it holds. The page's own policy forbids the browser's way of waiting for a script."""
    end = time.monotonic() + PATIENCE_S
    while not page.evaluate(script):
        assert time.monotonic() < end, f"it never held: {script}"
        page.wait_for_timeout(20)


@contextmanager
def patient(page: Page) -> Iterator[Page]:
    """A page that waits for what is expected of it as long as `until` does."""
    page.set_default_timeout(PATIENCE_S * 1000)
    expect.set_options(timeout=PATIENCE_S * 1000)
    yield page
    expect.set_options(timeout=5000)
