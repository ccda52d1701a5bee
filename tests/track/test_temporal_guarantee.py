"""The temporal guarantee, on real video with known truth: no frame of a shot shows a face.

Clips of `bench/synthetic.py` out of scikit-image's pictures: faces that move, grow, tilt, leave and come
back, pass behind bars; cuts, dissolves, fades; compressed. Analysis alone must cover them, without the gate.
At 12 frames a second: what the tracker reckons in seconds is tried in half as many frames, and every step of
a face is twice as long.
"""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.synthetic import Actor, Clip, Shot, Truth, public_backgrounds, public_faces, random_clip, write
from bench.temporal import Sight, score
from redact.plan import Plan
from redact.policy import load_policy
from redact.stages import LocalStages

STAGES = LocalStages()
POLICY = load_policy("strict", ["text.mode=off"])
LEAST = 24.0
"""Faces smaller than this throughout are not part of the guarantee."""


RATE = 12


def analysed(clip: Clip, folder: Path) -> tuple[Plan, list[list[Truth]]]:
    path = folder / "clip.mp4"
    truths = write(clip, path)
    plan = STAGES.analyse(path, "clip", POLICY, lambda *_: None)
    assert plan.media.frames == len(truths)
    return plan, truths


@cache
def case(name: str, folder: Path) -> tuple[Plan, list[list[Truth]]]:
    """One of `CASES`, analysed once."""
    return analysed(CASES[name], folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


def sights(plan: Plan, truths: list[list[Truth]]) -> list[Sight]:
    return list(score(plan, truths).values())


def scene(*actors: Actor, bars: tuple[tuple[float, float], ...] = ()) -> Shot:
    return Shot(public_backgrounds()[0], actors, frames=30, pan=0.5, bars=bars)


def clip(*shots: Shot, width: int = 640, height: int = 360, **more: int) -> Clip:
    return Clip("clip", width, height, shots, rate=RATE, **more)


def walks(
    start: tuple[float, float], end: tuple[float, float], size: tuple[float, float] = (60, 60), face: int = 0
) -> Actor:
    return Actor(f"{start}{end}{face}", public_faces()[face], start, end, size)


CASES = {
    "enters and leaves": clip(scene(walks((-0.2, 0.5), (1.2, 0.5)))),
    "grows": clip(scene(walks((0.5, 0.5), (0.5, 0.5), (26, 200)))),
    "passes behind a bar": clip(scene(walks((0.1, 0.5), (0.9, 0.5)), bars=((0.4, 0.55),))),
    "two cross": clip(scene(walks((0.1, 0.5), (0.9, 0.5)), walks((0.9, 0.45), (0.1, 0.45), face=1))),
    "a cut to another place": clip(
        scene(walks((0.2, 0.4), (0.3, 0.4))), scene(walks((0.8, 0.6), (0.7, 0.6), face=2))
    ),
    "a dissolve between fades": clip(
        scene(walks((0.2, 0.4), (0.3, 0.4))),
        scene(walks((0.8, 0.6), (0.7, 0.6), face=3)),
        dissolve=6,
        fade=5,
    ),
    "upright format, coarse coding": clip(
        scene(walks((0.3, 0.3), (0.7, 0.6), (50, 90))), width=360, height=640, crf=36
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_no_frame_shows_a_face(name: str, folder: Path) -> None:
    found = sights(*case(name, folder))
    assert sum(sight.frames for sight in found) > 20
    assert [sight.bare for sight in found] == [[] for _ in found]


@pytest.mark.parametrize("seed", [1, 3])  # three shots of one to three people; a fade
def test_no_frame_of_a_random_clip_shows_a_face(seed: int, tmp_path: Path) -> None:
    drawn = random_clip(seed, public_faces()[:2], public_backgrounds()[:2], least=32)
    halved = tuple(replace(shot, frames=shot.frames // 2) for shot in drawn.shots)
    found = sights(*analysed(replace(drawn, shots=halved, fade=drawn.fade // 2, rate=RATE), tmp_path))
    assert sum(sight.frames for sight in found if sight.size >= LEAST) > 15
    for sight in found:
        if sight.size >= LEAST:
            assert sight.bare == []


def test_the_measure_sees_a_face_that_is_left_bare(folder: Path) -> None:
    plan, truths = case("enters and leaves", folder)
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
    (sight,) = sights(plan.model_copy(update={"tracks": tuple(each for each in cut if each.spans)}), truths)
    assert sight.longest > 5
    assert sight.bare[0] == middle + 1
