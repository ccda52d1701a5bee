"""Request bodies, read as they come: they must keep coming, and at a least average rate."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request

DRAIN_BYTES, DRAIN_S = 8 << 20, 2.0
"""So much of a body that is refused is read and dropped."""
BODY_DONE = "redact.body_done"
"""Key in a request's scope: all of its body was read, or there is no use in reading on."""


class SlowBodyError(Exception):
    """The body came too slowly."""


class EndedEarlyError(Exception):
    """The sender hung up, or never sent the whole body."""


@dataclass(frozen=True)
class Pace:
    """How fast a body must come."""

    idle_s: float
    """The longest pause."""
    slowest_kb_s: float
    """The least average, in thousands of bytes a second, after the first `idle_s`."""


async def pieces(request: Request, pace: Pace) -> AsyncIterator[bytes]:
    """The body's pieces, while they come fast enough.

    Raises:
        SlowBodyError: they do not.
        EndedEarlyError: the sender hung up.
    """
    clock = asyncio.get_running_loop()
    start, received = clock.time(), 0
    while not request.scope.get(BODY_DONE):
        due = start + pace.idle_s + received / (pace.slowest_kb_s * 1000)
        patience = min(pace.idle_s, due - clock.time())
        try:
            piece = await asyncio.wait_for(_next_piece(request), max(patience, 0.001))
        except TimeoutError as error:
            request.scope[BODY_DONE] = True  # no use waiting for the rest
            raise SlowBodyError from error
        received += len(piece)
        yield piece


async def _next_piece(request: Request) -> bytes:
    message = await request.receive()
    if message["type"] != "http.request":
        request.scope[BODY_DONE] = True
        raise EndedEarlyError
    if not message.get("more_body"):
        request.scope[BODY_DONE] = True
    return bytes(message.get("body", b""))


async def drain(request: Request) -> None:
    """Read a little more of a body that was refused and drop it, so that its sender sees the answer."""
    left = DRAIN_BYTES

    async def reading() -> None:
        nonlocal left
        while left > 0 and not request.scope.get(BODY_DONE):
            left -= len(await _next_piece(request))

    with contextlib.suppress(TimeoutError, EndedEarlyError):
        await asyncio.wait_for(reading(), DRAIN_S)
