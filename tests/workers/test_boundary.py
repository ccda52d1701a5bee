"""Whatever a worker does or says ends one call with a clear reason, and the next call works."""

import contextlib
import errno
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redact.errors import (
    OutputError,
    RedactError,
    UnreadableInputError,
    UnsupportedInputError,
    WorkerDiedError,
    WorkerTimeoutError,
)
from redact.workers import Access, Spool, Worker, WorkerLimits, parent, sweep
from redact.workers.wire import NonsenseError, frame_size, pack, read_message, safe_words

SMALL = WorkerLimits(memory_mb=1024, cpu_s=1, open_files=64, output_mb=2)


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spool]:
    with Spool(tmp_path_factory.mktemp("private")) as made:
        made.make()
        yield made


@pytest.fixture(scope="module")
def worker(spool: Spool) -> Iterator[Worker]:
    made = Worker("hostile_jobs:jobs", SMALL, Access(read=(spool.entry,), write=(spool.exit,)))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("attack", "request_", "error", "words"),
    [
        ("segfault", {}, WorkerDiedError, "crashed"),
        ("killed", {}, WorkerDiedError, "was killed"),
        ("memory_bomb", {"bytes": 1 << 33}, WorkerDiedError, "memory"),
        ("cpu_bomb", {}, WorkerDiedError, "limits.cpu_s"),
        ("open_file_bomb", {}, OutputError, "open files"),
        ("large_file", {"megabytes": 3}, OutputError, "too large"),
        ("huge_reply", {}, WorkerDiedError, "no valid answer"),
        ("huge_head", {}, WorkerDiedError, "no valid answer"),
        ("garbage_reply", {}, WorkerDiedError, "no valid answer"),
        ("pickled_reply", {}, WorkerDiedError, "no valid answer"),
        ("strange_reply", {}, WorkerDiedError, "TypeError"),
        ("closes_the_pipe", {}, WorkerDiedError, "run again"),
        ("error_with_a_path", {"message": "/home/x/Orinakyan.jpg"}, RedactError, "not shown"),
        ("error_with_a_path", {"message": "\x1b[31mred\n"}, RedactError, "not shown"),
    ],
)
def test_an_attack_fails_one_item_with_a_reason_and_the_next_one_works(
    worker: Worker,
    spool: Spool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    attack: str,
    request_: dict,
    error: type,
    words: str,
) -> None:
    if attack == "closes_the_pipe":  # and goes on
        monkeypatch.setattr(parent, "LAST_WORD_S", 0.2)
    extra = {"mark": str(tmp_path / "mark"), "path": str(spool.exit / "large")}
    with pytest.raises(error, match=words) as caught:
        worker.call(attack, {**extra, **request_}, timeout_s=60)
    assert "rinakyan" not in str(caught.value) and "/" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert not (tmp_path / "mark").exists(), "nothing that a worker says is run"
    assert worker.call("echo", {"value": "next"}, timeout_s=60) == "next"


@pytest.mark.parametrize("attack", ["half_a_reply", "endless_progress"])
def test_a_worker_that_only_talks_gets_no_more_time_than_a_silent_one(worker: Worker, attack: str) -> None:
    worker.start()
    started = time.monotonic()
    with pytest.raises(WorkerTimeoutError):
        worker.call(attack, {}, timeout_s=0.5)
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_that_is_meant_for_all_ends_no_worker_even_while_it_starts(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """Service managers send them to every process; what becomes of the work is the parent's to decide."""

    class Stopped(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *rest: Any, **more: Any) -> None:
            super().__init__(*rest, **more)
            self.send_signal(number)

    monkeypatch.setattr(parent.subprocess, "Popen", Stopped)  # type: ignore[attr-defined]
    made = Worker("hostile_jobs:jobs", SMALL, Access(read=(spool.entry,), write=(spool.exit,)))
    try:
        assert made.call("echo", {"value": "first"}, timeout_s=60) == "first"
        assert made._process is not None
        made._process.send_signal(number)
        assert made.call("echo", {"value": "next"}, timeout_s=60) == "next"
    finally:
        made.close()


def test_long_texts_and_odd_names_cross_whole(worker: Worker) -> None:
    text = "Օրինակյան" * 100_000
    assert worker.call("echo", {"value": text}, timeout_s=60) == text


@given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode))
def test_no_bytes_from_a_worker_are_more_than_nonsense(data: bytes) -> None:
    with contextlib.suppress(NonsenseError):
        size = frame_size(data, 1 << 16, 1 << 20)
        if size is not None and len(data) >= size:
            read_message(data)
    with contextlib.suppress(NonsenseError):
        read_message(pack({"is": "text"}, data))


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
heads = st.dictionaries(
    st.sampled_from(["is", "value", "stage", "done", "total", "error", "message", "landlock", "seccomp"]),
    scalars | st.lists(scalars, max_size=3) | st.sampled_from(["progress", "error", "hello", "value"]),
)


