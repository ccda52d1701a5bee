"""Workers without models for the review page: as `bench.stub_stages`, and pictures with nothing in them.

Imported by worker processes by name. A picture of an input is wider than one of a finished file, so that
tests can tell which was made.
"""

from __future__ import annotations

import json
import struct
import time
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import stub_stages
from redact.errors import UsageError
from redact.workers import Job, ProgressCallback, Reply

FRAMES = 4
INPUT_WIDTH, OUTPUT_WIDTH = 64, 16
FOREVER_S = 120.0
"""How long slow work takes that tests stop."""


def jpeg(width: int, height: int) -> bytes:
    """Bytes that pass for a JPEG of that size where only heads are read."""
    head = b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\1\x22\0\2\x11\1\3\x11\1"
    return head + b"\xff\xda" + struct.pack(">H", 12) + bytes(10) + b"pixels" + b"\xff\xd9"


def _looks(width: int) -> dict[str, Job]:
    def frame(request: Mapping[str, Any], _: ProgressCallback) -> bytes | None:
        if not request["path"]:
            return None
        Path(request["path"]).read_bytes()
        if request["index"] >= FRAMES:
            raise UsageError("There is no frame of that number; frames are counted from 0.")
        return jpeg(min(width, request["width"]), 8)

    def times(request: Mapping[str, Any], _: ProgressCallback) -> bytes | None:
        return array("d", [n / 25 for n in range(FRAMES)]).tobytes() if request["path"] else None

    return {"frame": frame, "times": times}


def maker() -> Mapping[str, Job]:
    """Analysis, rendering, pictures of inputs; what is followed stays where it was drawn."""

    def follow(request: Mapping[str, Any], progress: ProgressCallback) -> bytes | None:
        if not request["path"]:
            return None
        progress("follow", 1, 2)
        _, *box = json.loads(request["keys"])[0]
        span = {"first": request["first"], "last": request["last"], "box": box, "origin": "reviewer"}
        return json.dumps([span]).encode()

    made = stub_stages.maker()

    def render(request: Mapping[str, Any], progress: ProgressCallback) -> Reply:
        reply = made["render"](request, progress)
        covers = json.dumps(json.loads(request["plan"])["tracks"])
        with Path(request["target"]).open("ab") as target:
            target.write(covers.encode())  # so that another plan gives another file
        return reply

    return {**made, **_looks(INPUT_WIDTH), "render": render, "follow": follow}


def slow_maker() -> Mapping[str, Job]:
    """The same, but rendering never comes to its end after it has begun to write."""

    def render(request: Mapping[str, Any], progress: ProgressCallback) -> None:
        Path(request["target"]).write_bytes(b"P half a file")
        progress("render", 1, 4)
        time.sleep(FOREVER_S)

    return {**maker(), "render": render}


def gate() -> Mapping[str, Job]:
    """The judge, and pictures of finished files."""
    return {**stub_stages.gate(), **_looks(OUTPUT_WIDTH), "thumbnail": lambda *_: jpeg(8, 8)}
