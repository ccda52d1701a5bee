"""The JSON report of one item: what was looked for, by what, what was covered and what the gate found."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from fractions import Fraction

from redact import __version__
from redact.pipeline import Outcome
from redact.plan import MediaFacts, Plan, Track
from redact.policy import Policy
from redact.report.models import (
    Analysis,
    Cover,
    Covered,
    GateFacts,
    InputFacts,
    ItemReport,
    OutputFacts,
    PolicyName,
    Processing,
    SoundFacts,
    Timeline,
    Tool,
)


def _covered(plan: Plan) -> Covered:
    tracks: dict[str, int] = {}
    frames = 0
    for track in plan.tracks:
        if track.keep:
            continue
        tracks[track.kind.value] = tracks.get(track.kind.value, 0) + 1
        frames += track.last - track.first + 1
    return Covered(tracks=dict(sorted(tracks.items())), track_frames=frames, sound=_sound(plan))


def _sound(plan: Plan) -> SoundFacts:
    overwritten = sum(
        ((edit.end - edit.start) * Fraction(*edit.time_base) for edit in plan.audio), Fraction(0)
    )
    plays = _plays(plan.media)  # what a reviewer silences to the end has no end
    seconds = min(float(overwritten), plays) if plays else float(overwritten)
    return SoundFacts(mode=plan.output.audio.mode, edits=len(plan.audio), seconds=round(seconds, 3))


def _plays(media: MediaFacts) -> float:
    """Seconds; 0 for photos, and for a time base that is none (a broken process may send one)."""
    if media.kind == "photo" or media.duration_ticks <= 0 or min(media.time_base) <= 0:
        return 0.0
    return round(float(min(media.duration_ticks * media.tick, Fraction(10**9))), 3)


def merged(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Stretches of frames (ends inclusive) in order, those that overlap or touch made one."""
    runs: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(runs[-1][1], last))
        else:
            runs.append((first, last))
    return tuple(runs)


def _cover(track: Track, media: MediaFacts) -> Cover:
    boxes = [span.box for span in track.spans] if media.frames == 1 else []
    return Cover(
        kind=track.kind,
        keep=track.keep,
        origins=tuple(sorted({span.origin for span in track.spans})),
        runs=merged((span.first, span.last) for span in track.spans),
        boxes=tuple((round(x, 1), round(y, 1), round(w, 1), round(h, 1)) for x, y, w, h in boxes),
    )


def item_report(outcome: Outcome, policy: Policy, models: Mapping[str, str], preview: bytes) -> str:
    """JSON text. `preview` is a JPEG of the published output, or empty; `models` maps ids to SHA-256."""
    plan, report = outcome.plan, outcome.report
    media = plan.media
    data = ItemReport(
        item=plan.item,
        verdict=outcome.verdict,
        tool=Tool(version=__version__),
        policy=PolicyName(name=policy.name, digest=policy.digest()),
        models=dict(sorted(models.items())),
        input=InputFacts(
            kind=media.kind,
            format=media.format,
            streams_dropped=tuple(sorted(stream.kind for stream in media.streams if not stream.kept)),
        ),
        output=OutputFacts(
            sha256=report.sha256,
            format=report.format,
            width=report.width,
            height=report.height,
            frames=report.frames,
            seconds=_plays(media),
        ),
        covered=_covered(plan),
        timeline=Timeline(shots=plan.shots, covers=tuple(_cover(track, media) for track in plan.tracks)),
        analysis=Analysis(shots=len(plan.shots), notes=plan.notes),
        gate=GateFacts(heal_rounds=outcome.heal_rounds, looked_for=report.looks, findings=report.findings),
        processing=Processing.of(outcome.seconds),
        preview_jpeg=base64.b64encode(preview).decode("ascii"),
    )
    return data.model_dump_json(indent=1)
