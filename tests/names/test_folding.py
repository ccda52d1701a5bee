"""Folding: the same name in every script comes out alike, and case, marks and disguises do not matter."""

import tomllib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redact.names import letters
from redact.names.fold import coarse, normalised, one_script, script_of, skeletons, words
from redact.names.tokens import tokens

SPELLINGS = tomllib.loads((Path(__file__).parent / "spellings.toml").read_text(encoding="utf-8"))

scripts = st.sampled_from(
    [
        "".join(letters.ARMENIAN),
        "".join(letters.RUSSIAN),
        "abcdefghijklmnopqrstuvwxyzəğışçöü",
        "".join(letters.GEORGIAN),
    ]
)
names = scripts.flatmap(lambda alphabet: st.text(st.sampled_from(sorted(alphabet)), min_size=1, max_size=14))


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(names)
def test_case_does_not_matter(name: str) -> None:
    for form in (name.upper(), name.capitalize(), name.title()):
        assert {s for w in words(form) for s in skeletons(w)} == {
            s for w in words(name) for s in skeletons(w)
        }


@given(names)
def test_folding_keeps_to_its_alphabet_and_is_stable(name: str) -> None:
    for word in words(name):
        assert one_script(word) == word
        for skeleton in skeletons(word):
            assert set(skeleton) <= set("aeioupbvftdkgmnlrszxqhcjCJSZ")
            assert coarse(coarse(skeleton)) == coarse(skeleton)


@given(names, st.sampled_from(["\u00ad", "\u200b", "\u200f", "\u2060"]), st.integers(0, 14))
def test_invisible_characters_hide_nothing(name: str, invisible: str, place: int) -> None:
    assert words(name[:place] + invisible + name[place:]) == words(name)


@given(st.text(max_size=60))
def test_tokens_lie_inside_the_text(text: str) -> None:
    for token in tokens(text):
        assert 0 <= token.start < token.end <= len(text)
        assert token.word


@given(names)
def test_composed_and_decomposed_letters_are_one(name: str) -> None:
    assert words(unicodedata.normalize("NFD", name)) == words(name)


@pytest.mark.parametrize(
    "text", ["Գևորգ", "ԳԵՎՈՐԳ", "ԳԵՒՈՐԳ", "գեւորգ", "Gevorg", "GEVORG", "Геворг", "გევორგ"]
)
def test_the_ligature_its_capitals_and_the_old_orthography(text: str) -> None:
    (word,) = words(text)
    assert "gevorg" in skeletons(word)


@pytest.mark.parametrize(
    ("text", "script"),
    [("Աբգ", "armenian"), ("Əли", "cyrillic"), ("ab", "latin"), ("აბ", "georgian"), ("12", "other")],
)
def test_script(text: str, script: str) -> None:
    assert script_of(normalised(text)) == script


def test_look_alikes_take_the_script_of_their_neighbours() -> None:
    assert one_script(normalised("Оrinаkyan")) == "orinakyan"  # two Cyrillic letters
    assert one_script(normalised("Opинакян")) == "оринакян"  # two Latin ones
    assert one_script("0rinakyan") == "orinakyan"


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=name)
        for part in ("tune", "report", "fresh", "held", "sealed")
        for name, row in SPELLINGS[part].items()
    ],
)
def test_two_spellings_share_a_merged_skeleton_or_nearly(row: dict[str, str]) -> None:
    merged = [{coarse(s) for w in words(text) for s in skeletons(w)} for text in row.values()]
    assert all(merged)
