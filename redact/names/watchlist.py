"""The watch list: names that must not appear, and where a text has them, however they are spelled.

Measured on true and false pairs in every pair of scripts and on dictionaries by `bench names`. A given name
alone is no hit (there are too many Arams); a surname alone is, and so is a given name with its initial.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from redact.errors import UsageError
from redact.names.fold import coarse, script_of, skeletons, words
from redact.names.letters import ROOTS
from redact.names.suffixes import CASES, FEMININE, PATRONYMICS, SURNAMES
from redact.names.tokens import Token, tokens

MAX_BYTES, MAX_LINES = 4 * 1024 * 1024, 50_000

CLOSE, CLOSE_LONG, CLOSE_OCR = 0.80, 0.81, 0.74
"""Similarity (1 - edits / longer length) of two skeletons from which they are one name: one edit from five
sounds on, two from eleven (ten sounds less two are a name without its -yan). The third is for text that a
machine read from pixels."""
LONG = 10
CLOSE_STEM = 0.88
"""The same after a case ending was taken away."""
CLOSE_PAIR = 0.70
"""The same for both of two neighbouring words, given name and surname."""
CLOSE_MERGED = 0.87
"""The same once confusable sounds are merged, for what then still has `INSIDE` sounds."""
ALIKE = 0.45
"""Similarity that two skeletons need besides if they are equal once confusable sounds are merged."""
SHORT, COARSE_SHORT = 4, 5
"""Skeletons with fewer sounds must be equal; merged ones with fewer are too common to say anything."""
INSIDE = 6
"""Sounds from which a surname is found inside a longer word, as in file names without separators."""
_SEPARATORS = re.compile("[,;|\t]")


class Hit(NamedTuple):
    """A name of the list in a text."""

    line: int
    """Of the list's file, from 1; the only thing that may be said about the name."""
    start: int
    end: int
    """Characters of the text; the end is exclusive."""


@dataclass(frozen=True)
class _Word:
    """One word of a listed name."""

    line: int
    name: int
    """Number of the name or alias it belongs to."""
    place: int
    readings: tuple[str, ...]
    surname: bool


@dataclass(frozen=True)
class WatchList:
    """Names by line. Held in memory only; its repr tells how many there are and nothing else."""

    lines: tuple[str, ...] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> WatchList:
        """The list in a text file (UTF-8, UTF-16): a person a line, aliases after `,` `;` `|`, `#` for notes.

        Raises:
            UsageError: it cannot be read, is no text, too large, empty, or has a line without a usable name.
        """
        try:
            if path.stat().st_size > MAX_BYTES:
                raise UsageError("The watch list is larger than 4 MB; is it the right file?")
            raw = path.read_bytes()
        except OSError as error:
            raise UsageError("The watch list cannot be read; check --names.") from error
        try:
            encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
            lines = raw.decode(encoding).splitlines()
        except UnicodeDecodeError as error:
            raise UsageError("The watch list is not UTF-8 text; save it as such.") from error
        if len(lines) > MAX_LINES:
            raise UsageError(f"The watch list has more than {MAX_LINES} lines.")
        made = cls(tuple(lines))
        made.check()
        return made

    def check(self) -> None:
        """Raise UsageError for a list that would silently match less than its maker thinks."""
        named = {word.line for word in self._words}
        for number, line in enumerate(self.lines, 1):
            if _content(line) and number not in named:
                raise UsageError(f"Line {number} of the watch list holds no name; put # before notes.")
        if not named:
            raise UsageError("The watch list holds no names.")

    def __len__(self) -> int:
        """How many lines hold a name."""
        return len({word.line for word in self._words})

    @cached_property
    def _words(self) -> list[_Word]:
        return [
            word
            for number, line in enumerate(self.lines, 1)
            for order, name in enumerate(_SEPARATORS.split(_content(line)))
            for word in _parts(number, number * 1000 + order, name)
        ]

    @cached_property
    def _by_name(self) -> dict[int, list[_Word]]:
        found: dict[int, list[_Word]] = {}
        for word in self._words:
            found.setdefault(word.name, []).append(word)
        return found

    @cached_property
    def _readings(self) -> tuple[list[str], list[_Word]]:
        pairs = [(reading, word) for word in self._words for reading in word.readings]
        return [reading for reading, _ in pairs], [word for _, word in pairs]

    def find(self, text: str, *, ocr: bool = False) -> list[Hit]:
        """Every place in the text where a listed name stands. `ocr`: a machine read the text from pixels."""
        found = tokens(text)
        if not found or not self._words:
            return []
        hits: set[Hit] = set()
        likely: dict[int, list[tuple[_Word, float]]] = {}
        for n, matches in self._matches(found, CLOSE_OCR if ocr else CLOSE):
            token = found[n]
            for word, likeness, sure in matches:
                likely.setdefault(n, []).append((word, likeness))
                if sure and word.surname:
                    hits.add(Hit(word.line, token.start, token.end))
        hits |= set(self._full_names(found, likely, text))
        return sorted(hits, key=lambda hit: (hit.start, hit.line))

    def _matches(
        self, found: Sequence[Token], close: float
    ) -> Iterator[tuple[int, list[tuple[_Word, float, bool]]]]:
        """(token, listed words it may be: how like, and whether that is enough by itself)."""
        listed, owners = self._readings
        forms = [(n, form, stem) for n, token in enumerate(found) for form, stem in _forms(token.word)]
        unique = list(dict.fromkeys(form for _, form, _ in forms))
        places = {form: n for n, form in enumerate(unique)}
        likeness = process.cdist(unique, listed, scorer=OSA.normalized_similarity, score_cutoff=ALIKE)
        merged_forms = [coarse_root(form) for form in unique]
        merged_listed = [coarse_root(reading) for reading in listed]
        merged_likeness = process.cdist(
            merged_forms, merged_listed, scorer=OSA.normalized_similarity, score_cutoff=CLOSE_MERGED
        )
        inside = _Inside(listed, owners)
        for n, form, stem in forms:
            row = likeness[places[form]]
            matches = []
            for m in np.flatnonzero(row):
                word, reading, like = owners[m], listed[m], float(row[m])
                least = min(len(form), len(reading))
                short = least < SHORT or (least == SHORT and close >= CLOSE)
                least_like = CLOSE_STEM if stem else close
                if close >= CLOSE and max(len(form), len(reading)) >= LONG:
                    least_like = max(least_like, CLOSE_LONG)
                enough = like == 1.0 if short else like >= least_like
                alike = float(merged_likeness[places[form], m])
                size = min(len(merged_forms[places[form]]), len(merged_listed[m]))
                same = size >= COARSE_SHORT and (alike == 1.0 or (alike >= CLOSE_MERGED and size >= INSIDE))
                if enough or same or like >= CLOSE_PAIR:
                    matches.append((word, like, enough or same))
            if not stem and script_of(found[n].word) == "latin":
                matches += [(word, 1.0, True) for word in inside.find(form)]
            if matches:
                yield n, matches

    def _full_names(
        self, found: Sequence[Token], likely: dict[int, list[tuple[_Word, float]]], text: str
    ) -> Iterator[Hit]:
        """Two neighbouring words that are like words of one name, in any order, or one and an initial."""
        order = sorted(range(len(found)), key=lambda n: (found[n].start, found[n].end))
        for at, n in enumerate(order):
            for word, like in likely.get(n, ()):
                for m in order[max(0, at - 4) : at + 5]:
                    a, b = found[n], found[m]
                    if m == n or not (a.end <= b.start or b.end <= a.start) or not _near(a, b, text):
                        continue
                    start, end = min(a.start, b.start), max(a.end, b.end)
                    others = [each for each in self._by_name[word.name] if each.place != word.place]
                    known = {id(each) for each, _ in likely.get(m, ())}
                    if any(id(each) in known for each in others) or (
                        like >= CLOSE and len(b.word) <= 2 and any(_initial(b.word, each) for each in others)
                    ):
                        yield Hit(word.line, start, end)