@given(heads)
def test_a_message_with_wrong_fields_is_nonsense_and_never_a_crash(head: dict) -> None:
    with contextlib.suppress(NonsenseError):
        read_message(pack(head))


@given(st.text(max_size=500))
def test_words_from_a_worker_hold_no_control_character_and_no_path(message: str) -> None:
    said = safe_words(message)
    assert said.isprintable() and "\x1b" not in said
    assert safe_words(f"cannot open /home/{message}").startswith("The item failed")


def test_a_finished_file_is_one_that_no_worker_holds_open(spool: Spool, tmp_path: Path) -> None:
    target = tmp_path / "finished.jpg"
    with spool.produce(target) as inside:
        held = os.open(inside, os.O_CREAT | os.O_RDWR)
        os.write(held, b"judged")
    os.write(held, b" and changed")
    os.close(held)
    assert target.read_bytes() == b"judged"
    assert list(spool.exit.iterdir()) == []


def test_an_input_of_ones_own_is_linked_and_let_go_again(spool: Spool, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    with spool.admit(path) as inside:
        same_disk = inside.stat().st_dev == path.stat().st_dev
        assert (inside.stat().st_ino == path.stat().st_ino) == same_disk
    assert path.stat().st_nlink == 1 and path.read_bytes() == b"x"


def test_a_worker_cannot_leave_a_link_or_a_folder_as_its_output(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a name")
    for leave in (
        lambda inside: inside.symlink_to(tmp_path / "secret"),
        lambda inside: inside.mkdir(),
        os.mkfifo,
        lambda inside: None,
    ):
        with pytest.raises(OutputError), spool.produce(tmp_path / "finished") as inside:
            leave(inside)
        assert not (tmp_path / "finished").exists()


def test_an_input_that_is_gone_is_its_own_fault_and_a_share_that_stumbles_is_not(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnreadableInputError), spool.admit(tmp_path / "gone"):
        pass
    (tmp_path / "there").write_bytes(b"x")
    real = os.open
    for code, kind in (
        (errno.EACCES, UnreadableInputError),
        (errno.ESTALE, OutputError),
        (errno.EIO, OutputError),
        (errno.EMFILE, OutputError),
    ):

        def refuse(path: object, *rest: object, code: int = code, **more: object) -> int:
            if str(path) == str(tmp_path / "there"):
                raise OSError(code, "refused", str(path))
            return real(path, *rest, **more)  # type: ignore[arg-type]

        with monkeypatch.context() as patched:
            patched.setattr(os, "open", refuse)
            with pytest.raises(kind) as told, spool.admit(tmp_path / "there"):
                pass
        assert str(tmp_path) not in str(told.value)


def test_special_files_are_refused_before_a_worker_sees_them(spool: Spool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "target").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for path, follow in ((tmp_path / "fifo", True), (Path("/dev/zero"), True), (tmp_path, True)):
        with pytest.raises(UnsupportedInputError), spool.admit(path, follow=follow):
            pass
    with pytest.raises(RedactError), spool.admit(tmp_path / "link", follow=False):
        pass
    with spool.admit(tmp_path / "link") as inside:
        assert inside.read_text() == "x"


def test_what_a_killed_run_left_is_swept_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    used, dead = Spool(tmp_path), Spool(tmp_path)
    used.make()
    dead.make()
    os.close(dead._lock)
    assert sweep(tmp_path) == 1
    assert used.entry.is_dir() and not dead.entry.exists()
    used.close()
