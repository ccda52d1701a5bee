"""Kept sound: what the plan overwrites is gone to the sample, what it leaves stays where it was."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voices import RATE, film, heard, noise, voice

from redact.errors import DamagedInputError, InputError, UnsupportedInputError
from redact.media.ffmpeg import probe_streams
from redact.media.sound import SoundBlock, read_sound
from redact.media.sound_edit import FADE_S, SoundEditor, stretches
from redact.media.video import VideoHandler
from redact.plan import OutputSpec, SoundEdit
from redact.policy import AudioPolicy


class NoPaint:
    def covered(self, frame: int) -> list[tuple[int, int, int, int]]:
        """Nothing."""
        return []

    def yuv(self, frame: int, planes: list, **_: object) -> None:
        """Leave every frame as it is."""


def edit(kind: str, start: float, end: float) -> SoundEdit:
    return SoundEdit(kind=kind, start=round(start * 1000), end=round(end * 1000), time_base=(1, 1000))


def rendered(source: Path, target: Path, *edits: SoundEdit, mode: str = "keep") -> Path:
    handler = VideoHandler()
    spec = OutputSpec(format="mp4", audio=AudioPolicy(mode=mode))
    handler.render(source, handler.probe(source), spec, NoPaint(), target, None, edits)
    return target


def loudness(path: Path, start: float, end: float) -> float:
    """Root mean square of the loudest channel between two moments of the film."""
    samples, first, rate = heard(path)
    part = samples[:, round((start - first) * rate) : round((end - first) * rate)]
    assert part.shape[1]
    return float(np.sqrt(np.square(part).mean(axis=1)).max())


@st.composite
def edits(draw: st.DrawFn) -> SoundEdit:
    base = draw(st.tuples(st.integers(1, 1001), st.integers(1, 96000)))
    start = draw(st.integers(-(10**6), 10**6))
    length = draw(st.integers(1, 10**5))
    return SoundEdit(
        kind=draw(st.sampled_from(["mute", "bleep"])), start=start, end=start + length, time_base=base
    )


@given(st.lists(edits(), max_size=8), st.sampled_from([8000, 44100, 48000]))
def test_stretches_are_in_order_apart_and_hold_every_edit(some: list[SoundEdit], rate: int) -> None:
    merged = stretches(some, rate)
    assert all(one[1] < two[0] for one, two in pairwise(merged))
    for each in some:
        first, last = each.samples(rate)
        assert any(a <= first and last <= b for a, b in merged)
        assert first <= each.start * Fraction(*each.time_base) * rate < first + 1
        assert last - 1 < each.end * Fraction(*each.time_base) * rate <= last
    assert sum(b - a for a, b in merged) <= sum(b - a for a, b in (each.samples(rate) for each in some))


@given(
    st.lists(
        st.tuples(st.sampled_from(["mute", "bleep"]), st.integers(-50, 450), st.integers(1, 200)), max_size=4
    ),
    st.lists(st.integers(1, 399), max_size=4),
    st.integers(-100, 100),
)
def test_no_sample_of_an_edit_depends_on_what_was_there(
    some: list[tuple[str, int, int]], cuts: list[int], start: int
) -> None:
    rate = 8000
    plan = [SoundEdit(kind=kind, start=a, end=a + n, time_base=(1, rate)) for kind, a, n in some]
    editor, rng = SoundEditor(plan, rate), np.random.default_rng(0)
    gone = np.zeros(400, bool)
    for first, last in stretches(plan, rate):
        gone[max(first - start, 0) : max(last - start, 0)] = True
    one = rng.uniform(-1, 1, (2, 400)).astype(np.float32)
    two = np.where(gone, rng.uniform(-1, 1, (2, 400)), one).astype(np.float32)
    edges = [0, *sorted(set(cuts)), 400]

    def done(samples: np.ndarray) -> np.ndarray:
        blocks = (SoundBlock(start + a, samples[:, a:b]) for a, b in pairwise(edges))
        return np.concatenate([block.samples for block in editor.all(blocks)], axis=1)

    assert np.array_equal(done(one), done(two))
    assert np.array_equal(done(one), editor.edited(SoundBlock(start, one)).samples)  # wherever blocks are cut
    far = np.convolve(gone, np.ones(2 * round(FADE_S * rate) + 1), "same") == 0
    untouched = far & (not any(kind == "bleep" for kind, *_ in some) or far)
    inside = (np.arange(400) > round(FADE_S * rate)) & (np.arange(400) < 399 - round(FADE_S * rate))
    assert np.array_equal(done(one)[:, untouched & inside], one[:, untouched & inside])
    tones = np.zeros(400, bool)
    for first, last in stretches([each for each in plan if each.kind == "bleep"], rate):
        tones[max(first - start, 0) : max(last - start, 0)] = True
    assert not done(one)[:, gone & ~tones].any()


@pytest.mark.parametrize("mode", ["keep", "disguise"])
@pytest.mark.parametrize(
    ("rate", "layout"), [(48000, "mono"), (44100, "stereo"), (22000, "stereo"), (48000, "5.1(side)")]
)
@pytest.mark.parametrize("kind", ["mute", "bleep"])
def test_no_sample_of_a_muted_range_survives(
    tmp_path: Path, kind: str, rate: int, layout: str, mode: str
) -> None:
    """Two films that differ only there give the same file, byte for byte: nothing of it is in the file."""
    channels = av.AudioLayout(layout).nb_channels
    one = np.tile(noise(1.5, rate=rate), (channels, 1))
    two = one.copy()
    a, b = round(0.5 * rate), round(0.9 * rate)
    one[:, a:b] = voice(0.4, seed=1, rate=rate)[: b - a]
    two[:, a:b] = voice(0.4, seed=2, rate=rate)[: b - a]
    made = [
        rendered(
            film(tmp_path / f"{n}.mkv", samples, rate=rate, layout=layout),
            tmp_path / f"{n}.mp4",
            edit(kind, 0.5, 0.9),
            mode=mode,
        )
        for n, samples in enumerate((one, two))
    ]
    assert made[0].read_bytes() == made[1].read_bytes()
    if kind == "mute":
        assert loudness(made[0], 0.55, 0.85) < 1e-4
    assert loudness(made[0], 0.1, 0.45) > 0.005


def test_bleeped_word_is_gone(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mov", voice(2), codec="pcm_s16le")
    target = rendered(source, tmp_path / "out.mp4", edit("bleep", 0.7, 1.3), mode="bleep")
    samples, _, rate = heard(target)
    part = samples[0, round(0.72 * rate) : round(1.28 * rate)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    pitch = np.fft.rfftfreq(len(part), 1 / rate)
    assert spectrum[np.abs(pitch - 1000) < 30].sum() > 0.999 * spectrum.sum()
    assert loudness(target, 0.72, 1.28) == pytest.approx(0.1 / 2**0.5, rel=0.05)


def _tone_between(start: float, end: float, seconds: float, rate: int = RATE) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * 700 * time) * ((time >= start) & (time < end))).astype(np.float32)


@pytest.mark.parametrize("mode", ["keep", "disguise"])
@pytest.mark.parametrize(
    ("name", "codec", "start", "hole"),
    [
        ("plain.mkv", "pcm_s16le", "0", None),
        ("late.mkv", "pcm_s16le", "1/4", None),
        ("late.mp4", "aac", "1/4", None),
        ("primed.mp4", "aac", "0", None),
        ("primed.webm", "libopus", "0", None),
        ("hole.mkv", "pcm_s16le", "0", (0.2, 0.3)),
        ("plain.avi", "pcm_s16le", "0", None),
    ],
)
def test_an_edit_meets_what_is_heard_at_that_moment(
    tmp_path: Path, name: str, codec: str, start: str, hole: tuple[float, float] | None, mode: str
) -> None:
    """A beep: muted where a player plays it, it is gone; muted elsewhere, it is all there."""
    late = float(Fraction(start)) + (hole[1] if hole else 0)
    beep = _tone_between(0.6, 0.8, 1.6)
    if name.endswith("webm"):
        picture = _webm(tmp_path / name, beep)
    else:
        picture = film(tmp_path / name, beep, codec=codec, start=Fraction(start), hole=hole)
    target = rendered(picture, tmp_path / "out.mp4", edit("mute", 0.58 + late, 0.82 + late), mode=mode)
    samples, first, _ = heard(target)
    assert np.abs(samples).max() < 0.02
    whole = rendered(picture, tmp_path / "whole.mp4", edit("mute", 0.1 + late, 0.5 + late), mode=mode)
    assert loudness(whole, 0.62 + late, 0.78 + late) > 0.2
    assert loudness(whole, 0.2 + late, 0.57 + late) < 0.01
    assert loudness(whole, 0.86 + late, 1.2 + late) < 0.02
    assert first == pytest.approx(float(Fraction(start)), abs=0.05)  # an encoder's lead


def _webm(path: Path, sound: np.ndarray) -> Path:
    import subprocess

    source = film(path.with_suffix(".mkv"), sound)
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        source,
        "-c:v",
        "libvpx-vp9",
        "-deadline",
        "realtime",
        "-c:a",
        "libopus",
    ]
    subprocess.run([*map(str, command), str(path)], check=True)
    return path


@pytest.mark.parametrize(
    ("rate", "layout"),
    [(8000, "mono"), (11025, "stereo"), (37800, "stereo"), (96000, "mono"), (192000, "stereo"),
     (48000, "2.1"), (48000, "quad"), (48000, "5.1"), (48000, "7.1(wide)"), (44100, "hexagonal")],
)  # fmt: skip
def test_odd_rates_and_layouts_keep_their_length(tmp_path: Path, rate: int, layout: str) -> None:
    count = av.AudioLayout(layout).nb_channels
    source = film(tmp_path / "in.mkv", np.tile(voice(1, rate=rate), (count, 1)), rate=rate, layout=layout)
    samples, first, out_rate = heard(rendered(source, tmp_path / "out.mp4"))
    assert first == pytest.approx(0, abs=0.001)
    # an AAC frame of at most 1,024 samples may be padded at the end
    assert 0.99 <= samples.shape[1] / out_rate <= 1.01 + 1024 / out_rate
    assert np.sqrt(np.square(samples).mean()) > 0.01


@pytest.mark.parametrize("seconds", [0.5, 3.0])
def test_sound_longer_or_shorter_than_the_picture_is_kept_whole(tmp_path: Path, seconds: float) -> None:
    source = film(tmp_path / "in.mkv", _tone_between(0, 1.5, 1.5), seconds=seconds)
    target = rendered(source, tmp_path / "out.mp4")
    assert loudness(target, 1.3, 1.48) > 0.3
    video = next(each for each in probe_streams(target)["streams"] if each["codec_type"] == "video")
    assert int(video["nb_frames"]) == round(10 * seconds)


def test_a_disguise_changes_the_pitch_and_not_the_length(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mkv", _tone_between(0, 2, 2))
    samples, _, rate = heard(rendered(source, tmp_path / "out.mp4", mode="disguise"))
    part = samples[0, rate // 2 : 3 * rate // 2]
    pitch = np.fft.rfftfreq(len(part), 1 / rate)[np.abs(np.fft.rfft(part)).argmax()]
    assert pitch == pytest.approx(700 * 0.8, abs=5)
    assert samples.shape[1] / rate == pytest.approx(2, abs=0.03)


def test_sound_that_does_not_decode_whole_is_refused(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", noise(3, level=0.2), codec="aac")
    with av.open(str(source)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size > 60]
        middle = packets[len(packets) // 2]
        place, size = middle.pos, middle.size
    data = bytearray(source.read_bytes())
    data[place : place + size] = b"\xff" * size
    source.write_bytes(data)
    with pytest.raises(InputError):
        rendered(source, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    broken = noise(1)
    broken[20000] = np.nan
    source = film(tmp_path / "in.mkv", broken)
    with pytest.raises(DamagedInputError):
        rendered(source, tmp_path / "out.mp4")


def test_a_clock_that_jumps_a_day_is_refused(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mkv", noise(1), hole=(0.5, 90000.0))
    with pytest.raises(DamagedInputError):
        rendered(source, tmp_path / "out.mp4")


def test_sound_without_a_decoder_is_refused(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mkv", noise(1))
    source.write_bytes(source.read_bytes().replace(b"A_PCM/FLOAT/IEEE", b"A_XYZ/FLOAT/IEEE"))
    with pytest.raises(UnsupportedInputError):
        rendered(source, tmp_path / "out.mp4")


def test_blocks_follow_each_other_without_a_hole(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mkv", noise(1), start=Fraction(1, 2), hole=(0.5, 2.0), codec="pcm_s24le")
    at = None
    for block in read_sound(source, "mkv"):
        assert at is None or block.start == at
        at = block.start + block.samples.shape[1]
    assert at == pytest.approx(3.5 * RATE, abs=1100)
