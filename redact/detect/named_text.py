"""Text mode `names`: of the lines a detector finds, those that the watch list or a person-name hint matches,
and every code, whose contents a person cannot check.

Weaker than covering every line, for a reader misses names that a person can read. What cannot be read at all
is taken for a name, and so is every line where a reader is missing.
"""

from __future__ import annotations

from redact.detect.base import Picture
from redact.detect.reading import TextReader
from redact.names.hints import person_hints
from redact.names.watchlist import WatchList
from redact.plan import Kind, Region


def names_only(
    lines: list[Region], picture: Picture, watch: WatchList | None, reader: TextReader
) -> list[Region]:
    """The regions of `lines` that may hold a name, and all codes. Pixels of `picture`."""
    texts = reader.read(picture, [region.box for region in lines if region.kind is Kind.TEXT])
    if not reader.whole:
        return lines
    said = iter(texts)
    return [region for region in lines if region.kind is not Kind.TEXT or _suspect(next(said), watch)]


def _suspect(text: str, watch: WatchList | None) -> bool:
    if not any(letter.isalpha() for letter in text):
        return True
    return bool(watch is not None and watch.find(text, ocr=True)) or bool(person_hints(text))
