"""Words that look like a person's name though no list has them. For review only: never decides a publish.

Rules instead of a trained recogniser: no packaged one reads Armenian or Azerbaijani, and the Russian one
finds 7 % of names in capitals, as captions print them. So: a word with a surname's ending, or two to three
words in a row that start with a capital, of which none opens a sentence.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from redact.names.fold import normalised, script_of
from redact.names.suffixes import SURNAMES
from redact.names.tokens import Token, tokens

_LEAST = 6
"""Letters of a word that its ending alone makes a surname."""
_SENTENCE_END = re.compile(r"[.!?:\u0589\u2026\n]\s*[\"'«„“(]*\s*$")


def person_hints(text: str) -> list[tuple[int, int]]:
    """Start and end, in characters, of everything that looks like a person's name."""
    found = [token for token in tokens(text) if token.whole]
    places = {(token.start, token.end) for token in found if _surname(token, text)}
    places |= set(_pairs(found, text))
    return sorted(places)


def _surname(token: Token, text: str) -> bool:
    capital = (
        text[token.start].isupper() or script_of(token.word) == "georgian"
    )  # which has no capitals in use
    return capital and len(token.word) >= _LEAST and normalised(token.word).endswith(SURNAMES)


def _capital(token: Token, text: str) -> bool:
    return text[token.start].isupper() and len(token.word) >= 2 and token.word.isalpha()


def _pairs(found: list[Token], text: str) -> Iterator[tuple[int, int]]:
    for first, second in itertools.pairwise(found):
        if not (_capital(first, text) and _capital(second, text)):
            continue
        between = text[first.end : second.start]
        if between.strip(" \u00a0.-") == "" and len(between) <= 3 and not _opens_sentence(first, text):
            yield first.start, second.end


def _opens_sentence(token: Token, text: str) -> bool:
    """A name may open a sentence too: then both its words are long, and neither is all capitals."""
    before = text[: token.start]
    return bool(before.strip()) and bool(_SENTENCE_END.search(before)) and len(token.word) < 4
