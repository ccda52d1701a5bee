"""ONNX Runtime sessions on one CPU thread, for images of any size.

The packaged face graphs carry one fixed input size though no operation in them needs it, so that size is
erased in memory before the session is made; the weights stay the published bytes.
"""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from redact.detect.base import BgrImage

FloatArray = npt.NDArray[np.float32]
STRIDE = 32
"""Every network here halves its input five times."""

_sessions: dict[Path, OnnxModel] = {}
_sessions_lock = threading.Lock()


def _any_size(path: Path) -> bytes:
    graph = onnx.load(str(path))
    for place, name in ((0, "n"), (2, "h"), (3, "w")):
        graph.graph.input[0].type.tensor_type.shape.dim[place].dim_param = name
    # shapes that were recorded for the fixed size would contradict the new one
    del graph.graph.value_info[:]
    for output in graph.graph.output:
        output.type.tensor_type.ClearField("shape")
    return bytes(graph.SerializeToString())


class OnnxModel:
    """One network; `run` may be called from several threads."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # waiting threads that spin would bill CPU seconds to nobody's work
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(_any_size(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self.outputs = [output.name for output in self._session.get_outputs()]

    def run(self, blob: FloatArray) -> list[FloatArray]:
        """All outputs for one N x 3 x H x W float32 blob; H and W are multiples of 32."""
        return list(self._session.run(None, {self._input: blob}))


def load(path: Path) -> OnnxModel:
    """The session of a weights file, made once a process."""
    with _sessions_lock:
        if path not in _sessions:
            _sessions[path] = OnnxModel(path)
        return _sessions[path]


def blob(image: BgrImage, *, rgb: bool = False) -> FloatArray:
    """The image as 1 x 3 x H' x W' float32, padded with black on the right and below to the stride."""
    height, width = image.shape[:2]
    down, right = -height % STRIDE, -width % STRIDE
    if down or right:
        image = cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_CONSTANT).astype(np.uint8, copy=False)
    made = cv2.dnn.blobFromImage(image, swapRB=rgb)
    return made.astype(np.float32, copy=False)


def suppress(boxes: FloatArray, scores: FloatArray, overlap: float) -> npt.NDArray[np.intp]:
    """Indices that survive non-maximum suppression; `boxes` are N x 4, x, y, w, h."""
    if not len(boxes):
        return np.empty(0, np.intp)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), 0.0, overlap)
    return np.asarray(kept, np.intp).reshape(-1)
