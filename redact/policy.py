"""What must be hidden and how: one typed model, three presets, TOML in, dotted overrides on top.

Pure data. Every field carries its own documentation (`describe` lists them for `redact policy show`);
an unknown key anywhere is a `UsageError`. A section that has a `mode` may be given as that word alone:
`audio = "keep"` means `audio.mode = "keep"`.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from redact.errors import UsageError


def _mode_shorthand(value: object) -> object:
    return {"mode": value} if isinstance(value, str) else value


class Section(BaseModel):
    """A group of settings: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FacesPolicy(Section):
    """Finding and covering faces."""

    mode: Literal["fast", "balanced", "careful", "off"] = Field(
        "balanced", description="Which detection table of redact.detect.modes is run; off covers no faces."
    )
    padding: float = Field(
        0.25, ge=0.25, le=2.0, description="Growth of a face box on each side, as a share of its size."
    )
    min_padding_px: float = Field(5.0, ge=4.0, description="Least growth on each side, in pixels.")
    expected_heads: Literal["cover", "review", "off"] = Field(
        "cover",
        description="A person on whom no face is seen. cover: the head's place is covered; review: the "
        "item goes to review; off: people are not looked for.",
    )
    require_one: bool = Field(
        True,
        description="An item in which no network finds a face goes to review instead of being published; the "
        "place of an expected head is none.",
    )


class KeepPolicy(Section):
    """Faces that are shown on purpose, such as the newsroom's own reporter."""

    mode: Literal["never", "reviewed"] = Field(
        "never",
        description="reviewed: `redact render` leaves uncovered what a person marked `keep` in the plan. "
        "Such a policy needs a name of its own, and an end.",
    )
    until: date | None = Field(None, description="Last day on which faces are kept, year-month-day.")


class TextPolicy(Section):
    """Finding and covering text."""

    mode: Literal["all", "captions", "names", "off"] = Field(
        "all",
        description="all: every text region is covered; captions: only what looks laid over the picture "
        "(lower thirds, straps, tickers, subtitles), weaker: signs, badges and documents stay; names: only "
        "what the watch list or a person-name hint matches, weaker still, for readers miss names that people "
        "can read; off: none.",
    )
    detection: Literal["fast", "balanced", "careful"] = Field(
        "balanced", description="Which text table of redact.detect.modes is run."
    )
    padding: float = Field(
        0.25, ge=0.10, le=2.0, description="Growth of a text box on each side, as a share of the line height."
    )
    min_padding_px: float = Field(4.0, ge=4.0, description="Least growth on each side, in pixels.")
    max_area: float = Field(
        0.12, gt=0, le=1.0, description="A text region larger than this share of the frame sends to review."
    )
    max_area_together: float = Field(
        0.35,
        gt=0,
        le=1.0,
        description="So do the text regions of one frame that together take more than this share of it.",
    )
    band: float = Field(
        0.0,
        ge=0.0,
        le=0.5,
        description="Share of the height, from the bottom, that is covered on every frame whatever is found; "
        "0: none. For captions too faint to be found.",
    )


class CoverPolicy(Section):
    """How a region is overwritten. Text is always solid."""

    mode: Literal["solid", "mosaic", "blur"] = Field(
        "solid", description="Style for faces. mosaic and blur are made from what surrounds the cover alone."
    )
    colour: Annotated[tuple[int, int, int], Field(description="Solid colour, red, green, blue, 0-255.")] = (
        0,
        0,
        0,
    )


PERSON_LISTENS = frozenset({"bleep", "keep", "disguise"})
"""Ways with sound in which only a person can tell whether a name is spoken."""


class AudioPolicy(Section):
    """Sound of videos. Names are spoken too, so the default is silence."""

    mode: Literal["remove", "mute_speech", "bleep", "keep", "disguise"] = Field(
        "remove",
        description="remove: no audio stream; mute_speech: speech that is found is silenced and the gate "
        "listens to the rest; bleep: the plan's marked ranges become a tone; keep: encoded again, in sync; "
        "disguise: voices are shifted, which can be undone. The last three go to review, see listened.",
    )
    listened: bool = Field(
        False,
        description="A person has listened to the finished sound of every item, and no name is spoken in it. "
        "Only for bleep, keep and disguise, and such a policy needs a name of its own.",
    )
    bitrate_kbps: int = Field(128, ge=32, le=512, description="AAC or Opus bit rate of kept sound.")

    @property
    def unheard(self) -> bool:
        """Sound leaves that no machine checks and no person is known to have listened to."""
        return self.mode in PERSON_LISTENS and not self.listened


