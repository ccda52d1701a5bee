"""Writes the report of an output folder: `report/report.json` and `report/index.html`, from ledger and items.

Called at the end of every run and after every decision of a reviewer. It also takes the small pictures out of
item reports whose file is not published any more: what a person rejected must not stay visible.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from redact.batch.beside import SIDECAR_OF
from redact.batch.history import room_of
from redact.batch.store import Store
from redact.errors import OutputError
from redact.report.html import index_page
from redact.report.summary import last_run_of, read_items, summarise


def write_report(store: Store) -> None:
    """Write both files anew.

    Raises:
        OutputError: they could not be written.
    """
    everything = store.states()
    states = {item: state for item, state in everything.items() if SIDECAR_OF not in state}
    beside = sum(
        state["event"] == "released" and room_of(state) == "published"
        for item, state in everything.items()
        if SIDECAR_OF in state
    )
    folder = store.report / "items"
    reports = read_items(folder, states)
    _take_out_pictures(store, folder, states, skip={i for i in reports if room_of(states[i]) == "published"})
    run = summarise(
        states,
        reports,
        beside=beside,
        last_run=last_run_of(store.ledger.rows()),
        ledger_head=str(store.ledger.head()),
    )
    store.write_text(store.report / "report.json", run.model_dump_json(indent=1))
    store.write_text(store.report / "index.html", index_page(run, states, reports))


def _take_out_pictures(
    store: Store, folder: Path, states: Mapping[str, Mapping[str, Any]], skip: Collection[str]
) -> None:
    """Empty the previews of reports whose file does not lie in `published/`; `skip` are known to do."""
    try:
        files = sorted(folder.glob("*.json"))
    except OSError as error:
        raise OutputError("The reports cannot be read; check the output folder's permissions.") from error
    for file in files:
        if file.stem in skip:
            continue
        try:
            data = json.loads(file.read_bytes())
            shown, digest = data["preview_jpeg"], data["output"]["sha256"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # no report of ours: the page does not show it either
        state = states.get(file.stem, {})
        stands = state.get("event") == "released" and room_of(dict(state)) == "published"
        if shown and not (stands and state.get("sha256") == digest):
            store.write_text(file, json.dumps({**data, "preview_jpeg": ""}, indent=1))
