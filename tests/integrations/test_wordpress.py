"""The WordPress plugin against a running service: a pass lets a file in, and nothing else does."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from counts import accepted
from fake_service import JOB, PASS, fake_service
from wordpress_site import NAME, PLUGIN, Site, media, need_php

from bench.crash import STUB_BYTES
from bench.service_lab import ServiceLab
from redact.batch.audit import audit
from redact.errors import InUseError
from redact.service.tokens import Scope

FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64
ODD = "an answer that is not understood"


def test_every_file_of_the_plugin_is_php() -> None:
    need_php()
    files = sorted(PLUGIN.rglob("*.php"))
    assert len(files) >= 8
    for file in files:
        subprocess.run(["php", "-l", str(file)], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("hook", ["wp_handle_upload_prefilter", "wp_handle_sideload_prefilter", "bits"])
def test_only_what_passed_is_taken_whatever_way_it_comes(site: Site, hook: str) -> None:
    def told(content: bytes) -> str:
        if hook == "bits":
            outcome = site.run("bits", path=str(site.file(content)), name=NAME)
            return str(outcome.get("error", "")) if outcome else ""
        return site.upload(content, hook=hook)

    assert told(media("P")) == ""
    assert "a person must look" in told(media("R"))
    assert "hidden data" in told(media("B"))
    assert "cannot judge" in told(media("?"))
    assert "Orinakyan" not in told(media("R")) + told(media("B"))


def test_a_pass_is_written_down_for_the_attachment_and_its_bytes(site: Site) -> None:
    assert site.upload(media("P", 2), id=7) == ""
    assert site.has_pass(7)
    kept = site.read()["posts"]["7"]["meta"]["_redact_gate_pass"]
    assert kept.split()[0] == hashlib.sha256(media("P", 2)).hexdigest()
    assert not site.read()["transients"]


def test_media_are_known_by_their_bytes_and_by_their_names(site: Site) -> None:
    assert "cannot judge" in site.upload(FILM, "report.pdf"), "a film is a film whatever it is called"
    assert "cannot judge" in site.upload(b"text", "photo.webp"), "what is called a photo must pass as one"
    assert "cannot judge" in site.upload(b"\x00\x01\x02\x03\x04\xff" * 9, "report.pdf"), (
        "nobody knows these bytes"
    )
    assert site.upload(b"%PDF-1.4 ", "report.pdf") == ""
    site.settings["other_files"] = "refuse"
    assert "only photos and films" in site.upload(b"%PDF-1.4 ", "report.pdf")


def test_an_original_is_replaced_by_its_published_result(site: Site) -> None:
    site.settings["mode"] = "submit"
    original = b"\x03" * STUB_BYTES + b"P"
    outcome = site.run("upload", path=str(site.file(original, "Orinakyan.heic")), name="Orinakyan.heic", id=5)
    assert outcome["error"] == 0
    assert (outcome["name"], outcome["type"]) == ("Orinakyan.jpg", "image/jpeg")
    assert (site.uploads / "Orinakyan.heic").read_bytes() == original[::-1]
    assert outcome["size"] == len(original) and site.has_pass(5)
    assert [path.name for path in site.uploads.iterdir()] == ["Orinakyan.heic"], "nothing lies about"


def test_an_original_that_needs_a_person_is_refused_until_the_person_released_it(site: Site) -> None:
    site.settings["mode"] = "submit"
    original = b"\x04" * STUB_BYTES + b"R"
    assert "a person must look" in site.upload(original)
    assert (site.uploads / NAME).read_bytes() == original
    remembered = site.read()["transients"]
    assert "a person must look" in site.upload(original)
    assert site.read()["transients"] == remembered and len(remembered) == 1, "it is the same job"


def test_a_service_that_is_slow_is_no_and_the_next_try_goes_on_with_the_same_job(
    site: Site, tmp_path: Path
) -> None:
    hanging = ServiceLab(tmp_path / "lab", gate="bench.stub_faults:gate_hangs")
    with hanging:
        site.address, site.token = f"http://127.0.0.1:{hanging.port}", hanging.token([Scope.CHECK])
        site.settings["wait"] = "1"
        assert "still at work" in site.upload(media("P"))
        first = site.read()["transients"]
        assert "still at work" in site.upload(media("P"))
        assert site.read()["transients"] == first and len(first) == 1
        assert "still at work" in site.upload(media("P", 9)), "other bytes are another job"
        assert len(site.read()["transients"]) == 2
        assert accepted(hanging) == 2
        hanging.kill()
        assert "did not answer" in site.upload(media("P"))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"token": "redact_" + "a" * 12 + "_" + "A" * 43}, "did not accept the token"),
        ({"token": ""}, "not set up"),
        ({"token": "nonsense"}, "not set up"),
        ({"address": ""}, "not set up"),
        ({"address": "http://redact.example"}, "not https"),
        ({"address": "http://127.0.0.1:9"}, "did not answer"),
        ({"address": "file:///etc"}, "not set up"),
        ({"address": "https://user:word@127.0.0.1"}, "not set up"),
        ({"address": "http://127.0.0.1.redact.example"}, "not set up"),
    ],
)
def test_a_site_that_is_not_set_up_takes_nothing(site: Site, change: dict[str, str], word: str) -> None:
    for name, value in change.items():
        setattr(site, name, value)
    told = site.upload(media("P"))
    assert word in told
    assert "Orinakyan" not in told and "redact_" not in told and "127.0.0.1" not in told


def test_a_token_of_another_scope_takes_nothing(site: Site, lab: ServiceLab) -> None:
    site.token = lab.token([Scope.FETCH])
    assert "did not accept the token" in site.upload(media("P"))


def _pass(content: bytes, **change: Any) -> dict[str, Any]:
    return {**PASS, "sha256": hashlib.sha256(content).hexdigest(), **change}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (202, b"<html>passed</html>"),
        (202, b""),
        (202, b'"passed"'),
        (202, [_pass(media("P"))]),
        (202, _pass(media("P"), sha256=hashlib.sha256(b"another").hexdigest())),
        (202, {key: value for key, value in _pass(media("P")).items() if key != "sha256"}),
        (202, _pass(media("P"), status=True)),
        (202, _pass(media("P"), status="PASSED")),
        (202, _pass(media("P"), status="published")),
        (202, _pass(media("P"), kind="media")),
        (202, _pass(media("P"), state="done")),
        (202, _pass(media("P"), job="../jobs")),
        (202, _pass(media("P"), reason="x" * 70000)),
        (200, _pass(media("P"))),
        (201, _pass(media("P"))),
        (404, _pass(media("P"))),
        (500, _pass(media("P"))),
    ],
)
def test_an_odd_answer_is_no(site: Site, status: int, body: object) -> None:
    with fake_service(status, body) as fake:
        site.address = fake.address
        told = site.upload(media("P"), id=3)
    assert ODD in told or "did not answer" in told
    assert fake.seen and "3" not in site.read()["posts"]


def test_the_same_answer_with_the_right_digest_would_be_a_pass(site: Site) -> None:
    with fake_service(202, _pass(media("P"))) as fake:
        site.address = fake.address
        assert site.upload(media("P")) == "", "else the test above shows nothing"
    with fake_service(202, _pass(media("P")), cut=True) as fake:
        site.address = fake.address
        assert "did not answer" in site.upload(media("P")), "an answer that broke off is none"
        assert len(fake.seen) == 2, "it is asked once more"


def test_a_verdict_about_another_job_is_no(site: Site) -> None:
    body = _pass(media("P"), state="queued", status="")
    with fake_service(202, body) as fake:
        site.address = fake.address
        assert ODD in site.upload(media("P")), "the poll is answered 202, not 200"
    state = site.read()
    (memory,) = state["transients"]
    state["transients"][memory] = "b" * 24
    site.write(state)
    with fake_service(200, _pass(media("P"))) as fake:
        site.address = fake.address
        assert ODD in site.upload(media("P"))
        assert all(JOB not in address for address in fake.seen)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_no_even_to_the_service_itself(site: Site, status: int) -> None:
    target = {"Location": f"{site.address}/v1/checks?wait=20"}
    with fake_service(status, _pass(media("P")), target) as fake:
        site.address = fake.address
        assert ODD in site.upload(media("P"))
        assert len(fake.seen) == 1


def test_a_certificate_that_nobody_vouches_for_is_no(site: Site, tmp_path: Path) -> None:
    pair = tmp_path / "pair.pem"
    code = (
        "$e = array( 'private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1' );"
        "$k = openssl_pkey_new( $e );"
        "$r = openssl_csr_new( array( 'commonName' => '127.0.0.1' ), $k );"
        "openssl_x509_export( openssl_csr_sign( $r, null, $k, 2 ), $c );"
        "openssl_pkey_export( $k, $p ); echo $c . $p;"
    )
    pair.write_text(subprocess.run(["php", "-r", code], check=True, capture_output=True, text=True).stdout)
    with fake_service(202, _pass(media("P")), certificate=pair) as fake:
        site.address = fake.address.replace("http:", "https:")
        assert "did not answer" in site.upload(media("P"))
        assert fake.seen == [], "neither file nor token was sent"


def test_a_result_that_is_not_what_was_published_is_no(site: Site) -> None:
    site.settings["mode"] = "submit"
    body = _pass(b"another", kind="media", status="published")
    with fake_service(202, body, {"Redact-Status": "published"}) as fake:
        site.address = fake.address
        assert ODD in site.upload(media("P"))
        assert (site.uploads / NAME).read_bytes() == media("P")
        assert [path.name for path in site.uploads.iterdir()] == [NAME]


def test_the_settings_page_never_shows_the_token_and_keeps_what_cannot_be_meant_out(
    site: Site, token: str
) -> None:
    address, site.address, site.token, site.settings = site.address, "", "", {}
    empty = site.run("settings", sent={})
    assert "Photos and films are refused" in empty["page"]
    good = site.run(
        "settings", sent={"address": f"{address}/", "token": token, "mode": "submit", "wait": "90"}
    )
    assert good["stored"] == {"address": address, "token": token, "mode": "submit", "wait": 90}
    assert token not in good["page"] and token.split("_", 2)[2] not in good["page"]
    assert "A token is set" in good["page"] and "refused" not in good["page"]
    bad = {"address": "http://redact.example", "token": "x", "mode": "off", "wait": "-1", "ca_file": "/etc"}
    kept = site.run("settings", sent=bad)
    assert kept["stored"] == good["stored"] and len(kept["complaints"]) == 2
    assert site.run("settings", sent={"token": ""})["stored"]["token"] == token
    assert site.upload(b"\x05" * STUB_BYTES + b"P") == "", "the stored settings work"


def test_no_name_of_a_site_reaches_the_service(site: Site, lab: ServiceLab) -> None:
    before = accepted(lab)
    site.attach(41, media("P", 11), NAME)
    assert site.shown(f"<img src='/wp-content/uploads/{NAME}'>") == "publish"
    site.settings["mode"] = "submit"
    assert site.upload(b"\x0b" * STUB_BYTES + b"P") == ""
    assert accepted(lab) == before + 2, "else nothing was sent"
    assert lab.holding(b"rinakyan") == []

    def audited() -> bool:
        try:
            assert audit(lab.out).problems == []
        except InUseError:  # the service still works on what somebody did not wait for
            return False
        return True

    lab.until(audited)
