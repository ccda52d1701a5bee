"""The review page's server is stopped or killed in the middle of a drawing: nothing half-done is released."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from review_lab import PATIENCE_S, ReviewLab, ended
from test_review_decisions import drawing, look

from bench.crash import children
from redact.batch.audit import audit
from redact.batch.store import Store


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def begun(lab: ReviewLab, client: httpx.Client) -> str:
    """A drawing that has begun to write and does not end."""
    item = look(client, lab.ids["review"])
    job: str = client.post(f"/api/items/{item['item']}/draw", json=drawing(item)).json()["job"]
    until(lambda: client.get(f"/api/jobs/{job}").json()["stage"] == "render")
    return job


def untouched(lab: ReviewLab) -> None:
    """As before the drawing: the judged file waits, and nothing else lies anywhere."""
    with Store(lab.out, lab.private):
        pass
    assert lab.published() == {lab.ids["published"]}
    assert {path.stem for path in (lab.out / "review").iterdir()} == {lab.ids["review"], lab.ids["blocked"]}
    assert audit(lab.out).problems == []
    assert [path.name for path in (lab.out / ".work").iterdir()] == ["lock"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
def test_a_server_that_ends_in_the_middle_of_a_drawing_releases_nothing(tmp_path: Path, number: int) -> None:
    lab = ReviewLab(tmp_path / "lab")
    with lab.start(maker="slow_maker"), lab.client(lab.enter()) as client:
        begun(lab, client)
        assert lab.process is not None
        workers = children(lab.process.pid)
        assert workers
        status = lab.stop(number)
        assert status == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    until(lambda: not any(_alive(worker) for worker in workers))
    untouched(lab)
    if number != signal.SIGKILL:
        assert not list((lab.private / "spool").glob("spool-*")), "no link to an original stays"


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_drawing_can_be_stopped_and_so_can_one_that_waits(tmp_path: Path) -> None:
    lab = ReviewLab(tmp_path / "lab")
    with lab.start(maker="slow_maker"), lab.client(lab.enter()) as client:
        first = begun(lab, client)
        item = look(client, lab.ids["review"])
        second = client.post(f"/api/items/{item['item']}/draw", json=drawing(item)).json()["job"]
        assert client.get(f"/api/jobs/{second}").json()["stage"] == "waiting", "one draws at a time"
        accepting = {"sha256": item["sha256"], "reasons": {"0": "a mask"}}
        busy = client.post(f"/api/items/{item['item']}/accept", json=accepting)
        assert (busy.status_code, busy.json()["error"]) == (423, "in_use")
        for job in (second, first):
            assert client.delete(f"/api/jobs/{job}").status_code == 204
            end = ended(client, job)
            assert (end["state"], end["error"], end["result"]) == ("failed", "stopped", None)
        answers = [client.post(f"/api/items/{item['item']}/draw", json=drawing(item)) for _ in range(12)]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert refused and refused[0].json()["error"] == "busy" and int(refused[0].headers["retry-after"]) > 0
        assert lab.stop(signal.SIGINT) == 0
        with pytest.raises(httpx.ConnectError):
            client.get("/")
    untouched(lab)
