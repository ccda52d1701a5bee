"""What was released beside an item: which of it lies there still, and how it is taken back.

Nothing may lie beside an item that is not published; who takes an item back calls `withdraw_beside` first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from redact.batch.store import Store

SIDECAR_OF = "sidecar_of"
"""Key of ledger rows of sidecars: the id of the item they lie beside."""


def released_beside(
    store: Store, owner: str, states: Mapping[str, Mapping[str, Any]] | None = None
) -> list[str]:
    """Ids of the sidecars that were released for this item and lie there still."""
    return [
        item
        for item, state in (store.states() if states is None else states).items()
        if state.get(SIDECAR_OF) == owner
        and (place := store.private.released(item))
        and (store.root / place).is_file()
    ]


def withdraw_beside(
    store: Store,
    owner: str,
    but: Collection[str] = (),
    states: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Take back what lies beside an item, except the ids `but`.

    Raises:
        OutputError: see `Store.withdraw`.
    """
    for item in released_beside(store, owner, states):
        if item not in but:
            store.withdraw(item)
