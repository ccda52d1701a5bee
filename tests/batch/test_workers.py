"""Workers: their death, silence or error becomes one of our exceptions, and never says what it worked on."""

import threading
import time
from collections.abc import Iterator

import pytest

from redact.errors import DamagedInputError, OutputError, WorkerDiedError, WorkerTimeoutError
from redact.workers import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("worker_faults:jobs")
    yield made
    made.close()


def test_a_reply_and_its_progress_come_back(worker: Worker) -> None:
    seen = []
    reply = worker.call("echo", {"value": "x"}, timeout_s=60, progress=lambda *step: seen.append(step))
    assert (reply, seen) == ("x", [("stage", 1, 1)])


def test_our_errors_keep_their_class_and_message(worker: Worker) -> None:
    with pytest.raises(DamagedInputError, match="does not decode"):
        worker.call("damaged", {}, timeout_s=60)


@pytest.mark.parametrize(("job", "error"), [("crash", WorkerDiedError), ("refused", OutputError)])
def test_the_text_of_a_foreign_error_never_crosses(worker: Worker, job: str, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        worker.call(job, {"value": "Orinakyan"}, timeout_s=60)
    assert "Orinakyan" not in str(caught.value)


def test_a_worker_that_dies_fails_one_call_and_the_next_one_works(worker: Worker) -> None:
    with pytest.raises(WorkerDiedError):
        worker.call("die", {}, timeout_s=60)
    assert worker.call("echo", {"value": 2}, timeout_s=60) == 2


def test_a_worker_that_hangs_is_killed(worker: Worker) -> None:
    worker.call("echo", {"value": 1}, timeout_s=60)
    started = time.monotonic()
    with pytest.raises(WorkerTimeoutError):
        worker.call("hang", {}, timeout_s=0.5)
    assert time.monotonic() - started < 60
    assert worker.call("echo", {"value": 3}, timeout_s=60) == 3


def test_a_stop_ends_a_busy_worker(worker: Worker) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(KeyboardInterrupt):
        worker.call("hang", {}, timeout_s=60, stop=stop)


def test_libraries_in_a_worker_cannot_print(worker: Worker, capfd: pytest.CaptureFixture[str]) -> None:
    worker.call("chatter", {"value": "Orinakyan.jpg"}, timeout_s=60)
    assert capfd.readouterr() == ("", "")


def test_a_worker_whose_jobs_do_not_load_is_an_error_each_time() -> None:
    worker = Worker("worker_faults:broken_factory")
    for _ in range(2):
        with pytest.raises(WorkerDiedError):
            worker.call("echo", {"value": 1}, timeout_s=60)
    worker.close()
