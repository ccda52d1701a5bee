"""Child processes that work on untrusted files: confined, one request at a time, plain data in and out.

The parent never decodes a file or loads a model. A `Worker` starts one confined process, sends it a request,
relays its progress, and turns its death, its silence, its nonsense or its error into one of our exceptions.
Files reach it through a spool folder of its own (`redact.workers.spool`), which is the only place it may read
from besides the program's own files and the only one it may write to: so a worker stays narrow though it
serves many items and loads its models once.
"""

from redact.workers.child import debugging
from redact.workers.confine import Access, Confinement
from redact.workers.limits import WorkerLimits
from redact.workers.parent import Worker
from redact.workers.spool import Spool, sweep
from redact.workers.wire import Job, JobFactory, ProgressCallback, Reply

__all__ = [
    "Access",
    "Confinement",
    "Job",
    "JobFactory",
    "ProgressCallback",
    "Reply",
    "Spool",
    "Worker",
    "WorkerLimits",
    "debugging",
    "sweep",
]
