"""What the report's words mean, for a person who reads no code. An unknown word is shown as it is."""

from __future__ import annotations

from redact.findings import FindingKind
from redact.plan import Kind
from redact.report.models import Standing

STANDINGS: dict[Standing, str] = {
    Standing.BLOCK: "Must not be published: the finished file carries something hidden, or is broken.",
    Standing.FAILED: "Could not be processed; nothing was kept.",
    Standing.REJECTED: "A reviewer decided against it; nothing was kept.",
    Standing.REVIEW: "Waits for a person: something was seen, or could not be ruled out.",
    Standing.ACCEPTED: "A reviewer looked at what was found and let it pass.",
    Standing.PUBLISH: "The checks listed on this page found nothing on the finished bytes.",
}

KINDS: dict[Kind, tuple[str, str]] = {
    Kind.FACE: ("face", "faces"),
    Kind.HEAD: ("head", "heads"),
    Kind.TEXT: ("text", "texts"),
    Kind.CODE: ("code", "codes"),
}

FINDINGS: dict[FindingKind, str] = {
    FindingKind.FACE: "A face is still seen",
    FindingKind.FACE_EXPECTED: "A person whose head is under no cover",
    FindingKind.TEXT: "Text is still seen",
    FindingKind.SPEECH: "Speech where none should be left",
    FindingKind.SOUND: "Sound that a person must listen to",
    FindingKind.NAME: "A name of the watch list, or what looks like a name",
    FindingKind.METADATA: "Hidden data in the file",
    FindingKind.STRUCTURE: "A part of the file that is not on the list of allowed parts",
    FindingKind.STREAM: "A stream, chapter or attachment that does not belong there",
    FindingKind.TRAILING_BYTES: "Bytes after the file's end",
    FindingKind.UNDECODABLE: "The finished file does not decode without errors",
    FindingKind.UNVERIFIABLE: "A format that the gate cannot rule anything out in",
    FindingKind.NOTE: "A person must look",
}

NOTES: dict[str, str] = {
    "no_face_found": "no face was found, and only a person can say that none is there",
    "large_text_region": "text takes so much of the picture that covering it may blank it",
    "sound_not_listened": "sound is kept and nobody is known to have listened",
    "listed_name_in_rights": "a rights field held a listed name and was left out",
    "rejected_before": "a reviewer rejected an earlier version, or the same file elsewhere",
    "redrawn_before": (
        "a reviewer drew covers on an earlier version, or on the same file elsewhere; here they are not drawn"
    ),
    "second_person": "its covers were drawn by a reviewer, and two people must approve what came of it",
}

REASONS: dict[str, str] = {
    "unsupported": "It is of a kind that is refused.",
    "unreadable": "It was gone or could not be read. Check its permissions and run the folder again.",
    "damaged": "It does not decode whole.",
    "too_large": "It is beyond a limit of the policy.",
    "plan_mismatch": "The plan was made for another file, or does not fit this one.",
    "input_changed": "Its file changed while it was worked on. Run the folder again.",
    "input_error": "It cannot be processed as it is.",
    "worker_died": "The process that worked on it ended without an answer. Run the folder again.",
    "internal": "A fault of this program stopped it. Run the folder again, and report the fault.",
    "timeout": "It took longer than the policy allows.",
    "output": "The output folder could not be written. Make room and run the folder again.",
    "ledger": "The record could not be written. Make room and run the folder again.",
    "encode": "The encoder failed.",
    "signing": "The finished file could not be signed.",
    "model": "A model is missing or altered. Run redact models verify.",
    "missing_tool": "A program that is needed is not on the machine. Run redact doctor.",
    "tool_error": "The tool failed. Run the folder again.",
    "in_use": "Another run had the output folder. Run the folder again.",
    "changed": "It was made again, or decided, while a person looked at it.",
    "blocked": "The gate found what nobody can accept.",
    "usage": "The policy or the plan is not valid for it.",
}

STAGES = {"analyse": "analysis", "render": "covering", "sign": "signing", "gate": "gate"}
SOUNDS = {
    "remove": "removed",
    "mute_speech": "speech silenced",
    "bleep": "marked parts replaced by a tone",
    "keep": "kept",
    "disguise": "voices shifted, which can be undone",
}


def counted(kind: Kind, count: int) -> str:
    """`1 face`, `3 faces`."""
    return f"{count:,} {KINDS[kind][count != 1]}"


def duration(seconds: float) -> str:
    """`0.8 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