class VideoPolicy(Section):
    """Encoding of videos."""

    codec: Literal["h264", "hevc", "av1", "vp9"] = Field("h264", description="Output codec.")
    crf: int = Field(20, ge=0, le=51, description="Constant quality; the meaning of a step depends on codec.")
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"] = Field(
        "veryfast", description="Encoder effort (mapped to each encoder's own scale)."
    )


class PhotoPolicy(Section):
    """Encoding of photos and animations."""

    quality: int = Field(92, ge=50, le=100, description="JPEG, WebP, HEIC and AVIF quality.")


class MetadataPolicy(Section):
    """What may be written next to the pixels."""

    rights: Literal["drop", "keep"] = Field(
        "drop",
        description="keep: creator, credit, copyright, usage terms, licensor and source are written afresh.",
    )


class ProvenancePolicy(Section):
    """A signature on every published file, that says who published it. The source is not named in it."""

    mode: Literal["none", "c2pa"] = Field(
        "none", description="c2pa: each finished file is signed as a new asset (extra `c2pa`)."
    )
    certificate: str = Field("", description="Path of the certificate chain, PEM, the signer's own first.")
    key: str = Field("", description="Path of its private key, PEM. Neither is stored anywhere.")


class GatePolicy(Section):
    """How the finished bytes are judged."""

    faces: bool = Field(True, description="Look for faces on the finished pixels.")
    text: bool = Field(True, description="Look for text on the finished pixels.")
    every_frame_below: int = Field(
        60, ge=1, description="Videos up to this many frames are looked at on every frame."
    )
    cadence: int = Field(
        3, ge=1, le=25, description="Longer ones on every n-th frame, and at every shot start and end."
    )
    text_cadence: int = Field(12, ge=1, le=100, description="Text is looked for on every n-th frame.")
    heal_rounds: int = Field(
        2, ge=0, le=3, description="How often findings are covered and the item gated again before review."
    )


class SidecarsPolicy(Section):
    """Files that lie beside an item under its name. None is ever copied."""

    mode: Literal["drop", "redact"] = Field(
        "drop",
        description="redact: subtitles (.srt, .vtt) are written afresh with a bar for every listed name and "
        "person-name hint, checked, and released beside the published item; all else is dropped.",
    )


class ReviewPolicy(Section):
    """What people may let pass."""

    approvals: Literal[1, 2] = Field(
        1,
        description="How many reviewers must approve a file that waits in review, each by a code of their "
        "own. 2: what a reviewer redrew waits too, whatever the gate says. Written down with each item.",
    )


class OutputPolicy(Section):
    """Names and places of results."""

    filenames: Literal["random", "keep"] = Field(
        "random", description="random: public ids; keep: the path relative to the input folder."
    )


class LimitsPolicy(Section):
    """Where an item is refused rather than processed."""

    max_pixels: int = Field(120_000_000, ge=1, description="Pixels of one frame.")
    max_frames: int = Field(1_000_000, ge=1, description="Frames of one item.")
    max_animation_frames: int = Field(
        10_000, ge=1, description="Frames of a GIF, WebP or APNG, where a few bytes can ask for a frame."
    )
    item_timeout_s: int = Field(
        6 * 3600, ge=10, description="Wall-clock seconds one stage of one item may take."
    )
    cpu_s: int = Field(
        24 * 3600, ge=1, description="Processor seconds one stage of one item may take, over all its threads."
    )
    memory_mb: int = Field(
        8192,
        ge=1024,
        description="Address space of one worker process, in MiB; models take about 2000, and a photo of "
        "112 megapixels 2400.",
    )
    open_files: int = Field(256, ge=64, description="Files a worker process may hold open at once.")
    output_mb: int = Field(65536, ge=1, description="Size of the finished file, in MiB.")
    require_isolation: bool = Field(
        False,
        description="Refuse to work where the system cannot cut workers off from network and files "
        "(`redact doctor` says whether it can).",
    )


