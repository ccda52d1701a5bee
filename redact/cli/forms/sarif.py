"""Results as one SARIF 2.1.0 log, for code scanning and other viewers of findings.

Every finding is a result of level `error`, those that only ask for a person too: viewers let anything milder
pass. A file that could not be judged is a result as well, for viewers do not show a tool's own errors. The
files' places are their labels, written as relative URIs: `#1` becomes `%231`, which is no path of anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from redact import __version__
from redact.cli.forms.base import NOTHING_LOOKED_FOR, Checked, place_of
from redact.errors import ExitCode
from redact.findings import SEVERITY, Finding, FindingKind, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
NOT_JUDGED, NOTHING = "not_judged", "nothing_looked_for"
MEANINGS = {
    FindingKind.FACE: "A face can be seen.",
    FindingKind.FACE_EXPECTED: "A person whose head is under no cover, though no face is seen on it.",
    FindingKind.TEXT: "Text can be seen.",
    FindingKind.SPEECH: "Speech can be heard where none should be left.",
    FindingKind.SOUND: "Sound that only a person can clear, and no person is known to have listened to.",
    FindingKind.NAME: "A name of the watch list, or what looks like a person's name.",
    FindingKind.METADATA: "Hidden data beside the picture.",
    FindingKind.STRUCTURE: "A part of the file that is not on the list of its format.",
    FindingKind.STREAM: "A stream that is not on the list.",
    FindingKind.TRAILING_BYTES: "Bytes after the end of the picture.",
    FindingKind.UNDECODABLE: "The file, or a part of it, does not decode without errors.",
    FindingKind.UNVERIFIABLE: "A format that cannot be read here, so nothing can be ruled out.",
    FindingKind.NOTE: "Something that only a person can decide.",
}
_IN_TEXT = re.compile(r"at line (\d+) column (\d+)\Z")


class SarifForm:
    """One log with one run."""

    def one(self, checked: Checked) -> Iterable[str]:
        """Nothing: the log is one document."""
        return ()

    def end(self, all_checked: Sequence[Checked]) -> Iterable[str]:
        """The log, on one line."""
        yield json.dumps(sarif_log(all_checked))


def sarif_log(all_checked: Sequence[Checked]) -> dict[str, Any]:
    """The log as plain data."""
    worst = max(
        (checked.code for checked in all_checked), key=lambda code: code.severity, default=ExitCode.TOOL_ERROR
    )
    run = {
        "tool": {
            "driver": {
                "name": "redact",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": list(_rules()),
            }
        },
        "invocations": [
            {
                "executionSuccessful": all(checked.report is not None for checked in all_checked),
                "exitCode": int(worst),
            }
        ],
        "artifacts": [_artifact(checked) for checked in all_checked],
        "results": [
            result for index, checked in enumerate(all_checked) for result in _results(checked, index)
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rules() -> Iterator[dict[str, Any]]:
    for kind, meaning in MEANINGS.items():
        yield _rule(kind.value, meaning, SEVERITY[kind])
    yield _rule(NOT_JUDGED, "The file could not be judged, so it must not be published.", Verdict.BLOCK)
    yield _rule(NOTHING, "Nothing could be looked for, so nothing is ruled out.", Verdict.REVIEW)


def _rule(rule: str, meaning: str, severity: Verdict) -> dict[str, Any]:
    return {
        "id": rule,
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": f"{meaning} The verdict is {severity.value}."},
        "defaultConfiguration": {"level": "error"},
    }


def _uri(label: str) -> str:
    # bytes: a path need not be valid text
    path = PurePath(label)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(label))


def _artifact(checked: Checked) -> dict[str, Any]:
    artifact: dict[str, Any] = {
        "location": {"uri": _uri(checked.label)},
        "roles": ["analysisTarget"],
        "properties": {"verdict": "ERROR"},
    }
    report = checked.report
    if report is not None:
        looks = [f"{look.what} by {look.by}" for look in report.looks]
        artifact["properties"] = {
            "verdict": report.verdict.value,
            "format": report.format,
            "lookedFor": looks,
        }
        artifact["hashes"] = {"sha-256": report.sha256}
    return artifact


def _results(checked: Checked, index: int) -> Iterator[dict[str, Any]]:
    report, error = checked.report, checked.error
    if report is None:
        reason = error.reason if error is not None else "tool_error"
        result = _result(checked, index, NOT_JUDGED, str(error or "It was not judged."), reason)
        yield {**result, "properties": {"verdict": "ERROR", "reason": reason}}
        return
    for finding in report.findings:
        place = place_of(finding)
        said = f"{MEANINGS[finding.kind]} {finding.detail}".rstrip()
        result = _result(
            checked,
            index,
            finding.kind.value,
            f"{said} ({place})" if place else said,
            f"{report.sha256} {finding.model_dump_json()}",
        )
        found = _IN_TEXT.search(finding.detail)
        if found is not None:
            line, column = map(int, found.groups())
            result["locations"][0]["physicalLocation"]["region"] = {"startLine": line, "startColumn": column}
        yield {**result, "properties": _properties(finding)}
    if not report.findings and report.verdict is not Verdict.PUBLISH:
        result = _result(checked, index, NOTHING, f"{NOTHING_LOOKED_FOR.capitalize()}.", report.sha256)
        yield {**result, "properties": {"verdict": report.verdict.value}}


def _properties(finding: Finding) -> dict[str, Any]:
    """What SARIF has no field for: frames, and a box in pixels."""
    shown = finding.model_dump(mode="json", include={"score", "first", "last", "box"}, exclude_none=True)
    return {"verdict": finding.severity.value, **shown}


def _result(checked: Checked, index: int, rule: str, message: str, identity: str) -> dict[str, Any]:
    digest = hashlib.sha256(f"{checked.label} {rule} {identity}".encode("utf-8", "surrogateescape"))
    # code scanning shows no result without a line, so a file without lines has its first
    where = {
        "artifactLocation": {"uri": _uri(checked.label), "index": index},
        "region": {"startLine": 1},
    }
    return {
        "ruleId": rule,
        "level": "error",
        "message": {"text": message},
        "locations": [{"physicalLocation": where}],
        "partialFingerprints": {"redactFinding/v1": digest.hexdigest()},
    }


__all__ = ["MEANINGS", "SarifForm", "sarif_log"]
