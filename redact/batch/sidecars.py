"""Subtitle files beside an item: written afresh without names, gated, released beside the published item.

Each is an item of the ledger of its own, under the public name of the item it belongs to. It is released only
if that item is; otherwise whatever was released earlier is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from redact.batch.beside import SIDECAR_OF, released_beside, withdraw_beside
from redact.batch.events import ItemDone
from redact.batch.history import room_of
from redact.batch.jobs import WorkerStages
from redact.batch.review import rejected_finding
from redact.batch.settle import EXIT_REJECTED, STATUS_WORDS, VERDICT_CODES
from redact.batch.store import Store, sha256_file
from redact.batch.walk import LANGUAGE, Entry, subtitle_pairs
from redact.errors import ExitCode, UnsupportedInputError
from redact.findings import Verdict
from redact.policy import Policy


@dataclass(frozen=True)
class Sidecar:
    """One subtitle file and its id."""

    entry: Entry
    item: str

    def name_beside(self, released_as: str) -> str:
        """Where it goes: the item's own output name, the subtitle's language if it says, its ending."""
        place = PurePosixPath(released_as)
        language = self.entry.path.with_suffix("").suffix
        ending = self.entry.path.suffix.lower()
        return str(place.with_suffix("")) + (language if LANGUAGE.fullmatch(language) else "") + ending


class Sidecars:
    """The subtitle files of one run."""

    def __init__(
        self, store: Store, entries: list[Entry], policy: Policy, identity: Mapping[str, Any]
    ) -> None:
        self._store, self._identity = store, identity
        self._states = store.states()
        self._pairs = subtitle_pairs(entries) if policy.sidecars.mode == "redact" else {}
        self.taken = frozenset(each.path for several in self._pairs.values() for each in several)
        """Files that go with an item, and are none by themselves."""

    def of(self, entry: Entry, owner: str) -> tuple[Sidecar, ...]:
        """Those beside one item."""
        return tuple(self._named(each, owner) for each in self._pairs.get(entry.path, []))

    def _named(self, entry: Entry, owner: str) -> Sidecar:
        """With an id: the same one as long as the file and the item it lies beside are the same."""
        try:
            digest = sha256_file(entry.path)
        except OSError:
            entry, digest = replace(entry, refused="It could not be read."), ""
        relative = str(entry.relative)
        job = self._store.private.job(f"{relative}\0{owner}", digest)
        return Sidecar(entry, self._store.private.id_for(job, relative))

    def settled(self, owner: str, sidecars: Sequence[Sidecar]) -> bool:
        """Whether every one came to its end before, what was released lies there still, and nothing else."""
        if not set(released_beside(self._store, owner, self._states)) <= {each.item for each in sidecars}:
            return False
        for each in sidecars:
            state = self._states.get(each.item)
            if state is None or {key: state.get(key) for key in self._identity} != dict(self._identity):
                return False
            if state["event"] == "failed":
                if state["code"] != int(ExitCode.INPUT_ERROR):
                    return False
                continue
            if state["event"] == "rejected":
                continue
            target = self._store.root / self._store.private.released(each.item)
            if not target.is_file() or sha256_file(target) != state["sha256"]:
                return False
        return True

    def before(self, beside: Sidecar) -> ItemDone:
        """The earlier result of one that is settled."""
        state = self._states[beside.item]
        if state["event"] == "failed":
            return ItemDone(beside.item, "failed", state["reason"], ExitCode.INPUT_ERROR, already=True)
        if state["event"] == "rejected":
            return ItemDone(beside.item, "rejected", "by a reviewer", EXIT_REJECTED, already=True)
        if room_of(state) == "published":
            return ItemDone(beside.item, "published", "", ExitCode.PUBLISHED, already=True)
        verdict = Verdict(state["verdict"])
        return ItemDone(beside.item, STATUS_WORDS[verdict], "", VERDICT_CODES[verdict], already=True)

    def withdraw(self, owner: str, but: Sequence[Sidecar] = ()) -> None:
        """Take back what lies beside an item, except `but`.

        Raises:
            OutputError: see `Store.withdraw`.
        """
        withdraw_beside(self._store, owner, {each.item for each in but}, self._states)

    def release(self, beside: Sidecar, owner: str, stages: WorkerStages, folder: Path) -> ItemDone:
        """Write one without names into `folder`, judge the result, and move it to where its verdict says.

        The item it belongs to lies in `published/`.

        Raises:
            RedactError: it cannot be read as subtitles, written or moved.
        """
        if beside.entry.refused:
            raise UnsupportedInputError(beside.entry.refused)
        history = self._store.histories().get(beside.item)
        target = folder / f"{beside.item}{beside.entry.path.suffix.lower()}"
        stages.subtitles(beside.entry.path, target)
        report = stages.inspect_text(target)
        if history is not None and history.rejected:
            report = rejected_finding(report)
        released_as = self._store.private.released(owner).partition("/")[2]
        findings = [finding.model_dump(mode="json", exclude_defaults=True) for finding in report.findings]
        self._store.release(
            beside.item,
            target,
            report.sha256,
            report.verdict,
            beside.name_beside(released_as),
            **{SIDECAR_OF: owner, "findings": findings, **self._identity},
        )
        reason = ", ".join(sorted({f.detail or f.kind.value for f in report.findings}))
        return ItemDone(beside.item, STATUS_WORDS[report.verdict], reason, VERDICT_CODES[report.verdict])
