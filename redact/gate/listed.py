"""The gate's look for listed names in text that a picture still shows, covered or not, and in its codes.

Takes the lines that the text detector found, gives findings that name the list's line and nothing else. A
reader is not sure: what it does not find is not ruled out, and what it cannot read is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from redact.detect.base import Picture
from redact.detect.reading import TextReader, read_codes
from redact.findings import Finding, FindingKind, Look
from redact.gate.merge import FindingMerger
from redact.names.hints import person_hints
from redact.names.watchlist import WatchList
from redact.plan import Box, Kind, Region

HINT = "person-name hint"


class ListedText:
    """One file's text held against the list. `hints`: what only looks like a name is a finding too.

    `proof`: nothing else vouches for uncovered text, so lines that could not be read are a finding.
    """

    def __init__(
        self, watch: WatchList | None, reader: TextReader, size: tuple[int, int], *, hints: bool, proof: bool
    ) -> None:
        self._watch, self._reader, self._hints, self._proof = watch, reader, hints, proof
        self._size = size
        self._mergers: dict[str, FindingMerger] = {}
        self._now: list[tuple[str, Region]] = []
        self._lines = self._looks = 0

    def begin(self) -> None:
        """Forget the frame before: a new one is looked at; `add` then says on which frames it stands."""
        self._looks += 1
        self._now = []

    def look(self, picture: Picture, regions: Sequence[Region]) -> None:
        """Read the lines and codes of a picture of the frame; it may have several."""
        self._lines += len(regions)
        boxes = [region.box for region in regions]
        for text, box in zip(self._reader.read(picture, boxes), boxes, strict=True):
            self._now += self._seen(text, box, "OCR text", ocr=True)
        for text, box in read_codes(picture):
            self._now += self._seen(text, box, "a code", ocr=False)

    def _seen(self, text: str, box: Box, where: str, *, ocr: bool) -> list[tuple[str, Region]]:
        lines = {hit.line for hit in self._watch.find(text, ocr=ocr)} if self._watch is not None else set()
        details = [f"watch list line {line} in {where}" for line in sorted(lines)]
        if self._hints and not details and person_hints(text):
            details = [f"{HINT} in {where}"]
        return [(detail, Region(Kind.TEXT, box, 1.0, detail, "names")) for detail in details]

    def add(self, frame: int, reach: int) -> None:
        """What was last seen stands on this frame too."""
        for detail, region in self._now:
            merger = self._mergers.setdefault(detail, FindingMerger(*self._size))
            merger.add(frame, [region], reach)

    def finish(self, frames: int) -> tuple[list[Finding], Look]:
        """Findings, and what was read by what."""
        found = [
            finding.model_copy(update={"kind": FindingKind.NAME})
            for merger in self._mergers.values()
            for finding in merger.finish()
        ]
        by = self._reader.describe()
        if not self._reader.whole:
            what = "+".join(self._reader.missing) or "some lines"
            by += f"; {what} could not be read, so names in these are not ruled out"
            if self._proof and self._lines:
                found.append(
                    Finding(kind=FindingKind.UNVERIFIABLE, detail=f"text not read for the watch list: {what}")
                )
        what = "names in text and codes" if self._watch is None else "listed names in text and codes"
        return found, Look(what=what, by=by, frames=self._looks, of_frames=frames)


def listed_values(texts: Sequence[str], watch: WatchList) -> tuple[list[Finding], Look]:
    """Findings for text values that the file carries beside its pixels."""
    lines = sorted({hit.line for text in texts for hit in watch.find(text)})
    found = [
        Finding(kind=FindingKind.NAME, detail=f"watch list line {line} in a rights field") for line in lines
    ]
    return found, Look(what="listed names in rights fields", by="watch list", frames=0)
