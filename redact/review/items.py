"""What there is to see: the queue, and everything about one item, from the output folder as it is now.

Reads ledger, plans and reports; holds no lock, opens no media and changes nothing. A report or plan that is
not about the very file that lies there is not used.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from pydantic import TypeAdapter, ValidationError

from redact.batch.reasons import needs_reason
from redact.batch.results import PlanText, Results, State
from redact.errors import OutputError, RedactError
from redact.findings import Finding, FindingKind
from redact.policy import Policy
from redact.report.models import ItemReport
from redact.report.words import FINDINGS, NOTES
from redact.review.edits import shown_sound
from redact.review.order import Picture, riskiest_first
from redact.review.originals import Originals
from redact.review.shapes import (
    Approved,
    FindingShown,
    Happened,
    Item,
    Looked,
    QueueItem,
    TrackShown,
)

MOST_REPORTS = 20_000
NO_PLAN = "Its plan is not there, or is not the one that the file was drawn by; run the folder again."
OTHER_POLICY = (
    "It was made under another policy than the app was started with; start it with the same --policy and "
    "--set as the run."
)
_FINDINGS = TypeAdapter(tuple[Finding, ...])
Standing = Literal["REVIEW", "BLOCK", "PUBLISH", "ACCEPTED"]


@dataclass(frozen=True)
class Brief:
    """What the queue shows of an item's report."""

    kind: Literal["photo", "animation", "video", ""] = ""
    format: str = ""
    covers: tuple[tuple[str, int], ...] = ()
    width: int = 0
    height: int = 0
    frames: int = 0
    seconds: float = 0.0


class NoSuchItemError(RedactError):
    """Nothing lies in a room for an item of that id."""

    reason = "no_such_item"


def standing(state: State) -> Standing:
    """Where the item stands, in the words of the report."""
    if state.status == "published":
        return "PUBLISH" if state.verdict == "PUBLISH" else "ACCEPTED"
    return "BLOCK" if state.status == "blocked" else "REVIEW"


def findings_of(state: State) -> tuple[Finding, ...]:
    """The findings that the record holds for the item, in its order.

    Raises:
        OutputError: they are of another version of this tool.
    """
    try:
        return _FINDINGS.validate_python(state.findings)
    except ValidationError as error:
        raise OutputError(
            "The item was judged by another version of this tool; run the folder again."
        ) from error


def shown_finding(index: int, finding: Finding) -> FindingShown:
    """A finding in words."""
    words = FINDINGS[finding.kind]
    if finding.kind is FindingKind.NOTE and finding.detail in NOTES:
        words = f"{words}: {NOTES[finding.detail]}"
    return FindingShown(
        index=index,
        kind=finding.kind.value,
        words=words,
        detail=finding.detail,
        severity=cast("Literal['REVIEW', 'BLOCK']", finding.severity.value),
        score=finding.score,
        first=finding.first,
        last=finding.last,
        box=finding.box,
        needs_reason=needs_reason(finding),
    )


