"""Files through a cleaner, and every output looked at: redact's own command, imgstrip or mat2.

redact runs on a folder as its users run it; the peers take a file a process. What comes back is plain data
without a path, so that a part can be remembered (`memo`) after its scratch folder is gone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import peers
from bench.common import REDACT, ROOT
from bench.hidden_tags import beyond, format_of, told

sys.path.insert(0, str(ROOT / "tests" / "hidden"))

import hidden_search  # the canaries' own search, which the tests prove on the inputs
from hidden_films import films, hidden_film
from hidden_photos import photos

from redact.batch.store import Store

FOLDER_TIMEOUT_S, FILE_TIMEOUT_S = 1800, 120
FILMS = (".mp4", ".mov", ".mkv", ".avi")
TRACEBACK = "Traceback (most recent call last)"
DONE = ("published", "review", "handled")
"""Outcomes with a finished file."""


@dataclass(frozen=True)
class Input:
    """A file to clean, its name below the run's folder, and what is planted in it."""

    path: Path
    name: str
    tokens: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    """Dates, places and settings that a reader tells of it."""
    face: bool = False


@dataclass(frozen=True)
class Made:
    """What a tool made of one file."""

    outcome: str
    """published, review, blocked, failed, set aside or hung; of a peer: handled, refused, left or hung."""
    reason: str = ""
    path: Path | None = None
    traceback: bool = False


@dataclass(frozen=True)
class Looked:
    """The same after a look at the output: nothing here tells where anything lay."""

    format: str
    """The input's, by its content."""
    outcome: str
    reason: str
    traceback: bool
    beyond: frozenset[str] = frozenset()
    """Kinds of tag beyond the list."""
    left: frozenset[str] = frozenset()
    """Canaries that the search finds in the output, and marks of its input."""
    face: bool = False
    judged: str = ""
    """What imgstrip's inspection says: clean, finds ..., or unread; empty without an output."""


@dataclass(frozen=True)
class Part:
    """Some inputs through one tool."""

    looked: list[Looked]
    tracebacks: int
    """On standard output or error, of the whole run."""


Tool = Callable[[Sequence[Input], Path], tuple[list[Made], int]]


def canary_inputs(folder: Path) -> list[Input]:
    """The tests' samples, written to `folder`."""
    (folder / "work").mkdir(parents=True)
    (folder / "samples").mkdir()
    made = []
    for sample in (*photos(hidden_film), *films(folder / "work")):
        path = folder / "samples" / sample.name
        path.write_bytes(sample.data)
        made.append(Input(path, sample.name, sample.tokens, sample.marks, sample.face))
    return made


