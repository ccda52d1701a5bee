"""A system call filter for the calling process and all it starts: no network, no other process, no system.

Written as classic BPF by hand, because what is needed is a table of numbers and eight rules; there is no
permissively licensed binding that comes as a wheel with its library. A forbidden call answers EPERM, so a
library meets a refusal and not a sudden death.
Source: the kernel's Documentation, userspace-api/seccomp_filter.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

from redact.workers import syscalls

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000
"""Calls of the x32 interface have this bit set, which would take them past a table of plain numbers."""
_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
_RLIMIT_CPU = 0
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand."""


def _argument(index: int, high: bool = False) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index + (4 if high else 0))  # both architectures: low word first


def _give(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


def _refuse(code: int = errno.EPERM) -> Instruction:
    return _give(_ERRNO | code)


def _when(number: int, body: list[Instruction]) -> list[Instruction]:
    """`body`, which must end in a return, for the call `number`; else on to what follows."""
    return [(_JUMP_EQUAL, 0, len(body), number), *body]


def program(machine: str, pid: int, *, may_start: bool) -> list[Instruction]:
    """The filter for the process `pid` on `machine`; `may_start` lets it start programs and end them.

    Raises:
        KeyError: the architecture is not known.
    """
    column, architecture = _ARCHITECTURES[machine]
    rules: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, architecture),
        _give(_KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        rules += [(_JUMP_AT_LEAST, 0, 1, _X32), _refuse()]
    denied = [numbers[column] for numbers in syscalls.DENIED.values()]
    denied.append(syscalls.EXECVEAT[column])
    if not may_start:
        denied.append(syscalls.EXECVE[column])
    for number in denied:
        if number is not None:
            rules += _when(number, [_refuse()])
    # its flags lie in memory, out of a filter's sight; "not implemented" makes the C library use clone
    rules += _when(syscalls.CLONE3[column], [_refuse(errno.ENOSYS)])
    rules += _when(
        syscalls.CLONE[column],
        [_argument(0), (_JUMP_ANY_BIT, 0, 1, _NEW_NAMESPACES), _refuse(), _give(_ALLOW)],
    )
    own = [_argument(0), (_JUMP_EQUAL, 0, 1, pid), _give(_ALLOW), _refuse()]
    if not may_start:
        rules += _when(syscalls.KILL[column], own)
        rules += _when(syscalls.TGKILL[column], own)
    rules += _when(
        syscalls.SETRLIMIT[column],
        [_argument(0), (_JUMP_EQUAL, 0, 1, _RLIMIT_CPU), _refuse(), _give(_ALLOW)],
    )
    rules += _when(
        syscalls.PRLIMIT[column],
        [
            _argument(0),
            (_JUMP_EQUAL, 1, 0, 0),  # another process
            _refuse(),
            _argument(1),
            (_JUMP_EQUAL, 0, 5, _RLIMIT_CPU),
            _argument(2),
            (_JUMP_EQUAL, 0, 2, 0),  # a new limit is given
            _argument(2, high=True),
            (_JUMP_EQUAL, 1, 0, 0),
            _refuse(),
            _give(_ALLOW),
        ],
    )
    return [*rules, _give(_ALLOW)]


def apply(*, may_start: bool) -> bool:
    """Install the filter on this single-threaded process for good; False where that is not possible.

    The process must have given up new privileges before.
    """
    if sys.platform != "linux":
        return False
    try:
        rules = program(platform.machine(), os.getpid(), may_start=may_start)
    except KeyError:
        return False
    code = b"".join(struct.pack("=HBBI", *rule) for rule in rules)
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("@HP", len(rules), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.c_char_p(header), 0, 0) == 0)
