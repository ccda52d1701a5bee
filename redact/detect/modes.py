"""What is run when: one table of runs per mode, and the ensembles made from it.

`light` is what every frame of a video gets, `full` the frames of its analysis cadence, `photo` a photo and
`still` the frames of a large video that are looked at like one. The gate has its own table, led by a family
that has no vote in analysis.

What each mode covers by itself, without the gate, on the half of the labelled photos that no threshold was
chosen on, on the same photos turned to all sides, and on 12-megapixel sheets made of them (`bench/modes.py`):

========  ========  =======  =============  =============  ===============  ===========
mode      >= 16 px  8-16 px  turned, >= 16  sheets, >= 16  extras an image  CPU a photo
========  ========  =======  =============  =============  ===============  ===========
fast        98.8 %   93.9 %           58 %           56 %              2.4        80 ms
balanced    99.7 %   99.4 %           93 %           99 %              3.7       400 ms
careful     99.9 %    100 %           96 %         99.7 %              6.9      1300 ms
========  ========  =======  =============  =============  ===============  ===========
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from redact.detect.base import Detector
from redact.detect.blazeface import BlazeFace
from redact.detect.blazepose import BlazePose
from redact.detect.centerface import CenterFace
from redact.detect.codes import CodeDetector
from redact.detect.ensemble import Ensemble, Run
from redact.detect.fusion import FusionRule, cluster
from redact.detect.large_text import TextEnsemble
from redact.detect.text import TextDetector
from redact.detect.weights import ModelStore
from redact.detect.yunet import YuNet
from redact.plan import Region

TURNS: tuple[Literal[90, 180, 270], ...] = (90, 180, 270)
Look = Literal["photo", "light", "full", "still"]
"""photo: a photo; light: every frame of a video; full: the frames of a video's analysis cadence; still: the
frames of a large one that are looked at like a photo (`redact.track.cadence`)."""

PEOPLE_MODEL = "blazepose"
_PEOPLE = (Run(PEOPLE_MODEL, 224),)
_TURNED = tuple(Run("yunet", 640, turn=turn, least=0.6) for turn in TURNS)
# Larger photos cost enough already, and what is small in them is larger than in these.
_SMALL = 1400
_BALANCED = (
    Run("yunet", 320),
    Run("yunet", 640),
    Run("yunet", 640, flip=True, upto=_SMALL),
    Run("yunet", 960, flip=True),
    Run("yunet", 1280, upto=_SMALL),
    Run("yunet", 1280, flip=True, upto=_SMALL),
    Run("yunet", 1600, beyond=_SMALL),
    # A lone small face leaves no hint at 1600: of 105 on photos with an empty scene of 12 megapixels around
    # them 104 instead of 96 are covered, for half a CPU second.
    Run("yunet", 3200, beyond=2000, tile=1344, overlap=96),
    Run("yunet", 6400, beyond=5000, tile=480, hinted=True),
    Run("centerface", 6400, beyond=5000, tile=480, hinted=True),
    # 443 photos at their own size on one of 100 megapixels: 99.1 instead of 96.8 % of faces of 16 px and up,
    # 96 instead of 64 % of smaller ones, for four times the time (2,227 faces)
    Run("yunet", 12000, beyond=9000, tile=480, hinted=True),
    Run("centerface", 12000, beyond=9000, tile=480, hinted=True),
    # the second family, without which a small face in a large photo stands on one network alone
    Run("centerface", 3200, beyond=2000, tile=480, hinted=True),
    Run("centerface", 640, flip=True, upto=_SMALL),
    Run("centerface", 480, flip=True, beyond=_SMALL),
)
_CAREFUL = (
    *_BALANCED,
    Run("yunet", 480),
    Run("yunet", 640, flip=True, beyond=_SMALL),
    Run("yunet", 1280, flip=True, beyond=_SMALL),
    Run("centerface", 320),
    Run("centerface", 480),
    Run("centerface", 640),
    Run("centerface", 1280),
    Run("yunet", 4000, beyond=2000, tile=1280),
    Run("yunet", 8000, beyond=5000, tile=1280),
    *(Run("yunet", 640, turn=turn, least=0.5) for turn in TURNS),
    *_PEOPLE,
    Run(PEOPLE_MODEL, 448, tile=224),
)
FACE_RUNS: dict[tuple[str, Look], tuple[Run, ...]] = {
    ("fast", "light"): (Run("yunet", 640),),
    ("fast", "full"): (Run("yunet", 640), Run("yunet", 1280, beyond=800)),
    ("fast", "photo"): (Run("yunet", 640), Run("yunet", 1280)),
    ("balanced", "light"): (Run("yunet", 640),),
    ("balanced", "full"): (
        Run("yunet", 320),
        Run("yunet", 640),
        Run("yunet", 1280),
        Run("centerface", 512),
        *_PEOPLE,
    ),
    ("balanced", "photo"): (*_BALANCED, *_TURNED, *_PEOPLE),
    ("careful", "light"): (Run("yunet", 640), Run("centerface", 640)),
    ("careful", "full"): _CAREFUL,
    ("careful", "photo"): _CAREFUL,
}
# Whatever the full look sees, the still look must see too: it stands in its place.
FACE_RUNS |= {
    (mode, "still"): tuple(dict.fromkeys((*FACE_RUNS[mode, "full"], *FACE_RUNS[mode, "photo"])))
    for mode in ("fast", "balanced", "careful")
}
# One of them at each full look, in turn: what lies still is met twice a second.
TURNED_RUNS: dict[str, tuple[Run, ...]] = {
    "fast": (),
    "balanced": tuple(Run("yunet", 640, turn=turn, least=0.75) for turn in TURNS),
    "careful": (),
}
# A code of three pixels a module at 1600 can be read by any telephone; in larger photos it may be smaller.
_CODES = (Run("zxing", 1600, upto=2000), Run("zxing", 2400, beyond=2000))
# Letters of 60 px in a photo of 100 megapixels are 6 px high at 1152, which nothing reads but a person.
# Chosen on 80 news photos laid out as one picture, with what another network sees there as truth: 3200 finds
# 60 % of these lines at 11 megapixels (2304: 44 %), 6000 finds 70 % at 25 and 100 (4608: 62 %).
_FINE_TEXT = (
    Run("ppocrv6_tiny", 3200, beyond=2800, tile=1344, overlap=128),
    Run("ppocrv6_tiny", 6000, beyond=5500, tile=1344, overlap=128),
)
TEXT_RUNS: dict[str, tuple[Run, ...]] = {
    "fast": (Run("ppocrv6_tiny", 960), Run("zxing", 1280)),
    # The small look costs a quarter of the large one and sees what is too large or too faint for it: 98.5 %
    # instead of 98.1 % of the lines of the tuning seed (bench/text.py).
    "balanced": (Run("ppocrv6_tiny", 1152), Run("ppocrv6_tiny", 640), *_FINE_TEXT, *_CODES),
    # Two networks, two sizes and a stretched picture: only what hardly differs from its ground is left.
    "careful": (
        Run("ppocrv6_small", 1280),
        Run("ppocrv6_small", 1280, enhance=True),
        Run("ppocrv6_tiny", 1152),
        Run("ppocrv5", 1280),
        *_FINE_TEXT,
        *_CODES,
    ),
}
# Text in video is looked for often; at 960 the tiny network keeps 0.958 of lines for half the time of 1280.
VIDEO_TEXT_RUNS: dict[str, tuple[Run, ...]] = {
    "fast": (Run("ppocrv6_tiny", 640), Run("zxing", 1280)),
    "balanced": (Run("ppocrv6_tiny", 960), Run("zxing", 1280)),
    "careful": (Run("ppocrv6_small", 1280), Run("ppocrv6_tiny", 960), Run("zxing", 1600)),
}
GATE_FACE_RUNS = (
    Run("blazeface_full", 1280),
    Run("blazeface_short", 640),
    Run("blazeface_full", 960, tile=480),
    Run("yunet", 960),
    Run("yunet", 3200, beyond=2000, tile=480, hinted=True),
    Run("blazeface_full", 3840, beyond=5500, tile=480),
    Run("yunet", 6400, beyond=5500, tile=480, hinted=True),
)
# The network's own input is 192 x 192: a larger picture only costs more to make.
GATE_VIDEO_FACE_RUNS = (Run("blazeface_full", 320),)
GATE_STILL_FACE_RUNS = (*GATE_VIDEO_FACE_RUNS, *GATE_FACE_RUNS)
STANDALONE_FACE_RUNS = (*_BALANCED, *GATE_FACE_RUNS[:3])
# Other scales and other tiles than in analysis: what lay badly there does not here.
GATE_TEXT_RUNS = (
    Run("ppocrv6_tiny", 960),
    Run("ppocrv6_tiny", 2048, beyond=2800, tile=1152, overlap=96),
    Run("ppocrv6_tiny", 4096, beyond=5500, tile=1152, overlap=96),
    Run("zxing", 1600),
)
SECOND_FACE_MODELS = ("yunet", "centerface")
SECOND_TEXT_MODEL = "ppocrv5"
"""Give second opinions: on large text (`redact.detect.large_text`) and on what the gate saw."""

FACE_FLOOR = 0.10
"""Below this, boxes of every family are noise: all models at 0.1 already give 75 boxes an image."""
PERSON_FLOOR, SAME_PERSON = 0.40, 0.30
"""People are noisier than faces: at .4 a photo and its tiles give two heads that are none, at .3 five.
So a head on their word alone is covered, but no face that was found (`saw_a_face`)."""
SAME_BOX = 0.60
"""Near-duplicates of one run are dropped above this overlap; looser ones stay, for the union."""
VIDEO_FACE_FUSION = FusionRule(strong=0.30)
"""Where few runs look, as at most frames of a video, a single one is believed sooner."""
FACE_FUSION: dict[str, FusionRule] = {
    "fast": FusionRule(strong=0.30, large_strong=0.45, spread=2.5),  # one family only
    "balanced": FusionRule(strong=0.45, spread=1.5, fewest=3, total=0.35),
    "careful": FusionRule(strong=0.40, spread=2.0),
}
"""For photos, by mode. With mean edges and 1.5 deviations, `balanced` covers the same faces as with the union
of the boxes and padding of .3 and .5, and 2 % less of the picture; less spread loses faces of 8 to 16 pixels
in each half, and so does 1.5 in `careful`."""
TEXT_PIXEL, TEXT_FLOOR, TEXT_GROW = 0.15, 0.25, 2.0
"""Low on purpose: 0.3 / 0.5 / 1.6, the usual values, cover 0.7 % fewer caption lines."""

_made: dict[tuple[str, str], Detector] = {}


def _detector(model: str, store: ModelStore) -> Detector:
    """One detector a process and weights file."""
    if model == "zxing":  # a library, no weights
        return _made.setdefault((model, ""), CodeDetector(model))
    weights = store.path(model)
    key = (model, str(weights))
    if key not in _made:
        if model == "yunet":
            _made[key] = YuNet(weights, FACE_FLOOR, SAME_BOX)
        elif model == "centerface":
            _made[key] = CenterFace(weights, FACE_FLOOR, SAME_BOX)
        elif model == PEOPLE_MODEL:
            _made[key] = BlazePose(weights, PERSON_FLOOR, SAME_PERSON)
        elif model.startswith("blazeface"):
            _made[key] = BlazeFace(model, weights, FACE_FLOOR, SAME_BOX)
        else:
            _made[key] = TextDetector(model, weights, TEXT_PIXEL, TEXT_FLOOR, TEXT_GROW)
    return _made[key]


def _ensemble(runs: Sequence[Run], store: ModelStore) -> Ensemble:
    return Ensemble(runs, {run.model: _detector(run.model, store) for run in runs})


def _text_ensemble(runs: Sequence[Run], store: ModelStore) -> TextEnsemble:
    detectors = {run.model: _detector(run.model, store) for run in runs}
    return TextEnsemble(runs, detectors, lambda: _detector(SECOND_TEXT_MODEL, store))


def face_ensemble(mode: str, look: Look, store: ModelStore, *, people: bool = True) -> Ensemble:
    """Faces for analysis. `mode` is fast, balanced or careful; `people`: heads without a face too."""
    runs = FACE_RUNS[mode, look]
    return _ensemble([run for run in runs if people or run.model != PEOPLE_MODEL], store)


def saw_a_face(sources: Iterable[str]) -> bool:
    """Whether one of these runs (`Run.name`) looked for faces, and not only for people."""
    return any(source.partition("@")[0] != PEOPLE_MODEL for source in sources)


def still_faces(seen: Sequence[Region], mode: str, size: tuple[int, int]) -> list[Region]:
    """Of what the `still` look of a mode has seen, what is to be followed: all that the full look sees, and
    of the rest what would be covered in a photo. `size` is the picture's width and height.

    In video few runs look, and one is believed sooner; of the photo's many one would be wrong too often.
    """
    full = {run.name for run in FACE_RUNS[mode, "full"]}
    groups = cluster(seen, FACE_FUSION[mode], size)
    return [each for group in groups for each in group.members if group.stands or each.source in full]


def turned_ensembles(mode: str, store: ModelStore) -> list[Ensemble]:
    """Looks at the turned picture that the full looks at a video take by turns; none for some modes."""
    return [_ensemble((run,), store) for run in TURNED_RUNS[mode]]


def text_ensemble(mode: str, store: ModelStore, *, video: bool = False) -> TextEnsemble:
    """Text and codes for analysis. `mode` is fast, balanced or careful."""
    return _text_ensemble((VIDEO_TEXT_RUNS if video else TEXT_RUNS)[mode], store)


def gate_face_ensemble(store: ModelStore, *, standalone: bool, video: bool = False) -> Ensemble:
    """Faces for the gate. `standalone`: the file's origin is unknown, so every family looks."""
    if standalone:
        return _ensemble(STANDALONE_FACE_RUNS, store)
    return _ensemble(GATE_VIDEO_FACE_RUNS if video else GATE_FACE_RUNS, store)


def gate_still_ensemble(store: ModelStore) -> Ensemble:
    """Faces for the gate on those frames of a large video that are looked at like a photo."""
    return _ensemble(GATE_STILL_FACE_RUNS, store)


def gate_people_ensemble(store: ModelStore) -> Ensemble:
    """People for the gate, who must have covered heads."""
    return _ensemble(_PEOPLE, store)


def gate_text_ensemble(store: ModelStore) -> Ensemble:
    """Text for the gate; the same for every file, so that what passed once passes again."""
    return _text_ensemble(GATE_TEXT_RUNS, store)


def second_look_faces(store: ModelStore) -> list[Detector]:
    """Networks that confirm a face on an enlarged crop."""
    return [_detector(model, store) for model in SECOND_FACE_MODELS]


def second_look_text(store: ModelStore) -> Detector:
    """The network that confirms a line on an enlarged crop."""
    return _detector(SECOND_TEXT_MODEL, store)
