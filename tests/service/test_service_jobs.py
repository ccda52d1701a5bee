"""The way of a job through a real service process, with stages that load no model."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa

from bench.crash import STUB_BYTES
from bench.service_lab import ServiceLab, settled, submit
from redact.batch.audit import audit
from redact.batch.review import accept, reject
from redact.batch.store import Store, sha256_file
from redact.errors import OutputError, WorkerDiedError
from redact.service.jobs import CHECK, QUEUED, SUBMIT, WORKING, JobStore, now_ms
from redact.service.tokens import Scope
from redact.service.work import DATABASE_PAUSE_S, MACHINE_PAUSE_S, Runner

NAME = "Orinakyan"


def content(end: str, fill: bytes = b"\x01") -> bytes:
    return fill * (STUB_BYTES - 1) + end.encode()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceLab]:
    with ServiceLab(tmp_path_factory.mktemp("service") / "lab") as running:
        yield running


def test_what_is_submitted_is_published_and_can_be_fetched(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        answer = submit(client, content("P"))
        assert answer.status_code == 202
        job = answer.json()["job"]
        assert answer.headers["location"] == f"/v1/jobs/{job}"
        end = settled(client, job)
        assert (end["status"], end["reason"]) == ("published", "")
        result = client.get(f"/v1/jobs/{job}/result")
        assert result.content == content("P")[::-1]
        assert result.headers["content-type"] == "image/jpeg"
        assert result.headers["redact-verdict"] == "PUBLISH"
        published = lab.out / "published" / f"{end['item']}.jpg"
        assert sha256_file(published) == result.headers["redact-sha256"]
        report = client.get(f"/v1/jobs/{job}/report").json()
        assert (report["item"], report["verdict"]) == (end["item"], "PUBLISH")
    lab.until(lambda: job not in lab.uploads())  # the bytes are gone once the job is settled


@pytest.mark.parametrize(("end", "status"), [("R", "review"), ("B", "blocked")])
def test_what_did_not_pass_is_for_the_review_scope_alone_and_is_marked(
    lab: ServiceLab, end: str, status: str
) -> None:
    with lab.client(lab.token([Scope.SUBMIT, Scope.FETCH])) as desk:
        job = submit(desk, content(end)).json()["job"]
        assert settled(desk, job)["status"] == status
        refused = desk.get(f"/v1/jobs/{job}/result")
        assert (refused.status_code, refused.json()["error"]) == (409, status)
        assert desk.get("/v1/review").status_code == 403
    with lab.client(lab.token([Scope.REVIEW])) as reviewer:
        result = reviewer.get(f"/v1/jobs/{job}/result")
        assert result.content == content(end)[::-1]
        assert result.headers["redact-status"] == status
        assert "NOT-FOR-PUBLICATION-" in result.headers["content-disposition"]
        waiting = reviewer.get("/v1/review").json()
        mine = [item for item in waiting["items"] if item["job"] == job]
        assert [item["status"] for item in mine] == [status]
        assert mine[0]["findings"]


def test_a_broken_file_fails_alone_with_a_reason(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        job = submit(client, content("X")).json()["job"]
        end = settled(client, job)
        assert end["status"] == "failed" and end["reason"].startswith("damaged")
        assert client.get(f"/v1/jobs/{job}/result").status_code == 409
        assert client.get(f"/v1/jobs/{job}/report").status_code == 409


def test_a_check_judges_and_keeps_nothing(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        found = {}
        for first in "PRB":
            answer = submit(client, first.encode() + content("P"), address="/v1/checks?wait=30")
            end = settled(client, answer.json()["job"])
            found[first] = end["status"]
            report = client.get(f"/v1/jobs/{end['job']}/report").json()
            assert len(report["looks"]) == 1
            assert client.get(f"/v1/jobs/{end['job']}/result").status_code == 404
            lab.until(lambda job=end["job"]: not any(name.startswith(job) for name in lab.uploads()))
        assert found == {"P": "passed", "R": "review", "B": "blocked"}


def test_a_reviewers_decision_is_what_the_service_tells(lab: ServiceLab) -> None:
    desk_token = lab.token([Scope.FETCH, Scope.ALL])
    with lab.client(lab.token()) as client, lab.client(desk_token) as desk:
        kept, thrown = (submit(client, content("R", fill)).json()["job"] for fill in (b"\x02", b"\x03"))
        items = {job: settled(client, job)["item"] for job in (kept, thrown)}
        with _when_free(lab) as store:
            accept(store, items[kept], "k7", {0: "a poster"})
            reject(store, items[thrown], "k7")
        assert client.get(f"/v1/jobs/{kept}").json()["status"] == "published"
        assert client.get(f"/v1/jobs/{thrown}").json()["status"] == "rejected"
        assert desk.get(f"/v1/jobs/{kept}/result").content == content("R", b"\x02")[::-1]
        assert client.get(f"/v1/jobs/{thrown}/result").status_code == 409


@contextlib.contextmanager
def _when_free(lab: ServiceLab) -> Iterator[Store]:
    """The output folder, which the service gives back when it has nothing to do."""
    with contextlib.ExitStack() as held:
        stores: list[Store] = []

        def free() -> bool:
            with contextlib.suppress(OutputError):
                stores.append(held.enter_context(Store(lab.out, lab.private)))
            return bool(stores)

        lab.until(free)
        yield stores[0]


def test_a_file_that_was_changed_after_it_was_judged_is_not_handed_out(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        job = submit(client, content("P", b"\x04")).json()["job"]
        end = settled(client, job)
        published = lab.out / "published" / f"{end['item']}.jpg"
        published.write_bytes(b"another")
        refused = client.get(f"/v1/jobs/{job}/result")
        assert (refused.status_code, refused.json()["error"]) == (409, "missing")
        published.write_bytes(content("P", b"\x04")[::-1])


def test_a_senders_name_is_in_the_private_mapping_and_nowhere_else(lab: ServiceLab) -> None:
    seen = []
    with lab.client(lab.token()) as client:
        client.event_hooks["response"].append(
            lambda answer: seen.append(answer.read() + repr(answer.headers).encode())
        )
        for end in "PRBX":
            name = f"../{NAME} {end}.jpg"
            job = submit(client, NAME.encode() + content(end), name).json()["job"]
            settled(client, job)
            client.get(f"/v1/jobs/{job}/report")
            client.get("/v1/review")
        bad = client.post("/v1/jobs", data={NAME: NAME}, files={"file": (NAME, NAME.encode())})
        assert bad.status_code == 400
        client.get(f"/v1/jobs/{NAME}")
        client.get(f"/v1/review?start={NAME}")
        client.get("/metrics")
        client.get(f"/{NAME}")
    needle = NAME.encode().lower()
    assert seen and not any(needle in answer.lower() for answer in seen)
    holding = lab.holding(needle)
    assert [path.parts[0] for path in holding] == ["private"], holding
    with sqlite3.connect(lab.private / holding[0].name) as db:
        names = {row[0] for row in db.execute("SELECT relative FROM item")}
    assert names >= {f"{NAME} {end}.jpg" for end in "PRBX"}


def test_the_folder_is_as_a_run_would_leave_it(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        settled(client, submit(client, content("P", b"\x05")).json()["job"])
    with _when_free(lab):
        pass
    found = audit(lab.out)
    assert found.problems == [] and found.notes == []
    assert found.released["published"] >= 1


def test_a_database_that_is_away_when_a_job_begins_delays_it_for_moments(tmp_path: Path) -> None:
    """Not for the half minute that a full disk or a missing model costs."""

    class Away:
        def lend(self, level: object) -> NoReturn:
            raise sa.exc.OperationalError("", None, ConnectionError())

    jobs = JobStore("", tmp_path, "owner")
    try:
        jobs.accept("a" * 24, SUBMIT, "token", 5)
        plant: Any = SimpleNamespace(config=SimpleNamespace(jobs=1), jobs=jobs, house=Away())
        job = jobs.claim((SUBMIT,))
        assert job is not None
        Runner(plant, ())._work_on(job, SimpleNamespace(isolation=lambda: None))  # type: ignore[arg-type]
        later = jobs.get(job.id)
        assert later is not None and (later.state, later.tries) == (QUEUED, 0)
        assert later.due - now_ms() <= DATABASE_PAUSE_S * 1000 < MACHINE_PAUSE_S * 1000
    finally:
        jobs.close()


def test_a_worker_that_ends_while_the_service_is_stopped_costs_its_job_no_try(tmp_path: Path) -> None:
    def ends(*_: object, **__: object) -> NoReturn:
        raise WorkerDiedError("It was killed.")

    jobs = JobStore("", tmp_path, "owner")
    try:
        jobs.accept("a" * 24, CHECK, "token", 5)
        plant: Any = SimpleNamespace(
            config=SimpleNamespace(jobs=1, limits=SimpleNamespace(tries=1)),
            jobs=jobs,
            policy=None,
            spool=SimpleNamespace(media=lambda job: None),
        )
        job = jobs.claim((CHECK,))
        assert job is not None
        runner = Runner(plant, ())
        runner._ending.set()
        runner._work_on(job, SimpleNamespace(inspect=ends))  # type: ignore[arg-type]
        later = jobs.get(job.id)
        assert later is not None and (later.state, later.tries) == (QUEUED, 0)
    finally:
        jobs.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """Two jobs wait in it."""
    made = JobStore("", tmp_path, "owner")
    for letter in "ab":
        made.accept(letter * 24, SUBMIT, "token", 5)
    yield made
    made.close()


def lose_the_answer(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next change holds, and whoever made it is told that the database is gone."""
    run = store._run

    def lost(*statement: Any) -> NoReturn:
        monkeypatch.setattr(store, "_run", run)
        run(*statement)
        raise sa.exc.OperationalError("", None, ConnectionError())

    monkeypatch.setattr(store, "_run", lost)


