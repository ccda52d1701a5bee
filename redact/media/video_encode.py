"""Writing a video: new frames into an empty MP4, with exact times and nothing but pixels in the stream.

Encoders add messages of their own (x264 writes its settings), so every message unit is filtered out of the
stream; the container gets no date, no title and no name but the constants every MP4 has.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.video.frame
import av.video.stream
import numpy as np
import numpy.typing as npt
from av.bitstream import BitStreamFilterContext
from av.video.plane import VideoPlane

from redact.errors import EncodeError, UnsupportedInputError
from redact.media.base import Planes
from redact.media.ffmpeg import address
from redact.plan import ColourFacts, MediaFacts
from redact.policy import VideoPolicy

Packets = Sequence["av.packet.Packet[Any]"]
CONTAINER_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}
_X264_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
_SVT_PRESETS = dict(zip(_X264_PRESETS, ("12", "11", "10", "9", "8", "7", "5"), strict=True))
_VPX_SPEEDS = dict(zip(_X264_PRESETS, ("8", "7", "6", "5", "4", "3", "1"), strict=True))


@dataclass(frozen=True)
class Encoder:
    """One codec's encoder and how it is kept from writing messages into the stream."""

    name: str
    options: dict[str, str]
    message_filter: str = ""
    """Bitstream filter that drops SEI units."""
    tag: str = ""


def encoder_for(policy: VideoPolicy) -> Encoder:
    """The encoder of the policy's codec, set to its quality and effort."""
    crf, preset = str(policy.crf), policy.preset
    if policy.codec == "hevc":
        options = {"preset": preset, "crf": crf, "x265-params": "log-level=none:info=0"}
        return Encoder("libx265", options, "filter_units=remove_types=39|40", "hvc1")
    if policy.codec == "av1":
        return Encoder("libsvtav1", {"preset": _SVT_PRESETS[preset], "crf": crf})
    if policy.codec == "vp9":
        options = {"deadline": "good", "cpu-used": _VPX_SPEEDS[preset], "crf": crf, "b": "0", "row-mt": "1"}
        return Encoder("libvpx-vp9", options)
    return Encoder("libx264", {"preset": preset, "crf": crf, "a53cc": "0"}, "filter_units=remove_types=6")


def target_format(facts: MediaFacts, policy: VideoPolicy) -> str:
    """Pixel format that is written: 4:2:0, but 4:4:4 for odd sizes, which H.264 cannot hold in 4:2:0.

    Above 8 bits, 10 bits are kept (12 are rounded to 10).

    Raises:
        UnsupportedInputError: the policy's codec cannot hold 10 bits.
    """
    odd = facts.width % 2 or facts.height % 2
    sampling = "444" if odd and policy.codec in ("h264", "hevc") else "420"
    if facts.bit_depth > 8 and policy.codec == "vp9":
        raise UnsupportedInputError("VP9 is written with 8 bits only; set video.codec to h264, hevc or av1.")
    return f"yuv{sampling}p" if facts.bit_depth <= 8 else f"yuv{sampling}p10le"


def blank_frame(facts: MediaFacts, format_: str) -> tuple[av.video.frame.VideoFrame, Planes]:
    """A new frame of the written size and format, and writable views of its planes.

    New, always: a decoded frame carries captions and other side data into an encoder.
    """
    frame = av.video.frame.VideoFrame(facts.width, facts.height, format_)
    return frame, [samples(plane, facts.bit_depth) for plane in frame.planes]


