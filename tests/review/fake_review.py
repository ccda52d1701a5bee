"""A stand-in for the review server, for what the real one cannot be brought to in a second: refusals, two
approvals, slow jobs. It speaks the same addresses, shows invented pictures, and keeps what it was asked.

`python tests/review/fake_review.py` serves it by hand, for work on the page.
"""

from __future__ import annotations

import io
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw

PAGE = Path(__file__).parents[2] / "redact" / "review" / "page"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".txt": "text/plain",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILM, PHOTO, BLOCKED, SHARED = "film0001", "photo001", "blocked1", "shared01"
WIDTH, HEIGHT, FRAMES, RATE = 320, 180, 50, 25


def _face(frame: int) -> tuple[int, int]:
    return 40 + 3 * frame, 60


def picture(frame: int, *, original: bool = False) -> Image.Image:
    """A grey wall with a moving square, black where it is covered, red in the original."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (150, 160, 150))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 130, WIDTH, HEIGHT), fill=(100, 105, 110))
    x, y = _face(frame)
    draw.rectangle((x, y, x + 40, y + 40), fill=(220, 40, 40) if original else (0, 0, 0))
    draw.text((4, 4), str(frame), fill=(20, 20, 20))
    return image


def film(frames: int = FRAMES, *, original: bool = False) -> bytes:
    """The frames as a film that a browser plays."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in range(frames):
            pixels = np.asarray(picture(frame, original=original))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return out.getvalue()


def finding(index: int, kind: str, words: str, severity: str = "REVIEW", **where: Any) -> dict[str, Any]:
    """One finding as the server sends it."""
    place = {"detail": "", "score": 0.8, "first": None, "last": None, "box": None, **where}
    return {"index": index, "kind": kind, "words": words, "severity": severity, "needs_reason": True, **place}


def items() -> dict[str, dict[str, Any]]:
    """A photo, a film, a photo that must not be published, and one that two people approve."""

    def item(name: str, **more: Any) -> dict[str, Any]:
        return {
            "item": name, "sha256": "a" * 64, "plan": "b" * 64,
            "kind": "photo", "standing": "REVIEW", "room": "review",
            "width": WIDTH, "height": HEIGHT, "frames": 1, "seconds": 0.0, "frame_times": [0.0],
            "has_sound": False,
            "findings": [finding(0, "face", "A face is still seen", first=0, last=0, box=[200, 60, 50, 50])],
            "looked_for": [{"what": "faces", "by": "yunet", "frames": 1, "of_frames": 1}],
            "tracks": [{"id": 1, "kind": "face", "score": 0.9, "keep": False,
                        "spans": [{"first": 0, "last": 0, "box": [40, 60, 40, 40], "origin": "detected"}]}],
            "audio": [], "audio_mode": "remove", "shots": [[0, 0]], "approvals": {"needed": 1, "given": []},
            "has_original": True, "can_edit": True, "why_not": "",
            "history": [{"time": "2026-01-02T03:04:05Z", "event": "released", "by": "", "reason": ""}],
            **more,
        }  # fmt: skip

    spans = [
        {"first": n, "last": n + 4, "box": [_face(n)[0], 58, 54, 46], "origin": "detected"}
        for n in range(0, FRAMES, 5)
    ]
    made = [
        item(
            BLOCKED, standing="BLOCK",
            findings=[finding(0, "metadata", "Hidden data in the file", "BLOCK", detail="EXIF")],
        ),
        item(
            FILM, kind="video", frames=FRAMES, seconds=FRAMES / RATE, has_sound=True, audio_mode="keep",
            frame_times=[n / RATE for n in range(FRAMES)], shots=[[0, 29], [30, FRAMES - 1]],
            tracks=[{"id": 1, "kind": "face", "score": 0.9, "keep": False, "spans": spans}],
            findings=[
                finding(0, "face", "A face is still seen", first=12, last=18, box=[230, 30, 40, 40]),
                finding(1, "sound", "Sound that a person must listen to"),
            ],
        ),
        item(PHOTO),
        item(SHARED, approvals={"needed": 2, "given": []}),
        item("publish1", standing="PUBLISH", room="published", findings=[]),
    ]  # fmt: skip
    return {one["item"]: one for one in made}


