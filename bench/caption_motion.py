"""Captions in motion: how much of them a rendered clip still shows, on every frame, and to a reader.

Clips of `caption_clips` go through analysis and rendering alone, without the gate. A caption-frame counts as
covered if at least 90 % of the ink's box lies under covers as they are planned (they are drawn exactly so:
tests/cover). Then Tesseract reads the rendered frames around the caption's place: it must find none of the
planted words that it finds in the same place of the input.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
from rapidfuzz import fuzz

from bench.caption_clips import HEIGHT, WIDTH, Caption, Scene, longest_run, write
from bench.common import WORK, Size, Table, processes
from bench.memo import kept
from bench.synthetic import Image
from redact.analysis import AnalysisModels, analyse
from redact.detect.weights import ModelStore
from redact.plan import Box, Plan
from redact.policy import Policy
from redact.rendering import render

CLIPS = 35
COVERED_FROM = 0.90
READ_EVERY = 7
"""Every n-th frame is read, and the first and last frames of each appearance."""
ALIKE = 80
"""Similarity, 0 to 100, from which a word read is a word planted."""
LANGUAGES = ("hye", "rus", "aze", "eng")


@dataclass
class Result:
    """One clip."""

    manner: str
    background: str
    readable: int = 0
    covered: int = 0
    longest: int = 0
    """Most neighbouring readable frames that are not covered."""
    bare: list[int] = field(default_factory=list)
    area: float = 0.0
    """Mean share of the picture under text covers."""
    read_before: int = 0
    read_after: int = 0


def score(plan: Plan, truths: list[Caption], result: Result) -> None:
    """Hold a plan's covers against the truth."""
    covers = plan.covers()
    flags = []
    for frame, truth in enumerate(truths):
        mask = np.zeros((HEIGHT, WIDTH), bool)
        for cover in covers.at(frame):
            place = cover.box.snapped(WIDTH, HEIGHT)
            if place is not None:
                mask[place[1] : place[3], place[0] : place[2]] = True
        result.area += float(mask.mean()) / len(truths)
        bare = False
        if truth.readable and truth.box is not None:
            place = truth.box.snapped(WIDTH, HEIGHT, 1)
            result.readable += 1
            bare = place is None or (
                float(mask[place[1] : place[3], place[0] : place[2]].mean()) < COVERED_FROM
            )
            result.covered += not bare
            if bare:
                result.bare.append(frame)
        flags.append(bare)
    result.longest = longest_run(flags)


def _languages() -> str:
    """Those of the four that this machine's Tesseract has; empty if there is none."""
    if shutil.which("tesseract") is None:
        return ""
    listed = subprocess.run(
        ["tesseract", "--list-langs"], capture_output=True, text=True, check=True
    ).stdout.split()
    return "+".join(name for name in LANGUAGES if name in listed)


def _words(image: Image, place: Box, languages: str) -> list[str]:
    around = place.grown(60, 30).snapped(WIDTH, HEIGHT, 1)
    if around is None:
        return []
    x0, y0, x1, y1 = around
    crop = cv2.resize(image[y0:y1, x0:x1], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    _, encoded = cv2.imencode(".png", crop)
    read = subprocess.run(
        ["tesseract", "-", "-", "-l", languages, "--psm", "11"],
        input=encoded.tobytes(),
        capture_output=True,
        check=True,
        env={"OMP_THREAD_LIMIT": "1", "PATH": "/usr/bin:/bin:/usr/local/bin"},
    )
    return read.stdout.decode(errors="replace").split()


def _hits(planted: Iterable[str], read: list[str]) -> int:
    return sum(
        any(fuzz.ratio(word.casefold(), other.casefold()) >= ALIKE for other in read)
        for word in planted
        if len(word) >= 4
    )


def _decoded(path: Path) -> Iterator[Image]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _read(source: Path, target: Path, truths: list[Caption], result: Result) -> None:
    languages = _languages()
    if not languages:
        return
    edges = {
        frame
        for frame, truth in enumerate(truths)
        if truth.readable
        and any(not 0 <= near < len(truths) or not truths[near].readable for near in (frame - 1, frame + 1))
    }
    for frame, (before, after) in enumerate(zip(_decoded(source), _decoded(target), strict=True)):
        truth = truths[frame]
        if truth.box is None or not truth.words or (frame % READ_EVERY and frame not in edges):
            continue
        result.read_before += _hits(truth.words, _words(before, truth.box, languages))
        result.read_after += _hits(truth.words, _words(after, truth.box, languages))


def one_clip(seed: int) -> Result:
    """Write, analyse, render, score and read one clip. Runs in a process of its own."""
    cv2.setNumThreads(1)
    scene = Scene.of(seed)
    folder = WORK / "text" / "motion"
    folder.mkdir(parents=True, exist_ok=True)
    source, target = folder / f"{seed}.mp4", folder / f"{seed}-out.mp4"
    truths = write(scene, source)
    policy = Policy.model_validate({"faces": {"mode": "off"}})
    plan = analyse(source, "bench0", policy, AnalysisModels(policy, ModelStore()))
    target.unlink(missing_ok=True)
    render(source, plan, target)
    result = Result(scene.manner, scene.background)
    score(plan, truths, result)
    _read(source, target, truths, result)
    return result


def _all(count: int) -> list[Result]:
    with processes() as pool:
        return list(pool.map(one_clip, range(count)))


def run(size: Size) -> Table:
    """Every manner over every background."""
    quick = size is Size.QUICK
    count = 7 if quick else CLIPS
    results = kept(f"caption motion {count}", lambda: _all(count))
    table = Table(
        "Captions in motion, balanced, analysis and rendering alone",
        [
            "captions",
            "clips",
            "readable caption-frames",
            "covered",
            "longest visible run",
            "planted words read before",
            "after",
            "painted",
        ],
    )
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        groups[result.manner].append(result)
        groups[f"over {result.background}"].append(result)
        groups["all"].append(result)
    for name, group in groups.items():
        readable, covered = sum(each.readable for each in group), sum(each.covered for each in group)
        table.add(
            name,
            str(len(group)),
            str(readable),
            f"{100 * covered / max(readable, 1):.2f} % ({readable - covered} bare)",
            f"{max(each.longest for each in group)} frames",
            str(sum(each.read_before for each in group)),
            str(sum(each.read_after for each in group)),
            f"{100 * float(np.mean([each.area for each in group])):.1f} %",
        )
    bare = [
        f"{seed} {each.manner} over {each.background}: {each.bare}"
        for seed, each in enumerate(results)
        if each.bare
    ]
    table.note(f"Clips with bare caption-frames: {'; '.join(bare) or 'none'}.")
    table.note(
        "blink: there for two frames at a time; swap: another name in its place every nine frames; rise: "
        "credits. Scenes are photos, still, with grain, under a panning or zooming camera, and a film of "
        "people walking. Read by Tesseract "
        f"({_languages() or 'not on this machine'}) on every {READ_EVERY}th frame and at each appearance's "
        "first and last."
    )
    return table
