"""A service under test: its configuration, its process, and a client. Used by the tests and the load test."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

from bench.common import ROOT
from bench.crash import STUB_GATE, STUB_MAKER, children
from bench.forked import Forked, Main
from bench.stub_stages import HOLD
from redact.service.tokens import Scope, TokenFile

EVERYTHING = tuple(Scope)
PATIENCE_S = 180.0
"""When a step of a test is given up for dead; nothing is measured by it."""


def stub_service(arguments: list[str]) -> int:
    """The service, imported where it runs alone: whoever starts it needs none of it."""
    from bench.service_child import main

    return main(arguments)


class ServiceLab:
    """One service in a folder of its own. `settings` is TOML that goes before the tables.

    `pause_s`: in place of the service's own pauses before it looks or tries again; None leaves them.
    """

    def __init__(
        self,
        place: Path,
        *,
        settings: str = "",
        limits: Mapping[str, int] | None = None,
        tables: str = "",
        maker: str = STUB_MAKER,
        gate: str = STUB_GATE,
        pause_s: float | None = 0.03,
    ) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.place = place
        self.out, self.state, self.private = place / "out", place / "state", place / "private"
        self.config, self.log = place / "service.toml", place / "log.txt"
        self._hold = place / "hold"
        self._maker, self._gate = maker, gate
        self._pause = [] if pause_s is None else [str(pause_s)]
        bounds = {"free_mb": 0, "requests_per_minute": 600000, "burst": 100000, **(limits or {})}
        lines = (
            *(f'out = "{self.out}"', f'state = "{self.state}"', settings, "[listen]", "port = 0", "[limits]"),
            *(f"{key} = {value}" for key, value in bounds.items()),
            tables,
        )
        self.config.write_text("\n".join(lines), encoding="utf-8")
        self.tokens = TokenFile(self.state)
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self.port = 0

    def token(self, scopes: Iterable[Scope] = EVERYTHING, days: float = 1) -> str:
        """A new token."""
        return self.tokens.add(scopes, days)

    def start(self, command: list[str] | None = None, main: Main = stub_service) -> None:
        """Start the process and wait until it listens. `command`: a program that is started afresh.

        `main`: what else than the stub service is run in a process that is only forked.
        """
        atexit.register(self._end)  # a step that fails must not leave a service behind
        before = len(self.events())
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
            "REDACT_PRIVATE_DIR": str(self.private),
            HOLD: str(self._hold),
        }
        if command is None:
            arguments = [str(self.config), self._maker, self._gate, *self._pause]
            self.process = Forked(main, arguments, self.log, environment=environment)
        else:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
                )
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for event in self.events()[before:]:
                if event.get("event") == "listening":
                    self.port = event["port"]
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"the service does not start: {self.log.read_text(encoding='utf-8')}")

    def events(self) -> list[dict[str, Any]]:
        """The log's lines."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").splitlines()
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def _end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def kill(self) -> None:
        """SIGKILL to the service alone; its workers must notice."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def hold(self) -> None:
        """From now on work of `bench.stub_stages:held_maker` on a file that begins with S does not end."""
        self._hold.touch()

    def let_go(self) -> None:
        """It ends."""
        self._hold.unlink(missing_ok=True)

    def wait_for(self, event: str, times: int = 1) -> None:
        """Wait until the log says it so often."""
        until = time.monotonic() + PATIENCE_S
        while sum(line.get("event") == event for line in self.events()) < times:
            if time.monotonic() > until:
                raise RuntimeError(f"the log never says: {event}")
            time.sleep(0.02)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for what the service does a moment after it told: bytes are deleted once a job is settled."""
        until = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > until:
                raise RuntimeError("it never comes about")
            time.sleep(0.02)

    def uploads(self) -> list[str]:
        """Names of what was sent and is not deleted."""
        return sorted(path.name for path in (self.state / "uploads").iterdir())

    def holding(self, needle: bytes) -> list[Path]:
        """Files of the lab that hold these lower-case bytes, in any case, in their name or content."""
        found = []
        for folder, _, names in os.walk(self.place):
            for name in names:
                path = Path(folder, name)
                try:
                    content = path.read_bytes()
                except FileNotFoundError:
                    continue  # deleted meanwhile
                if needle in (name.encode() + content).lower():
                    found.append(path.relative_to(self.place))
        return found

    def ask_to_stop(self, everyone: bool = False) -> None:
        """SIGTERM. `everyone`: to each of its workers as well, as service managers may."""
        assert self.process is not None
        if self.process.poll() is None:
            for process in children(self.process.pid) if everyone else ():
                os.kill(process, signal.SIGTERM)
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        assert self.process is not None
        self.ask_to_stop()
        try:
            return self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def __enter__(self) -> ServiceLab:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()
        if self.process is not None and self.process.poll() is None:
            self.stop()

    def client(self, token: str = "", **headers: str) -> httpx.Client:
        """An HTTP client, with a token if one is given."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=PATIENCE_S, trust_env=False
        )


def submit(
    client: httpx.Client, content: bytes, name: str = "photo.jpg", address: str = "/v1/jobs"
) -> httpx.Response:
    """Post a file."""
    return client.post(address, files={"file": (name, content, "application/octet-stream")})


def settled(client: httpx.Client, job: str) -> dict[str, Any]:
    """Follow a job to its end."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        answer = client.get(f"/v1/jobs/{job}", params={"wait": 10})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        if found["state"] == "settled":
            return found
    raise RuntimeError("the job does not end")
