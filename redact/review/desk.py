"""What happens behind the page's addresses: looking, deciding, drawing. What a person decides is done here.

The output folder is taken for the moment of a decision or drawing; a folder that another process has is an
error that says so. Nothing of a request becomes a path: ids are looked up in the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redact.batch.jobs import WorkerStages
from redact.batch.results import PlanText, Results, State
from redact.batch.review import accept, redraw, reject
from redact.batch.store import Store
from redact.errors import ChangedMeanwhileError, PlanMismatchError, UsageError
from redact.names.watchlist import WatchList
from redact.pipeline import StageProgress
from redact.plan import Box, Plan
from redact.policy import Policy
from redact.review.edits import edited
from redact.review.films import Film
from redact.review.items import Items
from redact.review.looks import Looks
from redact.review.originals import Originals
from redact.review.sessions import Door, Session
from redact.review.shapes import Accepting, Approved, Drawing, Following, Rejecting
from redact.review.work import Job, Jobs, Result
from redact.track.keys import KeyFrame

CHANGED = "The item changed meanwhile; look at it again, then decide."
OTHER_NAMES = "The run had another watch list than the app was started with; start it with the same --names."


@dataclass(frozen=True)
class Desk:
    """What the addresses work with."""

    out: Path
    policy: Policy
    watch: WatchList | None
    door: Door[Film]
    results: Results
    originals: Originals
    items: Items
    looks: Looks
    jobs: Jobs
    can_edit: bool
    """Whether there is an input folder at all."""


class Clerk:
    """Does what an address asks for, with what lies on the desk."""

    def __init__(self, desk: Desk, store: Callable[[Path], Store] = Store) -> None:
        self.desk, self._store = desk, store

    def frames_of(self, state: State) -> int:
        """How many frames the item has; 0 if its plan is not there."""
        plan = self.desk.items.plan(state)
        return plan.plan.media.frames if plan is not None else 0

    def name(self, state: State) -> str:
        """The item's input, relative to the input folder: for the eyes of whoever asked for it.

        Raises:
            OutputError: the private mapping is not here or does not know the item.
        """
        return self.desk.results.places(state.item).relative

    def film(self, session: Session[Film], state: State) -> str:
        """A ticket for the finished file.

        Raises:
            OutputError: the file is not there, or is not the one that was judged.
        """
        opened = self.desk.results.open(state)
        return self.desk.door.ticket(session, Film(state.item, state.sha256, opened))

    def playing(self, film: Film) -> bool:
        """Whether the film of a ticket is still what lies there: what was taken back is not played."""
        state = self.desk.results.state(film.item)
        return state is not None and bool(state.room) and state.sha256 == film.sha256

    def accept(self, item: str, by: str, asked: Accepting) -> tuple[str, Approved]:
        """Approve an item; whether it is published now or waits for another person.

        Raises:
            RedactError: see `redact.batch.review.accept`, and `Store`.
        """
        reasons = {int(index): text for index, text in asked.reasons.items()}
        with self._store(self.desk.out) as store:
            given = accept(store, item, by, reasons, sha256=asked.sha256, watch=self.desk.watch)
        approved = Approved(needed=given.needed, given=list(given.given))
        return ("published" if given.enough else "waiting"), approved

    def reject(self, item: str, by: str, asked: Rejecting) -> None:
        """Take an item's file back.

        Raises:
            RedactError: see `redact.batch.review.reject`, and `Store`.
        """
        with self._store(self.desk.out) as store:
            reject(store, item, by, sha256=asked.sha256, reason=asked.reason, watch=self.desk.watch)

    def draw(self, session: Session[Film], item: str, asked: Drawing) -> Job:
        """Begin to draw an edited plan.

        Raises:
            ChangedMeanwhileError: the item is another by now.
            PlanMismatchError: the edit cannot be drawn.
            UsageError: the item's covers cannot be changed here.
            BusyError: too much waits.
        """
        state, plan = self._editable(item, asked.sha256)
        if plan.sha256 != asked.plan:
            raise ChangedMeanwhileError(CHANGED)
        frames = plan.plan.media.frames
        new = edited(plan.plan, asked.tracks, asked.audio, frames)
        by = session.by
        return self.desk.jobs.begin(
            session, "draw", lambda stages, progress: self._draw(stages, progress, state, by, new)
        )

    def _editable(self, item: str, sha256: str = "") -> tuple[State, PlanText]:
        items = self.desk.items
        state = items.state(item)
        if sha256 and state.sha256 != sha256:
            raise ChangedMeanwhileError(CHANGED)
        plan = items.plan(state)
        why_not = items.why_not(state, plan)
        if why_not or plan is None:
            raise UsageError(why_not)
        return state, plan

    def _draw(
        self, stages: WorkerStages, progress: StageProgress, state: State, by: str, plan: Plan
    ) -> Result:
        desk = self.desk
        with desk.originals.opened(state) as file, self._store(desk.out) as store:
            row = store.states().get(state.item, {})
            names = "" if desk.watch is None else store.private.keyed("\n".join(desk.watch.lines))
            if row.get("names", "") != names:
                raise UsageError(OTHER_NAMES)
            done = redraw(
                store,
                state.item,
                by,
                plan,
                file,
                desk.policy,
                stages,
                desk.watch,
                sha256=state.sha256,
                progress=progress,
            )
            found = store.states().get(state.item, {}).get("findings", ())
        return {"outcome": done.status, "findings": len(found), "message": _OUTCOMES[done.status]}

    def follow(self, session: Session[Film], item: str, asked: Following) -> Job:
        """Begin to follow a region on the item's input.

        Raises:
            UsageError: the item's covers cannot be changed here.
            PlanMismatchError: the frames are not those of the item.
            BusyError: too much waits.
        """
        state, plan = self._editable(item)
        frames = plan.plan.media.frames
        keys = [KeyFrame(key.frame, Box(*key.box)) for key in asked.keys]
        if not asked.first <= asked.last < frames or any(
            not asked.first <= key.frame <= asked.last for key in keys
        ):
            raise PlanMismatchError("The frames to follow are not frames of this item.")

        def work(stages: WorkerStages, progress: StageProgress) -> Result:
            with self.desk.originals.opened(state) as file:
                spans = stages.follow(
                    file,
                    keys,
                    asked.first,
                    asked.last,
                    asked.kind,
                    progress,
                    policy=self.desk.policy,
                    frames=frames,
                )
            return {"spans": [span.model_dump(mode="json") for span in spans]}

        return self.desk.jobs.begin(session, "follow", work)


_OUTCOMES = {
    "published": "The finished file passed the checks and is published.",
    "review": "The finished file waits for a person: look at what is still found.",
    "blocked": "The finished file must not be published; look at what was found.",
}
