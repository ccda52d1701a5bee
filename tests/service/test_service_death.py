"""Killed and stopped in the middle of work: every accepted job ends, and is in the output folder once."""

import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bench.crash import STUB_BYTES, stub_whole
from bench.service_lab import PATIENCE_S, ServiceLab, settled, submit
from redact.batch.audit import audit
from redact.batch.ledger import Ledger
from redact.batch.store import Store

SLOW = "bench.stub_stages:slow_maker"


def content(end: str, n: int) -> bytes:
    return bytes([n]) * (STUB_BYTES - 1) + end.encode()


def until_working(client: httpx.Client, job: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if client.get(f"/v1/jobs/{job}").json()["state"] == "working":
            return
        time.sleep(0.02)
    raise AssertionError("the job is never begun")


def releases(out: Path) -> Counter[str]:
    ledger = Ledger.for_reading(out / "ledger.sqlite")
    try:
        return Counter(item for _, event, item, _ in ledger.rows() if event == "released")
    finally:
        ledger.close()


def check_folder(lab: ServiceLab, jobs: dict[str, str]) -> None:
    """Every job has the end it must have, and its item was released once and lies there whole."""
    with lab.client(lab.token()) as client:
        ends = {job: settled(client, job) for job in jobs}
    assert {job: end["status"] for job, end in ends.items()} == jobs
    assert lab.stop() == 0
    made = [end["item"] for end in ends.values() if end["status"] != "failed"]
    assert len(set(made)) == len(made)
    assert releases(lab.out) == Counter(made)
    published = {end["item"] for end in ends.values() if end["status"] == "published"}
    assert {path.stem for path in (lab.out / "published").iterdir()} == published
    assert all(stub_whole(path) for path in (lab.out / "published").iterdir())
    found = audit(lab.out)
    assert found.problems == [] and found.notes == []
    assert list((lab.state / "uploads").iterdir()) == []


def hanging_upload(client: httpx.Client, go_on: threading.Event) -> threading.Thread:
    """Send the first half of a file, and the rest after `go_on`; the sender's thread."""

    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + b"x" * 4096
        go_on.wait(PATIENCE_S)
        yield b"y"

    def send() -> None:
        with contextlib.suppress(httpx.HTTPError):
            client.post(
                "/v1/jobs", content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"}
            )

    sender = threading.Thread(target=send)
    sender.start()
    return sender


def test_killed_during_jobs_and_an_upload_the_next_start_ends_each_accepted_job_once(tmp_path: Path) -> None:
    lab = ServiceLab(tmp_path / "lab", settings="jobs = 2", maker=SLOW)
    jobs, go_on = {}, threading.Event()
    ends = [("P", "published"), ("R", "review"), ("P", "published"), ("X", "failed")]
    lab.start()
    with lab.client(lab.token()) as client:
        sender = hanging_upload(client, go_on)
        for n, (end, status) in enumerate(ends):
            jobs[submit(client, content(end, n)).json()["job"]] = status
        until_working(client, next(iter(jobs)))
        uploads = lab.state / "uploads"
        until = time.monotonic() + PATIENCE_S
        while {path.name for path in uploads.iterdir()} <= set(jobs) and time.monotonic() < until:
            time.sleep(0.02)
        assert {path.name for path in uploads.iterdir()} > set(jobs), "half an upload lies there"
        lab.kill()
        go_on.set()
        sender.join()
    lab.start()
    started = [event for event in lab.events() if event["event"] == "started"]
    assert (started[1]["again"], started[1]["swept"]) == (2, 1)
    check_folder(lab, jobs)


def test_killed_between_the_release_and_the_database_and_again_after_it_nothing_is_made_twice(
    tmp_path: Path,
) -> None:
    lab = ServiceLab(tmp_path / "lab")
    dying = [sys.executable, str(Path(__file__).with_name("dying_service.py")), str(lab.config)]
    lab.start([*dying, "before the row"])
    with lab.client(lab.token()) as client:
        job = submit(client, content("P", 1)).json()["job"]
    assert lab.process is not None and lab.process.wait(timeout=PATIENCE_S) == -9
    assert releases(lab.out).total() == 1, "the result lies there, and the service does not know it yet"
    lab.start([*dying, "after the row"])
    assert lab.process.wait(timeout=PATIENCE_S) == -9
    assert (lab.state / "uploads" / job / "media").is_file(), "settled, and its bytes not deleted yet"
    lab.start()
    check_folder(lab, {job: "published"})


def test_stopped_during_a_job_it_ends_the_job_or_keeps_it_for_the_next_start(tmp_path: Path) -> None:
    lab = ServiceLab(tmp_path / "lab", limits={"grace_s": 0}, maker=SLOW)
    lab.start()
    with lab.client(lab.token()) as client:
        job = submit(client, content("P", 1)).json()["job"]
        until_working(client, job)
        assert lab.stop() == 0
    assert releases(lab.out).total() == 0
    assert (lab.state / "uploads" / job / "media").is_file()
    lab.config.write_text(lab.config.read_text().replace("grace_s = 0", "grace_s = 60"))
    lab.start()
    with lab.client(lab.token()) as client:
        until_working(client, job)
        assert lab.stop() == 0
    assert releases(lab.out).total() == 1, "it was given the time to end"
    assert list((lab.state / "uploads").iterdir()) == []
    assert lab.events()[-1] == {**lab.events()[-1], "event": "stopped", "queued": 0, "working": 0}
    assert audit(lab.out).problems == []


def test_a_folder_that_a_reviewer_holds_delays_jobs_and_fails_none_and_a_second_service_is_refused(
    tmp_path: Path,
) -> None:
    lab = ServiceLab(tmp_path / "lab")
    with lab, lab.client(lab.token()) as client:
        with Store(lab.out, lab.private):
            job = submit(client, content("P", 1)).json()["job"]
            checked = submit(client, content("P", 1)[::-1], address="/v1/checks").json()["job"]
            assert settled(client, checked)["status"] == "passed"
            assert client.get(f"/v1/jobs/{job}").json()["state"] != "settled"
        assert settled(client, job)["status"] == "published"
        other = ServiceLab(tmp_path / "other")
        other.config.write_text(lab.config.read_text())
        with pytest.raises(RuntimeError, match="Another service"):
            other.start()
