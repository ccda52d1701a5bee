"""The review page in a real Chromium, against a stand-in for the server."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")
import review_browser as chrome
from fake_review import BLOCKED, FILM, FRAMES, PHOTO, SHARED, Fake
from playwright.sync_api import APIResponse, Browser, Page, Request, Route, ViewportSize, expect

pytestmark = pytest.mark.skipif(bool(chrome.missing()), reason=chrome.missing())


SIZE: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chrome.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def server() -> Iterator[Fake]:
    fake = Fake()
    yield fake
    fake.shutdown()


@pytest.fixture
def fake(server: Fake) -> Fake:
    server.reset()
    return server


@pytest.fixture(scope="module")
def window(browser: Browser, server: Fake) -> Iterator[tuple[Page, list[str]]]:
    """The page that all tests use, for a new one costs more than what most do on it; and its complaints."""
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
    page.on("request", lambda sent: wrong.append(sent.url) if not _own(sent, server) else None)
    with chrome.patient(page):
        yield page, wrong
    context.close()


@pytest.fixture
def page(window: tuple[Page, list[str]], fake: Fake) -> Iterator[Page]:
    """The queue of a reviewer who has just come in. Anything that the browser complains of fails the test."""
    page, wrong = window
    wrong.clear()
    page.goto(f"{fake.address}#once")
    expect(page.locator("a.card")).to_have_count(4)
    yield page
    page.unroute_all()
    page.set_viewport_size(SIZE)
    page.emulate_media(color_scheme="light")
    page.evaluate("sessionStorage.clear(); localStorage.clear()")
    page.goto("about:blank")
    assert wrong == []


def _own(sent: Request, fake: Fake) -> bool:
    return sent.url.startswith((fake.address, "blob:" + fake.address))


def _open(page: Page, item: str) -> None:
    page.locator(f"a.card[href$='{item}']").click()
    expect(page.locator(".host canvas")).to_be_visible()
    chrome.until(page, chrome.pixel(1, 40, "> 0"))
    _here(page)


def _still(page: Page, frame: int) -> None:
    """Until the exact picture of that frame is there: boxes are set by it."""
    expect(page.get_by_role("slider", name="Frame")).to_have_attribute("aria-valuenow", str(frame))
    _here(page)


def _here(page: Page) -> None:
    expect(page.get_by_role("region", name="Picture", exact=True)).to_have_attribute("aria-busy", "false")


def _fitted(page: Page) -> None:
    """Until the picture fits the stage: twice its size, no more."""
    expect(page.locator(".percent")).to_have_text("200 %")


def _chosen(page: Page) -> None:
    """Until the selected box has its handles and can be dragged."""
    expect(page.locator(".a9s-annotation.selected")).to_have_count(1)


def _wait(page: Page, holds: Callable[[], object]) -> None:
    """Until it holds here, not on the page."""
    end = time.monotonic() + chrome.PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        page.wait_for_timeout(20)


def _press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def _drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From and to parts of the picture."""
    box = page.locator(".host canvas").bounding_box()
    assert box is not None
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move((at[0][0] + at[1][0]) / 2, (at[0][1] + at[1][1]) / 2)
    page.mouse.move(*at[1])
    page.mouse.up()


def test_token_leaves_the_address_and_works_once(page: Page, fake: Fake, browser: Browser) -> None:
    assert "once" not in page.url
    assert "once" not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    context = browser.new_context()
    other = context.new_page()
    other.goto(f"{fake.address}#once")
    expect(other.get_by_role("heading", name="used before")).to_be_visible()
    context.close()


def test_signing_out_leaves_nothing(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="signed out")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    assert page.locator("img, canvas, video").count() == 0


