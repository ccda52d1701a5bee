"""SARIF and JUnit from `redact check`: valid documents that let nothing pass and tell no name or place."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from in_process import Done, command, workers_here
from sarif_kit.validate import assert_valid
from typer.testing import CliRunner

from redact.cli.app import app
from redact.cli.forms import Checked
from redact.cli.forms.junit import JunitForm
from redact.cli.forms.lines import TextForm
from redact.cli.forms.sarif import MEANINGS, sarif_log
from redact.errors import DamagedInputError, ExitCode, UsageError
from redact.findings import Finding, FindingKind, GateReport, Look, Verdict

LOOKS = (Look(what="faces", by="yunet"), Look(what="text", by="tiny & small <both>"))
DIGEST = "ab" * 32


def _report(*findings: Finding, looks: tuple[Look, ...] = LOOKS) -> GateReport:
    return GateReport(sha256=DIGEST, format="jpeg", width=8, height=8, looks=looks, findings=findings)


CLEAN = Checked("#1", _report())
FACE = Checked(
    "#2",
    _report(
        Finding(kind=FindingKind.FACE, detail="yunet", score=0.5, first=3, last=9, box=(1.5, 2, 30, 40)),
        Finding(kind=FindingKind.METADATA, detail="EXIF"),
    ),
)
DAMAGED = Checked("#3", error=DamagedInputError("It does not decode."))
UNSEEN = Checked("#4", _report(looks=()))
TEXT = Checked(
    "text #1", _report(Finding(kind=FindingKind.NAME, detail="watch list line 7 at line 12 column 5"))
)
ALL = [CLEAN, FACE, DAMAGED, UNSEEN, TEXT]


def test_every_kind_of_finding_has_a_rule() -> None:
    assert set(MEANINGS) == set(FindingKind)


@pytest.mark.parametrize("checked", [[], [CLEAN], ALL], ids=["none", "clean", "all"])
def test_the_log_is_valid_by_the_published_schema(checked: list[Checked]) -> None:
    log = sarif_log(checked)
    assert_valid(log)
    log["runs"][0]["results"].append({"ruleId": "face"})
    with pytest.raises(Exception, match="message"):
        assert_valid(log)


def test_whatever_is_not_published_is_an_error_of_its_own_file() -> None:
    run = sarif_log(ALL)["runs"][0]
    assert {result["level"] for result in run["results"]} == {"error"}
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    found = [
        (
            result["ruleId"],
            run["artifacts"][result["locations"][0]["physicalLocation"]["artifactLocation"]["index"]][
                "location"
            ],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        )
        for result in run["results"]
    ]
    assert found == [
        ("face", {"uri": "%232"}, "%232"),
        ("metadata", {"uri": "%232"}, "%232"),
        ("not_judged", {"uri": "%233"}, "%233"),
        ("nothing_looked_for", {"uri": "%234"}, "%234"),
        ("name", {"uri": "text%20%231"}, "text%20%231"),
    ]
    assert {rule for rule, *_ in found} <= rules
    assert run["results"][0]["properties"] == {
        "verdict": "REVIEW", "score": 0.5, "first": 3, "last": 9, "box": [1.5, 2.0, 30.0, 40.0]
    }  # fmt: skip
    line = run["results"][-1]["locations"][0]["physicalLocation"]["region"]
    assert line == {"startLine": 12, "startColumn": 5}
    marks = [result["partialFingerprints"]["redactFinding/v1"] for result in run["results"]]
    assert len(set(marks)) == len(marks)
    assert marks == [
        each["partialFingerprints"]["redactFinding/v1"] for each in sarif_log(ALL)["runs"][0]["results"]
    ]
    assert run["invocations"] == [{"executionSuccessful": False, "exitCode": int(ExitCode.INPUT_ERROR)}]


def test_a_path_that_the_user_asked_for_is_a_uri_whatever_is_in_it() -> None:
    odd = os.fsdecode(b"published/a b#\xff%.jpg")
    log = sarif_log([Checked(odd, _report()), Checked("/srv/a b.jpg", _report())])
    assert_valid(log)
    uris = [artifact["location"]["uri"] for artifact in log["runs"][0]["artifacts"]]
    assert uris == ["published/a%20b%23%FF%25.jpg", "file:///srv/a%20b.jpg"]


def _junit(checked: list[Checked]) -> Xml.Element:
    return Xml.fromstring("\n".join(JunitForm().end(checked)))


def test_junit_counts_each_file_once_and_says_why_it_failed() -> None:
    root = _junit(ALL)
    (suite,) = root
    for element in (root, suite):
        assert {name: element.get(name) for name in ("tests", "failures", "errors")} == {
            "tests": "5", "failures": "3", "errors": "1"
        }  # fmt: skip
    cases = {case.get("name"): case for case in suite}
    assert list(cases) == ["#1", "#2", "#3", "#4", "text #1"]
    assert [child.tag for child in cases["#1"]] == ["system-out"]
    assert "tiny & small <both>" in (cases["#1"].findtext("system-out") or "")
    failure = cases["#2"].find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == (Verdict.BLOCK, "face, metadata")
    assert "REVIEW face yunet frames 3-9 at 2,2 size 30x40" in (failure.text or "")
    error = cases["#3"].find("error")
    assert error is not None
    assert (error.get("type"), error.get("message")) == ("damaged", "It does not decode.")
    assert cases["#4"].find("failure") is not None


def test_junit_of_a_path_with_forbidden_characters_is_still_xml() -> None:
    root = _junit([Checked(os.fsdecode(b"a\x01<b>\xff.jpg"), _report())])
    assert root[0][0].get("name") == "a\ufffd<b>\ufffd.jpg"


def test_text_says_something_of_every_file() -> None:
    for checked in ALL:
        lines = list(TextForm().one(checked))
        assert lines and all(line.startswith(f"{checked.label} ") for line in lines)


def _check_here(*arguments: object, private: Path) -> Done:
    with workers_here():
        return command("check", *arguments, private=private)


def _check_as_typed(*arguments: object, private: Path) -> Done:
    done = subprocess.run(
        [sys.executable, "-c", "from redact.cli import main; main()", "check", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "REDACT_PRIVATE_DIR": str(private)},
        timeout=300,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("form", "check"), [("junit", _check_here), ("sarif", _check_as_typed)])
def test_no_form_tells_a_name_or_a_place_and_all_exit_alike(
    tmp_path: Path, form: str, check: Callable[..., Done]
) -> None:
    names, article = tmp_path / "list.txt", tmp_path / "Orinakyan.txt"
    names.write_text("Գևորգ Օրինակյան, Gevorg Orinakyan\n", encoding="utf-8")
    article.write_text("Letters of Геворга Оринакяна were read.\n", encoding="utf-8")
    missing = tmp_path / "Orinakyan.jpg"
    done = check(missing, "--text", article, "--names", names, "--format", form, private=tmp_path / "private")
    assert done.returncode == ExitCode.INPUT_ERROR, done.stderr
    assert done.stderr == ""
    for secret in ("rinakyan", "ринакян", "րինակյան", str(tmp_path)):
        assert secret not in done.stdout
    if form == "sarif":
        log = json.loads(done.stdout)
        assert_valid(log)
        assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["not_judged", "name"]
    else:
        assert [case.get("name") for case in Xml.fromstring(done.stdout)[0]] == ["#1", "text #1"]


@pytest.mark.parametrize("options", [["--format", "xml"], ["--json", "--format", "sarif"]])
def test_an_unknown_or_contradictory_form_is_a_usage_error(tmp_path: Path, options: list[str]) -> None:
    done = CliRunner().invoke(app, ["check", str(tmp_path / "x.jpg"), *options])
    assert isinstance(done.exception, UsageError)
    assert done.output == ""
