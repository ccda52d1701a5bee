"""A batch killed a hundred times: what lies in the output folder after each kill, and how it ends.

A folder of small photos, a video, a text-only picture and a broken file is run; at a random moment, or at a
chosen dangerous one, SIGKILL goes to the whole process group, to the parent alone or to one worker. The next
run goes on in the same folder until it is complete; then a new one begins. `Lab` holds the checks, which the
tests use as well.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np

from bench import crash_child
from bench.common import ROOT, Size, Table, processes
from bench.crash_child import POINTS
from bench.forked import Forked
from redact.batch.audit import audit
from redact.batch.ledger import Ledger
from redact.batch.store import Store
from redact.batch.worker_jobs import GATE, MAKER
from redact.errors import LedgerError

KILLS = 100
STUB_KILLS = 300
STUB_MAKER, STUB_GATE = "bench.stub_stages:maker", "bench.stub_stages:gate"
STUB_BYTES = 2001
MODES = ("the whole group", "the parent alone", "one worker")


def children(process: int) -> list[int]:
    """Every living descendant of a process."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z":
                    parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], list(parents.get(process, []))
    while waiting:
        found.append(waiting.pop())
        waiting += parents.get(found[-1], [])
    return found


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def stub_whole(path: Path) -> bool:
    """Whether a published file of the stub stages is whole."""
    content = path.read_bytes()
    return len(content) == STUB_BYTES and content[:1] == b"P"


def stub_folder(place: Path) -> Path:
    """Inputs for the stub stages: four that are published, two that wait, one that is damaged."""
    place.mkdir()
    for n, end in enumerate("PPRPBPX"):
        (place / f"Orinakyan {n}.jpg").write_bytes(bytes([n]) * (STUB_BYTES - 1) + end.encode())
    return place


def decodes(path: Path) -> bool:
    """Whether a finished file is whole."""
    if path.suffix == ".mp4":
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0)) == container.streams.video[0].frames
    return cv2.imread(str(path)) is not None


@dataclass
class Lab:
    """One output folder under attack."""

    source: Path
    place: Path
    stub: bool = False
    """Stages without models on files that are no media: ten times as quick, and the batch is the same."""
    wrong: list[str] = field(default_factory=list)
    """Broken promises."""

    @property
    def out(self) -> Path:
        return self.place / "out"

    @property
    def private(self) -> Path:
        return self.place / "private"

    def start(self, point: str = "", n: int = 1) -> Forked:
        """Begin a run; with a point, one that kills itself there."""
        arguments = [str(self.source), str(self.out), str(self.private)]
        arguments += (STUB_MAKER, STUB_GATE) if self.stub else (MAKER, GATE)
        arguments += [point, str(n)] if point else []
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": paths}
        return Forked(crash_child.main, arguments, Path(os.devnull), environment=environment)

    def kill(self, run: Forked, mode: str, choose: random.Random) -> bool:
        """Kill in one of `MODES`, wait for what must end, and say whether anything was there to kill."""
        workers = children(run.pid)
        if run.poll() is not None or (mode == MODES[2] and not workers):
            run.wait()
            return False
        if mode == MODES[0]:
            os.killpg(run.pid, signal.SIGKILL)
        elif mode == MODES[1]:
            run.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(choose.choice(workers), signal.SIGKILL)
        run.wait()
        self._expect_gone(workers)
        return True

    def _expect_gone(self, workers: list[int]) -> None:
        deadline = time.monotonic() + 10
        while any(map(_alive, workers)):
            if time.monotonic() > deadline:
                self.wrong.append("a worker outlived its parent")
                return
            time.sleep(0.02)

    def check(self) -> None:
        """What must hold at any moment after a kill."""
        published = [path for path in (self.out / "published").rglob("*") if path.is_file()]
        if not (self.out / "ledger.sqlite").is_file():
            if published:
                self.wrong.append("published files without a ledger")
            return
        try:
            self.wrong += audit(self.out).problems
        except LedgerError as error:
            self.wrong.append(str(error))
        whole = stub_whole if self.stub else decodes
        self.wrong += ["a published file is not whole" for path in published if not whole(path)]
        for folder in (self.out / "plans", self.out / "report" / "items"):
            for path in folder.glob("*"):
                try:
                    json.loads(path.read_text(encoding="utf-8"))
                except ValueError:
                    self.wrong.append(f"half a file in {folder.name}/")
        if self.private.exists():
            if stat.S_IMODE(self.private.stat().st_mode) != 0o700:
                self.wrong.append("others can enter the private folder")
            if any(stat.S_IMODE(path.stat().st_mode) != 0o600 for path in self.private.glob("*.sqlite*")):
                self.wrong.append("others can read the private mapping")

    def finish(self) -> Counter[str]:
        """Run to the end, check again, and count the finished folder: files by room, failures."""
        self.start().wait()
        self.check()
        with Store(self.out, self.private) as store:  # opening completes what the last kill cut short
            states = store.states()
            names = [name for _, name in store.private.items()]
        if len(names) != len(set(names)):
            self.wrong.append("an input has two ids")
        if sorted(path.name for path in (self.out / ".work").iterdir()) != ["lock"]:
            self.wrong.append("something is left in .work/")
        found = audit(self.out)
        self.wrong += [*found.problems, *found.notes]
        self._once()
        failed = sum(state["event"] == "failed" for state in states.values())
        return Counter({**found.released, "failed": failed})

    def _once(self) -> None:
        """No item was worked on again once it was released."""
        ledger = Ledger.for_reading(self.out / "ledger.sqlite")
        done: set[str] = set()
        for _, event, item, _ in ledger.rows():
            if event in ("releasing", "failed") and item in done:
                self.wrong.append("an item was processed twice")
            if event == "released":
                done.add(item)
        ledger.close()


