"""The files of the page, as its build left them: read once, served under their own names and no other."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response

from redact.errors import MissingToolError

BUILT = Path(__file__).parent / "page"
FIRST = "index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
}


class PageFiles:
    """What lies in `folder`.

    Raises:
        MissingToolError: the page was not built.
    """

    def __init__(self, folder: Path = BUILT) -> None:
        try:
            self._files = {
                path.name: (path.read_bytes(), TYPES[path.suffix])
                for path in sorted(folder.iterdir())
                if path.suffix in TYPES and path.is_file()
            }
        except OSError:
            self._files = {}
        if FIRST not in self._files:
            raise MissingToolError("The review page was not built; run make setup.")

    def answer(self, name: str) -> Response | None:
        """The file of that name as a response; None if there is none."""
        found = self._files.get(name or FIRST)
        if found is None:
            return None
        content, media_type = found
        return Response(content, headers={**HEADERS, "Content-Type": media_type})
