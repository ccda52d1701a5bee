"""Which account a connection from this machine comes from, as the kernel tells it.

A port on 127.0.0.1 is open to every account of the machine. Linux lists the owner of each socket, so that a
server can keep to its own account without trusting anything the other side says.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

NOBODY = -1
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))

Place = tuple[str, int]
"""An address and a port."""


def _place(host: str, port: int) -> str:
    """As the tables write them."""
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"


def _rows(tables: tuple[Path, ...]) -> Iterator[list[str]]:
    for table in tables:
        try:
            lines = table.read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            continue  # no IPv6 here
        yield from (line.split() for line in lines[1:])


def owner(client: Place, server: Place, tables: tuple[Path, ...] = TABLES) -> int | None:
    """Number of the account at the other end of an IPv4 connection within this machine; NOBODY if there is no
    such connection, None if this system does not tell.
    """
    if not tables[0].exists():
        return None
    theirs, ours = _place(*client), _place(*server)
    try:
        for row in _rows(tables):
            # an IPv6 socket that speaks IPv4 has a longer address with the same end
            if row[1].endswith(theirs) and row[2].endswith(ours):
                return int(row[7])
    except (OSError, ValueError, IndexError):
        return None
    return NOBODY


def accounts_here() -> frozenset[int]:
    """Our own account and, under sudo, that of whoever called it: it is they who sit at the browser."""
    caller = os.environ.get("SUDO_UID", "")
    return frozenset({os.geteuid(), *([int(caller)] if caller.isdecimal() else [])})


def only_from(accounts: frozenset[int]) -> Callable[[Place, Place], bool | None]:
    """Whether a connection comes from one of these accounts; None: this system does not tell."""

    def admitted(client: Place, server: Place) -> bool | None:
        found = owner(client, server)
        return None if found is None else found in accounts

    return admitted
