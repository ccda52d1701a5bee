"""What happens behind the addresses: a token is judged, a file taken in, a job followed, a result handed out.

What a request gives is a token, a file, a job's id and numbers; ids are looked up in the database, and paths
are made of what the database says.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from redact.batch.results import Results, State
from redact.errors import OutputError
from redact.httpd.answers import RefusedError
from redact.service.config import Limits
from redact.service.jobs import CHECK, SETTLED, SUBMIT, Job, JobStore, new_job_id
from redact.service.limits import Admission, FullError, RateLimit
from redact.service.metrics import Metrics
from redact.service.spool import JobSpool
from redact.service.tokens import Scope, Token, TokenFile
from redact.service.upload import declared_size, receive_file

LOOK_EVERY_S = 0.4
BUSY_S = {"queue": 15, "uploads": 5, "storage": 60}
"""Retry-After of each kind of fullness."""


class JobAnswer(BaseModel):
    """What is known of a job."""

    job: str
    kind: Literal["media", "check"]
    state: Literal["queued", "working", "settled"]
    status: str = ""
    """Of settled media: published, review, blocked, rejected or failed, as it is now, after any decision of a
    reviewer. Of a settled check: passed, review, blocked or failed."""
    reason: str = ""
    """Kinds of findings, or why it failed."""
    item: str = ""
    """Public id of the result in the output folder."""
    sha256: str = ""
    """Of a settled check that got a verdict: digest of the bytes that were judged. Of settled media: of the
    finished file, if there is one."""


class Waiting(BaseModel):
    """One item that waits for a person."""

    item: str
    job: str | None
    status: str
    verdict: str
    time: str
    findings: list[dict[str, Any]]


class ReviewList(BaseModel):
    """A page of what waits."""

    total: int
    items: list[Waiting]


class Health(BaseModel):
    """Whether the service can do its work."""

    status: Literal["ok", "degraded", "stopping"]


@dataclass(frozen=True)
class Desk:
    """What the addresses work with."""

    limits: Limits
    tokens: TokenFile
    jobs: JobStore
    spool: JobSpool
    results: Results
    admission: Admission
    metrics: Metrics
    accepted: Callable[[], None]
    """Called after a job was accepted."""
    healthy: Callable[[], bool]
    stopping: Callable[[], bool]


def _found(job: Job | None, token: Token) -> Job:
    """The job, if the token may see it. To others it does not exist, so that no id can be tried out."""
    if job is None or not (
        job.token == token.id
        or Scope.ALL in token.scopes
        or (job.kind == SUBMIT and Scope.REVIEW in token.scopes)  # a reviewer sees all media anyway
    ):
        raise RefusedError(404, "no_such_job", "There is no such job.")
    wanted = {Scope.CHECK} if job.kind == CHECK else {Scope.SUBMIT, Scope.FETCH, Scope.REVIEW}
    if not wanted & token.scopes:
        raise RefusedError(403, "scope", "This token may not see such jobs.")
    return job


def _sealed(token: Token, key: str) -> str | None:
    """What the database keeps of an `Idempotency-Key`, which may be a file's name or digest."""
    return hmac.new(bytes.fromhex(token.digest), key.encode(), hashlib.sha256).hexdigest() if key else None


