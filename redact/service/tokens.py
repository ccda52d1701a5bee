"""Tokens: who may do what. The file holds ids, scopes, days and salted hashes, never a token itself.

A token is `redact_ID_SECRET`, 256 random bits behind a public id; it is shown once, when it is made. The file
is read again whenever it was changed, so that a revocation holds from the next request on.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import re
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from redact.batch.durable import write_text
from redact.batch.private import new_id
from redact.errors import OutputError, UsageError

FILE = "tokens.json"
_TOKEN = re.compile(r"redact_([a-z2-9]{12})_([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    """What a token allows."""

    SUBMIT = "submit"
    """Hand in media, and follow these jobs."""
    FETCH = "fetch"
    """Fetch published results and reports."""
    CHECK = "check"
    """Have finished files judged."""
    REVIEW = "review"
    """List what waits for a person and fetch it: bytes that did not pass the gate."""
    METRICS = "metrics"
    ALL = "all"
    """Reach jobs that other tokens submitted too; allows nothing by itself."""


class Token(BaseModel):
    """One row of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    scopes: frozenset[Scope]
    salt: str
    digest: str
    """SHA-256 over the salt's bytes and the secret. The secret is random: nothing slower is needed."""
    made: int
    expires: int
    """Seconds since 1970."""
    revoked: bool = False

    def valid(self, now: float) -> bool:
        """Neither expired nor revoked."""
        return not self.revoked and now < self.expires


_ROWS = TypeAdapter(tuple[Token, ...])


def _digest(salt: str, secret: str) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + secret.encode()).hexdigest()


_NOBODY = Token(id="", scopes=frozenset(), salt="00" * 16, digest="0" * 64, made=0, expires=0)


class TokenFile:
    """The tokens of one service. Safe to share between threads."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._rows: dict[str, Token] = {}

    def rows(self) -> list[Token]:
        """Every token, as the file is now.

        Raises:
            OutputError: it cannot be read.
        """
        with self._lock:
            return list(self._read().values())

    def _read(self) -> dict[str, Token]:
        try:
            state = self._path.stat()
            seen = (state.st_ino, state.st_mtime_ns, state.st_size)
            if seen != self._seen:
                rows = _ROWS.validate_json(self._path.read_bytes())
                self._rows, self._seen = {row.id: row for row in rows}, seen
        except FileNotFoundError:
            self._rows, self._seen = {}, None
        except (OSError, ValidationError) as error:
            self._rows, self._seen = {}, None
            raise OutputError("The file of tokens cannot be read; nobody is let in.") from error
        return self._rows

    def find(self, text: str, now: float | None = None) -> Token | None:
        """The valid token that `text` is, or None. The time it takes does not depend on the secret."""
        found = _TOKEN.fullmatch(text)
        name, secret = found.groups() if found else ("", "")
        with self._lock:
            row = self._read().get(name, _NOBODY)
        right = hmac.compare_digest(_digest(row.salt, secret), row.digest)
        return (
            row if right and row is not _NOBODY and row.valid(time.time() if now is None else now) else None
        )

    def add(self, scopes: Iterable[Scope], days: float) -> str:
        """Make a token and return it: the one time that it can be seen.

        Raises:
            UsageError: no scope, or `all` alone.
            OutputError: the file cannot be written.
        """
        chosen = frozenset(scopes)
        if not chosen - {Scope.ALL}:
            raise UsageError(f"A token needs a scope: {', '.join(Scope)}; all widens others.")
        secret, salt, now = secrets.token_urlsafe(32), secrets.token_hex(16), int(time.time())
        row = Token(
            id=new_id(),
            scopes=chosen,
            salt=salt,
            digest=_digest(salt, secret),
            made=now,
            expires=now + int(days * 86400),
        )
        with self._changing() as rows:
            rows[row.id] = row
        return f"redact_{row.id}_{secret}"

    def revoke(self, name: str) -> None:
        """End a token now.

        Raises:
            UsageError: there is none of that id.
            OutputError: the file cannot be written.
        """
        with self._changing() as rows:
            if name not in rows:
                raise UsageError("There is no token of that id; `redact serve token list` shows them.")
            rows[name] = rows[name].model_copy(update={"revoked": True})

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Token]]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._path.parent / "tokens.lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise OutputError("The state folder of the service cannot be written.") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            with self._lock:
                rows = dict(self._read())
                yield rows
                scratch = self._path.parent / "scratch"
                scratch.mkdir(exist_ok=True, mode=0o700)
                old = os.umask(0o077)  # the command is alone in its process
                try:
                    write_text(self._path, _ROWS.dump_json(tuple(rows.values()), indent=1).decode(), scratch)
                finally:
                    os.umask(old)
        except OSError as error:
            raise OutputError("The file of tokens cannot be written.") from error
        finally:
            os.close(handle)
