"""The same submission sent twice, jobs of other tokens, and databases of an earlier version."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from bench.crash import STUB_BYTES
from bench.service_lab import ServiceLab, settled, submit
from redact.batch.store import sha256_file
from redact.errors import UsageError
from redact.service.jobs import SUBMIT, JobStore
from redact.service.tokens import Scope

KEY = "Idempotency-Key"
PHOTO = b"\x01" * (STUB_BYTES - 1) + b"P"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceLab]:
    with ServiceLab(tmp_path_factory.mktemp("repeats") / "lab") as running:
        yield running


def send(client: httpx.Client, key: str, content: bytes = PHOTO, address: str = "/v1/jobs") -> httpx.Response:
    files = {"file": ("photo.jpg", content, "application/octet-stream")}
    return client.post(address, files=files, headers={KEY: key})


def rows(lab: ServiceLab) -> int:
    with sqlite3.connect(lab.state / "jobs.sqlite") as db:
        return int(db.execute("SELECT count(*) FROM redact_job").fetchone()[0])


@pytest.mark.parametrize(("address", "photo"), [("/v1/jobs", PHOTO), ("/v1/checks", PHOTO[::-1])])
def test_the_same_submission_sent_again_is_the_same_job(lab: ServiceLab, address: str, photo: bytes) -> None:
    with lab.client(lab.token()) as client:
        before = rows(lab)
        first = send(client, "a-key", photo, address)
        again = send(client, "a-key", photo, address)
        settled(client, first.json()["job"])
        late = send(client, "a-key", photo, address)
        assert {answer.status_code for answer in (first, again, late)} == {202}
        assert {answer.json()["job"] for answer in (first, again, late)} == {first.json()["job"]}
        assert late.headers["location"].endswith(first.json()["job"]) and late.json()["state"] == "settled"
        other = send(client, "another-key", photo, address).json()["job"]
        assert other != first.json()["job"]
        settled(client, other)
    assert rows(lab) == before + 2


def test_many_that_send_one_submission_at_once_make_one_job(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(client, "at-once"), range(8)))
        assert {answer.status_code for answer in answers} == {202}
        jobs = {answer.json()["job"] for answer in answers}
        assert len(jobs) == 1
        assert settled(client, jobs.pop())["status"] == "published"
    lab.until(lambda: lab.uploads() == [])  # those of the repeats too


def test_a_key_is_never_taken_for_another_file_or_another_question(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        job = send(client, "taken").json()["job"]
        for other in (send(client, "taken", PHOTO + b"P"), send(client, "taken", address="/v1/checks")):
            assert (other.status_code, other.json()["error"]) == (422, "idempotency_key")
            assert job not in other.text
        settled(client, job)
    lab.until(lambda: lab.uploads() == [])


def test_a_key_belongs_to_its_token(lab: ServiceLab) -> None:
    jobs = set()
    for _ in range(2):
        with lab.client(lab.token([Scope.SUBMIT])) as client:
            job = send(client, "mine").json()["job"]
            settled(client, job)
            jobs.add(job)
    assert len(jobs) == 2


@pytest.mark.parametrize("key", ["", "two words", "k" * 256, "Orinakyan\u00e9".encode().decode("latin-1")])
def test_a_key_that_is_none_is_refused_and_not_repeated(lab: ServiceLab, key: str) -> None:
    with lab.client(lab.token()) as client:
        before = rows(lab)
        files = {"file": ("photo.jpg", PHOTO)}
        answer = client.post("/v1/jobs", files=files, headers=[(b"Idempotency-Key", key.encode("latin-1"))])
        assert (answer.status_code, answer.json()["error"]) == (422, "parameter")
        assert KEY in answer.json()["message"] and "Orinakyan" not in answer.text
    assert rows(lab) == before


def test_a_key_is_not_written_down(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        settled(client, send(client, "Orinakyan-1").json()["job"])
    assert lab.holding(b"orinakyan") == []


def test_a_job_of_another_token_does_not_exist(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as mine:
        media = submit(mine, PHOTO).json()["job"]
        check = submit(mine, b"P" + PHOTO, address="/v1/checks").json()["job"]
        settled(mine, media)
        settled(mine, check)
        report = mine.get(f"/v1/jobs/{check}/report").content
    some = [Scope.SUBMIT, Scope.FETCH, Scope.CHECK]
    addresses = [f"/v1/jobs/{media}", f"/v1/jobs/{media}/result", f"/v1/jobs/{media}/report"]
    addresses += [f"/v1/jobs/{check}", f"/v1/jobs/{check}/report"]
    with lab.client(lab.token(some)) as stranger:
        unknown = stranger.get("/v1/jobs/" + "a" * 24)
        for address in addresses:
            answer = stranger.get(address)
            assert (answer.status_code, answer.content) == (404, unknown.content), address
    with lab.client(lab.token([*some, Scope.ALL])) as desk:
        assert {desk.get(address).status_code for address in addresses} == {200}
        assert desk.get(addresses[-1]).content == report
    with lab.client(lab.token([Scope.FETCH, Scope.ALL])) as desk:
        assert [desk.get(address).status_code for address in addresses] == [200, 200, 200, 403, 403]
    with lab.client(lab.token([Scope.REVIEW, Scope.CHECK])) as reviewer:
        assert [reviewer.get(address).status_code for address in addresses][::2] == [200, 200, 404]
        assert reviewer.get(addresses[3]).status_code == 404, "media alone are a reviewer's"


def test_all_alone_is_no_token(lab: ServiceLab) -> None:
    with pytest.raises(UsageError, match="scope"):
        lab.token([Scope.ALL])


def test_an_answer_says_which_bytes_it_is_about(lab: ServiceLab, tmp_path: Path) -> None:
    finished = tmp_path / "finished"
    with lab.client(lab.token()) as client:
        for content, address in ((PHOTO, "/v1/jobs"), (b"P" + PHOTO, "/v1/checks"), (b"B", "/v1/checks")):
            end = settled(client, submit(client, content, address=address).json()["job"])
            finished.write_bytes(content[::-1] if address == "/v1/jobs" else content)
            assert end["sha256"] == sha256_file(finished), end
        failed = settled(client, submit(client, PHOTO[:-1] + b"X").json()["job"])
        assert (failed["status"], failed["sha256"]) == ("failed", "")


def test_a_database_of_an_earlier_version_keeps_its_jobs(tmp_path: Path) -> None:
    store = JobStore("", tmp_path, "owner")
    store.accept("b" * 24, SUBMIT, "token", 5)
    store.close()
    with sqlite3.connect(tmp_path / "jobs.sqlite") as db:
        db.execute("DROP INDEX redact_job_repeat")
        db.execute("ALTER TABLE redact_job DROP COLUMN repeat_key")
    store = JobStore("", tmp_path, "owner")
    try:
        old = store.get("b" * 24)
        assert old is not None and (old.size, old.repeat_key) == (5, None)
        assert store.accept("c" * 24, SUBMIT, "token", 5, "d" * 64) is None
        earlier = store.accept("e" * 24, SUBMIT, "token", 5, "d" * 64)
        assert earlier is not None and earlier.id == "c" * 24
        assert store.accept("f" * 24, SUBMIT, "token", 5) is None
        with pytest.raises(sa.exc.IntegrityError):
            store.accept("f" * 24, SUBMIT, "token", 5)
    finally:
        store.close()
    JobStore("", tmp_path, "owner").close()
