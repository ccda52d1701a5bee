"""Workers that look at frames: without the models, and with answers that are none. Imported by name."""

import os
from array import array
from collections.abc import Mapping

from redact.batch.looking import looking_jobs
from redact.workers import Job


def honest_maker() -> Mapping[str, Job]:
    """Only the jobs of looking: no model library is loaded."""
    return looking_jobs(own=False)


def honest_gate() -> Mapping[str, Job]:
    return looking_jobs(own=True)


def counting() -> Mapping[str, Job]:
    """Says for each request whether the file came with it."""
    seen: list[str] = []

    def times(request, progress):
        seen.append("file" if request["path"] else "key")
        assert not request["path"] or os.path.exists(request["path"])  # noqa: PTH110
        return array("d", [float(len(seen))]).tobytes() if request["path"] or len(seen) > 2 else None

    return {"times": times}


def lying() -> Mapping[str, Job]:
    """Answers of the right kind that hold what no honest worker sends."""
    return {
        "frame": lambda request, progress: b"\xff\xd8 and anything at all \xff\xd9",
        "times": lambda request, progress: array("d", [1.0, 0.5]).tobytes(),
        "follow": lambda request, progress: b"[]",
    }
