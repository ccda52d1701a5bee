"""Confinement of the calling process: limits, no network, its own files only; and what was achieved.

Called once by a worker, before it loads anything or sees a file, while it has one thread. What a system does
not offer is left out and reported, never assumed; `redact doctor` and the ledger say it. What is still
possible inside is in docs/isolation.md.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from redact.workers import landlock, seccomp
from redact.workers.limits import WorkerLimits, apply_limits

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000

SYSTEM_FILES = (
    # libraries, locales, time zones, processor facts; not /etc, /home, /var, /tmp or /root
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local/lib",
    "/usr/share",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/fs/cgroup",
)
WRITABLE_DEVICES = ("/dev/null",)
LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
"""The kernel opens them to start any program."""


@dataclass(frozen=True)
class Confinement:
    """What holds a worker back on this machine."""

    limits: bool = False
    namespace: bool = False
    """User and network namespaces of its own."""
    seccomp: bool = False
    landlock: int = 0
    """ABI; 0: none."""

    @property
    def complete(self) -> bool:
        """No network and no foreign file, whatever runs inside."""
        return self.limits and self.seccomp and self.landlock > 0

    def describe(self) -> str:
        """One line for people and the ledger."""
        network = [
            *(["seccomp"] if self.seccomp else []),
            *(["namespace"] if self.namespace else []),
        ]
        return " + ".join(
            [
                "limits" if self.limits else "NO limits",
                f"no network ({', '.join(network)})" if network else "NETWORK OPEN",
                f"files (Landlock ABI {self.landlock})" if self.landlock else "FILES OPEN",
            ]
        )


@dataclass(frozen=True)
class Access:
    """Where a worker may go besides the program's own files."""

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    programs: tuple[Path, ...] = ()
    """Programs it may start; they are confined like itself. None: it may start nothing."""


def program_files(search_path: Iterable[str]) -> list[Path]:
    """The interpreter's and the packages' folders. Other search entries may be anyone's folder."""
    found = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), Path(sys.base_exec_prefix)]
    found += [Path(place) for place in sysconfig.get_paths().values()]
    found += [Path(entry) for entry in search_path if Path(entry).name in ("site-packages", "dist-packages")]
    found.append(Path(__file__).resolve().parent.parent)
    system = Path("/usr")
    # a system's own Python has the prefix /usr: its libraries are listed already, its programs stay out
    return [place for place in dict.fromkeys(found) if place not in (system, Path("/"))]


def confine(limits: WorkerLimits, access: Access, parent: int, search_path: Iterable[str]) -> Confinement:
    """Bind this process for good. Ends it if the process `parent` is gone already."""
    if sys.platform != "linux":
        with contextlib.suppress(OSError, ValueError):
            apply_limits(limits, own_namespace=False)
            return Confinement(limits=True)
        return Confinement()
    libc = ctypes.CDLL(None, use_errno=True)
    single = len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
    namespace = single and _own_namespace(libc)
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)  # after the namespace, which undoes it
    if os.getppid() != parent:
        os._exit(1)
    bare = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    try:
        apply_limits(limits, own_namespace=namespace)
        limited = True
    except (OSError, ValueError):
        limited = False
    version, filtered = 0, False
    if single and bare:
        version = landlock.restrict(
            read=[*map(Path, SYSTEM_FILES), *program_files(search_path), *access.read],
            write=[*map(Path, WRITABLE_DEVICES), *access.write],
            run=[*access.programs, *(map(Path, LOADERS) if access.programs else ())],
        )
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        filtered = seccomp.apply(may_start=bool(access.programs))
    return Confinement(limits=limited, namespace=namespace, seccomp=filtered, landlock=version)


def _own_namespace(libc: ctypes.CDLL) -> bool:
    """Leave the network: a user namespace in which this user is itself, and an empty network."""
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) != 0:
        return False
    with contextlib.suppress(OSError):  # without the maps files still belong to the same user
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    return True
