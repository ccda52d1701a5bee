"""`make fuzz`: mutated files of every kind against every reader and handler, for a bounded time.

Seeds are made here, mutations come from a seeded generator, and each case runs in a confined worker as in a
batch. What is no clean answer (a crash, a hang, a foreign exception, a message that tells a place) is saved
as a reproducer under bench/work/fuzz and printed; exit 1 then. FUZZ_SECONDS bounds the run, FUZZ_SEED starts
another one, and a reproducer's path as argument runs it alone.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

from fuzz_seeds import seeds

from redact.errors import RedactError
from redact.workers import Access, Spool, Worker, WorkerLimits

FOUND = Path(__file__).resolve().parent.parent / "bench" / "work" / "fuzz"
LIMITS = WorkerLimits(memory_mb=4096, cpu_s=30, open_files=128, output_mb=64)
TIMEOUT_S = 40
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
TARGETS_OF = {
    "plan": {"plan": 1},
    "block": {"metadata": 1},
    "film": {"handlers": 6, "structure": 3, "probe": 1},
    "picture": {"handlers": 6, "structure": 3, "metadata": 1},
}


def mutated(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """Up to eight changes; half of them fall into the first 600 bytes, where sizes and counts are."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        if not out:
            break
        most = len(out) if chance.random() < 0.5 else min(len(out), 600)
        at, size = chance.randrange(most), chance.choice((1, 1, 2, 4, 16, 64))
        how = chance.randrange(8)
        if how == 0:
            out[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            width = chance.choice((1, 2, 4))
            value = chance.choice(INTERESTING) & ((1 << 8 * width) - 1)
            out[at : at + width] = value.to_bytes(width, chance.choice(("big", "little")))
        elif how == 2:
            out[at : at + size] = chance.randbytes(size)
        elif how == 3:
            del out[at : at + size]
        elif how == 4:
            out[at:at] = out[at : at + size] * chance.choice((1, 2, 50))
        elif how == 5:
            del out[at:]
        elif how == 6:
            other = chance.choice(others)
            start = chance.randrange(len(other))
            out[at : at + size] = other[start : start + size * 4]
        else:
            other_at = chance.randrange(len(out))
            out[at : at + size], out[other_at : other_at + size] = (
                out[other_at : other_at + size],
                out[at : at + size],
            )
    return bytes(out)


def mended(data: bytes) -> bytes:
    """A PNG with its checksums put right, which would else stop most mutations at the door."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        end = at + 8 + int.from_bytes(out[at : at + 4], "big")
        if end + 4 > len(out):
            break
        out[end : end + 4] = zlib.crc32(out[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(out)


class Fuzzer:
    """A worker and what it was seen to do wrong."""

    def __init__(self, root: Path) -> None:
        self._spool = Spool(root)
        self._spool.make()
        probe = tuple(filter(None, (Path(p) / "ffprobe" for p in os.get_exec_path())))
        programs = tuple(path.resolve() for path in probe if path.exists())[:1]
        access = Access(
            read=(self._spool.entry,),
            write=(self._spool.exit,),
            programs=(*programs, *(path for path in probe if path.exists())),
        )
        self._worker = Worker("fuzz_jobs:jobs", LIMITS, access)
        self.outcomes: Counter[str] = Counter()
        self.bugs: dict[str, Path] = {}

    def run(self, target: str, data: bytes) -> str:
        """The outcome in words; `BUG ...` if it is none that a file may have."""
        path = self._spool.entry / "case"
        path.write_bytes(data)
        try:
            return str(
                self._worker.call(
                    target, {"path": str(path), "out": str(self._spool.exit)}, timeout_s=TIMEOUT_S
                )
            )
        except RedactError as error:
            if "Not enough memory" in str(error):
                return "refused memory"
            return f"BUG {type(error).__name__}: {error}"

    def keep(self, target: str, data: bytes, outcome: str) -> None:
        """Save a reproducer, one for each kind of failure."""
        lines = [line for line in outcome.splitlines() if line.strip()]
        places = [line.strip() for line in lines if line.strip().startswith("File ")]
        sign = f"{target}: {lines[-1][:120]} at {places[-1] if places else '?'}"
        self.outcomes["BUG"] += 1
        if sign in self.bugs:
            return
        FOUND.mkdir(parents=True, exist_ok=True)
        place = FOUND / f"{target}-{hashlib.sha256(data).hexdigest()[:12]}"
        place.write_bytes(data)
        self.bugs[sign] = place
        print(f"FOUND {sign}\n{outcome}\n  reproducer: {place.name}", flush=True)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()
        self._spool.close()


def sweep(fuzzer: Fuzzer, corpus: dict[str, tuple[str, bytes]], until: float) -> None:
    """Every seed cut at every kilobyte: the plain case of a copy that broke off."""
    for kind, data in corpus.values():
        if kind in ("picture", "film"):
            for length in range(1024, len(data), 1024):
                if time.monotonic() > until:
                    return
                take(fuzzer, "handlers", data[:length])


def take(fuzzer: Fuzzer, target: str, data: bytes) -> None:
    """Run one case and count it."""
    outcome = fuzzer.run(target, data)
    if outcome.startswith("BUG"):
        fuzzer.keep(target, data, outcome)
    else:
        fuzzer.outcomes[f"{target} {outcome}"] += 1


def main(arguments: list[str]) -> int:
    """Run, print, and say how it went."""
    seconds = float(os.environ.get("FUZZ_SECONDS", "300"))
    seed = os.environ.get("FUZZ_SEED", "1")
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(Path(folder))
        try:
            if arguments:
                for argument in arguments:
                    place = Path(argument)
                    print(place.name, fuzzer.run(place.name.partition("-")[0], place.read_bytes()))
                return 0
            corpus = seeds(Path(folder))
            chance = random.Random(seed)
            names, everything = sorted(corpus), [data for _, data in corpus.values()]
            started = time.monotonic()
            sweep(fuzzer, corpus, started + seconds / 3)
            while time.monotonic() - started < seconds:
                kind, data = corpus[chance.choice(names)]
                targets = TARGETS_OF[kind]
                (target,) = chance.choices(list(targets), list(targets.values()))
                case = mutated(data, chance, everything)
                take(fuzzer, target, mended(case) if chance.random() < 0.8 else case)
            for outcome, count in sorted(fuzzer.outcomes.items()):
                print(f"{count:8} {outcome}")
            total = sum(fuzzer.outcomes.values())
            print(
                f"{total} cases in {time.monotonic() - started:.0f} s, seed {seed}, "
                f"{len(fuzzer.bugs)} kinds of bug"
            )
        finally:
            fuzzer.close()
    return int(bool(fuzzer.bugs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
