"""The addresses: submit, check, follow, fetch, list; metrics, health and the OpenAPI document.

Everything but health and the document needs a token. What a request gives is a token, a file, a job's id and
numbers; ids are looked up in the database, and paths are made of what the database says.
"""

# No postponed annotations here: FastAPI reads them where the functions are made.
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, StreamingResponse

from redact import __version__
from redact.errors import RedactError
from redact.httpd.answers import RefusedError, refusal
from redact.service.desk import Clerk, Desk, Health, JobAnswer, ReviewList
from redact.service.jobs import CHECK, SUBMIT
from redact.service.metrics import CONTENT_TYPE
from redact.service.tokens import Scope, Token

MOST_WAIT_S = 60

JobId = Annotated[str, Path(pattern=r"^[a-z2-9]{24}$", description="What the submission was answered with.")]
Wait = Annotated[
    float, Query(ge=0, le=MOST_WAIT_S, description="Seconds to wait for the job's end before answering.")
]

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Random, new for each file: the same submission sent again gives the job of the first.",
    ),
]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "No valid token."},
    403: {"description": "The token lacks the scope."},
    429: {"description": "Too many requests of this token; see Retry-After."},
}
_NO_SUCH: dict[int | str, dict[str, Any]] = {404: {"description": "No such job."}}
_FULL: dict[int | str, dict[str, Any]] = {
    408: {"description": "The body came too slowly."},
    413: {"description": "The file is too large."},
    415: {"description": "The body is no multipart form."},
    422: {"description": "A parameter is wrong, or the Idempotency-Key was used for another submission."},
    503: {"description": "The queue or the disk is full; see Retry-After."},
}


def create_app(desk: Desk) -> FastAPI:
    """The application, without the guards around it."""
    clerk = Clerk(desk)
    bearer = HTTPBearer(auto_error=False, description="A token made by `redact serve token add`.")

    def need(*scopes: Scope, close: bool = False) -> Callable[..., Awaitable[Token]]:
        async def token(
            credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
        ) -> Token:
            return clerk.token(credentials.credentials if credentials else "", scopes, close)

        return token

    app = FastAPI(
        title="redact",
        version=__version__,
        description="Covers faces and text in photos and videos, and judges finished files. A published "
        "result passed the listed checks; it does not mean that nobody can be recognised.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(RefusedError, refusal)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(sa.exc.SQLAlchemyError, _unreachable)
    app.add_exception_handler(RedactError, _unreadable)
    app.add_exception_handler(Exception, _internal)

    async def took(
        request: Request, response: Response, kind: str, token: Token, wait: float, key: str | None
    ) -> JobAnswer:
        job_id = await clerk.take_in(request, kind, token, key or "")
        response.headers["Location"] = f"/v1/jobs/{job_id}"
        return await clerk.follow(job_id, token, wait)

    @app.post("/v1/jobs", status_code=202, openapi_extra=_BODY, responses={**_REFUSALS, **_FULL})
    async def submit(
        request: Request,
        response: Response,
        token: Annotated[Token, Depends(need(Scope.SUBMIT, close=True))],
        wait: Wait = 0,
        key: Key = None,
    ) -> JobAnswer:
        """Hand in one photo, animation or video. 202 means: it is on the disk and will be done."""
        return await took(request, response, SUBMIT, token, wait, key)

    @app.post("/v1/checks", status_code=202, openapi_extra=_BODY, responses={**_REFUSALS, **_FULL})
    async def check(
        request: Request,
        response: Response,
        token: Annotated[Token, Depends(need(Scope.CHECK, close=True))],
        wait: Wait = 0,
        key: Key = None,
    ) -> JobAnswer:
        """Have one finished file judged, whoever made it. Nothing of it is kept but the report."""
        return await took(request, response, CHECK, token, wait, key)

    @app.get("/v1/jobs/{job}", responses={**_REFUSALS, **_NO_SUCH})
    async def follow(
        job: JobId,
        token: Annotated[Token, Depends(need(Scope.SUBMIT, Scope.FETCH, Scope.REVIEW, Scope.CHECK))],
        wait: Wait = 0,
    ) -> JobAnswer:
        """What became of a job."""
        return await clerk.follow(job, token, wait)

    @app.get(
        "/v1/jobs/{job}/result",
        response_class=StreamingResponse,
        responses={**_REFUSALS, **_NO_SUCH, 409: {"description": "There is no file for this token (yet)."}},
    )
    def result(job: JobId, token: Annotated[Token, Depends(need(Scope.FETCH, Scope.REVIEW))]) -> Response:
        """The finished file. What did not pass the gate is given to the scope `review` only, and marked."""
        return clerk.result(job, token)

    @app.get(
        "/v1/jobs/{job}/report",
        responses={**_REFUSALS, **_NO_SUCH, 409: {"description": "There is no report (yet)."}},
    )
    def report(
        job: JobId, token: Annotated[Token, Depends(need(Scope.FETCH, Scope.REVIEW, Scope.CHECK))]
    ) -> Response:
        """The JSON report: what was looked for, by which models, and what was found."""
        return clerk.report(job, token)

    @app.get("/v1/review", responses=_REFUSALS)
    def waiting(
        token: Annotated[Token, Depends(need(Scope.REVIEW))],
        start: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        most: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> ReviewList:
        """What waits for a person, of this service's jobs and of any run into the same folder."""
        return clerk.waiting(start, most)

    @app.get("/metrics", response_class=Response, responses=_REFUSALS)
    def metrics(token: Annotated[Token, Depends(need(Scope.METRICS))]) -> Response:
        """Numbers for Prometheus."""
        return Response(desk.metrics.text(), media_type=CONTENT_TYPE)

    @app.get("/health", responses={503: {"model": Health}})
    def health(response: Response) -> Health:
        """Whether the service can do its work. Needs no token and tells nothing else."""
        if desk.stopping():
            response.status_code = 503
            return Health(status="stopping")
        if not desk.healthy():
            response.status_code = 503
            return Health(status="degraded")
        return Health(status="ok")

    return app


def _not_valid(_: Request, error: Exception) -> JSONResponse:
    """A parameter is wrong: where, never what it was."""
    assert isinstance(error, RequestValidationError)
    places = {tuple(map(str, each["loc"])) for each in error.errors()}
    if ("path", "job") in places:
        return JSONResponse({"error": "no_such_job", "message": "There is no such job."}, status_code=404)
    named = {place[1] for place in places if place[0] in ("query", "header")}
    known = sorted(named & {"wait", "start", "most", "Idempotency-Key"})
    return JSONResponse(
        {"error": "parameter", "message": f"Not valid: {', '.join(known) or 'the request'}."}, status_code=422
    )


async def _unreachable(request: Request, _: Exception) -> JSONResponse:
    error = RefusedError(503, "database", "The job database cannot be reached.", 30, request.method == "POST")
    return await refusal(request, error)


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
    """The ledger cannot be read, say; such messages hold no name and no path."""
    return await refusal(request, RefusedError(503, "record", str(error), 30, request.method == "POST"))


def _internal(_: Request, __: Exception) -> JSONResponse:
    """The error goes on to the guards, which log its kind."""
    message = "The service met a fault of its own."
    return JSONResponse({"error": "internal", "message": message}, 500, {"Connection": "close"})


def _plain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse(
        {"error": "http", "message": str(error.detail)}, status_code=error.status_code, headers=error.headers
    )


__all__ = ["Desk", "create_app"]
