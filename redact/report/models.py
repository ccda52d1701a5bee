"""What the JSON files of a report hold: one record an item, one a whole output folder. Pure data.

`docs/schema/` holds the JSON Schemas of both, made from these classes by `scripts/make_schemas.py`. No field
has room for a name, a path or a value of an input; the one picture is of published output pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from redact.findings import Finding, Look, Verdict
from redact.pipeline import Stage
from redact.plan import Data, FrameIndex, Kind, Origin, Plan

PublicId = Annotated[str, Field(pattern=r"^[a-z0-9]{4,64}$")]
Word = Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9_]*$")]
Digest = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Pixels = Annotated[float, Field(allow_inf_nan=False)]


class Tool(Data):
    """Who wrote the report."""

    name: Literal["redact"] = "redact"
    version: Annotated[str, Field(max_length=64)]


class PolicyName(Data):
    """The policy that an item was judged under."""

    name: Annotated[str, Field(max_length=64)]
    digest: Digest


class InputFacts(Data):
    """What the input was, without anything that was written into it."""

    kind: Literal["photo", "animation", "video"]
    format: Word
    streams_dropped: tuple[Word, ...] = ()
    """Kinds of the streams that are not in the output, a word each."""


class OutputFacts(Data):
    """The finished file."""

    sha256: Digest
    format: str
    width: int
    height: int
    """Pixels, as displayed."""
    frames: int
    seconds: Seconds = 0
    """How long it plays; 0 for photos."""


class SoundFacts(Data):
    """What became of the sound."""

    mode: Word
    edits: Count
    seconds: Seconds
    """How much of it was overwritten, at most what the film plays; overlaps count twice."""


class Covered(Data):
    """How much was covered."""

    tracks: dict[Kind, Count]
    track_frames: Count
    sound: SoundFacts


class Cover(Data):
    """One thing that was covered, through time."""

    kind: Kind
    keep: bool = False
    """Shown on purpose: a reviewer marked it."""
    origins: tuple[Origin, ...] = ()
    """How its places came to be known, each once."""
    runs: tuple[tuple[FrameIndex, FrameIndex], ...]
    """First and last frame (inclusive) of every stretch on which it is covered, in order, none touching."""
    boxes: tuple[tuple[Pixels, Pixels, Pixels, Pixels], ...] = ()
    """x, y, w, h of what was drawn, for pictures of one frame; for films they are in the plan."""


class Timeline(Data):
    """Shots and covers by frame number, from 0."""

    shots: tuple[tuple[FrameIndex, FrameIndex], ...] = ()
    covers: tuple[Cover, ...] = ()


class Analysis(Data):
    """What analysis had to say."""

    shots: Count
    notes: tuple[Word, ...] = ()


class GateFacts(Data):
    """What the gate looked for on the finished bytes, and what it found."""

    heal_rounds: Count
    """How often something was still seen, covered, and everything checked again."""
    looked_for: tuple[Look, ...]
    findings: tuple[Finding, ...]


class Processing(Data):
    """Wall-clock time by stage, all rounds together. It depends on the machine and on what else it did."""

    seconds: dict[Stage, Seconds]
    total_seconds: Seconds

    @classmethod
    def of(cls, seconds: Mapping[Stage, float]) -> Processing:
        """From what a stage clock counted."""
        return cls(
            seconds={stage: round(spent, 3) for stage, spent in seconds.items()},
            total_seconds=round(sum(seconds.values()), 3),
        )


class ItemReport(Data):
    """`report/items/ID.json`."""

    schema_version: Literal[1] = 1
    item: PublicId
    verdict: Verdict
    """The gate's own word. What a person decided later is in `report.json` and the ledger."""
    tool: Tool
    policy: PolicyName
    models: dict[str, str]
    """Model files by id, with their SHA-256."""
    input: InputFacts
    output: OutputFacts
    covered: Covered
    timeline: Timeline
    analysis: Analysis
    gate: GateFacts
    processing: Processing
    preview_jpeg: Annotated[str, Field(max_length=2_000_000, pattern=r"^[A-Za-z0-9+/]*={0,2}$")] = ""
    """Base64 of a small picture of the published output; empty unless the gate itself let it pass."""


class Standing(StrEnum):
    """Where an item stands: the gate's verdict, or what came instead of or after it."""

    BLOCK = "BLOCK"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    REVIEW = "REVIEW"
    ACCEPTED = "ACCEPTED"
    PUBLISH = "PUBLISH"


class ItemLine(Data):
    """One item in `report.json`."""

    item: str
    standing: Standing
    reason: str = ""
    """Why it failed, as a fixed word; empty otherwise."""
    reviewer: str = ""
    """Code of the person who accepted, rejected or redrew it."""
    approved_by: tuple[str, ...] = ()
    """Codes of all who approved exactly this file; fewer than `approvals` while it waits."""
    approvals: Count = 1
    """How many must approve it if it waits in review."""
    detailed: bool = False
    """`items/ID.json` exists and is about the file that was released."""
    findings: Count = 0
    covers: dict[Kind, Count] = Field(default_factory=dict)
    seconds: Seconds = 0
    """Processing time; 0 if it is not known."""


class LookedFor(Data):
    """One thing that was looked for, over all items that were judged."""

    what: str
    by: str
    files: Count
    frames: int
    """Frames looked at; 0 for checks of the whole file."""
    of_frames: int


class ModelUse(Data):
    """One model file that results stand on."""

    id: str
    sha256: str
    files: Count


class LastRun(Data):
    """The run that last worked on the folder."""

    began: str
    ended: str
    """UTC, by that machine's clock; empty if the run was killed."""
    items: Count
    """How many it set out to work on."""
    interrupted: bool
    isolation: str
    """What held back the processes that opened the files."""


class RunReport(Data):
    """`report/report.json`: a whole output folder."""

    schema_version: Literal[1] = 1
    tool: Tool
    ledger_head: Annotated[str, Field(pattern=r"^([0-9]+:[0-9a-f]{64})?$")]
    """Number and digest of the ledger's last row when this was written: note it."""
    last_run: LastRun | None
    counts: dict[Standing, Count]
    beside: Count
    """Subtitle files that were written afresh and lie beside published items."""
    policies: tuple[PolicyName, ...]
    looked_for: tuple[LookedFor, ...]
    models: tuple[ModelUse, ...]
    items: tuple[ItemLine, ...]
    """Worst first."""


PUBLISHED_MODELS: dict[str, type[Data]] = {
    "item-report": ItemReport,
    "report": RunReport,
    "plan": Plan,
}
"""Every JSON file that an output folder holds, by the name of its schema."""


def json_schema(name: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what is written under that name."""
    schema = PUBLISHED_MODELS[name].model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:redact:schema:{name}:1",
        **schema,
    }
