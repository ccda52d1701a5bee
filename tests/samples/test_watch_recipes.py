"""The recipes in integrations/watch: accepted by systemd, and their command starts and stops as it stands."""

import json
import os
import plistlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "integrations" / "watch"
UNIT, PLIST = RECIPES / "redact-watch.service", RECIPES / "org.example.redact-watch.plist"
PROGRAM = "/opt/redact/.venv/bin/redact"


def _commands() -> list[list[str]]:
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.M)
    return [shlex.split(line), plistlib.loads(PLIST.read_bytes())["ProgramArguments"]]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace(PROGRAM, sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert UNIT.name not in done.stderr, "no warning about it either"


def test_the_unit_gives_the_input_to_read_and_the_output_to_write() -> None:
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.M))
    _, _, source, out, *_ = shlex.split(settings["ExecStart"])
    assert (settings["ReadOnlyPaths"], settings["ReadWritePaths"]) == (source, out)
    assert settings["RequiresMountsFor"].split() == [source, out]
    assert settings["Environment"] == f"REDACT_PRIVATE_DIR=/var/lib/{settings['StateDirectory']}"
    assert (settings["ProtectSystem"], settings["NoNewPrivileges"]) == ("strict", "yes")


@pytest.mark.parametrize("number", [0, 1], ids=["systemd", "launchd"])
def test_the_command_starts_watches_and_stops_at_sigterm(tmp_path: Path, number: int) -> None:
    program, command, _, _, *options = _commands()[number]
    assert (program, options[:1]) == (PROGRAM, ["--policy"])
    policy, source, out = tmp_path / "policy.toml", tmp_path / "in", tmp_path / "out"
    policy.write_text('preset = "strict"\n')
    source.mkdir()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from redact.cli import main; main()"),
            *(command, str(source), str(out), "--policy", str(policy)),
        ],
        env={**os.environ, "REDACT_PRIVATE_DIR": str(tmp_path / "private")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        health, end = out / "health.json", time.monotonic() + 180
        while not health.exists() or json.loads(health.read_text())["state"] != "waiting":
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < end, "it never came"
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=180)
    finally:
        process.kill()
    assert (process.returncode, said) == (0, "")
    assert json.loads(health.read_text())["state"] == "stopped"
