"""`run`: every item of a folder through all stages, several at once, each one released or named as failed.

One thread a job slot; each slot owns its worker processes. Errors of an item end that item only. What is
already in the ledger under the same policy is not done again.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from redact.batch.decided import Decided
from redact.batch.events import Event, ItemDone, ItemProgress, ItemStarted, RunStarted
from redact.batch.faults import public_error
from redact.batch.inputs import check_input
from redact.batch.jobs import WorkerStages
from redact.batch.naming import OutputNames
from redact.batch.reporting import write_report
from redact.batch.settle import VERDICT_CODES, identity, is_lasting, settle, settled_before, write_failure
from redact.batch.sidecars import Sidecar, Sidecars
from redact.batch.store import Store, sha256_file
from redact.batch.versions import libraries
from redact.batch.walk import Entry, walk
from redact.batch.worker_jobs import GATE, MAKER
from redact.detect.weights import ModelStore
from redact.errors import (
    ExitCode,
    InputError,
    InternalError,
    RedactError,
    UnreadableInputError,
    UsageError,
    WorkerDiedError,
)
from redact.findings import Verdict
from redact.names.watchlist import WatchList
from redact.pipeline import Outcome, StageProgress, process
from redact.policy import Policy
from redact.workers import Confinement


@dataclass(frozen=True)
class RunOptions:
    """How a batch is run; what is done to an item is in the policy alone."""

    jobs: int = 1
    dry_run: bool = False
    private_folder: Path | None = None
    maker: str = MAKER
    gate: str = GATE
    watch: WatchList | None = None
    """Names that must not appear; kept in memory, handed to workers through their pipes."""
    only: Callable[[Entry], bool] | None = None
    """Which entries of the folder are taken; the others are left for a later run. None: all."""


@dataclass
class RunSummary:
    """What became of every item."""

    items: list[ItemDone] = field(default_factory=list)
    set_aside: int = 0
    """Files that are no media and lie beside some; never copied."""
    interrupted: bool = False
    head: str = ""
    """The ledger's head at the end, `rows:digest`."""
    isolation: Confinement | None = None
    """What held the workers back; None if none was started."""
    again: set[Path] = field(default_factory=set)
    """Inputs, or parts of them, that were not there to read or failed by this machine's fault: worth another
    try. Never shown."""
    unheard: bool = False
    """Something could not be told to the listener, such as a closed standard output."""

    @property
    def counts(self) -> Counter[str]:
        """Items by status: published, review, blocked, failed, rejected, planned."""
        return Counter(done.status for done in self.items)

    @property
    def fresh(self) -> int:
        """Items that this run worked on, as against those it found done."""
        return sum(not done.already for done in self.items)

    @property
    def exit_code(self) -> ExitCode:
        """The worst of all items."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        codes = [done.exit_code for done in self.items]
        if self.unheard:
            codes.append(ExitCode.TOOL_ERROR)
        return max(codes, key=lambda code: code.severity, default=ExitCode.PUBLISHED)


Listener = Callable[[Event], None]


@dataclass(frozen=True)
class _Work:
    entry: Entry
    item: str
    sha256: str = ""
    """Of the input, when it got its id; empty if it is refused."""
    sidecars: tuple[Sidecar, ...] = ()
    before: ItemDone | None = None
    """The item itself is published already; only what lies beside it is to be done."""


class _Batch:
    """One run: the parts that its threads share."""

    def __init__(
        self, store: Store, policy: Policy, options: RunOptions, listener: Listener, entries: list[Entry]
    ) -> None:
        self.store, self.policy, self.options = store, policy, options
        self.models = ModelStore().digests()
        self.identity = identity(policy, self.models, store, options.watch)
        self.histories = store.histories()
        self.decided = Decided(store, self.histories)
        self.sidecars = Sidecars(store, entries, policy, self.identity)
        self.names = OutputNames(store, policy, options.watch)
        self.summary = RunSummary()
        self.stop = threading.Event()
        self.todo: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._listener = listener
        self._lock = threading.Lock()

    def tell(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, ItemDone):
                self.summary.items.append(event)
            try:
                self._listener(event)
            except Exception as error:  # noqa: BLE001 - the item is what it is, whether or not that can be told
                public_error(error)
                self.summary.unheard = True

    def done_before(self, item: str) -> ItemDone | None:
        """The earlier result, if it is of the same policy, models and version and still holds."""
        done = settled_before(self.store, item, self.histories.get(item), self.identity)
        overruled = done is not None and done.status == "published" and self.decided.overrule(item)
        return None if overruled else done

    def work_on(self, work: _Work, stages: WorkerStages) -> None:
        """One item from start to release. Never raises for the item's own sake."""
        self.tell(ItemStarted(work.item))

        def progress(stage: str, done: int, total: int) -> None:
            self.tell(ItemProgress(work.item, stage, done, total))

        try:
            work.entry.check()
            if self.options.dry_run:
                plan = stages.analyse(work.entry.path, work.item, self.policy, progress)
                self.store.write_text(self.dry_plan(work.item), plan.to_json())
                self.tell(ItemDone(work.item, "planned", "", ExitCode.PUBLISHED))
                return
            with self.store.workspace(work.item) as folder:
                if work.before is not None:
                    self.tell(work.before)
                    self.release_sidecars(work, stages, folder)
                    return
                outcome = self.process(work, stages, folder, progress)
                report = self.decided.noted(work.item, outcome.report)
                self.release(work, replace(outcome, report=report), stages)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends this item and no other
            self.fail_item(work, public_error(error))

    def dry_plan(self, item: str) -> Path:
        """Where a dry run's plan goes: beside the plan that the item's file was drawn by, if there is one."""
        history = self.histories.get(item)
        drawn = history is not None and "plan" in (history.settled or {})
        return self.store.plans / (f"{item}.dry-run.json" if drawn else f"{item}.json")

    def process(self, work: _Work, stages: WorkerStages, folder: Path, progress: StageProgress) -> Outcome:
        """All stages on the very bytes that the item's id is of, or none: the stages see to it meanwhile."""
        path = work.entry.path
        try:
            outcome = process(path, work.item, self.policy, stages, folder, progress)
        except UnreadableInputError:
            raise  # it is not there to compare
        except InputError:
            check_input(path, work.sha256)  # a file in the making fails for what it is not
            raise
        check_input(path, work.sha256, outcome.plan.source)
        return outcome

    def release(self, work: _Work, outcome: Outcome, stages: WorkerStages) -> None:
        name = self.names.choose(work.item, work.entry.relative, outcome.file.suffix)
        if outcome.verdict is not Verdict.PUBLISH:
            self.drop_sidecars(work)
        done = settle(self.store, work.item, outcome, self.policy, self.identity, name, stages)
        self.tell(done)
        if outcome.verdict is Verdict.PUBLISH:
            self.release_sidecars(work, stages, outcome.file.parent)

    def drop_sidecars(self, work: _Work) -> None:
        """Nothing lies beside an item that is not published."""
        self.sidecars.withdraw(work.item)
        with self._lock:
            self.summary.set_aside += len(work.sidecars)

    def release_sidecars(self, work: _Work, stages: WorkerStages, folder: Path) -> None:
        """The subtitle files of a published item; the errors of each are its own."""
        self.sidecars.withdraw(work.item, but=work.sidecars)
        for beside in work.sidecars:
            try:
                self.tell(self.sidecars.release(beside, work.item, stages, folder))
            except Exception as error:  # noqa: BLE001 - the item itself is published: it does not fail for this
                self.fail(work, beside.item, public_error(error))

    def fail_item(self, work: _Work, error: RedactError) -> None:
        """An item that failed, and what lies beside it."""
        if not self.options.dry_run:
            try:
                self.drop_sidecars(work)
            except Exception as second:  # noqa: BLE001 - the item is told as failed all the same
                error = public_error(second)
        self.fail(work, work.item, error)

    def fail(self, work: _Work, item: str, error: RedactError) -> None:
        """Take back what `item`, which is `work` or lies beside it, had released; write it down; tell it."""
        if not self.options.dry_run:
            try:
                write_failure(self.store, item, error, self.policy, self.identity)
            except Exception as second:  # noqa: BLE001 - the item is told as failed all the same
                error = public_error(second)
        if not is_lasting(error.exit_code, error.reason):
            with self._lock:
                self.summary.again.add(work.entry.path)
        self.tell(ItemDone(item, "failed", f"{error.reason}: {error}", error.exit_code))

    def fail_rest(self, works: list[_Work]) -> None:
        """Fail what no slot brought to its end; after an interruption that is for the next run."""
        if self.summary.interrupted:
            return
        ended = {done.item for done in self.summary.items}
        for work in works:
            if work.item not in ended:
                self.fail_item(work, InternalError("Its job slot ended before it was done; run again."))

    def begin(self, works: list[_Work]) -> None:
        """Write down what this run works with; a run that has nothing to do adds no row."""
        if works and not self.options.dry_run:
            self.store.ledger.append(
                "run", items=len(works), policy_name=self.policy.name, libraries=libraries(), **self.identity
            )

    def end(self, works: list[_Work]) -> None:
        """The run's last row, and the report."""
        if not self.options.dry_run:
            if works:
                fresh = Counter(done.status for done in self.summary.items if not done.already)
                self.store.ledger.append(
                    "run_ended", interrupted=self.summary.interrupted, counts=dict(fresh)
                )
            write_report(self.store)
        self.summary.head = str(self.store.ledger.head())

    def stages(self) -> WorkerStages:
        """Worker processes for one job slot."""
        return WorkerStages(
            self.policy.limits.item_timeout_s,
            self.stop,
            self.options.maker,
            self.options.gate,
            policy=self.policy,
            spool=self.options.private_folder,
            follow_links=False,
            watch=self.options.watch,
        )

    def serve(self, stages: WorkerStages, ended: threading.Event) -> None:
        """A job slot: take items until there are none, then set `ended`."""
        try:
            with contextlib.closing(stages):
                while not self.stop.is_set() and (work := self.todo.get()) is not None:
                    self.work_on(work, stages)
        except KeyboardInterrupt:
            pass  # `stop` was set while a worker was busy: the item stays undone, the next run takes it
        except Exception as error:  # noqa: BLE001 - a thread's last trace could hold a path; see `fail_rest`
            public_error(error)
        finally:
            ended.set()


