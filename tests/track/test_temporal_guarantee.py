"""The temporal guarantee, on real video with known truth: no frame of a shot shows a face.

Clips of `bench/synthetic.py` out of scikit-image's pictures: faces that move, grow, tilt, leave and come
back, pass behind bars; cuts, dissolves, fades; compressed. Analysis alone must cover them, without the gate.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.synthetic import Actor, Clip, Shot, public_backgrounds, public_faces, random_clip, write
from bench.temporal import Sight, score
from redact.policy import load_policy
from redact.stages import LocalStages

STAGES = LocalStages()
POLICY = load_policy("strict", ["text.mode=off"])
LEAST = 24.0
"""Faces smaller than this throughout are not part of the guarantee."""


def sights(clip: Clip, folder: Path) -> list[Sight]:
    path = folder / "clip.mp4"
    truths = write(clip, path)
    plan = STAGES.analyse(path, "clip", POLICY, lambda *_: None)
    assert plan.media.frames == len(truths)
    return list(score(plan, truths).values())


def scene(*actors: Actor, bars: tuple[tuple[float, float], ...] = (), frames: int = 60) -> Shot:
    return Shot(public_backgrounds()[0], actors, frames, pan=0.5, bars=bars)


def walks(
    start: tuple[float, float], end: tuple[float, float], size: tuple[float, float] = (60, 60), face: int = 0
) -> Actor:
    return Actor(f"{start}{end}{face}", public_faces()[face], start, end, size)


CASES = {
    "enters and leaves": Clip("a", 640, 360, (scene(walks((-0.2, 0.5), (1.2, 0.5))),)),
    "grows": Clip("b", 640, 360, (scene(walks((0.5, 0.5), (0.5, 0.5), (26, 200))),)),
    "passes behind a bar": Clip("c", 640, 360, (scene(walks((0.1, 0.5), (0.9, 0.5)), bars=((0.4, 0.55),)),)),
    "two cross": Clip(
        "d", 640, 360, (scene(walks((0.1, 0.5), (0.9, 0.5)), walks((0.9, 0.45), (0.1, 0.45), face=1)),)
    ),
    "a cut to another place": Clip(
        "e", 640, 360, (scene(walks((0.2, 0.4), (0.3, 0.4))), scene(walks((0.8, 0.6), (0.7, 0.6), face=2)))
    ),
    "a dissolve": Clip(
        "f",
        640,
        360,
        (scene(walks((0.2, 0.4), (0.3, 0.4))), scene(walks((0.8, 0.6), (0.7, 0.6), face=3))),
        dissolve=12,
    ),
    "fades": Clip("g", 640, 360, (scene(walks((0.4, 0.5), (0.6, 0.5))),), fade=10),
    "upright format, coarse coding": Clip(
        "h", 360, 640, (scene(walks((0.3, 0.3), (0.7, 0.6), (50, 90))),), crf=36
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_no_frame_shows_a_face(name: str, tmp_path: Path) -> None:
    found = sights(CASES[name], tmp_path)
    assert sum(sight.frames for sight in found) > 30
    assert [sight.bare for sight in found] == [[] for _ in found]


@pytest.mark.parametrize("seed", range(4))
def test_no_frame_of_a_random_clip_shows_a_face(seed: int, tmp_path: Path) -> None:
    clip = random_clip(seed, public_faces()[:2], public_backgrounds()[:2], least=32)
    for sight in sights(clip, tmp_path):
        if sight.size >= LEAST:
            assert sight.bare == []


def test_the_measure_sees_a_face_that_is_left_bare(tmp_path: Path) -> None:
    clip = CASES["enters and leaves"]
    path = tmp_path / "clip.mp4"
    truths = write(clip, path)
    plan = STAGES.analyse(path, "clip", POLICY, lambda *_: None)
    middle = len(truths) // 2
    cut = [
        track.model_copy(
            update={
                "spans": tuple(
                    span.model_copy(update={"last": min(span.last, middle)})
                    for span in track.spans
                    if span.first <= middle
                )
            }
        )
        for track in plan.tracks
    ]
    (sight,) = score(
        plan.model_copy(update={"tracks": tuple(each for each in cut if each.spans)}), truths
    ).values()
    assert sight.longest > 10
    assert sight.bare[0] == middle + 1
