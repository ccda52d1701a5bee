"""How much of the machine one worker may use: the numbers, and their application by the child to itself.

Every limit but processor time is set hard, so that nothing in the process can raise it again. Processor time
is counted per job: the parent moves the soft limit before each one, and the child's system call filter keeps
it from moving it back.
"""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True)
class WorkerLimits:
    """Bounds of one worker process and of what it starts. Defaults are those of `LimitsPolicy`."""

    memory_mb: int = 8192
    """Address space, in MiB."""
    cpu_s: int = 24 * 3600
    """Processor seconds of one job."""
    open_files: int = 256
    output_mb: int = 65536
    """Size of any file it writes, in MiB."""
    processes: int = 1024
    """Threads and processes; counted only where the worker has a user namespace of its own."""
    required: bool = False
    """Refuse to work where the system cannot cut the worker off from network and files."""


def apply_limits(limits: WorkerLimits, own_namespace: bool) -> None:
    """Bind the calling process. A bound that is already lower stays."""
    wanted = {
        resource.RLIMIT_AS: limits.memory_mb * MIB,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: limits.output_mb * MIB,
        resource.RLIMIT_CORE: 0,
    }
    if own_namespace:
        wanted[resource.RLIMIT_NPROC] = limits.processes
    for which, value in wanted.items():
        hard = resource.getrlimit(which)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (bound, bound))


def grant_cpu(pid: int, seconds: int) -> None:
    """Let the process `pid` use `seconds` more of processor time; then the system ends it (Linux)."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = text.rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])  # utime and stime, counted from the state field
    used = -(-ticks // os.sysconf("SC_CLK_TCK"))
    hard = resource.prlimit(pid, resource.RLIMIT_CPU)[1]
    wanted = used + seconds
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.prlimit(pid, resource.RLIMIT_CPU, (soft, hard))
