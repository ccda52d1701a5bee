"""Landlock through bare system calls: which files the calling thread, and what it starts, may still reach.

Takes lists of places; gives the ABI that was applied, 0 if the kernel has none. Once applied it can only be
narrowed. What it cannot hold back - looking up whether a name exists, changing modes and owners - is the
system call filter's part or named in docs/isolation.md.
Source: the kernel's Documentation, userspace-api/landlock.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_GET_VERSION = 1
_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << n for n in range(6))
MAKE_DIR, MAKE_REG = 1 << 7, 1 << 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""File-system rights that an ABI knows; later ABIs add none that older rules would miss."""
_OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
_TCP = 0b11
_SCOPES = 0b11

READ = READ_FILE | READ_DIR
WRITE = READ | WRITE_FILE | TRUNCATE | REMOVE_FILE | REMOVE_DIR | MAKE_DIR | MAKE_REG
RUN = READ_FILE | EXECUTE


def _syscall(number: int, *arguments: object) -> int:
    return int(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))


def abi() -> int:
    """Version of Landlock that this kernel offers; 0 if none."""
    if sys.platform != "linux":
        return 0
    return max(_syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_GET_VERSION)), 0)


def restrict(read: Iterable[Path], write: Iterable[Path], run: Iterable[Path]) -> int:
    """Bind the calling thread to these places; the ABI applied, 0 if the kernel refuses.

    Places that are not there are left out. TCP, signals and abstract sockets to the outside go too, where the
    ABI knows them. The thread must have given up new privileges before.
    """
    version = abi()
    if version == 0:
        return 0
    known = _RIGHTS_BY_ABI[min(version, 5)]
    words = [known]
    if version >= 4:
        words.append(_TCP)
    if version >= 6:
        words.append(_SCOPES)
    attributes = struct.pack(f"={len(words)}Q", *words)
    ruleset = _syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        return 0
    try:
        for places, rights in ((read, READ), (write, WRITE), (run, RUN)):
            for place in places:
                _allow(ruleset, place, rights & known)
        if _syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)) != 0:
            return 0
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, place: Path, rights: int) -> None:
    try:
        handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not place.is_dir():
            rights &= _OF_A_FILE
        rule = struct.pack("=Qi", rights, handle)
        _syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(handle)
