"""One skeleton for the spellings of one name, whatever the script. Pure functions on strings.

A word is read letter by letter into sounds (`letters`); glides, doubled sounds and the silent vowel go. Two
spellings of one name then differ in few letters or none, which `match` measures.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import product

from redact.names import letters

_MAX_READINGS = 8
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc\u02bb\u055a`\u00b4]")
_KEPT_MARKS = {"й": "й", "ё": "ё", "ї": "ї", "ў": "ў"}
_WORDS = re.compile(r"[^\W_]+")
_SCRIPTS = (
    ("armenian", "\u0530", "\u058f"),
    ("cyrillic", "\u0400", "\u052f"),
    ("georgian", "\u10a0", "\u10ff"),
)


def normalised(text: str) -> str:
    """Compatibility forms, invisible characters and case taken away; letters stay what they are.

    Armenian capitals print և as ԵՎ or ԵՒ and its small letter folds to ե + ւ: all three become և's reading.
    """
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = text.replace("İ", "i").replace("I\u0307", "i")  # its case folding leaves a dot of its own
    return unicodedata.normalize("NFKC", text.casefold()).replace("i\u0307", "i").replace("և", "եւ")


def script_of(word: str) -> str:
    """armenian, cyrillic, georgian, latin, or other: that of most letters."""
    counts: dict[str, int] = {}
    for letter in word:
        name = next((name for name, low, high in _SCRIPTS if low <= letter <= high), "")
        if not name and letter.isalpha():
            name = "latin" if ord(letter) < 0x2B0 or 0x1E00 <= ord(letter) <= 0x1EFF else "other"
        if name:
            counts[name] = counts.get(name, 0) + 1
    return max(counts, key=lambda name: counts[name], default="other")


def one_script(word: str) -> str:
    """The normalised word with look-alikes from another alphabet, and digits, read as letters of its own."""
    script = script_of(word)
    if script == "latin":
        word = "".join(letters.LOOK_ALIKES.get(letter, letter) for letter in word)
    elif script == "cyrillic":
        word = "".join(_TO_CYRILLIC.get(letter, letter) for letter in word)
    if any(letter.isalpha() for letter in word) and any(
        letter in letters.LOOK_ALIKE_DIGITS for letter in word
    ):
        table = letters.LOOK_ALIKE_DIGITS
        if script == "cyrillic":
            table = {digit: _TO_CYRILLIC.get(letter, letter) for digit, letter in table.items()}
        word = "".join(table.get(letter, letter) for letter in word)
    return word


_TO_CYRILLIC = {latin: cyrillic for cyrillic, latin in letters.LOOK_ALIKES.items()}


def words(text: str) -> list[str]:
    """Normalised words of a text, without apostrophes; a word cut by a hyphen and a line break is one."""
    text = re.sub("[-\u00ad\u2010\u2011\u058a]\\s*\n\\s*", "", text)
    return [one_script(word) for word in _WORDS.findall(_APOSTROPHES.sub("", normalised(text)))]


def _read(word: str, singles: dict[str, str], pairs: dict[str, str]) -> str:
    out, at = [], 0
    longest = max(map(len, pairs), default=1)
    while at < len(word):
        for length in range(min(longest, len(word) - at), 1, -1):
            if word[at : at + length] in pairs:
                out.append(pairs[word[at : at + length]])
                at += length
                break
        else:
            out.append(singles.get(word[at], ""))
            at += 1
    return "".join(out)


def _latin(word: str) -> list[str]:
    """Readings of a Latin word: x is kh or ks, c is dj or k, j is dj or a glide, ch is ch or kh."""
    marked = "".join(
        letter
        if letter in letters.LATIN
        else "".join(part for part in unicodedata.normalize("NFD", letter) if not unicodedata.combining(part))
        for letter in unicodedata.normalize("NFC", word)
    )
    options: list[tuple[str, ...]] = []
    german = any(mark in marked for mark in letters.GERMAN_MARKS)
    pairs, singles = dict(letters.LATIN_PAIRS), dict(letters.LATIN)
    readings = [(pairs, singles)]
    if german:
        readings.append((pairs | {"ch": "x"}, singles | {"j": "y"}))
    if "x" in marked.replace("kx", ""):
        readings += [(p, s | {"x": "ks"}) for p, s in readings]
    if re.search("c(?!h)", marked):
        readings += [(p, s | {"c": "k"}) for p, s in readings]
    options = [tuple(dict.fromkeys(_read(marked, s, p) for p, s in readings))]
    return ["".join(choice) for choice in product(*options)]


def _armenian(word: str) -> str:
    if word.startswith("յ") and word[1:2] in ("ո", "ա", "օ", "է"):
        word = "հ" + word[1:]  # the old orthography's silent-looking h: Յովհաննէս, Յակոբ
    if word.startswith("ո") and not word.startswith(("ու", "ով")):
        word = "վո" + word[1:]
    word = re.sub("(?<=.)յ$", "", word) if word.endswith(("այ", "ոյ")) and len(word) > 4 else word
    return _read(word, letters.ARMENIAN, letters.ARMENIAN_PAIRS)


def _settled(sounds: str) -> str:
    """Glides and doubles gone, and sounds joined that spellings write as two."""
    sounds = re.sub("tC|tS", "C", re.sub("dJ|dZ|tJ", "J", sounds)).replace("ts", "c").replace("dz", "j")
    sounds = _DOUBLES.sub(r"\1", sounds)
    sounds = re.sub("[yi]+(?=[aeou])", "", sounds)  # yan, ian, -иан
    sounds = sounds.replace("y", "i")  # Hayk, Haik
    sounds = re.sub("e(?=an$)", "", sounds)  # -ean
    return _DOUBLES.sub(r"\1", sounds)


_DOUBLES = re.compile(r"([^aeou])\1+")
"""Spellings double consonants at will; two vowels are two syllables: Yesayan, Саакян."""


@lru_cache(maxsize=65536)
def skeletons(word: str) -> tuple[str, ...]:
    """Sounds of a normalised word, in at most eight readings; unknown scripts stand for themselves."""
    script = script_of(word)
    if script == "armenian":
        made = [_armenian(word)]
    elif script == "cyrillic":
        made = [_read(word, letters.CYRILLIC, letters.CYRILLIC_PAIRS)]
        if "г" in word:  # Гасанов for Hasanov, Гамлет for Hamlet
            made.append(_read(word, letters.CYRILLIC | {"г": "h"}, letters.CYRILLIC_PAIRS))
    elif script == "georgian":
        made = [_read(word, letters.GEORGIAN, {})]
    elif script == "latin":
        made = _latin(word)
    else:
        plain = unicodedata.normalize("NFKD", word)
        return ("".join(letter for letter in plain if not unicodedata.combining(letter)),)
    return tuple(dict.fromkeys(_settled(sounds) for sounds in made))[:_MAX_READINGS]


def coarse(skeleton: str) -> str:
    """The skeleton with sounds merged that languages confuse: Petros and Bedros, Hakob and Акоп."""
    return re.sub(r"(.)\1+", r"\1", skeleton.translate(letters.COARSE))
