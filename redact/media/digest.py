"""Salted digests of input files, which tie a plan to its input without telling which file that was."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

from redact.errors import InputChangedError
from redact.plan import SourceDigest, digest_bytes

CHUNK = 1 << 20


def file_chunks(path: Path) -> Iterator[bytes]:
    """The file's bytes in bounded pieces."""
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk


def digest_file(path: Path, salt: str | None = None) -> SourceDigest:
    """Salted SHA-256 of a file's bytes; `salt` is 32 hex digits, a fresh one unless given."""
    return digest_bytes(salt or secrets.token_hex(16), file_chunks(path))


def check_unchanged(path: Path, source: SourceDigest) -> None:
    """See that the file is still the one that `source` was made of, after something else read it in between.

    Raises:
        InputChangedError: it is not.
    """
    if digest_file(path, source.salt) != source:
        raise InputChangedError(
            "The file was written to while it was read; wait until it is whole, run again."
        )
