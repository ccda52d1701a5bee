"""What ffprobe lists in a finished film: one picture stream, sound if the policy keeps it, no more."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from gate_media import CANARY, movie
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.errors import MissingToolError
from redact.findings import FindingKind
from redact.gate.streams import check_streams, judge_inventory
from redact.gate.structure.base import Collector
from redact.policy import Policy

STRICT = Policy()
WITH_SOUND = Policy.model_validate({"audio": "keep"})
WITH_RIGHTS = Policy.model_validate({"metadata": {"rights": "keep"}})


def kinds(path: Path, policy: Policy = STRICT) -> set[FindingKind]:
    return {finding.kind for finding in check_streams(path, policy)[0]}


@pytest.mark.parametrize(
    ("codec", "container", "audio"), [("libx264", "mp4", "aac"), ("libvpx-vp9", "webm", "libopus")]
)
def test_sound_passes_only_if_the_policy_keeps_it(
    tmp_path: Path, codec: str, container: str, audio: str
) -> None:
    movie(tmp_path / "silent", codec, container=container)
    movie(tmp_path / "loud", codec, container=container, audio=audio)
    assert kinds(tmp_path / "silent") == set()
    assert kinds(tmp_path / "loud", WITH_SOUND) == set()
    assert kinds(tmp_path / "loud") == {FindingKind.STREAM}


def test_tags_are_metadata_even_if_rights_are_kept(tmp_path: Path) -> None:
    movie(tmp_path / "title", tags={"title": CANARY.decode()})
    movie(tmp_path / "rights", tags={"artist": "Agency", "copyright": "Agency"})
    assert kinds(tmp_path / "title", WITH_RIGHTS) == {FindingKind.METADATA}
    assert kinds(tmp_path / "rights") == {FindingKind.METADATA}
    assert kinds(tmp_path / "rights", WITH_RIGHTS) == {FindingKind.METADATA}


def test_subtitles_chapters_covers_and_timecodes_are_found(tmp_path: Path) -> None:
    ffmpeg = shutil.which("ffmpeg")
    assert ffmpeg
    movie(tmp_path / "film.mp4")
    (tmp_path / "s.srt").write_text("1\n00:00:00,000 --> 00:00:00,200\nOrinakyan\n")
    (tmp_path / "c.txt").write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle=Orinakyan\n"
    )
    subprocess.run(
        [ffmpeg, "-v", "error", "-i", "film.mp4", "-i", "s.srt", "-i", "c.txt", "-map", "0:v", "-map", "1",
         "-map_metadata", "2", "-timecode", "10:00:00:00", "-c:v", "copy", "-c:s", "mov_text", "out.mp4"],
        cwd=tmp_path, check=True, timeout=60)  # fmt: skip
    findings, look = check_streams(tmp_path / "out.mp4", STRICT)
    details = {finding.detail for finding in findings}
    assert {"subtitle stream", "data stream", "chapters"} <= details
    assert not any("rinak" in detail.lower() for detail in details)
    assert look.by == "ffprobe"


def test_a_file_that_ffprobe_cannot_read_is_undecodable(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 8)
    assert kinds(tmp_path / "noise") == {FindingKind.UNDECODABLE}


def test_without_ffprobe_nothing_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    movie(tmp_path / "film.mp4")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError):
        check_streams(tmp_path / "film.mp4", STRICT)


KEYS = ("streams", "format", "tags", "codec_type", "disposition", "side_data_list", "title")
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(KEYS),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["streams", "format", "chapters", "programs"]), json, max_size=4))
@settings(max_examples=80, deadline=None)
def test_no_answer_of_ffprobe_makes_the_judge_raise_or_pass_it_without_a_picture(
    answer: dict[str, Any],
) -> None:
    found = Collector()
    judge_inventory(answer, found, keep_audio=False)
    assert found.findings
