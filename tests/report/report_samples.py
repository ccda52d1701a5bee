"""Reports of invented items: what the page and its drawings are tested on, without any media."""

import base64
from typing import Any

import cv2
import numpy as np

from redact.findings import Finding, FindingKind, Look
from redact.plan import Kind, Origin
from redact.report.models import (
    Analysis,
    Cover,
    Covered,
    GateFacts,
    InputFacts,
    ItemReport,
    OutputFacts,
    PolicyName,
    Processing,
    SoundFacts,
    Timeline,
    Tool,
)

DIGEST = "ab" * 32
ROW = {"event": "released", "sha256": DIGEST}


def picture() -> str:
    """A grey JPEG, as base64."""
    done, data = cv2.imencode(".jpg", np.full((30, 40, 3), 128, np.uint8))
    assert done
    return base64.b64encode(data.tobytes()).decode()


def cover(kind: Kind, *runs: tuple[int, int], **more: Any) -> Cover:
    return Cover(kind=kind, runs=runs, origins=(Origin.DETECTED,), **more)


def report(item: str, verdict: str = "PUBLISH", **changes: Any) -> ItemReport:
    """A film of 100 frames in two shots unless told otherwise; `changes` replace whole fields."""
    covers = (cover(Kind.FACE, (0, 30), (40, 99)), cover(Kind.TEXT, (10, 20)))
    return ItemReport(
        **{
            "item": item,
            "verdict": verdict,
            "tool": Tool(version="0"),
            "policy": PolicyName(name="strict", digest=DIGEST),
            "models": {"yunet": DIGEST},
            "input": InputFacts(kind="video", format="mov", streams_dropped=("audio",)),
            "output": OutputFacts(
                sha256=DIGEST, format="mp4", width=640, height=360, frames=100, seconds=4.0
            ),
            "covered": Covered(
                tracks={Kind.FACE: 1, Kind.TEXT: 1},
                track_frames=111,
                sound=SoundFacts(mode="remove", edits=0, seconds=0),
            ),
            "timeline": Timeline(shots=((0, 49), (50, 99)), covers=covers),
            "analysis": Analysis(shots=2),
            "gate": GateFacts(
                heal_rounds=0,
                looked_for=(Look(what="faces", by="blazeface", frames=20, of_frames=100),),
                findings=(),
            ),
            "processing": Processing.of({"analyse": 2.0, "render": 0.5, "gate": 1.25}),
            **changes,
        }
    )


def photo(item: str, verdict: str = "PUBLISH", **changes: Any) -> ItemReport:
    """A photo with one face covered."""
    return report(
        item,
        verdict,
        **{
            "input": InputFacts(kind="photo", format="jpeg"),
            "output": OutputFacts(sha256=DIGEST, format="jpeg", width=1200, height=800, frames=1),
            "timeline": Timeline(covers=(cover(Kind.FACE, (0, 0), boxes=((300, 200, 120, 160),)),)),
            **changes,
        },
    )


def gate(*findings: Finding, by: str = "blazeface", rounds: int = 0) -> GateFacts:
    look = Look(what="faces", by=by, frames=20, of_frames=100)
    return GateFacts(heal_rounds=rounds, looked_for=(look,), findings=findings)


def face(first: int, last: int, box: tuple[float, float, float, float] | None = None) -> Finding:
    return Finding(
        kind=FindingKind.FACE, detail="blazeface_full@whole", score=0.8, first=first, last=last, box=box
    )
