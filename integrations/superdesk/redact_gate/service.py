"""Requests to `redact serve`: one file is judged, and the answer is believed only if it is about these bytes.

No redirect is followed and no proxy of the environment is used; an address that is not https, or this very
machine, is refused. A file is sent under a name that is nobody's.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import re
import secrets
import ssl
import time
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import urlsplit

JOB = re.compile(r"[a-z2-9]{24}")
TOKEN = re.compile(r"redact_[a-z2-9]{12}_[A-Za-z0-9_-]{43}")
KNOWS_NOTHING = frozenset({401, 403, 429, 500, 502, 503, 504})
"""Answers that say nothing about the job that was asked for: it may still run."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SOCKET_S = 15.0
"""Seconds that the service may be silent beyond the wait that it was asked for."""
MOST_WAIT_S = 30
MOST_BYTES = 1 << 16
"""Of an answer."""
CHUNK = 1 << 18

SILENT = (
    "redact did not answer, so nobody knows; try again, and tell your administrator if it stays like this."
)
ODD = "redact gave an answer that is not understood; tell your administrator."
NOT_SET_UP = "the redact gate is not set up (address or token); tell your administrator."
WORDS = {
    "review": "redact found something that a person must look at.",
    "blocked": "redact found hidden data or a fault in the file; run it through redact.",
    "failed": "redact cannot judge the file.",
    401: "redact did not accept the token of this server; tell your administrator.",
    403: "redact did not accept the token of this server; tell your administrator.",
    413: "the file is larger than redact accepts.",
    429: "redact is busy; try again in a minute.",
    503: "redact is busy or being restarted; try again in a minute.",
}


class RefusedError(Exception):
    """No pass. The message holds no name, address or token. `job`: the check to go on with, if any."""

    def __init__(self, message: str, job: str = "") -> None:
        super().__init__(message)
        self.job = job


class Service:
    """One `redact serve`. Safe to share between threads: every request has its own connection."""

    def __init__(self, address: str, token: str, ca_file: str = "") -> None:
        self._address, self._token, self._ca_file = address, token, ca_file

    @property
    def token(self) -> str:
        """The token; its holder may also key digests with it."""
        return self._token

    def check(self, file: BinaryIO, size: int, digest: str, until: float, job: str = "") -> None:
        """Return if the file passed. `until` is of `time.monotonic`; `job` an earlier check of these bytes.

        Raises:
            RefusedError: it did not, or nobody knows.
        """
        try:
            end = self._follow(job, until) if job else None
            if end is None:
                end = self._submit(file, size, until)
            while end["state"] != "settled":
                if time.monotonic() >= until:
                    raise RefusedError(
                        "redact is still at work on it; publish again in a minute.", end["job"]
                    )
                followed = self._follow(end["job"], until)
                if followed is None:
                    raise RefusedError(ODD)
                end = followed
        except (OSError, http.client.HTTPException) as error:
            raise RefusedError(SILENT) from error
        if end["status"] == "passed" and secrets.compare_digest(end["sha256"].encode(), digest.encode()):
            return
        raise RefusedError(WORDS.get(end["status"], ODD))

    def _submit(self, file: BinaryIO, size: int, until: float) -> dict[str, Any]:
        boundary = secrets.token_hex(16)
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="upload"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + size + len(tail)),
            "Idempotency-Key": secrets.token_hex(16),
        }
        for last in (False, True):
            try:
                file.seek(0)
                status, body = self._send("POST", "/v1/checks", until, headers, _pieces(head, file, tail))
                break
            except ssl.SSLError:
                raise
            except (OSError, http.client.HTTPException):
                if last:  # the key makes it safe to ask once more: it is one job
                    raise
        return _job(status, 202, body)

    def _follow(self, job: str, until: float) -> dict[str, Any] | None:
        """The job as it is; None if the service knows it no more. A refusal keeps it unless it is odd."""
        try:
            status, body = self._send("GET", f"/v1/jobs/{job}", until, {}, None)
        except (OSError, http.client.HTTPException) as error:
            raise RefusedError(SILENT, job) from error
        if status == 404:
            return None
        if status in KNOWS_NOTHING:
            raise RefusedError(WORDS.get(status, ODD), job)
        found = _job(status, 200, body)
        if found["job"] != job:
            raise RefusedError(ODD)
        return found

    def _send(
        self, method: str, path: str, until: float, headers: dict[str, str], body: Iterator[bytes] | None
    ) -> tuple[int, bytes]:
        wait = max(0, min(MOST_WAIT_S, math.ceil(until - time.monotonic())))
        base, connection = self._connect(wait + SOCKET_S)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", **headers}
        try:
            with contextlib.suppress(BrokenPipeError):  # an answer may come before the whole file is sent
                connection.request(method, f"{base}{path}?wait={wait}", body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(MOST_BYTES + 1)
        finally:
            connection.close()

    def _connect(self, timeout: float) -> tuple[str, http.client.HTTPConnection]:
        try:
            parts = urlsplit(self._address)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise RefusedError(NOT_SET_UP) from error
        extra = parts.username or parts.password or parts.query or parts.fragment
        if not host or extra or not TOKEN.fullmatch(self._token):
            raise RefusedError(NOT_SET_UP)
        base = parts.path.rstrip("/")
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self._ca_file or None)
            return base, http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
        if parts.scheme == "http" and host in LOOPBACK:
            return base, http.client.HTTPConnection(host, port, timeout=timeout)
        raise RefusedError(NOT_SET_UP)


def _pieces(head: bytes, file: BinaryIO, tail: bytes) -> Iterator[bytes]:
    yield head
    while True:
        piece = file.read(CHUNK)
        if not piece:
            break
        yield piece
    yield tail


def _job(status: int, wanted: int, body: bytes) -> dict[str, Any]:
    """An answer as the state of a check, if it is one."""
    if status != wanted:
        raise RefusedError(WORDS.get(status, ODD))
    try:
        found = json.loads(body) if len(body) <= MOST_BYTES else None
    except (ValueError, RecursionError) as error:
        raise RefusedError(ODD) from error
    fields = ("job", "kind", "state", "status", "sha256")
    if not isinstance(found, dict) or not all(isinstance(found.get(field), str) for field in fields):
        raise RefusedError(ODD)
    if (
        found["kind"] != "check"
        or not JOB.fullmatch(found["job"])
        or found["state"] not in ("queued", "working", "settled")
    ):
        raise RefusedError(ODD)
    return found
