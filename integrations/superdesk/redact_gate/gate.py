"""Which files an item shows, and whether each has a pass: its renditions, those of what is embedded in it,
and pictures and videos among its attachments.

Problems are sentences without names: the number of a file within the item, and the service's word.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from .memory import Memory
from .service import CHUNK, RefusedError, Service

logger = logging.getLogger(__name__)

SOUND = "audio"
DEPTH = 8
"""Items within items; deeper ones are refused."""
IN_MEMORY = 8 << 20
MISSING = "its file is not in the storage of this server, so it cannot be checked."
FAULT = "the redact gate met a fault of its own; tell your administrator."

File = tuple[str, str]
"""Id and resource of a file in the media storage; an empty id stands for a file that is elsewhere."""


class Gate:
    """Holds items against the service.

    `media(id, resource)` opens a file of the storage or gives None; `find(resource, id)` gives a stored item
    or None. `originals_only`: where an item has a rendition `original`, the others are taken for made of it.
    """

    def __init__(
        self,
        service: Service,
        memory: Memory,
        media: Callable[[Any, str], BinaryIO | None],
        find: Callable[[str, Any], Mapping[str, Any] | None],
        wait_s: float = 25,
        originals_only: bool = False,
    ) -> None:
        self._service, self._memory = service, memory
        self._media, self._find, self._wait_s = media, find, wait_s
        self._originals_only = originals_only

    def problems(self, item: Mapping[str, Any] | None) -> list[str]:
        """Why the item must not be published; empty if it may be. Never raises."""
        until = time.monotonic() + self._wait_s
        found = []
        try:
            files = list(dict.fromkeys(self._files(item, DEPTH)))
        except Exception as error:  # noqa: BLE001 - an item of a shape that nobody thought of is not published
            logger.error("redact gate: %s", type(error).__name__)
            return [f"Not published: {FAULT}"]
        for number, (media, resource) in enumerate(files, 1):
            try:
                self._clear(media, resource, until)
            except RefusedError as refused:
                found.append(f"Not published: picture or video {number} of {len(files)}: {refused}")
            except Exception as error:  # noqa: BLE001 - a trace could hold a name; no answer is no
                logger.error("redact gate: %s", type(error).__name__)
                found.append(f"Not published: picture or video {number} of {len(files)}: {FAULT}")
        return found

    def _files(self, item: Mapping[str, Any] | None, depth: int) -> Iterator[File]:
        if item is None or depth == 0:
            yield "", ""
            return
        if item.get("type") != SOUND:
            renditions = item.get("renditions") or {}
            if self._originals_only and renditions.get("original"):
                renditions = {"original": renditions["original"]}
            for rendition in renditions.values():
                if rendition and not str(rendition.get("mimetype") or "").startswith(SOUND):
                    yield str(rendition.get("media") or ""), str(rendition.get("resource") or "upload")
        for embedded in (item.get("associations") or {}).values():
            if embedded:
                yield from self._embedded(embedded, depth)
        for entry in item.get("attachments") or ():
            stored = self._find("attachments", entry.get("attachment"))
            kind = str((stored or {}).get("mimetype") or "image/unknown")
            if kind.startswith(("image/", "video/")):
                yield str((stored or {}).get("media") or ""), "attachments"

    def _embedded(self, embedded: Mapping[str, Any], depth: int) -> Iterator[File]:
        media = embedded.get("type") in ("picture", "video", "graphic")
        if media and not embedded.get("renditions"):
            # a mere reference: what it stands for is in the archive
            yield from self._files(self._find("archive", embedded.get("_id")), depth - 1)
        else:
            yield from self._files(embedded, depth - 1)

    def _clear(self, media: str, resource: str, until: float) -> None:
        """Return if the file has a pass.

        Raises:
            RefusedError: it has none.
        """
        opened = self._media(media, resource) if media else None
        if opened is None:
            raise RefusedError(MISSING)
        token = self._service.token
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as copy:
            try:
                digest, size = _copy(opened, copy)
            finally:
                getattr(opened, "close", bool)()
            if self._memory.passed(token, digest):
                return
            try:
                self._service.check(copy, size, digest, until, self._memory.job(token, digest))
            except RefusedError as refused:
                self._memory.note_job(token, digest, refused.job)
                raise
            self._memory.note_pass(token, digest)


def _copy(source: BinaryIO, target: Any) -> tuple[str, int]:
    """Copy a file once, so that what is hashed is what is sent; its SHA-256 and size."""
    digest, size = hashlib.sha256(), 0
    while True:
        piece = source.read(CHUNK)
        if not piece:
            return digest.hexdigest(), size
        digest.update(piece)
        target.write(piece)
        size += len(piece)
