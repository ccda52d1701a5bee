"""Watch list: recall on true pairs by way of writing and form, false hits on other names and on dictionaries.

The dictionaries are Debian's (`wamerican wngerman wfrench hunspell-ru hunspell-tr myspell-hy`); Azerbaijani
and Georgian have none there: the word lists inside Tesseract's data (`tesseract-ocr-aze`, `-kat`) stand in.
"""

from __future__ import annotations

import random
import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.common import Size, Table
from bench.name_pairs import FORMS, REPORT, SCRIPTS, TUNE, Pair, false_pairs, table, true_pairs
from redact.names.watchlist import WatchList

DICTIONARIES = {
    "en": ("/usr/share/dict/american-english", "wamerican"),
    "de": ("/usr/share/dict/ngerman", "wngerman"),
    "fr": ("/usr/share/dict/french", "wfrench"),
    "ru": ("/usr/share/hunspell/ru_RU.dic", "hunspell-ru"),
    "tr": ("/usr/share/hunspell/tr_TR.dic", "hunspell-tr"),
    "hy": ("/usr/share/hunspell/hy.dic", "myspell-hy"),
    "az": ("/usr/share/tesseract-ocr/5/tessdata/aze.traineddata", "tesseract-ocr-aze"),
    "ka": ("/usr/share/tesseract-ocr/5/tessdata/kat.traineddata", "tesseract-ocr-kat"),
}
WORDS = 40_000
FALSE_STEP = 10
"""Every so many false pairs are tried: there are some hundred thousand."""


def dictionary(language: str, half: int) -> list[str]:
    """Words of one half (0: tuning, 1: reporting) in lower case (German: all), in an order of their own."""
    path = Path(DICTIONARIES[language][0])
    if not path.is_file():
        return []
    text = _tesseract_words(path) if path.suffix == ".traineddata" else path.read_text(encoding="utf-8")
    names = set(table()["among_words"]["names"])
    words = {re.split(r"[\s/]", line, maxsplit=1)[0] for line in text.splitlines()}
    kept = sorted(
        word
        for word in words
        if word.isalpha()
        and len(word) > 2
        and (language == "de" or word == word.lower())
        and word.lower() not in names
    )[half::2]
    random.Random(7).shuffle(kept)
    return kept


def _tesseract_words(data: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        dawg, letters, out = (
            Path(folder) / f"x.{end}" for end in ("lstm-word-dawg", "lstm-unicharset", "txt")
        )
        subprocess.run(["combine_tessdata", "-e", data, dawg, letters], check=True, capture_output=True)
        subprocess.run(["dawg2wordlist", letters, dawg, out], check=True, capture_output=True)
        return out.read_text(encoding="utf-8")


def false_words(words: list[str], watch: WatchList) -> set[str]:
    """Words of a dictionary in which the list sees a name."""
    hits = set()
    for at in range(0, len(words), 1000):
        text = " | ".join(words[at : at + 1000])
        hits |= {text[hit.start : hit.end] for hit in watch.find(text)}
    return hits


def whole_list(parts: tuple[str, ...]) -> WatchList:
    """Every row as one line, with all its spellings as aliases."""
    rows = [row for part in parts for row in table()[part].values()]
    return WatchList(tuple(", ".join(dict.fromkeys(row.values())) for row in rows))


@dataclass
class Count:
    """How often pairs were tried, and how often the answer was wrong."""

    tried: Counter[tuple[str, ...]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, pair: Pair, wrong: bool) -> None:
        """One pair under each heading."""
        for key in (("all",), ("form", pair.form), ("ways", pair.list_way, pair.text_way)):
            self.tried[key] += 1
            self.wrong[key] += wrong

    def right(self, *key: str) -> str:
        """Share of right answers in per cent."""
        tried = self.tried[key]
        return f"{100 * (1 - self.wrong[key] / tried):.1f}" if tried else "–"


def judge(parts: tuple[str, ...]) -> tuple[Count, Count]:
    """True and false pairs, tried one by one against lists of one name."""
    lists: dict[str, WatchList] = {}
    true, false = Count(), Count()
    for pair in true_pairs(parts):
        watch = lists.setdefault(pair.listed, WatchList((pair.listed,)))
        true.add(pair, not watch.find(pair.text, ocr=pair.form == "misread"))
    for number, pair in enumerate(false_pairs(parts)):
        if number % FALSE_STEP == 0:
            watch = lists.setdefault(pair.listed, WatchList((pair.listed,)))
            false.add(pair, bool(watch.find(pair.text)))
    return true, false


@dataclass
class Report:
    """Several tables on one page."""

    tables: list[Table]

    def markdown(self) -> str:
        """The whole as Markdown."""
        return "\n".join(each.markdown() for each in self.tables)


def run(size: Size) -> Report:
    """Tuning and reporting half side by side; by way of writing for the reporting half."""
    quick = size is Size.QUICK
    halves = {name: judge(parts) for name, parts in (("tuning", TUNE), ("reporting", REPORT))}
    forms = Table(
        "Watch list", ["half", "recall, %", *FORMS, "true pairs", "false pairs", "other names hit, %"]
    )
    for name, (true, false) in halves.items():
        forms.add(
            name,
            true.right("all"),
            *(true.right("form", form) for form in FORMS),
            str(true.tried["all",]),
            str(false.tried["all",]),
            f"{100 * false.wrong['all',] / false.tried['all',]:.2f}",
        )
    forms.note(
        "Recall in % of pairs (listed name, text). The list holds given name and surname in one way of"
    )
    forms.notes[-1] += " writing, no alias; the text holds the forms above in the same or another one."
    forms.note("`misread` is one letter that OCR takes for another, in a text said to come from OCR.")
    true, false = halves["reporting"]
    ways = Table("Recall by way of writing, reporting half, %", ["list \\ text", *SCRIPTS, "other names hit"])
    for a, title in SCRIPTS.items():
        tried = sum(false.tried["ways", a, b] for b in SCRIPTS)
        wrong = sum(false.wrong["ways", a, b] for b in SCRIPTS)
        ways.add(f"{a} ({title})", *(true.right("ways", a, b) for b in SCRIPTS), f"{wrong} of {tried}")
    words = Table(
        "False hits per 5,000 dictionary words", ["language", "words, reporting half", "false hits"]
    )
    watch = whole_list(REPORT)
    for language, (_, package) in DICTIONARIES.items():
        chosen = dictionary(language, 1)[: WORDS // 20 if quick else WORDS]
        if chosen:
            hits = len(false_words(chosen, watch)) / len(chosen) * 5000
            words.add(language, str(len(chosen)), f"{hits:.2f}")
        else:
            words.add(language, f"{package} is not installed", "–")
    words.note(f"The list holds the {len(watch)} surnames of the reporting half, every spelling as an alias.")
    words.note(
        "Lower-case words only (German: all), so that a dictionary's own proper names are no false hits;"
    )
    words.notes[-1] += (
        " surnames that stand in small letters among its words are listed in the table of names."
    )
    return Report([forms, ways, words])
