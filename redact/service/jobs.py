"""The database of accepted work: SQLite in the state folder, or PostgreSQL. What is in here is never lost.

A job is `queued`, `working` or `settled`. Rows hold public ids, sizes, times, verdicts and, of checks, the
gate's report; no name, no path, and no digest of media that came to be covered. A row belongs to the service
that accepted it (`owner`), so that several may share one database server.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from redact.batch.private import ID_ALPHABET
from redact.errors import OutputError
from redact.service.tables import CALL, DATABASE_ERRORS, JOB, bring_up_to_date, open_engine

SUBMIT, CHECK = "media", "check"
QUEUED, WORKING, SETTLED = "queued", "working", "settled"
ID_LENGTH = 24


def now_ms() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


def new_job_id() -> str:
    """A random id of 120 bits, of the letters of public ids."""
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))


@dataclass(frozen=True)
class Job:
    """One row."""

    seq: int
    id: str
    owner: str
    kind: str
    state: str
    token: str
    size: int
    received: int
    due: int
    tries: int
    item: str
    status: str
    """Of a settled job: published, review, blocked, rejected or failed."""
    reason: str
    report: str
    """Of a settled check: the gate's report as JSON."""
    settled: int
    repeat_key: str | None
    """Digest of the sender's `Idempotency-Key`, keyed with what only the state folder holds."""


@dataclass(frozen=True)
class Call:
    """A webhook call that is not delivered yet."""

    seq: int
    id: str
    owner: str
    hook: str
    body: str
    tries: int
    due: int


