"""The watch list against true and false pairs, and what its file may hold."""

import itertools
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.name_pairs import REPORT, TUNE, false_pairs, true_pairs
from redact.errors import UsageError
from redact.names.hints import person_hints
from redact.names.watchlist import WatchList

SPELLINGS = tomllib.loads((Path(__file__).parent / "spellings.toml").read_text(encoding="utf-8"))
PARTS = TUNE + REPORT
STEP = 11
"""Of the generated pairs each so many-eth is tried here; all of them by `python -m bench names`."""


@pytest.mark.parametrize("parts", [TUNE, REPORT])
def test_recall_on_true_pairs(parts: tuple[str, ...]) -> None:
    pairs = list(itertools.islice(true_pairs(parts), 0, None, STEP))
    missed = [p for p in pairs if not WatchList((p.listed,)).find(p.text, ocr=p.form == "misread")]
    assert len(pairs) >= 300
    assert len(missed) <= 0.02 * len(pairs), missed


def test_recall_on_names_as_they_stand_in_sentences() -> None:
    pairs = [(a, b) for part in SPELLINGS["inflected"].values() for a, b in part]
    missed = [(a, b) for a, b in pairs if not WatchList((a,)).find(b)]
    assert len(missed) <= 0.02 * len(pairs), missed


def test_other_names_are_left_alone() -> None:
    pairs = list(itertools.islice(false_pairs(PARTS), 0, None, 397))
    hit = [pair for pair in pairs if WatchList((pair.listed,)).find(pair.text)]
    assert len(pairs) >= 300
    assert len(hit) <= 0.005 * len(pairs), hit  # Ghazaryan and Yeghiazaryan


@pytest.mark.parametrize(
    "text",
    [
        *("պատկերին նայեց", "օրինակներ", "օրինականացում", "նմուշային"),  # words of the names' roots
        *("çalınan", "oyanan", "qarıdan", "wallow", "walleyed", "human", "guman", "gullet"),
        *("валет", "гулянка", "черновик", "სურათთან", "თავიდან"),
    ],
)
def test_words_that_only_resemble_a_name(text: str) -> None:
    rows = [row for part in PARTS for row in SPELLINGS[part].values()]
    assert not WatchList(tuple(", ".join(dict.fromkeys(row.values())) for row in rows)).find(text)


ROLES = (
    "mother of a prisoner of war",
    "message to the family",
    "Yerevan, November",
    "press service",
    "prisoner exchange",
    "мать военнопленного",
    "обращение к семье",
    "Ереван, ноябрь",
    "пресс-служба",
    "брат пленного",
    "ռազմագերու մայրը",
    "հաղորդագրություն ընտանիքին",
    "Երևան",
    "գերու եղբայրը",
    "մամուլի ծառայություն",
    "hərbi əsirin anası",
    "ailəyə müraciət",
    "Bakı, noyabr",
    "mətbuat xidməti",
    "əsirin qardaşı",
)


def test_roles_and_places_are_no_names() -> None:
    watch = WatchList(
        tuple(", ".join(dict.fromkeys(row.values())) for part in PARTS for row in SPELLINGS[part].values())
    )
    assert [text for text in ROLES if watch.find(text)] == []


def test_a_hit_tells_the_line_and_the_place() -> None:
    watch = WatchList(("# people", "", "Gevorg Orinakyan, Gevo", "Lilit Nmushyan"))
    text = "Yesterday Лилит Нмушян spoke."
    assert [(hit.line, text[hit.start : hit.end]) for hit in watch.find(text)] == [
        (4, "Лилит Нмушян"),
        (4, "Нмушян"),
    ]
    assert [hit.line for hit in watch.find("their Gevo")] == [3]


def test_a_given_name_alone_is_no_hit_but_with_an_initial_it_is() -> None:
    watch = WatchList(("Gevorg Orinakyan",))
    assert not watch.find("Gevorg came home")
    assert watch.find("Gevorg O. came home")
    assert watch.find("Գ. Օրինակյան")


def test_short_names_need_both_words() -> None:
    watch = WatchList(("Li Nam",))
    assert watch.find("Ли Нам")
    assert watch.find("Nam Li")
    assert not watch.find("namely a little")


def test_text_read_from_pixels_may_be_worse() -> None:
    watch = WatchList(("Orinakyan",))
    assert not watch.find("Orimekyan")
    assert watch.find("Orimakyen", ocr=True)


@given(st.text(max_size=80))
def test_any_text_can_be_searched(text: str) -> None:
    for hit in WatchList(("Gevorg Orinakyan", "Əliyev Vüqar")).find(text):
        assert 0 <= hit.start < hit.end <= len(text)


@given(
    st.text(alphabet="abc \n.-", max_size=30),
    st.sampled_from(["Оринакяна", "ORINAKYAN", "Օրինակյանի"]),
    st.text(alphabet="xyz \n.", max_size=30),
)
def test_a_name_is_found_wherever_it_stands(before: str, name: str, after: str) -> None:
    hits = WatchList(("Orinakyan",)).find(f"{before} \u2014 {name} \u2014 {after}")
    assert any(hit.start <= len(before) + 3 and hit.end >= len(before) + 3 + len(name) for hit in hits)


def test_its_repr_tells_nothing() -> None:
    assert "Orinakyan" not in repr(WatchList(("Gevorg Orinakyan",)))


@pytest.mark.parametrize("data", [b"", b"# notes only\n", b"\xff\xfe\xfa", b"Orinakyan\n!!!\n", b"\x80\x81"])
def test_a_list_that_would_match_less_than_it_says_is_refused(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        WatchList.read(file)
    assert "Orinakyan" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("Գևորգ Օրինակյան\n", encoding=encoding)
    assert WatchList.read(file).find("Orinakyan")


@pytest.mark.parametrize(
    "text",
    [
        "mother Lilit Nmushyan said",
        "ԼԻԼԻԹ ՆՄՈՒՇՅԱՆ",
        "пленный Арам Нмушян",
        "Vüqar Əliyevin anası",
        "Nmushyan",
        "ნმუშიანი",
    ],
)
def test_hints_see_names_without_a_list(text: str) -> None:
    assert person_hints(text)


@pytest.mark.parametrize(
    "text", ["the family waits at home", "мать ждёт дома", "մայրը սպասում է", "12:30", ""]
)
def test_hints_leave_plain_words_alone(text: str) -> None:
    assert not person_hints(text)
