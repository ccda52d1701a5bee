"""Analyse: one input file in, one plan out. Decodes, detects, tracks; draws nothing and writes nothing.

A video is looked at twice by this tool: here every frame is seen before anything is drawn, so a face found
late in a shot is followed back to the frame on which it entered. What is run on which frame is decided by
`redact.track.cadence`, from the frames' own times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from redact.cover.area import BAND_SOURCE, area_notes
from redact.detect.base import Picture
from redact.detect.ensemble import Ensemble, unseen
from redact.detect.large_text import TextEnsemble
from redact.detect.listen import ANALYSIS_EAR, listen
from redact.detect.modes import (
    Look,
    face_ensemble,
    saw_a_face,
    still_faces,
    text_ensemble,
    turned_ensembles,
)
from redact.detect.named_text import names_only
from redact.detect.overlay import overlay_like
from redact.detect.reading import TextReader
from redact.detect.speech import RATE, WINDOW, SpeechNetwork
from redact.detect.weights import ModelStore
from redact.errors import InputTooLargeError
from redact.media.base import DecodedFrame, MediaHandler, Progress
from redact.media.digest import check_unchanged, digest_file
from redact.media.pace import Pace, moments
from redact.media.registry import handler_for
from redact.metadata.film_rights import film_rights
from redact.metadata.rights import read_rights
from redact.names.watchlist import WatchList
from redact.plan import (
    Kind,
    MediaFacts,
    Origin,
    OutputSpec,
    Plan,
    Region,
    SoundEdit,
    Span,
    StreamFacts,
    Track,
)
from redact.policy import Policy
from redact.track.builder import TrackBuilder, tracks_for_photo
from redact.track.cadence import Cadence, Due
from redact.track.settings import TrackSettings
from redact.track.shots import ShotDetector
from redact.track.speech import speech_edits
from redact.track.text_looks import TextLooks

SHOT_LONG_SIDE = 160
LOOK_AHEAD = 4
"""Frames whose detection may be under way at once: enough to overlap with decoding, few enough for memory."""


class AnalysisModels:
    """The ensembles one policy needs, loaded once per process."""

    def __init__(self, policy: Policy, store: ModelStore) -> None:
        faces, text = policy.faces.mode, policy.text

        def looking(look: Look) -> Ensemble | None:
            people = policy.faces.expected_heads == "cover"
            return None if faces == "off" else face_ensemble(faces, look, store, people=people)

        self.light, self.full, self.photo = looking("light"), looking("full"), looking("photo")
        self.still = looking("still")
        self.turned: list[Ensemble] = [] if faces == "off" else turned_ensembles(faces, store)
        self.hearing = SpeechNetwork(store.path("silero_vad")) if policy.audio.mode == "mute_speech" else None
        self.reader = TextReader(store) if text.mode == "names" else None
        self.text: TextEnsemble | None = None if text.mode == "off" else text_ensemble(text.detection, store)
        self.video_text: TextEnsemble | None = (
            None if text.mode == "off" else text_ensemble(text.detection, store, video=True)
        )


def output_format(facts: MediaFacts) -> str:
    """Photos and animations stay what they are. Videos become MP4: it holds every codec and exact times."""
    return "mp4" if facts.kind == "video" else facts.format


def analyse(
    path: Path,
    item: str,
    policy: Policy,
    models: AnalysisModels,
    progress: Progress | None = None,
    watch: WatchList | None = None,
) -> Plan:
    """Find everything the policy wants covered in the file at `path`. `item` is its public id;
    `watch` are names that neither the picture, if text is covered by name, nor kept rights may hold.

    Raises:
        InputError: the file is of no supported kind, damaged, or beyond the policy's limits.
        InputChangedError: it was written to meanwhile.
        ModelError: weights are missing or altered.
    """
    source = digest_file(path)
    handler = handler_for(path)
    facts = handler.probe(path)
    _check_limits(facts, policy)
    if facts.kind == "photo":
        tracks, shots, counted = _analyse_photo(path, handler, facts, policy, models, watch)
    else:
        tracks, shots, counted = _analyse_moving(path, handler, facts, policy, models, progress, watch)
    keep_rights = policy.metadata.rights == "keep"
    listed: tuple[str, ...] = ()
    if keep_rights and watch is not None:
        rights = film_rights if facts.kind == "video" else read_rights
        listed = rights(path, facts.format).listed(watch)
    facts = facts.model_copy(update={"frames": counted, "streams": _streams(facts, policy)})
    if policy.text.band:
        tracks.append(_band(facts, policy.text.band, len(tracks) + 1))
    audio = _analyse_sound(path, facts, models)
    check_unchanged(path, source)
    return Plan(
        item=item,
        policy=policy.name,
        policy_digest=policy.digest(),
        source=source,
        media=facts,
        shots=tuple(shots),
        tracks=tuple(tracks),
        audio=audio,
        output=OutputSpec(
            format=output_format(facts),
            cover=policy.cover,
            photo=policy.photo,
            video=policy.video,
            audio=policy.audio,
            keep_rights=keep_rights,
            drop_rights=listed,
        ),
        notes=(*_notes(tracks, facts, policy), *(["listed_name_in_rights"] if listed else [])),
    )


def _streams(facts: MediaFacts, policy: Policy) -> tuple[StreamFacts, ...]:
    """The streams, with sound marked as dropped where the policy removes it."""
    if policy.audio.mode != "remove":
        return facts.streams
    return tuple(
        stream.model_copy(update={"kept": False}) if stream.kind == "audio" else stream
        for stream in facts.streams
    )


def _band(facts: MediaFacts, share: float, number: int) -> Track:
    """The lower part of every frame, covered because the policy asks for it."""
    top = (1 - share) * facts.height
    box = (0.0, top, float(facts.width), facts.height - top)
    span = Span(first=0, last=facts.frames - 1, box=box, origin=Origin.REVIEWER)
    return Track(id=number, kind=Kind.TEXT, sources=(BAND_SOURCE,), spans=(span,))


def _check_limits(facts: MediaFacts, policy: Policy) -> None:
    limits = policy.limits
    if facts.width * facts.height > limits.max_pixels:
        raise InputTooLargeError(
            f"The picture has more than {limits.max_pixels} pixels (limits.max_pixels); it was not decoded."
        )
    if facts.frames > limits.max_frames:
        raise InputTooLargeError(f"There are more than {limits.max_frames} frames (limits.max_frames).")
    if facts.kind == "animation" and facts.frames > limits.max_animation_frames:
        raise InputTooLargeError(
            f"There are more than {limits.max_animation_frames} frames (limits.max_animation_frames); "
            "a video file holds them better."
        )


def _notes(tracks: Sequence[Track], facts: MediaFacts, policy: Policy) -> list[str]:
    # A head that is only expected is covered, but it is no face that was found: often it is none at all.
    seen = any(track.kind is Kind.FACE and saw_a_face(track.sources) for track in tracks)
    notes = []
    if policy.faces.mode != "off" and policy.faces.require_one and not seen:
        notes.append("no_face_found")
    notes += area_notes(tracks, facts.width, facts.height, policy.text)
    if policy.audio.unheard and any(stream.kind == "audio" for stream in facts.streams):
        notes.append("sound_not_listened")
    return notes


def _analyse_sound(path: Path, facts: MediaFacts, models: AnalysisModels) -> tuple[SoundEdit, ...]:
    """Where speech is silenced; nothing unless the policy asks for it."""
    if models.hearing is None or not any(stream.kind == "audio" for stream in facts.streams):
        return ()
    heard = listen(path, facts.format, models.hearing, ANALYSIS_EAR)
    return speech_edits(heard.likelihoods, heard.start, WINDOW, RATE) if heard is not None else ()


Analysed = tuple[list[Track], list[tuple[int, int]], int]


def _wanted(
    picture: Picture, text: list[Region], policy: Policy, models: AnalysisModels, watch: WatchList | None
) -> list[Region]:
    """The text that the policy wants covered; codes in any case."""
    if models.reader is not None:
        return names_only(text, picture, watch, models.reader)
    if policy.text.mode != "captions":
        return text
    return [each for each in text if each.kind is not Kind.TEXT or overlay_like(picture, each)]


def _analyse_photo(
    path: Path,
    handler: MediaHandler,
    facts: MediaFacts,
    policy: Policy,
    models: AnalysisModels,
    watch: WatchList | None,
) -> Analysed:
    (frame,) = handler.frames(path, facts)
    faces: list[Region] = []
    text: list[Region] = []
    for picture in frame.looks():
        faces += models.photo.look(picture) if models.photo else []
        lines = models.text.look(picture) if models.text else []
        text += _wanted(picture, lines, policy, models, watch)
    return tracks_for_photo(faces, text, facts.width, facts.height, policy), [(0, 0)], 1


@dataclass
class _Looks:
    """What was seen on one frame of a video."""

    frame: int
    faces: list[Region]
    text: list[Region] | None


def _faces(policy: Policy, models: AnalysisModels, due: Due, picture: Picture) -> list[Region]:
    if due.still and models.still is not None:
        return still_faces(models.still.look(picture), policy.faces.mode, (picture.width, picture.height))
    ensemble = models.full if due.full else models.light
    faces = ensemble.look(picture) if ensemble else []
    if due.full and models.turned:
        turn = due.turn % len(models.turned)
        for turned in models.turned if due.cut else models.turned[turn : turn + 1]:
            faces += unseen(faces, turned.look(picture))
    return faces


def _look(
    policy: Policy,
    models: AnalysisModels,
    captions: TextLooks | None,
    watch: WatchList | None,
    due: Due,
    decoded: DecodedFrame,
) -> _Looks:
    frame, first = decoded.index, decoded.picture
    faces: list[Region] = []
    text = captions.look(frame, first, whole=due.text, long=due.long) if captions else None
    wanted: list[Region] | None = None if text is None else []
    for picture in decoded.looks():
        faces += _faces(policy, models, due, picture)
        if text is not None and wanted is not None:
            if picture is not first and models.video_text is not None:
                text = models.video_text.look(picture)
            wanted += _wanted(picture, text, policy, models, watch)
    return _Looks(frame, faces, wanted)


def _analyse_moving(
    path: Path,
    handler: MediaHandler,
    facts: MediaFacts,
    policy: Policy,
    models: AnalysisModels,
    progress: Progress | None,
    watch: WatchList | None,
) -> Analysed:
    cadence, pace = Cadence(facts), Pace()
    builder = TrackBuilder(facts.width, facts.height, TrackSettings.from_policy(policy, pace))
    shots = ShotDetector()
    captions = TextLooks(models.video_text) if models.video_text else None
    pending: deque[Future[_Looks]] = deque()
    counted = 0

    def collect() -> None:
        looks = pending.popleft().result()
        builder.add(looks.frame, looks.faces)
        if looks.text is not None:
            builder.add_text(looks.frame, looks.text)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="detect") as pool:
        for decoded, moment in moments(handler.frames(path, facts)):
            counted += 1
            if counted > policy.limits.max_frames:
                raise InputTooLargeError(
                    f"There are more than {policy.limits.max_frames} frames (limits.max_frames)."
                )
            pace.add(moment)
            due = cadence.at(moment, shots.add(decoded.picture.bgr(SHOT_LONG_SIDE)))
            pending.append(pool.submit(partial(_look, policy, models, captions, watch, due, decoded)))
            if len(pending) > LOOK_AHEAD:
                collect()
            if progress is not None:
                progress(counted, max(facts.frames, counted))
        while pending:
            collect()
    found = shots.shots()
    return builder.finish(found), found, counted


__all__ = ["AnalysisModels", "analyse", "output_format"]
