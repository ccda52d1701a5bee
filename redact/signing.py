"""Signs a finished file as a new asset (C2PA): who published it, and that it was not changed since.

Takes a rendered file and paths of a certificate chain and a key, writes a signed copy and verifies it. No
ingredient, no thumbnail and nothing of the source is named; no address is opened. The key is read here and
forgotten.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from redact import __version__
from redact.errors import MissingToolError, SigningError, UnsupportedInputError
from redact.policy import ProvenancePolicy

MIME = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "apng": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "heif": "image/heic",
    "avif": "image/avif",
    "mp4": "video/mp4",
}
"""Formats that can be signed so that the gate can read every byte of it again."""
SETTINGS = {
    # every one of these would open an address or write more than is asked for
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {
        "verify_after_sign": True,
        "verify_trust": False,
        "ocsp_fetch": False,
        "remote_manifest_fetch": False,
    },
}
MADE = {
    # made here, out of a picture that was edited by people's rules; what it was made from is not said
    "action": "c2pa.created",
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits",
}


def sign(path: Path, format: str, settings: ProvenancePolicy, target: Path) -> None:
    """Write a signed copy of the file at `path` to `target`, which must not exist.

    Raises:
        MissingToolError: c2pa-python is not installed.
        UnsupportedInputError: files of this format cannot be signed.
        SigningError: the certificate or key cannot be used, or the result does not verify; nothing is left.
    """
    if format not in MIME:
        raise UnsupportedInputError(
            "Files of this format cannot be signed; set provenance.mode = none for them."
        )
    try:
        import c2pa
    except ImportError as error:
        raise MissingToolError(
            "c2pa-python is not installed: run `make setup`, or in its checkout pip install '.[c2pa]'."
        ) from error
    try:
        chain = Path(settings.certificate).read_bytes()
        key = Path(settings.key).read_bytes()
    except OSError as error:
        raise SigningError("The certificate or key of provenance cannot be read.") from error
    manifest = {
        "claim_generator_info": [{"name": "redact", "version": __version__}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [MADE]}}],
    }
    try:
        context = c2pa.Context(settings=c2pa.Settings.from_dict(SETTINGS))
        # without a time-stamp server: the signature is as good as the certificate's own dates
        info = c2pa.C2paSignerInfo(_algorithm(key), chain, key, None)
        signer = c2pa.Signer.from_info(info)
        builder = c2pa.Builder(manifest, context=context)
        with path.open("rb") as source, target.open("x+b") as sink:
            builder.sign(signer, MIME[format], source, sink)
        with target.open("rb") as written:
            told = json.loads(c2pa.Reader(MIME[format], written, context=context).json())
    except FileExistsError:
        raise
    except (c2pa.C2paError, OSError, ValueError) as error:
        target.unlink(missing_ok=True)
        raise SigningError("The file could not be signed with this certificate and key.") from error
    if not _is_ours(told):
        target.unlink(missing_ok=True)
        raise SigningError("The signed file does not verify; nothing was kept.")


def _algorithm(key: bytes) -> bytes:
    """C2PA's name of the algorithm that goes with the key. Raises ValueError if there is none."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    loaded = load_pem_private_key(key, password=None)
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return b"ed25519"
    if isinstance(loaded, rsa.RSAPrivateKey):
        return b"ps256"
    if isinstance(loaded, ec.EllipticCurvePrivateKey):
        return {256: b"es256", 384: b"es384", 521: b"es512"}[loaded.curve.key_size]
    raise ValueError("key")


def _is_ours(told: dict[str, Any]) -> bool:
    """Whether the library says of the file: one manifest, valid, of our two assertions, from nothing else."""
    manifests = list(told.get("manifests", {}).values())
    results = told.get("validation_results", {}).get("activeManifest", {})
    if len(manifests) != 1 or told.get("validation_state") not in ("Valid", "Trusted"):
        return False
    only = manifests[0]
    return not results.get("failure") and not only.get("ingredients") and not only.get("thumbnail")


__all__ = ["MIME", "sign"]
