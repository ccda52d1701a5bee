"""The ledger for people who do not read databases: text, CSV or JSON, in the order of the rows.

Takes checked rows, gives text. Holds what the ledger holds and no more: no names, no paths; the same ledger
always gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Iterable
from typing import Any

from redact.batch.history import EVENTS, room_of
from redact.batch.ledger import GENESIS, Head, Link

FORMATS = ("text", "csv", "json")
COLUMNS = {
    "seq": "number of the row; the order of rows is by this number alone",
    "time": "UTC by the clock of the machine that wrote it; a wrong clock changes no order",
    "event": "what happened; the events are listed below",
    "item": "public id of the item, random; which input it was is known to the private mapping alone",
    "room": "published or review: where the file was put",
    "verdict": "what the gate said of the finished bytes: PUBLISH, REVIEW or BLOCK",
    "review": "a person's decision and code: accept (published as it was; with the codes of all who approved "
    "it), approve (another must too), reject, plan (redrawn)",
    "reasons": "why the person let each finding pass, or rejected the item, as typed",
    "approvals": "how many people must approve the file if it waits in review; empty: one",
    "sha256": "SHA-256 of the finished file, so it can be compared with any copy",
    "input_salt": "32 hex digits, random for each item",
    "input_sha256": "SHA-256 over the salt's 16 bytes followed by the input's bytes: who holds the input can "
    "check it, nobody can look it up",
    "policy": "name of the policy and SHA-256 of all its settings",
    "version": "version of this tool",
    "findings": "what the gate saw: kind, place in the file, frames; never its content",
    "detail": "of a failure: a fixed word; of a run: versions, models' SHA-256; of its end: items by outcome",
    "digest": "SHA-256 that chains this row to the one before",
}
HOW_TO_CHECK = (
    "Each row's digest is the SHA-256 of the digest before it, a line feed, and the row as JSON "
    '{"data":…,"event":…,"item":…} in ASCII with keys sorted and no spaces; before the first row it is 64 '
    "zeros. Whoever noted the head can show later that no row up to it was changed, added or removed: "
    "`redact ledger verify OUT --head HEAD`. The same command compares every file with its row."
)


def _finding(data: dict[str, Any]) -> str:
    frames = f" frames {data['first']}-{data.get('last')}" if data.get("first") is not None else ""
    detail = f" ({data['detail']})" if data.get("detail") else ""
    return f"{data.get('kind', '?')}{detail}{frames}"


def _review(review: dict[str, Any]) -> str:
    if not review:
        return ""
    codes = " and ".join(map(str, review.get("approvals", (review.get("by"),))))
    return f"{review.get('action')} by {codes}"


def _reasons(review: dict[str, Any]) -> list[str]:
    found = [f"{_finding(each)}: {each.get('reason')}" for each in review.get("reasons", ())]
    return [*found, *filter(None, (review.get("reason"),))]


def _detail(event: str, data: dict[str, Any]) -> str:
    if event == "run":
        with_digests = (f"{name} {digest}" for name, digest in sorted(data.get("models", {}).items()))
        with_versions = (f"{name} {number}" for name, number in sorted(data.get("libraries", {}).items()))
        return ", ".join((*with_versions, *with_digests))
    if event == "run_ended":
        counts = ", ".join(f"{count} {word}" for word, count in sorted(data.get("counts", {}).items()))
        return f"{counts} (interrupted)" if data.get("interrupted") else counts
    return str(data.get("reason", ""))


def _row(link: Link) -> dict[str, str]:
    data = link.data
    review, source = data.get("review") or {}, data.get("source") or {}
    policy = " ".join(filter(None, (data.get("policy_name"), data.get("policy"))))
    return {
        "seq": str(link.seq),
        "time": str(data.get("time", "")),
        "event": link.event,
        "item": link.item,
        "room": room_of(data) if link.event in ("releasing", "released") else "",
        "verdict": str(data.get("verdict", "")),
        "review": _review(review),
        "reasons": "; ".join(_reasons(review)),
        "approvals": str(data.get("approvals", "")),
        "sha256": str(data.get("sha256", "")),
        "input_salt": str(source.get("salt", "")),
        "input_sha256": str(source.get("sha256", "")),
        "policy": policy,
        "version": str(data.get("version", "")),
        "findings": "; ".join(map(_finding, data.get("findings", []))),
        "detail": _detail(link.event, data),
        "digest": link.digest,
    }


def _explained() -> list[str]:
    lines = [f"column {name}: {meaning}" for name, meaning in COLUMNS.items()]
    return [*lines, *(f"event {name}: {meaning}" for name, meaning in EVENTS.items()), HOW_TO_CHECK]


def export(links: Iterable[Link], form: str) -> str:
    """All rows as `text`, `csv` (explanations in lines that begin with #) or `json` (with every row's whole
    data, enough to compute the chain again).
    """
    found = list(links)
    head = Head(found[-1].seq, found[-1].digest) if found else Head(0, GENESIS)
    if form == "json":
        return _json(found, head)
    title = [f"Ledger of redact, {head.rows} rows. Head: {head}", *_explained()]
    if form == "csv":
        return _csv(found, title)
    wrapped = [textwrap.fill(line, 100, subsequent_indent="    ", break_long_words=False) for line in title]
    return "\n".join([*wrapped, "", *(_block(link) for link in found)]) + "\n"


def _block(link: Link) -> str:
    cells = {name: value for name, value in _row(link).items() if value}
    first = " ".join(cells.pop(name) for name in ("seq", "time", "event", "item") if name in cells)
    return "\n".join([first, *(f"    {name}: {value}" for name, value in cells.items())])


def _csv(links: list[Link], title: list[str]) -> str:
    text = io.StringIO()
    text.writelines(f"# {line}\n" for line in title)
    writer = csv.DictWriter(text, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    for link in links:
        # a spreadsheet takes a leading =, +, - or @ for a formula; a policy's name could begin so
        writer.writerow(
            {
                name: "'" + value if value[:1] in "=+-@" and value else value
                for name, value in _row(link).items()
            }
        )
    return text.getvalue()


def _json(links: list[Link], head: Head) -> str:
    rows = [
        {
            "seq": link.seq,
            "event": link.event,
            "item": link.item,
            "data": link.data,
            "previous": link.previous,
            "digest": link.digest,
        }
        for link in links
    ]
    about = {"columns": COLUMNS, "events": EVENTS, "how_to_check": HOW_TO_CHECK}
    return json.dumps({"about": about, "head": str(head), "rows": rows}, indent=1, ensure_ascii=False) + "\n"
