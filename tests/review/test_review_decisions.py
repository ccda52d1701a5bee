"""What a person sees, decides and draws on the review page, and what holds it back."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from review_lab import NAME, ReviewLab, ended

from bench.review_stubs import INPUT_WIDTH, OUTPUT_WIDTH, jpeg
from redact.batch.audit import audit
from redact.batch.store import Store, sha256_file
from redact.errors import MissingToolError
from redact.names.watchlist import WatchList
from redact.policy import load_policy
from redact.review.serve import ReviewSettings, put_together

REASON = {"0": "a mask, seen from behind"}
ORIGINAL = {"Redact-Show": "original"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReviewLab]:
    place = tmp_path_factory.mktemp("decisions") / "lab"
    with ReviewLab(place, waiting=9).start("k7", "m2") as running:
        yield running


@pytest.fixture(scope="module")
def client(lab: ReviewLab) -> Iterator[httpx.Client]:
    with lab.client(lab.enter()) as opened:
        yield opened


@pytest.fixture
def item(lab: ReviewLab, client: httpx.Client) -> dict[str, Any]:
    """One that waits and that no other test has touched."""
    return look(client, lab.waiting.pop())


def look(client: Any, item: str) -> dict[str, Any]:
    answer = client.get(f"/api/items/{item}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def span(**changes: Any) -> dict[str, Any]:
    return {"first": 0, "last": 0, "box": [1, 1, 2, 2], "origin": "reviewer", **changes}


def drawing(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    cover = {"first": 0, "last": 0, "box": [1, 1, 4, 4], "origin": "detected"}
    tracks = [{"id": None, "kind": "face", "keep": False, "spans": [cover]}]
    return {"plan": item["plan"], "sha256": item["sha256"], "tracks": tracks, "audio": [], **changes}


def test_the_queue_shows_what_waits_and_what_is_published(lab: ReviewLab, client: httpx.Client) -> None:
    waits = client.get("/api/queue").json()
    assert (waits["by"], waits["can_edit"]) == ("k7", True)
    assert waits["items"][0]["item"] == lab.ids["blocked"], "what must not be published comes first"
    assert [each["standing"] for each in waits["items"][:2]] == ["BLOCK", "REVIEW"]
    line = waits["items"][1]
    assert (line["kind"], line["format"], line["frames"], line["findings"]) == (
        "photo",
        "jpeg",
        1,
        {"face": 1},
    )
    assert line["approvals"] == {"needed": 1, "given": []}
    published = client.get("/api/queue?room=published").json()["items"]
    assert {each["item"] for each in published} >= {lab.ids["published"]}
    assert {each["standing"] for each in published} <= {"PUBLISH", "ACCEPTED"}
    assert NAME not in json.dumps([waits, published])


def test_an_item_is_told_with_its_findings_and_history_and_no_name(
    client: httpx.Client, item: dict[str, Any]
) -> None:
    assert (item["kind"], item["standing"], item["room"], item["can_edit"]) == (
        "photo",
        "REVIEW",
        "review",
        True,
    )
    (finding,) = item["findings"]
    assert (finding["index"], finding["kind"], finding["severity"]) == (0, "face", "REVIEW")
    assert finding["words"] and finding["needs_reason"] is True
    assert item["looked_for"] and item["history"][0]["event"] == "held"
    assert NAME not in json.dumps(item)
    name = client.get(f"/api/items/{item['item']}/name").json()["name"]
    assert NAME in name and name.endswith("R.jpg"), "the one address that tells it"


def test_pictures_are_of_the_finished_file_unless_the_original_is_asked_for_on_purpose(
    client: httpx.Client, item: dict[str, Any]
) -> None:
    frames = f"/api/items/{item['item']}/frames/0"
    assert client.get(frames).content == jpeg(OUTPUT_WIDTH, 8)
    assert client.get(f"{frames}?width=9").content == jpeg(9, 8)
    assert client.get(f"/api/items/{item['item']}/thumbnail").content == jpeg(8, 8)
    for headers in ({}, {"Redact-Show": "yes"}):
        refused = client.get(f"{frames}?of=input", headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (403, "original")
    shown = client.get(f"{frames}?of=input", headers=ORIGINAL)
    assert shown.content == jpeg(INPUT_WIDTH, 8)
    assert shown.headers["cache-control"] == "no-store"
    for wrong in ("?width=0", "?width=5000", "?of=both"):
        assert client.get(frames + wrong).status_code == 422


def test_accepting_needs_a_reason_for_every_finding_and_publishes_what_was_looked_at(
    lab: ReviewLab, client: httpx.Client, item: dict[str, Any]
) -> None:
    address = f"/api/items/{item['item']}/accept"
    for reasons in ({}, {"0": ""}, {"0": "x"}, {"0": f"it shows Aram {NAME}"}, {"1": "no such finding"}):
        answer = client.post(address, json={"sha256": item["sha256"], "reasons": reasons})
        assert answer.status_code == 422, reasons
        assert NAME not in answer.text
    other = client.post(address, json={"sha256": "0" * 64, "reasons": REASON})
    assert (other.status_code, other.json()["error"]) == (409, "changed")
    assert item["item"] not in lab.published()
    answer = client.post(address, json={"sha256": item["sha256"], "reasons": REASON})
    assert answer.json() == {"outcome": "published", "approvals": {"needed": 1, "given": ["k7"]}}
    assert sha256_file(lab.out / "published" / f"{item['item']}.jpg") == item["sha256"]
    again = look(client, item["item"])
    assert (again["standing"], again["room"]) == ("ACCEPTED", "published")
    assert again["history"][-1]["by"] == "k7" and again["history"][-1]["reason"] == REASON["0"]
    taken = client.post(
        f"/api/items/{item['item']}/reject", json={"sha256": item["sha256"], "reason": "too soon"}
    )
    assert taken.json() == {"outcome": "rejected"}
    assert item["item"] not in lab.published()
    assert audit(lab.out).problems == []


def test_nobody_can_accept_what_the_gate_blocks(lab: ReviewLab, client: httpx.Client) -> None:
    item = look(client, lab.ids["blocked"])
    answer = client.post(
        f"/api/items/{item['item']}/accept", json={"sha256": item["sha256"], "reasons": {"0": "looks fine"}}
    )
    assert (answer.status_code, answer.json()["error"]) == (403, "blocked")
    assert item["item"] not in lab.published()


def test_what_was_drawn_meanwhile_is_not_accepted_by_an_old_look(
    lab: ReviewLab, client: httpx.Client, item: dict[str, Any]
) -> None:
    job = client.post(f"/api/items/{item['item']}/draw", json=drawing(item)).json()["job"]
    end = ended(client, job)
    assert (end["state"], end["result"]["outcome"], end["result"]["findings"]) == ("done", "review", 1)
    assert end["result"]["message"]
    old = {"sha256": item["sha256"]}
    for deed, body in (("accept", {**old, "reasons": REASON}), ("reject", old)):
        answer = client.post(f"/api/items/{item['item']}/{deed}", json=body)
        assert (answer.status_code, answer.json()["error"]) == (409, "changed")
    stale = client.post(f"/api/items/{item['item']}/draw", json=drawing(item))
    assert (stale.status_code, stale.json()["error"]) == (409, "changed")


def test_an_edit_is_what_is_drawn_and_comes_back_as_the_reviewers(
    lab: ReviewLab, client: httpx.Client, item: dict[str, Any]
) -> None:
    sound = [{"kind": "mute", "start": 0.5, "end": 1.25}]
    job = client.post(f"/api/items/{item['item']}/draw", json=drawing(item, audio=sound)).json()["job"]
    assert ended(client, job)["state"] == "done"
    again = look(client, item["item"])
    assert again["plan"] != item["plan"]
    (track,) = again["tracks"]
    assert track["spans"] == [{"first": 0, "last": 0, "box": [1, 1, 4, 4], "origin": "reviewer"}]
    assert again["audio"] == sound
    assert again["history"][-1]["event"] == "redrawn" and again["history"][-1]["by"] == "k7"
    assert audit(lab.out).problems == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 7},
        {"spans": [span(last=1)]},
        {"spans": [span(box=[9, 9, 2, 2])]},
        {"spans": [span(box=[1, 1, 0, 2])]},
        {"spans": []},
        {"kind": "hand"},
        {"keep": True},
    ],
    ids=["unknown track", "no such frame", "outside", "no width", "no span", "no such kind", "shown"],
)
def test_an_edit_that_cannot_be_drawn_is_refused(
    lab: ReviewLab, client: httpx.Client, wrong: dict[str, Any]
) -> None:
    item = look(client, lab.waiting[0])
    tracks = [{"id": None, "kind": "face", "spans": [span()], **wrong}]
    answer = client.post(f"/api/items/{item['item']}/draw", json=drawing(item, tracks=tracks))
    assert answer.status_code == 422, answer.text
    assert look(client, item["item"])["plan"] == item["plan"]


def test_a_region_is_followed_on_the_input(lab: ReviewLab, client: httpx.Client) -> None:
    address = f"/api/items/{lab.waiting[0]}/follow"
    keys = [{"frame": 0, "box": [1, 2, 3, 4]}]
    job = client.post(address, json={"kind": "face", "keys": keys, "first": 0, "last": 0}).json()["job"]
    end = ended(client, job)
    assert end["result"] == {"spans": [{"first": 0, "last": 0, "box": [1, 2, 3, 4], "origin": "reviewer"}]}
    for wrong in (
        {"last": 1},
        {"first": 1, "last": 0},
        {"keys": [{"frame": 3, "box": [1, 2, 3, 4]}]},
        {"keys": []},
    ):
        body = {"kind": "face", "keys": keys, "first": 0, "last": 0, **wrong}
        assert client.post(address, json=body).status_code == 422, wrong


def test_jobs_are_told_to_whoever_asked_for_them(lab: ReviewLab, client: httpx.Client) -> None:
    keys = [{"frame": 0, "box": [1, 2, 3, 4]}]
    body = {"kind": "face", "keys": keys, "first": 0, "last": 0}
    job = client.post(f"/api/items/{lab.waiting[0]}/follow", json=body).json()["job"]
    with lab.client(lab.enter("m2")) as other:
        assert other.get(f"/api/jobs/{job}").status_code == 404
        assert other.delete(f"/api/jobs/{job}").status_code == 404
    assert ended(client, job)["state"] == "done"


def test_a_folder_that_another_process_has_is_in_use(lab: ReviewLab, client: httpx.Client) -> None:
    item = look(client, lab.waiting[0])
    body = {"sha256": item["sha256"], "reasons": REASON}
    with Store(lab.out, lab.private):
        answer = client.post(f"/api/items/{item['item']}/accept", json=body)
        assert (answer.status_code, answer.json()["error"]) == (423, "in_use")
        assert look(client, item["item"])["sha256"] == item["sha256"], "looking goes on"
        job = client.post(f"/api/items/{item['item']}/draw", json=drawing(item)).json()["job"]
        end = ended(client, job)
        assert (end["state"], end["error"]) == ("failed", "in_use") and end["message"]
    assert item["item"] not in lab.published()


def test_only_the_input_that_was_worked_on_is_shown_and_drawn(lab: ReviewLab, client: httpx.Client) -> None:
    """Changed, gone, or a link in its place: the page says why, and nothing of it is opened."""
    item = lab.waiting[0]
    file = lab.source / client.get(f"/api/items/{item}/name").json()["name"]
    content, aside = file.read_bytes(), lab.place / "aside.jpg"

    def refused(word: str) -> None:
        found = look(client, item)
        assert not found["can_edit"] and not found["has_original"] and word in found["why_not"]
        assert NAME not in found["why_not"] and str(lab.place) not in found["why_not"]
        shown = client.get(f"/api/items/{item}/frames/0?of=input", headers=ORIGINAL)
        assert shown.status_code == 422 and NAME not in shown.text
        assert client.post(f"/api/items/{item}/draw", json=drawing(found)).status_code == 422

    assert look(client, item)["can_edit"] is True
    file.rename(aside)
    refused("not where")
    file.symlink_to(aside)
    refused("link")
    file.unlink()
    file.write_bytes(content[:-1] + b"P")
    refused("not the file")
    shutil.copyfile(aside, file)
    assert look(client, item)["can_edit"] is True
    folder = file.parent
    moved = folder.rename(lab.place / "moved")
    folder.symlink_to(moved)
    refused("not where")
    folder.unlink()
    moved.rename(folder)


class Direct:
    """A client of an application in this process."""

    def __init__(self, app: Any, key: str) -> None:
        self._app, self._headers = app, {"Authorization": f"Bearer {key}"}

    def request(self, method: str, address: str, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            headers = {**self._headers, **more.pop("headers", {})}
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                return await client.request(method, address, headers=headers, **more)

        return asyncio.run(asked())

    def get(self, address: str, **more: Any) -> httpx.Response:
        return self.request("GET", address, **more)

    def post(self, address: str, **more: Any) -> httpx.Response:
        return self.request("POST", address, **more)


@contextlib.contextmanager
def in_process(lab: ReviewLab, **changes: Any) -> Iterator[tuple[Direct, Direct]]:
    """The application without its process, for two reviewers."""
    settings = ReviewSettings(
        **{
            "out": lab.out,
            "policy": load_policy("strict", []),
            "source": lab.source,
            "page": Path(__file__).parent / "page",
            "maker": "bench.review_stubs:maker",
            "gate": "bench.review_stubs:gate",
            **changes,
        }
    )
    running = put_together(settings, 8000)
    running.start()
    try:
        people = []
        for code in ("k7", "m2"):
            key, _ = running.door.enter(running.door.invite(code))
            people.append(Direct(running.app, key))
        yield people[0], people[1]
    finally:
        running.end()


@pytest.fixture(scope="module")
def quiet_lab(tmp_path_factory: pytest.TempPathFactory) -> ReviewLab:
    """A folder whose items need two approvals, without a server."""
    return ReviewLab(tmp_path_factory.mktemp("quiet") / "lab", settings=("review.approvals=2",))


@pytest.fixture
def quiet(quiet_lab: ReviewLab, monkeypatch: pytest.MonkeyPatch) -> ReviewLab:
    monkeypatch.setenv("REDACT_PRIVATE_DIR", str(quiet_lab.private))
    return quiet_lab


def test_covers_are_not_changed_under_another_policy_than_the_runs(quiet: ReviewLab) -> None:
    with in_process(quiet) as (client, _):
        item = look(client, quiet.ids["review"])
        assert item["can_edit"] is False and "--policy" in item["why_not"]
        assert item["has_original"] is True, "to look at it changes nothing"
        assert client.post(f"/api/items/{item['item']}/draw", json=drawing(item)).status_code == 422


def test_covers_are_not_drawn_without_the_watch_list_of_the_run(quiet: ReviewLab) -> None:
    policy = load_policy("strict", ["review.approvals=2"])
    with in_process(quiet, policy=policy, watch=WatchList((NAME,))) as (client, _):
        item = look(client, quiet.ids["review"])
        job = client.post(f"/api/items/{item['item']}/draw", json=drawing(item)).json()["job"]
        end = ended(client, job)
        assert (end["state"], end["error"]) == ("failed", "usage") and "--names" in end["message"]
        assert look(client, item["item"])["sha256"] == item["sha256"]


def test_without_an_input_folder_items_are_decided_and_not_edited(quiet: ReviewLab) -> None:
    policy = load_policy("strict", ["review.approvals=2"])
    with in_process(quiet, policy=policy, source=None) as (first, second):
        item = look(first, quiet.ids["review"])
        assert first.get("/api/queue").json()["can_edit"] is False
        assert not item["can_edit"] and not item["has_original"] and "--input" in item["why_not"]
        shown = first.get(f"/api/items/{item['item']}/frames/0?of=input", headers=ORIGINAL)
        assert shown.status_code == 422
        body = {"sha256": item["sha256"], "reasons": REASON}
        for _ in range(2):
            answer = first.post(f"/api/items/{item['item']}/accept", json=body).json()
            assert answer["outcome"] == "waiting", "the same person twice is one person"
            assert answer["approvals"] == {"needed": 2, "given": ["k7"]}
        assert item["item"] not in quiet.published()
        answer = second.post(f"/api/items/{item['item']}/accept", json=body).json()
        assert answer == {"outcome": "published", "approvals": {"needed": 2, "given": ["k7", "m2"]}}
    assert item["item"] in quiet.published()


def test_a_page_that_was_not_built_is_said_to_be(quiet: ReviewLab, tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="make setup"), in_process(quiet, page=tmp_path):
        pass
