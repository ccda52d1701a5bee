"""An output folder with items that wait, and the review page's server on it in a process of its own."""

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import review_child

from bench.forked import Forked
from redact.batch.run import RunOptions, run
from redact.policy import load_policy

PATIENCE_S = 180.0
NAME = "Orinakyan"


class ReviewLab:
    """Inputs `Orinakyan P.jpg` (published), `R` (waits) and `B` (blocked), and more that wait if asked."""

    def __init__(self, place: Path, *, waiting: int = 1, settings: tuple[str, ...] = ()) -> None:
        self.place = place
        self.source, self.out, self.private = place / "in", place / "out", place / "private"
        folder = self.source / f"{NAME} family"
        folder.mkdir(parents=True)
        for end in "PRB":
            (folder / f"{NAME} {end}.jpg").write_bytes(b"pixels" * 9 + end.encode())
        for n in range(1, waiting):
            (folder / f"{NAME} {n}.jpg").write_bytes(b"pixels" * 9 + bytes([n]) + b"R")
        summary = run(
            self.source,
            self.out,
            load_policy("strict", list(settings)),
            RunOptions(
                private_folder=self.private, maker="bench.stub_stages:maker", gate="bench.stub_stages:gate"
            ),
        )
        self.ids = {done.status: done.item for done in summary.items}
        self.waiting = [done.item for done in summary.items if done.status == "review"]
        self.process: Forked | None = None
        self.tokens: dict[str, str] = {}
        self.port = 0

    def start(
        self, *codes: str, maker: str = "maker", source: bool = True, settings: str = ""
    ) -> "ReviewLab":
        """Start the server and read the addresses that it prints."""
        codes = codes or ("k7",)
        self.log = self.place / "log.txt"
        said = self.place / "said.txt"
        said.write_text("")
        self.process = Forked(
            review_child.main,
            [str(self.out), str(self.source) if source else "-", maker, settings, *codes],
            said,
            self.log,
            {**os.environ, "REDACT_PRIVATE_DIR": str(self.private)},
        )
        until = time.monotonic() + PATIENCE_S
        while len(lines := said.read_text().splitlines()) < len(codes):
            assert self.process.poll() is None and time.monotonic() < until, self.log.read_text()
            time.sleep(0.02)
        for line in lines:
            code, _, address = line.partition("  ")
            head, _, self.tokens[code] = address.partition("/#")
            self.port = int(head.rpartition(":")[2])
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_S)

    def __enter__(self) -> "ReviewLab":
        return self.start() if self.process is None else self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.stop()

    def client(self, key: str = "", **headers: str) -> httpx.Client:
        """An HTTP client, with a session's key if one is given."""
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=PATIENCE_S, trust_env=False
        )

    def enter(self, code: str = "k7") -> str:
        """Use the code's token up; the session's key."""
        with self.client() as client:
            answer = client.post("/api/session", json={"token": self.tokens[code]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["by"] == code
        return str(answer.json()["session"])

    def raw(self, *pieces: bytes, pause_s: float = 0.0) -> bytes:
        """Send bytes as they are, with pauses between, and read until the server hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as wire:
            answer = b""
            try:
                for n, piece in enumerate(pieces):
                    if n:
                        time.sleep(pause_s)
                    wire.sendall(piece)
            except OSError:
                pass  # it hung up before it had everything
            try:
                while data := wire.recv(65536):
                    answer += data
            except ConnectionResetError:
                pass
            return answer

    def published(self) -> set[str]:
        """Public ids of what lies in `published/`."""
        return {path.stem for path in (self.out / "published").iterdir()}


def ended(client: Any, job: str) -> dict[str, Any]:
    """Follow a job to its end."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found: dict[str, Any] = client.get(f"/api/jobs/{job}").json()
        if found["state"] != "running":
            return found
        time.sleep(0.02)
    raise AssertionError("the job does not end")