def test_late_refusal_does_not_tell_who_signed_out_that_the_session_is_over(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/items/*", hold)
    page.locator(f"a.card[href$='{PHOTO}']").click()
    _wait(page, lambda: held)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="signed out")).to_be_visible()
    with page.expect_response("**/api/items/*"):
        held[0].fulfill(status=401, json={"error": "session", "message": "over"})
    page.wait_for_timeout(100)
    expect(page.get_by_role("heading", name="signed out")).to_be_visible()


def test_photo_is_accepted_only_with_a_reason_for_every_finding(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    _press(page, "a")
    approve = page.get_by_role("dialog").get_by_role("button", name="Approve")
    expect(approve).to_be_disabled()
    page.get_by_label("1. A face is still seen").fill("a drawing on a wall")
    approve.click()
    expect(page.get_by_role("status").filter(has_text="published")).to_be_visible()
    assert fake.bodies(f"{PHOTO}/accept") == [{"sha256": "a" * 64, "reasons": {"0": "a drawing on a wall"}}]


def test_one_reason_serves_all_findings_when_asked(page: Page, fake: Fake) -> None:
    _open(page, FILM)
    _press(page, "a")
    page.get_by_label("1. A face is still seen").fill("a doll")
    page.get_by_role("button", name="first reason for all").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert fake.bodies("/accept")[0]["reasons"] == {"0": "a doll", "1": "a doll"}


def test_box_dragged_on_a_photo_is_sent_where_it_was_drawn(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    page.get_by_role("button", name="Add box").click()
    _drag(page, (0.6, 0.3), (0.8, 0.7))
    expect(page.get_by_text("New face 1: added")).to_be_visible()
    _press(page, "a")
    page.get_by_role("dialog").get_by_role("button", name="Draw and check").click()
    expect(page.get_by_role("status").filter(has_text="Drawn, checked and published")).to_be_visible()
    (sent,) = fake.bodies(f"{PHOTO}/draw")
    assert (sent["plan"], sent["sha256"]) == ("b" * 64, "a" * 64)
    old, new = sent["tracks"]
    assert (old["id"], new["id"], new["kind"], new["keep"]) == (1, None, "face", False)
    assert new["spans"][0]["box"] == pytest.approx([192, 54, 64, 72], abs=1.5)


LATE = """() => {
  const at = setTimeout;
  window.setTimeout = (act, ms) => at(act, ms === 1 ? 150 : ms);
  window.chosen = [];
  const look = () => chosen.push(document.querySelector(".row[aria-pressed=true]")?.innerText ?? "");
  const what = { subtree: true, childList: true, attributeFilter: ["aria-pressed"] };
  new MutationObserver(look).observe(document.body, what);
}"""
"""What the library tells a millisecond later comes when the page has gone on. Notes which row is chosen."""


def test_choice_changes_only_by_hand_however_late_the_library_tells_of_it(page: Page) -> None:
    _open(page, PHOTO)
    page.evaluate(LATE)
    row = page.locator(".row[aria-pressed=true]")
    told = "() => new Promise((done) => setTimeout(done, 1))"
    _press(page, "b")
    _drag(page, (0.6, 0.3), (0.8, 0.7))
    expect(row).to_have_text("New face 1")
    _chosen(page)
    page.evaluate(told)
    _drag(page, (0.19, 0.44), (0.19, 0.44))
    expect(row).to_have_text("Face 1")
    page.evaluate(told)
    _drag(page, (0.5, 0.9), (0.5, 0.9))
    expect(row).to_have_count(0)
    page.evaluate(told)
    seen = page.evaluate("chosen")
    assert [one for one, _ in itertools.groupby(seen)] == ["", "New face 1", "Face 1", ""]


def test_detected_box_is_dragged_and_its_loss_is_said(page: Page) -> None:
    _open(page, PHOTO)
    _press(page, "c")
    _chosen(page)
    _drag(page, (0.19, 0.44), (0.59, 0.44))
    expect(page.get_by_role("button", name="Face 1: uncovered", exact=False)).to_be_visible()
    _press(page, "Control+z")
    expect(page.locator(".changes")).to_have_count(0)
    _press(page, "Control+Shift+z")
    expect(page.get_by_text("Face 1: moved")).to_be_visible()


def test_box_is_drawn_and_moved_by_finger(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    page.get_by_role("button", name="Add box").click()
    _swipe(page, (0.5, 0.3), (0.7, 0.6))
    expect(page.get_by_text("New face 1: added")).to_be_visible()
    _chosen(page)
    _swipe(page, (0.6, 0.45), (0.4, 0.45))
    _press(page, "a")
    page.get_by_role("dialog").get_by_role("button", name="Draw and check").click()
    expect(page.get_by_role("status").filter(has_text="published")).to_be_visible()
    new = fake.bodies("/draw")[0]["tracks"][1]
    assert new["spans"][0]["box"] == pytest.approx([96, 54, 64, 54], abs=2)


def _swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A finger from and to parts of the picture."""
    box = page.locator(".host canvas").bounding_box()
    assert box is not None
    wire = page.context.new_cdp_session(page)
    for step in range(6):
        part = [a + (b - a) * step / 5 for a, b in zip(start, end, strict=True)]
        point = {"x": box["x"] + part[0] * box["width"], "y": box["y"] + part[1] * box["height"]}
        kind = "touchMove" if step else "touchStart"
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_everything_on_a_photo_works_by_keyboard_alone(page: Page, fake: Fake) -> None:
    _press(page, "j", "j", "j", "Enter")
    expect(page.get_by_role("heading", name=PHOTO)).to_be_visible()
    _here(page)
    _press(page, "n", "b", "b", "ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown")
    expect(page.get_by_text("New face 1: added")).to_be_visible()
    _press(page, "Control+z", "Control+z", "Control+y", "a")
    page.get_by_role("dialog").wait_for()
    _press(page, "Enter")
    expect(page.get_by_role("status").filter(has_text="published")).to_be_visible()
    (sent,) = fake.bodies("/draw")
    # Pushes with arrows are one step: both were undone, and the box in the middle was done again.
    assert sent["tracks"][1]["spans"][0]["box"] == [142, 72, 36, 36]


def test_box_on_a_film_is_followed_and_drawn(page: Page, fake: Fake) -> None:
    _open(page, FILM)
    _press(page, "n")
    _still(page, 12)
    _press(page, "b", "b")
    expect(page.get_by_text("New face 1: added on frames 12–29")).to_be_visible()
    _press(page, "f")
    expect(page.get_by_role("button", name="Follow again")).to_be_visible()
    assert fake.bodies("/follow")[0] | {"keys": 0} == {"kind": "face", "keys": 0, "first": 12, "last": 29}
    _press(page, ".", ".")
    _still(page, 14)
    _press(page, "]", "a")
    page.get_by_role("dialog").get_by_role("button", name="Draw and check").click()
    expect(page.get_by_role("status").filter(has_text="Drawn, checked and published")).to_be_visible()
    new = fake.bodies("/draw")[0]["tracks"][1]
    assert (new["spans"][0]["first"], max(span["last"] for span in new["spans"])) == (12, 14)


def test_frames_are_stepped_exactly(page: Page, fake: Fake) -> None:
    _open(page, FILM)
    slider = page.get_by_role("slider", name="Frame")
    _press(page, ".", ".", "ArrowRight", ",")
    expect(slider).to_have_attribute("aria-valuenow", "2")
    slider.focus()
    _press(page, "End", "ArrowLeft")
    expect(slider).to_have_attribute("aria-valuenow", str(FRAMES - 2))
    # The covered square: its right edge is there on that frame only.
    chrome.until(page, chrome.pixel(40 + 3 * (FRAMES - 2) + 38, 80, "< 40"))


PLAYING = """() => {
    const line = document.querySelector('.outlines .face .line');
    const canvas = document.querySelector('.host canvas');
    const row = canvas.getContext('2d').getImageData(0, 80, canvas.width, 1).data;
    let dark = 0;
    while (row[4 * dark] > 60 && dark < canvas.width) dark++;
    return [+document.querySelector('[role=slider]').ariaValueNow, +(line?.getAttribute('x') ?? NaN), dark];
}"""
"""The frame that the timeline shows, the left edge of its outline, and that of the covered square."""


def test_film_plays_with_its_outlines(page: Page) -> None:
    _open(page, FILM)
    _press(page, "Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    seen: set[int] = set()

    def look() -> bool:
        """Whether three frames were seen playing, each with its own picture or its neighbour's."""
        if page.get_by_role("button", name="Play", exact=True).is_visible():
            _press(page, "Space")
        frame, left, edge = page.evaluate(PLAYING)
        # Between a frame's picture and its number a busy machine may look once: it is looked at again.
        if 10 < frame < FRAMES - 1 and abs(edge - (40 + 3 * frame)) <= 6 and left <= edge + 2:
            seen.add(frame)
        return len(seen) >= 3

    _wait(page, look)
    page.get_by_role("slider", name="Frame").focus()
    _press(page, "Home")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_original_is_shown_only_while_held(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    assert fake.originals == 0
    red = chrome.pixel(60, 80, "> 180", ".original")
    red = f"document.querySelector('.original canvas')?.width > 0 && {red}"
    page.keyboard.down("o")
    expect(page.get_by_text("Original, not covered")).to_be_visible()
    chrome.until(page, red)
    page.keyboard.up("o")
    expect(page.locator(".original")).to_have_count(0)
    page.get_by_role("button", name="Hold for original").hover()
    page.mouse.down()
    chrome.until(page, red)
    # A long press of a finger asks for a menu: none opens, and the finger is still there.
    menu = "new MouseEvent('contextmenu', {bubbles: true, cancelable: true})"
    assert page.evaluate(f"document.querySelector('.hold').dispatchEvent({menu})") is False
    expect(page.locator(".original")).to_have_count(1)
    page.evaluate("dispatchEvent(new Event('blur'))")
    expect(page.locator(".original")).to_have_count(0)
    page.mouse.up()
    assert fake.originals == 2


def _sent(kind: str, key: str) -> str:
    """JavaScript that sends a key event at once, without a turn of the browser's loop."""
    about = f"{{key: '{key}', code: 'Key{key.upper()}', bubbles: true}}"
    return f"document.body.dispatchEvent(new KeyboardEvent('{kind}', {about}));"


def test_key_let_go_before_the_page_has_drawn_leaves_no_original(page: Page) -> None:
    _open(page, PHOTO)
    page.evaluate(f"() => {{ {_sent('keydown', 'o')} {_sent('keyup', 'o')} }}")
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
    assert page.locator(".original").count() == 0
    expect(page.get_by_role("button", name="Hold for original")).to_be_visible()


def test_dialog_opens_with_the_press_that_asks_for_it(page: Page) -> None:
    """Not a frame later: what is pressed in between would act on what lies behind."""
    _open(page, PHOTO)
    opened = page.evaluate(
        f"""async () => {{
            {_sent("keydown", "x")}
            for (let turn = 0; turn < 5; turn++) await null;
            return document.querySelector('dialog[open]') !== null;
        }}"""
    )
    assert opened


def test_sound_is_silenced_between_two_presses(page: Page, fake: Fake) -> None:
    _open(page, FILM)
    _press(page, "m")
    page.get_by_role("slider", name="Frame").focus()
    _press(page, "PageUp", "m")
    expect(page.get_by_text("Sound: silenced from the start to 1.04 s")).to_be_visible()
    end = page.get_by_label("Stretch 1 to")
    end.fill("1.5")
    end.press("Enter")
    expect(page.get_by_text("Sound: silenced from the start to 1.5 s")).to_be_visible()
    _press(page, "Tab")
    page.get_by_role("slider", name="Frame").focus()
    _press(page, "End", "m", "a")
    expect(page.get_by_role("status").filter(has_text="not ended")).to_be_visible()
    _press(page, "m")
    expect(page.get_by_text("Sound: silenced from 1.96 s to the end")).to_be_visible()
    _decide(page, "a")
    expect(page.get_by_role("status").filter(has_text="published")).to_be_visible()
    assert [stretch["end"] for stretch in fake.bodies("/draw")[0]["audio"]] == [1.5, 86402]


def test_unsaved_edits_are_not_left_by_accident(page: Page) -> None:
    _open(page, PHOTO)
    _press(page, "c", "Delete")
    page.get_by_role("link", name="List", exact=True).click()
    dialog = page.get_by_role("dialog", name="Leave your changes?")
    dialog.get_by_role("button", name="Stay here").click()
    expect(page.get_by_text("Face 1: uncovered")).to_be_visible()
    page.get_by_role("link", name="List", exact=True).click()
    dialog.get_by_role("button", name="Leave them").click()
    expect(page.get_by_role("heading", name="To review")).to_be_visible()


def _decide(page: Page, key: str) -> None:
    """Open a decision's dialog and say yes."""
    _press(page, key)
    page.get_by_role("dialog").wait_for()
    _press(page, "Enter")


def test_what_is_drawn_or_given_up_is_not_asked_about(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    _press(page, "b", "b")
    _decide(page, "a")
    expect(page.get_by_role("heading", name=PHOTO)).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="List", exact=True).click()
    _open(page, FILM)
    _press(page, "b", "b")
    _decide(page, "x")
    expect(page.get_by_role("heading", name=FILM)).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_next_item_is_opened_though_the_order_comes_late(page: Page) -> None:
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        held.append((route, route.fetch()))

    page.route("**/api/queue?room=review", hold)
    _leave_for(page, PHOTO)
    _wait(page, lambda: held)
    expect(page.get_by_role("heading", name=PHOTO)).to_be_visible()
    _here(page)
    _press(page, "b", "b")
    _decide(page, "a")
    expect(page.get_by_role("status").filter(has_text="published")).to_be_visible()
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(page.get_by_role("heading", name=SHARED)).to_be_visible()


def test_published_item_that_is_drawn_again_stays_in_view(page: Page, fake: Fake) -> None:
    page.get_by_role("link", name="Published").click()
    _open(page, "publish1")
    _press(page, "b", "b")
    expect(page.get_by_text("New face 1: added")).to_be_visible()
    _decide(page, "a")
    expect(page.get_by_role("status").filter(has_text="Drawn, checked and published")).to_be_visible()
    expect(page.get_by_role("heading", name="publish1")).to_be_visible()
    expect(page.locator(".changes")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_item_that_changed_meanwhile_is_loaded_again(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    fake.refuse.append((f"{PHOTO}/reject", 409, "changed", "The item has changed."))
    fake.items[PHOTO]["sha256"] = "c" * 64
    _press(page, "x")
    page.get_by_role("dialog").get_by_role("button", name="Reject").click()
    expect(page.get_by_role("status").filter(has_text="loaded again")).to_be_visible()
    _press(page, "x")
    page.get_by_role("dialog").get_by_role("button", name="Reject").click()
    expect(page.get_by_role("status").filter(has_text="Rejected")).to_be_visible()
    assert fake.bodies("/reject")[-1]["sha256"] == "c" * 64


def test_folder_in_use_can_be_tried_again(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    fake.refuse.append((f"{PHOTO}/draw", 423, "in_use", "Another process has the folder; try again."))
    _press(page, "b", "b", "a")
    page.get_by_role("dialog").get_by_role("button", name="Draw and check").click()
    expect(page.get_by_role("alert").filter(has_text="Another process")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Try again").click()
    expect(page.get_by_role("status").filter(has_text="published")).to_be_visible()


def test_long_job_is_stopped_and_the_edits_stay(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    _press(page, "b", "b", "a")
    begin, fake.jobs = fake.jobs, _Slow()
    assert begin == {}
    page.get_by_role("dialog").get_by_role("button", name="Draw and check").click()
    working = page.get_by_role("dialog", name="Draw and check")
    _wait(page, lambda: "job0" in fake.jobs)
    working.get_by_role("heading").click()
    page.evaluate("document.activeElement.blur()")
    _press(page, "x", "Delete", "?")
    expect(page.get_by_role("dialog")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Draw and check")).to_be_visible()
    assert fake.jobs["job0"]["stopped"] is True
    _press(page, "Escape")
    expect(page.get_by_text("New face 1: added")).to_be_visible()


class _Slow(dict):
    """Jobs that take longer than anybody waits."""

    def __setitem__(self, name: str, job: dict) -> None:
        super().__setitem__(name, {**job, "slow": 10_000})


def _leave_for(page: Page, item: str) -> None:
    page.evaluate(f"location.hash = '#/review/{item}'")


def test_decision_that_ends_late_leaves_the_item_alone_that_is_open_then(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/accept", hold)
    _press(page, "a")
    page.get_by_label("1. A face is still seen").fill("a doll")
    _press(page, "Enter", "Escape", "Escape")
    expect(page.get_by_role("dialog", name="Approve")).to_be_visible()
    _leave_for(page, FILM)
    expect(page.get_by_role("heading", name=FILM)).to_be_visible()
    _still(page, 0)
    _press(page, "b", "b")
    _wait(page, lambda: held)
    held[0].continue_()
    expect(page.get_by_role("status").filter(has_text=f"{PHOTO}: Approved and published")).to_be_visible()
    expect(page.get_by_text("New face 1: added")).to_be_visible()
    page.get_by_role("link", name="List", exact=True).click()
    expect(page.get_by_role("dialog", name="Leave your changes?")).to_be_visible()


def test_drawing_that_is_left_is_stopped(page: Page, fake: Fake) -> None:
    fake.jobs = _Slow()
    _open(page, PHOTO)
    _press(page, "b", "b")
    _decide(page, "a")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    _leave_for(page, FILM)
    page.get_by_role("button", name="Leave them").click()
    expect(page.get_by_role("heading", name=FILM)).to_be_visible()
    _wait(page, lambda: "job0" in fake.jobs and fake.jobs["job0"].get("stopped"))


def test_signing_out_asks_about_unsaved_edits_and_is_true(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    _press(page, "b", "b")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Stay here").click()
    expect(page.get_by_text("New face 1: added")).to_be_visible()
    page.route("**/api/session", lambda route: route.abort())
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Leave them").click()
    expect(page.get_by_role("heading", name="signed out")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("did not hear of it")
    assert page.locator("img, canvas, video").count() == 0
    assert fake.sessions


def test_picture_that_does_not_come_is_not_another_frames(page: Page, fake: Fake) -> None:
    _open(page, FILM)
    last = FRAMES - 1
    fake.refuse.append((f"/frames/{last}", 503, "busy", "Too much waits to be done."))
    page.get_by_role("slider", name="Frame").focus()
    _press(page, "End")
    expect(page.get_by_text(f"Frame {last} could not be shown")).to_be_visible()
    assert page.evaluate(chrome.pixel(1, 40, "=== 0"))
    _press(page, "b", "b")
    expect(page.locator(".changes")).to_have_count(0)
    page.get_by_role("button", name="Try again").click()
    _still(page, last)
    expect(page.locator(".stage-note")).to_have_count(0)
    assert page.evaluate(chrome.pixel(1, 40, "> 0"))
    _press(page, "b")
    expect(page.get_by_text("New face 1: added")).to_be_visible()


def _fingers(page: Page, *steps: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Two fingers over the stage, in parts of its width and height; the first comes and moves earlier."""
    box = page.locator(".stage").bounding_box()
    assert box is not None
    wire = page.context.new_cdp_session(page)
    (x, y), _ = steps[0]
    alone = (((x - 0.05, y),), ((x, y),))
    for number, step in enumerate((*alone, *steps)):
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": finger}
            for finger, (x, y) in enumerate(step)
        ]
        kind = "touchStart" if number in (0, 2) else "touchMove"
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(20)
    wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_two_fingers_zoom_and_move_the_picture_and_edit_nothing(page: Page) -> None:
    _open(page, PHOTO)
    _fitted(page)
    _press(page, "c")
    _chosen(page)
    percent = "parseInt(document.querySelector('.percent').textContent)"
    before = page.evaluate(percent)
    # The first finger comes down on the selected box and drags it a little.
    _fingers(page, ((0.3, 0.45), (0.4, 0.45)), ((0.25, 0.45), (0.45, 0.45)), ((0.15, 0.45), (0.65, 0.45)))
    chrome.until(page, f"{percent} > 3 * {before}")
    chosen = page.locator(".a9s-annotation.selected .a9s-inner")
    expect(chosen).to_have_attribute("points", re.compile("^40,60 "))
    left = page.evaluate("document.querySelector('.stage').scrollLeft")
    _fingers(page, ((0.5, 0.5), (0.7, 0.5)), ((0.3, 0.5), (0.5, 0.5)))
    chrome.until(page, f"document.querySelector('.stage').scrollLeft > {left} + 50")
    _chosen(page)
    page.get_by_role("button", name="Add box").click()
    _fingers(page, ((0.4, 0.4), (0.6, 0.6)), ((0.3, 0.3), (0.7, 0.7)))
    expect(page.locator(".changes, .a9s-rubberband rect")).to_have_count(0)
    # One finger draws again.
    _press(page, "0")
    _swipe(page, (0.6, 0.3), (0.8, 0.6))
    expect(page.get_by_text("New face 1: added")).to_be_visible()
    expect(page.locator(".changes li")).to_have_count(1)


def test_enlarged_picture_is_moved_by_keys(page: Page) -> None:
    _open(page, PHOTO)
    _fitted(page)
    _press(page, *["+"] * 5)
    expect(page.locator(".percent")).to_have_text("610 %")
    stage = "document.querySelector('.stage')"
    # It grows about its middle.
    chrome.until(page, f"{stage}.scrollLeft > 0 && {stage}.scrollTop > 0")
    left, top = page.evaluate(f"[{stage}.scrollLeft, {stage}.scrollTop]")
    _press(page, "Control+ArrowRight", "Control+ArrowDown")
    chrome.until(page, f"{stage}.scrollLeft > {left} && {stage}.scrollTop > {top}")


def test_blocked_item_is_not_approved(page: Page, fake: Fake) -> None:
    _open(page, BLOCKED)
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    _press(page, "a")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert fake.bodies("/accept") == []


def test_second_person_is_waited_for(page: Page) -> None:
    _open(page, SHARED)
    _press(page, "a")
    page.get_by_label("1. A face is still seen").fill("a statue")
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved by 1 of 2 (k7)")).to_be_visible()


def test_published_item_can_be_taken_back(page: Page, fake: Fake) -> None:
    page.get_by_role("link", name="Published").click()
    page.locator('a.card[href="#/published/publish1"]').click()
    page.get_by_role("button", name="Take back").click()
    page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Nothing is published yet")).to_be_visible()
    assert fake.bodies("publish1/reject") == [{"sha256": "a" * 64, "reason": ""}]


def test_lost_server_is_said_and_forgotten_when_it_is_back(page: Page, fake: Fake) -> None:
    page.route("**/api/**", lambda route: route.abort())
    page.get_by_role("button", name="Look again").click()
    banner = page.locator(".banner")
    expect(banner).to_contain_text("does not answer")
    page.unroute("**/api/**")
    page.get_by_role("button", name="Look again").click()
    expect(banner).to_have_count(0)


def test_session_that_ended_shows_nothing_more(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    fake.sessions.clear()
    page.get_by_role("link", name="List", exact=True).click()
    expect(page.get_by_role("heading", name="Your session is over")).to_be_visible()
    assert page.locator("img, canvas").count() == 0


def test_name_of_the_input_is_asked_for_only_on_a_press(page: Page, fake: Fake) -> None:
    _open(page, PHOTO)
    assert fake.bodies("/name") == []
    page.get_by_role("button", name="Show file name").click()
    expect(page.get_by_text("album/picture.jpg")).to_be_visible()


def test_single_keys_can_be_switched_off(page: Page) -> None:
    _open(page, PHOTO)
    _press(page, "?")
    page.get_by_label("Switch single-letter keys off").check()
    page.get_by_role("button", name="Close").click()
    _press(page, "x")
    expect(page.get_by_role("dialog")).to_have_count(0)
    _press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, scheme: str) -> None:
    # Colours are all that differs in the dark.
    rules = ["color-contrast"] if scheme == "dark" else None
    page.emulate_media(color_scheme=scheme)
    found = {"queue": chrome.violations(page, rules)}
    _open(page, PHOTO)
    _press(page, "c", "n")
    found["photo"] = chrome.violations(page, rules)
    _press(page, "q")
    _open(page, FILM)
    _press(page, "n", "c")
    _still(page, 12)
    _press(page, "ArrowUp", "m", ".", "m")
    found["film"] = chrome.violations(page, rules)
    for key, name in (("?", "keys"), ("a", "draw"), ("x", "reject")):
        _press(page, key)
        page.get_by_role("dialog").wait_for()
        found[name] = chrome.violations(page, rules)
        _press(page, "Escape")
    _press(page, *["Control+z"] * 3, "a")
    page.get_by_label(re.compile("1\\.")).fill("a doll")
    found["accept"] = chrome.violations(page, rules)
    assert {view: wrong for view, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("size", [(1024, 768), (820, 1180)])
def test_page_fits_a_small_laptop_and_a_tablet(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    _open(page, FILM)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    for name in ("Add box", "Hold for original", "Play", "Approve"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()


def test_page_needs_nothing_from_elsewhere() -> None:
    for file in Path(chrome.PAGE).iterdir():
        text = file.read_text(encoding="utf-8")
        if file.suffix in (".html", ".css"):
            assert "//" not in re.sub(r"/\*.*?\*/", "", text, flags=re.S)
