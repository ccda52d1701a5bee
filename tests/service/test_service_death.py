"""Killed and stopped in the middle of work: every accepted job ends, and is in the output folder once."""

import contextlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dying_service
import httpx
import pytest

from bench.crash import STUB_BYTES, stub_whole
from bench.service_lab import PATIENCE_S, ServiceLab, settled, submit
from redact.batch.audit import audit
from redact.batch.ledger import Ledger
from redact.batch.store import Store
from redact.policy import Policy
from redact.service import house
from redact.service.house import ClosedHouseError, House
from redact.workers import Confinement

HELD = "bench.stub_stages:held_maker"


def content(end: str, first: str) -> bytes:
    """`first`: S for work that does not end while the lab is told to hold it, with the held stages."""
    return first.encode() * (STUB_BYTES - 1) + end.encode()


def until_working(client: httpx.Client, job: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if client.get(f"/v1/jobs/{job}").json()["state"] == "working":
            return
        time.sleep(0.02)
    raise AssertionError("the job is never begun")


def until_in_the_folder(lab: ServiceLab, job: str) -> None:
    """Until the job's slot has the output folder."""
    until = time.monotonic() + PATIENCE_S
    with contextlib.closing(sqlite3.connect(lab.state / "jobs.sqlite")) as db:
        while time.monotonic() < until:
            if db.execute("SELECT item FROM redact_job WHERE id = ?", (job,)).fetchone()[0]:
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
    lab = ServiceLab(tmp_path / "lab", settings="jobs = 2", maker=HELD)
    lab.hold()
    jobs, go_on = {}, threading.Event()
    ends = [("S", "P", "published"), ("S", "R", "review"), ("2", "P", "published"), ("3", "X", "failed")]
    lab.start()
    with lab.client(lab.token()) as client:
        sender = hanging_upload(client, go_on)
        for first, end, status in ends:
            jobs[submit(client, content(end, first)).json()["job"]] = status
        for job in list(jobs)[:2]:
            until_working(client, job)
        uploads = lab.state / "uploads"
        until = time.monotonic() + PATIENCE_S
        while {path.name for path in uploads.iterdir()} <= set(jobs) and time.monotonic() < until:
            time.sleep(0.02)
        assert {path.name for path in uploads.iterdir()} > set(jobs), "half an upload lies there"
        lab.kill()
        lab.let_go()
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
    lab.start(main=dying_service.before_the_row)
    with lab.client(lab.token()) as client:
        job = submit(client, content("P", "S")).json()["job"]
    assert lab.process is not None and lab.process.wait(timeout=PATIENCE_S) == -9
    assert releases(lab.out).total() == 1, "the result lies there, and the service does not know it yet"
    lab.start(main=dying_service.after_the_row)
    assert lab.process.wait(timeout=PATIENCE_S) == -9
    assert (lab.state / "uploads" / job / "media").is_file(), "settled, and its bytes not deleted yet"
    lab.start()
    check_folder(lab, {job: "published"})


def test_stopped_during_a_job_it_ends_the_job_or_keeps_it_for_the_next_start(tmp_path: Path) -> None:
    lab = ServiceLab(tmp_path / "lab", limits={"grace_s": 0, "tries": 1}, maker=HELD)
    lab.hold()
    lab.start()
    with lab.client(lab.token()) as client:
        job = submit(client, content("P", "S")).json()["job"]
        until_working(client, job)
        assert lab.stop() == 0
    assert releases(lab.out).total() == 0
    assert (lab.state / "uploads" / job / "media").is_file()
    lab.config.write_text(lab.config.read_text().replace("grace_s = 0", "grace_s = 60"))
    lab.start()
    with lab.client(lab.token()) as client:
        until_working(client, job)
        lab.ask_to_stop(everyone=True)
        lab.wait_for("stopping", times=2)
        lab.let_go()
        assert lab.stop() == 0
    assert releases(lab.out).total() == 1, "it was given the time to end"
    assert list((lab.state / "uploads").iterdir()) == []
    assert lab.events()[-1] == {**lab.events()[-1], "event": "stopped", "queued": 0, "working": 0}
    assert audit(lab.out).problems == []


def test_beside_a_long_film_other_slots_go_on_and_the_folder_is_given_back_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    level = Confinement()
    rooms = House(tmp_path / "out", Policy(), None, lambda: 0)
    with contextlib.ExitStack() as film, contextlib.ExitStack() as photo:
        film.enter_context(rooms.lend(level))
        monkeypatch.setattr(house, "HOLD_S", -1.0)
        for _ in range(2):
            assert rooms.may_open()
            with rooms.lend(level):
                pass
        photo.enter_context(rooms.lend(level))
        film.close()
        assert not rooms.may_open(), "what is begun now would keep others out for ever"
        with pytest.raises(ClosedHouseError), rooms.lend(level):
            pass
        monkeypatch.setattr(house, "TURN_S", 0.0)
        photo.close()
        with Store(tmp_path / "out"), pytest.raises(ClosedHouseError), rooms.lend(level):
            pass
    assert audit(tmp_path / "out").problems == []


def test_while_one_slot_is_at_a_long_film_checks_and_media_are_done_in_another(tmp_path: Path) -> None:
    lab = ServiceLab(tmp_path / "lab", settings="jobs = 2", maker=HELD)
    lab.hold()
    lab.start(main=dying_service.soon_tired)
    with lab.client(lab.token()) as client:
        film = submit(client, content("P", "S")).json()["job"]
        until_in_the_folder(lab, film)
        photos = [submit(client, content("P", n)).json()["job"] for n in "12"]
        check = submit(client, content("P", "P"), address="/v1/checks").json()["job"]
        assert [settled(client, job)["status"] for job in (*photos, check)] == ["published"] * 2 + ["passed"]
        assert client.get(f"/v1/jobs/{film}").json()["state"] == "working"
        lab.let_go()
    check_folder(lab, {film: "published"} | dict.fromkeys(photos, "published"))


def test_a_folder_that_a_reviewer_holds_delays_jobs_and_fails_none_and_a_second_service_is_refused(
    tmp_path: Path,
) -> None:
    lab = ServiceLab(tmp_path / "lab")
    with lab, lab.client(lab.token()) as client:
        with Store(lab.out, lab.private):
            job = submit(client, content("P", "S")).json()["job"]
            checked = submit(client, content("P", "S")[::-1], address="/v1/checks").json()["job"]
            assert settled(client, checked)["status"] == "passed"
            assert client.get(f"/v1/jobs/{job}").json()["state"] != "settled"
        assert settled(client, job)["status"] == "published"
        other = ServiceLab(tmp_path / "other")
        other.config.write_text(lab.config.read_text())
        with pytest.raises(RuntimeError, match="Another service"):
            other.start()
