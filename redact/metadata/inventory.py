"""What a file carries besides its picture: rows that say what, where, how much, and what becomes of it.

Pure data, for `redact inspect`. A row holds no value that was read from the file unless
values were asked for; names of fields are from our own tables, so no name that a stranger wrote is repeated.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from redact.plan import Data

MAX_VALUES = 8
MAX_VALUE_LENGTH = 200
MAX_ROWS = 400
NO_PLACE_FOR_RIGHTS = frozenset({"gif", "bmp"})
"""Formats that have no standard field for rights."""


class What(StrEnum):
    """What a row is about, in the order in which an editor is told of it."""

    PEOPLE = "people"
    PLACE = "place"
    THUMBNAIL = "thumbnail"
    SECOND_PICTURE = "second picture"
    FILM = "hidden film"
    WORDS = "words"
    CAPTIONS = "captions"
    DATE = "date"
    CAMERA = "camera"
    HISTORY = "history"
    RIGHTS = "rights"
    CHAPTERS = "chapters"
    ATTACHMENT = "attachment"
    STREAM = "stream"
    COLOUR = "colour profile"
    TRAILING = "trailing bytes"
    UNKNOWN = "unknown"


class Fate(StrEnum):
    """What this tool does with it under the policy."""

    REMOVED = "removed"
    KEPT = "kept (rights)"
    """Written afresh, value by value, if it passes the checks."""
    REBUILT = "made anew"
    """Decoded, covered and encoded again."""


class Row(Data):
    """One kind of thing at one place of the file."""

    what: What
    where: Annotated[str, Field(max_length=64)]
    """Block, chunk, box or stream: `EXIF`, `XMP`, `box moov/udta`."""
    name: Annotated[str, Field(max_length=64)] = ""
    """Our name of the field, or empty."""
    count: int = 1
    size: int = 0
    """Bytes, all together; 0 if that says nothing (streams)."""
    fate: Fate = Fate.REMOVED
    values: tuple[str, ...] = ()
    """What it says; only if the user asked for values."""


class Inventory(Data):
    """Everything found in one file."""

    format: str
    kind: str
    """photo, animation or video."""
    width: int = 0
    height: int = 0
    size: int
    """Bytes of the whole file."""
    rows: tuple[Row, ...] = ()
    cut: bool = False
    """There was more than an inventory holds."""


class Stock:
    """Gathers rows while a file is read; the same thing at the same place is counted, not repeated."""

    def __init__(self, format: str, *, values: bool = False, rights: bool = False) -> None:
        self.format = format
        self._values, self._rights = values, rights and format not in NO_PLACE_FOR_RIGHTS
        self._rows: dict[tuple[What, str, str, Fate], Row] = {}
        self._cut = False
        self._things = 0

    def add(
        self,
        what: What,
        where: str,
        name: str = "",
        *,
        size: int = 0,
        value: str | bytes = "",
        fate: Fate | None = None,
    ) -> None:
        """Note one thing. `value` is untrusted and forgotten unless values were asked for."""
        if fate is None:
            fate = Fate.KEPT if what is What.RIGHTS and self._rights else Fate.REMOVED
        self._things += 1
        key = (what, where[:64], name[:64], fate)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= MAX_ROWS:
                self._cut = True
                return
            row = Row(what=what, where=key[1], name=key[2], count=0, fate=fate)
        told = row.values
        text = readable(value) if self._values else ""
        if text and len(told) < MAX_VALUES:
            told = (*told, text)
        update = {"count": row.count + 1, "size": row.size + size, "values": told}
        self._rows[key] = row.model_copy(update=update)

    def rows(self) -> tuple[Row, ...]:
        """All rows, what identifies people first."""
        order = list(What)
        return tuple(sorted(self._rows.values(), key=lambda row: order.index(row.what)))

    @property
    def things(self) -> int:
        """How many were added, whether they made a row or not."""
        return self._things

    @property
    def cut(self) -> bool:
        """Whether rows were left out."""
        return self._cut


def readable(untrusted_value: str | bytes) -> str:
    """One short line of printable characters; bytes that are no text give their number."""
    if isinstance(untrusted_value, bytes):
        body = untrusted_value[: 4 * MAX_VALUE_LENGTH]
        wide = len(body) > 3 and body[1::2].count(0) > len(body) // 4
        try:
            text = body.decode("utf-16-le" if wide else "utf-8", "strict" if not wide else "replace")
        except UnicodeDecodeError:
            return f"({len(untrusted_value)} bytes)" if untrusted_value else ""
    else:
        text = untrusted_value
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= MAX_VALUE_LENGTH else line[:MAX_VALUE_LENGTH] + "…"


__all__ = ["Fate", "Inventory", "Row", "Stock", "What", "readable"]
