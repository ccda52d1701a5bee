"""Jobs for workers that go wrong in every way a worker can. Imported by child processes by name."""

import os
import signal
import time
from collections.abc import Mapping

from redact.errors import DamagedInputError


def jobs() -> Mapping[str, object]:
    def echo(request, progress):
        progress("stage", 1, 1)
        return request["value"]

    def damaged(request, progress):
        raise DamagedInputError("It does not decode.")

    def crash(request, progress):
        raise ValueError(f"secret {request['value']}")

    def refused(request, progress):
        with open("/nonexistent/" + request["value"]):  # noqa: PTH123
            pass

    def die(request, progress):
        os.kill(os.getpid(), signal.SIGKILL)

    def hang(request, progress):
        time.sleep(600)

    def chatter(request, progress):
        os.write(2, request["value"].encode())
        os.write(1, request["value"].encode())

    return {
        "echo": echo,
        "damaged": damaged,
        "crash": crash,
        "refused": refused,
        "die": die,
        "hang": hang,
        "chatter": chatter,
    }


def broken_factory() -> Mapping[str, object]:
    raise ImportError("no such library")
