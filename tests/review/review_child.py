"""The review page's server with stub workers, for a process of its own."""

import os
import select
import signal
import sys
from functools import partial
from pathlib import Path

import redact.review.serve
from redact.errors import RedactError
from redact.httpd.body import Pace
from redact.policy import load_policy
from redact.review.keyboard import opened_anew, read_now
from redact.review.serve import ReviewSettings, serve

HERE = Path(__file__).parent


def main(arguments: list[str]) -> int:
    """`OUT INPUT MAKER SETTINGS CODE...`: run until it is told to stop. INPUT may be `-`, SETTINGS empty."""
    out, source, maker, settings, *codes = arguments
    review = ReviewSettings(
        Path(out),
        load_policy("strict", settings.split()),
        None if source == "-" else Path(source),
        tuple(codes),
        page=HERE / "page",
        maker=f"bench.review_stubs:{maker}",
        gate="bench.review_stubs:gate",
        head_s=1,
        pace=Pace(idle_s=1, slowest_kb_s=16),
    )
    try:
        serve(review, lambda code, address: print(f"{code}  {address}", flush=True))
    except RedactError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


def _take(terminal: str) -> None:
    """Make that terminal the one of this session, and standard input, output and error."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup
    opened = os.open(terminal, os.O_RDWR)  # the leader of a session without one gets it so
    for target in range(3):
        os.dup2(opened, target)
    os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)


def at_terminal(arguments: list[str]) -> int:
    """`TERMINAL OPENED ARGUMENT...`: the command; the addresses that a browser gets go to a file."""
    terminal, opened, *command = arguments
    _take(terminal)
    from redact.cli.app import app

    def note(address: str) -> None:
        with Path(opened).open("a") as file:
            file.write(f"{address}\n")

    redact.review.serve.has_display = lambda: True
    redact.review.serve.open_browser = note
    redact.review.serve.ReviewSettings = partial(  # type: ignore[misc]
        ReviewSettings, page=HERE / "page", maker="bench.review_stubs:maker", gate="bench.review_stubs:gate"
    )
    return int(app(command, standalone_mode=False) or 0)


def in_background(arguments: list[str]) -> int:
    """`TERMINAL`: read a line in the background; 0 if there was none to have, else what became of it."""
    _take(arguments[0])
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        select.select([0], [], [])
        os._exit(0 if read_now(opened_anew(0)) == b"" else 3)
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        os.kill(child, 9)
        return 4
    return os.waitstatus_to_exitcode(status)