class Policy(Section):
    """Everything a run depends on besides its inputs and the model files."""

    name: str = Field("strict", max_length=64, description="Shown in reports and the ledger.")
    faces: Annotated[FacesPolicy, BeforeValidator(_mode_shorthand)] = FacesPolicy()
    keep: Annotated[KeepPolicy, BeforeValidator(_mode_shorthand)] = KeepPolicy()
    text: Annotated[TextPolicy, BeforeValidator(_mode_shorthand)] = TextPolicy()
    cover: Annotated[CoverPolicy, BeforeValidator(_mode_shorthand)] = CoverPolicy()
    audio: Annotated[AudioPolicy, BeforeValidator(_mode_shorthand)] = AudioPolicy()
    video: VideoPolicy = VideoPolicy()
    photo: PhotoPolicy = PhotoPolicy()
    metadata: MetadataPolicy = MetadataPolicy()
    provenance: Annotated[ProvenancePolicy, BeforeValidator(_mode_shorthand)] = ProvenancePolicy()
    gate: GatePolicy = GatePolicy()
    sidecars: Annotated[SidecarsPolicy, BeforeValidator(_mode_shorthand)] = SidecarsPolicy()
    review: ReviewPolicy = ReviewPolicy()
    output: OutputPolicy = OutputPolicy()
    limits: LimitsPolicy = LimitsPolicy()

    @model_validator(mode="after")
    def _keeping_is_named_and_ends(self) -> Policy:
        if self.keep.mode != "never" and (self.name in PRESETS or self.keep.until is None):
            raise ValueError("keep.mode needs keep.until, and a policy name that is no preset's")
        return self

    @model_validator(mode="after")
    def _listening_is_named(self) -> Policy:
        if self.audio.listened and (self.name in PRESETS or self.audio.mode not in PERSON_LISTENS):
            raise ValueError(
                "audio.listened is for audio.mode bleep, keep or disguise, and needs a policy name that is "
                "no preset's"
            )
        return self

    @model_validator(mode="after")
    def _signing_has_a_key(self) -> Policy:
        settings = self.provenance
        if settings.mode != "none" and not (settings.certificate and settings.key):
            raise ValueError("provenance.mode = c2pa needs provenance.certificate and provenance.key")
        return self

    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON of every setting but the name and the places of keys."""
        data = self.model_dump(mode="json", exclude={"name": True, "provenance": {"certificate", "key"}})
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


PRESETS: dict[str, dict[str, Any]] = {
    # The default: everything found is covered, nothing but pixels leaves.
    "strict": {"name": "strict"},
    # For pictures that carry a byline: rights fields are written afresh, a landscape without faces may pass.
    "desk": {"name": "desk", "metadata": {"rights": "keep"}, "faces": {"require_one": False}},
    # Where captions and signs were cleared by a person: faces only, text neither covered nor gated.
    "faces-only": {"name": "faces-only", "text": {"mode": "off"}, "gate": {"text": False}},
}


_SHORTHAND = ("faces", "keep", "text", "cover", "audio", "provenance", "sidecars")
"""Sections that may be given by their mode alone."""


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, str) and key in _SHORTHAND:
            value = {"mode": value}  # noqa: PLW2901 - the shorthand must merge, not replace the section
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged


def _parse_override(text: str) -> dict[str, Any]:
    key, sep, raw = text.partition("=")
    if not sep or not key.strip():
        raise UsageError(f"--set takes section.key=value, not {text!r}.")
    try:
        value = tomllib.loads(f"v = {raw.strip()}")["v"]
    except tomllib.TOMLDecodeError:
        value = raw.strip()  # a bare word is a string: --set output.filenames=keep
    for part in reversed(key.strip().split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"]) or "policy"
        what = "is no setting" if problem["type"] == "extra_forbidden" else problem["msg"]
        lines.append(f"{where}: {what}")
    return "; ".join(lines) + ". `redact policy show` lists every setting."


def load_policy(source: str = "strict", overrides: list[str] | None = None) -> Policy:
    """Build a policy from a preset's name or a TOML file, then apply `section.key=value` overrides.

    A TOML file may start from a preset with `preset = "desk"`; without it the base is `strict`.

    Raises:
        UsageError: no such preset or file, bad TOML, an unknown key or a value out of range.
    """
    if source in PRESETS:
        data = dict(PRESETS[source])
    else:
        path = Path(source)
        if not path.is_file():
            raise UsageError(
                f"--policy takes a preset ({', '.join(PRESETS)}) or a TOML file, and that is neither."
            )
        try:
            loaded = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"The policy file is not valid TOML: {error}.") from error
        preset = loaded.pop("preset", "strict")
        if preset not in PRESETS:
            raise UsageError(
                f"The policy file starts from an unknown preset; there are {', '.join(PRESETS)}."
            )
        data = _merge({**PRESETS[preset], "name": "custom"}, loaded)
    for text in overrides or []:
        data = _merge(data, _parse_override(text))
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        raise UsageError(_explain(error)) from error


def describe(policy: Policy) -> Iterator[tuple[str, Any, str]]:
    """Yield (dotted key, value, documentation) for every setting, in order."""
    for key, field in Policy.model_fields.items():
        value = getattr(policy, key)
        if isinstance(value, Section):
            for sub, info in type(value).model_fields.items():
                yield f"{key}.{sub}", getattr(value, sub), info.description or ""
        else:
            yield key, value, field.description or ""
