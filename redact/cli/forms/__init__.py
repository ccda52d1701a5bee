"""The forms in which `redact check` says what it found: text, JSON lines, SARIF and JUnit.

A form takes judged files one after the other and gives lines to print. It names a file by the label it was
given, which is a number unless the user asked for paths, and says no more of its content than the gate did.
"""

from __future__ import annotations

from redact.cli.forms.base import Checked, Form
from redact.cli.forms.junit import JunitForm
from redact.cli.forms.lines import JsonForm, TextForm
from redact.cli.forms.sarif import SarifForm
from redact.errors import UsageError

FORMS: dict[str, type[Form]] = {"text": TextForm, "json": JsonForm, "sarif": SarifForm, "junit": JunitForm}


def form_named(name: str) -> Form:
    """A new form.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in FORMS:
        raise UsageError(f"--format takes one of {', '.join(FORMS)}.")
    return FORMS[name]()


__all__ = ["FORMS", "Checked", "Form", "form_named"]
