"""The hook that is shipped, run by the real pre-commit: an uncovered face cannot be committed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from skimage import data

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def _run(*command: object, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "PRE_COMMIT_HOME": str(home / "cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@example.org",
        "GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "x@example.org",
    }  # fmt: skip
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def newsroom(tmp_path: Path) -> Path:
    """A repository that uses the shipped hook."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    folder = tmp_path / "repo"
    folder.mkdir()
    config = {"repos": [{"repo": "local", "hooks": [hook]}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    assert _run("git", "init", "-q", cwd=folder, home=tmp_path).returncode == 0
    assert _run("pre-commit", "install", cwd=folder, home=tmp_path).returncode == 0
    return folder


def test_the_manifest_is_valid(tmp_path: Path) -> None:
    done = _run(
        "pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml", cwd=tmp_path, home=tmp_path
    )
    assert done.returncode == 0, done.stdout


def test_an_uncovered_face_cannot_be_committed_and_a_clean_picture_can(
    newsroom: Path, tmp_path: Path
) -> None:
    Image.fromarray(np.full((90, 120, 3), 128, np.uint8)).save(newsroom / "clean.png")
    _run("git", "add", ".", cwd=newsroom, home=tmp_path)
    clean = _run("git", "commit", "-m", "clean", cwd=newsroom, home=tmp_path)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    Image.fromarray(data.astronaut()[:260, 100:360]).save(newsroom / "Orinakyan.jpg")
    _run("git", "add", ".", cwd=newsroom, home=tmp_path)
    refused = _run("git", "commit", "-m", "bare", cwd=newsroom, home=tmp_path)
    assert refused.returncode != 0
    assert "face" in refused.stdout + refused.stderr
