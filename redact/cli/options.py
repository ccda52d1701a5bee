"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from redact.names.watchlist import WatchList

PolicyOption = Annotated[
    str,
    typer.Option("--policy", metavar="NAME|FILE", help="A preset (strict, desk, faces-only) or a TOML file."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one setting, e.g. output.filenames=keep."),
]
NamesOption = Annotated[
    Path | None,
    typer.Option(
        "--names",
        metavar="FILE",
        help="The watch list: one person a line, aliases after commas, any script. Read once, never copied.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]


def read_names(file: Path | None) -> WatchList | None:
    """The watch list, or None if none was given.

    Raises:
        UsageError: it cannot be read, or a line of it holds no name.
    """
    return None if file is None else WatchList.read(file)
