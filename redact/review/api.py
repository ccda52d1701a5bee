"""The addresses of the review page: its files, its session, the queue, items, pictures, decisions and jobs.

`DoorKeeper` has let in whoever gets here. What a request gives is an item's id, numbers, and a JSON body that
is held against one class; ids are looked up in the record.
"""

# No postponed annotations here: FastAPI reads them where the functions are made.
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from redact.errors import RedactError
from redact.httpd.answers import RefusedError, refusal
from redact.httpd.log import log
from redact.review.desk import Clerk, Desk
from redact.review.door import SESSION
from redact.review.films import Film, play
from redact.review.hands import BusyError
from redact.review.looks import MOST_WIDTH, GoneError, wanted
from redact.review.page_files import PageFiles
from redact.review.refusals import refused
from redact.review.sessions import Session
from redact.review.shapes import (
    Accepting,
    Drawing,
    Entry,
    Following,
    Item,
    JobShown,
    Queue,
    Rejecting,
)

SHOW_ORIGINAL = "original"
"""What `Redact-Show` must say before a picture of an input is made."""
JPEG = "image/jpeg"

ItemId = Annotated[str, Path(pattern=r"^[a-z0-9]{4,64}$")]
JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
Frame = Annotated[int, Path(ge=0, le=100_000_000)]
Width = Annotated[int, Query(ge=1, le=MOST_WIDTH)]

B = TypeVar("B", bound=BaseModel)


async def _body(request: Request, shape: type[B]) -> B:
    """The request's body as `shape`. What is wrong with it is not repeated."""
    try:
        return shape.model_validate_json(await request.body())
    except ValidationError as error:
        raise RefusedError(422, "body", "The request is not as this address takes it.") from error


def _session(request: Request) -> Session[Film]:
    session: Session[Film] = request.scope[SESSION]
    return session


