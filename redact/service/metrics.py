"""Numbers for Prometheus. Labels are words of ours: no id, no name, no address, no path."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One registry a service."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._accepted = Counter("redact_jobs_accepted", "Jobs accepted", ["kind"], registry=registry)
        self._settled = Counter("redact_jobs_settled", "Jobs ended", ["kind", "status"], registry=registry)
        self._seconds = Histogram(
            "redact_job_seconds",
            "Time of a job at work",
            ["kind"],
            buckets=(0.5, 1, 2, 5, 10, 30, 60, 180, 600, 1800, 7200),
            registry=registry,
        )
        self._bytes = Counter("redact_upload_bytes", "Bytes of accepted uploads", registry=registry)
        self._requests = Counter(
            "redact_requests", "Requests by kind of address", ["route", "code"], registry=registry
        )
        self._calls = Counter("redact_webhook_calls", "Webhook calls", ["result"], registry=registry)
        self._gauges = {
            name: Gauge(f"redact_{name}", meaning, registry=registry)
            for name, meaning in {
                "queue_jobs": "Jobs that wait",
                "working_jobs": "Jobs at work",
                "uploads": "Uploads under way",
                "healthy": "1 if the service can do its work",
            }.items()
        }

    def accepted(self, kind: str, size: int) -> None:
        """A job was accepted."""
        self._accepted.labels(kind).inc()
        self._bytes.inc(size)

    def settled(self, kind: str, status: str, seconds: float) -> None:
        """A job ended."""
        self._settled.labels(kind, status).inc()
        self._seconds.labels(kind).observe(seconds)

    def request(self, route: str, code: int) -> None:
        """A request was answered; `route` is the address's pattern, never what was asked for."""
        self._requests.labels(route, str(code)).inc()

    def called(self, result: str) -> None:
        """A webhook was called: delivered, failed or given_up."""
        self._calls.labels(result).inc()

    def watch(self, name: str, value: Callable[[], float]) -> None:
        """Have a gauge ask `value` whenever it is read."""
        self._gauges[name].set_function(value)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
