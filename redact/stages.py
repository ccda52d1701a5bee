"""All stages bound together in one process, with models loaded once a policy. What a worker process runs."""

from __future__ import annotations

from pathlib import Path

from redact.analysis import AnalysisModels, analyse
from redact.detect.weights import ModelStore
from redact.findings import GateReport
from redact.gate.inspect import inspect
from redact.names.watchlist import WatchList
from redact.pipeline import StageProgress
from redact.plan import Plan
from redact.policy import Policy
from redact.rendering import render
from redact.signing import sign


class LocalStages:
    """All stages in this process; models are loaded once per policy."""

    def __init__(self, store: ModelStore | None = None) -> None:
        self._store = store or ModelStore()
        self._models: tuple[str, AnalysisModels] | None = None

    def models(self, policy: Policy) -> AnalysisModels:
        """The ensembles of `policy`, kept for the next item of the same policy."""
        digest = policy.digest()
        if self._models is None or self._models[0] != digest:
            self._models = (digest, AnalysisModels(policy, self._store))
        return self._models[1]

    def analyse(
        self,
        path: Path,
        item: str,
        policy: Policy,
        progress: StageProgress,
        watch: WatchList | None = None,
    ) -> Plan:
        """See `Stages`; `watch` are the names that must not appear."""
        models = self.models(policy)
        return analyse(path, item, policy, models, lambda n, of: progress("analyse", n, of), watch)

    def render(self, path: Path, plan: Plan, target: Path, progress: StageProgress) -> None:
        """See `Stages`."""
        render(path, plan, target, lambda n, of: progress("render", n, of))

    def sign(self, path: Path, format: str, policy: Policy, target: Path) -> None:
        """See `Stages`."""
        sign(path, format, policy.provenance, target)

    def inspect(
        self, path: Path, policy: Policy, focus: tuple[int, ...], progress: StageProgress
    ) -> GateReport:
        """See `Stages`."""
        return inspect(
            path, policy, standalone=False, focus=focus, progress=lambda n, of: progress("gate", n, of)
        )
