"""kill -9, wherever it falls: published files are whole and judged, the ledger says so, the next run ends."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.crash import MODES, Lab, stub_folder
from bench.crash_child import POINTS
from redact.batch import durable
from redact.batch.audit import audit
from redact.batch.ledger import Ledger
from redact.batch.review import accept
from redact.batch.run import _is_media
from redact.batch.store import Store, sha256_file
from redact.batch.walk import Entry
from redact.errors import OutputError, UnsupportedInputError, WorkerDiedError, WorkerTimeoutError
from redact.findings import Verdict

BATCH = str(Path("redact", "batch", ""))
STEP = int(os.environ.get("CRASH_STEP", "97"))
"""A kill after every so many lines; 1 tries every line of the batch's code."""


def _release(store: Store, item: str, content: bytes, verdict: Verdict, **record: int) -> None:
    file = store.work / f"{item}.jpg"
    file.write_bytes(content)
    store.write_text(store.plans / f"{item}.json", json.dumps({"item": item}))
    store.release(item, file, sha256_file(file), verdict, f"{item}.jpg", **record)


def _day(out: Path, private: Path) -> None:
    """A newsroom's day, which may be begun again at any point: what is settled is not done again."""
    with Store(out, private) as store:
        ids = {
            name: store.private.id_for(name, name)
            for name in ("accepted", "seconded", "withdrawn", "taken", "blocked")
        }
        states = store.states()
        if states.get(ids["accepted"], {}).get("review", {}).get("action") != "accept":
            if ids["accepted"] not in states:
                _release(store, ids["accepted"], b"reviewed", Verdict.REVIEW)
            store.publish_reviewed(ids["accepted"], {"action": "accept", "by": "k7"})
        if states.get(ids["seconded"], {}).get("review", {}).get("action") != "accept":
            if ids["seconded"] not in states:
                _release(store, ids["seconded"], b"approved twice", Verdict.REVIEW, approvals=2)
            assert not accept(store, ids["seconded"], "k7").enough
            accept(store, ids["seconded"], "m2")
        if states.get(ids["withdrawn"], {}).get("verdict") != "REVIEW":
            if ids["withdrawn"] not in states:
                _release(store, ids["withdrawn"], b"passed by a loose policy", Verdict.PUBLISH)
            _release(store, ids["withdrawn"], b"held back by a strict one", Verdict.REVIEW)
        if states.get(ids["taken"], {}).get("event") != "rejected":
            if ids["taken"] not in states:
                _release(store, ids["taken"], b"passed", Verdict.PUBLISH)
            store.reject(ids["taken"], {"action": "reject", "by": "k7"})
        if ids["blocked"] not in states:
            _release(store, ids["blocked"], b"blocked", Verdict.BLOCK)


def _in_child(work: Callable[[], None], before: Callable[[], None]) -> bool:
    """Fork, do `before` and `work` in the child; whether it was killed on the way."""
    child = os.fork()
    if child == 0:
        try:
            before()
            work()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed by itself"
    return os.WIFSIGNALED(status)


def _kill_at_line(n: int) -> None:
    left = n

    def trace(frame, event, _):
        nonlocal left
        if BATCH not in frame.f_code.co_filename:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


GATED = {b"reviewed", b"approved twice", b"passed by a loose policy", b"passed"}


def _published(out: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in (out / "published").glob("*"))


