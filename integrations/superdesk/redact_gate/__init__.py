"""Superdesk publishes nothing that shows a picture or video without a pass of `redact serve`.

Add `redact_gate` to `INSTALLED_APPS`; README.md has the settings. Whatever goes wrong counts as no. Standard
library only, for Python 3.9 and later, so that it runs in a Superdesk server of any age.
"""

from __future__ import annotations

from typing import Any

from .gate import Gate
from .memory import Memory
from .service import RefusedError, Service

__all__ = ["Gate", "Memory", "RefusedError", "Service", "init_app"]

NEVER_HELD = frozenset({"kill", "takedown", "unpublish", "recall"})
"""What takes an item back must always go through."""
OUT_BEFORE = frozenset(
    {"published", "scheduled", "corrected", "being_corrected", "killed", "recalled", "unpublished"}
)
"""States in which a validation may be for taking the item back, which a validation does not tell."""


def init_app(app: Any) -> None:
    """What Superdesk calls at its start: stand before publishing."""
    from superdesk import get_resource_service
    from superdesk.errors import SuperdeskApiError
    from superdesk.signals import item_publish, item_validate

    setting = app.config.get
    gate = Gate(
        Service(
            str(setting("REDACT_GATE_ADDRESS") or ""),
            str(setting("REDACT_GATE_TOKEN") or ""),
            ca_file=str(setting("REDACT_GATE_CA_FILE") or ""),
        ),
        Memory(str(setting("REDACT_GATE_MEMORY") or "")),
        media=app.media.get,
        find=lambda resource, key: get_resource_service(resource).find_one(req=None, _id=key),
        wait_s=float(setting("REDACT_GATE_WAIT") or 25),
        originals_only=setting("REDACT_GATE_RENDITIONS") == "original",
    )

    def on_publish(sender: Any, item: Any = None, **_: Any) -> None:
        """Sent before an item is stored as published; an error keeps it from that."""
        if getattr(sender, "publish_type", "") in NEVER_HELD:
            return
        problems = gate.problems(item)
        if problems:
            raise SuperdeskApiError.badRequestError(message=" ".join(problems))

    def on_validate(sender: Any, item: Any = None, response: Any = None, **_: Any) -> None:
        """Sent when an item is validated: the same words earlier, among the other errors of the form."""
        if (item or {}).get("state") not in OUT_BEFORE:
            response.extend(gate.problems(item))

    # strong references: nobody else holds these functions
    item_publish.connect(on_publish, weak=False)
    item_validate.connect(on_validate, weak=False)
