"""What is typed in the terminal that the app was started in: Enter asks for a new one-time address.

Lines are read by the server's own loop, when the terminal says that there is one: no thread waits for them
and nothing of it can hold up the stop. What was typed is never repeated, logged or kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

PAUSE_S = 1.0
"""How long nothing is read after a read that gave nothing: Ctrl-D, or another program has the terminal."""
MOST = 4096
"""Bytes of a line; what is longer is no code."""


@dataclass(frozen=True)
class Keyboard:
    """The terminal."""

    fd: int
    codes: tuple[str, ...]
    """Of the reviewers who can be asked for."""
    hint: Callable[[], None]
    """Say there what can be typed."""


def asked_for(line: str, codes: Sequence[str]) -> str:
    """Whose new address a typed line asks for; empty if that is not clear."""
    code = line.strip()
    if not code and len(codes) == 1:
        return codes[0]
    return code if code in codes else ""


@contextlib.contextmanager
def typed_lines(fd: int, typed: Callable[[str], None], pause_s: float = PAUSE_S) -> Iterator[None]:
    """Within a running loop: call `typed` with every line that comes, until the end of the block."""
    loop = asyncio.get_running_loop()
    begun = bytearray()
    pause: asyncio.TimerHandle | None = None

    def listen() -> None:
        loop.add_reader(fd, read)

    def read() -> None:
        nonlocal pause
        piece = read_now(fd)
        if not piece:
            loop.remove_reader(fd)  # or it would be told again at once, and again
            pause = loop.call_later(pause_s, listen)
            return
        begun.extend(piece)
        *lines, rest = begun.split(b"\n")
        begun[:] = rest[:MOST]
        for line in lines:
            typed(line.decode("ascii", "replace"))

    listen()
    try:
        yield
    finally:
        if pause is not None:
            pause.cancel()
        loop.remove_reader(fd)


def read_now(fd: int) -> bytes:
    """What there is to read; empty at an end, or if another program has the terminal now.

    A program in the background that reads from its terminal is stopped by SIGTTIN, unless it blocks that
    signal: then it gets an error.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTIN})
    try:
        return os.read(fd, MOST)
    except OSError:
        return b""
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
