"""Stages without models, for crashes and tests of the batch itself; imported by worker processes by name.

Rendering turns the bytes around; the gate looks at the first byte of what was rendered. An input whose last
byte is P is published, R reviewed, B blocked, and anything else is damaged; K kills whoever looks at it, a
line end makes it a text. Subtitle files get the real treatment: it needs no models.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redact.errors import DamagedInputError, UnsupportedInputError
from redact.workers import Job, ProgressCallback, Reply

if TYPE_CHECKING:
    from redact.names.watchlist import WatchList

PAUSE_S = 0.01
HOLD = "REDACT_STUB_HOLD"
"""Names the file that `held_maker` waits for. Workers may look whether it is there and may not open it."""
LONGEST_HOLD_S = 120.0
_FINDINGS = {"P": [], "R": [{"kind": "face"}], "B": [{"kind": "trailing_bytes"}]}


# Plain JSON, and imports where they are needed: tests start these workers by the hundred, and the models of
# plans and reports alone take half a second each time. Who asks reads every answer through those models.


def _plan(path: Path, item: str, policy: dict[str, Any]) -> dict[str, Any]:
    salt = secrets.token_hex(16)
    name = policy.pop("name")
    for place in ("certificate", "key"):
        del policy["provenance"][place]
    return {
        "item": item,
        "policy": name,
        "policy_digest": hashlib.sha256(json.dumps(policy, sort_keys=True).encode()).hexdigest(),
        "source": {
            "salt": salt,
            "sha256": hashlib.sha256(bytes.fromhex(salt) + path.read_bytes()).hexdigest(),
        },
        "media": {"kind": "photo", "format": "jpeg", "width": 8, "height": 8},
        "output": {"format": "jpeg"},
    }


def _watch(request: Mapping[str, Any]) -> WatchList | None:
    from redact.names.watchlist import WatchList

    return WatchList(tuple(request["names"].split("\n"))) if request["names"] is not None else None


def maker() -> Mapping[str, Job]:
    """Analysis and rendering."""

    def sniff(request: Mapping[str, Any], _: ProgressCallback) -> str:
        last = Path(request["path"]).read_bytes()[-1:]
        if last == b"K":
            os.kill(os.getpid(), signal.SIGKILL)
        if last == b"\n":
            raise UnsupportedInputError("It is a text.")
        return "jpeg"

    def analyse(request: Mapping[str, Any], _: ProgressCallback) -> str:
        time.sleep(PAUSE_S)
        path = Path(request["path"])
        if path.read_bytes()[-1:] not in b"PRB":
            raise DamagedInputError("It does not decode.")
        return json.dumps(_plan(path, request["item"], json.loads(request["policy"])))

    def render(request: Mapping[str, Any], _: ProgressCallback) -> None:
        content = Path(request["path"]).read_bytes()[::-1]
        with Path(request["target"]).open("wb") as target:
            target.write(content[: len(content) // 2])
            target.flush()
            time.sleep(PAUSE_S)
            target.write(content[len(content) // 2 :])

    def subtitles(request: Mapping[str, Any], _: ProgressCallback) -> None:
        from redact.names.subtitles import redacted_subtitles

        data = Path(request["path"]).read_bytes()
        Path(request["target"]).write_bytes(redacted_subtitles(data, request["ending"], _watch(request)))

    return {"sniff": sniff, "analyse": analyse, "render": render, "subtitles": subtitles}


def held_maker() -> Mapping[str, Job]:
    """The same, but an input whose first byte is S is analysed for as long as a test holds it."""
    jobs = dict(maker())
    analyse, hold = jobs["analyse"], Path(os.environ[HOLD])

    def held(request: Mapping[str, Any], progress: ProgressCallback) -> Reply:
        until = time.monotonic() + LONGEST_HOLD_S
        while Path(request["path"]).read_bytes()[:1] == b"S" and hold.exists() and time.monotonic() < until:
            time.sleep(PAUSE_S)
        return analyse(request, progress)

    return {**jobs, "analyse": held}


def gate() -> Mapping[str, Job]:
    """The judge."""

    def inspect(request: Mapping[str, Any], _: ProgressCallback) -> str:
        time.sleep(PAUSE_S)
        content = Path(request["path"]).read_bytes()
        report = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "format": "jpeg",
            "width": 8,
            "height": 8,
            "frames": 1,
            "looks": [{"what": "first byte", "by": "a stub"}],
            "findings": _FINDINGS[content[:1].decode("latin-1")],
        }
        return json.dumps(report)

    def judge_text(request: Mapping[str, Any], _: ProgressCallback) -> str:
        from redact.gate.text_file import inspect_text

        return inspect_text(Path(request["path"]), _watch(request)).model_dump_json()

    return {"inspect": inspect, "thumbnail": lambda request, _: b"\xff\xd8\xff", "inspect_text": judge_text}