class Fake(ThreadingHTTPServer):
    """The server and all that it remembers."""

    daemon_threads = True

    def __init__(self) -> None:
        self.film = film()
        self.reset()
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}/"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def reset(self) -> None:
        """As if nobody had done anything."""
        self.items = items()
        self.tokens = {"once": "k7", "other": "m2"}
        self.sessions: dict[str, str] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.refuse: list[tuple[str, int, str, str]] = []
        """The end of an address, and what its next request is refused with."""
        self.jobs: dict[str, dict[str, Any]] = {}
        self.originals = 0

    def bodies(self, end: str) -> list[Any]:
        """What was sent to addresses that end so."""
        return [body for _, path, body in self.asked if path.endswith(end)]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Fake

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        if path.startswith("/media/"):
            return self._film()
        if not path.startswith("/api/"):
            return self._page(path)
        self.server.asked.append((self.command, path, body))
        for refusal in self.server.refuse:
            if path.endswith(refusal[0]):
                self.server.refuse.remove(refusal)
                return self._json({"error": refusal[2], "message": refusal[3]}, refusal[1])
        if path == "/api/session" and self.command == "POST":
            by = self.server.tokens.pop(body["token"], "")
            if not by:
                return self._json({"error": "token", "message": "This address was used before."}, 401)
            self.server.sessions[f"key-{by}"] = by
            return self._json({"session": f"key-{by}", "by": by})
        by = self.server.sessions.get((self.headers.get("Authorization") or "").removeprefix("Bearer "), "")
        if not by:
            return self._json({"error": "session", "message": "Your session is over."}, 401)
        return self._api(path, query, body, by)

    def _api(self, path: str, query: str, body: Any, by: str) -> None:
        fake = self.server
        if path == "/api/session":
            fake.sessions.clear()
            return self._send(b"", "", 204)
        if path == "/api/queue":
            rows = [one for one in fake.items.values() if one["room"] == query.removeprefix("room=")]
            return self._json({"by": by, "can_edit": True, "items": [self._row(one) for one in rows]})
        if path.startswith("/api/jobs/"):
            return self._job(path.rpartition("/")[2])
        _, _, _, name, *rest = path.split("/")
        item = fake.items[name]
        if not rest:
            return self._json(item)
        if rest[0] in ("frames", "thumbnail"):
            original = "of=input" in query
            if original and self.headers.get("Redact-Show") != "original":
                return self._json({"error": "header", "message": "no"}, 403)
            fake.originals += original
            out = io.BytesIO()
            picture(int(rest[1]) if len(rest) > 1 else 0, original=original).save(out, "JPEG")
            return self._send(out.getvalue(), "image/jpeg")
        return self._decide(item, rest[0], body, by)

    def _decide(self, item: dict[str, Any], verb: str, body: Any, by: str) -> None:
        if verb == "ticket":
            return self._json({"url": "/media/ticket"})
        if verb == "name":
            return self._json({"name": "album/picture.jpg"})
        if verb in ("draw", "follow"):
            return self._begin(item, verb, body)
        if verb == "reject":
            del self.server.items[item["item"]]
            return self._json({"outcome": "rejected"})
        given = item["approvals"]["given"] = sorted({*item["approvals"]["given"], by})
        done = len(given) >= item["approvals"]["needed"]
        if done:
            item.update(room="published", standing="ACCEPTED")
        return self._json({"outcome": "published" if done else "waiting", "approvals": item["approvals"]})

    def _begin(self, item: dict[str, Any], verb: str, body: Any) -> None:
        if verb == "follow":
            first, box = body["first"], body["keys"][0]["box"]
            spans = [
                {"first": n, "last": min(n + 3, body["last"]), "box": [box[0] + 3 * (n - first), *box[1:]]}
                for n in range(first, body["last"] + 1, 4)
            ]
            spans = [{**span, "origin": "reviewer"} for span in spans]
            result: dict[str, Any] = {"spans": spans}
        else:
            result = {"outcome": "published", "findings": 0, "message": "Drawn, checked and published."}
        job = f"job{len(self.server.jobs)}"
        self.server.jobs[job] = {"looks": 0, "result": result, "item": item}
        return self._json({"job": job})

    def _job(self, name: str) -> None:
        job = self.server.jobs[name]
        if self.command == "DELETE":
            job["stopped"] = True
            return self._send(b"", "", 204)
        if job.get("stopped"):
            told = {"state": "failed", "error": "stopped", "message": "It was stopped."}
            return self._json({"stage": "", "done": 0, "total": 0, "result": None, **told})
        job["looks"] += 1
        slow = job.get("slow", 2)
        done = job["looks"] >= slow
        if done and "outcome" in job["result"]:
            job["item"].update(room="published", standing="ACCEPTED", sha256="c" * 64)
        state = {
            "state": "done" if done else "running",
            "stage": "render",
            "done": job["looks"],
            "total": slow,
        }
        return self._json({**state, "result": job["result"] if done else None, "message": "", "error": ""})

    @staticmethod
    def _row(item: dict[str, Any]) -> dict[str, Any]:
        kinds = [one["kind"] for one in item["findings"]]
        names = ("item", "kind", "standing", "width", "height", "frames", "seconds", "approvals")
        counts = {kind: kinds.count(kind) for kind in kinds}
        more = {
            "format": "jpeg",
            "findings": counts,
            "covers": {"face": 1},
            "time": "2026-01-02T03:04:05Z",
            "notes": [],
        }
        return {**{name: item[name] for name in names}, **more}

    def _film(self) -> None:
        whole = self.server.film
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        first = int(found[1]) if found else 0
        last = int(found[2]) if found and found[2] else len(whole) - 1
        extra = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {first}-{last}/{len(whole)}"}
        self._send(whole[first : last + 1], "video/mp4", 206, extra)

    def _page(self, path: str) -> None:
        name = path.strip("/") or "index.html"
        files = {file.name: file for file in PAGE.iterdir()}
        if name not in files:
            return self._send(b"", "text/plain", 404)
        extra = {"Content-Security-Policy": POLICY}
        return self._send(files[name].read_bytes(), TYPES[files[name].suffix], 200, extra)

    def _json(self, body: Any, status: int = 200) -> None:
        self._send(json.dumps(body).encode(), "application/json", status)

    def _send(self, body: bytes, kind: str, status: int = 200, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    print(f"{Fake().address}#once")
    threading.Event().wait()
