"""The hostile folder: one run over everything that can be wrong with a file, its name or its kind.

The promise: every item ends as published, for review, blocked or failed with a reason; nothing else lies
under published/; the rest of the batch goes on; no message holds a name, a path or a control character.
Detection is off here: it is the decoding, the writing and the gate that meet these bytes.
"""

import os
import random
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_process import command, workers_here
from planted import CANARY, bombs, clip, picture, pointing

from redact.batch.events import ItemDone
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.store import Store
from redact.errors import ExitCode, RedactError
from redact.policy import Policy, load_policy

FORMATS = {
    "jpg": "JPEG",
    "png": "PNG",
    "webp": "WEBP",
    "tif": "TIFF",
    "gif": "GIF",
    "bmp": "BMP",
    "avif": "AVIF",
}
NAMES = {
    "newline": b"a\nb\x1b[31m.jpg",
    "right-to-left": "\u202egpj.Orinakyan\u202c.jpg".encode(),
    "longest": b"x" * 251 + b".jpg",
    "not-unicode": b"\xff\xfe\xe9Orinakyan.jpg",
    "option": b"-rf --policy=x.jpg",
    "protocol": b"concat:Orinakyan|b.jpg",
    "percent": b"%d%s%n.jpg",
    "quote": b"\"'`$(touch x)`.jpg",
}


def _policy(*settings: str) -> Policy:
    off = ["faces=off", "text=off", "gate.faces=false", "gate.text=false"]
    return load_policy("strict", [*off, "limits.item_timeout_s=120", *settings])


def _run(source: Path, out: Path, *settings: str, jobs: int = 1) -> RunSummary:
    options = RunOptions(private_folder=out.parent / "private", jobs=jobs)
    return run(source, out, _policy(*settings), options)


