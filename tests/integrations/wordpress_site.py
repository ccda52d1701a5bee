"""A site with the plugin: PHP runs the plugin's own code against a service; WordPress is a stand-in."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.common import ROOT
from bench.crash import STUB_BYTES

PLUGIN = ROOT / "integrations" / "wordpress" / "redact-gate"
HARNESS = ROOT / "tests" / "integrations" / "wordpress" / "harness.php"
NAME = "Orinakyan.jpg"


def need_php() -> None:
    """Skip where PHP, or its curl, is missing."""
    if shutil.which("php") is None:
        pytest.skip("PHP is not installed here (apt-get install php-cli php-curl)")
    modules = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout.split()
    if "curl" not in modules:
        pytest.skip("PHP's curl is not installed here (apt-get install php-curl)")


def media(first: str, fill: int = 1) -> bytes:
    """A finished file as the stub gate reads it: P passes, R is for a person, B is blocked."""
    return first.encode() + bytes([fill]) * STUB_BYTES


class Site:
    """One site. `address` and `token` may be changed between commands."""

    def __init__(self, place: Path, address: str, token: str, **settings: str) -> None:
        self.place, self.uploads = place, place / "uploads"
        self.uploads.mkdir(parents=True)
        self._state = place / "site.json"
        self.address, self.token, self.settings = address, token, {"wait": "120", **settings}
        self.write({"uploads": str(self.uploads), "posts": {}, "options": {}, "transients": {}})

    def read(self) -> dict[str, Any]:
        """What the site holds."""
        found: dict[str, Any] = json.loads(self._state.read_text())
        return found

    def write(self, state: dict[str, Any]) -> None:
        """Change what the site holds."""
        self._state.write_text(json.dumps(state))

    def run(self, do: str, **command: Any) -> dict[str, Any]:
        """One request to the site."""
        constants = {"REDACT_GATE_ADDRESS": self.address, "REDACT_GATE_TOKEN": self.token}
        constants |= {f"REDACT_GATE_{key.upper()}": value for key, value in self.settings.items()}
        constants = {key: value for key, value in constants.items() if value}
        done = subprocess.run(
            ["php", str(HARNESS), str(PLUGIN), str(self._state)],
            input=json.dumps({"do": do, "constants": constants, **command}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def file(self, content: bytes, name: str = NAME) -> Path:
        """A file in the uploads folder."""
        path = self.uploads / name
        path.write_bytes(content)
        return path

    def upload(self, content: bytes, name: str = NAME, **more: Any) -> str:
        """Why an upload was refused, or an empty string."""
        outcome = self.run("upload", path=str(self.file(content, name)), name=name, **more)
        return str(outcome["error"] or "")

    def attach(self, attachment: int, content: bytes, name: str, **more: Any) -> Path:
        """Put an attachment there, past every gate."""
        state, path = self.read(), self.file(content, name)
        row = {"post_type": "attachment", "post_status": "inherit", "file": str(path), "mime": "image/jpeg"}
        state["posts"][str(attachment)] = {**row, **more}
        self.write(state)
        return path

    def post(self, number: int, text: str = "", status: str = "draft", **more: Any) -> None:
        """Put a post there."""
        state = self.read()
        row = {"post_type": "post", "post_status": status, "post_content": text, "meta": {}}
        state["posts"][str(number)] = {**row, **more}
        self.write(state)

    def shown(self, text: str, status: str = "publish", **sent: Any) -> str:
        """The status that a post with this text, slashed as WordPress sends it, is stored with."""
        data = {"post_status": status, "post_content": text, "post_excerpt": ""}
        return str(self.run("store", data=data, sent=sent)["post_status"])

    def sizes(
        self, attachment: int, made: dict[str, bytes], context: str = "create", **metadata: Any
    ) -> None:
        """WordPress makes these files for an attachment and lists them; `metadata` as it stores it."""
        file = Path(self.read()["posts"][str(attachment)]["file"]).name
        metadata = {"file": file, "sizes": {name: {"file": name} for name in made}, **metadata}
        writes = {name: base64.b64encode(content).decode() for name, content in made.items()}
        self.run("sizes", id=attachment, writes=writes, metadata=metadata, context=context)

    def has_pass(self, attachment: int) -> bool:
        """Whether a pass is written down."""
        return "_redact_gate_pass" in self.read()["posts"][str(attachment)].get("meta", {})
