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
from redact.names.suffixes import CASES, FEMININE, GLIDES, PATRONYMICS, SURNAMES
from redact.names.tokens import Token, tokens

MAX_BYTES, MAX_LINES = 4 * 1024 * 1024, 50_000

CLOSE, CLOSE_LONG, CLOSE_OCR = 0.80, 0.81, 0.70
"""Similarity (1 - edits / longer length) of two skeletons from which they are one name: one edit from six
sounds on, two from eleven (ten sounds less two are a name without its -yan). The third is for text that a
machine read from pixels."""
LONG = 10
CLOSE_STEM = 0.85
"""The same after a case ending was taken away."""
CLOSE_PAIR = 0.70
"""The same for both of two neighbouring words, given name and surname."""
CLOSE_MERGED = 0.87
"""The same once confusable sounds are merged, for what then still has `MERGED` sounds."""
ALIKE, ALIKE_MERGED, ALIKE_SHORT = 0.45, 0.65, 0.70
"""Similarity that two skeletons need besides if, once confusable sounds are merged, they are equal, nearly
equal, or equal and short: there words meet names by chance."""
SHORT, MERGED = 5, 6
"""Skeletons up to the first many sounds must be equal, if only once merged; merged ones of fewer than the
second are too common for an edit."""
STEM = 4
"""Letters and sounds that must be left when a case ending is taken away."""
PREFIX = 7
"""Sounds from which a surname with any ending of up to `MOST_ENDING` sounds is that surname."""
MOST_ENDING = 5
LOOK_AT = PREFIX / (PREFIX + MOST_ENDING)
"""Similarity from which a pair is looked at more closely at all."""
INSIDE, INSIDE_ALONE = 6, 8
"""Sounds from which a surname is found inside a longer word, as in file names without separators: beside the
given name or its initials, and beside anything."""
_SEPARATORS = re.compile("[,;|\t]")
_ENDINGS = tuple(re.compile(each) for each in ("an$", "[oe]v$", "[oe]va$", "li$"))
"""Of skeletons of surnames. Two that differ here are a surname and a word of its root."""


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
    glide: bool
    """Whether it ends in -yan, however that is spelled."""


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
        forms = [(n, *form) for n, token in enumerate(found) for form in _forms(token.word)]
        unique = list(dict.fromkeys(form for _, form, _, _ in forms))
        places = {form: n for n, form in enumerate(unique)}
        likeness = process.cdist(unique, listed, scorer=OSA.normalized_similarity, score_cutoff=ALIKE)
        merged_forms = [coarse_root(form) for form in unique]
        merged_listed = [coarse_root(reading) for reading in listed]
        merged_likeness = process.cdist(
            merged_forms, merged_listed, scorer=OSA.normalized_similarity, score_cutoff=CLOSE_MERGED
        )
        inside = _Inside(listed, owners, self._by_name)
        for n, form, stem, glide in forms:
            row = likeness[places[form]]
            matches = []
            for m in np.flatnonzero((row >= LOOK_AT) | ((row > 0) & (merged_likeness[places[form]] > 0))):
                like = float(row[m])
                size = min(len(merged_forms[places[form]]), len(merged_listed[m]))
                sure = _alike(form, listed[m], like, close, stem) or _alike_merged(
                    like, float(merged_likeness[places[form], m]), size, close
                )
                strict = close >= CLOSE and owners[m].surname
                if strict and not ((glide or not owners[m].glide) and _same_ending(form, listed[m])):
                    sure = _goes_on(form, listed[m]) and (
                        glide or not owners[m].glide or _has_glide(found[n])
                    )
                if sure or like >= CLOSE_PAIR:
                    matches.append((owners[m], like, sure))
            if not stem:
                matches += [(word, 1.0, True) for word in inside.find(form, script_of(found[n].word))]
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


def _alike(form: str, reading: str, like: float, close: float, stem: bool) -> bool:
    """Whether two skeletons are near enough as they stand."""
    if like == 1.0:
        return True
    short = SHORT if close >= CLOSE else SHORT - 1
    if min(len(form), len(reading)) <= short:
        return False
    if close < CLOSE:
        return like >= close
    least = CLOSE_STEM if stem else close
    return like >= (max(least, CLOSE_LONG) if max(len(form), len(reading)) >= LONG else least)


def _alike_merged(like: float, merged: float, size: int, close: float) -> bool:
    """Whether they are near enough once confusable sounds are merged to `size` sounds."""
    if merged == 1.0:
        return like >= (ALIKE if size >= MERGED else ALIKE_SHORT) and size >= SHORT - 1
    return merged >= CLOSE_MERGED and size >= MERGED and (like >= ALIKE_MERGED or close < CLOSE)


def _same_ending(form: str, reading: str) -> bool:
    return all(ending.search(form) for ending in _ENDINGS if ending.search(reading))


def _goes_on(form: str, reading: str) -> bool:
    """The reading, long enough to say something, and an ending that no table knows."""
    rest = len(form) - len(reading)
    return len(reading) >= PREFIX and 0 < rest <= MOST_ENDING and form.startswith(reading)


def _has_glide(token: Token) -> bool:
    return any(glide in token.word for glide in GLIDES)


class _Inside:
    """Surnames as parts of longer skeletons."""

    def __init__(
        self, listed: Sequence[str], owners: Sequence[_Word], by_name: dict[int, list[_Word]]
    ) -> None:
        self._long = [(r, w) for r, w in zip(listed, owners, strict=True) if w.surname and len(r) >= INSIDE]
        self._by_name = by_name

    def find(self, form: str, script: str) -> list[_Word]:
        if len(form) <= INSIDE:
            return []
        return [
            word
            for reading, word in self._long
            if len(reading) < len(form)
            and reading in form
            and (
                (len(reading) >= INSIDE_ALONE and script == "latin")
                or self._given(form.replace(reading, "", 1), word)
            )
        ]

    def _given(self, rest: str, surname: _Word) -> bool:
        """Whether what is left is the given name, or letters it begins with."""
        others = [
            r for each in self._by_name[surname.name] if each.place != surname.place for r in each.readings
        ]
        return any(rest == reading or (len(rest) == 1 and reading.startswith(rest)) for reading in others)


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
            yield _Word(line, name, n, readings, n in surnames, word.endswith(GLIDES))


def _forms(word: str) -> Iterator[tuple[str, bool, bool]]:
    """Skeletons of a word as it stands, and (True) without a case ending; whether it ends in -yan."""
    seen = set()
    for ending in ("", *CASES.get(script_of(word), ())):
        if not word.endswith(ending) or (ending and len(word) - len(ending) < STEM):
            continue
        stem = word[: len(word) - len(ending)]
        glide = stem.endswith(GLIDES)
        for reading in skeletons(stem):
            if reading and (not ending or len(reading) >= STEM) and (reading, glide) not in seen:
                seen.add((reading, glide))
                yield reading, bool(ending), glide
