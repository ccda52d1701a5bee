"""The gate and the watch list: what can still be read, in pixels, codes and rights, is a finding."""

import subprocess
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from redact.detect import tesseract
from redact.detect.reading import TextReader, read_codes
from redact.detect.weights import ModelStore
from redact.findings import FindingKind, GateReport, Verdict
from redact.gate.heal import heal_tracks
from redact.gate.inspect import inspect
from redact.names.watchlist import WatchList
from redact.plan import Box, Kind
from redact.policy import Policy, load_policy

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
WATCH = WatchList(("# nobody", "Gevorg Orinakyan"))
LINES = ("Gevorg Orinakyan", "Գևորգ Օրինակյան", "Геворг Оринакян")


def _card(text: str) -> Image.Image:
    card = Image.new("RGB", (720, 540), (205, 210, 215))
    ImageDraw.Draw(card).text((40, 120), text, (20, 20, 20), ImageFont.truetype(str(FONT), 36))
    return card


class _Picture:
    def __init__(self, image: Image.Image) -> None:
        self._image = np.asarray(image)[:, :, ::-1].copy()
        self.height, self.width = self._image.shape[:2]

    def bgr(self, long_side: int | None = None) -> np.ndarray:
        assert long_side is None
        return self._image


def _judge(path: Path, policy: Policy, watch: WatchList | None = WATCH) -> GateReport:
    return inspect(path, policy, standalone=False, watch=watch)


def _names(report: GateReport) -> list[str]:
    return [finding.detail for finding in report.findings if finding.kind is FindingKind.NAME]


def test_setup_installed_every_language() -> None:
    assert tesseract.installed_languages() == tesseract.LANGUAGES, "Run `make setup`: languages lack."


@pytest.mark.parametrize("text", LINES)
@pytest.mark.parametrize("turned", [False, True])
def test_a_line_is_read_in_every_script_upright_and_turned(text: str, turned: bool) -> None:
    card, box = _card(text), Box(30, 110, 430, 60)
    if turned:
        card, box = card.transpose(Image.Transpose.ROTATE_90), Box(110, 260, 60, 430)
    (read,) = TextReader(ModelStore()).read(_Picture(card), [box])
    assert WATCH.find(read, ocr=True)


@pytest.mark.parametrize("text", LINES)
def test_where_text_is_not_covered_a_listed_name_is_a_finding_that_heals(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    _card(text).save(path)
    policy = load_policy("faces-only")
    report = _judge(path, policy)
    assert set(_names(report)) == {"watch list line 2 in OCR text"}
    assert report.verdict is Verdict.REVIEW
    tracks = heal_tracks(report, policy)
    assert {track.kind for track in tracks} == {Kind.TEXT}
    assert "rinakyan" not in report.model_dump_json()


def test_other_words_and_no_list_give_no_finding(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    _card("the family waits").save(path)
    assert _judge(path, load_policy("faces-only")).verdict is Verdict.PUBLISH
    assert _judge(path, load_policy("faces-only"), None).verdict is Verdict.PUBLISH


def test_without_a_reader_nothing_is_ruled_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.png"
    _card("the family waits").save(path)
    report = _judge(path, load_policy("faces-only"))
    assert [finding.kind for finding in report.findings] == [FindingKind.UNVERIFIABLE]
    assert any("hye+rus+aze+eng could not be read" in look.by for look in report.looks)


def test_a_code_that_says_the_name_is_a_finding(tmp_path: Path) -> None:
    code = cv2.QRCodeEncoder.create().encode("https://example.org/Orin%61kyan")
    big = cv2.copyMakeBorder(
        cv2.resize(code, None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST), *(60,) * 4, 0, value=255
    )
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), big)
    assert read_codes(_Picture(Image.open(path).convert("RGB")))
    assert "watch list line 2 in a code" in _names(_judge(path, load_policy("faces-only")))


def test_a_rights_field_that_says_the_name_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (64, 64), (90, 90, 90)).save(path)
    command = ["exiftool", "-q", "-overwrite_original", "-XMP-photoshop:Credit=Օրինակյան", str(path)]
    subprocess.run(command, check=True)
    policy = load_policy("desk")
    assert _names(_judge(path, policy)) == ["watch list line 2 in a rights field"]
    assert _names(_judge(path, policy, None)) == []


def test_text_mode_names_looks_for_what_resembles_a_name_too(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    _card("Lilit Nmushyan").save(path)
    report = _judge(path, load_policy("strict", ["text=names"]), None)
    assert set(_names(report)) == {"person-name hint in OCR text"}
