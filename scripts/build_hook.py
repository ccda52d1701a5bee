"""Hatchling's hook: a wheel without the review page is not built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface):  # type: ignore[type-arg]
    """Looks whether `make setup` made the page that `redact review` serves."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is put together; `version` is `standard` or `editable`.

        Raises:
            RuntimeError: the page is not there.
        """
        if (
            version == "standard"
            and not (Path(self.root) / "redact" / "review" / "page" / "app.js").is_file()
        ):
            raise RuntimeError("The review page was not built; run `make setup` first.")
