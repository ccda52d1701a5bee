"""Whatever goes wrong in one item ends that item alone; its public id is told, and no path and no trace."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from redact.batch import run as running
from redact.batch.events import Event
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.store import Store
from redact.errors import ExitCode
from redact.policy import load_policy

STUBS = {"maker": "bench.stub_stages:maker", "gate": "bench.stub_stages:gate"}
SECRET = "/home/orinakyan/secret.jpg"


class Batch:
    """Three inputs, and runs over them in one slot."""

    def __init__(self, folder: Path) -> None:
        self.source, self.out, self.private = (folder / name for name in ("in", "out", "private"))
        self.source.mkdir()
        for name in ("a", "b", "c"):
            (self.source / f"{name}.jpg").write_bytes(name.encode() + b"P")

    def run(self, *settings: str, listener: Callable[[Event], None] | None = None) -> RunSummary:
        options = RunOptions(private_folder=self.private, **STUBS)
        return run(self.source, self.out, load_policy("strict", list(settings)), options, listener)

    def published(self) -> set[bytes]:
        return {path.read_bytes() for path in (self.out / "published").rglob("*") if path.is_file()}


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return Batch(tmp_path)


def _fails_on_b(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    real = running.process

    def process(path: Path, *rest: object) -> object:
        if path.name == "b.jpg":
            raise error
        return real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "process", process)


@pytest.mark.parametrize(
    ("error", "debug"),
    [(KeyError(SECRET), "0"), (KeyError(SECRET), "1"), (MemoryError(), "0"), (OSError(5, "", SECRET), "0")],
)
def test_an_error_that_nobody_foresaw_fails_its_item_and_no_other(
    batch: Batch,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    error: Exception,
    debug: str,
) -> None:
    monkeypatch.setenv("REDACT_DEBUG", debug)
    with monkeypatch.context() as patched:
        _fails_on_b(patched, error)
        summary = batch.run()
    assert summary.counts == {"published": 2, "failed": 1}
    assert summary.exit_code is ExitCode.TOOL_ERROR
    assert batch.published() == {b"Pa", b"Pc"}
    (failed,) = [done for done in summary.items if done.status == "failed"]
    assert "un again" in failed.reason
    assert "rinakyan" not in failed.reason and "Traceback" not in failed.reason
    shown = "".join(capfd.readouterr())
    assert (type(error).__name__ in shown and "Traceback" in shown) if debug == "1" else shown == ""
    with Store(batch.out, batch.private) as store:
        assert store.states()[failed.item]["event"] == "failed"
        assert all("rinakyan" not in str(row) for row in store.ledger.rows())
    again = batch.run()
    assert (again.fresh, dict(again.counts)) == (1, {"published": 3}), "it is worth another try"


def test_an_item_whose_failure_cannot_be_written_down_is_told_as_failed(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError(SECRET)

    (batch.source / "b.jpg").write_bytes(b"damaged")
    monkeypatch.setattr(running, "write_failure", refuse)
    summary = batch.run()
    assert summary.counts == {"published": 2, "failed": 1}
    assert summary.exit_code is ExitCode.TOOL_ERROR
    assert summary.again == {batch.source / "b.jpg"}


def test_nobody_listening_takes_no_item_back_and_is_told_by_the_exit_status(batch: Batch) -> None:
    def closed(_: Event) -> None:
        raise BrokenPipeError(SECRET)

    summary = batch.run(listener=closed)
    assert summary.counts == {"published": 3}
    assert len(batch.published()) == 3
    assert summary.unheard and summary.exit_code is ExitCode.TOOL_ERROR
    assert batch.run().exit_code is ExitCode.PUBLISHED


def test_a_slot_that_ends_early_leaves_no_item_without_a_word(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = running._Batch.work_on

    def ends(self: running._Batch, work: running._Work, stages: object) -> None:
        if work.entry.path.name == "b.jpg":
            raise KeyboardInterrupt  # nobody stopped the run, so that no next one is promised
        real(self, work, stages)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(running._Batch, "work_on", ends)
        summary = batch.run()
    assert summary.counts == {"published": 1, "failed": 2}
    assert summary.exit_code is ExitCode.TOOL_ERROR
    assert batch.run().counts == {"published": 3}


def test_workers_that_cannot_be_ended_hang_no_run_and_print_no_trace(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = running.WorkerStages.close

    def refuse(self: running.WorkerStages) -> None:
        real(self)
        raise OSError(5, "", SECRET)

    monkeypatch.setattr(running.WorkerStages, "close", refuse)
    assert batch.run().counts == {"published": 3}
    assert "".join(capfd.readouterr()) == ""


def test_a_kept_name_that_is_no_text_costs_no_item(batch: Batch) -> None:
    (batch.source / os.fsdecode(b"aa\xff.jpg")).write_bytes(b"nP")
    summary = batch.run("output.filenames=keep")
    assert summary.counts == {"published": 4}
    assert {path.name for path in (batch.out / "published").iterdir()} >= {"a.jpg", "b.jpg", "c.jpg"}


def test_an_input_that_cannot_be_read_for_a_moment_is_taken_by_the_next_run(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = running.sha256_file

    def refuse(path: Path) -> str:
        if path.name == "b.jpg":
            raise PermissionError(13, "", SECRET)
        return real(path)

    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(running, "sha256_file", refuse)
            summary = batch.run()
        assert summary.counts == {"published": 2, "failed": 1}
        assert summary.exit_code is ExitCode.INPUT_ERROR
        assert summary.again == {batch.source / "b.jpg"}, "it is not settled"
    assert batch.run().counts == {"published": 3}


@pytest.mark.parametrize(
    ("number", "code"), [(5, ExitCode.TOOL_ERROR), (116, ExitCode.TOOL_ERROR), (13, ExitCode.INPUT_ERROR)]
)
def test_a_share_that_stumbles_fails_no_item_for_good(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, number: int, code: ExitCode
) -> None:
    real = os.open

    def refuse(path: object, *rest: object, **more: object) -> int:
        if str(path) == str(batch.source / "b.jpg"):
            raise OSError(number, "", SECRET)
        return real(path, *rest, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        summary = batch.run()
    assert summary.counts == {"published": 2, "failed": 1}
    assert summary.exit_code is code
    again = batch.run()
    assert (again.fresh, dict(again.counts)) == (1, {"published": 3})