@pytest.fixture
def quick_place(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, if there is such a thing: hundreds of stores, each of which waits for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


def test_a_kill_at_any_line_of_the_batch_leaves_the_truth_and_the_day_can_be_ended(quick_place: Path) -> None:
    n, killed = 1, True
    while killed:
        out, private = quick_place / f"out{n}", quick_place / f"private{n}"
        killed = _in_child(lambda: _day(out, private), lambda: _kill_at_line(n))  # noqa: B023
        published = _published(out)
        assert set(published) <= GATED, n
        if (out / "ledger.sqlite").exists():
            found = audit(out)
            # the row `rejected` comes before the file goes: between the two, verify says so
            assert all("it was taken back" in problem for problem in found.problems), (n, found.problems)
            if b"reviewed" in published:
                assert found.head.rows, n
        for path in (out / "plans").glob("*"):
            json.loads(path.read_text())
        _day(out, private)
        assert _published(out) == [b"approved twice", b"reviewed"], n
        found = audit(out)
        assert found.problems == [] and found.notes == [], n
        assert found.released == Counter(published=2, review=2), n
        assert [path.name for path in (out / ".work").iterdir()] == ["lock"], n
        n += STEP
    assert n > 500, "the day is long enough to mean something"


@pytest.mark.parametrize("seed", range(6))
def test_a_kill_inside_sqlite_leaves_a_whole_chain(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    choose = random.Random(seed)

    def write() -> None:
        ledger = Ledger(path)
        for n in range(2000):
            ledger.append("event", "item", n=n)

    def alarm() -> None:  # unhandled, it ends the process at once, in the middle of a commit too
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, choose.uniform(0.002, 0.08))

    assert _in_child(write, alarm)
    ledger = Ledger(path)
    before = ledger.verify()
    assert [data["n"] for _, _, _, data in ledger.rows()] == list(range(before))
    ledger.append("event", "item", n=before)
    assert ledger.verify() == before + 1


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(stub_folder(tmp_path / "in"), tmp_path, stub=True)


def _finished(out: Path) -> int:
    """Files in both rooms."""
    return sum(1 for room in ("published", "review") for _ in (out / room).glob("*"))


def test_a_batch_killed_again_and_again_ends_with_every_item_done_once(lab: Lab) -> None:
    choose = random.Random(5)
    hits = 0
    for kill, way in enumerate((MODES[0], POINTS[choose.randrange(len(POINTS) - 1)], MODES[1], MODES[2])):
        if way in POINTS:
            hits += lab.start(way).wait() == -signal.SIGKILL
        else:
            process = lab.start()
            while process.poll() is None and _finished(lab.out) <= kill:
                time.sleep(0.005)
            time.sleep(choose.uniform(0, 0.05))
            hits += lab.kill(process, way, choose)
        lab.check()
        assert lab.wrong == []
        for path in (lab.out / "published").glob("*"):
            content = path.read_bytes()
            assert len(content) == 2001 and content[:1] == b"P"
    assert hits >= 2, "else this shows little"
    found = lab.finish()
    assert lab.wrong == []
    assert found == Counter(published=4, review=2, failed=1)


def test_a_companion_that_kills_its_reader_fails_alone(lab: Lab) -> None:
    (lab.source / "notes.txt").write_bytes(b"K")
    found = lab.finish()
    assert lab.wrong == []
    assert found == Counter(published=4, review=2, failed=2)


@pytest.mark.parametrize(
    ("answers", "media"),
    [
        ([WorkerDiedError("killed"), UnsupportedInputError("text")], False),
        ([WorkerDiedError("killed"), None], True),
        ([WorkerDiedError("killed"), WorkerDiedError("killed")], True),
        ([WorkerTimeoutError("hangs")], True),
    ],
)
def test_a_reader_that_somebody_else_killed_makes_no_item_of_a_companion(
    answers: list[Exception | None], media: bool
) -> None:
    class Stages:
        def sniff(self, path: Path) -> str:
            answer = answers.pop(0)
            if answer is not None:
                raise answer
            return "jpeg"

    assert _is_media(Entry(Path("clip.srt"), Path("clip.srt")), Stages()) is media
    assert not answers


def test_two_processes_exclude_each_other_and_a_crash_frees_the_folder(tmp_path: Path) -> None:
    out, private = tmp_path / "out", tmp_path / "private"
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom redact.batch.store import Store\n"
        "out, private = map(Path, sys.argv[1:])\n"
        "with Store(out, private):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(out), str(private)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match="Another run"), Store(out, private):
            pass
        with pytest.raises(OutputError, match="working"):
            audit(out)
        holder.kill()
    with Store(out, private) as store:
        assert store.ledger.verify() > 0


def test_bytes_then_intent_then_rename_then_folder_then_fact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    append, replace, sync = Ledger.append, Path.replace, durable.sync

    def appending(self, event, item="", **data):
        append(self, event, item, **data)
        order.append(event)

    def replacing(self, target):
        order.append(f"rename into {target.parent.name}")
        return replace(self, target)

    def syncing(path):
        order.append("sync bytes" if path.is_file() else f"sync {path.name}")
        sync(path)

    with Store(tmp_path / "out", tmp_path / "private") as store:
        item = store.private.id_for("job", "a.jpg")
        file = store.work / "a.jpg"
        file.write_bytes(b"pixels")
        monkeypatch.setattr(Ledger, "append", appending)
        monkeypatch.setattr(Path, "replace", replacing)
        monkeypatch.setattr(durable, "sync", syncing)
        store.release(item, file, sha256_file(file), Verdict.PUBLISH, "a.jpg")
    assert order == [
        "sync bytes",
        "rename into .work",
        "sync .work",
        "releasing",
        "rename into published",
        "sync published",
        "sync .work",
        "released",
    ]
