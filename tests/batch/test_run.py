"""The batch on real media with real models: what is published, what is not, and what is said about it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from redact.batch.events import ItemDone
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.store import Store, sha256_file
from redact.errors import ExitCode, UsageError
from redact.policy import load_policy


def _portrait(path: Path, seed: int = 0) -> Path:
    """A NASA portrait (public domain), shifted in tone so that copies differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.clip(data.astronaut()[:, :, ::-1].astype(int) + seed, 0, 255).astype(np.uint8)
    cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    source = tmp_path / "in"
    source.mkdir()
    return source, tmp_path / "out", tmp_path / "private"


def _run(places: tuple[Path, Path, Path], *settings: str, **options: object) -> RunSummary:
    source, out, private = places
    return run(
        source, out, load_policy("strict", list(settings)), RunOptions(private_folder=private, **options)
    )


def _published(places: tuple[Path, Path, Path]) -> list[Path]:
    folder = places[1] / "published"
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def test_a_folder_is_published_item_by_item_and_a_second_run_does_nothing(
    places: tuple[Path, Path, Path],
) -> None:
    source = places[0]
    _portrait(source / "Orinakyan.jpg")
    cv2.imwrite(str(source / "landscape.png"), np.full((120, 160, 3), 90, np.uint8))
    (source / "broken.jpg").write_bytes((source / "Orinakyan.jpg").read_bytes()[:9000])
    (source / "Orinakyan.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nOrinakyan\n")
    (source / "deep" / "er").mkdir(parents=True)
    shutil.copy(source / "Orinakyan.jpg", source / "deep" / "er" / "no_ending")
    (source / "link.jpg").symlink_to(source / "Orinakyan.jpg")

    summary = _run(places, jobs=2)
    assert summary.counts == {"published": 2, "review": 1, "failed": 2}
    assert summary.set_aside == 1
    assert summary.exit_code is ExitCode.INPUT_ERROR
    published = _published(places)
    assert len(published) == 2
    for path in published:
        image = cv2.imread(str(path))
        assert image.shape == (512, 512, 3)
        assert image[120, 225].max() <= 8, "the face is covered"
        assert "orinakyan" not in path.name.lower()
    assert {path.name for path in places[1].iterdir()} == {
        "published", "review", "plans", "report", "ledger.sqlite", ".work"
    }  # fmt: skip

    again = _run(places)
    assert again.fresh == 0
    assert again.counts == summary.counts
    assert again.exit_code is summary.exit_code
    assert _published(places) == published


def test_nothing_under_the_output_folder_tells_an_input_name_or_place(
    places: tuple[Path, Path, Path],
) -> None:
    _portrait(places[0] / "Գորիս" / "Օրինակյան Orinakyan.jpg")
    _run(places)
    assert len(_published(places)) == 1
    for path in places[1].rglob("*"):
        assert "rinakyan" not in str(path.relative_to(places[1]))
        if path.is_file():
            content = path.read_bytes()
            for secret in ("Orinakyan", "Օրինակյան", "Գորիս", str(places[0])):
                assert secret.encode() not in content, path.name


def test_kept_names_keep_the_tree_and_never_collide(places: tuple[Path, Path, Path]) -> None:
    _portrait(places[0] / "a" / "one.jpeg")
    _portrait(places[0] / "a" / "one.jpg", seed=3)
    cv2.imwrite(str(places[0] / "a" / "one.png"), cv2.imread(str(places[0] / "a" / "one.jpg")))
    (places[0] / "a" / "one.png").rename(places[0] / "a" / "one.JPG")
    _run(places, "output.filenames=keep")
    names = {str(path.relative_to(places[1] / "published")) for path in _published(places)}
    assert names == {"a/one.jpeg", "a/one.jpg", "a/one.png"}


def test_another_policy_does_the_work_again_and_takes_the_old_files_back(
    places: tuple[Path, Path, Path],
) -> None:
    _portrait(places[0] / "a.jpg")
    _run(places)
    (before,) = _published(places)
    old = sha256_file(before)
    summary = _run(places, "photo.quality=60")
    assert summary.fresh == 1
    (after,) = _published(places)
    assert sha256_file(after) != old


