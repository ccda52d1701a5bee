"""What a service counted."""

from bench.service_lab import ServiceLab
from redact.service.tokens import Scope


def accepted(lab: ServiceLab) -> float:
    """Jobs, checks among them, that the service took in so far."""
    with lab.client(lab.token([Scope.METRICS])) as client:
        lines = client.get("/metrics").text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("redact_jobs_accepted_total"))
