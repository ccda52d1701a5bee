"""Subtitle files (.srt, .vtt) written afresh: times and barred lines, nothing else of the file.

Notes, styles, cue names, positions and tags are left behind; they can carry names too, and hide letters.
"""

from __future__ import annotations

import re

from redact.errors import DamagedInputError
from redact.names.plain import barred, decoded
from redact.names.watchlist import WatchList

ENDINGS = (".srt", ".vtt")
_TIME = r"(\d{1,3}:)?(\d{1,2}):(\d{2})[.,](\d{3})"
_TIMING = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?$")
_TAG = re.compile(r"<[^<>\n]{0,200}>|\{\\?[^{}\n]{0,200}\}")
MAX_CUES = 100_000


def redacted_subtitles(untrusted_data: bytes, ending: str, watch: WatchList | None) -> bytes:
    """The same cues at the same times in UTF-8, with a bar for every name of the list and every hint.

    Raises:
        DamagedInputError: it is no text, or holds no cue that can be read.
    """
    text = decoded(untrusted_data)
    if text is None:
        raise DamagedInputError("A subtitle file beside the item is not UTF-8 or UTF-16 text.")
    cues = _cues(text)
    if not cues or len(cues) > MAX_CUES:
        raise DamagedInputError("A subtitle file beside the item holds no cues that can be read.")
    # all lines at once: a name may go on in the next cue
    joined = barred("\n\n".join(body for _, body in cues), watch)
    bodies = joined.split("\n\n")
    if len(bodies) != len(cues):  # a name across two cues took their border with it
        bodies = [barred(body, watch) for _, body in cues]
        spread = barred("\n".join(bodies), watch) != "\n".join(bodies)
        bodies = ["" for _ in cues] if spread else bodies
    dot = "," if ending == ".srt" else "."
    out = [] if ending == ".srt" else ["WEBVTT\n"]
    for number, ((times, _), body) in enumerate(zip(cues, bodies, strict=True), 1):
        start, end = (f"{h:02}:{m:02}:{s:02}{dot}{ms:03}" for h, m, s, ms in times)
        head = f"{number}\n" if ending == ".srt" else ""
        out.append(f"{head}{start} --> {end}\n{body}\n")
    return "\n".join(out).encode("utf-8")


_Times = tuple[tuple[int, int, int, int], tuple[int, int, int, int]]


def _cues(text: str) -> list[tuple[_Times, str]]:
    """Times (hours, minutes, seconds, milliseconds) and text of every cue."""
    cues: list[tuple[_Times, str]] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        match = _TIMING.match(lines[at])
        at += 1
        if match is None:
            continue
        parts = [int((part or "0").rstrip(":")) for part in match.groups()]
        body = []
        while at < len(lines) and lines[at].strip():
            body.append(" ".join(_TAG.sub("", lines[at]).split()))
            at += 1
        start, end = parts[:4], parts[4:]
        times = ((start[0], start[1], start[2], start[3]), (end[0], end[1], end[2], end[3]))
        cues.append((times, "\n".join(filter(None, body)) or " "))
    return cues
