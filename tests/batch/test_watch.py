"""A watched folder: whole files only, each done once, whatever is killed; the health file is always whole."""

import errno
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import watch_child

from bench.crash import STUB_GATE, STUB_MAKER, stub_folder, stub_whole
from bench.forked import Forked
from redact.batch.arrivals import FIRST_RETRY_S, LONGEST_RETRY_S, Arrivals, retry_after
from redact.batch.audit import audit
from redact.batch.events import Event, ItemStarted
from redact.batch.health import Health, State
from redact.batch.ledger import Ledger
from redact.batch.run import RunOptions
from redact.batch.store import Store
from redact.batch.walk import walk
from redact.batch.watch import Watcher
from redact.errors import UsageError
from redact.policy import load_policy

SETTLE = 10.0


@dataclass
class Room:
    """A watched folder with a clock that the test turns."""

    place: Path
    options: RunOptions = field(default_factory=RunOptions)
    now: float = 0.0
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source, self.out, self.private = (self.place / name for name in ("in", "out", "private"))
        self.source.mkdir(exist_ok=True)
        self.options = RunOptions(private_folder=self.private, maker=STUB_MAKER, gate=STUB_GATE)

    def watcher(
        self, policy: str = "strict", listener: Callable[[Event], None] = lambda _: None, **changes: object
    ) -> Watcher:
        made = Watcher(
            self.source,
            self.out,
            load_policy(policy),
            replace(self.options, **changes),
            settle_s=SETTLE,
            listener=listener,
            say=self.said.append,
            clock=lambda: self.now,
        )
        made.begin()
        return made

    def write(self, name: str, content: bytes = b"...P") -> Path:
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def counts(self, watcher: Watcher) -> dict[str, int] | None:
        """What one round did."""
        summary = watcher.round()
        return None if summary is None else dict(Counter(done.status for done in summary.items))

    def published(self) -> list[bytes]:
        return sorted(path.read_bytes() for path in (self.out / "published").glob("*"))

    def health(self) -> dict:
        return json.loads((self.out / "health.json").read_text())


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_a_file_that_is_written_in_pieces_is_taken_when_it_is_whole(room: Room) -> None:
    watcher = room.watcher()
    path = room.write("slow.jpg", b"1P")
    for piece in (b"2P", b"3P", b"4P"):
        assert room.counts(watcher) is None
        room.now += SETTLE * 0.9
        with path.open("ab") as file:
            file.write(piece)
    assert room.counts(watcher) is None
    assert room.health()["files"]["settling"] == 1
    room.now += SETTLE
    assert room.counts(watcher) == {"published": 1}
    assert room.published() == [b"1P2P3P4P"[::-1]]
    room.now += 1000
    assert room.counts(watcher) is None, "it is done"


def test_the_folder_is_looked_at_again_until_every_complete_file_was_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"P")
    arrivals = Arrivals(SETTLE)
    assert not arrivals.is_due(0)
    arrivals.look(walk(tmp_path), 0)
    assert arrivals.is_due(1), "it settles"
    assert arrivals.is_due(SETTLE), "it is complete, and no notice says so"
    taken = arrivals.ready(SETTLE)
    arrivals.finish(taken, {path}, SETTLE)
    assert not arrivals.is_due(SETTLE + 1)
    assert arrivals.is_due(SETTLE + FIRST_RETRY_S)
    arrivals.finish(arrivals.ready(SETTLE + FIRST_RETRY_S), set(), SETTLE + FIRST_RETRY_S)
    assert not arrivals.is_due(1e9)


def test_a_time_that_a_copying_tool_set_back_proves_nothing(room: Room) -> None:
    watcher = room.watcher()
    os.utime(room.write("copied.jpg"), (1, 1))
    assert room.counts(watcher) is None
    os.utime(room.write("copied.jpg", b"....P"), (1, 1))
    room.now += SETTLE * 0.9
    assert room.counts(watcher) is None
    room.now += SETTLE * 0.9
    assert room.counts(watcher) is None
    room.now += SETTLE * 0.2
    assert room.counts(watcher) == {"published": 1}


