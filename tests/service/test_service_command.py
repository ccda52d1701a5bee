"""`redact serve` itself: tokens by the command line, real models, and configurations that are refused."""

import sys
from pathlib import Path

import pytest
from in_process import command

from bench.service_lab import ServiceLab, settled, submit
from redact.errors import UsageError
from redact.service.config import load_config, read_secret

HOOK = 'out = "o"\nstate = "s"\n[[webhooks]]\nname = "a"\nsecret_file = "k"\n'
REDACT = [sys.executable, "-c", "from redact.cli import main; main()"]
FACES_ONLY = 'set = ["text=off", "gate.text=false", "faces.expected_heads=off"]'


def test_a_photo_goes_through_the_real_stages(tmp_path: Path, samples_dir: Path) -> None:
    lab = ServiceLab(tmp_path / "lab", settings=FACES_ONLY)
    config = str(lab.config)

    def redact(*arguments: str) -> str:
        done = command(*arguments, private=lab.private)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    token = redact("serve", "token", "add", "--scope", "submit", "--scope", "fetch", "--config", config)
    listed = redact("serve", "token", "list", "--config", config)
    assert "valid" in listed and "fetch, submit" in listed and token not in listed
    lab.start([*REDACT, "serve", "--config", config])
    try:
        with lab.client(token) as client:
            job = submit(client, (samples_dir / "web.webp").read_bytes(), "Orinakyan.webp").json()["job"]
            end = settled(client, job)
            assert end["status"] == "published", end
            result = client.get(f"/v1/jobs/{job}/result")
            assert result.headers["content-type"] == "image/webp"
            assert (lab.out / "published" / f"{end['item']}.webp").read_bytes() == result.content
            report = client.get(f"/v1/jobs/{job}/report").json()
            assert report["covered"]["tracks"] and report["gate"]["looked_for"]
            redact("serve", "token", "revoke", token.split("_")[1], "--config", config)
            assert client.get(f"/v1/jobs/{job}").status_code == 401
    finally:
        assert lab.stop() == 0
    assert "Orinakyan" not in lab.log.read_text()
    assert (lab.out / "report" / "index.html").is_file()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('out = "o"\nstate = "s"\nprot = 1', "prot"),
        ('out = "o"\nstate = "o/s"', "outside"),
        ('out = "o"\nstate = "s"\ndatabase_url = "mysql://x/y"', "database_url"),
        (
            'out = "o"\nstate = "s"\n[[webhooks]]\nname = "a"\nurl = "http://example.org"\nsecret_file = "k"',
            "https",
        ),
        ('out = "o"\nstate = "s"\n[[webhooks]]\nname = "a"\nurl = "file:///etc"\nsecret_file = "k"', "https"),
        ('out = "o"\nstate = "s"\n[limits]\nqueue = 0', "queue"),
        ("out = ", "TOML"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "service.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=word):
        load_config(file)


def test_a_password_is_not_repeated_in_a_message_and_paths_are_of_the_files_folder(tmp_path: Path) -> None:
    file = tmp_path / "service.toml"
    file.write_text('out = "o"\nstate = "s"\ndatabase_url = "postgresql://redact:geheim@h/d"\nx = 1')
    with pytest.raises(UsageError) as refused:
        load_config(file)
    assert "geheim" not in str(refused.value)
    file.write_text('out = "o"\nstate = "s"')
    assert load_config(file).out == tmp_path / "o"


def test_a_secret_that_others_can_read_or_that_is_short_signs_nothing(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("5" * 64)
    file.chmod(0o644)
    with pytest.raises(UsageError, match="chmod"):
        read_secret(file)
    file.chmod(0o600)
    assert read_secret(file) == b"5" * 64
    file.write_text("short")
    with pytest.raises(UsageError, match="32"):
        read_secret(file)
