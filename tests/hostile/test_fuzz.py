"""The fuzzer's own promises: its seeds are whole, it finds what is wrong, and it repeats itself."""

import random
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "scripts"


@pytest.fixture(autouse=True)
def scripts_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


def test_every_seed_goes_through_clean_so_that_mutations_reach_deep(tmp_path: Path) -> None:
    import fuzz
    import fuzz_seeds

    fuzzer = fuzz.Fuzzer(tmp_path)
    try:
        for name, (kind, data) in fuzz_seeds.seeds(tmp_path).items():
            for target in fuzz.TARGETS_OF[kind]:
                outcome = fuzzer.run(target, data)
                assert outcome == "ok", (name, target, outcome)
    finally:
        fuzzer.close()


def test_a_foreign_exception_and_a_told_path_are_found_and_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import fuzz

    from redact.workers import Access, Worker

    monkeypatch.setattr(fuzz, "FOUND", tmp_path / "found")
    fuzzer = fuzz.Fuzzer(tmp_path)
    spool = fuzzer._spool
    fuzzer._worker = Worker(
        "fuzz_faults:jobs", fuzz.LIMITS, Access(read=(spool.entry, SCRIPTS), write=(spool.exit,))
    )
    try:
        for _ in range(2):
            for target in ("careless", "talkative"):
                fuzz.take(fuzzer, target, b"data")
        assert len(fuzzer.bugs) == 2
        assert fuzzer.outcomes["BUG"] == 4
        assert sorted(path.read_bytes() for path in (tmp_path / "found").iterdir()) == [b"data", b"data"]
    finally:
        fuzzer.close()
    assert "FOUND careless: AttributeError" in capsys.readouterr().out


def test_the_same_seed_makes_the_same_mutations() -> None:
    import fuzz

    def some(seed: str) -> list[bytes]:
        chance = random.Random(seed)
        return [fuzz.mutated(bytes(range(256)) * 8, chance, [b"other"]) for _ in range(30)]

    assert some("1") == some("1") != some("2")
    assert sys.getsizeof(max(some("1"), key=len)) < 20_000
