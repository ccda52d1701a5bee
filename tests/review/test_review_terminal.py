"""New one-time addresses at the terminal that `redact review` was started in, and how it ends there."""

import asyncio
import os
import pty
import re
import select
import signal
import termios
import threading
import time
from pathlib import Path

import httpx
import pytest
import review_child
from review_lab import NAME, PATIENCE_S, ReviewLab

from bench.forked import Forked, Main
from redact.review.keyboard import asked_for, typed_lines

ENTER, END, INTERRUPT = "\n", "\x04", "\x03"
ADDRESS = re.compile(r"(\w+)  http://127\.0\.0\.1:(\d+)/#(\S+)")
HINT = "An address works once."


class Terminal:
    """A terminal with a process that leads its session."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._ours, self._theirs = pty.openpty()
        self.name = os.ttyname(self._theirs)
        self.said = ""
        self.process: Forked | None = None

    def run(self, main: Main, *arguments: str, private: Path | None = None) -> Forked:
        environment = {**os.environ, **({"REDACT_PRIVATE_DIR": str(private)} if private else {})}
        log = self._place / "log.txt"
        self.process = Forked(main, [self.name, *arguments], log, None, environment)
        return self.process

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, what: str, times: int = 1) -> None:
        """Read until it has been said so often."""
        until = time.monotonic() + PATIENCE_S
        while self.said.count(what) < times:
            assert time.monotonic() < until, self.said
            if select.select([self._ours], [], [], 0.1)[0]:
                self.said += os.read(self._ours, 4096).decode().replace("\r\n", "\n")

    def addresses(self, count: int) -> list[tuple[str, str]]:
        """Codes and tokens, as soon as there are so many."""
        self.wait_for("/#", count)
        self.wait_for("\n", self.said.count("\n", 0, self.said.rindex("/#")) + 1)
        return [(code, token) for code, _, token in ADDRESS.findall(self.said)]

    @property
    def base(self) -> str:
        found = ADDRESS.search(self.said)
        assert found
        return f"http://127.0.0.1:{found[2]}"

    def hang_up(self) -> None:
        for end in (self._theirs, self._ours):
            if end >= 0:
                os.close(end)
        self._ours = self._theirs = -1


@pytest.fixture
def terminal(tmp_path: Path):
    made = Terminal(tmp_path)
    yield made
    if made.process is not None:
        made.process.kill()
    made.hang_up()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> ReviewLab:
    """A folder that waits for a person, without a server."""
    return ReviewLab(tmp_path_factory.mktemp("terminal") / "lab")


def started(terminal: Terminal, lab: ReviewLab, *options: str) -> tuple[Forked, Path]:
    """The command at work in the terminal, and the file of the addresses that a browser got."""
    opened = lab.place / f"opened-{terminal.name.replace('/', '-')}"
    opened.write_text("")
    arguments = [str(opened), "review", str(lab.out), *options]
    process = terminal.run(review_child.at_terminal, *arguments, private=lab.private)
    terminal.wait_for(HINT)
    return process, opened


def enter(terminal: Terminal, token: str) -> httpx.Response:
    with httpx.Client(base_url=terminal.base, timeout=PATIENCE_S, trust_env=False) as client:
        return client.post("/api/session", json={"token": token})


def lives(terminal: Terminal, key: str) -> bool:
    with httpx.Client(base_url=terminal.base, timeout=PATIENCE_S, trust_env=False) as client:
        return client.get("/api/queue", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_enter_gives_a_new_address_and_the_sessions_go_on(terminal: Terminal, lab: ReviewLab) -> None:
    process, opened = started(terminal, lab, "--by", "k7")
    terminal.type(ENTER)
    tokens = [token for _, token in terminal.addresses(2)]
    assert len(set(tokens)) == 2
    refused = enter(terminal, tokens[0])
    assert (refused.status_code, refused.json()["error"]) == (401, "token"), "the unused one is void"
    first = enter(terminal, tokens[1]).json()
    terminal.type(END + ENTER)
    (_, token) = terminal.addresses(3)[2]
    second = enter(terminal, token).json()
    assert first["by"] == second["by"] == "k7"
    assert lives(terminal, first["session"]) and lives(terminal, second["session"])
    assert [line.rpartition("#")[2] for line in opened.read_text().split()] == [*tokens, token]
    terminal.type(END + INTERRUPT)
    assert process.wait(PATIENCE_S) == 0


def test_with_several_reviewers_the_code_is_asked_for(terminal: Terminal, lab: ReviewLab) -> None:
    process, opened = started(terminal, lab, "--by", "k7", "--by", "m2", "--no-open")
    old = dict(terminal.addresses(2))
    assert "k7, m2" in terminal.said
    terminal.type(ENTER)
    terminal.wait_for(HINT, 2)
    terminal.type(NAME + ENTER)
    terminal.wait_for(HINT, 3)
    assert terminal.said.count(NAME) == 1, "the terminal's own echo: what was typed is not repeated"
    terminal.type("m2" + ENTER)
    (code, token) = terminal.addresses(3)[2]
    assert (code, enter(terminal, old["m2"]).status_code) == ("m2", 401)
    assert enter(terminal, token).json()["by"] == "m2"
    assert enter(terminal, old["k7"]).json()["by"] == "k7", "nobody else's address is void"
    assert opened.read_text() == "", "--no-open"
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0


def test_a_closed_terminal_ends_the_page_in_order(terminal: Terminal, lab: ReviewLab) -> None:
    process, _ = started(terminal, lab, "--no-open")
    terminal.hang_up()
    assert process.wait(PATIENCE_S) == 0
    assert not list((lab.private / "spool").glob("spool-*"))


def test_the_page_is_not_stopped_by_what_is_typed_while_it_is_in_the_background(terminal: Terminal) -> None:
    process = terminal.run(review_child.in_background)
    terminal.type(ENTER)
    assert process.wait(PATIENCE_S) == 0


def test_what_is_gone_when_it_is_read_does_not_hold_up_the_page() -> None:
    ours, theirs = pty.openpty()
    lines: list[str] = []

    async def scene() -> None:
        with typed_lines(theirs, lines.append, 0.01):
            os.write(ours, b"gone\n")
            assert select.select([theirs], [], [], PATIENCE_S)[0]
            # As Ctrl-C does: after the loop was told, and before it reads.
            asyncio.get_running_loop().call_soon(termios.tcflush, theirs, termios.TCIFLUSH)
            await asyncio.sleep(0.05)
            os.write(ours, b"k7\n")
            while not lines:
                await asyncio.sleep(0.01)

    held_up = threading.Timer(30, os.write, (ours, b"held up\n"))
    held_up.start()
    asyncio.run(asyncio.wait_for(scene(), PATIENCE_S))
    held_up.cancel()
    assert lines == ["k7"]
    assert os.get_blocking(theirs), "that of the shell stays as it is"
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(
    ("line", "codes", "whose"),
    [
        ("", ("k7",), "k7"),
        (" k7 ", ("k7",), "k7"),
        ("k", ("k7",), ""),
        ("", ("k7", "m2"), ""),
        ("m2\r", ("k7", "m2"), "m2"),
        ("k7 m2", ("k7", "m2"), ""),
    ],
)
def test_whose_address_is_new_is_never_guessed(line: str, codes: tuple[str, ...], whose: str) -> None:
    assert asked_for(line, codes) == whose
