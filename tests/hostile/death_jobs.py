"""The real makers and judges, taken over by the files that carry an attack's name behind their picture."""

from collections.abc import Mapping
from pathlib import Path

from redact.batch.jobs import gate_jobs, maker_jobs
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


def makers() -> Mapping[str, Job]:
    jobs = dict(maker_jobs())
    real = jobs["analyse"]

    def analyse(request, progress):
        data = Path(request["path"]).read_bytes()
        if MARK in data:
            name = data.rpartition(MARK)[2].decode()
            if name == "other-item":
                return real({**request, "item": "zzzz2222"}, progress)
            return _attack(name, request)
        return real(request, progress)

    jobs["analyse"] = analyse
    return jobs


def judges() -> Mapping[str, Job]:
    """The gate answers nonsense, or lies about what it judged."""
    jobs = dict(gate_jobs())
    real = jobs["inspect"]

    def inspect(request, progress):
        report = real(request, progress)
        width = int(report.partition('"width":')[2].partition(",")[0])
        lies = {
            61: '{"verdict": "PUBLISH"}',
            62: report.replace('"sha256":"', '"sha256":"0'),
            63: report.replace('"by":"', '"by":"\\u001b]0;Orinakyan\\u0007'),
            64: 7,
        }
        return lies.get(width, report)

    jobs["inspect"] = inspect
    return jobs
