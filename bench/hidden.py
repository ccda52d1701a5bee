"""Hidden data: real files full of it and the tests' canaries, through `redact run` and through two peers.

Every output is looked at by readers that no tool here wrote with: exiftool and ffprobe against one short list
of technical tags, imgstrip's inspection, and for canaries the search of the tests. Without the development
data only the canaries are run.
"""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from bench.common import SHARED, WORK, Size, Table, Tables
from bench.hidden_runs import DONE, TOOLS, Input, Looked, Part, canary_inputs, part, search_digest
from bench.memo import kept
from bench.peers import MissingPeerError

METADATA = SHARED / "metadata"
QUICK_EVERY = 8
AT_ONCE = 26
"""Files a run: what was done is remembered after each."""
OUTCOMES = ("published", "review", "blocked", "failed", "set aside", "hung")
MOST_KINDS = 12


def real_inputs(quick: bool) -> list[Input]:
    """The development data's files."""
    files = sorted(path for path in METADATA.rglob("*") if path.is_file())
    chosen = files[:: QUICK_EVERY if quick else 1]
    return [Input(path, str(path.relative_to(METADATA))) for path in chosen]


def through(tool: str, inputs: Sequence[Input], *, canaries: bool) -> Part | str:
    """All of them through one tool, some at a time; or why that cannot be."""
    looked: list[Looked] = []
    tracebacks = 0
    for at in range(0, len(inputs), AT_ONCE):
        some = inputs[at : at + AT_ONCE]
        key = f"hidden {tool} {canaries} {search_digest()} {[each.name for each in some]}"
        try:
            done = kept(key, partial(part, tool, some, canaries=canaries), tool=tool == "redact")
        except MissingPeerError as error:
            return f"not installed: {error}"
        looked += done.looked
        tracebacks += done.tracebacks
    return Part(looked, tracebacks)


def _listed(counts: Counter[str], most: int = MOST_KINDS) -> str:
    words = [f"{name} ({count})" if count > 1 else name for name, count in counts.most_common(most)]
    return ", ".join(words) + (f" and {len(counts) - most} more kinds" if len(counts) > most else "")


def _outputs(looked: Iterable[Looked]) -> list[Looked]:
    return [each for each in looked if each.outcome in DONE]


def formats(done: Part) -> Table:
    """What became of each format."""
    table = Table("Real files with hidden data through `redact run`, strict", ["format", "files", *OUTCOMES])
    by_format: dict[str, Counter[str]] = defaultdict(Counter)
    for each in done.looked:
        by_format[each.format][each.outcome] += 1
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, counts in sorted(by_format.items(), key=lambda pair: (-pair[1].total(), pair[0])):
        only = tuple(counts)
        if len(only) == 1 and only[0] not in DONE:
            alike[only].append(name)  # formats that are never taken share a row
        else:
            table.add(name, str(counts.total()), *(str(counts[outcome]) for outcome in OUTCOMES))
    for names in alike.values():
        counts = sum((by_format[name] for name in names), Counter[str]())
        table.add(", ".join(names), str(counts.total()), *(str(counts[outcome]) for outcome in OUTCOMES))
    total = Counter(each.outcome for each in done.looked)
    table.add("**all**", str(total.total()), *(str(total[outcome]) for outcome in OUTCOMES))
    odd = total.total() - sum(total[outcome] for outcome in OUTCOMES)
    table.note(
        f"Tracebacks on standard output or error: {done.tracebacks}. Runs or files that had to be killed: "
        f"{total['hung']}. Files without any outcome: {odd}. The format is exiftool's, by content. Set aside "
        "are companion files, which no output takes anything from."
    )
    return table


def reasons(done: Part) -> Table:
    """Why files were not published."""
    table = Table(
        "Why: what waits for a person, and what was refused", ["outcome", "reason", "files", "formats"]
    )
    groups: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for each in done.looked:
        if each.reason:
            groups[each.outcome, each.reason][each.format] += 1
    for (outcome, reason), names in sorted(groups.items(), key=lambda g: (g[0][0], -g[1].total(), g[0][1])):
        table.add(outcome, reason.replace("_", " "), str(names.total()), _listed(names, 40))
    return table


def _judgement(outputs: Sequence[Looked]) -> str:
    words = Counter(each.judged.partition(" ")[0] for each in outputs)
    kinds = Counter(kind for each in outputs for kind in _found(each))
    return f"{words['finds']} of {words['finds'] + words['clean']}" + (f": {_listed(kinds)}" if kinds else "")


def _found(each: Looked) -> list[str]:
    return each.judged.removeprefix("finds ").split(", ") if each.judged.startswith("finds ") else []


