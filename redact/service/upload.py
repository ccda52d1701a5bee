"""A multipart body, read as it comes and written to the spool; at most about a megabyte is held in memory.

One part named `file` is taken, nothing else. The body must keep coming, and at a least average rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import python_multipart
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from redact.httpd.answers import RefusedError
from redact.httpd.body import EndedEarlyError, Pace, SlowBodyError, pieces
from redact.service.config import Limits
from redact.service.spool import Incoming

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

HOLD_BYTES = 1 << 20
FRAME_BYTES = 1 << 16
"""What boundaries and part headers may add to a file."""


def declared_size(request: Request, limits: Limits) -> int:
    """Bytes to reserve: what the request says, or the most that is allowed if it says nothing.

    Raises:
        RefusedError: it is more than that.
    """
    most = limits.upload_mb << 20
    text = request.headers.get("content-length", "")
    if not text.isdecimal():
        return most
    size = int(text[:19])
    if size > most + FRAME_BYTES:
        raise too_large(limits)
    return size


def too_large(limits: Limits) -> RefusedError:
    """The refusal of a file beyond the limit."""
    return RefusedError(413, "too_large", f"Files may have {limits.upload_mb} MB here.", close=True)


class _Form:
    """What the parser tells, as it goes."""

    def __init__(self) -> None:
        self.name = ""
        self.data = bytearray()
        self.parts, self.ended = 0, False
        self._field, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_part_data": lambda data, start, end: self.data.extend(data[start:end]),
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._headers_finished,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self.parts += 1
        if self.parts > 1:
            raise _malformed("One part named file is taken, and no other.")

    def _header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if kind != b"form-data" or options.get(b"name") != b"file":
            raise _malformed("One part named file is taken, and no other.")
        self.name = options.get(b"filename", b"").decode("utf-8", "replace")

    def _end(self) -> None:
        self.ended = True


def _malformed(message: str = "The body is no multipart form.") -> RefusedError:
    return RefusedError(400, "malformed", message, close=True)


async def receive_file(request: Request, incoming: Incoming, limits: Limits) -> str:
    """Write the file of the request to `incoming`; what the sender called it. Nothing is durable yet.

    Raises:
        RefusedError: it is too large, too slow, empty or malformed.
        OSError: the disk is full.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
        raise RefusedError(
            415, "not_multipart", "Send multipart/form-data with one part named file.", close=True
        )
    form, most = _Form(), limits.upload_mb << 20
    parser = python_multipart.MultipartParser(boundary, form.callbacks())
    try:
        async for piece in pieces(request, Pace(limits.idle_s, limits.slowest_kb_s)):
            if form.ended:
                continue  # what follows the last boundary means nothing
            parser.write(piece)
            if incoming.size + len(form.data) > most:
                raise too_large(limits)
            if len(form.data) >= HOLD_BYTES:
                await run_in_threadpool(incoming.write, bytes(form.data))
                form.data.clear()
    except SlowBodyError as error:
        raise RefusedError(408, "slow", "The body came too slowly.", close=True) from error
    except EndedEarlyError as error:
        raise _malformed("The body ended early.") from error
    except FormParserError as error:
        raise _malformed() from error
    if not form.ended:
        raise _malformed("The body ended early.")
    await run_in_threadpool(incoming.write, bytes(form.data))
    if not incoming.size:
        raise _malformed("The file is empty.")
    return form.name
