"""Why a person let a finding pass: a typed line that is kept in the ledger, so it must name nobody.

Takes what was typed and the watch list, gives what is written down. No message repeats a word of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from redact.errors import UsageError
from redact.findings import Finding, FindingKind
from redact.names.hints import person_hints
from redact.names.watchlist import WatchList
from redact.plan import EXTENSIONS

LEAST, MOST = 3, 200
"""Characters of a reason."""
SECOND_PERSON = "second_person"
"""Detail of the note of what a reviewer redrew under a policy that asks for two people."""
_SENTENCE = re.compile(r"(?<=\w\w[.!?;:\u0589\u2026])\s+")
"""Between sentences. After fewer letters a full stop may belong to an initial."""
# fmt: off
_OPENERS = frozenset((
    "a", "after", "again", "all", "also", "an", "and", "another", "any", "as", "at", "before", "both", "but",
    "by", "checked", "clearly", "each", "every", "for", "four", "from", "here", "if", "in", "is", "it", "its",
    "just", "looks", "near", "no", "none", "not", "now", "of", "ok", "okay", "on", "one", "only", "our",
    "poster", "same", "seen", "some", "statue", "such", "that", "the", "their", "there", "these", "they",
    "this", "those", "three", "two", "under", "what", "with", "yes",
))
# fmt: on
"""Words that open a sentence with a capital and are no given name: a capital may follow, of a place say."""
_PEOPLES = re.compile(r"\b(?:Armenian|Georgian|Iranian|Persian|Russian|Syrian|Ukrainian)s?\b")
"""Words of the trade that end like surnames."""
_PATH = re.compile(
    r"[\\]|(?:^|\s)~?/\S|\w\.(?:"
    + "|".join(sorted({"jpeg", "tiff", "mov", "mkv", *EXTENSIONS}))
    + r"|jpg|tif)\b",
    re.IGNORECASE,
)


def typed_reason(text: str, watch: WatchList | None = None) -> str:
    """The reason without the spaces around it.

    Raises:
        UsageError: it is no line of 3 to 200 characters, or holds what may be a name or a path.
    """
    text = text.strip()
    if not LEAST <= len(text) <= MOST:
        raise UsageError(f"A reason is one line of {LEAST} to {MOST} characters.")
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for letter in text):
        raise UsageError("A reason is one line of plain text; type it without line ends and invisible signs.")
    if _PATH.search(text):
        raise UsageError("A reason is kept in the record and must hold no file name or path; leave it out.")
    if _names_somebody(text.replace("_", " "), watch):
        raise UsageError(
            "A reason is kept in the record and must name nobody; something in it is on the watch list or "
            "looks like a name, as words with capitals in a row do. Say it in other words."
        )
    return text


def _names_somebody(text: str, watch: WatchList | None) -> bool:
    if watch is not None and watch.find(text):
        return True
    plain = _PEOPLES.sub(lambda word: word.group().lower(), text)
    return any(person_hints(_without_opener(sentence)) for sentence in _SENTENCE.split(plain))


def _without_opener(sentence: str) -> str:
    """The sentence, with a small first letter if its first word is one that sentences begin with."""
    word = re.match(r"[^\W\d_]+", sentence)
    if word is None or word.group().casefold() not in _OPENERS:
        return sentence
    return word.group().casefold() + sentence[word.end() :]


def needs_reason(finding: Finding) -> bool:
    """Whether whoever accepts must say why: for all that was seen, not for the call for a second person."""
    return not (finding.kind is FindingKind.NOTE and finding.detail == SECOND_PERSON)


def reasons_record(
    findings: Sequence[Finding], reasons: Mapping[int, str], watch: WatchList | None
) -> list[dict[str, str]]:
    """What the ledger keeps: kind and detail of each finding, and why it was let pass.

    `reasons` is by the finding's place in `findings`.

    Raises:
        UsageError: one is missing, is for no finding, or see `typed_reason`.
    """
    if not set(reasons) <= set(range(len(findings))):
        raise UsageError("A reason was given for a finding that the item does not have; look at it again.")
    if any(needs_reason(finding) and n not in reasons for n, finding in enumerate(findings)):
        raise UsageError(
            "Every finding needs a reason why it may pass; type one for each (--reason on the command line)."
        )
    return [
        {
            "kind": findings[n].kind.value,
            "detail": findings[n].detail,
            "reason": typed_reason(reasons[n], watch),
        }
        for n in sorted(reasons)
    ]
