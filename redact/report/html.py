"""The contact sheet: one self-contained HTML page over all items of an output folder.

Pictures come from published output pixels alone; an item in review shows none, because what it was held back
for may be in them. Every value is escaped, and the page loads nothing.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from redact import __version__
from redact.errors import OutputError

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --ok: #1a7f37; --wait: #9a6700; --stop: #cf222e; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; }
article { border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
article > div { padding: .6rem .8rem; } article img { width: 100%; display: block; background: #8882; }
.none { height: 8rem; display: grid; place-items: center; background: #8882; text-align: center; }
.PUBLISH, .ACCEPTED { color: var(--ok); } .REVIEW { color: var(--wait); }
.BLOCK, .FAILED, .REJECTED { color: var(--stop); }
b { font-weight: 600; } code { font-size: .9em; } ul { margin: .3rem 0; padding-left: 1.1rem; }
table { border-collapse: collapse; } td, th { border-bottom: 1px solid var(--line); padding: .3rem .8rem;
text-align: left; }
"""
ORDER = {"BLOCK": 0, "FAILED": 1, "REJECTED": 2, "REVIEW": 3, "ACCEPTED": 4, "PUBLISH": 5}


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)


def _finding(finding: Mapping[str, Any]) -> str:
    place = ""
    if finding.get("first") is not None:
        place = f", frame {finding['first']}"
        if finding.get("last") not in (None, finding["first"]):
            place += f" to {finding['last']}"
    detail = f" ({_text(finding['detail'])})" if finding.get("detail") else ""
    return f"<li>{_text(finding['kind'])}{detail}{_text(place)}</li>"


def _card(item: Mapping[str, Any]) -> str:
    verdict = str(item["verdict"])
    preview = item.get("preview_jpeg") or ""
    picture = (
        f'<img alt="redacted output of {_text(item["item"])}" src="data:image/jpeg;base64,{_text(preview)}">'
        if preview
        else '<div class="none">not shown until a person has looked</div>'
    )
    if verdict in ("FAILED", "REJECTED"):
        picture = '<div class="none">nothing was kept</div>'
        body = f"<ul><li>{_text(item['reason'])}</li></ul>"
    else:
        covered = item["covered"]["tracks"]
        words = ", ".join(f"{count} {_text(kind)}" for kind, count in sorted(covered.items())) or "nothing"
        findings = "".join(_finding(finding) for finding in item["gate"]["findings"])
        output = item["output"]
        body = (
            f"<div>{_text(item['input']['kind'])}, {_text(output['width'])}×{_text(output['height'])}"
            f"{', ' + str(int(output['frames'])) + ' frames' if output['frames'] > 1 else ''}</div>"
            f"<div>covered: {words}</div>" + (f"<ul>{findings}</ul>" if findings else "")
        )
    by = f" by reviewer {_text(item['accepted_by'])}" if "accepted_by" in item else ""
    return (
        f'<article>{picture}<div><b class="{_text(verdict)}">{_text(verdict)}</b> '
        f"<code>{_text(item['item'])}</code>{by}{body}</div></article>"
    )


def _looks(items: Iterable[Mapping[str, Any]]) -> str:
    seen: dict[tuple[str, str], list[int]] = {}
    for item in items:
        for look in item.get("gate", {}).get("looked_for", []):
            entry = seen.setdefault((str(look["what"]), str(look["by"])), [0, 0, 0])
            entry[0] += 1
            entry[1] += int(look["frames"])
            entry[2] += int(look["of_frames"])
    rows = "".join(
        f"<tr><td>{_text(what)}</td><td>{_text(by)}</td><td>{n}</td><td>{frames or 'whole file'}"
        f"{f' of {of}' if of else ''}</td></tr>"
        for (what, by), (n, frames, of) in sorted(seen.items())
    )
    return (
        "<table><thead><tr><th>looked for</th><th>by</th><th>files</th><th>frames</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def index_page(report_folder: Path, states: Mapping[str, Mapping[str, Any]]) -> str:
    """HTML text of the page over every item in `states` (the ledger's last word on each).

    Raises:
        OutputError: an item's report is missing or unreadable.
    """
    items: list[dict[str, Any]] = []
    for item, state in states.items():
        if state["event"] == "failed":
            items.append({"item": item, "verdict": "FAILED", "reason": state["reason"]})
            continue
        review = state.get("review") or {}
        if state["event"] == "rejected":
            reason = f"rejected by reviewer {review.get('by', '')}"
            items.append({"item": item, "verdict": "REJECTED", "reason": reason})
            continue
        try:
            entry = json.loads((report_folder / "items" / f"{item}.json").read_text(encoding="utf-8"))
            if review.get("action") == "accept":
                entry["verdict"] = "ACCEPTED"
                entry["accepted_by"] = review.get("by", "")
            items.append(entry)
        except (OSError, ValueError) as error:
            raise OutputError("An item's report cannot be read; run the folder again.") from error
    items.sort(key=lambda entry: (ORDER.get(str(entry["verdict"]), 0), str(entry["item"])))
    counts = Counter(str(entry["verdict"]) for entry in items)
    summary = ", ".join(f"{counts[word]} {word}" for word in ORDER if counts[word]) or "no items"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>redact report</title>'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<style>{_STYLE}</style></head><body><h1>redact report</h1><p>{_text(summary)}. "
        "PUBLISH means that the checks below found nothing on the finished bytes; ACCEPTED, that a reviewer "
        "looked at what they found and let it pass. It does not mean that a "
        "person cannot be recognised: clothes, places and voices are not looked for.</p>"
        f"<h2>What was looked for</h2>{_looks(items)}<h2>Items</h2>"
        f'<div class="grid">{"".join(map(_card, items))}</div>'
        f"<p>redact {_text(__version__)}</p></body></html>"
    )
