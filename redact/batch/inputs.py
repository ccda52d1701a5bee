"""Whether an input is still what it was when the run began, hours ago perhaps. Reads it, decodes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from redact.batch.finished import open_file
from redact.errors import InputChangedError
from redact.media.digest import CHUNK
from redact.plan import SourceDigest, digest_bytes


def check_input(path: Path, sha256: str, source: SourceDigest | None = None) -> None:
    """See that the regular file at `path` has the bytes of `sha256`, and that `source` is of these bytes too.

    Raises:
        InputChangedError: it has others, or is not to be read any more.
    """
    if not _is_same(path, sha256, source):
        raise InputChangedError(
            "The file was replaced or written to while it was worked on; nothing of it was kept. Run the "
            "folder again once it is whole."
        )


def _is_same(path: Path, sha256: str, source: SourceDigest | None) -> bool:
    file = open_file(path)
    if file is None:
        return False
    plain, read = hashlib.sha256(), file.read

    def chunks() -> Iterator[bytes]:
        while chunk := read(CHUNK):
            plain.update(chunk)
            yield chunk

    try:
        with file:
            if source is not None and digest_bytes(source.salt, chunks()) != source:
                return False
            for _ in chunks():
                pass
    except OSError:
        return False
    return plain.hexdigest() == sha256