class Clerk:
    """Does what an address asks for, with what lies on the desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._rates = RateLimit(desk.limits.requests_per_minute, desk.limits.burst)

    def token(self, text: str, scopes: tuple[Scope, ...], close: bool) -> Token:
        """The token of a request, if it has one of the scopes and is not too busy.

        Raises:
            RefusedError: it has not, or is.
        """
        try:
            found = self.desk.tokens.find(text)
        except OutputError as error:
            raise RefusedError(503, "tokens", "Tokens cannot be checked now.", 60, close) from error
        if found is None:
            raise RefusedError(401, "token", "A valid token is needed.", close=close)
        pause = self._rates.take(found.id)
        if pause:
            raise RefusedError(429, "rate", "Too many requests of this token.", pause, close)
        if not found.scopes & set(scopes):
            raise RefusedError(403, "scope", "This token does not allow that.", close=close)
        return found

    async def take_in(self, request: Request, kind: str, token: Token, key: str = "") -> str:
        """Receive the request's file and accept it as a job; the job's id.

        With a `key` that this token used before, nothing is accepted and the id is that of the earlier job.

        Raises:
            RefusedError: it cannot be accepted; nothing of it is left.
        """
        desk = self.desk
        if desk.stopping():
            raise RefusedError(503, "stopping", "The service is being stopped.", 30, close=True)
        size = declared_size(request, desk.limits)
        try:
            await run_in_threadpool(desk.admission.enter, size)
        except FullError as error:
            message = "There is no room for another job now."
            raise RefusedError(503, error.what, message, BUSY_S[error.what], close=True) from error
        try:
            return await self._receive(request, kind, token, _sealed(token, key))
        except OSError as error:
            raise RefusedError(503, "storage", "The file cannot be stored now.", 60, close=True) from error
        finally:
            desk.admission.leave(size)

    async def _receive(self, request: Request, kind: str, token: Token, repeat_key: str | None) -> str:
        desk, job_id = self.desk, new_job_id()
        incoming = await run_in_threadpool(desk.spool.begin, job_id)
        accepted = False

        def accept(name: str) -> Job | None:
            # in one thread and one go: bytes first, then the row; no cancellation falls between
            nonlocal accepted
            incoming.finish(name)
            accepted = True  # from here on the row may be there, whatever the database says
            earlier = desk.jobs.accept(job_id, kind, token.id, incoming.size, repeat_key)
            accepted = earlier is None
            return earlier

        try:
            name = await receive_file(request, incoming, desk.limits)
            earlier = await run_in_threadpool(accept, name)
        finally:
            if not accepted:
                incoming.discard()
        if earlier is not None:
            if (earlier.kind, earlier.size) != (kind, incoming.size):
                message = "This Idempotency-Key belongs to another submission; use a new one for each file."
                raise RefusedError(422, "idempotency_key", message)
            return earlier.id
        desk.metrics.accepted(kind, incoming.size)
        desk.accepted()
        return job_id

    async def follow(self, job_id: str, token: Token, wait_s: float) -> JobAnswer:
        """What is known of a job, now or when it ended or `wait_s` seconds have passed."""
        until = time.monotonic() + wait_s
        while True:
            job = _found(await run_in_threadpool(self.desk.jobs.get, job_id), token)
            left = until - time.monotonic()
            if job.state == SETTLED or left <= 0 or self.desk.stopping():
                return await run_in_threadpool(self.answer, job)
            await asyncio.sleep(min(LOOK_EVERY_S, left))

    def answer(self, job: Job) -> JobAnswer:
        """A job as it is told: a reviewer may have decided since it was settled."""
        status, digest = job.status, ""
        if job.kind == SUBMIT and job.state == SETTLED and job.item:
            now = self.desk.results.state(job.item)
            if now is not None:
                status, digest = now.status, now.sha256 if now.room else ""
        elif job.report:
            digest = str(json.loads(job.report).get("sha256", ""))
        return JobAnswer(
            job=job.id,
            kind="check" if job.kind == CHECK else "media",
            state=job.state,
            status=status,
            reason=job.reason,
            item=job.item if job.state == SETTLED else "",
            sha256=digest,
        )

    def media_state(self, job_id: str, token: Token) -> State:
        """What lies in the output folder for a settled media job.

        Raises:
            RefusedError: there is no such job, or it is not settled.
        """
        job = _found(self.desk.jobs.get(job_id), token)
        if job.kind != SUBMIT:
            raise RefusedError(404, "no_result", "A check has a report and no result.")
        if job.state != SETTLED:
            raise RefusedError(409, "not_settled", "The job has not ended yet.", 2)
        state = self.desk.results.state(job.item)
        if state is None:
            raise RefusedError(409, "being_moved", "The result is being moved; ask again.", 2)
        return state

    def result(self, job_id: str, token: Token) -> Response:
        """The finished file, if the token may have it."""
        state = self.media_state(job_id, token)
        if not state.room:
            raise RefusedError(409, state.status, "There is no file of this job.")
        needed = Scope.FETCH if state.room == "published" else Scope.REVIEW
        if needed not in token.scopes:
            if needed is Scope.REVIEW:
                raise RefusedError(409, state.status, "The file did not pass the gate; a person must look.")
            raise RefusedError(403, "scope", "This token does not allow that.")
        try:
            opened = self.desk.results.open(state)
        except OutputError as error:
            raise RefusedError(409, "missing", str(error)) from error
        mark = "" if state.room == "published" else "NOT-FOR-PUBLICATION-"
        headers = {
            "Content-Length": str(opened.size),
            "Content-Disposition": f'attachment; filename="{mark}{state.item}{opened.suffix}"',
            "Redact-Status": state.status,
            "Redact-Verdict": state.verdict,
            "Redact-Sha256": state.sha256,
        }
        return StreamingResponse(opened.chunks(), headers=headers, media_type=opened.media_type)

    def report(self, job_id: str, token: Token) -> Response:
        """The JSON report of a job."""
        job = _found(self.desk.jobs.get(job_id), token)
        if job.kind == CHECK:
            if job.state != SETTLED:
                raise RefusedError(409, "not_settled", "The job has not ended yet.", 2)
            if not job.report:
                raise RefusedError(409, job.status, "There is no report of this job.")
            return Response(job.report, media_type="application/json")
        if not token.scopes & {Scope.FETCH, Scope.REVIEW}:
            raise RefusedError(403, "scope", "This token does not allow that.")
        state = self.media_state(job_id, token)
        if not state.room:
            raise RefusedError(409, state.status, "There is no report of this job.")
        try:
            return Response(self.desk.results.report(state.item), media_type="application/json")
        except OutputError as error:
            raise RefusedError(409, "missing", str(error)) from error

    def waiting(self, start: int, most: int) -> ReviewList:
        """A page of what waits for a person."""
        found = self.desk.results.waiting()
        page = found[start : start + most]
        jobs = self.desk.jobs.of_items([state.item for state in page])
        items = [
            Waiting(
                item=state.item,
                job=jobs.get(state.item),
                status=state.status,
                verdict=state.verdict,
                time=state.time,
                findings=list(state.findings),
            )
            for state in page
        ]
        return ReviewList(total=len(found), items=items)