class Items:
    """One output folder, for looking. Safe to share between threads."""

    def __init__(self, results: Results, originals: Originals, policy: Policy) -> None:
        self.results, self._originals, self._policy = results, originals, policy
        self._briefs: OrderedDict[tuple[str, str], Brief] = OrderedDict()
        self._lock = threading.Lock()

    def state(self, item: str) -> State:
        """What holds for an item that lies in a room.

        Raises:
            NoSuchItemError: there is none.
            LedgerError: the record cannot be read.
        """
        state = self.results.state(item)
        if state is None or not state.room:
            raise NoSuchItemError("There is no such item, or it is being moved; load the list again.")
        return state

    def queue(self, room: str) -> list[QueueItem]:
        """What lies in a room; what waits comes riskiest first, what is published newest first."""
        if room == "published":
            return [self._line(state) for state in self.results.published()]
        keyed = []
        for state in self.results.waiting():
            brief = self._brief(state)
            try:
                findings: Sequence[Finding] = findings_of(state)
            except OutputError:
                findings = ()
            picture = Picture(brief.width, brief.height, brief.frames)
            key = riskiest_first(findings, picture, state.time, state.item)
            keyed.append(((state.status != "blocked", *key), state))
        keyed.sort(key=lambda pair: pair[0])
        return [self._line(state) for _, state in keyed]

    def _line(self, state: State) -> QueueItem:
        brief = self._brief(state)
        return QueueItem(
            item=state.item,
            kind=brief.kind,
            format=brief.format,
            standing=standing(state),
            findings=dict(Counter(str(each.get("kind", "")) for each in state.findings)),
            covers=dict(brief.covers),
            width=brief.width,
            height=brief.height,
            frames=brief.frames,
            seconds=brief.seconds,
            approvals=_approved(state),
            time=state.time,
            notes=[*filter(None, dict.fromkeys(map(_note_in_words, state.findings)))],
        )

    def _brief(self, state: State) -> Brief:
        key = (state.item, state.sha256)
        with self._lock:
            if key in self._briefs:
                self._briefs.move_to_end(key)
                return self._briefs[key]
        report = self._report(state)
        if report is None:
            return Brief()  # it may be written a moment later
        brief = Brief(
            kind=report.input.kind,
            format=report.output.format,
            covers=tuple((kind.value, count) for kind, count in report.covered.tracks.items()),
            width=report.output.width,
            height=report.output.height,
            frames=report.output.frames,
            seconds=report.output.seconds,
        )
        with self._lock:
            self._briefs[key] = brief
            while len(self._briefs) > MOST_REPORTS:
                self._briefs.popitem(last=False)
        return brief

    def _report(self, state: State) -> ItemReport | None:
        try:
            report = ItemReport.model_validate_json(self.results.report(state.item))
        except (OutputError, ValidationError, RecursionError):
            return None
        return report if (report.item, report.output.sha256) == (state.item, state.sha256) else None

    def plan(self, state: State) -> PlanText | None:
        """The plan that the file was drawn by; None if it is not there."""
        try:
            return self.results.plan(state.item)
        except RedactError:
            return None

    def is_film(self, state: State) -> bool:
        """Whether its frames have times."""
        return self._brief(state).kind in ("animation", "video")

    def why_not(self, state: State, plan: PlanText | None) -> str:
        """Why the item's covers cannot be changed here; empty if they can."""
        if plan is None:
            return NO_PLAN
        if state.policy_digest != self._policy.digest():
            return OTHER_POLICY
        return self._why_no_original(state)

    def _why_no_original(self, state: State) -> str:
        try:
            return self._originals.why_not(state)
        except OutputError as error:
            return str(error)

    def item(self, state: State, times: tuple[float, ...]) -> Item:
        """Everything about an item. `times` are those of its frames; empty for a photo.

        Raises:
            RedactError: the record cannot be read.
        """
        brief, report, plan = self._brief(state), self._report(state), self.plan(state)
        why_not = self.why_not(state, plan)
        drawn = plan.plan if plan is not None else None
        sound = drawn is not None and any(each.kind == "audio" and each.kept for each in drawn.media.streams)
        mode = drawn.output.audio.mode if drawn is not None else ""
        return Item(
            item=state.item,
            sha256=state.sha256,
            plan=plan.sha256 if plan is not None else "",
            kind=brief.kind or (drawn.media.kind if drawn is not None else ""),
            standing=standing(state),
            room=state.room,
            width=brief.width or (drawn.media.width if drawn is not None else 0),
            height=brief.height or (drawn.media.height if drawn is not None else 0),
            frames=brief.frames or (drawn.media.frames if drawn is not None else 0),
            seconds=brief.seconds,
            frame_times=list(times),
            has_sound=sound and mode != "remove",
            findings=[shown_finding(n, finding) for n, finding in enumerate(findings_of(state))],
            looked_for=[
                Looked(what=look.what, by=look.by, frames=look.frames, of_frames=look.of_frames)
                for look in (report.gate.looked_for if report is not None else ())
            ],
            tracks=[
                TrackShown(
                    id=track.id,
                    kind=track.kind,
                    score=track.score,
                    keep=track.keep,
                    spans=list(track.spans),
                )
                for track in (drawn.tracks if drawn is not None else ())
            ],
            audio=[shown_sound(edit) for edit in (drawn.audio if drawn is not None else ())],
            audio_mode=mode,
            shots=list(drawn.shots) if drawn is not None else [],
            approvals=_approved(state),
            has_original=not self._why_no_original(state),
            can_edit=not why_not,
            why_not=why_not,
            history=[
                Happened(time=deed.time, event=deed.event, by=deed.by, reason="; ".join(deed.reasons))
                for deed in self.results.history(state.item)
            ],
        )


def _note_in_words(finding: Mapping[str, Any]) -> str:
    """A note's words; empty for what is no note, or one that has none."""
    return NOTES.get(str(finding.get("detail")), "") if finding.get("kind") == FindingKind.NOTE else ""


def _approved(state: State) -> Approved:
    return Approved(needed=state.approvals.needed, given=list(state.approvals.given))
