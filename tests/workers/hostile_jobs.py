"""Jobs that do what a taken-over decoder would do. Imported by confined child processes by name.

Each says in one word how it went: an errno's name if it was refused, else what it got.
"""

import ctypes
import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def _tried(action: Callable[[], object]) -> str:
    try:
        return f"did it: {action()!r}"[:80]
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "refused")


def _syscall(number: int, *arguments: object) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(number, *arguments)
    return "did it" if result >= 0 else errno.errorcode[ctypes.get_errno()]


def _raw(frame: bytes) -> None:
    """Write to the parent's pipe what the protocol would not: the highest descriptor inherited."""
    os.write(max(int(name) for name in sys.argv[1:3]), frame)


def jobs() -> Mapping[str, object]:
    def echo(request, progress):
        return request["value"]

    def open_socket(request, progress):
        family = getattr(socket, request["family"])
        return _tried(lambda: socket.socket(family, socket.SOCK_STREAM))

    def read(request, progress):
        return _tried(lambda: Path(request["path"]).read_bytes())

    def listing(request, progress):
        return _tried(lambda: os.listdir(request["path"]))  # noqa: PTH208

    def write(request, progress):
        return _tried(lambda: Path(request["path"]).write_bytes(b"x"))

    def change_mode(request, progress):
        return _tried(lambda: Path(request["path"]).chmod(0o777))

    def link_in(request, progress):
        return _tried(lambda: Path(request["inside"]).symlink_to(request["path"]))

    def run(request, progress):
        return _tried(lambda: subprocess.run(request["command"], check=True, capture_output=True).stdout)

    def kill_parent(request, progress):
        return _tried(lambda: os.kill(os.getppid(), signal.SIGTERM))

    def ptrace_parent(request, progress):
        return _syscall(101, 16, os.getppid(), 0, 0)

    def new_namespace(request, progress):
        return _syscall(56, 0x10000000 | 17, 0, 0, 0, 0)

    def ring(request, progress):
        return _syscall(425, 4, ctypes.create_string_buffer(256))

    def more_cpu(request, progress):
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (OSError, ValueError):
            return "refused"
        return "did it"

    def environment(request, progress):
        return ",".join(sorted(os.environ))

    def segfault(request, progress):
        ctypes.string_at(0)

    def killed(request, progress):
        os.kill(os.getpid(), signal.SIGKILL)

    def memory_bomb(request, progress):
        return len(bytearray(int(request["bytes"])))

    def cpu_bomb(request, progress):
        while True:
            pass

    def open_file_bomb(request, progress):
        kept = []
        while True:
            kept.append(Path("/dev/null").open("rb"))  # noqa: SIM115

    def large_file(request, progress):
        with Path(request["path"]).open("wb") as sink:
            for _ in range(int(request["megabytes"])):
                sink.write(bytes(1 << 20))
        return "did it"

    def huge_reply(request, progress):
        _raw(b"\x00\x00\x00\x02\x00\x00\x7f\xff\xff\xff\xff\xff{}")
        time.sleep(600)

    def huge_head(request, progress):
        _raw(b"\x7f\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00")
        time.sleep(600)

    def garbage_reply(request, progress):
        _raw(bytes(range(256)) * 4)
        time.sleep(600)

    def half_a_reply(request, progress):
        _raw(b"\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00{")
        time.sleep(600)

    def pickled_reply(request, progress):
        import pickle

        class Bomb:
            def __reduce__(self):
                return (os.system, ("touch " + request["mark"],))

        _raw(pickle.dumps(Bomb()))
        time.sleep(600)

    def endless_progress(request, progress):
        while True:
            progress("stage", 1, 1)

    def closes_the_pipe(request, progress):
        os.close(max(int(name) for name in sys.argv[1:3]))
        time.sleep(600)

    def strange_reply(request, progress):
        return {"a": "mapping"}

    def error_with_a_path(request, progress):
        from redact.errors import DamagedInputError

        raise DamagedInputError(request["message"])

    return {name: value for name, value in locals().items() if callable(value)}
