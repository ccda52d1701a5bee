"""What `make fuzz` runs on each mutated file, in a confined worker: one job a target.

A job answers `ok`, `refused <reason>` for one of our own errors of the right kind, or `BUG` and a traceback:
anything else that is raised, or a message that says where the file lies.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from redact.errors import InputError, PlanMismatchError, RedactError
from redact.workers import Job, ProgressCallback

MAX_PIXELS = 4_000_000
MAX_FRAMES = 40


class _Box:
    """Covers one box on every frame."""

    def bgr(self, frame: int, image: Any) -> None:
        image[4:20, 4:20, :3] = 0
        if image.shape[2] == 4:
            image[4:20, 4:20, 3] = 255

    def covered(self, frame: int) -> list[tuple[int, int, int, int]]:
        return [(4, 4, 20, 20)]

    def yuv(self, frame: int, planes: Any, *, bit_depth: int, full_range: bool, matrix: int) -> None:
        return None


def _handlers(path: Path, out: Path) -> None:
    """Recognise, probe, decode every frame, render, and hold the output against the gate's own reader."""
    from redact.analysis import output_format
    from redact.gate.structure import MOVIES, read_structure
    from redact.media.registry import handler_for
    from redact.plan import EXTENSIONS, OutputSpec

    handler = handler_for(path)
    facts = handler.probe(path)
    if facts.width * facts.height > MAX_PIXELS or facts.frames > MAX_FRAMES:
        return
    count = sum(1 for _ in handler.frames(path, facts))
    facts = facts.model_copy(update={"frames": count})
    spec = OutputSpec(format=output_format(facts), keep_rights=True)
    target = out / f"out{EXTENSIONS[spec.format]}"
    try:
        handler.render(path, facts, spec, _Box(), target)
        with target.open("rb") as stream:
            report = read_structure(stream, rights=True)
        if report.format not in MOVIES and report.findings:
            raise AssertionError(f"a rendered file has findings: {report.findings[0].kind}")
    finally:
        target.unlink(missing_ok=True)


def _structure(path: Path, out: Path) -> None:
    """The gate's readers turn everything into findings."""
    from redact.gate.structure import read_structure

    for rights in (True, False):
        with path.open("rb") as stream:
            report = read_structure(stream, rights=rights)
        report.findings  # noqa: B018 - building them checks every field


def _metadata(path: Path, out: Path) -> None:
    """Readers of EXIF, IPTC, XMP and rights fields, each on the whole file as if it were its block."""
    from redact.media.tiff import read_exif
    from redact.metadata.iptc import iptc_of_photoshop, read_iptc
    from redact.metadata.rights import rights_from_bytes
    from redact.metadata.xmp import read_xmp

    data = path.read_bytes()
    read_iptc(iptc_of_photoshop(data))
    read_iptc(data)
    read_xmp(data, ())
    read_exif(data)
    for format_ in ("jpeg", "png", "webp", "tiff"):
        rights_from_bytes(data, format_)


def _probe(path: Path, out: Path) -> None:
    """ffprobe's inventory and its judge."""
    from redact.gate.streams import check_streams
    from redact.policy import Policy

    check_streams(path, Policy())


def _plan(path: Path, out: Path) -> None:
    """The plan parser, and drawing order of what it lets through."""
    from redact.plan import Plan

    plan = Plan.from_json(path.read_bytes())
    index = plan.covers()
    for frame in range(min(plan.media.frames, 20)):
        index.at(frame)


TARGETS: dict[str, tuple[Callable[[Path, Path], None], type[RedactError]]] = {
    "handlers": (_handlers, InputError),
    "structure": (_structure, InputError),
    "metadata": (_metadata, InputError),
    "probe": (_probe, InputError),
    "plan": (_plan, PlanMismatchError),
}


def _tried(name: str, path: Path, out: Path) -> str:
    run, expected = TARGETS[name]
    try:
        run(path, out)
    except expected as error:
        if "/" in str(error) or path.name in str(error) or not str(error).isprintable():
            return "BUG a message holds a place or a control character: " + type(error).__name__
        return f"refused {error.reason}"
    except Exception:  # noqa: BLE001 - that is what is looked for
        return "BUG " + traceback.format_exc(limit=-12)
    return "ok"


def jobs() -> Mapping[str, Job]:
    """One job a target."""
    import cv2

    cv2.setNumThreads(1)

    def job(name: str) -> Job:
        def run(request: Mapping[str, Any], _: ProgressCallback) -> str:
            return _tried(name, Path(request["path"]), Path(request["out"]))

        return run

    return {name: job(name) for name in TARGETS}


__all__ = ["TARGETS", "jobs"]
