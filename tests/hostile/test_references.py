"""No file leads a decoder to another file or address: the canary beside it is never opened.

Decoders run here without confinement, so that this holds where a system has none; the kernel tells of every
opening of the canary and a listening port of every connection.
"""

import ctypes
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from planted import CANARY, clip, pointing

from redact.errors import InputError
from redact.gate.structure import read_structure
from redact.media.ffmpeg import probe_streams
from redact.media.registry import handler_for

_IN_ACCESS, _IN_OPEN = 0x1, 0x20
ENDINGS = (".mp4", ".jpg", ".mov", ".mkv")


class Watched:
    """A file whose every opening is counted (inotify), and a port whose every caller is."""

    def __init__(self, canary: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._events = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self._events, os.fsencode(canary), _IN_ACCESS | _IN_OPEN) >= 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]

    def touched(self) -> list[str]:
        """What happened since the last call."""
        found = []
        try:
            os.read(self._events, 4096)
            found.append("opened")
        except BlockingIOError:
            pass
        try:
            self._listener.accept()[0].close()
            found.append("called")
        except BlockingIOError:
            pass
        return found

    def close(self) -> None:
        os.close(self._events)
        self._listener.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, Watched]]:
    folder, work = tmp_path_factory.mktemp("in"), tmp_path_factory.mktemp("work")
    canary = folder / f"{CANARY}.mp4"
    # a film that would play: only a refusal keeps it out
    canary.write_bytes(clip(work / "canary.mp4"))
    watched = Watched(canary)
    yield folder, canary, watched
    watched.close()


def _decode(path: Path) -> str:
    try:
        handler = handler_for(path)
        facts = handler.probe(path)
        return f"{sum(1 for _ in handler.frames(path, facts))} frames"
    except InputError as error:
        assert "/" not in str(error) and CANARY not in str(error)
        return error.reason


def test_the_watch_works(place: tuple[Path, Path, Watched]) -> None:
    _, canary, watched = place
    canary.read_bytes()
    socket.create_connection(("127.0.0.1", watched.port)).close()
    assert watched.touched() == ["opened", "called"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_decoder_follows_a_reference(
    place: tuple[Path, Path, Watched], ending: str, tmp_path: Path
) -> None:
    folder, canary, watched = place
    watched.touched()
    outcomes = {}
    for name, data in pointing(canary, watched.port, tmp_path).items():
        path = folder / f"{name}{ending}"
        path.write_bytes(data)
        outcomes[name] = _decode(path)
        path.unlink()
        assert watched.touched() == [], name
    for name, outcome in outcomes.items():
        film = name.startswith(("mkv-links", "mp4-url", "mov-url", "mov-alias"))
        # what is wrong with these lies beside a picture that is whole
        own = (
            "4 frames" if film else "1 frames" if name in ("tiff-loop", "tiff-huge-count") else "unsupported"
        )
        assert outcome in ("unsupported", "damaged", own), (name, outcome)
    assert outcomes["mkv-links0"] == "4 frames", "the link is beside the picture, which is whole"


def test_the_gates_own_probe_follows_none_either(place: tuple[Path, Path, Watched], tmp_path: Path) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("no ffprobe on this machine")
    folder, canary, watched = place
    watched.touched()
    planted = pointing(canary, watched.port, tmp_path)
    for name in (
        "hls0",
        "hls3",
        "concat0",
        "concat2",
        "dash0",
        "sdp3",
        "mov-url0",
        "mov-alias0",
        "mkv-links0",
    ):
        path = folder / f"{name}.mp4"
        path.write_bytes(planted[name])
        try:
            inventory = probe_streams(path)
        except InputError:
            inventory = {}
        read_structure(path.open("rb"), rights=False)
        path.unlink()
        assert watched.touched() == [], name
        assert bool(inventory) == name.startswith(("mov", "mkv")), name


def test_the_planted_references_are_real(place: tuple[Path, Path, Watched], tmp_path: Path) -> None:
    """A careless reader does open the canary through them: else the tests above prove nothing."""
    import av

    folder, canary, watched = place
    planted = pointing(canary, watched.port, tmp_path)
    for name, format_, options in (
        ("hls1", "hls", {"allowed_extensions": "ALL", "extension_picky": "0"}),
        ("concat2", "concat", {"safe": "0"}),
        ("mov-alias1", "mov", {"enable_drefs": "1", "use_absolute_path": "1"}),
    ):
        path = folder / f"{name}.mov"
        path.write_bytes(planted[name])
        watched.touched()
        try:
            with av.open(str(path), format=format_, options=options) as container:
                for packet in container.demux():
                    del packet
        except av.FFmpegError:
            pass
        path.unlink()
        assert "opened" in watched.touched(), name