def _handled(tool: str, done: Part) -> list[str]:
    """The cells on what a tool did at all."""
    counts = Counter(each.outcome for each in done.looked)
    handled = sum(counts[outcome] for outcome in DONE)
    left = f" ({counts['left']} with a broken file left)" if counts["left"] else ""
    return [
        tool,
        str(handled),
        f"{counts.total() - handled - counts['hung']}{left}",
        f"{done.tracebacks} / {counts['hung']}",
    ]


HANDLED = ["tool", "files handled", "refused or left alone", "tracebacks / hangs"]


def side_by_side(results: dict[str, Part | str]) -> Table:
    """Real files: what remains in each tool's outputs."""
    table = Table(
        "What remains in the outputs, the same real files",
        [*HANDLED, "outputs with anything beyond the list", "kinds that remain", "imgstrip --check finds"],
    )
    for tool, done in results.items():
        if isinstance(done, str):
            table.add(tool, done, *["-"] * (len(table.columns) - 2))
            continue
        outputs = _outputs(done.looked)
        kinds = Counter(kind for each in outputs for kind in each.beyond)
        dirty = sum(bool(each.beyond) for each in outputs)
        table.add(
            *_handled(tool, done), f"{dirty} of {len(outputs)}", _listed(kinds) or "none", _judgement(outputs)
        )
    table.note(
        "`exiftool -a -G1:4 -s -ee -u` and `ffprobe` (streams, format, chapters, side data) on every output; "
        "the list of tags that may stay is in `hidden_tags.py`, the same for all tools. imgstrip reads "
        "photos only: films are not counted in its column."
    )
    table.note(
        "redact's outputs are both those published and those that wait for a person. The peers only clean: "
        "they cover nothing, so no picture waits for what it shows. Each ran as it comes, one process a file."
    )
    return table


def canaries(results: dict[str, Part | str], inputs: Sequence[Input]) -> Table:
    """Generated samples: what the tests' search finds in each tool's outputs."""
    table = Table(
        f"Canaries: {len(inputs)} generated samples, each with something hidden in one place",
        [
            *HANDLED,
            "outputs with a canary left",
            "outputs with the hidden face",
            "outputs with anything beyond the list",
            "kinds that remain",
            "imgstrip --check finds",
        ],
    )
    for tool, done in results.items():
        if isinstance(done, str):
            table.add(tool, done, *["-"] * (len(table.columns) - 2))
            continue
        outputs = _outputs(done.looked)
        kinds = Counter(kind for each in outputs for kind in each.beyond)
        table.add(
            *_handled(tool, done),
            f"{sum(bool(each.left) for each in outputs)} of {len(outputs)}",
            f"{sum(each.face for each in outputs)} of {len(outputs)}",
            f"{sum(bool(each.beyond) for each in outputs)} of {len(outputs)}",
            _listed(kinds) or "none",
            _judgement(outputs),
        )
    own = results["redact"]
    if isinstance(own, Part):
        refused = Counter(each.reason for each in own.looked if each.outcome not in DONE)
        waiting = sum(each.outcome == "review" for each in own.looked)
        table.note(f"redact: {waiting} outputs wait for a person. Refused: {_listed(refused) or 'none'}")
    words, shown = sum(bool(each.tokens) for each in inputs), sum(each.face for each in inputs)
    table.note(
        f"{words} samples hold a word, {shown} hold a face. The search is that of `tests/hidden`, which "
        "shows that it finds each of them in the samples: raw bytes, without NULs, UTF-16, every bit "
        "offset, whatever inflates, base64, exiftool, ffprobe, closed captions, and every picture or film "
        "that can be carved out. A canary left is such a word, or a date, place or setting planted with it."
    )
    return table


def run(size: Size) -> Tables:
    """Real files if they are there, and the canaries."""
    quick = size is Size.QUICK
    tables: list[Table] = []
    if METADATA.is_dir():
        inputs = real_inputs(quick)
        results = {tool: through(tool, inputs, canaries=False) for tool in TOOLS}
        own = results["redact"]
        if isinstance(own, Part):
            tables += [formats(own), reasons(own)]
        tables.append(side_by_side(results))
    else:
        print("hidden: the real files are left out, the development data is not on this machine")
    folder = WORK / "hidden"
    shutil.rmtree(folder, ignore_errors=True)
    samples = canary_inputs(folder)[:: QUICK_EVERY if quick else 1]
    tables.append(canaries({tool: through(tool, samples, canaries=True) for tool in TOOLS}, samples))
    shutil.rmtree(folder)
    return Tables(tables)