class _Inside:
    """Surnames as parts of longer skeletons."""

    def __init__(self, listed: Sequence[str], owners: Sequence[_Word]) -> None:
        self._long = [(r, w) for r, w in zip(listed, owners, strict=True) if w.surname and len(r) >= INSIDE]

    def find(self, form: str) -> list[_Word]:
        if len(form) <= INSIDE:
            return []
        return [word for reading, word in self._long if len(reading) < len(form) and reading in form]


def _near(a: Token, b: Token, text: str) -> bool:
    between = text[min(a.end, b.end) : max(a.start, b.start)]
    return len(between) <= 6 and not any(letter.isalpha() for letter in between)


def _initial(letter: str, word: _Word) -> bool:
    return any(
        form and word.readings and any(r[:1] == form[:1] for r in word.readings) for form in skeletons(letter)
    )


def _content(line: str) -> str:
    return line.split("#", 1)[0].strip()


def coarse_root(skeleton: str) -> str:
    """`fold.coarse`, with the roots of given names whose spellings differ by more than sounds made one."""
    merged = coarse(skeleton)
    for root, same in ROOTS.items():
        if merged.startswith(root):
            return same + merged[len(root) :]
    return merged


def _parts(line: int, name: int, text: str) -> Iterator[_Word]:
    parts = [word for word in words(text) if any(letter.isalpha() for letter in word)]
    family = [n for n, word in enumerate(parts) if word.endswith(SURNAMES) and len(word) >= 4]
    plain = [n for n, word in enumerate(parts) if not word.endswith(PATRONYMICS) and len(word) > 1]
    surnames = set(family or plain[-1:])
    for n, word in enumerate(parts):
        forms = (word, word[:-1]) if word.endswith(FEMININE) else (word,)
        readings = tuple(dict.fromkeys(r for form in forms for r in skeletons(form) if r))
        if readings:
            yield _Word(line, name, n, readings, n in surnames)


def _forms(word: str) -> Iterator[tuple[str, bool]]:
    """Skeletons of a word as it stands, and (True) without a case ending."""
    seen = set()
    for reading in skeletons(word):
        if reading and reading not in seen:
            seen.add(reading)
            yield reading, False
    for ending in CASES.get(script_of(word), ()):
        if word.endswith(ending) and len(word) - len(ending) >= SHORT:
            for reading in skeletons(word[: -len(ending)]):
                if len(reading) >= SHORT and reading not in seen:
                    seen.add(reading)
                    yield reading, True
