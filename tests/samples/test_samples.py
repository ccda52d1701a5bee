"""The samples are what they say: everything planted in them is really there, and they are small."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import av


def _metadata(path: Path) -> dict[str, Any]:
    done = subprocess.run(["exiftool", "-j", "-a", "-G1", "-ee", str(path)], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)[0]
    return found


def test_every_sample_has_an_expectation_and_every_expectation_a_sample(
    samples_dir: Path, expected: dict[str, dict[str, Any]]
) -> None:
    media = {
        str(p.relative_to(samples_dir)) for p in samples_dir.rglob("*") if p.is_file() and p.suffix != ".srt"
    }
    assert media == set(expected)


def test_what_is_planted_is_really_there(samples_dir: Path, expected: dict[str, dict[str, Any]]) -> None:
    for name, item in expected.items():
        told = str(_metadata(samples_dir / name)) + name
        data = (samples_dir / name).read_bytes()
        for planted in item.get("planted", []):
            assert planted in told or planted.encode() in data, (name, planted)


def test_the_samples_are_small(samples_dir: Path) -> None:
    assert sum(path.stat().st_size for path in samples_dir.rglob("*") if path.is_file()) < 15_000_000


def test_the_metadata_sample_has_a_thumbnail_and_a_place(samples_dir: Path) -> None:
    found = _metadata(samples_dir / "metadata.jpg")
    assert "IFD1:ThumbnailImage" in found
    assert "GPS:GPSLatitude" in found


def test_the_clips_are_uneven_turned_and_subtitled(samples_dir: Path) -> None:
    with av.open(str(samples_dir / "vfr.mp4")) as container:
        times = [frame.pts for frame in container.decode(video=0)]
        assert len({b - a for a, b in itertools.pairwise(times)}) > 2
    with av.open(str(samples_dir / "rotated.mp4")) as container:
        assert next(container.decode(video=0)).rotation in (90, -90)
    with av.open(str(samples_dir / "subtitled.mp4")) as container:
        assert {"video", "audio", "subtitle", "data"} <= {stream.type for stream in container.streams}
