"""A finished file as a film: opened and checked once, then read in the parts that a player asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse

from redact.batch.finished import OpenedResult

CHUNK = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class Film:
    """What a ticket stands for."""

    item: str
    sha256: str
    file: OpenedResult

    def close(self) -> None:
        """Let go of the file; what is being sent ends."""
        self.file.close()


def part_of(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte that a `Range` header asks for; None: all. Several ranges are answered by all.

    Raises:
        ValueError: there are no such bytes.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if first == "":
        count = min(int(last), size)
        start, end = size - count, size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    if start >= size or end < start:
        if first and last and int(last) < int(first):
            return None  # such a header is to be ignored
        raise ValueError
    return start, end


def play(film: Film, header: str | None, alive: Callable[[], bool]) -> Response:
    """The answer to a player: a part or all of the film, for as long as `alive` holds."""
    size = film.file.size
    headers = {"Accept-Ranges": "bytes"}
    try:
        part = part_of(header, size)
    except ValueError:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    start, end = part or (0, size - 1)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    headers["Content-Length"] = str(end - start + 1)
    return StreamingResponse(
        _bytes(film.file, start, end, alive),
        status_code=200 if part is None else 206,
        headers=headers,
        media_type=film.file.media_type,
    )


def _bytes(file: OpenedResult, start: int, end: int, alive: Callable[[], bool]) -> Iterator[bytes]:
    while start <= end and alive():
        data = file.read_at(start, min(CHUNK, end + 1 - start))
        if not data:
            return  # closed meanwhile, or shorter than it was: the player sees that it ended early
        start += len(data)
        yield data
