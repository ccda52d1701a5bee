"""Judges the stream inventory that ffprobe gives of a finished film: a reader that no other stage uses.

One picture stream, sound only where the policy keeps it, and no tag, chapter or programme besides what every
muxer writes. Values from the file are compared here and never kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from redact.errors import DamagedInputError
from redact.findings import Finding, FindingKind, Look
from redact.gate.structure.base import Collector
from redact.media.ffmpeg import probe_streams
from redact.policy import Policy

ALLOWED_TAGS: dict[str, re.Pattern[str]] = {
    # tag: what it may say
    "major_brand": re.compile(r"[A-Za-z0-9 ]{4}\Z"),
    "minor_version": re.compile(r"[0-9]{1,5}\Z"),
    "compatible_brands": re.compile(r"[A-Za-z0-9 ]{4,32}\Z"),
    "language": re.compile(r"und\Z"),
    "handler_name": re.compile(r"(Video|Sound)Handler\Z|\Z"),
    "vendor_id": re.compile(r"(\[0\]){4}\Z"),
    "encoder": re.compile(r"Lavf\Z"),
    "duration": re.compile(r"[0-9]{2,}:[0-9]{2}:[0-9]{2}\.[0-9]{9}\Z"),
}
KNOWN_TAG = re.compile(r"[a-z_]{1,24}\Z")
"""A tag's name is said in a finding only if it looks like one of ffprobe's own."""
FORBIDDEN_DISPOSITIONS = ("attached_pic", "timed_thumbnails", "captions", "descriptions", "metadata")
NAMED_KINDS = ("video", "audio", "subtitle", "data", "attachment")
KNOWN_SIDE_DATA = frozenset(
    {"Display Matrix", "Mastering display metadata", "Content light level metadata", "CPB properties"}
)


def check_streams(path: Path, policy: Policy) -> tuple[list[Finding], Look]:
    """Findings of the film at `path`, and what was looked at.

    Raises:
        MissingToolError: there is no ffprobe on this machine.
    """
    found = Collector(rights=policy.metadata.rights == "keep")
    try:
        untrusted_inventory = probe_streams(path)
    except DamagedInputError:
        found.add(FindingKind.UNDECODABLE, "ffprobe cannot read it")
    else:
        judge_inventory(untrusted_inventory, found, keep_audio=policy.audio.mode != "remove")
    return list(found.findings), Look(what="streams, chapters and tags", by="ffprobe")


def judge_inventory(untrusted_inventory: dict[str, Any], found: Collector, *, keep_audio: bool) -> None:
    """Report everything in ffprobe's answer that a finished film does not need."""
    streams = _records(untrusted_inventory.get("streams"))
    counts = {"video": 0, "audio": 0}
    for stream in streams:
        kind = str(stream.get("codec_type", "unknown"))
        if kind in counts:
            counts[kind] += 1
        else:
            found.stream(f"{kind if kind in NAMED_KINDS else 'unknown'} stream")
        (disposition,) = _records([stream.get("disposition")]) or [{}]
        for name in FORBIDDEN_DISPOSITIONS:
            if disposition.get(name):
                found.stream(f"{name} stream")
        if stream.get("closed_captions"):
            found.stream("closed captions")
        for side in _records(stream.get("side_data_list")):
            if side.get("side_data_type") not in KNOWN_SIDE_DATA:
                found.stream("side data")
        _check_tags(stream.get("tags"), found)
    if counts["video"] != 1:
        found.stream(f"{counts['video']} video streams")
    if counts["audio"] > (1 if keep_audio else 0):
        found.stream("more than one audio stream" if keep_audio else "audio stream")
    for key in ("chapters", "programs"):
        if untrusted_inventory.get(key):
            found.stream(key)
    container = untrusted_inventory.get("format")
    if not isinstance(container, dict):
        found.add(FindingKind.UNDECODABLE, "ffprobe cannot read it")
        return
    if container.get("nb_streams") != len(streams):
        found.stream("streams that are not listed")
    _check_tags(container.get("tags"), found)


def _records(untrusted_list: object) -> list[dict[str, Any]]:
    if not isinstance(untrusted_list, Iterable) or isinstance(untrusted_list, str | bytes):
        return []
    return [each for each in untrusted_list if isinstance(each, dict)]


def _check_tags(untrusted_tags: object, found: Collector) -> None:
    if not isinstance(untrusted_tags, dict):
        return
    for untrusted_name, untrusted_value in untrusted_tags.items():
        name = str(untrusted_name).lower()
        allowed = ALLOWED_TAGS.get(name)
        if allowed is None or not allowed.match(str(untrusted_value)):
            found.metadata(f"tag {name}" if KNOWN_TAG.match(name) else "tag")
