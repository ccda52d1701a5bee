"""`run`: every item of a folder through all stages, several at once, each one released or named as failed.

One thread a job slot; each slot owns its worker processes. Errors of an item end that item only. What is
already in the ledger under the same policy is not done again.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from redact.batch.events import Event, ItemDone, ItemProgress, ItemStarted, RunStarted
from redact.batch.jobs import GATE, MAKER, WorkerStages
from redact.batch.reporting import write_report
from redact.batch.review import rejected_finding
from redact.batch.settle import VERDICT_CODES, identity, settle, settled_before, write_failure
from redact.batch.sidecars import Sidecar, Sidecars
from redact.batch.store import Store, sha256_file
from redact.batch.versions import libraries
from redact.batch.walk import Entry, walk
from redact.detect.weights import ModelStore
from redact.errors import (
    ExitCode,
    InputError,
    OutputError,
    RedactError,
    UnsupportedInputError,
    UsageError,
    WorkerDiedError,
)
from redact.findings import Verdict
from redact.names.paths import names_somebody
from redact.names.watchlist import WatchList
from redact.pipeline import Outcome, process
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
    """Inputs, or parts of them, that failed by this machine's fault: worth another try. Never shown."""

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
        codes = (done.exit_code for done in self.items)
        return max(codes, key=lambda code: code.severity, default=ExitCode.PUBLISHED)


Listener = Callable[[Event], None]


@dataclass(frozen=True)
class _Work:
    entry: Entry
    item: str
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
        self.sidecars = Sidecars(store, entries, policy, self.identity)
        self.summary = RunSummary()
        self.stop = threading.Event()
        self.todo: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._listener = listener
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}

    def tell(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, ItemDone):
                self.summary.items.append(event)
            self._listener(event)

    def done_before(self, item: str) -> ItemDone | None:
        """The earlier result, if it is of the same policy, models and version and still lies there."""
        return settled_before(self.store, item, self.histories.get(item), self.identity)

    def output_name(self, work: _Work, extension: str) -> str:
        """Name below `published/` or `review/`; two inputs never share one."""
        if self.policy.output.filenames == "random":
            return work.item + extension
        relative = work.entry.relative
        if names_somebody(relative, self.options.watch):
            return work.item + extension
        fits = relative.suffix.lower() in _SAME_FORMAT.get(extension, {extension})
        choices = [
            relative if fits else relative.with_suffix(extension),
            relative.with_name(relative.name + extension),
            relative.with_name(f"{relative.stem}-{work.item}{extension}"),
        ]
        with self._lock:
            for choice in choices:
                key = str(choice).casefold()
                owner = self._names.get(key) or next(
                    filter(
                        None,
                        (self.store.private.owner(f"{room}/{choice}") for room in ("published", "review")),
                    ),
                    work.item,
                )
                if owner == work.item:
                    self._names[key] = work.item
                    return str(choice)
        raise OutputError("No free output name; use output.filenames = random.")

    def work_on(self, work: _Work, stages: WorkerStages) -> None:
        """One item from start to release. Never raises for the item's own sake."""
        self.tell(ItemStarted(work.item))

        def progress(stage: str, done: int, total: int) -> None:
            self.tell(ItemProgress(work.item, stage, done, total))

        try:
            if work.entry.refused:
                raise UnsupportedInputError(work.entry.refused)
            if self.options.dry_run:
                plan = stages.analyse(work.entry.path, work.item, self.policy, progress)
                self.store.write_text(self.store.plans / f"{work.item}.json", plan.to_json())
                self.tell(ItemDone(work.item, "planned", "", ExitCode.PUBLISHED))
                return
            with self.store.workspace(work.item) as folder:
                if work.before is not None:
                    self.tell(work.before)
                    self.release_sidecars(work, stages, folder)
                    return
                outcome = process(work.entry.path, work.item, self.policy, stages, folder, progress)
                history = self.histories.get(work.item)
                if history is not None and history.rejected:
                    outcome = replace(outcome, report=rejected_finding(outcome.report))
                self.release(work, outcome, stages)
        except RedactError as error:
            self.fail_item(work, error)
        except OSError as error:
            self.fail_item(work, OutputError("A file operation was refused (disk full?)."), error)

    def release(self, work: _Work, outcome: Outcome, stages: WorkerStages) -> None:
        name = self.output_name(work, outcome.file.suffix)
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
            except RedactError as error:
                self.remember(work, error)
                self.fail(beside.item, error)
            except OSError as error:  # the item itself lies in published/: it is not to fail for this
                refused = OutputError("A file operation was refused (disk full?).")
                self.remember(work, refused)
                self.fail(beside.item, refused, error)

    def remember(self, work: _Work, error: RedactError) -> None:
        """Note an input that is worth another try."""
        if error.exit_code is not ExitCode.INPUT_ERROR:
            with self._lock:
                self.summary.again.add(work.entry.path)

    def fail_item(self, work: _Work, error: RedactError, cause: OSError | None = None) -> None:
        """An item that failed, and what lies beside it."""
        if not self.options.dry_run:
            try:
                self.drop_sidecars(work)
            except OutputError as second:
                error = second
        self.remember(work, error)
        self.fail(work.item, error, cause)

    def fail(self, item: str, error: RedactError, cause: OSError | None = None) -> None:
        if not self.options.dry_run:
            try:
                write_failure(self.store, item, error, self.policy, self.identity)
            except (OSError, OutputError) as second:
                error = OutputError("The item failed and the ledger could not be written (disk full?).")
                error.__cause__ = second
        error.__context__ = cause
        self.tell(ItemDone(item, "failed", f"{error.reason}: {error}", error.exit_code))

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

    def stages(self, timeout_s: float) -> WorkerStages:
        """Worker processes for one job slot."""
        return WorkerStages(
            timeout_s,
            self.stop,
            self.options.maker,
            self.options.gate,
            policy=self.policy,
            spool=self.options.private_folder,
            follow_links=False,
            watch=self.options.watch,
        )

    def serve(self, ended: threading.Event) -> None:
        """A job slot: take items until there are none, then set `ended`."""
        stages = self.stages(self.policy.limits.item_timeout_s)
        try:
            while not self.stop.is_set() and (work := self.todo.get()) is not None:
                self.work_on(work, stages)
        except KeyboardInterrupt:
            pass  # `stop` was set while a worker was busy: the item stays undone, the next run takes it
        finally:
            stages.close()
            ended.set()


