"""Writes docs/redact.1, the manual page, from the commands themselves: `python scripts/man_page.py [FILE]`.

Takes names, options and help texts from the application, so the page says what `--help` says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from redact import __version__
from redact.cli.app import EXIT_TABLE, app

PAGE = Path(__file__).resolve().parent.parent / "docs" / "redact.1"
ENVIRONMENT = {
    "REDACT_PRIVATE_DIR": "Folder of the private mapping, which id was which input; mode 0700, outside OUT. "
    "Default: redact in the user's state folder.",
    "REDACT_WEIGHTS": "Folder of the model weights.",
    "REDACT_DEBUG": "1 prints traces of internal errors, which may hold paths: for developers only.",
}
FILES = {
    "OUT/published/": "Finished files that passed the gate. Only these may be published.",
    "OUT/review/": "Finished files that a person must look at first.",
    "OUT/ledger.sqlite": "The record: digests, policy, verdicts; each row chained to the one before.",
    "OUT/health.json": "State and counts of redact watch.",
}


def _plain(text: str) -> str:
    """Text as roff prints it: nothing in it is a command, and hyphens are the ones of a keyboard."""
    text = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    text = text.replace("'", "\\(aq").replace("\u2026", "...")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _items(pairs: dict[str, str]) -> Iterator[str]:
    for term, meaning in pairs.items():
        yield from (".TP", f".B {_plain(term)}", _plain(meaning))


def _value(parameter: Any) -> str:
    if parameter.is_flag:
        return ""
    kind = parameter.type_descriptor.annotation
    return parameter.metavar or {int: "NUMBER", float: "NUMBER", Path: "FILE"}.get(kind, "VALUE")


def _option(parameter: Any) -> Iterator[str]:
    names = ", ".join(f"\\fB{_plain(name)}\\fR" for name in (*parameter.opts, *parameter.secondary_opts))
    value = _value(parameter)
    more = " (may be repeated)" if parameter.multiple else ""
    default = parameter.default
    if not parameter.is_flag and isinstance(default, str | int | float) and default != "":
        more += f" Default: {default}."
    yield from (".TP", f"{names} \\fI{_plain(value)}\\fR" if value else names)
    yield _plain(f"{parameter.help or ''}{more}") or "\\&"


def _command(path: str, command: Any) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is not None:
        for name, each in inner.items():
            yield from _command(f"{path} {name}", each)
        return
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    words = [each.metavar or each.name.upper() for each in arguments]
    yield f".SS {_plain(' '.join([path, *(['[OPTIONS]'] if options else []), *words]))}"
    yield _plain(command.help or "")
    for each in arguments:
        yield from (
            ".TP",
            f".I {_plain(each.metavar or each.name.upper())}",
            _plain(each.help or "") or "\\&",
        )
    for each in options:
        yield from _option(each)


def page() -> str:
    """The whole page."""
    root: Any = typer.main.get_command(app)
    statuses = dict(line.split(maxsplit=1) for line in EXIT_TABLE.split("\n\n"))
    lines = [
        '.\\" Written by scripts/man_page.py from the commands; change those instead.',
        f'.TH REDACT 1 "" "redact {__version__}" "User Commands"',
        *(".SH NAME", f"redact \\- {_plain(root.help[0].lower() + root.help[1:].rstrip('.'))}"),
        *(".SH SYNOPSIS", ".B redact", ".I COMMAND", "[\\fIOPTIONS\\fR] ..."),
        *(".SH DESCRIPTION", "Nothing reaches OUT/published unless the gate passed the finished bytes;"),
        *("what is unsure waits in OUT/review for a person. No command but", ".B redact models pull"),
        "downloads anything.",
        ".SH OPTIONS",
        *(line for each in root.params for line in _option(each)),
        ".SH COMMANDS",
        *(line for name, each in root.commands.items() for line in _command(f"redact {name}", each)),
        *(".SH EXIT STATUS", *_items(statuses)),
        "A batch exits with its worst item.",
        *(".SH ENVIRONMENT", *_items(ENVIRONMENT)),
        *(".SH FILES", *_items(FILES)),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE).write_text(page(), encoding="utf-8")
