"""What worker processes do: the stages as jobs, one factory for each process. Called in a child only.

A request is plain data and paths of no meaning; what goes back is JSON text, numbers or a picture's bytes.
`redact.batch.jobs` asks for these and checks every answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from redact.batch.looking import looking_jobs
from redact.names.watchlist import WatchList
from redact.plan import Plan
from redact.policy import Policy, ProvenancePolicy
from redact.workers import Job, ProgressCallback

MAKER = "redact.batch.worker_jobs:maker_jobs"
GATE = "redact.batch.worker_jobs:gate_jobs"
SIGNER = "redact.batch.worker_jobs:signer_jobs"


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

    own: dict[str, Job] = {"sniff": sniff, "analyse": analyse, "render": render, "stock": stock}
    return {**own, "subtitles": subtitles, **looking_jobs(own=False)}


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

    own: dict[str, Job] = {"inspect": judge, "thumbnail": shrink, "inspect_text": judge_text}
    return {**own, **looking_jobs(own=True)}


def signer_jobs() -> Mapping[str, Job]:
    """Jobs of the process that holds the signing key: it opens finished files only."""
    from redact.signing import sign

    def seal(request: Mapping[str, Any], _: ProgressCallback) -> None:
        provenance = ProvenancePolicy.model_validate_json(request["provenance"])
        sign(Path(request["path"]), request["format"], provenance, Path(request["target"]))

    return {"sign": seal}
