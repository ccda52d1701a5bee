"""The display matrix of a decoded frame, whatever else lies beside the picture.

FFmpeg attaches kinds of side data that PyAV has no name for yet, EXIF of Motion JPEG among them, and PyAV
then refuses to list any. Here such a kind gets a stand-in name, so that the orientation can still be read.
"""

from __future__ import annotations

from typing import Any

import av.video.frame
from av.sidedata.sidedata import Type


def _stand_in(cls: Any, value: object) -> Any:
    if not isinstance(value, int):
        return None
    member = object.__new__(cls)
    member._name_, member._value_ = f"UNKNOWN_{value}", value
    return member


Type._missing_ = classmethod(_stand_in)  # type: ignore[method-assign,assignment]


def display_matrix(frame: av.video.frame.VideoFrame) -> bytes | None:
    """The frame's 3 x 3 display matrix as stored; None if it has none."""
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    return bytes(data) if data is not None else None
