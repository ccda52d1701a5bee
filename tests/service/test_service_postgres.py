"""Jobs in a real PostgreSQL server, started for the test from the system's own programs."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from bench.crash import STUB_BYTES
from bench.service_lab import ServiceLab, settled, submit
from redact.batch.audit import audit
from redact.errors import UsageError
from redact.service.config import load_config


def content(end: str, n: int) -> bytes:
    return bytes([n]) * (STUB_BYTES - 1) + end.encode()


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Server:
    """A cluster of its own, on a free port of this machine."""

    def __init__(self, programs: Path, place: Path) -> None:
        self._programs, self._place = programs, place
        self._user = "postgres" if os.geteuid() == 0 else None  # it does not run as root
        self.password = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        if self._user is not None:
            shutil.chown(place, self._user)
        word = place / "password"
        word.write_text(self.password)
        if self._user is not None:
            shutil.chown(word, self._user)
        self._run(
            "initdb",
            "-D",
            f"{place}/data",
            "-U",
            "redact",
            "-A",
            "scram-sha-256",
            "--no-sync",
            f"--pwfile={word}",
        )
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(
            command, check=True, user=self._user, cwd=self._place, stdout=subprocess.DEVNULL, timeout=120
        )

    def start(self) -> None:
        options = f"-p {self.port} -k {self._place} -c listen_addresses=127.0.0.1"
        log = f"{self._place}/log"
        self._run("pg_ctl", "-D", f"{self._place}/data", "-l", log, "-w", "-o", options, "start")

    def stop(self) -> None:
        if not (self._place / "data" / "postmaster.pid").exists():
            return
        self._run("pg_ctl", "-D", f"{self._place}/data", "-m", "immediate", "-w", "stop")

    @property
    def url(self) -> str:
        return f"postgresql://redact:{self.password}@127.0.0.1:{self.port}/postgres"


@pytest.fixture
def server() -> Iterator[Server]:
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here (apt-get install postgresql)")
    with tempfile.TemporaryDirectory() as folder:
        started = Server(programs, Path(folder))
        try:
            yield started
        finally:
            started.stop()


def send_once(client: httpx.Client) -> str:
    files = {"file": ("photo.jpg", content("P", 7))}
    return str(client.post("/v1/jobs", files=files, headers={"Idempotency-Key": "k"}).json()["job"])


def forget_the_column(server: Server) -> None:
    """Make the database one of an earlier version."""
    engine = sa.create_engine(server.url.replace("postgresql:", "postgresql+pg8000:"))
    with engine.begin() as db:
        db.execute(sa.text("DROP INDEX redact_job_repeat"))
        db.execute(sa.text("ALTER TABLE redact_job DROP COLUMN repeat_key"))
    engine.dispose()


def test_jobs_live_in_postgresql_through_a_kill_of_the_service_and_a_crash_of_the_server(
    tmp_path: Path, server: Server
) -> None:
    held = "bench.stub_stages:held_maker"
    lab = ServiceLab(tmp_path / "lab", settings=f'database_url = "{server.url}"', maker=held)
    with pytest.raises(UsageError, match="chmod 600"):
        load_config(lab.config)
    lab.config.chmod(0o600)
    lab.hold()
    lab.start()
    jobs = {}
    with lab.client(lab.token()) as client:
        for first, end, status in (("S", "P", "published"), ("1", "R", "review"), ("2", "X", "failed")):
            jobs[submit(client, content(end, ord(first))).json()["job"]] = status
        answer = send_once(client)
        jobs[answer] = "published"
    lab.kill()
    lab.let_go()
    forget_the_column(server)
    lab.start()
    assert not (lab.state / "jobs.sqlite").exists()
    with lab.client(lab.token()) as client:
        server.stop()
        refused = submit(client, content("P", 8))
        assert (refused.status_code, refused.json()["error"]) == (503, "database")
        assert client.get("/health").status_code == 503
        server.start()
        jobs[submit(client, content("P", 9)).json()["job"]] = "published"
        again, once_more = send_once(client), send_once(client)
        assert again == once_more, "the key is kept in PostgreSQL as well"
        jobs[again] = "published"
        assert {job: settled(client, job)["status"] for job in jobs} == jobs
        assert client.get("/health").json() == {"status": "ok"}
    server.stop()
    assert lab.stop() == 0, "a database that is gone keeps nobody from stopping the service"
    assert len(list((lab.out / "published").iterdir())) == 4
    assert audit(lab.out).problems == []
    assert server.password not in lab.log.read_text()
