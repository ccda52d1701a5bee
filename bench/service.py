"""Fifty clients at once on one service: good photos and bad uploads, while it is killed and started again.

Checked at the end: every job that was accepted has ended, with the status that its file must have; its item
was released once; nothing lies in the spool; the output folder is as its ledger says. Clients repeat what was
refused for want of room and what a kill cut off, as a newsroom's system would.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import httpx

from bench.common import ROOT, Size, Table
from bench.crash import STUB_BYTES, STUB_GATE, STUB_MAKER
from bench.service_lab import ServiceLab, submit
from redact.batch.audit import audit
from redact.batch.ledger import Ledger
from redact.batch.worker_jobs import GATE, MAKER

CLIENTS = 50
UPLOAD_MB = 4
PATIENCE_S = 3600.0
KIND = {"Content-Type": "multipart/form-data; boundary=b"}
BAD = ("no token", "not a form", "two files", "empty", "too large", "broken off")


@dataclass
class Load:
    """What all clients together saw."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Name of the file's content by job."""
    times: list[float] = field(default_factory=list)
    """Seconds from the first byte of an upload to its 202, one attempt each."""
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, word: str) -> None:
        with self.lock:
            self.answers[word] += 1


def _small(path: Path, width: int, quality: int) -> bytes:
    picture = cv2.imread(str(path))
    height = round(picture.shape[0] * width / picture.shape[1])
    done, data = cv2.imencode(
        ".jpg",
        cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA),
        [cv2.IMWRITE_JPEG_QUALITY, quality],
    )
    assert done
    return bytes(data)


def _photos() -> dict[str, bytes]:
    """Small photos and a broken one, by what they are."""
    media = ROOT / "samples" / "media"
    found = {
        f"{name} {width}": _small(media / f"{name}.jpg", width, 90)
        for name in ("group", "hard", "metadata", "no-face")
        for width in (320, 480)
    }
    return {
        **found,
        "cut short": (media / "broken" / "cut-short.jpg").read_bytes(),
        "a text": b"no picture" * 99,
    }


def _stubs() -> dict[str, bytes]:
    """Files for the stub stages, by the status they must come to."""
    ends = {"published": "P", "review": "R", "blocked": "B", "failed": "X"}
    return {word: b"\x01" * (STUB_BYTES - 1) + end.encode() for word, end in ends.items()}


def _bad(client: httpx.Client, kind: str) -> httpx.Response | None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    if kind == "no token":
        return client.post("/v1/jobs", files={"file": ("a.jpg", b"x")}, headers={"Authorization": "Bearer x"})
    if kind == "not a form":
        return client.post("/v1/jobs", content=b"x" * 5000, headers=KIND)
    if kind == "two files":
        return client.post("/v1/jobs", files=[("file", ("a", b"x")), ("file", ("b", b"y"))])
    if kind == "empty":
        return client.post("/v1/jobs", files={"file": ("a.jpg", b"")})
    if kind == "too large":
        return client.post("/v1/jobs", files={"file": ("a.jpg", b"x" * ((UPLOAD_MB << 20) + 1))})
    return client.post("/v1/jobs", content=head + b"x" * 5000, headers=KIND)


def _client(lab: ServiceLab, token: str, load: Load, work: list[tuple[str, bytes | None]]) -> None:
    with lab.client(token) as client:
        for name, content in work:
            until = time.monotonic() + PATIENCE_S
            while time.monotonic() < until:
                started = time.monotonic()
                try:
                    answer = _bad(client, name) if content is None else submit(client, content, f"{name}.jpg")
                except httpx.HTTPError:
                    load.note("cut off by a kill, sent again")
                    time.sleep(0.3)
                    continue
                assert answer is not None
                if answer.status_code in (429, 503):
                    load.note(f"{answer.status_code}, sent again")
                    time.sleep(min(float(answer.headers.get("retry-after", "1")), 2.0))
                    continue
                with load.lock:
                    if content is not None and answer.status_code == 202:
                        load.accepted[answer.json()["job"]] = name
                        load.times.append(time.monotonic() - started)
                    elif content is not None or not 400 <= answer.status_code < 500:
                        load.wrong.append(f"{name} was answered with {answer.status_code}")
                load.note("accepted" if content is not None else f"bad upload: {answer.status_code}")
                break
            else:
                load.wrong.append(f"{name} never got an answer")


def _memory_mb(process: int) -> float:
    """Largest resident size of the service's own process so far."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _follow(lab: ServiceLab, token: str, load: Load) -> dict[str, dict[str, str]]:
    """Every accepted job's end."""
    ends: dict[str, dict[str, str]] = {}
    with lab.client(token) as client:
        until = time.monotonic() + PATIENCE_S
        for job in load.accepted:
            while time.monotonic() < until:
                answer = client.get(f"/v1/jobs/{job}", params={"wait": 30})
                if answer.status_code == 404:
                    load.wrong.append("an accepted job is not known")
                    break
                if answer.status_code == 200 and answer.json()["state"] == "settled":
                    ends[job] = answer.json()
                    break
            else:
                load.wrong.append("an accepted job did not end")
    return ends


