"""Whether a path names somebody: then it must not become the name of a published file. Pure."""

from __future__ import annotations

import re
from pathlib import PurePath

from redact.names.hints import person_hints
from redact.names.watchlist import WatchList


def names_somebody(relative: PurePath, watch: WatchList | None) -> bool:
    """Whether the path, folders included, has a name of the list or what looks like a person's name."""
    folders, stem = relative.parts[:-1], relative.stem
    for part in (*folders, stem):
        spaced = re.sub(r"[\W_]+", " ", part)
        if person_hints(spaced) or (watch is not None and (watch.find(part) or watch.find(spaced))):
            return True
    # a given name as a folder and the surname in it
    return watch is not None and bool(watch.find(" ".join((*folders, stem))))
