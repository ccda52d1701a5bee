"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

PolicyOption = Annotated[
    str,
    typer.Option("--policy", metavar="NAME|FILE", help="A preset (strict, desk, faces-only) or a TOML file."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one setting, e.g. output.filenames=keep."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]