def create_app(desk: Desk, page: PageFiles) -> FastAPI:
    """The application, without the guards and the door keeper around it."""
    clerk = Clerk(desk)
    app = FastAPI(title="redact review", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_exception_handler(RefusedError, refusal)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(RedactError, _ours)
    app.add_exception_handler(BusyError, _busy)
    app.add_exception_handler(GoneError, _gone)
    app.add_exception_handler(Exception, _internal)

    @app.post("/api/session")
    async def enter(request: Request) -> JSONResponse:
        asked = await _body(request, Entry)
        key, session = desk.door.enter(asked.token)
        log("session began", by=session.by)
        return JSONResponse({"session": key, "by": session.by})

    @app.delete("/api/session", status_code=204)
    def leave(request: Request) -> Response:
        session = _session(request)
        desk.door.leave(session)
        log("session ended", by=session.by)
        return Response(status_code=204)

    @app.get("/api/queue")
    def queue(request: Request, room: Literal["review", "published"] = "review") -> Queue:
        items = desk.items.queue(room)
        return Queue(by=_session(request).by, can_edit=desk.can_edit, items=items)

    @app.get("/api/items/{item}")
    async def item(request: Request, item: ItemId) -> Item:
        state = await run_in_threadpool(desk.items.state, item)
        frames = await run_in_threadpool(clerk.frames_of, state)
        brief = await run_in_threadpool(desk.items.is_film, state)
        times = await wanted(desk.looks.times(state, frames), request.is_disconnected) if brief else ()
        return await run_in_threadpool(desk.items.item, state, times)

    @app.get("/api/items/{item}/frames/{frame}")
    async def frame(
        request: Request,
        item: ItemId,
        frame: Frame,
        of: Literal["output", "input"] = "output",
        width: Width = MOST_WIDTH,
    ) -> Response:
        make = desk.looks.frame
        if of == "input":
            if request.headers.get("redact-show") != SHOW_ORIGINAL:
                raise RefusedError(403, "original", "The original is shown only on purpose.")
            make = desk.looks.original
        state = await run_in_threadpool(desk.items.state, item)
        frames = await run_in_threadpool(clerk.frames_of, state)
        picture = await wanted(make(state, frame, width, frames), request.is_disconnected)
        return Response(picture, media_type=JPEG)

    @app.get("/api/items/{item}/thumbnail")
    async def thumbnail(request: Request, item: ItemId) -> Response:
        state = await run_in_threadpool(desk.items.state, item)
        picture = await wanted(desk.looks.thumbnail(state), request.is_disconnected)
        return Response(picture, media_type=JPEG)

    @app.post("/api/items/{item}/ticket")
    def ticket(request: Request, item: ItemId) -> JSONResponse:
        found = clerk.film(_session(request), desk.items.state(item))
        return JSONResponse({"url": f"/media/{found}"})

    @app.get("/media/{ticket}")
    def media(request: Request, ticket: str) -> Response:
        found = desk.door.film(ticket)
        if found is None or not clerk.playing(found[1]):
            raise RefusedError(404, "no_such_film", "There is no such film, or its session has ended.")
        session, film = found
        return play(film, request.headers.get("range"), lambda: session.alive)

    @app.get("/api/items/{item}/name")
    def name(item: ItemId) -> JSONResponse:
        return JSONResponse({"name": clerk.name(desk.items.state(item))})

    @app.post("/api/items/{item}/follow")
    async def follow(request: Request, item: ItemId) -> JSONResponse:
        asked = await _body(request, Following)
        job = await run_in_threadpool(clerk.follow, _session(request), item, asked)
        return JSONResponse({"job": job.id})

    @app.post("/api/items/{item}/draw")
    async def draw(request: Request, item: ItemId) -> JSONResponse:
        body = await request.body()
        asked = await run_in_threadpool(_parsed, Drawing.model_validate_json, body)
        job = await run_in_threadpool(clerk.draw, _session(request), item, asked)
        return JSONResponse({"job": job.id})

    @app.post("/api/items/{item}/accept")
    async def accept(request: Request, item: ItemId) -> JSONResponse:
        asked = await _body(request, Accepting)
        await run_in_threadpool(desk.items.state, item)
        outcome, approved = await run_in_threadpool(clerk.accept, item, _session(request).by, asked)
        return JSONResponse({"outcome": outcome, "approvals": approved.model_dump()})

    @app.post("/api/items/{item}/reject")
    async def reject(request: Request, item: ItemId) -> JSONResponse:
        asked = await _body(request, Rejecting)
        await run_in_threadpool(desk.items.state, item)
        await run_in_threadpool(clerk.reject, item, _session(request).by, asked)
        return JSONResponse({"outcome": "rejected"})

    @app.get("/api/jobs/{job}")
    def job(request: Request, job: JobId) -> JobShown:
        found = desk.jobs.get(job, _session(request))
        if found is None:
            raise RefusedError(404, "no_such_job", "There is no such job.")
        return found.shown()

    @app.delete("/api/jobs/{job}", status_code=204)
    def stop(request: Request, job: JobId) -> Response:
        found = desk.jobs.get(job, _session(request))
        if found is None:
            raise RefusedError(404, "no_such_job", "There is no such job.")
        desk.jobs.stop(found)
        return Response(status_code=204)

    @app.get("/")
    def first() -> Response:
        return page_file("")

    @app.get("/{name}")
    def page_file(name: str) -> Response:
        found = page.answer(name)
        if found is None:
            raise RefusedError(404, "not_found", "There is nothing here.")
        return found

    return app


def _parsed(parse: Callable[[bytes], Drawing], body: bytes) -> Drawing:
    try:
        return parse(body)
    except ValidationError as error:
        raise RefusedError(422, "body", "The request is not as this address takes it.") from error


def _not_valid(_: Request, error: Exception) -> JSONResponse:
    """A parameter is wrong: never what it was."""
    assert isinstance(error, RequestValidationError)
    if any(each["loc"][0] == "path" for each in error.errors()):
        return JSONResponse({"error": "not_found", "message": "There is nothing here."}, status_code=404)
    return JSONResponse({"error": "parameter", "message": "A parameter is not valid."}, status_code=422)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RedactError)
    return await refusal(request, refused(error))


async def _busy(request: Request, _: Exception) -> JSONResponse:
    return await refusal(request, RefusedError(503, "busy", "Too much waits to be done; try again.", 5))


def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


def _internal(_: Request, __: Exception) -> JSONResponse:
    """The error goes on to the guards, which log its kind."""
    message = "The app met a fault of its own."
    return JSONResponse({"error": "internal", "message": message}, 500, {"Connection": "close"})


def _plain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse(
        {"error": "http", "message": "There is nothing here, or not by this method."},
        status_code=error.status_code,
        headers=error.headers,
    )


__all__ = ["create_app"]
