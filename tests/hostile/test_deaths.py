"""A file that takes its worker over costs itself and nothing else: the items around it are published."""

from pathlib import Path

from death_jobs import MARK

from redact.batch.run import RunOptions, run
from redact.policy import load_policy

SETTINGS = ["limits.cpu_s=1"]
JOBS = {"maker": "death_jobs:makers", "gate": "death_jobs:judges"}
# tests/workers has more kinds; these are the ones that differ to a batch
ATTACKS = {
    "segfault": "crashed",
    "memory": "memory",
    "processor": "limits.cpu_s",
    "type": "no valid answer",
    "text": "no valid answer",
    "other-item": "no valid answer",
}


def test_every_kind_of_death_fails_one_item_with_its_reason_and_the_batch_goes_on(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for n, name in enumerate(ATTACKS):
        (source / f"{n:02}-a.jpg").write_bytes(MARK + name.encode())
        (source / f"{n:02}-b.jpg").write_bytes(b"pixels %d" % n)
    options = RunOptions(private_folder=tmp_path / "private", **JOBS)
    summary = run(source, tmp_path / "out", load_policy("strict", SETTINGS), options)
    assert summary.counts == {"published": len(ATTACKS), "failed": len(ATTACKS)}
    reasons = [done.reason for done in summary.items if done.status == "failed"]
    for reason, words in zip(reasons, ATTACKS.values(), strict=True):
        assert words in reason
        assert "/" not in reason and reason.isprintable()
    assert len(list((tmp_path / "out" / "published").iterdir())) == len(ATTACKS)


def test_a_judge_that_lies_publishes_nothing(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for lie in (0, 1, 2, 3, 4):  # about the first one the truth is told
        (source / f"{lie}.png").write_bytes(b"pixels" + bytes([lie]))
    options = RunOptions(private_folder=tmp_path / "private", **JOBS)
    summary = run(source, tmp_path / "out", load_policy("strict", SETTINGS), options)
    assert summary.counts == {"failed": 4, "published": 1}
    for done in summary.items:
        assert "rinakyan" not in done.reason and done.reason.isprintable()
    assert len(list((tmp_path / "out" / "published").iterdir())) == 1
