"""The stages as jobs of worker processes: what runs in a child, and the `Stages` that call it from outside.

Analysis and rendering run in one process, the gate in another that never saw the plan. Only JSON text,
numbers and thumbnails' bytes cross between them, and what comes back is checked here. Each process sees its
one input under a name of no meaning in a folder of its own, and nothing else of the machine's files.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from redact.batch.private import state_folder
from redact.detect.weights import ModelStore, list_file
from redact.errors import RedactError, WorkerDiedError
from redact.findings import GateReport
from redact.metadata.inventory import Inventory
from redact.names.watchlist import WatchList
from redact.pipeline import StageProgress
from redact.plan import Plan
from redact.policy import LimitsPolicy, Policy, ProvenancePolicy
from redact.workers import (
    Access,
    Confinement,
    Job,
    ProgressCallback,
    Reply,
    Spool,
    Worker,
    WorkerLimits,
    sweep,
)

MAKER = "redact.batch.jobs:maker_jobs"
GATE = "redact.batch.jobs:gate_jobs"
SIGNER = "redact.batch.jobs:signer_jobs"
MAX_THUMBNAIL_BYTES = 1 << 20
_FORMAT = re.compile(r"[a-z0-9_]{1,32}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_WORDS = re.compile(r"[A-Za-z0-9_.,:;@/+\-' ()&]{0,1000}\Z")


@lru_cache(maxsize=2)
def _watch(lines: str | None) -> WatchList | None:
    """The list of a request, a person a line; the last ones are kept, for their skeletons are made once."""
    return WatchList(tuple(lines.split("\n"))) if lines is not None else None


def _limit_library_threads() -> None:
    import cv2

    cv2.setNumThreads(1)


def maker_jobs() -> Mapping[str, Job]:
    """Jobs of the process that analyses and renders. Imports the model libraries: call it in a child only."""
    from redact.media.sniff import identify
    from redact.media.source import read_photo, write_new
    from redact.metadata.stocktaking import take_stock
    from redact.names.subtitles import redacted_subtitles
    from redact.stages import LocalStages

    _limit_library_threads()
    stages = LocalStages()

    def sniff(request: Mapping[str, Any], _: ProgressCallback) -> str:
        return identify(Path(request["path"]))

    def analyse(request: Mapping[str, Any], progress: ProgressCallback) -> str:
        policy = Policy.model_validate_json(request["policy"])
        watch = _watch(request["names"])
        plan = stages.analyse(Path(request["path"]), request["item"], policy, progress, watch)
        return plan.model_dump_json()

    def render(request: Mapping[str, Any], progress: ProgressCallback) -> None:
        plan = Plan.from_json(request["plan"])
        stages.render(Path(request["path"]), plan, Path(request["target"]), progress)

    def stock(request: Mapping[str, Any], _: ProgressCallback) -> str:
        policy = Policy.model_validate_json(request["policy"])
        return take_stock(Path(request["path"]), policy, values=request["values"]).model_dump_json()

    def subtitles(request: Mapping[str, Any], _: ProgressCallback) -> None:
        data = redacted_subtitles(
            read_photo(Path(request["path"])), request["ending"], _watch(request["names"])
        )
        write_new(Path(request["target"]), data)

    return {"sniff": sniff, "analyse": analyse, "render": render, "stock": stock, "subtitles": subtitles}


def gate_jobs() -> Mapping[str, Job]:
    """Jobs of the process that judges finished files."""
    from redact.gate.inspect import inspect
    from redact.gate.text_file import inspect_text
    from redact.report.thumbnail import thumbnail

    _limit_library_threads()

    def judge(request: Mapping[str, Any], progress: ProgressCallback) -> str:
        policy = Policy.model_validate_json(request["policy"])
        report = inspect(
            Path(request["path"]),
            policy,
            standalone=request["standalone"],
            focus=request["focus"],
            progress=lambda done, total: progress("gate", done, total),
            watch=_watch(request["names"]),
        )
        return report.model_dump_json()

    def shrink(request: Mapping[str, Any], _: ProgressCallback) -> bytes:
        return thumbnail(Path(request["path"]))

    def judge_text(request: Mapping[str, Any], _: ProgressCallback) -> str:
        return inspect_text(Path(request["path"]), _watch(request["names"])).model_dump_json()

    return {"inspect": judge, "thumbnail": shrink, "inspect_text": judge_text}


def signer_jobs() -> Mapping[str, Job]:
    """Jobs of the process that holds the signing key: it opens finished files only."""
    from redact.signing import sign

    def seal(request: Mapping[str, Any], _: ProgressCallback) -> None:
        provenance = ProvenancePolicy.model_validate_json(request["provenance"])
        sign(Path(request["path"]), request["format"], provenance, Path(request["target"]))

    return {"sign": seal}


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

    def isolation(self) -> Confinement:
        """What holds the workers back on this machine: the weaker of the two."""
        self._made.make()
        self._judged.make()
        levels: list[Confinement] = [self._maker.start(), self._gate.start()]
        return min(levels, key=lambda level: (level.complete, level.landlock, level.namespace))

    def _ask(self, worker: Worker, job: str, progress: StageProgress | None = None, **request: Any) -> Reply:
        return worker.call(job, request, timeout_s=self._timeout, progress=progress, stop=self._stop)

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
            untrusted_format = self._ask_text(self._maker, "sniff", path=str(inside))
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
        # a plan that claims to be another item's, or to be made under another policy, is no answer
        if (plan.item, plan.policy_digest, plan.policy) != (item, policy.digest(), policy.name) or any(
            track.keep for track in plan.tracks
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
