"""The JSON report of one item: what was looked for, by what, what was covered and what the gate found."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from redact import __version__
from redact.pipeline import Outcome
from redact.plan import Plan
from redact.policy import Policy

SCHEMA = 1


def _covers(plan: Plan) -> dict[str, Any]:
    by_kind: dict[str, int] = {}
    frames = 0
    for track in plan.tracks:
        by_kind[track.kind.value] = by_kind.get(track.kind.value, 0) + 1
        frames += track.last - track.first + 1
    return {"tracks": by_kind, "track_frames": frames, "sound": _sound(plan)}


def _sound(plan: Plan) -> dict[str, Any]:
    """What became of the sound: its mode, and how much of it was overwritten, in seconds (overlaps twice)."""
    overwritten = sum(
        ((edit.end - edit.start) * Fraction(*edit.time_base) for edit in plan.audio), Fraction(0)
    )
    return {"mode": plan.output.audio.mode, "edits": len(plan.audio), "seconds": round(float(overwritten), 3)}


def item_report(outcome: Outcome, policy: Policy, models: Mapping[str, str], preview: bytes) -> str:
    """JSON text. `preview` is a JPEG of the published output, or empty; `models` maps ids to SHA-256."""
    plan, report = outcome.plan, outcome.report
    media = plan.media
    data = {
        "schema": SCHEMA,
        "item": plan.item,
        "verdict": outcome.verdict.value,
        "tool": {"name": "redact", "version": __version__},
        "policy": {"name": policy.name, "digest": policy.digest()},
        "models": dict(models),
        "output": {
            "sha256": report.sha256,
            "format": report.format,
            "width": report.width,
            "height": report.height,
            "frames": report.frames,
        },
        "input": {
            "kind": media.kind,
            "format": media.format,
            "streams_dropped": sorted(s.kind for s in media.streams if not s.kept),
        },
        "covered": _covers(plan),
        "analysis": {"shots": len(plan.shots), "notes": list(plan.notes)},
        "gate": {
            "heal_rounds": outcome.heal_rounds,
            "looked_for": [look.model_dump() for look in report.looks],
            "findings": [finding.model_dump(mode="json") for finding in report.findings],
        },
        "preview_jpeg": base64.b64encode(preview).decode("ascii"),
    }
    return json.dumps(data, indent=1, sort_keys=True)
