"""Real workers with one fault each, imported by child processes by name."""

import os
import resource
import signal
import time
from collections.abc import Mapping

from redact.batch.jobs import gate_jobs, maker_jobs
from redact.workers import Job


def detector_raises() -> Mapping[str, Job]:
    """Every look of a detector fails with a foreign error that holds a path."""
    from redact.detect.ensemble import Ensemble

    def look(self: Ensemble, picture: object) -> list:
        raise RuntimeError("/home/orinakyan/secret.jpg could not be read")

    Ensemble.look = look  # type: ignore[method-assign,assignment]
    return maker_jobs()


def full_disk() -> Mapping[str, Job]:
    """No file may grow beyond 4 kB, which to a writer is a disk that fills up."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    jobs = maker_jobs()
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return jobs


def dies_while_rendering() -> Mapping[str, Job]:
    """The process is killed, as if by the system's out-of-memory killer, after it began to write."""
    jobs = dict(maker_jobs())

    def render(request, progress):
        with open(request["target"], "wb") as target:  # noqa: PTH123
            target.write(b"half a file")
        os.kill(os.getpid(), signal.SIGKILL)

    jobs["render"] = render
    return jobs


def encoder_lies() -> Mapping[str, Job]:
    """Rendering copies the input through, covering nothing: what a bug or an attack would look like."""
    import shutil

    jobs = dict(maker_jobs())

    def render(request, progress):
        shutil.copyfile(request["path"], request["target"])

    jobs["render"] = render
    return jobs


def gate_hangs() -> Mapping[str, Job]:
    """The judge never answers."""
    return {"inspect": lambda request, progress: time.sleep(600)}


def gate_dies() -> Mapping[str, Job]:
    """The judge is killed at every file."""
    jobs = dict(gate_jobs())

    def inspect(request, progress):
        os.kill(os.getpid(), signal.SIGKILL)

    jobs["inspect"] = inspect
    return jobs
