"""Optional provenance: a finished file is signed as a new asset, and the gate lets nothing else through."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import av
import c2pa
import numpy as np
import pillow_heif
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image
from skimage import data

from redact.errors import SigningError, UnsupportedInputError, UsageError
from redact.findings import Finding, FindingKind
from redact.gate.structure import read_structure
from redact.metadata.inventory import Fate, What
from redact.metadata.stocktaking import take_stock
from redact.policy import Policy, ProvenancePolicy, load_policy
from redact.signing import MIME, sign

FORMATS = ("jpeg", "png", "webp", "gif", "heif", "avif", "mp4")


def _certificate(subject: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey) -> bytes:
    root = key is signer

    def name(common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Newsroom"),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False)  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name("Root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=root, path_length=None), True)
        .add_extension(
            x509.KeyUsage(digital_signature=not root, key_cert_sign=root, crl_sign=root, **usage), True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    )
    if not root:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ProvenancePolicy:
    """A chain of two certificates made for this run."""
    folder = tmp_path_factory.mktemp("keys")
    root, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    (folder / "chain.pem").write_bytes(_certificate("Desk", own, root) + _certificate("Root", root, root))
    (folder / "key.pem").write_bytes(
        own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return ProvenancePolicy(mode="c2pa", certificate=str(folder / "chain.pem"), key=str(folder / "key.pem"))


def _finished(format: str, folder: Path) -> Path:
    path = folder / f"finished.{format}"
    image = Image.fromarray(np.full((48, 64, 3), (90, 120, 150), np.uint8))
    if format == "mp4":
        with av.open(str(path), "w", options={"fflags": "+bitexact", "movflags": "+faststart"}) as container:
            stream = container.add_stream("libvpx-vp9", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            frame = av.VideoFrame.from_image(image)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    elif format == "heif":
        pillow_heif.from_pillow(image).save(path, quality=80)
    else:
        image.save(path, format.upper(), **({"speed": 10} if format == "avif" else {}))
    return path


def _findings(path: Path, *, provenance: bool) -> tuple[Finding, ...]:
    with path.open("rb") as stream:
        return read_structure(stream, rights=True, provenance=provenance).findings


@pytest.mark.parametrize("format", FORMATS)
def test_a_signed_file_is_valid_says_nothing_of_its_source_and_passes_only_if_asked_for(
    format: str, settings: ProvenancePolicy, tmp_path: Path
) -> None:
    source, target = _finished(format, tmp_path), tmp_path / "signed"
    assert _findings(source, provenance=False) == ()
    sign(source, format, settings, target)
    with target.open("rb") as stream:
        told = json.loads(c2pa.Reader(MIME[format], stream).json())
    (manifest,) = told["manifests"].values()
    assert not {"ingredients", "thumbnail", "title"} & set(manifest)
    labels = {each["label"] for each in manifest["assertions"]}
    assert {label for label in labels if not label.startswith("c2pa.hash")} == {"c2pa.actions.v2"}
    assert manifest["signature_info"]["common_name"] == "Desk"
    assert "time" not in manifest["signature_info"]
    assert str(tmp_path).encode() not in target.read_bytes()
    told_of = take_stock(target, Policy()).rows
    assert [(row.what, row.where) for row in told_of if row.fate is not Fate.REBUILT] == [
        (What.HISTORY, "C2PA")
    ]
    assert _findings(target, provenance=True) == ()
    assert FindingKind.METADATA in {finding.kind for finding in _findings(target, provenance=False)}


@pytest.fixture(scope="module")
def signed_png(settings: ProvenancePolicy, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("png")
    sign(_finished("png", folder), "png", settings, folder / "signed")
    return (folder / "signed").read_bytes()


def _manifest(png: bytes) -> tuple[int, int]:
    at = png.index(b"caBX")
    return at + 4, at + 4 + struct.unpack_from(">I", png, at - 4)[0]


def _with(png: bytes, manifest: bytes) -> bytes:
    start, end = _manifest(png)
    chunk = b"caBX" + manifest
    rest = png[end + 4 :]
    return (
        png[: start - 8]
        + struct.pack(">I", len(manifest))
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + rest
    )


def _passes(png: bytes) -> bool:
    return read_structure(io.BytesIO(png), rights=False, provenance=True).findings == ()


def test_no_text_and_no_padding_of_a_manifest_can_be_changed(signed_png: bytes) -> None:
    assert _passes(signed_png)
    start, end = _manifest(signed_png)
    manifest = signed_png[start:end]
    changes = {
        b"redact": b"Orinak",
        b"c2pa.created": b"c2pa.orinaky",
        b"humanEdits": b"Orinakyans",
        b"jumbf manifest": b"Anna Orinakyan",
        b"c2pa.hash.data": b"c2pa.orinakyan",
        b"sha256": b"Orinak",
        b"self#jumbf=c2pa.assertions": b"self#jumbf=c2pa.orinakyans",
        b"xmp.iid:": b"orinaky:",
        b"urn:c2pa:": b"urn:orin:",
    }
    for old, new in changes.items():
        assert old in manifest and len(old) == len(new)
        assert not _passes(_with(signed_png, manifest.replace(old, new))), old
    padding = manifest.index(bytes(64)) + 20
    assert not _passes(_with(signed_png, manifest[:padding] + b"Orinakyan" + manifest[padding + 9 :]))
    assert not _passes(_with(signed_png, manifest + b"Orinakyan"))
    assert not _passes(_with(signed_png, manifest[:-9]))
    assert not _passes(_with(signed_png, b""))


def test_a_manifest_with_a_thumbnail_or_an_ingredient_or_a_title_is_refused(
    settings: ProvenancePolicy, tmp_path: Path
) -> None:
    source = _finished("png", tmp_path)
    chain, key = Path(settings.certificate).read_bytes(), Path(settings.key).read_bytes()
    made = {"action": "c2pa.created",
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits"}  # fmt: skip
    plain = {"claim_generator_info": [{"name": "redact", "version": "0.1.0"}],
             "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made]}}]}  # fmt: skip
    ours = {"builder": {"thumbnail": {"enabled": False}}}
    cases = {
        "plain": (plain, ours, False),
        "title": ({**plain, "title": "Orinakyan"}, ours, False),
        "thumbnail": (plain, {"builder": {"thumbnail": {"enabled": True}}}, False),
        "ingredient": (plain, ours, True),
        "another maker": ({**plain, "claim_generator_info": [{"name": "Orinakyan"}]}, ours, False),
        "another assertion": (
            {
                **plain,
                "assertions": [
                    *plain["assertions"],
                    {"label": "org.example.note", "data": {"a": "Orinakyan"}},
                ],
            },
            ours,
            False,
        ),
    }
    for name, (manifest, options, ingredient) in cases.items():
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, key, None))
        builder = c2pa.Builder(manifest, context=c2pa.Context(settings=c2pa.Settings.from_dict(options)))
        if ingredient:
            with source.open("rb") as stream:
                builder.add_ingredient(
                    {"title": "Orinakyan", "relationship": "componentOf"}, "image/png", stream
                )
        target = tmp_path / f"{name}.png"
        with source.open("rb") as stream, target.open("x+b") as sink:
            builder.sign(signer, "image/png", stream, sink)
        assert bool(_findings(target, provenance=True)) == (name != "plain"), name


def test_nothing_is_left_of_a_failed_signature_and_no_format_is_signed_half(
    settings: ProvenancePolicy, tmp_path: Path
) -> None:
    source, target = _finished("png", tmp_path), tmp_path / "signed"
    wrong = settings.model_copy(update={"key": settings.certificate})
    missing = settings.model_copy(update={"key": str(tmp_path / "nowhere.pem")})
    for broken in (wrong, missing):
        with pytest.raises(SigningError) as caught:
            sign(source, "png", broken, target)
        assert str(tmp_path) not in str(caught.value)
        assert not target.exists()
    for format in ("bmp", "tiff"):
        with pytest.raises(UnsupportedInputError):
            sign(source, format, settings, target)
    assert not target.exists()


def test_signing_is_off_by_default_and_needs_a_certificate_and_a_key(settings: ProvenancePolicy) -> None:
    assert Policy().provenance.mode == "none"
    for options in (["provenance=c2pa"], ["provenance.mode=c2pa", "provenance.key=x"]):
        with pytest.raises(UsageError):
            load_policy("strict", options)
    policies = [Policy(provenance=settings.model_copy(update={"key": key})) for key in ("a", "b")]
    assert policies[0].digest() == policies[1].digest() != Policy().digest()


def test_signing_opens_no_address(settings: ProvenancePolicy, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not on this machine")
    source, log = _finished("jpeg", tmp_path), tmp_path / "calls"
    code = (
        "import sys; from pathlib import Path; from redact.policy import ProvenancePolicy as Settings\n"
        "from redact.signing import sign\n"
        "sign(Path(sys.argv[1]), 'jpeg', Settings.model_validate_json(sys.argv[2]), Path(sys.argv[3]))"
    )
    command = [strace, "-f", "-qq", "-e", "trace=network", "-o", str(log), sys.executable, "-c", code,
               str(source), settings.model_dump_json(), str(tmp_path / "signed")]  # fmt: skip
    subprocess.run(command, check=True, env=dict(os.environ))
    assert (tmp_path / "signed").exists()
    calls = [line for line in log.read_text().splitlines() if " --- " not in line]  # those are signals
    assert not [call for call in calls if "AF_UNIX" not in call]


def test_a_batch_publishes_signed_files_whose_digest_is_the_one_that_passed(
    settings: ProvenancePolicy, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    Image.fromarray(data.astronaut()).save(source / "Orinakyan.jpg")
    options = [f"provenance.{name}={value}" for name, value in settings.model_dump().items()]
    options += ["faces.mode=off", "text.mode=off", "gate.faces=false", "gate.text=false"]
    sets = [part for option in options for part in ("--set", option)]
    command = [
        sys.executable,
        "-c",
        "from redact.cli import main; main()",
        "run",
        source,
        tmp_path / "out",
        *sets,
    ]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env=dict(os.environ), check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (published,) = (tmp_path / "out" / "published").iterdir()
    (report,) = (tmp_path / "out" / "report" / "items").glob("*.json")
    assert (
        json.loads(report.read_text())["output"]["sha256"]
        == hashlib.sha256(published.read_bytes()).hexdigest()
    )
    told = json.loads(c2pa.Reader(str(published)).json())
    assert told["validation_state"] in ("Valid", "Invalid", "Trusted")
    codes = {each["code"] for each in told["validation_results"]["activeManifest"]["failure"]}
    assert codes <= {"signingCredential.untrusted"}, "a certificate of our own making is trusted by nobody"
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            assert b"key.pem" not in path.read_bytes()
