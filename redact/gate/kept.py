"""Faces a newsroom shows on purpose: which of the gate's findings a reviewed plan answers for.

Opt-in and narrow: a person marks a track of the plan with `keep`, the policy must allow it by name and until
a day, and every face that is shown so is counted in the report. Nothing here recognises anybody, and nothing
about the face is stored.
"""

from __future__ import annotations

from datetime import date

from redact.errors import PlanMismatchError
from redact.findings import FindingKind, GateReport, Look
from redact.plan import Box, Plan, Track
from redact.policy import Policy

FACES = frozenset({FindingKind.FACE, FindingKind.FACE_EXPECTED})
INSIDE = 0.75
"""Share of a finding's box that must lie in the kept track's box on every frame where it was seen."""


def check_keeping(plan: Plan, policy: Policy, today: date) -> None:
    """Refuse a plan that keeps faces where the policy does not allow it today.

    Raises:
        PlanMismatchError: it keeps faces, and `keep.mode` is never or `keep.until` has passed.
    """
    if not any(track.keep for track in plan.tracks):
        return
    if policy.keep.mode == "never" or policy.keep.until is None:
        raise PlanMismatchError("The plan keeps faces and this policy never does; see keep.mode.")
    if today > policy.keep.until:
        raise PlanMismatchError("The plan keeps faces, but keep.until of this policy has passed.")


def without_kept(report: GateReport, plan: Plan) -> GateReport:
    """The report without findings of faces that the plan's kept tracks account for, and with their number."""
    kept = [track for track in plan.tracks if track.keep]
    if not kept:
        return report
    findings = tuple(
        finding
        for finding in report.findings
        if finding.kind not in FACES
        or finding.box is None
        or not any(_holds(track, Box(*finding.box), finding.first, finding.last) for track in kept)
    )
    look = Look(what="faces shown on purpose", by="a reviewed plan", frames=len(kept), of_frames=len(kept))
    return report.model_copy(update={"findings": findings, "looks": (*report.looks, look)})


def _holds(track: Track, box: Box, first: int | None, last: int | None) -> bool:
    """Whether the track is there on all of these frames, around the box."""
    if first is None or last is None or box.area <= 0:
        return False
    spans = [span for span in track.spans if span.last >= first and span.first <= last]
    frame = first
    for span in sorted(spans, key=lambda span: span.first):
        if span.first > frame or Box(*span.box).intersection(box) < INSIDE * box.area:
            return False
        frame = max(frame, span.last + 1)
    return frame > last
