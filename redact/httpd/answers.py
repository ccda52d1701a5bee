"""How a server of ours says no: a status, a fixed word and a sentence; nothing of the request is repeated."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse

from redact.httpd.body import drain


class RefusedError(Exception):
    """An answer that ends the request. `close`: the body may not have been read, so the connection ends."""

    def __init__(
        self, status: int, word: str, message: str, retry_after_s: float | None = None, close: bool = False
    ) -> None:
        super().__init__(word)
        self.status, self.word, self.message = status, word, message
        self.close = close
        self.headers: dict[str, str] = {}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(max(1, int(retry_after_s + 0.999)))
        if close:
            self.headers["Connection"] = "close"


def error_body(word: str, message: str) -> bytes:
    """The JSON of a refusal."""
    return json.dumps({"error": word, "message": message}).encode()


def refusal_response(error: RefusedError) -> JSONResponse:
    """`RefusedError` as a response."""
    return JSONResponse(
        {"error": error.word, "message": error.message}, status_code=error.status, headers=error.headers
    )


async def refusal(request: Request, error: Exception) -> JSONResponse:
    """The same as an exception handler: a little of a body that was not read is read, so that its sender
    sees the answer."""
    assert isinstance(error, RefusedError)
    if error.close:
        await drain(request)
    return refusal_response(error)