def test_names_that_say_unfinished_are_waited_for(room: Room) -> None:
    watcher = room.watcher()
    for name in ("a.jpg.part", "b.jpg.TMP", ".c.jpg", ".sync/d.jpg", "e.filepart"):
        room.write(name)
    room.now += 100
    assert room.counts(watcher) is None
    room.now += 100
    assert room.counts(watcher) is None
    assert room.health()["files"]["unfinished_names"] == 5
    (room.source / "a.jpg.part").rename(room.source / "a.jpg")
    assert room.counts(watcher) is None
    room.now += SETTLE
    assert room.counts(watcher) == {"published": 1}


def test_subtitles_and_their_film_are_taken_together(room: Room) -> None:
    watcher = room.watcher()
    room.write("film.mp4")
    assert room.counts(watcher) is None
    room.now += SETTLE * 0.5
    room.write("film.hy.srt", b"still written")
    room.write("other.mp4", b"other P")
    room.now += SETTLE * 0.6
    assert room.counts(watcher) is None
    room.now += SETTLE
    # the stubs take everything for media, so that the subtitles count as well
    assert room.counts(watcher) == {"published": 2, "failed": 1}


def test_a_changed_file_is_a_new_one_and_a_restart_does_nothing_twice(room: Room) -> None:
    watcher = room.watcher()
    path = room.write("a.jpg", b"first P")
    room.write("b.jpg", b"wait R")
    room.counts(watcher)
    room.now += SETTLE
    assert room.counts(watcher) == {"published": 1, "review": 1}
    rows = audit(room.out).head.rows
    again = room.watcher()
    assert again.round() is None
    room.now += SETTLE
    summary = again.round()
    assert summary is not None
    assert (summary.fresh, dict(summary.counts)) == (0, {"published": 1, "review": 1})
    assert audit(room.out).head.rows == rows
    assert room.health()["items_since_start"] == {}
    path.write_bytes(b"second P")
    again.round()
    room.now += SETTLE
    assert room.counts(again) == {"published": 1}
    assert len(room.published()) == 2


def test_what_holds_the_whole_batch_is_waited_for_longer_each_time(room: Room) -> None:
    watcher = room.watcher()
    room.write("Orinakyan.jpg")
    room.counts(watcher)
    room.now += SETTLE
    with Store(room.out, room.private):
        assert room.counts(watcher) is None
        assert room.health()["state"] == "backing_off"
        assert room.health()["last_error"]["reason"] == "in_use"
        assert room.counts(watcher) is None, "within the wait nothing is tried"
        assert len(room.said) == 1
        room.now += FIRST_RETRY_S
        assert room.counts(watcher) is None
        assert [line.rpartition("again ")[2] for line in room.said] == ["in 5 s.", "in 10 s."]
    room.now += 2 * FIRST_RETRY_S
    assert room.counts(watcher) == {"published": 1}
    assert room.health()["state"] == "waiting"
    assert room.health()["errors_since_start"] == 2
    shown = "".join(room.said) + json.dumps(room.health())
    assert "rinakyan" not in shown and str(room.place) not in shown


def test_waits_grow_and_are_bounded() -> None:
    waits = [retry_after(n) for n in range(1, 60)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (FIRST_RETRY_S, LONGEST_RETRY_S)


def test_an_input_that_breaks_the_machine_is_tried_again_and_holds_up_no_other(room: Room) -> None:
    watcher = room.watcher(gate=STUB_MAKER)  # no such job: the gate's process fails
    room.write("a.jpg", b"one P")
    room.counts(watcher)
    room.now += SETTLE
    assert room.counts(watcher) == {"failed": 1}
    assert room.health()["files"]["retrying"] == 1
    assert room.counts(watcher) is None
    room.now += FIRST_RETRY_S
    assert room.counts(watcher) == {"failed": 1}
    room.write("b.jpg", b"two R")
    assert room.counts(watcher) is None
    healed = room.watcher()
    healed.round()
    room.now += SETTLE
    assert room.counts(healed) == {"published": 1, "review": 1}


def test_a_stop_in_the_middle_of_an_item_waits_for_the_slot_and_leaves_nothing_half_done(room: Room) -> None:
    watcher = room.watcher(gate="bench.stub_faults:gate_hangs")
    room.write("a.jpg", b"one P")
    room.counts(watcher)
    room.now += SETTLE
    main = threading.main_thread().ident
    assert main is not None

    def stop_at_the_gate() -> None:
        while not list((room.private / "spool").glob("*/in/item")) or not list(room.out.glob(".work/*/*")):
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda *_: watcher.interrupt())
    killer = threading.Thread(target=stop_at_the_gate, daemon=True)
    killer.start()
    try:
        summary = watcher.round()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert summary is not None and summary.interrupted
    assert [path.name for path in (room.out / ".work").iterdir()] == ["lock"]
    assert list((room.private / "spool").glob("*/in/item")) == [], "no copy of an original stays behind"
    again = room.watcher()
    again.round()
    room.now += SETTLE
    assert room.counts(again) == {"published": 1}


