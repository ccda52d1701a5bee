"""Takes stock of one file: what it carries besides its picture, and what becomes of each thing."""

from __future__ import annotations

from pathlib import Path

from redact.errors import InputError
from redact.media.base import MediaHandler
from redact.media.registry import handler_for
from redact.media.sniff import identify, media_kind
from redact.media.source import open_regular, read_photo
from redact.metadata.inventory import Inventory, Stock
from redact.metadata.stock_photo import take_photo
from redact.policy import Policy


def take_stock(path: Path, policy: Policy, *, values: bool = False) -> Inventory:
    """The inventory of the file at `path` under `policy`. `values`: also what the fields say.

    Raises:
        UnsupportedInputError, DamagedInputError: it is no file of ours, or cannot be opened as one.
        InputError: it cannot be read.
    """
    name = identify(path)
    kind = media_kind(path, name)
    with open_regular(path) as source:
        size = source.seek(0, 2)
    stock = Stock(name, values=values, rights=policy.metadata.rights == "keep")
    if kind == "video":
        from redact.metadata.stock_film import take_film

        take_film(stock, path, name, keep_audio=policy.audio.mode == "keep")
    else:
        take_photo(stock, read_photo(path), name)
    handler = handler_for(path)
    width, height = _shown_size(handler, path)
    return Inventory(
        format=name, kind=kind, width=width, height=height, size=size, rows=stock.rows(), cut=stock.cut
    )


def _shown_size(handler: MediaHandler, path: Path) -> tuple[int, int]:
    """Size of the picture, or zeros: a broken picture still has metadata to tell of."""
    try:
        facts = handler.probe(path)
    except InputError:
        return 0, 0
    return facts.width, facts.height


__all__ = ["take_stock"]