def _check(lab: ServiceLab, load: Load, ends: dict[str, dict[str, str]], stub: bool) -> Counter[str]:
    """Compare what was accepted with what the folder and its ledger hold; what came of the jobs."""
    by_file: dict[str, set[str]] = {}
    for job, end in ends.items():
        by_file.setdefault(load.accepted[job], set()).add(end["status"])
    for name, statuses in by_file.items():
        if len(statuses) > 1 or (stub and statuses != {name}):
            load.wrong.append(f"{name} came to {', '.join(sorted(statuses))}")
    items = [end["item"] for end in ends.values()]
    if len(set(items)) != len(items):
        load.wrong.append("two jobs have one item")
    ledger = Ledger.for_reading(lab.out / "ledger.sqlite")
    released = Counter(item for _, event, item, _ in ledger.rows() if event == "released")
    ledger.close()
    for end in ends.values():
        if released[end["item"]] != (end["status"] != "failed"):
            load.wrong.append(f"a {end['status']} item was released {released[end['item']]} times")
    found = audit(lab.out)
    load.wrong += found.problems + found.notes
    if left := list((lab.state / "uploads").iterdir()):
        load.wrong.append(f"{len(left)} uploads were left in the spool")
    return Counter(end["status"] for end in ends.values())


def _storm(
    place: Path, each: int, bad_each: int, kills: int, stub: bool
) -> tuple[list[str], list[str], Load]:
    """One load; the table's row and notes."""
    files = _stubs() if stub else _photos()
    maker, gate = (STUB_MAKER, STUB_GATE) if stub else (MAKER, GATE)
    limits = {"upload_mb": UPLOAD_MB, "queue": 100 if not stub else 400, "uploads": 40}
    lab = ServiceLab(place / "lab", settings="jobs = 2", limits=limits, maker=maker, gate=gate, pause_s=None)
    lab.start()
    # the same port after a kill, so that clients find it again
    lab.config.write_text(lab.config.read_text().replace("port = 0", f"port = {lab.port}"))
    tokens = [lab.token() for _ in range(CLIENTS)]
    load, choose, names = Load(), random.Random(6), sorted(files)
    threads = []
    for n, token in enumerate(tokens):
        work: list[tuple[str, bytes | None]] = [
            (name, files[name]) for name in (names[(n + k) % len(names)] for k in range(each))
        ]
        work += [(BAD[(n + k) % len(BAD)], None) for k in range(bad_each)]
        choose.shuffle(work)
        threads.append(threading.Thread(target=_client, args=(lab, token, load, work)))
    started, wanted, memory = time.monotonic(), each * CLIENTS, 0.0
    for thread in threads:
        thread.start()
    for kill in range(1, kills + 1):
        while len(load.accepted) < wanted * kill // (kills + 1):
            time.sleep(0.01)
        assert lab.process is not None
        memory = max(memory, _memory_mb(lab.process.pid))
        lab.kill()
        lab.start()
    for thread in threads:
        thread.join()
    uploaded = time.monotonic() - started
    ends = _follow(lab, tokens[0], load)
    seconds = time.monotonic() - started
    assert lab.process is not None
    memory = max(memory, _memory_mb(lab.process.pid))
    if lab.stop() != 0:
        load.wrong.append("the service did not stop cleanly")
    came = _check(lab, load, ends, stub)
    again = [event["again"] for event in lab.events() if event["event"] == "started"][1:]
    times = sorted(load.times)
    row = [
        "stub stages" if stub else "real stages",
        f"{len(load.accepted)} of {wanted}",
        str(len(load.accepted) - len(ends)),
        str(len(load.wrong)),
        f"{statistics.median(times):.2f} / {times[int(len(times) * 0.95)]:.2f} s",
        f"{uploaded:.0f} s",
        f"{seconds:.0f} s",
        f"{memory:.0f} MB",
    ]
    counts = ", ".join(f"{count} {word}" for word, count in sorted(came.items()))
    answers = ", ".join(f"{count} {word}" for word, count in sorted(load.answers.items()))
    notes = [
        f"{row[0]}: jobs ended as {counts}. Answers: {answers}. Killed with SIGKILL {kills} times, with "
        f"{' and '.join(map(str, again))} jobs at work; they were taken up again."
    ]
    return row, notes, load


def run(size: Size) -> Table:
    """A row for real models on small photos, one for stub stages, where the service is what is slow."""
    quick = size is Size.QUICK
    columns = ["stages", "accepted", "lost", "broken promises", "time to 202, median / 95 %"]
    table = Table(
        f"The service under {CLIENTS} clients",
        [*columns, "all uploads taken in", "all jobs ended", "memory of the service"],
    )
    wrong: list[str] = []
    for stub, each, bad_each, kills in ((False, 1 if quick else 3, 2, 1), (True, 4 if quick else 20, 10, 2)):
        with tempfile.TemporaryDirectory() as scratch:
            row, notes, load = _storm(Path(scratch), each, bad_each, kills, stub)
        table.add(*row)
        wrong += load.wrong
        for note in notes:
            table.note(note)
        print(f"{row[0]}: {row[1]} accepted, {row[2]} lost", file=sys.stderr)
    table.note(
        "Files: small photos made of the samples, a picture cut short and a text. "
        f"Bad uploads: {', '.join(BAD)}."
    )
    table.note("Two jobs at once; clients and service share the machine, so times are an upper bound.")
    table.note("Broken promises: " + ("; ".join(sorted(set(wrong))) if wrong else "none."))
    return table
