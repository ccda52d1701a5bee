"""Results as JUnit XML, for CI systems that show tests: a test case for each file.

A finding makes its file a failure; a file that could not be judged is an error. Neither counts as skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as Xml

from redact.cli.forms.base import NOTHING_LOOKED_FOR, Checked, looks_of, words_of
from redact.findings import Verdict

SUITE = "redact check"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, not even escaped; a path may."""


class JunitForm:
    """One document with one suite."""

    def one(self, checked: Checked) -> Iterable[str]:
        """Nothing: the XML is one document."""
        return ()

    def end(self, all_checked: Sequence[Checked]) -> Iterable[str]:
        """The document."""
        counts = {
            "tests": str(len(all_checked)),
            "failures": str(sum(_failed(checked) for checked in all_checked)),
            "errors": str(sum(checked.report is None for checked in all_checked)),
        }
        root = Xml.Element("testsuites", {"name": SUITE, **counts})
        suite = Xml.SubElement(root, "testsuite", {"name": SUITE, **counts, "skipped": "0"})
        for checked in all_checked:
            suite.append(_case(checked))
        Xml.indent(root)
        yield f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}'


def _failed(checked: Checked) -> bool:
    return checked.report is not None and checked.report.verdict is not Verdict.PUBLISH


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _case(checked: Checked) -> Xml.Element:
    case = Xml.Element("testcase", {"name": _clean(checked.label), "classname": "redact.check"})
    report, error = checked.report, checked.error
    if report is None:
        said = {"type": error.reason if error else "tool_error", "message": _clean(str(error or ""))}
        Xml.SubElement(case, "error", said)
    elif report.verdict is Verdict.PUBLISH:
        Xml.SubElement(case, "system-out").text = _clean(
            f"sha256 {report.sha256}\nnothing found. Looked for: {looks_of(report)}"
        )
    else:
        kinds = ", ".join(sorted({finding.kind.value for finding in report.findings})) or NOTHING_LOOKED_FOR
        failure = Xml.SubElement(case, "failure", {"type": report.verdict.value, "message": kinds})
        failure.text = _clean("\n".join([f"sha256 {report.sha256}", *map(words_of, report.findings)]))
    return case
