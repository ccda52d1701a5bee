"""Writes the report of an output folder: `report/report.json` and `report/index.html`, from ledger and items.

Called at the end of every run and after every decision of a reviewer. It also takes the small pictures out of
item reports whose file was taken back: what a person rejected must not stay visible.
"""

from __future__ import annotations

import json
from pathlib import Path

from redact.batch.beside import SIDECAR_OF
from redact.batch.history import room_of
from redact.batch.store import Store
from redact.report.html import index_page
from redact.report.summary import last_run_of, read_items, summarise


def write_report(store: Store) -> None:
    """Write both files anew.

    Raises:
        OutputError: they could not be written.
    """
    histories = store.histories()
    everything = {item: found.settled for item, found in histories.items() if found.settled is not None}
    states = {item: state for item, state in everything.items() if SIDECAR_OF not in state}
    beside = sum(
        state["event"] == "released" and room_of(state) == "published"
        for item, state in everything.items()
        if SIDECAR_OF in state
    )
    folder = store.report / "items"
    reports = read_items(folder, states)
    for item, state in states.items():
        if state["event"] in ("failed", "rejected"):
            _take_out_picture(store, folder / f"{item}.json")
    run = summarise(
        states,
        reports,
        approvals={
            item: (found.approvals.needed, found.approvals.given) for item, found in histories.items()
        },
        beside=beside,
        last_run=last_run_of(store.ledger.rows()),
        ledger_head=str(store.ledger.head()),
    )
    store.write_text(store.report / "report.json", run.model_dump_json(indent=1))
    store.write_text(store.report / "index.html", index_page(run, states, reports))


def _take_out_picture(store: Store, file: Path) -> None:
    """Empty the preview of a report whose file was taken back."""
    try:
        data = json.loads(file.read_bytes())
        shown = data["preview_jpeg"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # none there, or none of ours: the page does not show it either
    if shown:
        store.write_text(file, json.dumps({**data, "preview_jpeg": ""}, indent=1))
