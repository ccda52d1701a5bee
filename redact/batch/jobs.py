"""The stages over worker processes: `Stages` that ask children to do `redact.batch.worker_jobs`.

Analysis and rendering run in one process, the gate in another that never saw the plan. Only JSON text,
numbers and thumbnails' bytes cross between them, and what comes back is checked here. Each process sees its
one input under a name of no meaning in a folder of its own, and nothing else of the machine's files.
"""

from __future__ import annotations

import math
import re
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from redact.batch.looking import (
    MAX_WIDTH,
    file_key,
    is_plain_jpeg,
    read_spans,
    read_times,
    write_keys,
)
from redact.batch.private import state_folder
from redact.batch.worker_jobs import GATE, MAKER, SIGNER
from redact.detect.weights import ModelStore, list_file
from redact.errors import RedactError, UsageError, WorkerDiedError
from redact.findings import GateReport
from redact.metadata.inventory import Inventory
from redact.names.watchlist import WatchList
from redact.pipeline import StageProgress
from redact.plan import EXTENSIONS, Kind, Plan, Span
from redact.policy import LimitsPolicy, Policy
from redact.track.keys import KeyFrame, checked_keys
from redact.workers import (
    Access,
    Confinement,
    Reply,
    Spool,
    Worker,
    WorkerLimits,
    sweep,
)

