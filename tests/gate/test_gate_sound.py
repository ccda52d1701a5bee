"""Sound in finished films: speech that is left is found, and what no machine can judge waits for a person."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voices import RATE, film, noise, voice

from redact.analysis import AnalysisModels, analyse
from redact.detect.weights import ModelStore
from redact.findings import FindingKind, Verdict
from redact.gate.inspect import inspect
from redact.gate.sound import check_sound
from redact.policy import AudioPolicy, Policy
from redact.rendering import render

MUTE = AudioPolicy(mode="mute_speech")
BLIND = {
    "faces": "off",
    "keep": "never",
    "text": "off",
    "gate": {"faces": False, "text": False},
}


def kinds(path: Path, policy: AudioPolicy = MUTE) -> list[FindingKind]:
    return [finding.kind for finding in check_sound(path, policy)[0]]


def spoken(before: float = 1.0, seconds: float = 1.0, after: float = 1.0, level: float = 1.0) -> np.ndarray:
    """Hiss with a voice in the middle."""
    whole = noise(before + seconds + after, level=0.003)
    start = round(before * RATE)
    said = level * voice(seconds)
    whole[start : start + len(said)] += said
    return whole


def test_speech_left_in_the_output_is_a_finding(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", spoken(), codec="aac")
    findings, looks = check_sound(source, MUTE)
    assert [finding.kind for finding in findings] == [FindingKind.SPEECH]
    assert [finding.severity for finding in findings] == [Verdict.REVIEW]
    words = findings[0].detail.split()
    assert abs(float(words[2]) - 1.0) < 0.2
    assert abs(float(words[4]) - 2.0) < 0.4
    assert "speech" in looks[0].what
    assert looks[0].by == "silero_vad"


def test_one_short_word_is_found(tmp_path: Path) -> None:
    assert kinds(film(tmp_path / "a.mp4", spoken(seconds=0.35), codec="aac")) == [FindingKind.SPEECH]


@pytest.mark.parametrize("level", [0.1, 0.01, 0.001])
def test_speech_that_is_only_audible_once_it_is_amplified_is_found(tmp_path: Path, level: float) -> None:
    samples = np.zeros(3 * RATE, np.float32)
    samples[RATE : 2 * RATE] = level * voice(1)
    assert kinds(film(tmp_path / "a.mkv", samples)) == [FindingKind.SPEECH]


def test_speech_on_one_channel_and_speech_that_cancels_out_in_the_mix_are_found(tmp_path: Path) -> None:
    said, hiss = spoken(), noise(3, seed=2, level=0.2)
    one = np.stack([hiss, *[noise(3, seed=n, level=0.003) for n in (3, 4, 5)], said, hiss])
    assert kinds(film(tmp_path / "a.mkv", one, layout="5.1")) == [FindingKind.SPEECH]
    assert kinds(film(tmp_path / "b.mkv", np.stack([said, -said]), layout="stereo")) == [FindingKind.SPEECH]


@pytest.mark.parametrize("level", [0.0, 0.01, 0.3])
def test_sound_without_speech_passes(tmp_path: Path, level: float) -> None:
    assert kinds(film(tmp_path / "a.mp4", noise(3, level=level), codec="aac")) == []


def test_speech_that_an_edit_list_hides_from_players_is_found(tmp_path: Path) -> None:
    """The film says that its sound starts after the speech: players skip it, and anyone can get at it."""
    source = film(tmp_path / "a.mp4", spoken(before=0.2, seconds=0.8, after=2), codec="aac", seconds=3)
    data = bytearray(source.read_bytes())
    at = data.rindex(b"elst")  # the sound's: the picture's track comes first
    assert int.from_bytes(data[at + 8 : at + 12], "big") == 1
    later = int(1.3 * RATE)
    left = int.from_bytes(data[at + 12 : at + 16], "big") - 1300
    data[at + 12 : at + 16] = left.to_bytes(4, "big")
    data[at + 16 : at + 20] = later.to_bytes(4, "big")
    source.write_bytes(data)
    with av.open(str(source)) as container:
        presented = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert np.abs(presented).max() < 0.05, "players must not play the speech, or this test proves nothing"
    assert kinds(source) == [FindingKind.SPEECH]


@pytest.mark.parametrize("mode", ["keep", "bleep", "disguise"])
def test_sound_nobody_listened_to_is_a_finding_and_a_disguise_counts_for_nothing(
    tmp_path: Path, mode: str
) -> None:
    source = film(tmp_path / "a.mp4", noise(1), codec="aac")
    findings, looks = check_sound(source, AudioPolicy(mode=mode))
    assert [(each.kind, each.severity) for each in findings] == [(FindingKind.SOUND, Verdict.REVIEW)]
    findings, looks = check_sound(source, AudioPolicy(mode=mode, listened=True))
    assert findings == []
    assert looks[0].by == "a person, says the policy"
    assert kinds(film(tmp_path / "b.mp4", noise(1), codec="aac"), AudioPolicy(mode="remove")) == []


@pytest.mark.parametrize("policy", [MUTE, AudioPolicy(mode="keep", listened=True)])
def test_sound_that_cannot_be_heard_is_never_waved_through(tmp_path: Path, policy: AudioPolicy) -> None:
    source = film(tmp_path / "a.mkv", noise(1))
    good = source.read_bytes()
    source.write_bytes(good.replace(b"A_PCM/FLOAT/IEEE", b"A_XYZ/FLOAT/IEEE"))
    assert kinds(source, policy) == [FindingKind.UNVERIFIABLE]
    broken = noise(1)
    broken[30000] = np.inf
    assert kinds(film(tmp_path / "b.mkv", broken), policy) == [FindingKind.UNDECODABLE]


@settings(max_examples=25)
@given(places=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=8))
def test_no_damage_makes_the_gate_raise(tmp_path_factory: pytest.TempPathFactory, places: list) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole = folder / "whole.mp4"
    if not whole.exists():
        film(whole, spoken(before=0.1, seconds=0.4, after=0.1), codec="aac")
    data = bytearray(whole.read_bytes())
    for place, value in places:
        data[place % len(data)] = value
    broken = folder / "broken.mp4"
    broken.write_bytes(data)
    findings, looks = check_sound(broken, MUTE)
    assert findings or looks


def test_a_film_goes_all_the_way_with_its_speech_silenced(tmp_path: Path) -> None:
    """Analysis finds the voice, rendering silences it, the gate hears nothing; the hiss around it is kept."""
    source = film(tmp_path / "in.mp4", spoken(before=2, after=2), codec="aac")
    policy = Policy.model_validate({**BLIND, "name": "tests", "audio": "mute_speech"})
    plan = analyse(source, "abcd", policy, AnalysisModels(policy, ModelStore()))
    (edit,) = plan.audio
    assert edit.samples(RATE)[0] < 1.7 * RATE
    assert edit.samples(RATE)[1] > 3.4 * RATE
    assert "sound_not_listened" not in plan.notes
    assert [stream.kind for stream in plan.media.streams if stream.kept] == ["video", "audio"]
    render(source, plan, tmp_path / "out.mp4")
    report = inspect(tmp_path / "out.mp4", policy, standalone=True)
    assert report.findings == ()
    assert report.verdict is Verdict.PUBLISH
    assert any("speech" in look.what for look in report.looks)
    forgotten = plan.model_copy(update={"audio": ()})
    render(source, forgotten, tmp_path / "said.mp4")
    report = inspect(tmp_path / "said.mp4", policy, standalone=False)
    assert [finding.kind for finding in report.findings] == [FindingKind.SPEECH]
    assert report.verdict is Verdict.REVIEW


def test_kept_sound_asks_for_a_person_in_the_plan_and_at_the_gate(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", noise(1), codec="aac")
    policy = Policy.model_validate({**BLIND, "name": "tests", "audio": "keep"})
    plan = analyse(source, "abcd", policy, AnalysisModels(policy, ModelStore()))
    assert plan.notes == ("sound_not_listened",)
    silent = Policy.model_validate({**BLIND, "name": "tests"})
    without = analyse(source, "abcd", silent, AnalysisModels(silent, ModelStore()))
    assert [stream.kind for stream in without.media.streams if stream.kept] == ["video"]
    assert inspect(source, policy, standalone=True).verdict is not Verdict.PUBLISH
    heard = Policy.model_validate({**BLIND, "name": "tests", "audio": {"mode": "keep", "listened": True}})
    assert analyse(source, "abcd", heard, AnalysisModels(heard, ModelStore())).notes == ()
