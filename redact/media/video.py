"""Videos: MP4, MOV, MKV, WebM and AVI in, MP4 out. The handler; its parts are the `video_*` modules here.

What is kept exactly: frame count, every timestamp, displayed size, sample aspect ratio, colour description,
10 bits. What is converted: rotation is applied to the pixels, interlaced frames become progressive, other
samplings become 4:2:0 (4:4:4 for odd sizes). What is dropped: every other stream, chapters, all metadata
(rights fields excepted, if the plan keeps those), HDR mastering data, alpha. What is refused: frames of
changing size, tilted display matrices, and Dolby Vision without a base layer that ordinary players can show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import av.video.frame
from av.video.reformatter import VideoReformatter

from redact.errors import UnsupportedInputError
from redact.media.base import DecodedFrame, Painter, Planes, Progress, RenderedFacts
from redact.media.orientation import Turn, from_display_matrix, turned
from redact.media.side_data import display_matrix
from redact.media.sniff import identify
from redact.media.video_audio import AudioCopier
from redact.media.video_blank import blanked
from redact.media.video_decode import Prefetch, decode
from redact.media.video_encode import (
    VideoWriter,
    append_box,
    blank_frame,
    check_written,
    samples,
    target_format,
    writing,
)
from redact.media.video_open import exact, inventory, open_input, pick_video
from redact.media.video_picture import Scalers, VideoPicture
from redact.metadata.embed import mp4_box
from redact.metadata.film_rights import film_rights
from redact.plan import ColourFacts, MediaFacts, OutputSpec, SoundEdit

FIRST_FRAMES = 6
"""Frames that probing decodes to learn what the stream's head does not say, e.g. interlacing."""
SAME_LAYOUT = {"yuv420p": "yuvj420p", "yuv444p": "yuvj444p"}
"""Pixel formats that differ only in the range they imply."""


class VideoHandler:
    """See `redact.media.base.MediaHandler`."""

    kind = "video"

    def probe(self, path: Path) -> MediaFacts:
        """Facts of the container and of the first frames. `frames` is an estimate until analysis counts."""
        format_ = identify(path)
        with open_input(path, format_) as container:
            stream = pick_video(container)
            streams = inventory(container, keep_audio=True)
            estimate = stream.frames
            if not estimate and stream.duration and stream.average_rate:
                estimate = int(stream.duration * exact(stream.time_base, Fraction(1)) * stream.average_rate)
            rate = stream.average_rate or Fraction(0)
            aspect = exact(stream.sample_aspect_ratio, Fraction(1))
            codec = stream.codec_context.name
            first = list(islice(decode(container, stream, deinterlace=False), FIRST_FRAMES))
            _refuse_dolby_vision(first[0])
            rotation, mirrored = _orientation(first[0])
            quarter = rotation in (90, 270)
            frame = first[0]
            depth = max(component.bits for component in frame.format.components)
            return MediaFacts(
                kind="video",
                format=format_,
                width=frame.height if quarter else frame.width,
                height=frame.width if quarter else frame.height,
                frames=max(1, estimate),
                rotation=rotation,
                mirrored=mirrored,
                codec=codec,
                pixel_format=frame.format.name,
                bit_depth=8 if depth <= 8 else 10,
                time_base=exact(stream.time_base, Fraction(1, 1000)).as_integer_ratio(),
                duration_ticks=max(0, stream.duration or 0),
                frame_rate=rate.as_integer_ratio(),
                sample_aspect=(1 / aspect if quarter else aspect).as_integer_ratio(),
                interlaced=any(each.interlaced_frame for each in first),
                colour=_colour(frame),
                streams=streams,
            )

    def frames(self, path: Path, facts: MediaFacts) -> Iterator[DecodedFrame]:
        """Every frame, upright. Pictures stay valid as long as they are held."""
        scalers = Scalers()
        with open_input(path, facts.format) as container:
            stream = pick_video(container)
            tick = exact(stream.time_base, Fraction(1, 1000))
            source = decode(container, stream, deinterlace=facts.interlaced)
            with Prefetch(source) as frames:
                for index, frame in enumerate(frames):
                    time, shown = (frame.pts or 0) * tick, max(frame.duration or 0, 0) * tick
                    yield DecodedFrame(index, time, VideoPicture(frame, facts, scalers), shown)

    def render(
        self,
        path: Path,
        facts: MediaFacts,
        spec: OutputSpec,
        painter: Painter,
        target: Path,
        progress: Progress | None = None,
        sound: Sequence[SoundEdit] = (),
    ) -> RenderedFacts:
        """Decode again, cover, and encode into a new MP4."""
        if target.exists():
            raise FileExistsError
        keep_audio = spec.audio.mode != "remove" and any(each.kind == "audio" for each in facts.streams)
        with open_input(path, facts.format) as container, writing(target) as output:
            stream = pick_video(container)
            tick = exact(stream.time_base, Fraction(1, 1000))
            wanted = target_format(facts, spec.video)
            writer = VideoWriter(output, facts, spec.video, tick)
            audio = AudioCopier(path, facts.format, output, spec.audio, sound) if keep_audio else None
            writer.begin()
            scaler = VideoReformatter()
            blank = partial(blanked, covered=painter.covered, facts=facts, whole=_same_layout(wanted))
            source = decode(container, stream, deinterlace=facts.interlaced, first=blank)
            with Prefetch(source) as frames:
                for index, frame in enumerate(frames):
                    made, planes = blank_frame(facts, wanted)
                    _copy_upright(_in_target_format(frame, wanted, facts, scaler), planes, facts)
                    painter.yuv(
                        index,
                        planes,
                        bit_depth=facts.bit_depth,
                        full_range=facts.colour.full_range,
                        matrix=facts.colour.matrix,
                    )
                    pts = frame.pts or 0
                    writer.write(made, pts, frame.duration or 0)
                    if audio is not None:
                        audio.advance(pts * tick)
                    if progress is not None:
                        progress(index + 1, facts.frames)
            writer.end()
            if audio is not None:
                audio.advance(None)
        if spec.keep_rights:
            append_box(target, mp4_box(film_rights(path, facts.format).without(spec.drop_rights)))
        check_written(target, facts, writer.frames, keep_audio)
        return RenderedFacts(frames=writer.frames)


