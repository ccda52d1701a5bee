"""One item through all stages: analyse, plan, render, gate, and once more around if the gate saw something.

The stages are reached through `Stages`, so that the same walk runs in one process (`redact.stages`) or over
worker processes (`redact.batch.jobs`); this module loads no model and decodes nothing. Nothing is published
here: the outcome is a finished file in a private folder and a verdict on exactly its bytes; releasing is the
batch's work.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal, Protocol

from redact.cover.area import area_notes
from redact.findings import Finding, FindingKind, GateReport, Verdict
from redact.gate.heal import heal_tracks
from redact.gate.kept import check_keeping, without_kept
from redact.plan import EXTENSIONS, Plan, Track
from redact.policy import Policy

StageProgress = Callable[[str, int, int], None]
"""Called with (stage, frames done, frames in all)."""
Stage = Literal["analyse", "render", "sign", "gate"]
"""What takes an item's time."""


class StageClock:
    """Wall-clock seconds that an item spent in every stage; rounds add up."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds: dict[Stage, float] = {}
        self._now = now

    @contextlib.contextmanager
    def timing(self, stage: Stage) -> Iterator[None]:
        """Count what happens inside as time of `stage`."""
        began = self._now()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + self._now() - began


class Stages(Protocol):
    """The stages of one item, wherever they run."""

    def analyse(self, path: Path, item: str, policy: Policy, progress: StageProgress) -> Plan:
        """See `redact.analysis.analyse`."""

    def render(self, path: Path, plan: Plan, target: Path, progress: StageProgress) -> None:
        """See `redact.rendering.render`."""

    def sign(self, path: Path, format: str, policy: Policy, target: Path) -> None:
        """See `redact.signing.sign`."""

    def inspect(
        self, path: Path, policy: Policy, focus: tuple[int, ...], progress: StageProgress
    ) -> GateReport:
        """See `redact.gate.inspect`; `focus` are frames to look at in any case."""


@dataclass(frozen=True)
class Outcome:
    """A finished file that nobody has released yet."""

    plan: Plan
    report: GateReport
    """On the bytes of `file`; its findings include the plan's notes."""
    file: Path
    heal_rounds: int
    seconds: Mapping[Stage, float] = field(default_factory=dict)
    """Wall-clock time by stage. It is told to people and decides nothing, so no digest covers it."""

    @property
    def verdict(self) -> Verdict:
        """What may happen to `file`."""
        return self.report.verdict


def focus_frames(plan: Plan, most: int = 400) -> tuple[int, ...]:
    """Frames on which a miss is likeliest: ends of shots, and just outside both ends of every track."""
    last = plan.media.frames - 1
    frames = {0, last}
    for first, end in plan.shots:
        frames |= {first, end}
    for track in plan.tracks:
        frames |= {max(track.first - 1, 0), min(track.last + 1, last)}
    ordered = sorted(frames)
    step = -(-len(ordered) // most)
    return tuple(ordered[::step])


def note_findings(plan: Plan) -> tuple[Finding, ...]:
    """What analysis wants a person to look at, as findings."""
    return tuple(Finding(kind=FindingKind.NOTE, detail=note) for note in plan.notes)


def process(
    path: Path, item: str, policy: Policy, stages: Stages, work: Path, progress: StageProgress
) -> Outcome:
    """Take the file at `path` through all stages; the result lies in the folder `work`.

    A face or text that the gate still sees is covered where it was seen and the item is rendered and gated
    again, at most `policy.gate.heal_rounds` times; what is still found then is for a person.

    Raises:
        RedactError: of whatever stage failed. Nothing usable is left in `work` then.
    """
    clock = StageClock()
    with clock.timing("analyse"):
        plan = stages.analyse(path, item, policy, progress)
    rounds = 0
    while True:
        target = work / f"{item}-{rounds}{EXTENSIONS[plan.output.format]}"
        with clock.timing("render"):
            stages.render(path, plan, target, progress)
        _sign(target, plan, policy, stages, clock)
        with clock.timing("gate"):
            report = stages.inspect(target, policy, focus_frames(plan), progress)
        extra = heal_tracks(report, policy) if rounds < policy.gate.heal_rounds else []
        if not extra:
            # healing adds covers: together they may blank the picture
            grown = area_notes(plan.tracks, plan.media.width, plan.media.height, policy.text)
            fresh = tuple(note for note in grown if note not in plan.notes)
            plan = plan.model_copy(update={"notes": plan.notes + fresh})
            notes = note_findings(plan)
            return Outcome(plan, _with_findings(report, notes), target, rounds, clock.seconds)
        target.unlink()
        plan = plan.with_tracks(_within(extra, plan))
        rounds += 1


def draw(
    path: Path,
    plan: Plan,
    policy: Policy,
    stages: Stages,
    target: Path,
    today: date,
    clock: StageClock | None = None,
    progress: StageProgress = lambda *_: None,
) -> GateReport:
    """Render a reviewer's plan as it stands to `target`, sign it if `policy` does, have the gate judge it.

    Nothing is healed. `clock` is told how long that took.

    Raises:
        PlanMismatchError: it is of another file, or keeps faces that `policy` does not allow on `today`.
        RedactError: of whatever stage failed.
    """
    check_keeping(plan, policy, today)
    clock = clock or StageClock()
    with clock.timing("render"):
        stages.render(path, plan, target, progress)
    _sign(target, plan, policy, stages, clock)
    with clock.timing("gate"):
        report = stages.inspect(target, policy, focus_frames(plan), progress)
    return without_kept(report, plan)


def _sign(target: Path, plan: Plan, policy: Policy, stages: Stages, clock: StageClock) -> None:
    """Put a signed copy in the place of `target`: what is judged, and released, are the signed bytes."""
    if policy.provenance.mode == "none":
        return
    signed = target.with_name(f"{target.stem}-signed{target.suffix}")
    try:
        with clock.timing("sign"):
            stages.sign(target, plan.output.format, policy, signed)
        signed.replace(target)
    finally:
        signed.unlink(missing_ok=True)


def _with_findings(report: GateReport, notes: tuple[Finding, ...]) -> GateReport:
    return report.model_copy(update={"findings": report.findings + notes}) if notes else report


def _within(tracks: list[Track], plan: Plan) -> list[Track]:
    """Tracks cut to the media's frames: a healing margin may reach beyond the last one."""
    last = plan.media.frames - 1
    inside = []
    for track in tracks:
        spans = tuple(
            span.model_copy(update={"last": min(span.last, last)})
            for span in track.spans
            if span.first <= last
        )
        if spans:
            inside.append(track.model_copy(update={"spans": spans}))
    return inside


__all__ = [
    "Outcome",
    "Stage",
    "StageClock",
    "StageProgress",
    "Stages",
    "draw",
    "focus_frames",
    "note_findings",
    "process",
]