def _check_places(source: Path, out: Path) -> None:
    inside, outside = source.resolve(), out.resolve()
    if inside == outside or inside in outside.parents or outside in inside.parents:
        raise UsageError("The input and output folders must lie outside each other.")


def run(
    source: Path,
    out: Path,
    policy: Policy,
    options: RunOptions | None = None,
    listener: Listener | None = None,
) -> RunSummary:
    """Process everything below `source` into `out`.

    Raises:
        UsageError: the folders are not usable together; nothing was touched.
        OutputError: `out` cannot be written or is in use.
        ModelError: weights are missing or altered.
    """
    options, listener = options or RunOptions(), listener or (lambda _: None)
    _check_places(source, out)
    entries = [entry for entry in walk(source) if options.only is None or options.only(entry)]
    ModelStore().verify()
    with Store(out, options.private_folder) as store:
        batch = _Batch(store, policy, options, listener, entries)
        first = batch.stages()
        try:
            works = _sort_out(batch, entries, first)
            batch.begin(works)
        except BaseException:
            first.close()
            raise
        # events, for Python takes a thread for ended if Ctrl-C comes while somebody waits for it by `join`
        ended = [threading.Event() for _ in range(min(max(options.jobs, 1), max(len(works), 1)))]
        threads = [
            # the first slot goes on with the processes that looked at what there is
            threading.Thread(
                target=batch.serve, args=(batch.stages() if n else first, each), name=f"slot-{n}"
            )
            for n, each in enumerate(ended)
        ]
        for work in works:
            batch.todo.put(work)
        for thread in threads:
            batch.todo.put(None)
            thread.start()
        try:
            for each in ended:
                while not each.wait(timeout=0.5):
                    pass
        except KeyboardInterrupt:
            batch.stop.set()
            batch.summary.interrupted = True
            for each in ended:
                each.wait()
        batch.fail_rest(works)
        batch.end(works)
        return batch.summary


