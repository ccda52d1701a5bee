"""Judges the sound of a finished film: that it may be there, decodes whole, and holds no speech.

Listens to every sample in the file, also those that players are told to skip. Where the policy leaves names
to a person's ears, only the policy's word that a person listened clears it; a disguise counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from redact.detect.listen import GATE_EAR, listen
from redact.detect.speech import RATE, WINDOW, SpeechNetwork
from redact.detect.weights import ModelStore
from redact.errors import DamagedInputError, UnsupportedInputError
from redact.findings import Finding, FindingKind, Look
from redact.media.sniff import identify
from redact.media.sound import read_sound, sound_facts
from redact.policy import AudioPolicy

LIKELY = 0.3
ENOUGH = 3
SURE = 0.8
"""Speech to the gate is three windows of at least .3 close together, a tenth of a second, or one of .8.

Once everything was silenced that analysis had heard, room noise and applause stayed under .2, and music gave
up to eleven windows from .3 on; a sentence left in gave 27 and more from .5 on, in sound as loud as itself.
Measured on mixtures of bench/soundscapes.py, at levels of .05 and .03."""
MERGE = 16
"""Windows, half a second: what is heard closer together is one finding."""
MOST_FINDINGS = 50
"""After so many, one more says that there are others."""


@lru_cache(maxsize=1)
def _network() -> SpeechNetwork:
    return SpeechNetwork(ModelStore().path("silero_vad"))


def check_sound(path: Path, policy: AudioPolicy) -> tuple[list[Finding], list[Look]]:
    """Findings of the film's sound, and what was listened for.

    Nothing if the policy allows no sound: the inventory of streams reports it then.

    Raises:
        ModelError: the network's weights are missing or altered.
    """
    if policy.mode == "remove":
        return [], []
    try:
        format_ = identify(path)
        if sound_facts(path, format_) is None:
            return [], [Look(what="sound (there is none)", by="PyAV")]
        if policy.mode == "mute_speech":
            return _listen(path, format_)
        seconds = _decodes(path, format_)
    except DamagedInputError:
        return [Finding(kind=FindingKind.UNDECODABLE, detail="sound does not decode whole")], []
    except UnsupportedInputError:
        return [Finding(kind=FindingKind.UNVERIFIABLE, detail="sound is not decoded")], []
    if policy.unheard:
        look = Look(what=f"sound, {seconds:.1f} s: decoded, not listened to", by="PyAV")
        return [Finding(kind=FindingKind.SOUND, detail="nobody has listened to it")], [look]
    return [], [Look(what=f"names spoken in {seconds:.1f} s of sound", by="a person, says the policy")]


def _decodes(path: Path, format_: str) -> float:
    facts = sound_facts(path, format_)
    count = sum(block.samples.shape[1] for block in read_sound(path, format_, whole=True))
    return count / facts.rate if facts else 0.0


def _listen(path: Path, format_: str) -> tuple[list[Finding], list[Look]]:
    heard = listen(path, format_, _network(), GATE_EAR, whole=True)
    if heard is None or not len(heard.likelihoods):
        return [Finding(kind=FindingKind.UNVERIFIABLE, detail="sound is not decoded")], []
    findings: list[Finding] = []
    for first, last, score in stretches_of_speech(heard.likelihoods):
        if len(findings) == MOST_FINDINGS:
            findings.append(Finding(kind=FindingKind.SPEECH, detail="silero_vad, and at more places"))
            break
        start, end = ((heard.start + each * WINDOW) / RATE for each in (first, last + 1))
        detail = f"silero_vad at {max(start, 0.0):.1f} to {max(end, 0.0):.1f} s"
        findings.append(Finding(kind=FindingKind.SPEECH, detail=detail, score=score))
    look = Look(
        what=f"speech in {heard.seconds:.1f} s of sound, every channel and their mix", by="silero_vad"
    )
    return findings, [look]


def stretches_of_speech(likelihoods: npt.NDArray[np.float32]) -> Iterator[tuple[int, int, float]]:
    """First window, last window and highest likelihood of everything the gate takes for speech, in order."""
    places = np.flatnonzero(~(likelihoods < LIKELY))
    if not places.size:
        return
    for part in np.split(places, np.flatnonzero(np.diff(places) > MERGE) + 1):
        highest = float(np.clip(likelihoods[part].max(), 0, 1))
        if len(part) >= ENOUGH or not highest < SURE:
            yield int(part[0]), int(part[-1]), highest


__all__ = ["check_sound", "stretches_of_speech"]
