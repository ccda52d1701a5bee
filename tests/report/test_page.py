"""The page: what it shows, what it never shows, and that nothing in it can act or load anything."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_samples import DIGEST, ROW, face, gate, photo, picture, report

from redact.errors import RedactError
from redact.findings import Finding, FindingKind
from redact.plan import Kind
from redact.report import html as page_module
from redact.report.html import index_page
from redact.report.models import ItemReport, LastRun, PolicyName, Standing
from redact.report.summary import read_items, standing_of, summarise
from redact.report.words import FINDINGS, KINDS, REASONS, STANDINGS

HOSTILE = """"'><img src=x onerror=alert(1)></script>{{ 7*7 }}<!--"""


class _Parts(HTMLParser):
    """Tags with their attributes, and the text of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def _page(states: dict[str, dict[str, Any]], reports: dict[str, ItemReport], **more: Any) -> str:
    return index_page(summarise(states, reports, **more), states, reports)


def _both(*reports: ItemReport) -> tuple[dict[str, dict[str, Any]], dict[str, ItemReport]]:
    return (
        {each.item: {**ROW, "verdict": each.verdict.value} for each in reports},
        {each.item: each for each in reports},
    )


def _everything(word: str) -> str:
    """A page in which every value that any file could bring is `word`."""
    finding = Finding.model_construct(
        kind=FindingKind.STRUCTURE, detail=word, score=1.0, first=None, last=None, box=None
    )
    found = gate(by=word).model_copy(update={"findings": (finding,)})
    made = report(
        "film0000",
        "BLOCK",
        policy=PolicyName(name="p", digest=DIGEST),
        models={word: word},
        gate=found,
    )
    made = made.model_copy(
        update={
            "policy": made.policy.model_copy(update={"name": word}),
            "input": made.input.model_copy(update={"format": word, "streams_dropped": (word,)}),
            "output": made.output.model_copy(update={"format": word}),
        }
    )
    states, reports = _both(made)
    states["broken00"] = {"event": "failed", "reason": word}
    states["reject00"] = {"event": "rejected", "review": {"by": word}}
    states[f"odd {word}"] = {**ROW, "verdict": word, "findings": [{"kind": word}]}
    run = LastRun(began=word, ended=word, items=1, interrupted=False, isolation=word)
    return _page(states, reports, last_run=run)


def test_whatever_a_value_holds_it_stays_text() -> None:
    harmless, hostile = _Parts(_everything("word")), _Parts(_everything(HOSTILE))
    assert [(tag, list(attrs)) for tag, attrs in hostile.tags] == [
        (tag, list(attrs)) for tag, attrs in harmless.tags
    ]
    assert hostile.text.count(HOSTILE) == harmless.text.count("word") - _own_words() > 10


def _own_words() -> int:
    """How often the page itself says "word"."""
    return _Parts(_everything("~")).text.count("word")


def test_the_page_loads_nothing_and_runs_nothing_but_its_own_script() -> None:
    made = _page(*_both(photo("photo000", preview_jpeg=picture()), report("film0000")))
    parts = _Parts(made)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", made.replace(picture(), ""))
    names = {name for _, attrs in parts.tags for name in attrs}
    assert not {name for name in names if name.startswith("on")} | names & {"style", "srcset", "action"}
    for tag, attrs in parts.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert (attrs.get("src") or "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
        assert (attrs.get("href") or "#").startswith("#")
    (policy,) = [str(attrs["content"]) for _, attrs in parts.tags if attrs.get("http-equiv")]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for kind in ("style", "script"):
        (inline,) = re.findall(f"<{kind}>(.*?)</{kind}>", made, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_only_what_the_gate_itself_let_pass_is_shown_as_a_picture() -> None:
    reports = [photo(f"item000{n}", "PUBLISH", preview_jpeg=picture()) for n in range(4)]
    reports.append(photo("item0004", "REVIEW", preview_jpeg=picture()))
    states, found = _both(*reports)
    states["item0001"]["review"] = {"action": "accept", "by": "k7"}
    states["item0002"] = {"event": "rejected", "review": {"action": "reject", "by": "k7"}}
    states["item0003"] = {"event": "failed", "reason": "damaged"}
    parts = _Parts(_page(states, found))
    assert [attrs["alt"] for tag, attrs in parts.tags if tag == "img"] == [
        "Published output item0000; covered: 1 face, 1 text"
    ]
    assert "4 of 5 items are not shown" in parts.text
    assert "Reviewer k7." in parts.text


def test_a_report_about_another_file_than_the_released_one_is_not_believed(tmp_path: Path) -> None:
    states, reports = _both(
        photo("item0000", preview_jpeg=picture()), photo("item0001", preview_jpeg=picture())
    )
    states["item0001"] |= {
        "sha256": "cd" * 32,
        "verdict": "REVIEW",
        "findings": [{"kind": "face", "first": 3}],
    }
    states["item0002"] = {**ROW, "verdict": "PUBLISH"}
    for item, made in reports.items():
        (tmp_path / f"{item}.json").write_text(made.model_dump_json())
    (tmp_path / "item0002.json").write_text('{"schema_version": 1, "html": "<b>"}')
    found = read_items(tmp_path, states)
    assert set(found) == {"item0000"}
    parts = _Parts(_page(states, found))
    assert parts.text.count("Its own report is missing or is about another file") == 2
    assert "A face is still seen, frame 3" in parts.text
    assert [tag for tag, _ in parts.tags].count("img") == 1


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        ({"event": "released", "verdict": "PUBLISH"}, Standing.PUBLISH),
        ({"event": "released", "verdict": "REVIEW", "review": {"action": "accept"}}, Standing.ACCEPTED),
        ({"event": "released", "verdict": "PUBLISH", "review": {"action": "plan"}}, Standing.PUBLISH),
        ({"event": "released", "verdict": "fine"}, Standing.REVIEW),
        ({"event": "released"}, Standing.REVIEW),
        ({"event": "failed"}, Standing.FAILED),
    ],
)
def test_what_is_not_understood_is_never_called_published(state: dict[str, Any], standing: Standing) -> None:
    assert standing_of(state) is standing


def test_items_stand_in_the_order_in_which_they_need_somebody() -> None:
    states, reports = _both(photo("item0000"), photo("item0001", "REVIEW"), photo("item0002", "BLOCK"))
    states["item0003"] = {"event": "failed", "reason": "damaged"}
    run = summarise(states, reports)
    assert [line.standing.value for line in run.items] == ["BLOCK", "FAILED", "REVIEW", "PUBLISH"]
    assert run.counts == {**dict.fromkeys(Standing, 0), **{line.standing: 1 for line in run.items}}


def test_drawings_say_in_words_what_they_show_and_ids_are_unique() -> None:
    made = report("film0000", "REVIEW", gate=gate(face(3, 9, (10, 10, 40, 40)), rounds=1))
    parts = _Parts(_page(*_both(made, photo("photo000"))))
    ids = [attrs["id"] for _, attrs in parts.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for tag, attrs in parts.tags:
        if tag == "svg" and "aria-hidden" not in attrs:
            assert attrs["role"] == "img"
            assert set(str(attrs["aria-labelledby"]).split()) <= set(ids)
    assert (
        "100 frames in 2 shots; 1 face covered on 91 of 100 frames; 1 text covered on 11 of 100" in parts.text
    )
    assert "A face is still seen, frames 3 to 9" in parts.text
    assert "3.8 s (analysis 2.0 s, covering 0.5 s, gate 1.2 s)" in parts.text


def test_an_empty_folder_has_a_page_too() -> None:
    assert "Nothing was worked on yet" in _page({}, {})


def test_every_word_of_the_tool_has_words_for_people() -> None:
    def below(kind: type[RedactError]) -> set[type[RedactError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    assert set(FINDINGS) == set(FindingKind)
    assert set(STANDINGS) == set(Standing)
    assert set(KINDS) == set(Kind)
    ours = {kind for kind in below(RedactError) if kind.__module__ == "redact.errors"}
    assert {kind.reason for kind in ours} <= set(REASONS)


def _luminance(colour: str) -> float:
    digits = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
    parts = (int(digits[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_colour_of_text_stands_out_in_light_in_dark_and_on_paper() -> None:
    style = (Path(page_module.__file__).parent / "page" / "report.css").read_text()
    schemes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(schemes) == 3
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]+);", scheme))
        for ground in ("ground", "sheet", "empty"):
            for ink in ("ink", "quiet", "link", "ok", "wait", "stop"):
                assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground, scheme)
            for kind in ("face", "head", "text", "code", "stop"):
                assert _contrast(colours[kind], colours[ground]) >= 3, (kind, ground, scheme)