def _sort_out(batch: _Batch, entries: list[Entry], stages: WorkerStages) -> list[_Work]:
    """Give every media file its id; report what is already done; set companions aside."""
    works: list[_Work] = []
    finished: list[ItemDone] = []
    for entry in entries:
        if entry.path in batch.sidecars.taken:
            continue  # its item takes it along
        if entry.companion and not entry.refused and not _is_media(entry, stages):
            batch.summary.set_aside += 1
            continue
        relative = str(entry.relative)
        try:
            digest = "" if entry.refused else sha256_file(entry.path)
        except OSError:
            entry = entry.unreadable()  # noqa: PLW2901
            digest = ""
        item = batch.store.private.id_for(batch.store.private.job(relative, digest), relative, digest)
        sidecars = batch.sidecars.of(entry, item)
        before = None if batch.options.dry_run else batch.done_before(item)
        if batch.options.dry_run or (before is not None and before.status != "published"):
            if before is not None:
                batch.sidecars.withdraw(item)
            batch.summary.set_aside += len(sidecars)
            sidecars = ()
        beside = None if before is None else batch.sidecars.before(item, sidecars)
        if before is not None and beside is not None:
            finished += [before, *beside]
        else:
            works.append(_Work(entry, item, digest, sidecars, before))
    if works:
        level = batch.summary.isolation = stages.isolation()
        if not batch.options.dry_run:
            batch.store.ledger.append("isolation", level=level.describe(), complete=level.complete)
    batch.tell(RunStarted(len(works), len(finished), batch.summary.set_aside))
    for done in finished:
        batch.tell(done)
    return works


def _is_media(entry: Entry, stages: WorkerStages) -> bool:
    for _ in range(2):  # a process that somebody else killed meanwhile says nothing of the file
        try:
            stages.sniff(entry.path)
        except WorkerDiedError:
            continue
        except InputError:
            return False
        except Exception as error:  # noqa: BLE001 - as an item it fails by itself, if it does again
            public_error(error)
            break
        return True
    return True  # it kills or hangs whoever looks at it: an item, so that it fails as one, and it alone


__all__ = ["VERDICT_CODES", "Listener", "RunOptions", "RunSummary", "run"]
