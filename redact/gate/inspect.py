"""The gate: judges the bytes of one finished file and says what it looked for and what it found.

It shares no metadata or structure code with the stages that wrote the file, decodes every frame again, and
never raises on account of the file's content: what cannot be read, verified or decoded is a finding.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from redact.detect.reading import TextReader
from redact.detect.weights import ModelStore
from redact.errors import DamagedInputError, InputTooLargeError, UnsupportedInputError
from redact.findings import Finding, FindingKind, GateReport, Look
from redact.gate.listed import ListedText, listed_values
from redact.gate.pixels import (
    Counted,
    GateDetectors,
    PixelGate,
    PixelResult,
    look_at_frames,
    looks_for_people,
)
from redact.gate.sound import check_sound
from redact.gate.streams import check_streams
from redact.gate.structure import MOVIES, StructureReport, read_structure
from redact.gate.thresholds import Looks
from redact.media.base import Progress
from redact.media.pace import Stills
from redact.media.registry import handler_for
from redact.names.watchlist import WatchList
from redact.plan import MediaFacts
from redact.policy import Policy

CHUNK = 1 << 20


@lru_cache(maxsize=8)
def _detectors(faces: bool, text: bool, people: bool, standalone: bool, video: bool) -> GateDetectors:
    """Loaded once per process and kind of file: a worker judges many."""
    policy = Policy.model_validate(
        {"gate": {"faces": faces, "text": text}, "faces": {"expected_heads": "cover" if people else "off"}}
    )
    return GateDetectors.load(policy, ModelStore(), standalone=standalone, video=video)


def inspect(
    path: Path,
    policy: Policy,
    *,
    standalone: bool,
    focus: Sequence[int] = (),
    progress: Progress | None = None,
    detectors: GateDetectors | None = None,
    watch: WatchList | None = None,
) -> GateReport:
    """Judge the finished file at `path`.

    `standalone` is for files of unknown origin: every detector looks, not only those that had no vote in
    analysis. `focus` are frames to look at in any case. `detectors` replaces the ensembles. `watch` holds
    names that must not be read in what the file shows or carries.

    Raises:
        ModelError: weights are missing or altered.
        MissingToolError: ffprobe, which lists the streams of videos, is not on this machine.
    """
    with path.open("rb") as stream:
        before = os.fstat(stream.fileno())
        sha256 = _digest(stream)
        structure = read_structure(
            stream,
            rights=policy.metadata.rights == "keep",
            provenance=policy.provenance.mode == "c2pa",
        )
        findings = list(structure.findings)
        looks = [Look(what="structure and metadata", by=f"redact's own {structure.format} reader")]
        if structure.format in MOVIES:
            stream_findings, look = check_streams(path, policy)
            findings += stream_findings
            looks.append(look)
            sound_findings, sound_looks = check_sound(path, policy.audio)
            findings += sound_findings
            looks += sound_looks
        if watch is not None and policy.metadata.rights == "keep":
            name_findings, look = listed_values(structure.untrusted_texts, watch)
            findings += name_findings
            looks.append(look)
        facts, pixels = _look_at_pixels(
            path, policy, structure, standalone, focus, progress, detectors, watch
        )
        findings += pixels.findings
        looks += pixels.looks
        if not _same(before, path.stat()) or not _same(before, os.fstat(stream.fileno())):
            findings.append(Finding(kind=FindingKind.UNDECODABLE, detail="changed while it was judged"))
    return GateReport(
        sha256=sha256,
        format=structure.format,
        width=facts.width if facts else 0,
        height=facts.height if facts else 0,
        frames=pixels.frames,
        looks=tuple(looks),
        findings=tuple(findings),
    )


def _digest(stream: BinaryIO) -> str:
    hasher = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        hasher.update(chunk)
    return hasher.hexdigest()


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_dev, before.st_ino, before.st_size, before.st_mtime_ns) == (
        after.st_dev,
        after.st_ino,
        after.st_size,
        after.st_mtime_ns,
    )


def _counted(policy: Policy) -> Counted:
    """Which uncovered text is a finding by itself, whatever it says."""
    if not policy.gate.text:
        return "none"
    kinds: dict[str, Counted] = {"captions": "captions", "names": "codes"}
    return kinds.get(policy.text.mode, "all")


def _look_at_pixels(
    path: Path,
    policy: Policy,
    structure: StructureReport,
    standalone: bool,
    focus: Sequence[int],
    progress: Progress | None,
    detectors: GateDetectors | None,
    watch: WatchList | None,
) -> tuple[MediaFacts | None, PixelResult]:
    """Decode every frame; whatever stops that is a finding."""
    nothing = PixelResult()
    facts: MediaFacts | None = None
    try:
        handler = handler_for(path)
        facts = handler.probe(path)
        if facts.width * facts.height > policy.limits.max_pixels:
            nothing.findings.append(Finding(kind=FindingKind.UNVERIFIABLE, detail="limits.max_pixels"))
            return facts, nothing
        moving = facts.kind != "photo"
        counted = _counted(policy)
        listed = None
        if watch is not None or policy.text.mode == "names":
            listed = ListedText(
                watch,
                TextReader(ModelStore()),
                (facts.width, facts.height),
                hints=policy.text.mode == "names",
                proof=counted != "all",
            )
        if detectors is None:
            people = looks_for_people(policy)
            text = policy.gate.text or listed is not None
            detectors = _detectors(policy.gate.faces, text, people, standalone, moving)
        stored = structure.frames or facts.frames
        looks = Looks.of(facts.kind == "video", stored, policy.gate)
        edges = {0, max(stored - 1, 0), facts.frames - 1}
        gate = PixelGate(
            facts.width,
            facts.height,
            detectors,
            looks,
            tuple(edges.union(focus)),
            policy.cover.colour,
            listed,
            counted=counted,
            stills=Stills(facts),
        )

        def report(done: int) -> None:
            if progress is not None:
                progress(done, max(stored, done))

        result = look_at_frames(handler.frames(path, facts), gate, policy.limits.max_frames, report)
    except DamagedInputError:
        nothing.findings.append(Finding(kind=FindingKind.UNDECODABLE, detail="does not decode whole"))
        return facts, nothing
    except (UnsupportedInputError, InputTooLargeError):
        nothing.findings.append(Finding(kind=FindingKind.UNVERIFIABLE, detail="not decoded"))
        return facts, nothing
    if structure.frames and result.frames != structure.frames:
        result.findings.append(Finding(kind=FindingKind.STREAM, detail="frames that are not shown"))
    return facts, result
