"""What many tests need: the samples, and private state that never touches the user's own."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# The same examples on every machine, so that a red run is about the change; HYPOTHESIS=random looks further.
# How long an example takes to make says how busy the machine is.
PATIENT: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, **PATIENT)
settings.register_profile("random", max_examples=1000, **PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS", "same"))

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def private_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in tests keep their private mapping in a folder of their own."""
    monkeypatch.setenv("REDACT_PRIVATE_DIR", str(tmp_path_factory.getbasetemp() / "private"))


@pytest.fixture(scope="session")
def samples_dir() -> Path:
    """The folder that `make demo` runs on."""
    return ROOT / "samples" / "media"


@pytest.fixture(scope="session")
def expected() -> dict[str, dict[str, Any]]:
    """What every sample must come to, by its path below `samples_dir`."""
    items: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "samples" / "expected.toml").read_text())[
        "items"
    ]
    return items
