"""The review page's server put together: everything is checked before the first request is let in.

`serve` returns when the process was asked to end: a drawing that is at work is stopped and releases nothing,
every session and ticket is dead, no worker is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp

from redact.batch.jobs import WorkerStages
from redact.batch.results import Results
from redact.batch.worker_jobs import GATE, MAKER
from redact.errors import UsageError
from redact.httpd.body import Pace
from redact.httpd.guards import Guards, served_exactly
from redact.httpd.log import log, quiet
from redact.httpd.peer import accounts_here, only_from
from redact.httpd.server import Server, listen, make_server
from redact.names.watchlist import WatchList
from redact.policy import Policy
from redact.review.api import create_app
from redact.review.desk import Desk
from redact.review.door import PACE, DoorKeeper
from redact.review.films import Film
from redact.review.hands import Hand
from redact.review.items import Items
from redact.review.keyboard import Keyboard, asked_for, typed_lines
from redact.review.looks import Looks
from redact.review.originals import Originals
from redact.review.page_files import BUILT, PageFiles
from redact.review.sessions import Door
from redact.review.work import MOST_WAITING, Jobs

HOST = "127.0.0.1"
HEAD_S = 10.0
CONNECTIONS = 64
GRACE_S = 2
"""What requests under way get when the app is stopped."""
LAST_S = 20.0
"""What stopping the workers may take."""
Invite = Callable[[str], None]
"""Gives the reviewer with a code a new address."""


@dataclass(frozen=True)
class ReviewSettings:
    """How the app is started."""

    out: Path
    policy: Policy
    source: Path | None = None
    """The input folder, or the one input file."""
    codes: tuple[str, ...] = ("me",)
    watch: WatchList | None = None
    port: int = 0
    page: Path = field(default=BUILT)
    maker: str = MAKER
    gate: str = GATE
    head_s: float = HEAD_S
    """A request's head must come within it."""
    pace: Pace = PACE
    """How fast a request's body must come."""


def has_display() -> bool:
    """Whether a browser can be opened here."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def open_browser(address: str) -> None:
    """Open an address in the user's browser, without waiting for it."""

    def opening() -> None:
        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open(address)

    threading.Thread(target=opening, daemon=True).start()


@dataclass(frozen=True)
class Running:
    """The application with all that it needs; `start` its hands before it is served."""

    app: ASGIApp
    door: Door[Film]
    hands: tuple[Hand[WorkerStages], ...]

    def start(self) -> None:
        """Begin to take work."""
        for hand in self.hands:
            hand.start()

    def end(self) -> None:
        """End sessions and workers; what is being drawn releases nothing."""
        self.door.close()
        for hand in self.hands:
            hand.end(LAST_S)


def put_together(settings: ReviewSettings, port: int) -> Running:
    """The application as it is served on that port of this machine.

    Raises:
        UsageError: there is no output folder or input.
        MissingToolError: the page was not built.
    """
    if not (settings.out / "ledger.sqlite").is_file():
        raise UsageError("OUT holds no ledger.")
    if settings.source is not None and not settings.source.exists():
        raise UsageError("The --input folder is not there.")
    page, policy = PageFiles(settings.page), settings.policy
    door: Door[Film] = Door()
    results = Results(settings.out)
    originals = Originals(settings.source, results)
    make = partial(_stages, settings)
    drawing = Hand("drawing", make, most_waiting=MOST_WAITING)
    finished, inputs = Hand("finished files", make), Hand("originals", make)
    desk = Desk(
        out=settings.out,
        policy=policy,
        watch=settings.watch,
        door=door,
        results=results,
        originals=originals,
        items=Items(results, originals, policy),
        looks=Looks(results, originals, policy, finished, inputs),
        jobs=Jobs(drawing),
        can_edit=settings.source is not None,
    )
    served = served_exactly((f"{HOST}:{port}", f"localhost:{port}"))
    app = Guards(DoorKeeper(create_app(desk, page), door, settings.pace), served)
    return Running(app, door, (drawing, finished, inputs))


def serve(
    settings: ReviewSettings, show: Callable[[str, str], None], keyboard: Keyboard | None = None
) -> None:
    """Run until SIGTERM, SIGINT or SIGHUP. `show` is given a reviewer's code and one-time address.

    It is called for each reviewer at the start, and again for whom a new address is asked at the `keyboard`.

    Raises:
        UsageError: there is no output folder, input or free port.
        MissingToolError: the page was not built.
    """
    quiet()
    with contextlib.closing(listen(HOST, settings.port)) as listening:
        port = listening.getsockname()[1]
        running = put_together(settings, port)
        server = make_server(
            running.app,
            head_s=settings.head_s,
            connections=CONNECTIONS,
            grace_s=GRACE_S,
            peer=only_from(accounts_here()),
        )

        def end(number: int, _: object) -> None:
            server.should_exit = True

        def invite(code: str) -> None:
            show(code, f"http://{HOST}:{port}/#{running.door.invite(code)}")

        before = {number: signal.signal(number, end) for number in _ends()}
        try:
            running.start()
            for code in settings.codes:
                invite(code)
            log("listening", port=port)
            asyncio.run(_serving(server, listening, keyboard, invite))
        finally:
            with contextlib.suppress(OSError):  # the terminal may be gone
                log("stopping")
            running.end()
            with contextlib.suppress(OSError):
                log("stopped")
            for number, handler in before.items():
                signal.signal(number, handler)


def _ends() -> list[signal.Signals]:
    """The signals that end the app; under nohup a closed terminal does not."""
    hears = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return [signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hears else [])]


async def _serving(
    server: Server, listening: socket.socket, keyboard: Keyboard | None, invite: Invite
) -> None:
    """Serve, and meanwhile invite whom a new address is asked for."""
    with contextlib.ExitStack() as meanwhile:
        if keyboard is not None:
            try:
                meanwhile.enter_context(typed_lines(keyboard.fd, partial(_typed, keyboard, invite)))
            except OSError:
                log("terminal not readable")
            else:
                keyboard.hint()
        await server.serve(sockets=[listening])


def _typed(keyboard: Keyboard, invite: Invite, line: str) -> None:
    code = asked_for(line, keyboard.codes)
    if not code:
        keyboard.hint()
        return
    log("new address", by=code)
    invite(code)


def _stages(settings: ReviewSettings, stop: threading.Event) -> WorkerStages:
    policy = settings.policy
    return WorkerStages(
        policy.limits.item_timeout_s,
        stop,
        settings.maker,
        settings.gate,
        policy=policy,
        watch=settings.watch,
    )
