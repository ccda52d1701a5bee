"""Who may come in: one-time tokens, the sessions they open, and the tickets of films that die with a session.

Secrets are 256 random bits; only their SHA-256 is kept, in memory alone. Guessing is slowed down anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

from redact.httpd.answers import RefusedError

IDLE_S = 8 * 3600.0
"""A session that asked for nothing for so long has ended."""
FREE_TRIES = 5
"""Wrong tokens in a row that cost nothing."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
"""What the next wrong one costs everybody, doubling; short, for whoever guesses must not lock others out."""
TICKETS = 8
"""Films that a session may have open; the one that was opened first is closed for another."""


class Closable(Protocol):
    """What a ticket stands for."""

    def close(self) -> None:
        """Let go of it."""


T = TypeVar("T", bound=Closable)
_V = TypeVar("_V")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _find(secret: str, known: Mapping[bytes, _V]) -> tuple[bytes, _V] | None:
    """The entry of that secret. Every one is compared, each in constant time."""
    given, found = _digest(secret), None
    for digest, value in known.items():
        if hmac.compare_digest(given, digest):
            found = digest, value
    return found


class Session(Generic[T]):
    """One person's time with the page."""

    def __init__(self, by: str, now: float) -> None:
        self.by = by
        """The reviewer's code."""
        self.alive = True
        self.used = now
        self.tickets: OrderedDict[bytes, T] = OrderedDict()


class Door(Generic[T]):
    """Tokens, sessions and tickets. Safe to share between threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._tokens: dict[bytes, str] = {}
        self._sessions: dict[bytes, Session[T]] = {}
        self._wrong = 0
        self._not_before = 0.0

    def invite(self, by: str) -> str:
        """A token that lets the reviewer with that code in, once. An earlier one that was not used is void.

        Sessions go on: two of one code are one person with two tabs, and count as one.
        """
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens = {digest: code for digest, code in self._tokens.items() if code != by}
            self._tokens[_digest(token)] = by
        return token

    def enter(self, token: str) -> tuple[str, Session[T]]:
        """Use a token up; the key of the session that it opens, and the session.

        Raises:
            RefusedError: it is wrong or was used, or too many wrong ones came just now.
        """
        with self._lock:
            now = self._now()
            if now < self._not_before:
                raise RefusedError(
                    429, "slow_down", "Too many wrong addresses were tried; wait.", self._not_before - now
                )
            found = _find(token, self._tokens)
            if found is None:
                self._count_wrong(now)
                raise RefusedError(
                    401,
                    "token",
                    "This address is wrong, used or replaced; get a new one where redact review runs.",
                )
            self._wrong = 0
            key, session = secrets.token_urlsafe(32), Session[T](self._tokens.pop(found[0]), now)
            self._sessions[_digest(key)] = session
            return key, session

    def _count_wrong(self, now: float) -> None:
        self._wrong += 1
        if self._wrong > FREE_TRIES:
            doublings = min(self._wrong - FREE_TRIES - 1, 10)
            self._not_before = now + min(FIRST_PAUSE_S * 2**doublings, LONGEST_PAUSE_S)

    def session(self, key: str) -> Session[T] | None:
        """The living session of a key; asking keeps it alive."""
        with self._lock:
            found = _find(key, self._sessions)
            if found is None:
                return None
            digest, session = found
            now = self._now()
            if now - session.used > IDLE_S:
                self._end(digest, session)
                return None
            session.used = now
            return session

    def leave(self, session: Session[T]) -> None:
        """End a session and all its tickets."""
        with self._lock:
            for digest, each in list(self._sessions.items()):
                if each is session:
                    self._end(digest, session)

    def _end(self, digest: bytes, session: Session[T]) -> None:
        del self._sessions[digest]
        session.alive = False
        while session.tickets:
            session.tickets.popitem()[1].close()

    def ticket(self, session: Session[T], film: T) -> str:
        """A ticket for `film`, which is closed with the session."""
        ticket = secrets.token_urlsafe(32)
        with self._lock:
            if not session.alive:
                film.close()
                raise RefusedError(401, "session", "The session has ended.")
            session.tickets[_digest(ticket)] = film
            if len(session.tickets) > TICKETS:
                session.tickets.popitem(last=False)[1].close()
        return ticket

    def film(self, ticket: str) -> tuple[Session[T], T] | None:
        """What a ticket stands for, and whose it is; None if there is none, or its session has ended."""
        with self._lock:
            now = self._now()
            for digest, session in list(self._sessions.items()):
                found = _find(ticket, session.tickets)
                if found is not None:
                    if now - session.used > IDLE_S:
                        self._end(digest, session)
                        return None
                    return session, found[1]
        return None

    def close(self) -> None:
        """End everything."""
        with self._lock:
            self._tokens.clear()
            for digest, session in list(self._sessions.items()):
                self._end(digest, session)
