"""`redact doctor`: what this machine has for the job, and what is missing. Exit 1 if a job could not run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import typer

from redact.batch.jobs import isolation_level
from redact.cli.options import JsonOption
from redact.detect.tesseract import LANGUAGES, installed_languages
from redact.detect.weights import ModelStore
from redact.errors import ExitCode, RedactError

PACKAGES = ("av", "opencv-python", "mediapipe", "onnxruntime", "pillow", "pillow_heif", "ffmpeg-python")
OPTIONAL = {"c2pa-python": "needed for provenance.mode = c2pa only"}
ENCODERS = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1", "vp9": "libvpx-vp9", "aac": "aac"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked for on this machine."""

    name: str
    ok: bool
    needed: bool
    detail: str


def _models() -> Iterator[Check]:
    try:
        for status in ModelStore().list():
            detail = f"sha256 {status.sha256[:12]}" if status.ok else "run `redact models pull`"
            yield Check(f"model {status.id}", status.ok, True, detail)
    except RedactError as error:
        yield Check("models", False, True, str(error))


def _packages() -> Iterator[Check]:
    for name in PACKAGES:
        try:
            yield Check(f"package {name}", True, True, version(name))
        except PackageNotFoundError:
            yield Check(f"package {name}", False, True, "run `make setup`")
    for name, why in OPTIONAL.items():
        try:
            yield Check(f"package {name}", True, False, version(name))
        except PackageNotFoundError:
            yield Check(f"package {name}", False, False, why)


def _encoders() -> Iterator[Check]:
    import av

    for codec, encoder in ENCODERS.items():
        ok = encoder in av.codecs_available
        yield Check(f"encoder {codec}", ok, codec in ("h264", "aac"), encoder)


def _programs() -> Iterator[Check]:
    for program, why, needed in (
        ("ffprobe", "the gate's stream inventory; install ffmpeg", True),
        ("ffmpeg", "benchmarks and tests; install ffmpeg", False),
        ("exiftool", "tests; install libimage-exiftool-perl", False),
    ):
        found = shutil.which(program) is not None
        yield Check(f"program {program}", found, needed, "found" if found else why)


def _ocr() -> Iterator[Check]:
    known = installed_languages()
    for language in LANGUAGES:
        # text is covered without being read, so no job needs these
        yield Check(
            f"OCR {language}", language in known, False, "reads text for --names; not needed to cover it"
        )


def _isolation() -> Iterator[Check]:
    try:
        level = isolation_level()
    except RedactError as error:
        yield Check("isolation", False, True, str(error))
    else:
        # work goes on without it unless limits.require_isolation says otherwise, but never unsaid
        yield Check("isolation", level.complete, False, level.describe())


def command(as_json: JsonOption = False) -> None:
    """Say what this machine has: packages, models and digests, encoders, programs, OCR languages."""
    checks = [*_packages(), *_models(), *_encoders(), *_programs(), *_ocr(), *_isolation()]
    for check in checks:
        if as_json:
            typer.echo(json.dumps(check.__dict__))
        else:
            state = "ok" if check.ok else "MISSING" if check.needed else "absent"
            typer.echo(f"{state:8} {check.name:32} {check.detail}")
    if any(check.needed and not check.ok for check in checks):
        raise typer.Exit(int(ExitCode.TOOL_ERROR))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("doctor")(command)
