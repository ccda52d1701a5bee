"""`redact init`: five questions, and a commented policy file for a newsroom. Every answer may be an option.

The first answer of each question is the strict one. Comments are the settings' own documentation, so the file
says what `redact policy show` says.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from redact.errors import OutputError, UsageError
from redact.policy import PRESETS, Policy, describe, load_policy

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """One answer: its word, what it means, and the settings it makes."""

    word: str
    meaning: str
    settings: Settings


@dataclass(frozen=True)
class Question:
    """One question; the first choice is the strict one."""

    option: str
    text: str
    choices: tuple[Choice, ...]


QUESTIONS = (
    Question(
        "text",
        "What is covered besides faces?",
        (
            Choice("all", "every written line that is found", {"text.mode": "all"}),
            Choice("captions", "only lines laid over the picture; signs stay", {"text.mode": "captions"}),
            # what nobody covers, the gate must not hold back either
            Choice("none", "nothing; a person clears texts", {"text.mode": "off", "gate.text": False}),
        ),
    ),
    Question(
        "faceless",
        "A picture in which no face is found: what becomes of it?",
        (
            Choice("review", "a person looks whether a face was missed", {"faces.require_one": True}),
            Choice("publish", "it may pass, for desks with landscapes", {"faces.require_one": False}),
        ),
    ),
    Question(
        "sound",
        "What becomes of the sound of videos? Names are spoken too.",
        (
            Choice("remove", "no sound at all", {"audio.mode": "remove"}),
            Choice("mute_speech", "speech that is found is silenced", {"audio.mode": "mute_speech"}),
            Choice("keep", "it stays; every such item waits for a person", {"audio.mode": "keep"}),
        ),
    ),
    Question(
        "rights",
        "Creator, credit and copyright in the files: what becomes of them?",
        (
            Choice("drop", "nothing is written beside the picture", {"metadata.rights": "drop"}),
            Choice("keep", "these fields are written afresh", {"metadata.rights": "keep"}),
        ),
    ),
    Question(
        "filenames",
        "How are published files named?",
        (
            Choice("random", "by ids that tell nothing", {"output.filenames": "random"}),
            Choice("keep", "as the inputs, which may hold names", {"output.filenames": "keep"}),
        ),
    ),
)
WORTH_KNOWING = (
    "faces.mode",
    "text.detection",
    "text.band",
    "cover.mode",
    "audio.listened",
    "sidecars.mode",
    "provenance.mode",
    "limits.require_isolation",
)
"""Settings that the file shows commented out, with their defaults."""


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="# ", subsequent_indent="# ")


def policy_text(name: str, settings: Settings) -> str:
    """The policy file: the settings that were chosen, and those worth knowing commented out."""
    meanings = {key: meaning for key, _, meaning in describe(Policy())}
    defaults = {key: value for key, value, _ in describe(Policy())}
    lines = [
        *_comment(
            "Policy of a newsroom, written by `redact init`. Use it with --policy FILE; whatever is not set "
            "here is as in the preset. `redact policy show --policy FILE` lists every setting and its value."
        ),
        *_comment(
            "Names that must not appear are no part of it: give the list with --names (docs/names.md)."
        ),
        "",
        'preset = "strict"',
        f"name = {json.dumps(name)}  # stands in reports and in the ledger",
    ]
    shown = [*settings, *(key for key in WORTH_KNOWING if key not in settings)]
    for section in dict.fromkeys(key.partition(".")[0] for key in defaults if "." in key):
        keys = [key for key in shown if key.startswith(f"{section}.")]
        lines += ["", f"[{section}]"] if keys else []
        for key in keys:
            chosen = key in settings
            value = json.dumps(settings[key] if chosen else defaults[key])
            lines += [*_comment(meanings[key]), f"{'' if chosen else '# '}{key.partition('.')[2]} = {value}"]
    return "\n".join(lines) + "\n"


def _ask(question: Question) -> Choice:
    typer.echo(f"\n{question.text}")
    for number, choice in enumerate(question.choices, 1):
        typer.echo(f"  {number}  {choice.word:12} {choice.meaning}")
    while True:
        answer = typer.prompt("Number or word", default="1").strip().lower()
        for number, choice in enumerate(question.choices, 1):
            if answer in (str(number), choice.word):
                return choice
        typer.echo("That is none of them.")


def _answer(question: Question, given: str | None, strict: bool) -> Choice:
    if given is not None:
        for choice in question.choices:
            if choice.word == given:
                return choice
        words = ", ".join(choice.word for choice in question.choices)
        raise UsageError(f"--{question.option} takes one of {words}.")
    return question.choices[0] if strict else _ask(question)


def _option(number: int) -> Any:
    question = QUESTIONS[number]
    words = "|".join(choice.word for choice in question.choices)
    return typer.Option(f"--{question.option}", metavar=words, help=question.text)


def command(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="The new policy file.")] = Path(
        "newsroom.toml"
    ),
    name: Annotated[str, typer.Option("--name", help="The policy's name; no preset's.")] = "newsroom",
    text: Annotated[str | None, _option(0)] = None,
    faceless: Annotated[str | None, _option(1)] = None,
    sound: Annotated[str | None, _option(2)] = None,
    rights: Annotated[str | None, _option(3)] = None,
    filenames: Annotated[str | None, _option(4)] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Ask nothing: the strict answer wherever none is given.")
    ] = False,
) -> None:
    """Ask five questions and write a commented policy file; nothing is overwritten."""
    if name in PRESETS:
        raise UsageError("--name must not be a preset's; choose one of your own.")
    if file.exists() or file.is_symlink():
        raise UsageError("FILE exists already; choose another name.")
    given = (text, faceless, sound, rights, filenames)
    missing = [f"--{each.option}" for each, said in zip(QUESTIONS, given, strict=True) if said is None]
    if missing and not strict and not sys.stdin.isatty():
        raise UsageError(f"There is no terminal to ask on; give {', '.join(missing)}, or --strict.")
    settings: dict[str, Any] = {}
    for question, said in zip(QUESTIONS, given, strict=True):
        settings |= _answer(question, said, strict).settings
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(policy_text(name, settings))
    except FileExistsError as error:
        raise UsageError("FILE exists already; choose another name.") from error
    except OSError as error:
        raise OutputError("The policy file cannot be written; check permissions and free space.") from error
    try:
        load_policy(str(file))
    except UsageError:
        file.unlink()
        raise
    typer.echo("Written. Read it, change what does not fit, and give it with --policy.")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("init")(command)
