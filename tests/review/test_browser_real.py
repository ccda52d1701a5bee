"""The whole way in a real Chromium: what a run left to a person is looked at, covered, and published covered.

Real server, real workers, real files; only the checks that need models are left out of the gate for speed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import review_browser as chrome
from fake_review import film, picture
from PIL import Image

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import Page, expect

from redact.batch.run import RunOptions, run
from redact.batch.store import Store
from redact.policy import load_policy

pytestmark = pytest.mark.skipif(bool(chrome.missing()), reason=chrome.missing())

ROOT = Path(__file__).parents[2]
NAME = "Orinakyan"
FRAMES = 24
FAST = ("text.mode=off", "faces.mode=fast", "faces.expected_heads=off", "gate.faces=false", "gate.text=false")
RED, DARK = 180, 40
"""The square of an original has more red than the first, one under a cover less than the second."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo and a film with a square in it that no model takes for a face, so that both wait."""
    place = tmp_path_factory.mktemp("review")
    (place / "in").mkdir()
    picture(0, original=True).save(place / "in" / f"{NAME}.jpg", quality=95)
    (place / "in" / f"{NAME}.mp4").write_bytes(film(FRAMES, original=True))
    options = RunOptions(private_folder=place / "private")
    done = run(place / "in", place / "out", load_policy("strict", list(FAST)), options)
    assert [item.status for item in done.items] == ["review", "review"]
    return place


@pytest.fixture(scope="module")
def address(place: Path) -> Iterator[str]:
    """What `redact review` prints for the reviewer. What it says besides must name nothing."""
    settings = [word for setting in FAST for word in ("--set", setting)]
    program = [sys.executable, "-c", "from redact.cli import main; main()"]
    command = [
        "review",
        str(place / "out"),
        "--input",
        str(place / "in"),
        "--by",
        "k7",
        "--no-open",
        *settings,
    ]
    path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    env = {**os.environ, "PYTHONPATH": path, "REDACT_PRIVATE_DIR": str(place / "private")}
    log = place / "log"
    with log.open("w") as said:
        started = subprocess.Popen(
            [*program, *command], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=said, text=True
        )
    assert started.stdout is not None
    printed = started.stdout.readline()
    assert "http://127.0.0.1:" in printed, log.read_text()
    yield printed.split()[1]
    started.send_signal(signal.SIGTERM)
    assert started.wait(timeout=120) == 0
    started.stdout.close()
    assert NAME not in log.read_text()


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    with chrome.chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        wrong: list[str] = []
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        with chrome.patient(page):
            page.goto(address)
            expect(page.locator("a.card")).to_have_count(2)
            yield page
        assert wrong == []


def _open(page: Page, kind: str) -> str:
    """Open the item of that kind; its public id."""
    page.get_by_role("link", name="Review", exact=True).click()
    card = page.locator("a.card", has_text=kind)
    item = (card.get_attribute("href") or "").rpartition("/")[2]
    card.click()
    chrome.until(page, chrome.pixel(60, 80, f"> {RED}"))
    expect(page.get_by_role("region", name="Picture", exact=True)).to_have_attribute("aria-busy", "false")
    return item


def _drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A drag between two points, in pixels of the item."""
    box = page.locator(".host canvas").bounding_box()
    assert box is not None
    scale = box["width"] / picture(0).width
    (x0, y0), (x1, y1) = start, end
    page.mouse.move(box["x"] + x0 * scale, box["y"] + y0 * scale)
    page.mouse.down()
    page.mouse.move(box["x"] + x1 * scale, box["y"] + y1 * scale, steps=4)
    page.mouse.up()


def test_box_on_a_photo_covers_the_published_file(page: Page, place: Path) -> None:
    item = _open(page, "photo")
    page.keyboard.press("n")
    expect(page.locator("button[aria-current=true]")).to_contain_text("no face was found")
    page.keyboard.press("b")
    _drag(page, (35, 55), (90, 110))
    expect(page.get_by_text("New face 1: added")).to_be_visible()
    page.keyboard.press("a")
    page.get_by_role("dialog").get_by_role("button", name="Draw and check").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".changes")).to_have_count(0)
    (file,) = (place / "out").glob(f"*/{item}.jpg")
    shown = np.asarray(Image.open(file).convert("RGB"))
    assert shown[60:101, 40:81].max() < DARK
    assert shown[20, 200, 0] > 100, "the rest of the picture stays"
    _approve(page, place, item)


def test_box_on_a_film_follows_and_covers_every_frame(page: Page, place: Path) -> None:
    item = _open(page, "video")
    page.keyboard.press("b")
    _drag(page, (36, 56), (86, 106))
    expect(page.get_by_text(f"New face 1: added on frames 0–{FRAMES - 1}")).to_be_visible()
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Follow again")).to_be_visible()
    page.keyboard.press("a")
    page.get_by_role("dialog").get_by_role("button", name="Draw and check").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".changes")).to_have_count(0)
    (file,) = (place / "out").glob(f"*/{item}.mp4")
    with av.open(str(file)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == FRAMES
    for n, shown in enumerate(frames):
        assert shown[66:95, 46 + 3 * n : 75 + 3 * n].max() < 60, f"frame {n}"
    _approve(page, place, item)


def _approve(page: Page, place: Path, item: str) -> None:
    """If the check still asks for a person, say why it may pass. Then it is published and on record."""
    if list((place / "out" / "review").glob(f"{item}.*")):
        page.keyboard.press("a")
        page.get_by_role("dialog").get_by_role("textbox").first.fill("the square is covered now")
        page.get_by_role("dialog").get_by_role("button", name="Approve").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
    assert list((place / "out" / "published").glob(f"{item}.*"))
    with Store(place / "out", place / "private") as store:
        decided = [data["review"]["by"] for *_, data in store.ledger.rows_of(item) if data.get("review")]
    assert set(decided) == {"k7"}
