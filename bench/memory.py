"""Memory: the peak of the whole process tree for ten seconds and for five minutes of the same video."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from bench.common import REDACT, ROOT, WORK, Size, Table

PAGE = os.sysconf("SC_PAGE_SIZE")


def _tree(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended while we looked
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += parents.get(process, [])
    return found


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def _peak(clip: Path) -> tuple[float, float, int]:
    """(peak of the sum, peak of the largest process, exit status), in MB."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "in").mkdir()
        shutil.copy(clip, place / "in")
        child = subprocess.Popen(
            [str(REDACT), "run", str(place / "in"), str(place / "out"), "--jobs", "1"],
            stdout=subprocess.DEVNULL,
            env={**os.environ, "REDACT_PRIVATE_DIR": str(place / "private")},
        )
        total = largest = 0
        while child.poll() is None:
            sizes = [_resident(process) for process in _tree(child.pid)]
            total, largest = max(total, sum(sizes)), max(largest, *sizes)
            time.sleep(0.1)
        return total / 1e6, largest / 1e6, child.returncode


def _loop(seconds: int) -> Path:
    target = WORK / f"loop-{seconds}s.mp4"
    if not target.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        source = ROOT / "samples" / "media" / "entering.mp4"
        command = ["ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", source, "-t", seconds]
        command += ["-an", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", target]
        subprocess.run([str(part) for part in command], check=True)
    return target


def run(size: Size) -> Table:
    """Measure a short and a long loop of the same clip."""
    quick = size is Size.QUICK
    table = Table(
        "Peak memory of the process tree", ["clip", "all processes, MB", "largest process, MB", "status"]
    )
    peaks = []
    for seconds in (10, 60 if quick else 300):
        total, largest, status = _peak(_loop(seconds))
        peaks.append(total)
        table.add(f"{seconds} s, 640x360", f"{total:.0f}", f"{largest:.0f}", str(status))
    table.note(f"Long over short: {peaks[1] / peaks[0]:.3f}. Goal: at most 1.10.")
    return table