def search_digest() -> str:
    """Changes with the samples and the search, which `memo` does not know of."""
    files = sorted((ROOT / "tests" / "hidden").glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def redact(inputs: Sequence[Input], place: Path) -> tuple[list[Made], int]:
    """`redact run` on a folder of them, strict policy, a private folder of its own."""
    source, out, private = place / "in", place / "out", place / "private"
    for each in inputs:
        (source / each.name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(each.path, source / each.name)
    command = [REDACT, "run", source, out, "--policy", "strict", "--json", "--jobs", "1"]
    words = [str(word) for word in command]
    said, hung, _ = _finished(words, FOLDER_TIMEOUT_S, {"REDACT_PRIVATE_DIR": str(private)})
    states, ended = {}, False
    for line in said.splitlines():
        with contextlib.suppress(ValueError):  # a last line that was cut off, or what is no record
            record = json.loads(line)
            ended |= record["event"] == "summary"
            if record["event"] == "item":
                states[record["item"]] = record
    with Store(out, private) as store:
        items = {relative: item for item, relative in store.private.items()}
    made = []
    for each in inputs:
        item = items.get(each.name)
        if item is None and ended:
            made.append(Made("set aside"))
        elif item not in states:
            made.append(Made("hung" if hung else "no outcome"))
        else:
            status, reason = states[item]["status"], states[item]["reason"]
            found = [path for room in ("published", "review") for path in (out / room).glob(f"{item}.*")]
            made.append(Made(status, reason, found[0] if found else None))
    return made, said.count(TRACEBACK)


def peer(command: Callable[[Path], tuple[list[str], Path]]) -> Tool:
    """A tool that takes one file a process."""

    def run(inputs: Sequence[Input], place: Path) -> tuple[list[Made], int]:
        made = []
        for number, each in enumerate(inputs):
            source = place / f"{number}{each.path.suffix}"
            shutil.copyfile(each.path, source)
            words, target = command(source)
            said, hung, status = _finished(words, FILE_TIMEOUT_S)
            written = target if target.is_file() and target.stat().st_size else None
            if hung:
                outcome = "hung"
            elif status == 0 and written:
                outcome = "handled"
            else:
                outcome = "left" if target.exists() else "refused"
            made.append(Made(outcome, "", written, TRACEBACK in said))
        return made, sum(each.traceback for each in made)

    return run


TOOLS: dict[str, Tool] = {
    "redact": redact,
    "imgstrip 1.2.7": peer(peers.imgstrip_command),
    "mat2 0.15.0": peer(peers.mat2_command),
}


def _finished(
    command: list[str], timeout: float, environment: dict[str, str] | None = None
) -> tuple[str, bool, int]:
    """What it said on both channels, whether it had to be killed, and its exit status."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    hung = False
    try:
        said, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        hung = True
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
    return said.decode("utf-8", "replace"), hung, process.returncode


def judged(paths: Sequence[Path]) -> dict[Path, str]:
    """imgstrip's inspection of every file; empty where imgstrip cannot be installed."""
    if not paths:
        return {}
    try:
        said, _, _ = _finished(peers.imgstrip_check(list(paths)), FILE_TIMEOUT_S * len(paths))
    except peers.MissingPeerError:
        return {}
    found = dict.fromkeys(paths, "unread")
    for each in json.loads(said[said.index("{") :])["files"]:
        kinds = sorted({finding["label"] for finding in each["findings"]})
        if each["error"] is None:
            found[Path(each["file"])] = "finds " + ", ".join(kinds) if kinds else "clean"
    return found


def look(inputs: Sequence[Input], made: Sequence[Made], canaries: bool) -> list[Looked]:
    """Every output through exiftool, ffprobe and imgstrip; for canaries, the tests' search as well."""
    sources = told([each.path for each in inputs])
    outputs = [each.path for each in made if each.path is not None]
    kinds, words = beyond(outputs), judged(outputs)
    looked = []
    for source, each in zip(inputs, made, strict=True):
        one = Looked(format_of(sources.get(source.path, {})), each.outcome, each.reason, each.traceback)
        if each.path is not None:
            one = replace(one, beyond=frozenset(kinds[each.path]), judged=words.get(each.path, ""))
            if canaries:
                shown = source.face and bool(hidden_search.faces(each.path))
                one = replace(one, left=_left(each.path, source.marks), face=shown)
        looked.append(one)
    return looked


def _left(path: Path, marks: Sequence[str]) -> frozenset[str]:
    """Every canary that anything finds in the file, and the marks that are still told: as the tests."""
    data = path.read_bytes()
    words = json.dumps(hidden_search.exiftool(path))
    if path.suffix in FILMS:
        words += hidden_search.captions(path) + hidden_search.ffprobe(path)
    found = hidden_search.tokens(data) | set(hidden_search.TOKEN.findall(words))
    words += data.decode("latin-1")
    return frozenset(found | {mark for mark in marks if mark in words})


def part(tool: str, inputs: Sequence[Input], *, canaries: bool) -> Part:
    """Some inputs through one tool, in a scratch folder.

    Raises:
        MissingPeerError: the tool cannot be installed here.
    """
    with tempfile.TemporaryDirectory() as scratch:
        made, tracebacks = TOOLS[tool](inputs, Path(scratch))
        return Part(look(inputs, made, canaries), tracebacks)
