"""Makers and judges without models, taken over by the files that carry an attack's name.

Rendering copies the bytes, and the judge passes them; a worker may import no other module of tests than this.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from redact.findings import GateReport, Look
from redact.media.digest import digest_file
from redact.plan import MediaFacts, OutputSpec, Plan
from redact.policy import Policy
from redact.workers import Job

MARK = b"ATTACK:"


def _attack(name: str, request: Mapping[str, object]) -> object:
    if name == "segfault":
        import ctypes

        ctypes.string_at(0)
    elif name == "memory":
        return bytearray(1 << 35)
    elif name == "processor":
        while True:
            pass
    elif name == "type":
        return b"no plan"
    elif name == "text":
        return '{"plan": "' + "[" * 50_000
    return None


def _plan(request: Mapping[str, str]) -> str:
    path, policy = Path(request["path"]), Policy.model_validate_json(request["policy"])
    return Plan(
        item=request["item"],
        policy=policy.name,
        policy_digest=policy.digest(),
        source=digest_file(path),
        media=MediaFacts(kind="photo", format="jpeg", width=8, height=8),
        output=OutputSpec(format="jpeg"),
    ).model_dump_json()


def makers() -> Mapping[str, Job]:
    def analyse(request, _):
        _, mark, name = Path(request["path"]).read_bytes().rpartition(MARK)
        if mark and name != b"other-item":
            return _attack(name.decode(), request)
        return _plan({**request, "item": "zzzz2222"} if mark else request)

    def render(request, _):
        shutil.copyfile(request["path"], request["target"])

    return {"sniff": lambda request, _: "jpeg", "analyse": analyse, "render": render}


def judges() -> Mapping[str, Job]:
    """The gate answers nonsense, or lies about what it judged, where the file's last byte says so."""

    def inspect(request, _):
        content = Path(request["path"]).read_bytes()
        report = GateReport(
            sha256=hashlib.sha256(content).hexdigest(),
            format="jpeg",
            width=8,
            height=8,
            looks=(Look(what="last byte", by="a stub"),),
        ).model_dump_json()
        lies = {
            1: '{"verdict": "PUBLISH"}',
            2: report.replace('"sha256":"', '"sha256":"0'),
            3: report.replace('"by":"', '"by":"\\u001b]0;Orinakyan\\u0007'),
            4: 7,
        }
        assert report not in lies.values()
        return lies.get(content[-1], report)

    return {"inspect": inspect, "thumbnail": lambda request, _: b"\xff\xd8\xff"}