def _folder(place: Path) -> Path:
    """Small inputs of several kinds: six that are published or reviewed, one that fails, one set aside."""
    place.mkdir()
    face = cv2.resize(cv2.imread(str(ROOT / "samples" / "media" / "hard.jpg")), (320, 240))
    for n in range(4):
        cv2.imwrite(
            str(place / f"Orinakyan {n}.jpg"), np.clip(face.astype(int) + 6 * n, 0, 255).astype(np.uint8)
        )
    cv2.imwrite(str(place / "flat.png"), np.full((120, 160, 3), 90, np.uint8))
    command = ["ffmpeg", "-v", "error", "-i", ROOT / "samples" / "media" / "entering.mp4", "-frames:v", "12"]
    command += ["-vf", "scale=320:-2", "-an", place / "clip.mp4"]
    subprocess.run([str(part) for part in command], check=True)
    (place / "broken.jpg").write_bytes((place / "Orinakyan 0.jpg").read_bytes()[:3000])
    (place / "clip.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nOrinakyan\n")
    return place


@dataclass
class Campaign:
    """A share of the kills, in folders of their own; plain data, so that two run beside each other."""

    source: Path
    place: Path
    seed: int
    ways: list[str]
    expected: Counter[str]
    """What a finished folder holds."""
    length: float
    """Seconds that an undisturbed run takes."""
    stub: bool
    kills: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    runs: int = 0
    folders: int = 0

    def fight(self) -> Campaign:
        """Kill, check, go on; a folder that is complete is checked whole, and a new one begun."""
        choose = random.Random(self.seed)
        lab: Lab | None = None
        ways = list(self.ways)
        for way in ways:
            if lab is None:
                self.folders += 1
                lab = Lab(self.source, self.place / f"lab-{self.folders}", self.stub)
                lab.place.mkdir(parents=True)
            self.runs += 1
            if way in POINTS:
                hit = lab.start(way, choose.randint(1, 2)).wait() == -signal.SIGKILL
            else:
                process = lab.start()
                time.sleep(choose.uniform(0.1, self.length))
                hit = lab.kill(process, way, choose)
            lab.check()
            self.kills[way] += hit
            self._count(way, lab)
            if not hit:  # the folder was complete before the blow fell
                ways.append(way)
                self._end(lab)
                lab = None
            print(f"{self.kills.total()} of {len(self.ways)}, {way}: {self.broken.total()}", file=sys.stderr)
        if lab is not None:
            self._end(lab)
        return self

    def _count(self, way: str, lab: Lab) -> None:
        self.broken[way] += len(lab.wrong)
        self.seen |= set(lab.wrong)
        lab.wrong.clear()

    def _end(self, lab: Lab) -> None:
        found = lab.finish()
        if found != self.expected:
            lab.wrong.append(f"the finished folder differs: {dict(found)}")
        self._count("the end", lab)
        shutil.rmtree(lab.place)


def _fight(campaign: Campaign) -> Campaign:
    return campaign.fight()


def _war(place: Path, wanted: int, stub: bool) -> tuple[list[Campaign], Counter[str], float]:
    """All kills of one kind, in two campaigns side by side; what an undisturbed run gave, and its seconds."""
    plan = [POINTS[n % len(POINTS)] if n % 5 >= 3 else MODES[n % 3] for n in range(wanted)]
    source = stub_folder(place / "in") if stub else _folder(place / "in")
    reference = Lab(source, place / "reference", stub)
    reference.place.mkdir()
    started = time.monotonic()
    expected = reference.finish()
    length = time.monotonic() - started
    shares = [
        Campaign(source, place / f"campaign-{n}", n, plan[n::2], expected, length, stub) for n in range(2)
    ]
    with processes() as pool:
        done = list(pool.map(_fight, shares))
    done[0].seen.update(reference.wrong)
    return done, expected, length


def run(size: Size) -> Table:
    """A column for batches with real models and media, one for the same batch with stub stages."""
    quick = size is Size.QUICK
    table = Table(
        "Batches killed",
        ["killed", "real: times", "broken promises", "stub stages: times", "broken promises"],
    )
    cells: list[tuple[Counter[str], Counter[str]]] = []
    seen: set[str] = set()
    for stub, wanted in ((False, 8 if quick else KILLS), (True, 20 if quick else STUB_KILLS)):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            done, expected, length = _war(Path(scratch), wanted, stub)
        kills = sum((share.kills for share in done), Counter[str]())
        cells.append((kills, sum((share.broken for share in done), Counter[str]())))
        seen = seen.union(*(share.seen for share in done))
        counts = ", ".join(f"{expected[room]} {room}" for room in ("published", "review", "failed"))
        table.note(
            f"{'Stub stages' if stub else 'Real models and media'}: {sum(share.runs for share in done)} runs "
            f"over {sum(share.folders for share in done)} folders of 7 files ({counts}, in the end, as in "
            f"the run that nobody killed, which takes {length:.1f} s). {time.monotonic() - started:.0f} s "
            "in all."
        )
    for way in (*MODES, *POINTS, "the end"):
        table.add(way, *(str(count[way]) for cell in cells for count in cell))
    table.add("**all**", *(str(count.total()) for cell in cells for count in cell))
    table.note(
        "Checked after every kill: each file in published/ is whole and is bytes that the ledger says passed "
        "the gate; the chain is whole; plans and reports parse; private mapping 0600, its folder 0700; no "
        "worker outlives its parent."
    )
    table.note(
        "Checked at the end of a folder: the counts; one id an input, no item released twice, no file "
        "missing or strange, nothing left in .work/."
    )
    table.note("Broken promises: " + ("; ".join(sorted(seen)) if seen else "none."))
    return table