def samples(plane: VideoPlane, bit_depth: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """A view of a plane's samples, H x W, without the padding at the ends of its rows."""
    if bit_depth <= 8:
        narrow = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return narrow[: plane.height, : plane.width]
    wide = np.frombuffer(memoryview(plane), np.uint16).reshape(-1, plane.line_size // 2)
    return wide[: plane.height, : plane.width]


class VideoWriter:
    """Encodes frames of one video into a container. Use `writing` to make one."""

    def __init__(
        self, container: av.container.OutputContainer, facts: MediaFacts, policy: VideoPolicy, tick: Fraction
    ) -> None:
        encoder = encoder_for(policy)
        self._container = container
        rate = Fraction(*facts.frame_rate) if facts.frame_rate[0] > 0 else Fraction(25)
        stream = container.add_stream(encoder.name, rate=rate, options=dict(encoder.options))
        assert isinstance(stream, av.video.stream.VideoStream)
        self.stream = stream
        context = stream.codec_context
        context.width, context.height = facts.width, facts.height
        context.pix_fmt = target_format(facts, policy)
        context.sample_aspect_ratio = Fraction(*facts.sample_aspect)
        context.time_base = tick
        context.framerate = rate
        _describe_colour(context, facts.colour)
        if encoder.tag:
            context.codec_tag = encoder.tag
        stream.time_base = tick
        self._tick = tick
        self._message_filter = encoder.message_filter
        self._filter: BitStreamFilterContext | None = None
        self._durations: dict[int, int] = {}
        self.frames = 0

    def begin(self) -> None:
        """Open the encoder and write the container's head; all streams must have been added."""
        self._container.start_encoding()
        take_turns()
        if self._message_filter:
            self._filter = BitStreamFilterContext(self._message_filter, self.stream, self.stream)

    def write(self, frame: av.video.frame.VideoFrame, pts: int, duration: int) -> None:
        """Encode one frame shown from `pts` for `duration` ticks."""
        frame.pts, frame.time_base = pts, self._tick
        self._durations[pts] = duration
        self.frames += 1
        self._mux(self.stream.encode(frame))

    def end(self) -> None:
        """Flush the encoder."""
        self._mux(self.stream.encode(None))
        if self._filter is not None:
            self._mux_filtered(self._filter.filter(None))

    def _mux(self, packets: Packets) -> None:
        for packet in packets:
            duration = self._durations.pop(packet.pts if packet.pts is not None else -1, 0)
            if duration > 0:
                packet.duration = duration
            if self._filter is None:
                self._container.mux(packet)
            else:
                self._mux_filtered(self._filter.filter(packet))

    def _mux_filtered(self, packets: Packets) -> None:
        for packet in packets:
            packet.stream = self.stream
            self._container.mux(packet)


def take_turns() -> None:
    """Take real-time priority back from the threads of this process.

    SVT-AV1 run by root takes it, for its own threads and for the one that opens it. Then nothing else gets
    its turn, and what that thread starts inherits it: a machine of two cores all but stood still.
    """
    if sys.platform != "linux":
        return
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it has ended
            if os.sched_getscheduler(int(thread.name)) in (os.SCHED_FIFO, os.SCHED_RR):
                os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))


def _describe_colour(context: av.video.codeccontext.VideoCodecContext, colour: ColourFacts) -> None:
    context.color_range = 2 if colour.full_range else 1
    context.colorspace = colour.matrix
    context.color_primaries = colour.primaries
    context.color_trc = colour.transfer


@contextmanager
def writing(target: Path) -> Iterator[av.container.OutputContainer]:
    """An empty MP4 at `target`; whatever was written is removed if the block raises.

    Raises:
        EncodeError: the encoder or the container failed.
    """
    try:
        with av.open(
            address(target), "w", format="mp4", container_options=dict(CONTAINER_OPTIONS)
        ) as container:
            yield container
    except (av.FFmpegError, ValueError, AssertionError) as error:
        target.unlink(missing_ok=True)
        raise EncodeError("The video encoder failed; nothing was written. Is the disk full?") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def append_box(target: Path, box: bytes) -> None:
    """Add a whole box at the end of a finished file.

    Raises:
        EncodeError: it cannot be written; the file is removed.
    """
    try:
        with target.open("ab") as sink:
            sink.write(box)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise EncodeError("The video could not be finished; nothing was kept. Is the disk full?") from error


def check_written(target: Path, facts: MediaFacts, frames: int, audio: bool) -> None:
    """Count what lies in the finished file.

    Raises:
        EncodeError: other streams, frame count or size than were put in; the file is removed.
    """
    try:
        with av.open(address(target), format="mov", options={"protocol_whitelist": "file"}) as container:
            kinds = sorted(stream.type for stream in container.streams)
            (video,) = container.streams.video
            size = (video.codec_context.width, video.codec_context.height)
            counted = sum(1 for packet in container.demux(video) if packet.size)
    except (av.FFmpegError, ValueError) as error:
        target.unlink(missing_ok=True)
        raise EncodeError("The written video cannot be read back; nothing was kept.") from error
    expected = ["audio", "video"] if audio else ["video"]
    if kinds != expected or counted != frames or size != (facts.width, facts.height):
        target.unlink(missing_ok=True)
        raise EncodeError("The written video is not what was put in; nothing was kept.")


__all__ = [
    "VideoWriter",
    "append_box",
    "blank_frame",
    "check_written",
    "encoder_for",
    "take_turns",
    "target_format",
    "writing",
]
