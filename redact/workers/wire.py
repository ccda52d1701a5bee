"""The wire between parent and worker: frames of a short JSON head and a body of bytes. No pickle, ever.

The parent's half trusts nothing that a worker sends: sizes are bounded before anything is read whole, every
field is checked, and words that could hold a name or a path are replaced. Takes and gives plain data only.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from redact import errors
from redact.errors import RedactError, WorkerDiedError
from redact.workers.confine import Confinement

ProgressCallback = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""
Job = Callable[[Mapping[str, Any], ProgressCallback], Any]
"""Takes plain request data and a progress callback; returns text, bytes, a number or None."""
JobFactory = Callable[[], Mapping[str, Job]]

Reply = str | bytes | int | float | bool | None
MAX_HEAD_BYTES = 64 * 1024
MAX_REPLY_BYTES = 256 * 1024 * 1024
MAX_MESSAGE_LETTERS = 400
_PREFIX = struct.Struct(">IQ")
_STAGE = re.compile(r"[a-z_]{1,24}\Z")
_PLACE = re.compile(r"(?:^|[\s'\"(=:])(?:[/~\\]|[A-Za-z]:\\)|://|\\\\")
"""What looks like the start of a path or an address."""


class NonsenseError(Exception):
    """What came over the wire is no message of ours. Never leaves redact.workers."""


@dataclass(frozen=True)
class Progress:
    """A step of a job."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Done:
    """A job's reply."""

    reply: Reply


@dataclass(frozen=True)
class Failed:
    """A job's error, as one of our classes."""

    error: RedactError


@dataclass(frozen=True)
class Hello:
    """The first message: the worker is up, and held back this much."""

    confinement: Confinement


Message = Progress | Done | Failed | Hello


def pack(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """One frame."""
    text = json.dumps(head, separators=(",", ":")).encode()
    return _PREFIX.pack(len(text), len(body)) + text + body


def frame_size(untrusted: bytes | bytearray, most_head: int, most_body: int) -> int | None:
    """Bytes of the frame that starts here; None while too little of it is here to say.

    Raises:
        NonsenseError: it is larger than allowed.
    """
    if len(untrusted) < _PREFIX.size:
        return None
    head, body = _PREFIX.unpack_from(untrusted)
    if head > most_head or body > most_body:
        raise NonsenseError
    return int(_PREFIX.size + head + body)


def unpack(frame: bytes | bytearray) -> tuple[Any, bytes]:
    """Head and body of one whole frame.

    Raises:
        NonsenseError: the head is no JSON.
    """
    head, _ = _PREFIX.unpack_from(frame)
    start = _PREFIX.size + head
    try:
        return json.loads(bytes(frame[_PREFIX.size : start])), bytes(frame[start:])
    except (ValueError, RecursionError) as error:
        raise NonsenseError from error


def pack_reply(reply: object) -> bytes:
    """The frame of a job's reply.

    Raises:
        TypeError: it is not plain data.
    """
    if isinstance(reply, str):
        return pack({"is": "text"}, reply.encode())
    if isinstance(reply, bytes | bytearray):
        return pack({"is": "bytes"}, bytes(reply))
    if reply is None or isinstance(reply, int | float):
        return pack({"is": "value", "value": reply})
    raise TypeError("a job replies with text, bytes, a number or None")


def read_message(untrusted_frame: bytes | bytearray) -> Message:
    """What a worker said, checked.

    Raises:
        NonsenseError: it is no message of ours.
    """
    untrusted_head, untrusted_body = unpack(untrusted_frame)
    if not isinstance(untrusted_head, dict):
        raise NonsenseError
    kind = untrusted_head.pop("is", None)
    if kind == "text" and not untrusted_head:
        try:
            return Done(untrusted_body.decode())
        except UnicodeDecodeError as error:
            raise NonsenseError from error
    if kind == "bytes" and not untrusted_head:
        return Done(untrusted_body)
    if untrusted_body:
        raise NonsenseError
    if kind == "value" and untrusted_head.keys() == {"value"}:
        value = untrusted_head["value"]
        if value is None or isinstance(value, int | float):
            return Done(value)
    elif kind == "progress" and untrusted_head.keys() == {"stage", "done", "total"}:
        stage, done, total = untrusted_head["stage"], untrusted_head["done"], untrusted_head["total"]
        if isinstance(stage, str) and _STAGE.match(stage) and _count(done) and _count(total):
            return Progress(stage, done, total)
    elif kind == "error" and untrusted_head.keys() == {"error", "message"}:
        return _failure(untrusted_head["error"], untrusted_head["message"])
    elif kind == "hello" and untrusted_head.keys() == {"limits", "namespace", "seccomp", "landlock"}:
        flags = [untrusted_head[name] for name in ("limits", "namespace", "seccomp")]
        abi = untrusted_head["landlock"]
        if all(isinstance(flag, bool) for flag in flags) and _count(abi) and abi < 1000:
            limits, namespace, seccomp = flags
            return Hello(Confinement(limits, namespace, seccomp, abi))
    raise NonsenseError


def _count(untrusted: object) -> bool:
    return isinstance(untrusted, int) and not isinstance(untrusted, bool) and 0 <= untrusted < 1 << 53


def known_errors() -> dict[str, type[RedactError]]:
    """Our error classes by name."""
    found = {}
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, RedactError):
            found[value.__name__] = value
    return found


def _failure(untrusted_name: object, untrusted_message: object) -> Failed:
    if not isinstance(untrusted_name, str) or not isinstance(untrusted_message, str):
        raise NonsenseError
    error = known_errors().get(untrusted_name)
    if error is None:
        raise NonsenseError
    return Failed(error(safe_words(untrusted_message)))


def safe_words(untrusted_message: str) -> str:
    """The message, or a stand-in if it is too long, not printable, or holds what looks like a path."""
    if (
        len(untrusted_message) <= MAX_MESSAGE_LETTERS
        and untrusted_message.isascii()
        and untrusted_message.isprintable()
        and not _PLACE.search(untrusted_message)
    ):
        return untrusted_message
    return "The item failed; what the worker said of it is not shown. Take it out, or look at it by hand."


__all__ = [
    "Done",
    "Failed",
    "Hello",
    "Job",
    "JobFactory",
    "Message",
    "NonsenseError",
    "Progress",
    "ProgressCallback",
    "Reply",
    "WorkerDiedError",
    "frame_size",
    "pack",
    "pack_reply",
    "read_message",
    "safe_words",
    "unpack",
]