class JobStore:
    """Safe to share between threads. Every change is durable when its method returns.

    A change whose answer is lost may hold or not. So it is kept here which jobs this process works on: no
    such job is given away a second time, and a row that is `working` while nobody is at it is taken up again.

    Raises:
        OutputError: the database cannot be reached or made.
    """

    def __init__(self, url: str, state: Path, owner: str) -> None:
        self.owner = owner
        self._claiming = threading.Lock()
        self._at_work: set[str] = set()
        self._in_doubt = False
        try:
            self._engine = open_engine(url, state)
            bring_up_to_date(self._engine)
        except DATABASE_ERRORS as error:
            raise OutputError("The job database cannot be opened; see database_url.") from error

    def _run(self, statement: Any, **values: Any) -> int:
        with self._engine.begin() as db:
            return db.execute(statement, values or None).rowcount

    def _jobs(self, statement: sa.Select[Any]) -> list[Job]:
        with self._engine.connect() as db:
            return [Job(**row) for row in db.execute(statement).mappings()]

    def accept(
        self, job_id: str, kind: str, token: str, size: int, repeat_key: str | None = None
    ) -> Job | None:
        """Add a job whose bytes are on the disk; from here on it is done whatever happens.

        Returns None, or the job that has this `repeat_key` already: then nothing was added.
        """
        now = now_ms()
        row = sa.insert(JOB).values(
            id=job_id,
            owner=self.owner,
            kind=kind,
            state=QUEUED,
            token=token,
            size=size,
            received=now,
            due=now,
            repeat_key=repeat_key,
        )
        try:
            self._run(row)
        except sa.exc.IntegrityError:
            earlier = self._one(JOB.c.repeat_key == repeat_key) if repeat_key else None
            if earlier is None:
                raise
            return earlier
        return None

    def _one(self, which: sa.ColumnElement[bool]) -> Job | None:
        found = self._jobs(sa.select(JOB).where(which, JOB.c.owner == self.owner))
        return found[0] if found else None

    def get(self, job_id: str) -> Job | None:
        """The job of that id."""
        return self._one(JOB.c.id == job_id)

    def of_items(self, items: Collection[str]) -> dict[str, str]:
        """Job ids by item."""
        if not items:
            return {}
        wanted = sa.select(JOB.c.item, JOB.c.id).where(JOB.c.owner == self.owner, JOB.c.item.in_(items))
        with self._engine.connect() as db:
            return {str(item): str(job) for item, job in db.execute(wanted)}

    def counts(self) -> dict[str, int]:
        """Jobs that are queued and working."""
        wanted = (
            sa.select(JOB.c.state, sa.func.count())
            .where(JOB.c.owner == self.owner, JOB.c.state.in_([QUEUED, WORKING]))
            .group_by(JOB.c.state)
        )
        with self._engine.connect() as db:
            found = {str(state): int(count) for state, count in db.execute(wanted)}
        return {QUEUED: 0, WORKING: 0, **found}

    def claim(self, kinds: Collection[str]) -> Job | None:
        """Take the oldest job that is due; None if there is none."""
        with self._claiming:
            if self._in_doubt:
                self._requeue()
            found = self._jobs(
                sa.select(JOB)
                .where(
                    JOB.c.owner == self.owner,
                    JOB.c.state == QUEUED,
                    JOB.c.kind.in_(kinds),
                    JOB.c.due <= now_ms(),
                    JOB.c.id.not_in(tuple(self._at_work)),
                )
                .order_by(JOB.c.seq)
                .limit(1)
            )
            if not found:
                return None
            self._in_doubt = True  # until the answer is there
            self._move(found[0].id, QUEUED, state=WORKING)
            self._in_doubt = False
            self._at_work.add(found[0].id)
            return found[0]

    def leave(self, job_id: str) -> None:
        """No thread works on the job any more, whatever its row says."""
        with self._claiming:
            if job_id in self._at_work:
                self._at_work.remove(job_id)
                self._in_doubt = True

    def _left(self, job_id: str) -> None:
        """Its row is known not to say `working`."""
        with self._claiming:
            self._at_work.discard(job_id)

    def _requeue(self) -> int:
        found = self._run(
            sa.update(JOB)
            .where(
                JOB.c.owner == self.owner,
                JOB.c.state == WORKING,
                JOB.c.id.not_in(tuple(self._at_work)),
            )
            .values(state=QUEUED, due=0)
        )
        self._in_doubt = False
        return found

    def _move(self, job_id: str, before: str, **values: Any) -> int:
        return self._run(sa.update(JOB).where(JOB.c.id == job_id, JOB.c.state == before).values(**values))

    def assign(self, job_id: str, item: str) -> None:
        """Note the public id under which the job's result will be in the output folder."""
        self._move(job_id, WORKING, item=item)

    def put_back(self, job_id: str, pause_s: float = 0, tries: int = 0) -> None:
        """Let the job wait again, `pause_s` at least; `tries` counts towards its end as failed."""
        self._move(
            job_id, WORKING, state=QUEUED, due=now_ms() + int(pause_s * 1000), tries=JOB.c.tries + tries
        )
        self._left(job_id)

    def settle(
        self, job_id: str, status: str, reason: str, report: str, calls: Collection[tuple[str, str]]
    ) -> bool:
        """End a job and queue its webhook calls, (hook, body), in one step; False if it had ended before."""
        now = now_ms()
        with self._engine.begin() as db:
            ended = db.execute(
                sa.update(JOB)
                .where(JOB.c.id == job_id, JOB.c.state == WORKING)
                .values(state=SETTLED, status=status, reason=reason, report=report, settled=now)
            ).rowcount
            if ended and calls:
                db.execute(
                    sa.insert(CALL),
                    [
                        {"id": new_job_id(), "owner": self.owner, "hook": hook, "body": body, "due": now}
                        for hook, body in calls
                    ],
                )
        self._left(job_id)
        return bool(ended)

    def take_up_again(self) -> int:
        """What is at work by its row alone, as after a restart, waits again; how many these are."""
        with self._claiming:
            return self._requeue()

    def unsettled(self) -> set[str]:
        """Ids of every job whose bytes are still needed."""
        with self._engine.connect() as db:
            wanted = sa.select(JOB.c.id).where(JOB.c.owner == self.owner, JOB.c.state != SETTLED)
            return {str(row[0]) for row in db.execute(wanted)}

    def forget(self, before_ms: int) -> int:
        """Delete the rows of jobs that were settled before then."""
        return self._run(
            sa.delete(JOB).where(JOB.c.owner == self.owner, JOB.c.state == SETTLED, JOB.c.settled < before_ms)
        )

    def drop_calls(self, but: Collection[str]) -> int:
        """Delete the calls of webhooks that are not configured any more."""
        return self._run(sa.delete(CALL).where(CALL.c.owner == self.owner, CALL.c.hook.not_in(but)))

    def calls(self, hook: str, most: int = 20) -> list[Call]:
        """A webhook's calls that are due, those that waited longest first."""
        wanted = (
            sa.select(CALL)
            .where(CALL.c.owner == self.owner, CALL.c.hook == hook, CALL.c.due <= now_ms())
            .order_by(CALL.c.due, CALL.c.seq)
            .limit(most)
        )
        with self._engine.connect() as db:
            return [Call(**row) for row in db.execute(wanted).mappings()]

    def end_call(self, call_id: str) -> None:
        """It was delivered, or given up."""
        self._run(sa.delete(CALL).where(CALL.c.id == call_id))

    def call_later(self, call_id: str, pause_s: float) -> None:
        """It failed; try again after the pause."""
        self._run(
            sa.update(CALL)
            .where(CALL.c.id == call_id)
            .values(tries=CALL.c.tries + 1, due=now_ms() + int(pause_s * 1000))
        )

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
