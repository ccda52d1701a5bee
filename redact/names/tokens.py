"""Words of a text with their places, in the forms in which names hide: cut at line ends, spaced, glued."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from redact.names.fold import normalised, one_script, words

_INSIDE = "\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_INSIDE += "'\u2018\u2019\u02bc\u02bb\u055a\u055b\u055c\u055e`\u00b4|"
_PART = rf"[^\W_](?:[^\W_]|[{_INSIDE}])*"
_CUT = "[-\u2010\u2011\u058a]\\s*\n\\s*"
_TOKEN = re.compile(rf"{_PART}(?:{_CUT}{_PART})?")
_SPACED = re.compile(r"(?<![^\W_])[^\W\d_](?:[ .\u00a0\n]{1,2}[^\W\d_](?![^\W_])){3,}")
_HUMP = re.compile(r"(?<=[^\W\d_])(?=[^\W\d_])")
_EDGE_DIGITS = re.compile(r"^\d+|\d+$")


@dataclass(frozen=True)
class Token:
    """One word, as `fold.skeletons` takes it."""

    word: str
    start: int
    end: int
    """Where it is in the text, in characters; the end is exclusive."""
    whole: bool = True
    """Whether it is a word of its own, not a part or a joining of words."""


def tokens(text: str) -> list[Token]:
    """Every word, then parts of words in camel case, then letters that stand spaced out."""
    found = []
    for match in _TOKEN.finditer(text):
        raw = match.group()
        found += [Token(word, match.start(), match.end()) for word in _forms(raw)]
        found += list(_humps(raw, match.start()))
    for match in _SPACED.finditer(text):
        joined = one_script(normalised("".join(letter for letter in match.group() if letter.isalpha())))
        found.append(Token(joined, match.start(), match.end(), whole=False))
    return found


def _forms(raw: str) -> Iterator[str]:
    seen = set()
    for form in (raw, _EDGE_DIGITS.sub("", raw)):
        for word in words(form):
            if word not in seen and any(letter.isalpha() for letter in word):
                seen.add(word)
                yield word


def _humps(raw: str, start: int) -> Iterator[Token]:
    """`GevorgOrinakyan` and `GEVORGOrinakyan` in parts."""
    cuts = [
        n
        for n in range(1, len(raw))
        if (raw[n].isupper() and raw[n - 1].islower())
        or (raw[n - 1].isupper() and raw[n].isupper() and raw[n + 1 : n + 2].islower())
        or raw[n].isdigit() != raw[n - 1].isdigit()
    ]
    edges = [0, *cuts, len(raw)]
    if not cuts:
        return
    for a, b in itertools.pairwise(edges):
        for word in words(raw[a:b]):
            if len(word) > 2 and word.isalpha():
                yield Token(word, start + a, start + b, whole=False)
