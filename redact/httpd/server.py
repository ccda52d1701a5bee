"""A listening server that says nothing by itself, leaves signals to its owner and hangs up on the slow."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from redact.errors import UsageError
from redact.httpd.peer import Place

HEAD_BYTES = 32 << 10
KEEP_ALIVE_S = 15


Peer = Callable[[Place, Place], bool | None]
"""Given both ends of a connection, the other side's first: whether it may talk to us; None: not known."""


class TimedProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on strangers, and on whoever does not send a request's head in time.

    The rest of a body that was answered unread has to come, and the next head after it, in the same time.
    """

    head_s = 10.0
    peer: Peer | None = None
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first head is due."""
        super().connection_made(transport)  # type: ignore[arg-type]
        if self.peer is not None and self._stranger(self.peer):
            self.transport.abort()
            return
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Bytes came: if they end a head the clock stops, if they begin one it runs."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_head()
        elif not self._unread():
            self._head_came()

    def on_response_complete(self) -> None:
        """The next head is due, once the rest of the body came."""
        super().on_response_complete()
        if self._unread():
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._head_came()
        super().connection_lost(exc)

    def _unread(self) -> bool:
        """Whether a request was answered before its body had come: uvicorn drops the rest, and its clock."""
        return self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY

    def _stranger(self, peer: Peer) -> bool:
        host, port = self.server or ("", None)
        return self.client is None or port is None or peer(self.client, (host, port)) is False

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_s, self._hang_up)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _hang_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def timed_protocol(head_s: float, peer: Peer | None = None) -> type[Any]:
    """`TimedProtocol` with its limit, and with whom it talks to: once a connection, before a byte is read."""
    held = None if peer is None else staticmethod(peer)
    return type("TimedProtocol", (TimedProtocol,), {"head_s": head_s, "peer": held})


class Server(uvicorn.Server):
    """Uvicorn that leaves signals to us: it would end the process before jobs had their time."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield


def make_server(
    app: ASGIApp, *, head_s: float, connections: int, grace_s: int, peer: Peer | None = None
) -> Server:
    """A server for `app`, without access log, WebSockets or belief in proxies' headers.

    `head_s`: a request's head must come within it. `grace_s`: what requests get when it is stopped.
    `peer`: who may connect; everybody unless given.
    """
    return Server(
        uvicorn.Config(
            app,
            http=timed_protocol(head_s, peer),
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=connections,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, grace_s),
            h11_max_incomplete_event_size=HEAD_BYTES,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is a free one.

    Raises:
        UsageError: the port is taken or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise UsageError("The service cannot listen there: the port is taken or not allowed.") from error
    # connections inherit it; asyncio sets it only on sockets that were made for TCP by number
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.set_inheritable(False)  # workers must not hold it
    return listening
