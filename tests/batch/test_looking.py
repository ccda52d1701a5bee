"""Frames through workers: the same numbers as everywhere, nothing left on disk, no answer believed."""

import json
import math
import os
import shutil
import struct
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from redact.batch.jobs import WorkerStages
from redact.batch.looking import is_plain_jpeg, read_spans, read_times
from redact.batch.private import state_folder
from redact.errors import (
    DamagedInputError,
    InputError,
    InputTooLargeError,
    UnsupportedInputError,
    UsageError,
    WorkerDiedError,
)
from redact.media.registry import handler_for
from redact.plan import Box, Kind
from redact.policy import load_policy
from redact.track.keys import KeyFrame

POLICY = load_policy("strict")


def stages_of(maker: str, gate: str = "looking_faults:honest_gate", *, follow: bool = True) -> WorkerStages:
    return WorkerStages(60, threading.Event(), f"looking_faults:{maker}", gate, follow_links=follow)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("looking")


@pytest.fixture(scope="module")
def stages(folder: Path) -> Iterator[WorkerStages]:
    made = WorkerStages(
        60, threading.Event(), "looking_faults:honest_maker", "looking_faults:honest_gate", spool=folder
    )
    yield made
    made.close()


def image(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("name", ["vfr.mp4", "rotated.mp4", "moving.gif", "phone.heic"])
def test_a_frame_and_its_time_are_those_that_the_handler_gives(
    stages: WorkerStages, samples_dir: Path, name: str, finished: bool
) -> None:
    path = samples_dir / name
    handler = handler_for(path)
    facts = handler.probe(path)
    times = []
    for frame in handler.frames(path, facts):
        times.append(float(frame.time))
        if frame.index % 25 == 3 or facts.kind == "photo":
            got = stages.frame(path, frame.index, finished=finished, policy=POLICY)
            assert cv2.PSNR(image(got), frame.picture.bgr()) > 30
    assert stages.frame_times(path, finished=finished, policy=POLICY) == tuple(times)
    assert stages.frame_times(path, finished=finished, policy=POLICY, frames=len(times)) == tuple(times)
    with pytest.raises(UsageError, match="no frame"):
        stages.frame(path, len(times), finished=finished, policy=POLICY)


def test_a_frame_is_made_small_where_it_is_decoded(stages: WorkerStages, samples_dir: Path) -> None:
    small = stages.frame(samples_dir / "vfr.mp4", 2, finished=True, policy=POLICY, width=100)
    assert image(small).shape[1] == 100


def test_nothing_of_a_looked_at_file_stays_in_the_spool(
    stages: WorkerStages, samples_dir: Path, folder: Path
) -> None:
    stages.frame(samples_dir / "vfr.mp4", 5, finished=False, policy=POLICY)
    spools = list((folder / "spool").glob("spool-*"))
    assert spools
    assert [each for spool in spools for part in ("in", "out") for each in (spool / part).iterdir()] == []


def test_a_file_that_was_changed_is_read_again(
    stages: WorkerStages, samples_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "film.mp4"
    shutil.copyfile(samples_dir / "vfr.mp4", path)
    before = stages.frame(path, 5, finished=True, policy=POLICY)
    other = tmp_path / "other.mp4"
    shutil.copyfile(samples_dir / "rotated.mp4", other)
    other.replace(path)
    assert stages.frame(path, 5, finished=True, policy=POLICY) != before
    path.unlink()
    with pytest.raises(InputError):
        stages.frame(path, 5, finished=True, policy=POLICY)


def test_an_open_file_is_not_handed_over_again(samples_dir: Path) -> None:
    stages = stages_of("counting")
    path = samples_dir / "vfr.mp4"
    # asked by its key, then with the file, then by its key alone
    assert [stages.frame_times(path, finished=False, policy=POLICY) for _ in range(2)] == [(2.0,), (3.0,)]
    stages.close()


def test_hostile_bytes_and_refused_files_are_the_usual_errors(
    stages: WorkerStages, samples_dir: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes((samples_dir / "vfr.mp4").read_bytes()[:9000])
    text = tmp_path / "text.mp4"
    text.write_text("#EXTM3U\nfile:/etc/hostname\n")
    for path, error in ((cut, DamagedInputError), (text, UnsupportedInputError)):
        for finished in (False, True):
            with pytest.raises(error):
                stages.frame(path, 0, finished=finished, policy=POLICY)
            with pytest.raises(error):
                stages.frame_times(path, finished=finished, policy=POLICY)
    small = load_policy("strict", ["limits.max_pixels=1000"])
    with pytest.raises(InputTooLargeError):
        stages.frame(samples_dir / "phone.heic", 0, finished=False, policy=small)


@pytest.mark.parametrize(("index", "width"), [(-1, 100), (0, 0), (0, 4097)])
def test_no_worker_is_asked_for_what_cannot_be(
    stages: WorkerStages, samples_dir: Path, index: int, width: int
) -> None:
    with pytest.raises(UsageError):
        stages.frame(samples_dir / "vfr.mp4", index, finished=True, policy=POLICY, width=width)


def test_a_link_is_not_followed_where_links_are_refused(samples_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "link.mp4"
    path.symlink_to(samples_dir / "vfr.mp4")
    stages = stages_of("honest_maker", follow=False)
    with pytest.raises(UnsupportedInputError):
        stages.frame(path, 0, finished=False, policy=POLICY)
    assert state_folder().is_dir()
    assert os.path.lexists(path)
    stages.close()


def test_no_answer_is_believed_that_is_none(samples_dir: Path) -> None:
    stages = stages_of("lying")
    path = samples_dir / "vfr.mp4"
    with pytest.raises(WorkerDiedError):
        stages.frame(path, 0, finished=False, policy=POLICY)
    with pytest.raises(WorkerDiedError):
        stages.frame_times(path, finished=False, policy=POLICY)
    with pytest.raises(WorkerDiedError):
        stages.follow(path, [KeyFrame(0, Box(1, 1, 9, 9))], 0, 3, Kind.FACE, lambda *_: None)
    stages.close()


def part(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


START, END = b"\xff\xd8", b"\xff\xd9"
SCAN = part(0xDA, b"") + b"sample" + END


def frame_of(width: int, height: int) -> bytes:
    return struct.pack(">BHHB", 8, height, width, 3) + bytes(9)


def test_only_a_plain_picture_of_the_size_asked_for_is_taken_as_one() -> None:
    fine = START + part(0xC0, frame_of(100, 64)) + SCAN
    assert is_plain_jpeg(fine, 100)
    real = cv2.imencode(".jpg", np.zeros((64, 100, 3), np.uint8))[1].tobytes()
    assert is_plain_jpeg(real, 100)
    for bad in (
        None,
        "text",
        b"",
        b"GIF89a",
        START + part(0xE1, b"Exif\x00\x00") + fine[2:],
        START + part(0xE0, b"JFXX\x00") + fine[2:],
        START + part(0xFE, b"a comment") + fine[2:],
        START + part(0xC0, frame_of(101, 64)) + SCAN,
        START + part(0xC0, frame_of(100, 8193)) + SCAN,
        START + part(0xC0, frame_of(0, 64)) + SCAN,
        START + part(0xC2, frame_of(100, 64)) + SCAN,
        START + part(0xC0, frame_of(100, 64)) * 2 + SCAN,
        START + SCAN,
        START + part(0xC0, frame_of(100, 64)) + END,
        fine + b"<script>",
        fine[:12] + END,
    ):
        assert not is_plain_jpeg(bad, 100), bad


def test_only_finite_times_that_do_not_fall_are_taken_as_times() -> None:
    assert read_times(array("d", [0.0, 0.5, 0.5]).tobytes(), 3) == (0.0, 0.5, 0.5)
    for bad in ([0.0, math.nan], [0.0, math.inf], [1.0, 0.5], [0.0] * 4):
        assert read_times(array("d", bad).tobytes(), 3) is None
    assert [read_times(bad, 3) for bad in (7, b"", b"1234567", None)] == [None] * 4


def test_only_spans_that_tile_the_frames_and_meet_what_was_drawn_are_taken() -> None:
    keys = [KeyFrame(4, Box(10, 10, 20, 20))]

    def spans(*parts: tuple[int, int], x: float = 5, origin: str = "reviewer") -> bytes:
        made = [{"first": a, "last": b, "box": [x, 5, 40, 40], "origin": origin} for a, b in parts]
        return json.dumps(made).encode()

    found = read_spans(spans((2, 4), (5, 9)), keys, 2, 9)
    assert found is not None
    assert [(span.first, span.last) for span in found] == [(2, 4), (5, 9)]
    for bad in (
        "text",
        b"{}",
        b"[" * 5000,
        spans((2, 4)),
        spans((2, 4), (6, 9)),
        spans((2, 5), (5, 9)),
        spans((2, 4), (5, 10)),
        spans((2, 4), (5, 9), x=300),
        spans((2, 4), (5, 9), origin="detected"),
    ):
        assert read_spans(bad, keys, 2, 9) is None, bad


def test_what_is_drawn_is_followed_through_the_worker(stages: WorkerStages, samples_dir: Path) -> None:
    steps = []
    keys = [KeyFrame(40, Box(200, 100, 60, 60)), KeyFrame(20, Box(180, 100, 60, 60))]
    spans = stages.follow(
        samples_dir / "entering.mp4", keys, 10, 60, Kind.FACE, lambda *step: steps.append(step)
    )
    assert [n for span in spans for n in range(span.first, span.last + 1)] == list(range(10, 61))
    assert steps[-1] == ("follow", 153, 153)
    with pytest.raises(UsageError, match="no frame"):
        stages.follow(samples_dir / "entering.mp4", keys, 10, 600, Kind.FACE, lambda *_: None)


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [KeyFrame(3, Box(1, 1, 9, 9)), KeyFrame(3, Box(1, 1, 9, 9))],
        [KeyFrame(31, Box(1, 1, 9, 9))],
        [KeyFrame(3, Box(1, 1, 0, 9))],
        [KeyFrame(3, Box(float("nan"), 1, 9, 9))],
        [KeyFrame(3, Box(-50, 1, 9, 9))],
    ],
)
def test_key_frames_that_make_no_sense_are_refused(
    stages: WorkerStages, samples_dir: Path, keys: list[KeyFrame]
) -> None:
    with pytest.raises(UsageError):
        stages.follow(samples_dir / "entering.mp4", keys, 0, 30, Kind.FACE, lambda *_: None)
    with pytest.raises(UsageError, match="at once"):
        key = [KeyFrame(3, Box(1, 1, 9, 9))]
        stages.follow(samples_dir / "entering.mp4", key, 0, 15_000, Kind.FACE, lambda *_: None)
