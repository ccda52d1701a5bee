"""Render: one input file and one plan in, one new file out. Decides nothing: the plan says what is covered.

The same function serves the batch, `redact render` and later the reviewer: an edited plan is drawn as it is.
"""

from __future__ import annotations

from pathlib import Path

from redact.cover.painter import CoverPainter
from redact.errors import EncodeError, PlanMismatchError
from redact.media.base import Progress, RenderedFacts
from redact.media.digest import check_unchanged, digest_file
from redact.media.registry import handler_for
from redact.plan import EXTENSIONS, Plan


def render(path: Path, plan: Plan, target: Path, progress: Progress | None = None) -> RenderedFacts:
    """Write the covered copy of `path` that `plan` describes to `target`, which must not exist.

    Raises:
        PlanMismatchError: the plan was made for other bytes.
        InputError: the input does not decode whole.
        InputChangedError: it was written to meanwhile.
        EncodeError: the output is not what was put in; nothing is left at `target`.
    """
    if digest_file(path, plan.source.salt) != plan.source:
        raise PlanMismatchError("This plan was made for another file. Make a new one with `redact plan`.")
    if plan.output.format not in EXTENSIONS:
        raise PlanMismatchError("The plan asks for an output format that cannot be written.")
    handler = handler_for(path)
    facts = handler.probe(path)
    known = plan.media
    if (facts.kind, facts.width, facts.height) != (known.kind, known.width, known.height):
        raise PlanMismatchError("The plan's media facts are not those of this file.")
    painter = CoverPainter(plan.covers(), plan.output.cover, known.width, known.height)
    try:
        written = handler.render(path, known, plan.output, painter, target, progress, plan.audio)
        if written.frames != known.frames:
            raise EncodeError(
                f"{written.frames} frames were written where analysis saw {known.frames}; "
                "nothing was kept. Run the item again."
            )
        check_unchanged(path, plan.source)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return written
