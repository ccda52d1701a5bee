"""Real stages with one fault each, imported by child processes by name; cheap ones: `bench.stub_faults`."""

import resource
import signal
from collections.abc import Mapping

from redact.batch.worker_jobs import maker_jobs
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
