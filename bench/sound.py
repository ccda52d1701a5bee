"""Speech in sound: how much `mute_speech` silences of it, what else it silences, what the gate still hears.

Every mixture goes through a file: heard, rendered with the edits, and gated, with the product's settings.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench import espeak
from bench.common import Size, Table
from bench.soundscapes import FRAME, NOISES, RATE, SECONDS, SENTENCES, Scene, quiet_noise, scene, write_film
from redact.detect.listen import ANALYSIS_EAR, listen
from redact.detect.speech import RATE as EAR_RATE
from redact.detect.speech import WINDOW, SpeechNetwork
from redact.detect.weights import ModelStore
from redact.findings import FindingKind
from redact.gate.sound import check_sound
from redact.media.video import VideoHandler
from redact.plan import OutputSpec, SoundEdit
from redact.policy import AudioPolicy
from redact.track.speech import speech_edits

SEED = 2000
"""The settings were chosen on seed 1000."""
SNRS = (20.0, 10.0, 0.0)
LEVELS = {"": 0.1, "+f2": 0.02}
"""Voices by loudness: a man near the microphone, a woman far from it."""
FAR = 100
"""Hundredths of a second away from any speech: what is silenced out there is silenced for nothing."""
POLICY = AudioPolicy(mode="mute_speech")


class NoPaint:
    """Covers nothing: the picture is no matter here."""

    def covered(self, frame: int) -> list[tuple[int, int, int, int]]:
        """Nothing."""
        return []

    def yuv(self, frame: int, planes: list[object], **_: object) -> None:
        """Leave it."""


@dataclass
class Score:
    """Hundredths of a second, added up over mixtures."""

    speech: int = 0
    silenced: int = 0
    other: int = 0
    other_silenced: int = 0
    far: int = 0
    far_silenced: int = 0
    films: int = 0
    reviewed: int = 0
    left: int = 0
    left_found: int = 0
    worst: list[float] = field(default_factory=list)


def _mask(edits: tuple[SoundEdit, ...]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(SECONDS * 100, bool)
    for edit in edits:
        first, last = edit.samples(RATE)
        mask[max(-(-first // FRAME), 0) : max(last // FRAME, 0)] = True
    return mask


def _near(speech: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.convolve(speech, np.ones(2 * FAR + 1), "same") > 0


def _render(source: Path, target: Path, edits: tuple[SoundEdit, ...]) -> list[tuple[float, float]]:
    """What the gate still hears in the film rendered with these edits, start and end in seconds."""
    handler = VideoHandler()
    facts = handler.probe(source)
    target.unlink(missing_ok=True)
    handler.render(source, facts, OutputSpec(format="mp4", audio=POLICY), NoPaint(), target, None, edits)  # type: ignore[arg-type]
    findings, _ = check_sound(target, POLICY)
    if any(each.kind is not FindingKind.SPEECH for each in findings):
        raise RuntimeError("the gate could not listen")
    words = [each.detail.split() for each in findings]
    return [(float(each[2]), float(each[4])) for each in words]


def _measure(made: Scene, network: SpeechNetwork, score: Score, folder: Path) -> None:
    source, target = folder / "in.mkv", folder / "out.mp4"
    write_film(made.samples, str(source))
    heard = listen(source, "mkv", network, ANALYSIS_EAR)
    assert heard is not None
    edits = speech_edits(heard.likelihoods, heard.start, WINDOW, EAR_RATE)
    mask, near = _mask(edits), _near(made.speech)
    score.speech += int(made.speech.sum())
    score.silenced += int((made.speech & mask).sum())
    score.worst.append(float((made.speech & mask).sum() / made.speech.sum()))
    score.other += int((~made.speech).sum())
    score.other_silenced += int((~made.speech & mask).sum())
    score.far += int((~near).sum())
    score.far_silenced += int((~near & mask).sum())
    score.films += 1
    score.reviewed += bool(_render(source, target, edits))
    # one sentence forgotten, the second: does the gate hear it?
    start, end = made.sentences[1]
    kept = tuple(
        SoundEdit(kind="mute", start=a, end=b, time_base=(1, 100))
        for a, b in ((0, int(start * 100) - 10), (int(end * 100) + 10, SECONDS * 100))
    )
    score.left += 1
    score.left_found += any(a < end and b > start for a, b in _render(source, target, kept))


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def run(size: Size) -> Table:
    """The table; without a synthesiser an empty one that says so."""
    quick = size is Size.QUICK
    table = Table(
        "Speech in sound",
        ["noise", "speech to noise", "speech silenced", "least of a film", "other sound silenced",
         "more than 1 s from speech", "films the gate sends to review", "forgotten sentences it hears"],
    )  # fmt: skip
    if not espeak.available():
        table.note("Not measured: `pip install espeakng-loader` brings the voices.")
        return table
    network = SpeechNetwork(ModelStore().path("silero_vad"))
    scores: dict[tuple[str, str], Score] = defaultdict(Score)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (noise, snr) in enumerate((n, s) for n in NOISES for s in SNRS):
            for language in list(SENTENCES)[:1] if quick else SENTENCES:
                for voice, level in LEVELS.items():
                    made = scene(language, voice, noise, snr, level, SEED + number)
                    _measure(made, network, scores[noise, f"{snr:+.0f} dB"], folder)
        for language in list(SENTENCES)[:1] if quick else SENTENCES:
            made = scene(language, "+whisper", "room", 20.0, 0.02, SEED + 99)
            _measure(made, network, scores["room, whispered", "+20 dB"], folder)
        alone = {noise: _alone(noise, network, folder) for noise in NOISES}
    for (noise, snr), score in scores.items():
        table.add(
            noise, snr, _percent(score.silenced, score.speech), f"{100 * min(score.worst):.1f} %",
            _percent(score.other_silenced, score.other), _percent(score.far_silenced, score.far),
            f"{score.reviewed} of {score.films}", f"{score.left_found} of {score.left}",
        )  # fmt: skip
    for noise, (silenced, findings) in alone.items():
        table.add(noise, "no speech", "-", "-", silenced, silenced, f"{findings} of 1", "-")
    films = sum(score.films for score in scores.values())
    table.note(
        f"{films} films of {SECONDS} s with three sentences each in "
        f"{'Armenian (--quick)' if quick else 'Armenian, Russian or English'}, a voice "
        "near the microphone (0.1 of full scale) and one far away (0.02), in a room that echoes for 0.4 s."
    )
    table.note(
        "A hundredth of a second is speech if it is within 35 dB of the loud parts. The settings were chosen "
        "on another seed. A forgotten sentence is one that is left in while all else is silenced."
    )
    table.note("A crowd is ten people talking at once: to silence it is no mistake.")
    table.note(
        "The voices are synthetic (eSpeak NG). Real ones vary more: whispering, children, singing, crying."
    )
    return table


def _alone(noise: str, network: SpeechNetwork, folder: Path) -> tuple[str, int]:
    source = folder / "alone.mkv"
    write_film(quiet_noise(noise, 0.05, SEED + 7), str(source))
    heard = listen(source, "mkv", network, ANALYSIS_EAR)
    assert heard is not None
    edits = speech_edits(heard.likelihoods, heard.start, WINDOW, EAR_RATE)
    left = _render(source, folder / "alone.mp4", edits)
    return _percent(float(_mask(edits).sum()), SECONDS * 100), int(bool(left))
