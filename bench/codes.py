"""QR codes and bar codes: how many of those pasted onto real photos a photo's look of analysis covers.

Every code is turned, blurred and compressed; its size is that of one module, the smallest thing in it that
must be told from its neighbour to be read at all. The second column of numbers is what a reader at full
size, the same library's, can still read: a code that nothing reads tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp

from bench.common import Size, Table
from bench.memo import kept
from bench.synthetic import public_backgrounds
from redact.detect.base import BgrImage
from redact.detect.codes import CodeDetector
from redact.detect.ensemble import Ensemble
from redact.detect.modes import TEXT_RUNS
from redact.media.picture import ArrayPicture
from redact.plan import Box, Kind
from redact.policy import Policy
from redact.track.builder import tracks_for_photo

FORMATS = {
    "QR": (zxingcpp.BarcodeFormat.QRCode, "https://example.org/p/orinakyan-aram-448812"),
    "EAN-13": (zxingcpp.BarcodeFormat.EAN13, "590123412345"),
    "Code 128": (zxingcpp.BarcodeFormat.Code128, "ID-448812"),
    "PDF417": (zxingcpp.BarcodeFormat.PDF417, "ORINAKYAN ARAM 1990-01-01"),
    "DataMatrix": (zxingcpp.BarcodeFormat.DataMatrix, "ORINAKYAN ARAM 448812"),
}
MODULES = (2.0, 3.0, 4.0, 6.0)
SIZE = (1600, 1200)
COVERED_FROM = 0.90


@dataclass
class Count:
    """Codes of one kind."""

    placed: int = 0
    covered: int = 0
    readable: int = 0
    readable_bare: int = 0
    """Still read from the picture after covering."""


@dataclass(frozen=True)
class Harm:
    """What was done to a picture with a code."""

    name: str
    angle: float
    blur: float
    quality: int


HARMS = (
    Harm("upright, JPEG 90", 0, 0, 90),
    Harm("upright, JPEG 50", 0, 0.6, 50),
    Harm("turned by 15 degrees", 15, 0.6, 80),
    Harm("turned by 90 degrees", 90, 0.6, 80),
    Harm("blurred, half a module", 5, -0.5, 80),
)


def _code(name: str, module: float) -> BgrImage:
    kind, text = FORMATS[name]
    made = np.array(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind), scale=8))
    scale = module / 8
    size = (max(1, round(made.shape[1] * scale)), max(1, round(made.shape[0] * scale)))
    made = cv2.resize(made, size, interpolation=cv2.INTER_AREA)
    quiet = round(4 * module)
    made = cv2.copyMakeBorder(made, quiet, quiet, quiet, quiet, cv2.BORDER_CONSTANT, value=(255,))
    return np.asarray(cv2.cvtColor(made, cv2.COLOR_GRAY2BGR), np.uint8)


def _paste(
    photo: BgrImage, code: BgrImage, harm: Harm, module: float, rng: np.random.Generator
) -> tuple[BgrImage, np.ndarray]:
    """The photo with the code on it, and the mask of the code without its quiet zone."""
    height, width = code.shape[:2]
    diagonal = float(np.hypot(width, height))
    x = float(rng.uniform(diagonal / 2, SIZE[0] - diagonal / 2))
    y = float(rng.uniform(diagonal / 2, SIZE[1] - diagonal / 2))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), harm.angle, 1.0)
    turn[:, 2] += (x - width / 2, y - height / 2)
    solid = np.full((height, width), 255, np.uint8)
    quiet = round(4 * module)
    inner = np.zeros_like(solid)
    inner[quiet : height - quiet, quiet : width - quiet] = 255
    pasted = cv2.warpAffine(code, turn, SIZE, flags=cv2.INTER_LINEAR)
    where = cv2.warpAffine(solid, turn, SIZE)[..., None] / 255.0
    made = (photo * (1 - where) + pasted * where).astype(np.uint8)
    blur = harm.blur if harm.blur >= 0 else -harm.blur * module
    if blur:
        made = cv2.GaussianBlur(made, (0, 0), blur).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, harm.quality])
    truth = cv2.warpAffine(inner, turn, SIZE) > 127
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8), truth


def _measure(quick: bool) -> dict[tuple[str, str], Count]:
    rng = np.random.default_rng(5)
    photos = [
        np.asarray(cv2.resize(photo, SIZE, interpolation=cv2.INTER_AREA), np.uint8)
        for photo in public_backgrounds()
    ]
    runs = [run for run in TEXT_RUNS["balanced"] if run.model == "zxing"]
    codes_only = Ensemble(runs, {"zxing": CodeDetector()})
    counts: dict[tuple[str, str], Count] = {}
    for name in FORMATS:
        for module in MODULES:
            for harm in HARMS:
                for n in range(1 if quick else 4):
                    image, truth = _paste(photos[n % len(photos)], _code(name, module), harm, module, rng)
                    readable = bool(_read(image))
                    painted = _paint(image, codes_only)
                    covered = bool(painted[truth].mean() >= COVERED_FROM)
                    image[painted] = 0
                    for key in ((name, f"{module:g} px"), (name, harm.name)):
                        count = counts.setdefault(key, Count())
                        count.placed += 1
                        count.covered += covered
                        count.readable += readable
                        count.readable_bare += readable and bool(_read(image))
    return counts


def _paint(image: BgrImage, ensemble: Ensemble) -> np.ndarray:
    regions = [region for region in ensemble.look(ArrayPicture(image)) if region.kind is Kind.CODE]
    mask = np.zeros(image.shape[:2], bool)
    for track in tracks_for_photo([], regions, image.shape[1], image.shape[0], Policy()):
        place = Box(*track.spans[0].box).snapped(image.shape[1], image.shape[0])
        if place is not None:
            mask[place[1] : place[3], place[0] : place[2]] = True
    return mask


def _read(image: BgrImage) -> list[object]:
    return list(zxingcpp.read_barcodes(image))


def run(size: Size) -> Table:
    """Every kind at every size and under every harm."""
    quick = size is Size.QUICK
    counts = kept(f"codes {quick}", lambda: _measure(quick))
    columns = [*(f"{module:g} px" for module in MODULES), *(harm.name for harm in HARMS)]
    table = Table("Codes covered, on photos of 1600 x 1200", ["code", "all", *columns])
    for name in FORMATS:
        every = [counts[name, f"{module:g} px"] for module in MODULES]
        cells = [counts[name, column] for column in columns]
        table.add(name, _cell(every), *(_cell([count]) for count in cells))
    everything = [counts[name, f"{module:g} px"] for name in FORMATS for module in MODULES]
    table.note(
        "Codes covered over 90 % of their area, of those pasted; in brackets, of those that a reader at full "
        "size can read before covering, how many it still reads after it. Sizes are of one module (of a bar "
        "code, the thinnest bar)."
    )
    table.note(
        f"In all {sum(count.placed for count in everything)} codes, {sum(c.readable for c in everything)} "
        f"readable before and {sum(c.readable_bare for c in everything)} after covering."
    )
    return table


def _cell(counts: list[Count]) -> str:
    placed, covered = sum(count.placed for count in counts), sum(count.covered for count in counts)
    readable, bare = sum(count.readable for count in counts), sum(count.readable_bare for count in counts)
    return f"{covered}/{placed} ({bare} of {readable})"
