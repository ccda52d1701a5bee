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
from redact.batch.decided import Decided
from redact.batch.events import ItemDone
from redact.batch.inputs import check_input
from redact.batch.jobs import WorkerStages
from redact.batch.settle import STATUS_WORDS, VERDICT_CODES, approvals_record, settled_before
from redact.batch.store import Store, sha256_file
from redact.batch.walk import LANGUAGE, Entry, subtitle_pairs
from redact.policy import Policy

_TWIN = "Another subtitle file of the item has the same name but for capitals; rename one."


@dataclass(frozen=True)
class Sidecar:
    """One subtitle file and its id."""

    entry: Entry
    item: str
    sha256: str = ""
    """Of the file, when it got its id; empty if it is refused."""

    def name_beside(self, released_as: str) -> str:
        """Where it goes: the item's own output name, the subtitle's language if it says, its ending."""
        return str(PurePosixPath(released_as).with_suffix("")) + _ending(self.entry)


def _ending(entry: Entry) -> str:
    language = entry.path.with_suffix("").suffix
    return (language if LANGUAGE.fullmatch(language) else "") + entry.path.suffix.lower()


class Sidecars:
    """The subtitle files of one run."""

    def __init__(
        self, store: Store, entries: list[Entry], policy: Policy, identity: Mapping[str, Any]
    ) -> None:
        self._store, self._identity = store, identity
        self._approvals = approvals_record(policy)
        self._histories = store.histories()
        self._decided = Decided(store, self._histories)
        self._states = {
            item: history.settled for item, history in self._histories.items() if history.settled is not None
        }
        self._pairs = subtitle_pairs(entries) if policy.sidecars.mode == "redact" else {}
        self.taken = frozenset(each.path for several in self._pairs.values() for each in several)
        """Files that go with an item, and are none by themselves."""

    def of(self, entry: Entry, owner: str) -> tuple[Sidecar, ...]:
        """Those beside one item."""
        found: list[Sidecar] = []
        taken: set[str] = set()
        for each in self._pairs.get(entry.path, []):
            twin = _ending(each) in taken
            taken.add(_ending(each))
            found.append(self._named(replace(each, refused=_TWIN) if twin else each, owner))
        return tuple(found)

    def _named(self, entry: Entry, owner: str) -> Sidecar:
        """With an id: the same one as long as the file and the item it lies beside are the same."""
        try:
            digest = "" if entry.refused else sha256_file(entry.path)
        except OSError:
            entry, digest = entry.unreadable(), ""
        relative = str(entry.relative)
        job = self._store.private.job(f"{relative}\0{owner}", digest)
        return Sidecar(entry, self._store.private.id_for(job, relative, digest), digest)

    def before(self, owner: str, sidecars: Sequence[Sidecar]) -> list[ItemDone] | None:
        """Their earlier results; None if one is missing, or something else lies beside the item."""
        if not set(released_beside(self._store, owner, self._states)) <= {each.item for each in sidecars}:
            return None
        found = []
        for each in sidecars:
            done = settled_before(self._store, each.item, self._histories.get(each.item), self._identity)
            if done is None or (done.status == "published" and self._decided.overrule(each.item)):
                return None
            found.append(done)
        return found

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
        beside.entry.check()
        target = folder / f"{beside.item}{beside.entry.path.suffix.lower()}"
        stages.subtitles(beside.entry.path, target)
        check_input(beside.entry.path, beside.sha256)
        report = self._decided.noted(beside.item, stages.inspect_text(target))
        released_as = self._store.private.released(owner).partition("/")[2]
        findings = [finding.model_dump(mode="json", exclude_defaults=True) for finding in report.findings]
        self._store.release(
            beside.item,
            target,
            report.sha256,
            report.verdict,
            beside.name_beside(released_as),
            **{SIDECAR_OF: owner, "findings": findings, **self._identity, **self._approvals},
        )
        reason = ", ".join(sorted({f.detail or f.kind.value for f in report.findings}))
        return ItemDone(beside.item, STATUS_WORDS[report.verdict], reason, VERDICT_CODES[report.verdict])