def _truncated(data: bytes, pieces: int = 5) -> dict[int, bytes]:
    """Sampled here; the full sweep is a part of `make fuzz`."""
    step = max(len(data) // pieces, 1)
    return {length: data[:length] for length in (0, 1, 11, *range(step, len(data), step), len(data) - 1)}


def _flipped(data: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    changed = bytearray(data)
    for _ in range(8):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder. Names say what each file is, so that the test can ask the private mapping."""
    base = tmp_path_factory.mktemp("hostile")
    source, work = base / "in", base / "work"
    for folder in (source, work, source / "good", source / "cut", source / "flip", source / "names"):
        folder.mkdir()
    films = {"mp4": clip(work / "a.mp4"), "mkv": clip(work / "a.mkv", container="matroska")}
    whole = {ending: picture(kind) for ending, kind in FORMATS.items()} | films
    for ending, data in whole.items():
        (source / "good" / f"good.{ending}").write_bytes(data)
        for length, part in _truncated(data).items():
            (source / "cut" / f"cut-{length}.{ending}").write_bytes(part)
        for seed in range(3):
            (source / "flip" / f"flip-{seed}.{ending}").write_bytes(_flipped(data, seed))
    (source / "good" / "good-really-png.mp4").write_bytes(whole["png"])
    (source / "good" / "good-really-mp4.jpg").write_bytes(films["mp4"])
    (source / "good" / "good-without-ending").write_bytes(whole["jpg"])
    for name, data in bombs(work).items():
        (source / name).write_bytes(data)
    canary = work / f"{CANARY}.mp4"
    canary.write_bytes(films["mp4"])
    for name, data in pointing(canary, 9, work).items():
        if not name[-1].isdigit() or name.endswith("0"):
            (source / f"pointing-{name}.mp4").write_bytes(data)
    for name in NAMES.values():
        Path(os.fsdecode(os.fsencode(source / "names") + b"/" + name)).write_bytes(whole["jpg"] + name)
    (source / "special-link.jpg").symlink_to(canary)
    (source / "special-folder-link").symlink_to(work)
    (source / "special-loop.jpg").symlink_to("special-loop.jpg")
    (source / "special-device.jpg").symlink_to("/dev/zero")
    os.mkfifo(source / "special-fifo.jpg")
    # bound by a relative name: the address of a socket has little room
    here = os.open(source, os.O_RDONLY)
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"/proc/self/fd/{here}/special-socket.jpg")
    server.close()
    os.close(here)
    return base


@pytest.fixture(scope="module")
def outcome(hostile: Path) -> Iterator[tuple[RunSummary, dict[str, ItemDone], float]]:
    started = time.monotonic()
    summary = _run(hostile / "in", hostile / "out", jobs=2)
    took = time.monotonic() - started
    with Store(hostile / "out", hostile / "private") as store:
        places = dict(store.private.items())
    yield summary, {places[done.item]: done for done in summary.items}, took


def test_every_item_ends_with_a_word_and_none_is_lost(
    hostile: Path, outcome: tuple[RunSummary, dict[str, ItemDone], float]
) -> None:
    summary, by_place, took = outcome
    entries = [path for path in (hostile / "in").rglob("*") if not path.is_dir() or path.is_symlink()]
    assert len(summary.items) == len(by_place) == len(entries)
    assert {done.status for done in summary.items} <= {"published", "review", "blocked", "failed"}
    assert all(done.reason for done in summary.items if done.status != "published")
    assert took < 240
    died = {place: done.reason for place, done in by_place.items() if "worker_died" in done.reason}
    assert died == {}, "bad bytes are a finding about the file, not a death"


def test_good_files_among_them_are_published(
    outcome: tuple[RunSummary, dict[str, ItemDone], float],
) -> None:
    _, by_place, _ = outcome
    for place, done in by_place.items():
        if place.startswith("good/"):
            assert done.status == ("review" if place.endswith(".mkv") else "published") or (
                done.status == "published"
            ), (place, done)


def test_names_of_every_kind_are_taken(outcome: tuple[RunSummary, dict[str, ItemDone], float]) -> None:
    _, by_place, _ = outcome
    taken = {place: done.status for place, done in by_place.items() if place.startswith("names/")}
    assert len(taken) == len(NAMES)
    assert set(taken.values()) == {"published"}, taken


def test_damaged_and_special_files_and_bombs_are_refused(
    outcome: tuple[RunSummary, dict[str, ItemDone], float],
) -> None:
    _, by_place, _ = outcome
    wrong = {
        place: done.status
        for place, done in by_place.items()
        if place.startswith(("special", "bomb", "frames"))
        and done.status != "failed"
        # the chunk is beside the picture and never inflated
        and not place.startswith(("bomb-icc", "bomb-ztxt", "bomb-itxt"))
        # the container lies about the size; the codec's own head, which counts, does not
        and place != "bomb.mp4"
    }
    assert wrong == {}
    cut = {
        place: done.status
        for place, done in by_place.items()
        if place.startswith("cut/") and done.status == "published"
    }
    assert cut == {}, "a file cut short is never published"


def test_smallest_and_widest_pictures_come_through(
    outcome: tuple[RunSummary, dict[str, ItemDone], float],
) -> None:
    _, by_place, _ = outcome
    for place in ("one.png", "one.gif", "one.jpg", "wide.jpg", "wide.png", "tall.png"):
        assert by_place[place].status == "published", (place, by_place[place].reason)


def test_nothing_said_holds_a_name_a_path_or_a_control_character(
    hostile: Path, outcome: tuple[RunSummary, dict[str, ItemDone], float]
) -> None:
    summary, _, _ = outcome
    for done in summary.items:
        assert done.reason.isprintable()
        assert "rinakyan" not in done.reason and str(hostile) not in done.reason and "/" not in done.reason
    for path in (hostile / "out").rglob("*"):
        assert "rinakyan" not in str(path.relative_to(hostile))
        if path.is_file():
            content = path.read_bytes()
            for secret in (CANARY.encode(), os.fsencode(hostile), b"Orinakyan", b"special-"):
                assert secret not in content, path.name


def test_published_holds_exactly_what_the_ledger_released(
    hostile: Path, outcome: tuple[RunSummary, dict[str, ItemDone], float]
) -> None:
    summary, _, _ = outcome
    published = [path for path in (hostile / "out" / "published").rglob("*") if path.is_file()]
    assert len(published) == summary.counts["published"]
    assert not [path for path in published if path.name.startswith(".") or "partial" in path.name]
    assert [path.name for path in (hostile / "out" / ".work").iterdir()] == ["lock"]
    assert list((hostile / "private" / "spool").glob("spool-*")) == []
    with sqlite3.connect(hostile / "out" / "ledger.sqlite") as ledger:
        rows = ledger.execute("SELECT data FROM ledger WHERE event = 'isolation'").fetchall()
    assert summary.isolation is not None
    assert len(rows) == 1 and summary.isolation.describe() in rows[0][0]


def test_the_terminal_gets_no_control_characters(hostile: Path, tmp_path: Path) -> None:
    settings = ["faces=off", "text=off", "gate.faces=false", "gate.text=false"]
    options = [word for setting in settings for word in ("--set", setting)]
    with workers_here():
        done = command(
            "run", hostile / "in" / "names", tmp_path / "out", *options, private=tmp_path / "private"
        )
    assert done.returncode == 0
    assert done.stdout.count("published") > len(NAMES)
    for said in (done.stdout.encode(), done.stderr.encode()):
        assert not set(said) & (set(range(32)) - {9, 10}), said
        assert b"rinakyan" not in said and b"\xe2\x80\xae" not in said


def test_a_folder_that_changes_while_it_is_worked_on_loses_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for n in range(8):
        (source / f"{n}.png").write_bytes(picture("PNG", 64 + n))
    (tmp_path / "secret.png").write_bytes(picture("PNG", 200, 200))

    def change(event: object) -> None:
        if isinstance(event, ItemDone) and not (source / "new.png").exists():
            (source / "new.png").write_bytes(b"not listed")
            (source / "5.png").unlink()
            (source / "6.png").unlink()
            (source / "6.png").symlink_to(tmp_path / "secret.png")
            (source / "7.png").unlink()
            os.mkfifo(source / "7.png")

    options = RunOptions(private_folder=tmp_path / "private")
    with workers_here():
        summary = run(source, tmp_path / "out", _policy(), options, change)
    assert summary.counts == {"published": 5, "failed": 3}
    for path in (tmp_path / "out" / "published").iterdir():
        assert path.read_bytes()[16:20] != (200).to_bytes(4, "big"), "no link is followed out of the folder"


def test_a_file_larger_than_the_limit_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    noise = random.Random(1).randbytes(900 * 900 * 3)
    from PIL import Image

    Image.frombytes("RGB", (900, 900), noise).save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(picture("PNG"))
    summary = _run(tmp_path / "in", tmp_path / "out", "limits.output_mb=1")
    assert summary.counts == {"failed": 1, "published": 1}
    (reason,) = [done.reason for done in summary.items if done.status == "failed"]
    assert reason.startswith("output")


def _small_disk(place: Path) -> bool:
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=640k", "tmpfs", str(place)], check=False, capture_output=True
    )
    return done.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_fails_items_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    noise = random.Random(1).randbytes(500 * 500 * 3)
    from PIL import Image

    Image.frombytes("RGB", (500, 500), noise).save(tmp_path / "in" / "a.png")
    if not _small_disk(tmp_path / "disk"):
        pytest.skip("this machine mounts nothing")
    try:
        try:
            summary = run(
                tmp_path / "in",
                tmp_path / "disk" / "out",
                _policy(),
                RunOptions(private_folder=tmp_path / "p"),
            )
        except RedactError as error:
            assert error.exit_code is ExitCode.TOOL_ERROR
        else:
            assert summary.counts == {"failed": 1}
            assert summary.items[0].exit_code is ExitCode.TOOL_ERROR
            assert "/" not in summary.items[0].reason
        published = tmp_path / "disk" / "out" / "published"
        assert not published.exists() or list(published.iterdir()) == []
    finally:
        subprocess.run(["umount", str(tmp_path / "disk")], check=True)


def test_an_output_folder_that_cannot_be_written_is_said_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(picture("PNG"))
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(RedactError) as caught:
        _run(tmp_path / "in", tmp_path / "file" / "out")
    assert caught.value.exit_code is ExitCode.TOOL_ERROR
    assert str(tmp_path) not in str(caught.value)


def test_a_clock_that_jumps_neither_ends_nor_prolongs_an_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(picture("PNG"))
    jumps = iter([1e9, 4e9, 0.0, -5.0] * 10_000)
    lock = threading.Lock()

    def now() -> float:
        with lock:
            return next(jumps)

    monkeypatch.setattr(time, "time", now)
    os.utime(tmp_path / "in" / "a.png", (0, 1 << 33))
    assert _run(tmp_path / "in", tmp_path / "out").counts == {"published": 1}
