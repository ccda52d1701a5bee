"""Motion JPEG from cameras carries EXIF in every frame, a kind of side data that PyAV has no name for."""

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from redact.errors import DamagedInputError
from redact.media.side_data import display_matrix
from redact.media.video import VideoHandler


def _motion_jpeg(path: Path, exif: bytes) -> None:
    with av.open(str(path), "w", format="avi") as sink:
        stream = sink.add_stream("mjpeg", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for n in range(3):
            buffer = io.BytesIO()
            Image.fromarray(np.full((48, 64, 3), 50 * n, np.uint8)).save(buffer, "JPEG", exif=exif)
            packet = av.Packet(buffer.getvalue())
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, n, n, Fraction(1, 25)
            packet.is_keyframe = True
            sink.mux(packet)


@pytest.mark.parametrize("orientation", [1, 6])
def test_motion_jpeg_with_exif_is_read_whole(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Orinakyan"
    path = tmp_path / "a.avi"
    _motion_jpeg(path, exif.tobytes())
    handler = VideoHandler()
    facts = handler.probe(path)
    assert {facts.width, facts.height} == {48, 64}
    assert sum(1 for _ in handler.frames(path, facts)) == 3


def test_frames_days_apart_are_a_damaged_file_and_not_a_failed_encoder(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    _motion_jpeg(path, b"")
    data = path.read_bytes()
    at = data.index(b"strh") + 8 + 20  # scale and rate of the stream
    path.write_bytes(data[:at] + struct.pack("<II", 8323072, 25) + data[at + 8 :])
    handler = VideoHandler()
    with pytest.raises(DamagedInputError, match="a day apart"):
        facts = handler.probe(path)
        list(handler.frames(path, facts))


def test_a_kind_of_side_data_without_a_name_hides_no_display_matrix() -> None:
    from av.sidedata.sidedata import Type

    assert Type(987654).name == "UNKNOWN_987654"
    assert Type["DISPLAYMATRIX"].name == "DISPLAYMATRIX"
    with pytest.raises(ValueError, match="not a valid"):
        Type("no number")
    assert display_matrix(av.VideoFrame(8, 8, "yuv420p")) is None
