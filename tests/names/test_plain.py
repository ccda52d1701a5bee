"""Plain text and subtitles: every place is found, and what is written afresh says nothing."""

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redact.errors import DamagedInputError
from redact.names.paths import names_somebody
from redact.names.plain import BAR, barred, decoded, line_and_column, places
from redact.names.subtitles import redacted_subtitles
from redact.names.watchlist import WatchList

WATCH = WatchList(("Gevorg Orinakyan",))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_with_and_without_a_mark(encoding: str) -> None:
    assert decoded("Orinakyan\r\nwaits\r".encode(encoding)) in (
        "Orinakyan\nwaits\n",
        "\ufeffOrinakyan\nwaits\n",
    )


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n\x00\x00", b"\xc0\xc1abc"])
def test_what_is_no_text_is_said_to_be_none(data: bytes) -> None:
    assert decoded(data) is None


@pytest.mark.parametrize(
    "text",
    [
        "Ori<i>na</i>kyan",
        "O&#114;inakyan",
        "Геворг<br>Оринакян",
        "{\\an8}Оринакян",
        "Orina&shy;kyan",
        "Orinak-\nyan",
        "Օրինակյան<c.loud>ի</c>",
    ],
)
def test_markup_hides_nothing(text: str) -> None:
    assert any(place.line == 1 for place in places(text, WATCH, hints=False))


@given(st.text(alphabet="abc \n", max_size=40), st.text(alphabet="xyz \n", max_size=40))
def test_line_and_column_lead_to_the_name(before: str, after: str) -> None:
    text = f"{before} Оринакяна {after}"
    (place,) = places(text, WATCH, hints=False)
    line, column = line_and_column(text, place.start)
    assert text.split("\n")[line - 1][column - 1 :].startswith("Оринакяна")


@given(
    st.lists(
        st.sampled_from(["Оринакян", "Gevorg Orinakyan", "Karen Patkeryan", "waits", "дома", "\n"]),
        max_size=9,
    )
)
def test_nothing_is_found_where_names_are_barred(words: list[str]) -> None:
    text = barred(" ".join(words), WATCH)
    assert not places(text, WATCH)
    assert "rinak" not in text.lower()


def test_a_bar_is_as_long_for_every_name() -> None:
    watch = WatchList(("Gevorg Orinakyan", "Bo Li"))
    assert barred("Bo Li, Gevorg Orinakyan", watch) == f"{BAR}, {BAR}"


def test_subtitles_are_written_from_times_and_lines_alone() -> None:
    source = (
        "WEBVTT - Orinakyan\n\nSTYLE\n::cue { color: red }\n\nNOTE Orinakyan\n\nOrinakyan-1\n"
        "00:01.000 --> 00:02.500 align:left\n<v Gevorg Orinakyan>he <b>is</b> there\n"
    )
    made = redacted_subtitles(source.encode(), ".vtt", WATCH).decode()
    assert made == "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nhe is there\n"


def test_a_name_across_two_cues_is_gone() -> None:
    source = (
        "1\n00:00:01,000 --> 00:00:02,000\nher son Orinak-\n\n2\n00:00:02,000 --> 00:00:03,000\nyan waits\n"
    )
    made = redacted_subtitles(source.encode(), ".srt", WATCH).decode()
    assert "Orinak" not in made
    assert made.count("-->") == 2


@pytest.mark.parametrize("data", [b"", b"no cues\n", b"\xff\xfe\x00", b"00:00 --> later\nOrinakyan"])
def test_what_is_no_subtitle_file_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedInputError) as caught:
        redacted_subtitles(data, ".srt", WATCH)
    assert "rinak" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        *(("Orinakyan.jpg", True), ("IMG_orinakyan-04.jpg", True), ("семья Оринакян/a.jpg", True)),
        *(("Lilit Patkeryan/a.jpg", True), ("Gevorg/O. 12.jpg", True), ("a/one.jpeg", False)),
        *(("2023-11/IMG_0001.JPG", False), ("video 3 final.mp4", False)),
    ],
)
def test_paths_that_name_somebody(path: str, named: bool) -> None:
    assert names_somebody(PurePath(path), WATCH) is named
