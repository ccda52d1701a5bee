"""True and false pairs of (what a watch list holds, what a text holds), made from a table of spellings.

Every spelling of a row is written in the forms in which names stand in texts: plain, in capitals, declined,
with an initial, swapped, cut at a line's end, spaced out, and as readers of pixels misread it. Deterministic.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "tests" / "names" / "spellings.toml"
TUNE, REPORT = ("tune", "report", "fresh", "held"), ("sealed",)
"""Parts of the table on which rules were settled, and those on which they are only measured."""
SCRIPTS = {
    **{"hy": "Armenian", "hyw": "Armenian, old orthography", "ru": "Russian", "azc": "Azerbaijani Cyrillic"},
    **{"en": "English", "fr": "French", "de": "German", "az": "Azerbaijani, Turkish", "ka": "Georgian"},
}
FORMS = (
    *("surname", "capitals", "declined", "full name", "swapped", "initial", "initial after"),
    *("line break", "spaced out", "misread"),
)


@dataclass(frozen=True)
class Pair:
    """One entry of a list and one text, which is about the same person or about another."""

    listed: str
    text: str
    list_way: str
    text_way: str
    form: str


def table() -> dict[str, dict[str, dict[str, str]]]:
    """The table of spellings: part, row, way of writing."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def _capitals(name: str, luck: random.Random) -> str:
    return name.replace("և", luck.choice(("ԵՎ", "ԵՒ"))).replace("i", "İ" if "ə" in name else "I").upper()


def _declined(surname: str, way: str, endings: dict[str, list[str]], luck: random.Random) -> str:
    if way in ("ru", "azc") and surname.endswith(("а", "ли", "лы", "кий")):
        if surname.endswith("а") and way == "ru":
            return surname[:-1] + luck.choice(("ой", "у"))
        return surname if way == "ru" else surname + "нын"
    if way == "ru":
        extra = luck.choice(["ым", "ых", "ыми"] if surname.endswith("в") else ["ом", "ов", "ах"])
        return surname + luck.choice([*endings["ru"], extra])
    if way == "azc":
        return surname + luck.choice(("ун", "а", "у", "дан", "лар") if surname.endswith("в") else ("ын",))
    if way == "az":
        if surname.endswith(("ı", "i")):
            return surname + luck.choice(("nın", "ya", "dan"))
        if surname.endswith("a"):
            return surname + luck.choice(("nın", "ya", "dan", "nı"))
        return surname + luck.choice(endings["az_round" if surname.endswith("v") else "az_back"])
    return surname + luck.choice(endings[way])


def _misread(text: str, way: str, ocr: dict[str, list[list[str]]], luck: random.Random) -> str:
    swaps = [
        (n, seen)
        for letter, seen in ocr[way]
        for n, each in enumerate(text)
        if each == letter and n  # a first letter is larger and read more surely
    ]
    if not swaps:
        return text
    n, seen = luck.choice(swaps)
    return text[:n] + seen + text[n + 1 :]


def _written(form: str, given: str, surname: str, way: str, data: dict, luck: random.Random) -> str:
    if form == "capitals":
        return _capitals(f"{given} {surname}", luck)
    if form == "declined":
        return _declined(surname, way, data["endings"], luck)
    if form == "full name":
        return f"{given} {surname}"
    if form == "swapped":
        return luck.choice((f"{surname} {given}", f"{surname}, {given}"))
    if form == "initial":
        return luck.choice((f"{given[0]}. {surname}", f"{given[0]}.{surname}"))
    if form == "initial after":
        return f"{surname} {given[0]}."
    if form == "line break":
        cut = luck.randint(2, len(surname) - 2)
        return f"{surname[:cut]}-\n{surname[cut:]}"
    if form == "spaced out":
        return " ".join(surname.upper() if "և" not in surname else surname)
    if form == "misread":
        return _misread(surname, way, data["ocr"], luck)
    return surname


def true_pairs(parts: tuple[str, ...]) -> Iterator[Pair]:
    """Every pair of ways of writing, in every form; the list holds given name and surname."""
    data = table()
    names = list(data["given"].values())
    rows = [item for part in parts for item in data[part].items()]
    for number, (row, ways) in enumerate(rows):
        given = names[number % len(names)]
        for list_way, listed in ways.items():
            for text_way, surname in ways.items():
                for form in FORMS:
                    luck = random.Random(f"{row} {list_way} {text_way} {form}")
                    text = _written(form, given[text_way], surname, text_way, data, luck)
                    yield Pair(f"{given[list_way]} {listed}", text, list_way, text_way, form)


def false_pairs(parts: tuple[str, ...]) -> Iterator[Pair]:
    """Another person's full name in the same two ways of writing: one other row for every true pair."""
    data = table()
    names = list(data["given"].values())
    rows = [item for part in parts for item in data[part].items()]
    for number, (_, ways) in enumerate(rows):
        for other, (_, other_ways) in enumerate(rows):
            if other == number:
                continue
            for list_way, listed in ways.items():
                for text_way, surname in other_ways.items():
                    text = f"{names[(other + 3) % len(names)][text_way]} {surname}"
                    given = names[number % len(names)][list_way]
                    yield Pair(f"{given} {listed}", text, list_way, text_way, "other name")
