"""Bytes that wait: one private folder a job, named by the job's own random id, deleted when it is settled.

The file's name, as the sender gave it, lies beside the bytes until the job is taken up and it goes into the
private mapping. Everything is on the disk, durably, before a job is accepted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from redact.batch.durable import sync
from redact.errors import OutputError

MEDIA, NAME = "media", "name"
MAX_NAME = 255


def clean_name(untrusted_name: str) -> str:
    """The last part of what a sender called the file, fit for a terminal. It never becomes a path."""
    last = untrusted_name.replace("\\", "/").rpartition("/")[2][:MAX_NAME]
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in last)


class Incoming:
    """An upload that is being written. Discarded unless `finish` was called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.size = 0
        folder.mkdir(mode=0o700)
        self._handle = os.open(folder / MEDIA, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]
        self.size += len(data)

    def finish(self, untrusted_name: str) -> None:
        """Make bytes, name and folders durable."""
        os.fsync(self._handle)
        self._close()
        path = self.folder / NAME
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, clean_name(untrusted_name).encode("utf-8", "replace"))
            os.fsync(handle)
        finally:
            os.close(handle)
        sync(self.folder)
        sync(self.folder.parent)

    def discard(self) -> None:
        """Remove what was written."""
        self._close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class JobSpool:
    """The folder of all jobs' bytes.

    Raises:
        OutputError: it cannot be made.
    """

    def __init__(self, state: Path) -> None:
        self.root = state / "uploads"
        try:
            self.root.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise OutputError("The spool of the service cannot be made.") from error

    def begin(self, job_id: str) -> Incoming:
        """Open a place for an upload. `job_id` is ours, never a request's."""
        return Incoming(self.root / job_id)

    def media(self, job_id: str) -> Path:
        """The bytes of a job."""
        return self.root / job_id / MEDIA

    def name(self, job_id: str) -> str:
        """What the sender called them."""
        try:
            return (self.root / job_id / NAME).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def remove(self, job_id: str) -> bool:
        """Delete bytes and name. False if something is left; the next start tries again."""
        folder = self.root / job_id
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()

    def sweep(self, needed: Collection[str]) -> int:
        """Delete what belongs to no job that is needed; how many that were. Only before uploads begin."""
        gone = [path for path in self.root.iterdir() if path.name not in needed]
        for path in gone:
            shutil.rmtree(path, ignore_errors=True)
        return len(gone)

    def free_bytes(self) -> int:
        """Free space on the spool's disk."""
        return shutil.disk_usage(self.root).free