_SAME_FORMAT = {
    ".jpg": {".jpg", ".jpeg", ".jpe"},
    ".tif": {".tif", ".tiff"},
    ".heic": {".heic", ".heif"},
    ".mp4": {".mp4", ".m4v"},
    ".png": {".png", ".apng"},
}
"""Endings that may stay as they are when names are kept."""


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
        works = _sort_out(batch, entries)
        # events, for Python takes a thread for ended if Ctrl-C comes while somebody waits for it by `join`
        ended = [threading.Event() for _ in range(min(max(options.jobs, 1), max(len(works), 1)))]
        threads = [
            threading.Thread(target=batch.serve, args=(each,), name=f"slot-{n}")
            for n, each in enumerate(ended)
        ]
        batch.begin(works)
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
        batch.end(works)
        return batch.summary


def _sort_out(batch: _Batch, entries: list[Entry]) -> list[_Work]:
    """Give every media file its id; report what is already done; set companions aside."""
    works: list[_Work] = []
    finished: list[ItemDone] = []
    stages = batch.stages(60)
    try:
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
                entry = Entry(entry.path, entry.relative, "It could not be read.")  # noqa: PLW2901
                digest = ""
            item = batch.store.private.id_for(batch.store.private.job(relative, digest), relative)
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
                works.append(_Work(entry, item, sidecars, before))
        if works:
            level = batch.summary.isolation = stages.isolation()
            if not batch.options.dry_run:
                batch.store.ledger.append("isolation", level=level.describe(), complete=level.complete)
    finally:
        stages.close()
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
        except RedactError:
            break
        return True
    return True  # it kills or hangs whoever looks at it: an item, so that it fails as one, and it alone


__all__ = ["VERDICT_CODES", "Listener", "RunOptions", "RunSummary", "run"]