def test_a_dry_run_writes_plans_and_no_media(places: tuple[Path, Path, Path]) -> None:
    _portrait(places[0] / "a.jpg")
    summary = _run(places, dry_run=True)
    assert summary.counts == {"planned": 1}
    (plan,) = (places[1] / "plans").glob("*.json")
    assert json.loads(plan.read_text())["tracks"]
    assert _published(places) == []
    assert list((places[1] / "review").iterdir()) == []


def test_input_and_output_must_not_contain_each_other(places: tuple[Path, Path, Path]) -> None:
    source = places[0]
    for out in (source, source / "out", source.parent):
        with pytest.raises(UsageError):
            run(source, out, load_policy("strict"), RunOptions(private_folder=places[2]))


@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        ({"maker": "pipeline_faults:detector_raises"}, ExitCode.TOOL_ERROR, "worker_died"),
        ({"maker": "pipeline_faults:full_disk"}, ExitCode.TOOL_ERROR, ""),
        ({"maker": "pipeline_faults:dies_while_rendering"}, ExitCode.TOOL_ERROR, "worker_died"),
        ({"gate": "pipeline_faults:gate_dies"}, ExitCode.TOOL_ERROR, "worker_died"),
    ],
)
def test_a_fault_publishes_nothing_names_the_item_and_says_nothing_else(
    places: tuple[Path, Path, Path], options: dict, code: ExitCode, reason: str
) -> None:
    _portrait(places[0] / "Orinakyan.jpg")
    summary = _run(places, **options)
    (done,) = summary.items
    assert (done.status, done.exit_code) == ("failed", code)
    assert done.item
    assert reason in done.reason
    assert "rinakyan" not in done.reason and "/" not in done.reason
    assert _published(places) == []
    assert [path.name for path in (places[1] / ".work").iterdir()] == ["lock"]
    assert _run(places).counts == {"published": 1}, "the machine's fault is worth another try"


def test_a_renderer_that_covers_nothing_does_not_get_past_the_gate(places: tuple[Path, Path, Path]) -> None:
    _portrait(places[0] / "a.jpg")
    summary = _run(places, maker="pipeline_faults:encoder_lies")
    assert summary.counts["published"] == 0
    assert _published(places) == []


_CHILD = """
import sys
from pathlib import Path
from redact.batch.run import RunOptions, run
from redact.policy import load_policy
if __name__ == "__main__":
    source, out, private = map(Path, sys.argv[1:])
    options = RunOptions(private_folder=private)
    run(source, out, load_policy("strict"), options, lambda event: print(event, flush=True))
"""


@pytest.mark.parametrize("finished_items", [0, 1])
def test_a_killed_batch_leaves_whole_files_only_and_the_next_run_goes_on(
    places: tuple[Path, Path, Path], tmp_path: Path, finished_items: int
) -> None:
    for n in range(3):
        _portrait(places[0] / f"{n}.jpg", seed=n)
    script = tmp_path / "child.py"
    script.write_text(_CHILD)
    child = subprocess.Popen(
        [sys.executable, str(script), *map(str, places)], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert child.stdout is not None
    seen = 0
    for line in child.stdout:
        seen += line.startswith("ItemDone")
        if seen == finished_items and line.startswith("ItemStarted"):
            time.sleep(0.7 * finished_items)
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    for path in _published(places):
        assert cv2.imread(str(path)).shape == (512, 512, 3)
    events: list[ItemDone] = []
    source, out, private = places
    summary = run(
        source,
        out,
        load_policy("strict"),
        RunOptions(private_folder=private),
        lambda event: events.append(event) if isinstance(event, ItemDone) else None,
    )
    assert summary.counts == {"published": 3}
    assert sum(event.already for event in events) >= finished_items
    assert len(_published(places)) == 3
    with Store(out, private) as store:
        assert store.ledger.verify() > 0
