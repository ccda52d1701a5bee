"""What every request passes before it reaches an address, and what every answer carries.

Host and origin are checked here; an error of ours becomes a bare 500, so that no trace with a path reaches a
log; requests are counted by the pattern of their address.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from redact.service.answers import error_body
from redact.service.log import log
from redact.service.metrics import Metrics

HEADERS = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]


def _host(value: str) -> str:
    """The name in a Host header or an origin's authority, without its port."""
    name = value.rpartition("]")[0].lstrip("[") if value.startswith("[") else value.partition(":")[0]
    return name.lower()


class Guards:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics
        self._hosts = frozenset(host.lower().strip("[]") for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # no WebSockets
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        try:
            refused = self._refused(scope)
            if refused is not None:
                await _answer(sending, *refused)
            else:
                await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - the last net: a trace could hold a path
            log("internal error", kind=type(error).__name__)
            if not status:
                await _answer(sending, 500, "internal", "The service met a fault of its own.")
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.request(route, status or 500)

    def _refused(self, scope: Scope) -> tuple[int, str, str] | None:
        headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or _host(hosts[0]) not in self._hosts:
            return 421, "host", "This name is not served here."
        for name, value in headers:
            if name == b"origin" and value.partition("://")[2].lower() != hosts[0].lower():
                return 403, "origin", "Requests from pages of other origins are refused."
            if name == b"sec-fetch-site" and value not in ("same-origin", "none"):
                return 403, "origin", "Requests from pages of other origins are refused."
        return None


async def _answer(send: Send, status: int, word: str, message: str) -> None:
    body = error_body(word, message)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, (b"connection", b"close")]}
    )
    await send({"type": "http.response.body", "body": body})


class TimedProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on whoever does not send a request's head in time."""

    head_s = 10.0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first head is due."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Bytes came: if they end a head the clock stops, if they begin one it runs."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_head()
        else:
            self._head_came()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._head_came()
        super().connection_lost(exc)

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


def timed_protocol(head_s: float) -> type[Any]:
    """`TimedProtocol` with its limit."""
    return type("TimedProtocol", (TimedProtocol,), {"head_s": head_s})
