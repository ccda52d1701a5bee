"""The stages as jobs of worker processes: what runs in a child, and the `Stages` that call it from outside.

Analysis and rendering run in one process, the gate in another that never saw the plan. Only JSON text,
numbers and thumbnails' bytes cross between them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redact.findings import GateReport
from redact.metadata.inventory import Inventory
from redact.pipeline import StageProgress
from redact.plan import Plan
from redact.policy import Policy
from redact.workers import Job, ProgressCallback, Worker

MAKER = "redact.batch.jobs:maker_jobs"
GATE = "redact.batch.jobs:gate_jobs"
SIGNER = "redact.batch.jobs:signer_jobs"


def _limit_library_threads() -> None:
    import cv2

    cv2.setNumThreads(1)


def maker_jobs() -> Mapping[str, Job]:
    """Jobs of the process that analyses and renders. Imports the model libraries: call it in a child only."""
    from redact.media.sniff import identify
    from redact.metadata.stocktaking import take_stock
    from redact.stages import LocalStages

    _limit_library_threads()
    stages = LocalStages()

    def sniff(request: Mapping[str, Any], _: ProgressCallback) -> str:
        return identify(Path(request["path"]))

    def analyse(request: Mapping[str, Any], progress: ProgressCallback) -> str:
        policy = Policy.model_validate_json(request["policy"])
        return stages.analyse(Path(request["path"]), request["item"], policy, progress).model_dump_json()

    def render(request: Mapping[str, Any], progress: ProgressCallback) -> None:
        plan = Plan.from_json(request["plan"])
        stages.render(Path(request["path"]), plan, Path(request["target"]), progress)

    def stock(request: Mapping[str, Any], _: ProgressCallback) -> str:
        policy = Policy.model_validate_json(request["policy"])
        return take_stock(Path(request["path"]), policy, values=request["values"]).model_dump_json()

    return {"sniff": sniff, "analyse": analyse, "render": render, "stock": stock}


def gate_jobs() -> Mapping[str, Job]:
    """Jobs of the process that judges finished files."""
    from redact.gate.inspect import inspect
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
        )
        return report.model_dump_json()

    def shrink(request: Mapping[str, Any], _: ProgressCallback) -> bytes:
        return thumbnail(Path(request["path"]))

    return {"inspect": judge, "thumbnail": shrink}


def signer_jobs() -> Mapping[str, Job]:
    """Jobs of the process that holds the signing key: it opens finished files only."""
    from redact.signing import sign

    def seal(request: Mapping[str, Any], _: ProgressCallback) -> None:
        policy = Policy.model_validate_json(request["policy"])
        sign(Path(request["path"]), request["format"], policy.provenance, Path(request["target"]))

    return {"sign": seal}


class WorkerStages:
    """`redact.pipeline.Stages` over two worker processes, plus the thumbnail of a published file."""

    def __init__(self, timeout_s: float, stop: threading.Event, maker: str = MAKER, gate: str = GATE) -> None:
        self._maker, self._gate = Worker(maker), Worker(gate)
        self._signer = Worker(SIGNER)
        self._timeout, self._stop = timeout_s, stop

    def _ask(self, worker: Worker, job: str, progress: StageProgress | None = None, **request: Any) -> Any:
        return worker.call(job, request, timeout_s=self._timeout, progress=progress, stop=self._stop)

    def sniff(self, path: Path) -> str:
        """The file's format by content; UnsupportedInputError if it is none of ours."""
        return str(self._ask(self._maker, "sniff", path=str(path)))

    def take_stock(self, path: Path, policy: Policy, *, values: bool) -> Inventory:
        """What the file carries besides its picture; see `redact.metadata.stocktaking.take_stock`."""
        reply = self._ask(
            self._maker, "stock", path=str(path), policy=policy.model_dump_json(), values=values
        )
        return Inventory.model_validate_json(reply)

    def analyse(self, path: Path, item: str, policy: Policy, progress: StageProgress) -> Plan:
        """See `redact.pipeline.Stages`."""
        reply = self._ask(
            self._maker, "analyse", progress, path=str(path), item=item, policy=policy.model_dump_json()
        )
        return Plan.from_json(reply)

    def render(self, path: Path, plan: Plan, target: Path, progress: StageProgress) -> None:
        """See `redact.pipeline.Stages`."""
        self._ask(
            self._maker, "render", progress, path=str(path), plan=plan.model_dump_json(), target=str(target)
        )

    def sign(self, path: Path, format: str, policy: Policy, target: Path) -> None:
        """See `redact.pipeline.Stages`."""
        self._ask(
            self._signer,
            "sign",
            path=str(path),
            format=format,
            policy=policy.model_dump_json(),
            target=str(target),
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
        reply = self._ask(
            self._gate,
            "inspect",
            progress,
            path=str(path),
            policy=policy.model_dump_json(),
            focus=focus,
            standalone=standalone,
        )
        return GateReport.model_validate_json(reply)

    def thumbnail(self, path: Path) -> bytes:
        """A small JPEG of a finished file."""
        return bytes(self._ask(self._gate, "thumbnail", path=str(path)))

    def close(self) -> None:
        """End all processes."""
        self._signer.close()
        self._maker.close()
        self._gate.close()
