"""Synthetic speech for tests and measurements, made by eSpeak NG through its C library.

eSpeak NG is a GPL program: it is a tool of the developers only, never a dependency of the product, and what
it says belongs to us. `pip install espeakng-loader` brings library and voices; without it `available()` is
False.
"""

from __future__ import annotations

import ctypes
import importlib.util
from functools import lru_cache

import numpy as np
import numpy.typing as npt

RATE = 22050
"""Samples a second of what `say` returns."""
_RETRIEVAL, _UTF8, _RATE, _PITCH = 1, 1, 1, 3


def available() -> bool:
    """Whether the library is on this machine."""
    return importlib.util.find_spec("espeakng_loader") is not None


class _Speaker:
    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        folder = espeakng_loader.get_data_path().encode()
        rate = self._library.espeak_Initialize(_RETRIEVAL, 200, folder, 0)
        if rate != RATE:
            raise RuntimeError("eSpeak NG did not start, or speaks at another rate")
        self._blocks: list[npt.NDArray[np.int16]] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._take)  # held: the library keeps only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _: int | None) -> int:
        if samples and count > 0:
            self._blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, text: str, voice: str, speed: int, pitch: int) -> npt.NDArray[np.float32]:
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"no voice {voice}")
        self._library.espeak_SetParameter(_RATE, speed, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._blocks = []
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return np.concatenate(self._blocks).astype(np.float32) / 32768


@lru_cache(maxsize=1)
def _speaker() -> _Speaker:
    return _Speaker()


def say(text: str, voice: str, speed: int = 160, pitch: int = 50) -> npt.NDArray[np.float32]:
    """`text` spoken by a voice such as `hy`, `ru+f2` or `en`: samples at `RATE`, -1 to 1.

    `speed` is in words a minute, `pitch` 0 to 99.
    """
    return _speaker().say(text, voice, speed, pitch)
