"""A reason is kept in the ledger for good: it names nobody, and no error repeats what was typed."""

import pytest

from redact.batch.reasons import reasons_record, typed_reason
from redact.errors import UsageError
from redact.findings import Finding, FindingKind
from redact.names.watchlist import WatchList

LIST = WatchList(("Gevorg Orinakyan, Օրինակյան",))
FACE = Finding(kind=FindingKind.FACE, detail="yunet@640")
SECOND = Finding(kind=FindingKind.NOTE, detail="second_person")


@pytest.mark.parametrize(
    "text",
    [
        "a poster",
        "It is a statue.",
        "Statue. Not a person.",
        "Checked twice. Only the flag is left. No face.",
        "OK. Only a drawing",
        "The Armenian flag, not a face",
        "No Armenian letters: it is a shop sign",
        "Yes. It was cleared by the desk! Nobody is on it.",
        "Դրոշ է։ Մարդ չկա։",
        "Это плакат. Лица нет.",
        "face/hand; frame 12.5 of the film",
        "  trimmed  ",
    ],
)
def test_an_ordinary_sentence_is_a_reason(text: str) -> None:
    assert typed_reason(text, LIST) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "Gevorg Orinakyan agreed",
        "it is orinakyan himself",
        "Օրինակյանի եղբայրն է",
        "seen by Testik Probov",
        "It is a statue. Testik Probov said so",
        "The brother of Testikyan",
        "Testik_Probov agreed",
        "No. Testik Probov",
        "in C:\\pictures",
        "see /home/desk/list",
        "the same as DSC01.jpg",
        "no",
        "  a ",
        "",
        "x" * 201,
        "a poster\nand more",
        "a poster\x1b[2J",
        "a\u202eposter",
        "o\u00adri\u00adnak",
    ],
)
def test_a_reason_that_names_somebody_or_is_no_line_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        typed_reason(text, LIST)
    said = str(caught.value).lower()
    assert not any(word in said for word in ("orinak", "probov", "testik", "dsc01", "home", "x" * 20))


def test_without_a_list_what_looks_like_a_name_is_refused_all_the_same() -> None:
    for text in ("Gevorg Orinakyan agreed", "the Testikyan family"):
        with pytest.raises(UsageError, match="name"):
            typed_reason(text)


def test_every_finding_needs_a_reason_of_its_own() -> None:
    other = Finding(kind=FindingKind.TEXT)
    for reasons in ({}, {0: "a poster"}, {1: "a shop sign"}):
        with pytest.raises(UsageError, match="Every finding"):
            reasons_record((FACE, other), reasons, None)
    for number in (2, -1):
        with pytest.raises(UsageError, match="does not have"):
            reasons_record((FACE, other), {0: "a poster", 1: "a shop sign", number: "more"}, None)
    assert reasons_record((FACE, other), {1: "a shop sign", 0: "a poster "}, None) == [
        {"kind": "face", "detail": "yunet@640", "reason": "a poster"},
        {"kind": "text", "detail": "", "reason": "a shop sign"},
    ]


def test_the_call_for_a_second_person_needs_no_reason_but_may_have_one() -> None:
    assert reasons_record((SECOND,), {}, None) == []
    assert [each["reason"] for each in reasons_record((SECOND,), {0: "looked at"}, None)] == ["looked at"]