MAX_THUMBNAIL_BYTES = 1 << 20
SNIFF_S = 60.0
"""What telling a format may take, whatever an item may."""
_FORMAT = re.compile(r"[a-z0-9_]{1,32}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_WORDS = re.compile(r"[A-Za-z0-9_.,:;@/+\-' ()&]{0,1000}\Z")


def worker_limits(limits: LimitsPolicy) -> WorkerLimits:
    """The policy's bounds of one worker process."""
    return WorkerLimits(
        memory_mb=limits.memory_mb,
        cpu_s=limits.cpu_s,
        open_files=limits.open_files,
        output_mb=limits.output_mb,
        required=limits.require_isolation,
    )


def _nonsense() -> WorkerDiedError:
    return WorkerDiedError(
        "The process working on this item gave no valid answer; nothing was published. Run it again."
    )


def _sound_report(untrusted_report: str) -> GateReport:
    try:
        report = GateReport.model_validate_json(untrusted_report)
    except (ValidationError, RecursionError) as error:
        raise _nonsense() from error
    words = [report.format, *(look.what for look in report.looks), *(look.by for look in report.looks)]
    if not _DIGEST.match(report.sha256) or not all(map(_WORDS.match, words)):
        raise _nonsense()
    return report


def _program_read() -> tuple[Path, ...]:
    """Models and their list: what workers read besides libraries and their input."""
    return (ModelStore().folder, list_file())


def _programs(*names: str) -> tuple[Path, ...]:
    """Programs that a worker may start, where they are installed; they are confined like the worker."""
    found = [Path(place) for name in names if (place := shutil.which(name))]
    return (*(place.resolve() for place in found), *found)


class WorkerStages:
    """`redact.pipeline.Stages` over two worker processes, plus the thumbnail of a published file.

    `spool` is the private folder in which the workers' own folders are made. `follow_links` is for paths that
    a user named; in a walked folder a link may have taken a file's place. `watch` goes to the workers inside
    their requests, through a pipe; never on a command line.
    """

    def __init__(
        self,
        timeout_s: float,
        stop: threading.Event,
        maker: str = MAKER,
        gate: str = GATE,
        *,
        policy: Policy | None = None,
        spool: Path | None = None,
        follow_links: bool = True,
        watch: WatchList | None = None,
    ) -> None:
        policy = policy or Policy()
        self._names = "\n".join(watch.lines) if watch is not None else None
        root = (spool or state_folder()) / "spool"
        sweep(root)
        bounds, read = worker_limits(policy.limits), _program_read()
        by_name = policy.text.mode == "names"
        self._made, self._judged = Spool(root), Spool(root)
        self._maker = Worker(
            maker,
            bounds,
            Access(
                read=(*read, self._made.entry),
                write=(self._made.exit,),
                programs=_programs("tesseract") if by_name else (),
            ),
        )
        self._gate = Worker(
            gate,
            bounds,
            # its writable folder is for the scratch files of libraries; nothing is taken from it
            Access(
                read=(*read, self._judged.entry),
                write=(self._judged.exit,),
                programs=_programs("ffprobe", *(["tesseract"] if by_name or watch is not None else [])),
            ),
        )
        self._signed = Spool(root)
        keys = (policy.provenance.certificate, policy.provenance.key)
        # the one worker that may read the key; it opens nothing but what the maker wrote
        self._signer = Worker(
            SIGNER,
            bounds,
            Access(
                read=(self._signed.entry, *(Path(each).absolute() for each in keys if each)),
                write=(self._signed.exit,),
            ),
        )
        self._timeout, self._stop, self._follow = timeout_s, stop, follow_links
        self._policy = policy

    def isolation(self) -> Confinement:
        """What holds the workers back on this machine: the weaker of the two."""
        self._made.make()
        self._judged.make()
        levels: list[Confinement] = [self._maker.start(), self._gate.start()]
        return min(levels, key=lambda level: (level.complete, level.landlock, level.namespace))

    def _ask(
        self,
        worker: Worker,
        job: str,
        progress: StageProgress | None = None,
        most_s: float = math.inf,
        **request: Any,
    ) -> Reply:
        seconds = min(self._timeout, most_s)
        return worker.call(job, request, timeout_s=seconds, progress=progress, stop=self._stop)

    def _ask_text(
        self, worker: Worker, job: str, progress: StageProgress | None = None, **request: Any
    ) -> str:
        untrusted_reply = self._ask(worker, job, progress, **request)
        if not isinstance(untrusted_reply, str):
            worker.close()
            raise _nonsense()
        return untrusted_reply

    def sniff(self, path: Path) -> str:
        """The file's format by content; UnsupportedInputError if it is none of ours."""
        with self._made.admit(path, follow=self._follow) as inside:
            untrusted_format = self._ask_text(self._maker, "sniff", most_s=SNIFF_S, path=str(inside))
        if not _FORMAT.match(untrusted_format):
            raise _nonsense()
        return untrusted_format

    def take_stock(self, path: Path, policy: Policy, *, values: bool) -> Inventory:
        """What the file carries besides its picture; see `redact.metadata.stocktaking.take_stock`."""
        with self._made.admit(path, follow=self._follow) as inside:
            untrusted_stock = self._ask_text(
                self._maker, "stock", path=str(inside), policy=policy.model_dump_json(), values=values
            )
        try:
            return Inventory.model_validate_json(untrusted_stock)
        except (ValidationError, RecursionError) as error:
            raise _nonsense() from error

    def analyse(self, path: Path, item: str, policy: Policy, progress: StageProgress) -> Plan:
        """See `redact.pipeline.Stages`."""
        with self._made.admit(path, follow=self._follow) as inside:
            untrusted_plan = self._ask_text(
                self._maker,
                "analyse",
                progress,
                path=str(inside),
                item=item,
                policy=policy.model_dump_json(),
                names=self._names,
            )
        try:
            plan = Plan.from_json(untrusted_plan)
        except (RedactError, RecursionError) as error:
            raise _nonsense() from error
        # a plan that claims to be another item's, or to be made under another policy, or that asks for a
        # format that nobody writes, is no answer
        if (
            (plan.item, plan.policy_digest, plan.policy) != (item, policy.digest(), policy.name)
            or plan.output.format not in EXTENSIONS
            or any(track.keep for track in plan.tracks)
        ):
            raise _nonsense()
        return plan

    def render(self, path: Path, plan: Plan, target: Path, progress: StageProgress) -> None:
        """See `redact.pipeline.Stages`."""
        with (
            self._made.admit(path, follow=self._follow) as inside,
            self._made.produce(target) as finished,
        ):
            self._ask(
                self._maker,
                "render",
                progress,
                path=str(inside),
                plan=plan.model_dump_json(),
                target=str(finished),
            )

    def sign(self, path: Path, format: str, policy: Policy, target: Path) -> None:
        """See `redact.pipeline.Stages`."""
        keys = policy.provenance.model_copy(
            update={
                "certificate": str(Path(policy.provenance.certificate).absolute()),
                "key": str(Path(policy.provenance.key).absolute()),
            }
        )
        with (
            self._signed.admit(path, follow=self._follow) as inside,
            self._signed.produce(target) as finished,
        ):
            self._ask(
                self._signer,
                "sign",
                path=str(inside),
                format=format,
                provenance=keys.model_dump_json(),
                target=str(finished),
            )

    def inspect(
        self,
        path: Path,
        policy: Policy,
        focus: tuple[int, ...],
        progress: StageProgress,
        standalone: bool = False,
    ) -> GateReport:
        """See `redact.pipeline.Stages`. `standalone`: nothing is known of where the file comes from."""
        with self._judged.admit(path, follow=self._follow) as inside:
            untrusted_report = self._ask_text(
                self._gate,
                "inspect",
                progress,
                path=str(inside),
                policy=policy.model_dump_json(),
                focus=focus,
                standalone=standalone,
                names=self._names,
            )
        return _sound_report(untrusted_report)

    def inspect_text(self, path: Path) -> GateReport:
        """Judge a text file by the watch list and by what looks like a person's name."""
        with self._judged.admit(path, follow=self._follow) as inside:
            untrusted_report = self._ask_text(self._gate, "inspect_text", path=str(inside), names=self._names)
        return _sound_report(untrusted_report)

    def subtitles(self, path: Path, target: Path) -> None:
        """Write the subtitle file at `path` afresh to `target`, without names.

        Raises:
            DamagedInputError: it holds no subtitles that can be read.
        """
        with (
            self._made.admit(path, follow=self._follow) as inside,
            self._made.produce(target) as finished,
        ):
            self._ask(
                self._maker,
                "subtitles",
                path=str(inside),
                ending=path.suffix.lower(),
                target=str(finished),
                names=self._names,
            )

    def thumbnail(self, path: Path) -> bytes:
        """A small JPEG of a finished file."""
        with self._judged.admit(path, follow=self._follow) as inside:
            untrusted_jpeg = self._ask(self._gate, "thumbnail", path=str(inside))
        if (
            not isinstance(untrusted_jpeg, bytes)
            or len(untrusted_jpeg) > MAX_THUMBNAIL_BYTES
            or not untrusted_jpeg.startswith(b"\xff\xd8\xff")
        ):
            raise _nonsense()
        return untrusted_jpeg

    def frame(
        self,
        path: Path,
        index: int,
        *,
        finished: bool,
        width: int = MAX_WIDTH,
        policy: Policy,
        frames: int = 0,
    ) -> bytes:
        """One frame as a new JPEG of at most `width` columns; see `redact.media.frame_at`.

        `finished`: the file is a finished one, for the gate's process; else an input, for the other.
        `frames`: how many the item's plan counts. Without it a frame of an input is found by decoding all
        before it, which is slow on films. The worker keeps the file open for the next call, until it is
        asked for another one or `close` is called.

        Raises:
            UsageError: there is no frame of that number, or no such width.
            InputError: the file cannot be read whole up to there, or is beyond the policy's limits.
        """
        if index < 0 or not 1 <= width <= MAX_WIDTH:
            raise UsageError(f"Frames are counted from 0, and are at most {MAX_WIDTH} pixels wide.")
        untrusted_jpeg = self._look("frame", path, finished, policy, frames=frames, index=index, width=width)
        if not is_plain_jpeg(untrusted_jpeg, width):
            (self._gate if finished else self._maker).close()
            raise _nonsense()
        assert isinstance(untrusted_jpeg, bytes)
        return untrusted_jpeg

    def frame_times(
        self, path: Path, *, finished: bool, policy: Policy, frames: int = 0
    ) -> tuple[float, ...]:
        """Seconds of every frame on the file's own clock, which never fall; see `frame`."""
        untrusted_times = self._look("times", path, finished, policy, frames=frames)
        times = read_times(untrusted_times, policy.limits.max_frames)
        if times is None:
            (self._gate if finished else self._maker).close()
            raise _nonsense()
        return times

    def follow(
        self,
        path: Path,
        keys: Sequence[KeyFrame],
        first: int,
        last: int,
        kind: Kind,
        progress: StageProgress,
        *,
        policy: Policy | None = None,
        frames: int = 0,
    ) -> tuple[Span, ...]:
        """Spans that tile `first` to `last` of an input and hold what was drawn on the key frames; see
        `redact.track.follow` and, for `frames`, `frame`.

        Raises:
            UsageError: the key frames are none that can be followed.
            InputError: the file cannot be read whole up to there, or is beyond the policy's limits.
        """
        ordered = checked_keys(keys, first, last)
        untrusted_spans = self._look(
            "follow",
            path,
            False,
            policy or self._policy,
            progress,
            keys=write_keys(ordered),
            first=first,
            last=last,
            kind=kind.value,
            frames=frames,
        )
        spans = read_spans(untrusted_spans, ordered, first, last)
        if spans is None:
            self._maker.close()
            raise _nonsense()
        return spans

    def _look(
        self,
        job: str,
        path: Path,
        finished: bool,
        policy: Policy,
        progress: StageProgress | None = None,
        **request: Any,
    ) -> Reply:
        """Ask for something of a file that the worker may still hold open; hand it over if it does not."""
        worker, spool = (self._gate, self._judged) if finished else (self._maker, self._made)
        spool.make()
        request |= {"max_pixels": policy.limits.max_pixels, "key": file_key(path, follow=self._follow)}
        untrusted_reply = self._ask(worker, job, progress, path="", **request)
        if untrusted_reply is not None:
            return untrusted_reply
        with spool.admit(path, follow=self._follow) as inside:
            if file_key(path, follow=self._follow) != request["key"]:  # another file is there by now
                request["key"] = ""
            return self._ask(worker, job, progress, path=str(inside), **request)

    def close(self) -> None:
        """End the processes and remove their folders."""
        self._maker.close()
        self._gate.close()
        self._signer.close()
        self._made.close()
        self._judged.close()
        self._signed.close()


def isolation_level() -> Confinement:
    """What this machine offers: a worker is started and asked."""
    worker = Worker(MAKER, WorkerLimits(), Access())
    try:
        return worker.start()
    finally:
        worker.close()
