"""What every request passes before it reaches an address, and what every answer carries.

Host and origin are checked here; an error of ours becomes a bare 500, so that no trace with a path reaches a
log; what came of each request is told by the pattern of its address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from redact.httpd.answers import error_body
from redact.httpd.log import log

HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""What an answer carries unless it says otherwise itself."""

Served = Callable[[str], bool]
"""Whether a `Host` header, port and all, names this server."""
Told = Callable[[str, int], None]
"""Called after each request with the pattern of its address and the status of the answer."""


def host_name(value: str) -> str:
    """The name in a Host header or an origin's authority, without its port."""
    name = value.rpartition("]")[0].lstrip("[") if value.startswith("[") else value.partition(":")[0]
    return name.lower()


def served_names(names: Iterable[str]) -> Served:
    """Hosts of these names, on any port: a proxy's may be another than ours."""
    known = frozenset(name.lower().strip("[]") for name in names)
    return lambda host: host_name(host) in known


def served_exactly(hosts: Iterable[str]) -> Served:
    """These hosts with these ports and no other."""
    known = frozenset(hosts)
    return lambda host: host.lower() in known


class Guards:
    """ASGI middleware around a whole application. `headers` go on every answer that has none of that name."""

    def __init__(
        self,
        app: ASGIApp,
        served: Served,
        told: Told = lambda *_: None,
        headers: Iterable[tuple[bytes, bytes]] = HEADERS,
    ) -> None:
        self._app, self._served, self._told = app, served, told
        self._headers = tuple(headers)

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
                given = [*message.get("headers", ())]
                names = {name.lower() for name, _ in given}
                ours = [(name, value) for name, value in self._headers if name not in names]
                message = {**message, "headers": [*given, *ours]}
            await send(message)

        try:
            refused = self._refused(scope)
            if refused is not None:
                await answer(sending, *refused)
            else:
                await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - the last net: a trace could hold a path
            log("internal error", kind=type(error).__name__)
            if not status:
                await answer(sending, 500, "internal", "The service met a fault of its own.")
        finally:
            self._told(getattr(scope.get("route"), "path", "other"), status or 500)

    def _refused(self, scope: Scope) -> tuple[int, str, str] | None:
        headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or not self._served(hosts[0]):
            return 421, "host", "This name is not served here."
        refusal = (403, "origin", "Requests from pages of other origins are refused.")
        for name, value in headers:
            if name == b"origin" and value.partition("://")[2].lower() != hosts[0].lower():
                return refusal
            if name == b"sec-fetch-site" and value not in ("same-origin", "none"):
                return refusal
        return None


async def answer(send: Send, status: int, word: str, message: str) -> None:
    """A refusal, and the end of the connection."""
    body = error_body(word, message)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, (b"connection", b"close")]}
    )
    await send({"type": "http.response.body", "body": body})
