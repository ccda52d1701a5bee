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
    """Within a running loop: call `typed` with every line that comes, until the end of the block.

    Raises:
        OSError: the terminal cannot be opened once more.
    """
    loop = asyncio.get_running_loop()
    begun = bytearray()
    pause: asyncio.TimerHandle | None = None
    own = opened_anew(fd)

    def listen() -> None:
        loop.add_reader(own, read)

    def read() -> None:
        nonlocal pause
        piece = read_now(own)
        if not piece:
            loop.remove_reader(own)  # or it would be told again at once, and again
            pause = loop.call_later(pause_s, listen)
            return
        begun.extend(piece)
        *lines, rest = begun.split(b"\n")
        begun[:] = rest[:MOST]
        for line in lines:
            typed(line.decode("ascii", "replace"))

    try:
        listen()
        yield
    finally:
        if pause is not None:
            pause.cancel()
        loop.remove_reader(own)
        os.close(own)


def opened_anew(fd: int) -> int:
    """The terminal `fd` once more, in a way that no read of it ever waits. The caller closes it.

    What the loop was told of may be gone when it is read: Ctrl-C also drops what was typed. A read that waits
    for more goes on waiting after that signal, and nothing would end the app. The flag is set on a
    description of its own, for that of `fd` is the shell's too.

    Raises:
        OSError: it cannot be opened.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(os.ttyname(fd), flags)
    except OSError:  # it is another account's, after `su`, or has no name here
        return os.open("/dev/tty", flags)


def read_now(fd: int) -> bytes:
    """What there is to read, of one `opened_anew`; empty if nothing, or if another program has the terminal.

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
