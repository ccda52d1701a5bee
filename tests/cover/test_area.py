"""What blanks a picture is counted, in one piece or in many, and only what was found."""

from __future__ import annotations

from redact.cover.area import LARGE_TEXT, area_notes, text_shares
from redact.plan import Kind, Origin, Span, Track
from redact.policy import TextPolicy


def track(number: int, box: tuple[float, float, float, float], first: int = 0, *sources: str) -> Track:
    span = Span(first=first, last=first + 9, box=box, origin=Origin.DETECTED)
    return Track(id=number, kind=Kind.TEXT, sources=sources, spans=(span,))


def test_many_small_covers_that_blank_a_frame_together_are_noted() -> None:
    tracks = [track(n + 1, (0, 40 * n, 960, 40)) for n in range(6)]
    assert area_notes(tracks, 960, 540, TextPolicy()) == [LARGE_TEXT]
    assert area_notes(tracks[:3], 960, 540, TextPolicy()) == []


def test_covers_of_different_frames_are_not_added_up() -> None:
    tracks = [track(n + 1, (0, 40 * n, 960, 40), 10 * n) for n in range(6)]
    assert area_notes(tracks, 960, 540, TextPolicy()) == []


def test_covers_on_each_other_count_once() -> None:
    tracks = [track(n + 1, (100, 100, 400, 100)) for n in range(9)]
    one, together = text_shares(tracks, 960, 540)
    assert abs(one - 400 * 100 / (960 * 540)) < 1e-9
    assert together < 1.2 * one


def test_a_band_that_was_asked_for_is_not_counted() -> None:
    assert area_notes([track(1, (0, 270, 960, 270), 0, "band")], 960, 540, TextPolicy()) == []
