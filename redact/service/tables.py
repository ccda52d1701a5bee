"""The tables of the job database, and how it is opened: SQLite in the state folder, or PostgreSQL.

A database of an earlier version gets what it lacks when it is opened; nothing in it is changed or removed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

DATABASE_ERRORS = (sa.exc.SQLAlchemyError, OSError)
"""What a database that cannot be reached raises; drivers let some of the system's errors through."""

_META = sa.MetaData()
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JOB = sa.Table(
    "redact_job",
    _META,
    sa.Column("seq", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(32), unique=True, nullable=False),
    sa.Column("owner", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("token", sa.String(16), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("due", sa.BigInteger, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("item", sa.String(32), nullable=False, default=""),
    sa.Column("status", sa.String(16), nullable=False, default=""),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("report", sa.Text, nullable=False, default=""),
    sa.Column("settled", sa.BigInteger, nullable=False, default=0),
    sa.Column("repeat_key", sa.String(64)),
    sa.Index("redact_job_waiting", "owner", "state", "due"),
    sa.Index("redact_job_item", "item"),
    sa.Index("redact_job_repeat", "owner", "repeat_key", unique=True),
)
CALL = sa.Table(
    "redact_call",
    _META,
    sa.Column("seq", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(32), unique=True, nullable=False),
    sa.Column("owner", sa.String(32), nullable=False),
    sa.Column("hook", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("due", sa.BigInteger, nullable=False),
    sa.Index("redact_call_due", "owner", "due"),
)


def open_engine(url: str, state: Path) -> Engine:
    """The database at `url`, or the one in the state folder."""
    if not url:
        path = state / "jobs.sqlite"
        # made by hand first: SQLite would make it readable for the group
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        address = sa.URL.create("sqlite", database=str(path.resolve()))
    else:
        address = sa.make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+pg8000")
    # parameters stay out of messages; a connection that a restarted server dropped is noticed
    engine = sa.create_engine(address, hide_parameters=True, pool_pre_ping=True, pool_size=8, max_overflow=24)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _durable(connection: Any, _: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA busy_timeout=30000")

    return engine


def bring_up_to_date(engine: Engine) -> None:
    """Make the tables, or add what a database of an earlier version lacks; its rows stay as they are."""
    _META.create_all(engine)
    if "repeat_key" in {column["name"] for column in sa.inspect(engine).get_columns(JOB.name)}:
        return
    unless = "IF NOT EXISTS " if engine.dialect.name == "postgresql" else ""  # a second service may be at it
    with engine.begin() as db:
        db.execute(sa.text(f"ALTER TABLE {JOB.name} ADD COLUMN {unless}repeat_key VARCHAR(64)"))
        db.execute(
            sa.text(f"CREATE UNIQUE INDEX IF NOT EXISTS redact_job_repeat ON {JOB.name} (owner, repeat_key)")
        )