def _refuse_dolby_vision(frame: av.video.frame.VideoFrame) -> None:
    # profile 5 stores IPT colours that only a Dolby decoder can turn into a picture; it is tagged matrix 15
    if int(frame.colorspace) == 15:
        raise UnsupportedInputError("Dolby Vision without a standard base layer; export it as HDR10 or SDR.")


def _orientation(frame: av.video.frame.VideoFrame) -> tuple[Turn, bool]:
    matrix = display_matrix(frame)
    return from_display_matrix(matrix) if matrix is not None else (0, False)


def _colour(frame: av.video.frame.VideoFrame) -> ColourFacts:
    name = frame.format.name
    if not name.startswith("yuv"):
        # RGB, palettes and grey are turned into YUV by us, in limited range: so it is ours to describe
        hd = frame.height >= 720
        code = 1 if hd else 6
        return ColourFacts(full_range=False, matrix=code, primaries=1, transfer=1)
    return ColourFacts(
        full_range=int(frame.color_range) == 2 or name.startswith("yuvj"),
        matrix=int(frame.colorspace),
        primaries=int(frame.color_primaries),
        transfer=int(frame.color_trc),
    )


def _same_layout(wanted: str) -> tuple[str, ...]:
    """Pixel formats whose samples are written as they are."""
    return (wanted, SAME_LAYOUT.get(wanted, wanted))


def _in_target_format(
    frame: av.video.frame.VideoFrame, wanted: str, facts: MediaFacts, scaler: VideoReformatter
) -> av.video.frame.VideoFrame:
    """The decoded frame in the written sampling and depth; the same object if it is in that already."""
    if frame.format.name in _same_layout(wanted):
        return frame
    whole = 2 if facts.colour.full_range else 1
    from_yuv = frame.format.name.startswith("yuv")
    matrix = facts.colour.matrix
    # an unspecified matrix stays unspecified: samples are only regrouped, so any one matrix serves both ends
    space = {1: 1, 5: 5, 6: 5, 7: 7, 9: 9}.get(matrix, 5)
    return scaler.reformat(
        frame,
        format=wanted,
        src_colorspace=space if from_yuv else None,
        dst_colorspace=space,
        src_color_range=whole if from_yuv else None,
        dst_color_range=whole,
        threads=1,
    )


def _copy_upright(frame: av.video.frame.VideoFrame, planes: Planes, facts: MediaFacts) -> None:
    """Copy the frame's samples into `planes`, turned for display."""
    for source, target in zip(frame.planes, planes, strict=True):
        target[...] = turned(samples(source, facts.bit_depth), facts.rotation, facts.mirrored)
