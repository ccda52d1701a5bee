"""Captions, articles and subtitles as plain text: decoding, the places of names in it, and taking them out.

Takes bytes of unknown origin, gives characters and offsets. Pure; nothing it returns but the text itself
holds what was written there.
"""

from __future__ import annotations

import codecs
import html
import re
from typing import NamedTuple

from redact.names.hints import person_hints
from redact.names.watchlist import WatchList

MAX_BYTES = 32 * 1024 * 1024
BAR = "█████"
"""What stands where a name stood: always as long, whatever it was."""
_TAG = re.compile(r"<[^<>\n]{0,200}>|\{\\[^{}\n]{0,200}\}")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"), (codecs.BOM_UTF8, "utf-8-sig"))


class Place(NamedTuple):
    """Where in a text something stands; never what."""

    start: int
    end: int
    """Characters of the text; the end is exclusive."""
    line: int
    """Of the watch list, from 1; 0 for what only looks like a person's name."""


def decoded(untrusted_data: bytes) -> str | None:
    """The text of UTF-8 or UTF-16 bytes with plain line ends; None if it is neither."""
    encoding = next((name for mark, name in _MARKS if untrusted_data.startswith(mark)), "")
    if not encoding:
        even, odd = untrusted_data[0:2000:2].count(0), untrusted_data[1:2000:2].count(0)
        encoding = "utf-16-le" if odd > even else "utf-16-be" if even else "utf-8"
    try:
        text = untrusted_data.decode(encoding)
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    return re.sub("\r\n?", "\n", text)


def places(untrusted_text: str, watch: WatchList | None, *, hints: bool = True) -> list[Place]:
    """Names of the list, then (without these) what looks like one. Tags and entities hide nothing."""
    found: set[Place] = set()
    views = {_without(untrusted_text, filler) for filler in ("\u00ad", " ")}
    if watch is not None:
        found = {Place(hit.start, hit.end, hit.line) for view in views for hit in watch.find(view)}
    if hints:
        spans = {span for view in views for span in person_hints(view)}
        found |= {
            Place(start, end, 0)
            for start, end in spans
            if not any(other.start < end and start < other.end for other in found if other.line)
        }
    return _joined(found)


def _joined(found: set[Place]) -> list[Place]:
    """One place for those of one line that overlap: a surname inside a full name."""
    joined: list[Place] = []
    for place in sorted(found, key=lambda each: (each.line, each.start, each.end)):
        last = joined[-1] if joined else None
        if last is not None and last.line == place.line and place.start < last.end:
            joined[-1] = last._replace(end=max(last.end, place.end))
        else:
            joined.append(place)
    return sorted(joined)


def _without(text: str, filler: str) -> str:
    """The text, as long as before, without tags and with the letters that entities stand for."""

    def letter(match: re.Match[str]) -> str:
        meant = html.unescape(match.group())
        return (meant if len(meant) == 1 else filler) + "\u00ad" * (len(match.group()) - 1)

    return _ENTITY.sub(letter, _TAG.sub(lambda match: filler * len(match.group()), text))


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Line and column (characters) of an offset, both from 1."""
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def barred(untrusted_text: str, watch: WatchList | None, rounds: int = 3) -> str:
    """The text with a bar for every name; what only shows after that is barred too, in at most `rounds`."""
    text = untrusted_text
    for _ in range(rounds):
        found = places(text, watch)
        if not found:
            break
        merged: list[list[int]] = []
        for start, end, _line in found:
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        for start, end in reversed(merged):
            text = text[:start] + BAR + text[end:]
    return text
