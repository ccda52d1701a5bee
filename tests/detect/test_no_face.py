"""A head that is only expected is covered, but it is no face that was found: the item waits for a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from redact.analysis import AnalysisModels, analyse
from redact.detect.base import Picture
from redact.detect.ensemble import Ensemble
from redact.detect.modes import saw_a_face
from redact.detect.weights import ModelStore
from redact.plan import Kind, Plan, Region
from redact.policy import load_policy

SAMPLES = Path(__file__).parents[2] / "samples" / "media"


def _plan(name: str, *settings: str) -> Plan:
    policy = load_policy("strict", ["text.mode=off", *settings])
    return analyse(SAMPLES / name, "abcdefghjkmn", policy, AnalysisModels(policy, ModelStore()))


def _faces(plan: Plan) -> list[tuple[str, ...]]:
    return [track.sources for track in plan.tracks if track.kind is Kind.FACE]


def _only(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks see nothing but faces, or nothing but heads of people."""
    look = Ensemble.look

    def one_kind(self: Ensemble, picture: Picture) -> list[Region]:
        return [region for region in look(self, picture) if region.kind is kind]

    monkeypatch.setattr(Ensemble, "look", one_kind)


def test_person_seen_in_a_rocket_is_no_face() -> None:
    plan = _plan("no-face.jpg", "faces.mode=careful")
    assert _faces(plan), "the people's network sees none there any more: this proves nothing"
    assert not any(saw_a_face(sources) for sources in _faces(plan))
    assert plan.notes == ("no_face_found",)


@pytest.mark.parametrize(("name", "mode"), [("hard.jpg", "careful"), ("vfr.mp4", "balanced")])
def test_heads_alone_wait(name: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _only(Kind.HEAD, monkeypatch)
    plan = _plan(name, f"faces.mode={mode}")
    assert _faces(plan)
    assert plan.notes == ("no_face_found",)


def test_faces_without_heads_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(Kind.FACE, monkeypatch)
    plan = _plan("hard.jpg")
    assert _faces(plan)
    assert plan.notes == ()


def test_face_that_a_person_confirms_is_a_face() -> None:
    assert saw_a_face(["blazepose@224", "yunet@640"])
    assert not saw_a_face(["blazepose@224", "blazepose@448+t224"])
