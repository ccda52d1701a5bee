"""A worker's hatch: one folder it may read its one input from, one it may write its one output to.

The parent puts the input in before a job (a hard link where it can, else a copy) and takes the output out
after it, always as a copy: the finished file is one that no worker ever held open, so nothing can be changed
in it behind the gate's back. A worker never learns an input's name or folder. Lies in private space, mode
0700; what a killed run left behind is swept away by the next one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from redact.errors import OutputError, UnreadableInputError, UnsupportedInputError

CHUNK = 1 << 20
_THE_FILES_OWN = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP))
"""Why a file that cannot be opened is the one at fault. All else is the machine's: a share, a full table."""


class Spool:
    """One worker's folders below `root`. Not thread-safe: its worker's thread owns it."""

    def __init__(self, root: Path) -> None:
        self._root, self._folder = root, root / f"spool-{secrets.token_hex(8)}"
        self.entry, self.exit = self._folder / "in", self._folder / "out"
        self._lock = -1

    def make(self) -> None:
        """Make the folders, if they are not there. A worker must not be started before.

        Raises:
            OutputError: the private folder cannot be written.
        """
        if self._lock >= 0:
            return
        root = self._root
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _root_lock(root):
                for folder in (self._folder, self.entry, self.exit):
                    folder.mkdir(mode=0o700)
                self._lock = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError as error:
            raise OutputError(
                "The private folder cannot be written (REDACT_PRIVATE_DIR; disk full?)."
            ) from error

    @contextlib.contextmanager
    def admit(self, path: Path, *, follow: bool = True) -> Iterator[Path]:
        """The file at `path` under a name of no meaning, for the time of one job.

        Raises:
            UnsupportedInputError: it is no regular file, or a link while `follow` is off.
            UnreadableInputError: it is gone or may not be read.
            OutputError: the system cannot open it just now, or there is no space for a copy, or no private
                folder.
        """
        self.make()
        inside = self.entry / "item"
        inside.unlink(missing_ok=True)
        source = _open_input(path, follow)
        try:
            _link_or_copy(source, inside)
        finally:
            os.close(source)
        try:
            yield inside
        finally:
            inside.unlink(missing_ok=True)

    @contextlib.contextmanager
    def produce(self, target: Path) -> Iterator[Path]:
        """A place inside for a job's output; copied to `target`, which must be new, if the block ends well.

        Raises:
            OutputError: the job left no regular file there, or `target` cannot be written.
        """
        self.make()
        self._empty()
        inside = self.exit / f"item{target.suffix}"
        try:
            yield inside
            try:
                source = os.open(inside, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                raise OutputError("The worker left no finished file.") from error
            try:
                if not stat.S_ISREG(os.fstat(source).st_mode):
                    raise OutputError("The worker left no finished file.")
                _copy(source, target, 0o666)
            except OSError as error:
                raise OutputError("The finished file cannot be written; is the disk full?") from error
            finally:
                os.close(source)
        finally:
            self._empty()

    def _empty(self) -> None:
        for left in self.exit.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folders."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def sweep(root: Path) -> int:
    """Remove the folders below `root` that no living process holds; how many there were."""
    swept = 0
    if not root.is_dir():
        return 0
    with contextlib.suppress(OSError), _root_lock(root):
        for folder in root.glob("spool-*"):
            try:
                lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)  # killed before it had a lock
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            else:
                shutil.rmtree(folder, ignore_errors=True)
                swept += 1
            finally:
                os.close(lock)
    return swept


@contextlib.contextmanager
def _root_lock(root: Path) -> Iterator[None]:
    handle = os.open(root / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _open_input(path: Path, follow: bool) -> int:
    # O_NONBLOCK: a FIFO that took the file's place must not hang the opening
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        if not stat.S_ISREG(path.stat(follow_symlinks=follow).st_mode):
            raise UnsupportedInputError("Only regular files are read, no folders, links, pipes or devices.")
        handle = os.open(path, flags)
    except OSError as error:
        if error.errno in _THE_FILES_OWN:
            raise UnreadableInputError("The file cannot be opened: it is gone or may not be read.") from error
        raise OutputError(
            "The file cannot be opened now; see that its disk or share is there, and run again."
        ) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnsupportedInputError("Only regular files are read, no folders, links, pipes or devices.")
    return handle


def _link_or_copy(source: int, inside: Path) -> None:
    # A worker that runs as root has none of root's rights over others' files: theirs are copied.
    if os.fstat(source).st_uid == os.geteuid():
        try:
            # the file that was opened, whatever lies at its path by now; without a folder's descriptor,
            # which an absolute path makes meaningless, Python would link the symbolic link itself
            os.link(f"/proc/self/fd/{source}", inside, src_dir_fd=source, follow_symlinks=True)
        except OSError:
            inside.unlink(missing_ok=True)
        else:
            return
    try:
        _copy(source, inside)
    except OSError as error:
        inside.unlink(missing_ok=True)
        raise OutputError("The input cannot be copied for its worker; is the disk full?") from error


def _copy(source: int, target: Path, mode: int = 0o600) -> None:
    """All bytes of the open file into a new one; nothing is left if that fails."""
    sink = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        os.lseek(source, 0, os.SEEK_SET)
        _copy_bytes(source, sink)
    except OSError:
        target.unlink(missing_ok=True)
        raise
    finally:
        os.close(sink)


def _copy_bytes(source: int, sink: int) -> None:
    if hasattr(os, "copy_file_range"):  # shares the blocks where the file system can
        try:
            while os.copy_file_range(source, sink, 1 << 30):
                pass
            return
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
                raise
    while chunk := os.read(source, CHUNK):
        view = memoryview(chunk)
        while view:
            view = view[os.write(sink, view) :]