def test_a_folder_that_goes_away_is_waited_for(room: Room) -> None:
    watcher = room.watcher()
    room.source.rename(room.place / "away")
    assert room.counts(watcher) is None
    assert room.health()["state"] == "backing_off"
    (room.place / "away").rename(room.source)
    room.write("a.jpg")
    room.now += FIRST_RETRY_S
    room.counts(watcher)
    room.now += SETTLE
    assert room.counts(watcher) == {"published": 1}


def _stale(method: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = getattr(Path, method)

    def look(self: Path, *rest: object) -> object:
        if self.name == name:
            raise OSError(errno.ESTALE, "stale", str(self))
        return real(self, *rest)

    monkeypatch.setattr(Path, method, look)


@pytest.mark.parametrize(
    ("method", "name"), [("is_file", "in"), ("lstat", "a.jpg"), ("exists", "ledger.sqlite")]
)
def test_a_share_that_stumbles_is_waited_for(
    room: Room, monkeypatch: pytest.MonkeyPatch, method: str, name: str
) -> None:
    watcher = room.watcher()
    room.write("a.jpg")
    room.counts(watcher)
    room.now += SETTLE
    with monkeypatch.context() as patched:
        _stale(method, name, patched)
        assert room.counts(watcher) is None
    assert room.health()["state"] == "backing_off"
    assert len(room.said) == 1 and str(room.place) not in room.said[0]
    room.now += FIRST_RETRY_S
    assert room.counts(watcher) == {"published": 1}


def test_a_share_that_is_not_there_yet_at_the_start_is_waited_for(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        _stale("is_dir", "in", patched)
        watcher = room.watcher()
    assert room.health()["state"] == "backing_off"
    room.write("a.jpg")
    room.now += FIRST_RETRY_S
    room.counts(watcher)
    room.now += SETTLE
    assert room.counts(watcher) == {"published": 1}


def test_a_file_that_could_not_be_read_for_a_moment_is_taken_later(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = room.watcher()
    room.write("a.jpg")
    room.counts(watcher)
    room.now += SETTLE

    def refuse(_: Path) -> str:
        raise PermissionError(errno.EACCES, "refused", "/home/orinakyan")

    with monkeypatch.context() as patched:
        patched.setattr("redact.batch.run.sha256_file", refuse)
        assert room.counts(watcher) == {"failed": 1}
    assert room.health()["files"]["retrying"] == 1
    room.now += FIRST_RETRY_S
    assert room.counts(watcher) == {"published": 1}
    assert room.health()["files"]["retrying"] == 0


def test_a_file_that_the_run_passed_over_is_not_taken_for_done(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = room.watcher()
    room.write("a.jpg")
    room.counts(watcher)
    room.now += SETTLE
    with monkeypatch.context() as patched:
        patched.setattr("redact.batch.watch.mark_of", lambda _: None)
        assert room.counts(watcher) == {}
    assert room.counts(watcher) == {"published": 1}


def test_the_health_file_moves_on_while_a_batch_tells_nothing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = threading.Event()
    real = Health.write

    def write(self: Health, state: State | None = None) -> None:
        real(self, state)
        written.set()

    moved: list[bool] = []

    def listen(event: Event) -> None:
        if isinstance(event, ItemStarted):
            written.clear()
            moved.append(written.wait(timeout=180))  # the only slot tells nothing meanwhile

    monkeypatch.setattr(Health, "write", write)
    monkeypatch.setattr("redact.batch.watch.HEARTBEAT_S", 0.02)
    watcher = room.watcher(listener=listen)
    room.write("a.jpg")
    room.counts(watcher)
    room.now += SETTLE
    assert room.counts(watcher) == {"published": 1}
    assert moved == [True]
    assert room.health()["state"] == "waiting"
    assert [thread.name for thread in threading.enumerate() if thread.name == "heartbeat"] == []


def test_a_wrong_set_up_is_told_at_once(room: Room) -> None:
    for source, out in ((room.place / "none", room.out), (room.source, room.source / "out")):
        with pytest.raises(UsageError):
            Watcher(source, out, load_policy("strict"), room.options).begin()
    assert not (room.source / "out").exists()


# From here on in processes of their own, with the system's notices and real time.


@dataclass
class Service:
    """The watcher as a service manager runs it."""

    place: Path
    process: Forked | None = None

    def start(self, settle: float) -> None:
        folders = [str(self.place / name) for name in ("in", "out", "private")]
        self.process = Forked(watch_child.main, [*folders, str(settle)], self.place / "said")

    def end(self, how: signal.Signals) -> tuple[int, str]:
        assert self.process is not None
        if how is signal.SIGKILL:
            os.killpg(self.process.pid, how)
        else:
            self.process.send_signal(how)
        return self.process.wait(timeout=180), self.said()

    def said(self) -> str:
        return (self.place / "said").read_text()

    def wait_for(self, what: Callable[[], bool]) -> None:
        assert self.process is not None
        end = time.monotonic() + 180
        while not what():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, "it never came"
            time.sleep(0.05)

    def files(self, name: str) -> list[Path]:
        return list((self.place / "out" / name).glob("*"))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        os.killpg(made.process.pid, signal.SIGKILL)
        made.process.wait()


class HealthReader(threading.Thread):
    """Reads the health file all the time; every reading must be whole."""

    def __init__(self, file: Path) -> None:
        super().__init__(daemon=True)
        self.file, self.over = file, threading.Event()
        self.states: Counter[str] = Counter()
        self.broken: list[str] = []

    def run(self) -> None:
        while not self.over.is_set():
            if self.file.exists():
                text = self.file.read_text()
                try:
                    self.states[json.loads(text)["state"]] += 1
                except (ValueError, KeyError):
                    self.broken.append(text)
            time.sleep(0.01)

    def finish(self) -> None:
        self.over.set()
        self.join()
        assert self.broken == []


def test_a_service_takes_what_arrives_and_stops_cleanly(service: Service, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    reader = HealthReader(tmp_path / "out" / "health.json")
    reader.start()
    service.start(3.0)  # thirty times the pauses below: a busy machine makes them longer
    service.wait_for(lambda: reader.states["waiting"] > 0)
    slow = tmp_path / "in" / "Orinakyan.jpg"
    for piece in range(8):
        with slow.open("ab") as file:
            file.write(bytes([piece]) * 100 + b"P")
        time.sleep(0.1)
    service.wait_for(lambda: len(service.files("published")) == 1)
    (published,) = service.files("published")
    assert published.read_bytes() == slow.read_bytes()[::-1], "whole"
    health = tmp_path / "out" / "health.json"
    # it lies there before its run has come to the end, and a stop in between is no part of this
    service.wait_for(lambda: json.loads(health.read_text())["items_since_start"] == {"published": 1})
    code, said = service.end(signal.SIGTERM)
    reader.finish()
    assert (code, said) == (0, "")
    assert json.loads(health.read_text())["state"] == "stopped"
    assert {path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")} == {".work"}
    assert audit(tmp_path / "out").problems == []


def test_kill_9_in_the_middle_loses_nothing_does_nothing_twice_and_leaves_the_input_alone(
    service: Service, tmp_path: Path
) -> None:
    source, out = stub_folder(tmp_path / "in"), tmp_path / "out"
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in source.iterdir()}
    reader = HealthReader(out / "health.json")
    reader.start()
    service.start(0.1)
    service.wait_for(lambda: len(service.files("published")) >= 2)
    service.end(signal.SIGKILL)
    assert all(map(stub_whole, service.files("published")))
    service.start(0.1)

    def settled() -> bool:
        record = json.loads((out / "health.json").read_text())
        return record["state"] == "waiting" and record["last_run"] is not None

    service.wait_for(settled)
    code, _ = service.end(signal.SIGINT)
    reader.finish()
    assert code == 0
    found = audit(out)
    assert (found.problems, found.notes) == ([], [])
    assert found.released == Counter(published=4, review=2)
    ledger = Ledger.for_reading(out / "ledger.sqlite")
    done = Counter(item for _, event, item, _ in ledger.rows() if event in ("released", "failed"))
    ledger.close()
    assert len(done) == 7
    assert set(done.values()) == {1}
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in source.iterdir()} == before