def test_a_job_that_was_claimed_when_the_database_went_is_claimed_again_and_one_at_work_is_not(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.claim((SUBMIT,))
    lose_the_answer(store, monkeypatch)
    with pytest.raises(sa.exc.OperationalError):
        store.claim((SUBMIT,))
    assert store.counts()[WORKING] == 2, "nobody is at the second"
    again = store.claim((SUBMIT,))
    assert first is not None and again is not None and again.id != first.id
    assert store.claim((SUBMIT,)) is None


def test_a_job_is_given_to_nobody_else_until_its_way_back_is_confirmed(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = store.claim((SUBMIT,)), store.claim((SUBMIT,))
    assert first is not None and second is not None
    lose_the_answer(store, monkeypatch)
    with pytest.raises(sa.exc.OperationalError):
        store.put_back(first.id, tries=1)
    assert store.claim((SUBMIT,)) is None, "it would be put back under the hands of another slot"
    store.put_back(first.id, tries=1)
    again = store.claim((SUBMIT,))
    assert again is not None and (again.id, again.tries) == (first.id, 1)


def test_a_job_that_its_slot_dropped_is_taken_up_again(store: JobStore) -> None:
    first, second = store.claim((SUBMIT,)), store.claim((SUBMIT,))
    assert first is not None and second is not None
    store.leave(first.id)
    again = store.claim((SUBMIT,))
    assert again is not None and again.id == first.id
    assert store.settle(second.id, "failed", "", "", [])
    store.leave(second.id)
    assert store.claim((SUBMIT,)) is None
