"""What a request of the review page passes after the guards: whose session it is, how large its body.

ASGI middleware, so that no address can be forgotten: below /api nothing answers without a session but the
one that opens it. Bodies are JSON, bounded, and read whole before the application sees them.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from redact.httpd.answers import RefusedError, refusal
from redact.httpd.body import BODY_DONE, EndedEarlyError, Pace, SlowBodyError, pieces
from redact.review.films import Film
from redact.review.sessions import Door

SESSION = "redact.session"
"""Key in a request's scope: the session it belongs to."""
ENTRY = ("POST", "/api/session")
PACE = Pace(idle_s=10, slowest_kb_s=16)
SMALL, MIDDLE, LARGE = 4 << 10, 256 << 10, 16 << 20
"""Bytes of a body: of a token, of anything else, and of an edited plan."""


def _most(path: str) -> int:
    if path == ENTRY[1]:
        return SMALL
    return LARGE if path.endswith("/draw") else MIDDLE


def _has_body(request: Request) -> bool:
    headers = request.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class DoorKeeper:
    """Around the application. `pace` is how fast bodies must come."""

    def __init__(self, app: ASGIApp, door: Door[Film], pace: Pace = PACE) -> None:
        self._app, self._door, self._pace = app, door, pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            self._let_in(request)
            body = await self._body(request)
        except RefusedError as error:
            response = await refusal(request, error)
            await response(scope, receive, send)
            return
        sent = False

        async def replayed() -> Message:
            nonlocal sent
            if sent:
                return await receive()  # how the application learns that nobody waits any more
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replayed, send)

    def _let_in(self, request: Request) -> None:
        scope = request.scope
        path = scope["path"]
        if not (path == "/api" or path.startswith("/api/")) or (scope["method"], path) == ENTRY:
            return
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        session = self._door.session(key) if scheme == "Bearer" else None
        if session is None:
            unread = _has_body(request)
            raise RefusedError(401, "session", "The session has ended or never began.", close=unread)
        scope[SESSION] = session

    async def _body(self, request: Request) -> bytes:
        """The whole body.

        Raises:
            RefusedError: it is too large, too slow, or no JSON.
        """
        headers = request.headers
        if not _has_body(request):
            request.scope[BODY_DONE] = True
            return b""
        if request.method not in ("POST", "PUT", "PATCH"):
            raise RefusedError(400, "malformed", "Such a request has no body.", close=True)
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise RefusedError(415, "not_json", "Bodies are JSON.", close=True)
        most = _most(request.scope["path"])
        too_large = RefusedError(413, "too_large", "The body is too large.", close=True)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:19]) > most:
            raise too_large
        body = bytearray()
        try:
            async for piece in pieces(request, self._pace):
                body += piece
                if len(body) > most:
                    raise too_large
        except SlowBodyError as error:
            raise RefusedError(408, "slow", "The body came too slowly.", close=True) from error
        except EndedEarlyError as error:
            raise RefusedError(400, "malformed", "The body ended early.", close=True) from error
        return bytes(body)
