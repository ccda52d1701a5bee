"""Hostile bytes: whatever is done to a small file, the readers answer with findings, in bounded time."""

from __future__ import annotations

import functools
import io
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from gate_media import animated, movie, saved
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redact.gate.structure import read_structure

SEEDS = ("jpeg", "png", "apng", "webp", "gif", "tiff", "bmp", "heif", "avif", "mp4", "webm")


@functools.cache
def seed(kind: str) -> bytes:
    with TemporaryDirectory() as folder:
        if kind == "mp4":
            return movie(Path(folder) / "a.mp4", audio="aac", frames=3)
        if kind == "webm":
            return movie(Path(folder) / "a.webm", "libvpx-vp9", container="webm", frames=3)
    if kind in ("apng", "webp"):
        return animated(kind.removeprefix("a").upper())
    if kind == "avif":
        return saved("AVIF", "RGBA", speed=10)
    return saved(kind.upper(), "RGBA" if kind == "heif" else "RGB")


mutations = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(["flip", "zero", "ones", "cut", "double", "insert"]),
        st.integers(0, 255),
        st.integers(1, 8),
    ),
    min_size=1,
    max_size=6,
)


def _mutated(data: bytes, changes: list[tuple[float, str, int, int]]) -> bytes:
    for place, how, value, size in changes:
        # half of the changes hit the headers, where lengths and counts are
        at = int(place * 2 * min(len(data), 400)) if place < 0.5 else int(place * len(data))
        head, body, tail = data[:at], data[at : at + size], data[at + size :]
        data = {
            "flip": head + bytes(byte ^ value for byte in body) + tail,
            "zero": head + b"\0" * len(body) + tail,
            "ones": head + b"\xff" * len(body) + tail,
            "cut": head,
            "double": head + body + body + tail,
            "insert": head + bytes([value]) * size + body + tail,
        }[how]
    return data


@pytest.mark.parametrize("kind", SEEDS)
@given(changes=mutations)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_mutation_makes_a_reader_raise_or_hang(
    kind: str, changes: list[tuple[float, str, int, int]]
) -> None:
    start = time.process_time()
    read_structure(io.BytesIO(_mutated(seed(kind), changes)), rights=True)
    assert time.process_time() - start < 5.0


@pytest.mark.parametrize("kind", SEEDS)
def test_every_truncation_is_a_finding(kind: str) -> None:
    data = seed(kind)
    for length in range(len(data) - 1, 0, -max(len(data) // 60, 1)):
        report = read_structure(io.BytesIO(data[:length]), rights=False)
        assert report.findings, f"{length} of {len(data)} bytes"


HEADS = (b"BM", b"\x1aE\xdf\xa3", b"II*\0", b"GIF89a", b"\xff\xd8\xff", b"\0\0\0\x14ftypmp42")


@given(data=st.binary(max_size=200), head=st.sampled_from(HEADS))
@settings(max_examples=150, deadline=None)
def test_noise_behind_a_known_head_is_a_finding(data: bytes, head: bytes) -> None:
    assert read_structure(io.BytesIO(head + data), rights=False).findings
