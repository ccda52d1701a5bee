"""Codes are found where they are, at any angle, and nothing they say leaves the detector."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp

from redact.detect.codes import CodeDetector
from redact.plan import Kind

SECRET = "ORINAKYAN ARAM 448812"
FORMATS = {
    "qr": (zxingcpp.BarcodeFormat.QRCode, SECRET),
    "datamatrix": (zxingcpp.BarcodeFormat.DataMatrix, SECRET),
    "pdf417": (zxingcpp.BarcodeFormat.PDF417, SECRET),
    "ean13": (zxingcpp.BarcodeFormat.EAN13, "590123412345"),
    "code128": (zxingcpp.BarcodeFormat.Code128, "448812"),
}


def scene(name: str, turn: int) -> tuple[np.ndarray, np.ndarray]:
    """A grey picture with one code, and the mask of its dark modules."""
    kind, text = FORMATS[name]
    made = np.array(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind), scale=3))
    made = cv2.copyMakeBorder(np.rot90(made, turn), 16, 16, 16, 16, cv2.BORDER_CONSTANT, value=(255,))
    image = np.full((600, 800), 120, np.uint8)
    image[90 : 90 + made.shape[0], 150 : 150 + made.shape[1]] = made
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8), image < 60


@pytest.mark.parametrize("turn", [0, 1, 2])
@pytest.mark.parametrize("name", FORMATS)
def test_a_code_lies_whole_inside_its_region(name: str, turn: int) -> None:
    image, dark = scene(name, turn)
    held = np.zeros(dark.shape, bool)
    for region in CodeDetector().detect(image):
        assert region.kind is Kind.CODE
        x, y, right, bottom = map(int, (*region.box[:2], region.box.right, region.box.bottom))
        held[y : bottom + 1, x : right + 1] = True
    assert held[dark].all()
    assert held.mean() < 0.6


def test_a_region_says_nothing_of_what_the_code_holds() -> None:
    image, _ = scene("qr", 0)
    (region,) = CodeDetector().detect(image)
    assert SECRET.split(maxsplit=1)[0] not in repr(region)


def test_stripes_without_a_check_sum_are_no_code() -> None:
    image = np.full((400, 600, 3), 200, np.uint8)
    image[:, ::14] = image[:, 1::14] = image[:, 2::14] = 20
    assert not CodeDetector().detect(image)
