"""The workflow in docs/hooks.md: its check step, as it stands, fails the job unless every file may pass."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from sarif_kit.validate import assert_valid

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def step() -> dict[str, str]:
    """The step that checks."""
    (recipe,) = re.findall(r"```yaml\n(name: redact\n.*?)```", (ROOT / "docs" / "hooks.md").read_text(), re.S)
    steps = yaml.safe_load(recipe)["jobs"]["check"]["steps"]
    (found,) = (each for each in steps if "redact check" in each.get("run", ""))
    return found


def _run_step(step: dict[str, str], workspace: Path) -> subprocess.CompletedProcess[str]:
    """As the runner does it: a script file, `bash -e -o pipefail`."""
    assert step["shell"] == "bash"
    script = workspace / "step.sh"
    script.write_text(step["run"])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
        cwd=workspace / step["working-directory"],
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def site(tmp_path: Path, step: dict[str, str]) -> Path:
    folder = tmp_path / step["working-directory"]
    (folder / "published").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def test_an_empty_folder_passes(step: dict[str, str], site: Path, tmp_path: Path) -> None:
    assert _run_step(step, tmp_path).returncode == 0
    assert not (tmp_path / "redact.sarif").exists()


def test_the_job_fails_with_a_whole_log_if_one_file_cannot_be_judged(
    step: dict[str, str], site: Path, tmp_path: Path
) -> None:
    Image.fromarray(np.full((90, 120, 3), 128, np.uint8)).save(site / "published" / "a clean one.png")
    (site / "published" / "Orinakyan.jpg").write_bytes(b"no picture")
    subprocess.run(["git", "add", "."], cwd=site, check=True)
    done = _run_step(step, tmp_path)
    assert done.returncode not in (0, 2), done.stderr
    text = (tmp_path / "redact.sarif").read_text()
    log = json.loads(text)
    assert_valid(log)
    run = log["runs"][0]
    verdicts = {each["location"]["uri"]: each["properties"]["verdict"] for each in run["artifacts"]}
    assert verdicts["%232"] == "PUBLISH"
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in run["results"]]
    assert {place["uri"] for place in places} == {"%231"}
    assert "rinakyan" not in text + done.stdout + done.stderr
