"""A server that answers as a service must not: each test says what."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

JOB = "a" * 24
PASS = {"job": JOB, "kind": "check", "state": "settled", "status": "passed", "reason": "", "item": ""}
"""A pass, but for the digest."""


class Fake(ThreadingHTTPServer):
    """Answers every request alike; `seen` are the addresses that were asked for."""

    daemon_threads = True

    def __init__(self, status: int, body: object, headers: dict[str, str], cut: bool) -> None:
        self.seen: list[str] = []
        self.status, self.cut = status, cut
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = headers
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up is right to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Fake

    def do_POST(self) -> None:
        fake = self.server
        fake.seen.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(fake.status)
        for name, value in fake.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(fake.body) + fake.cut))
        self.end_headers()
        self.wfile.write(fake.body)
        self.close_connection = True

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def fake_service(
    status: int = 202,
    body: object = b"",
    headers: dict[str, str] | None = None,
    *,
    cut: bool = False,
    certificate: Path | None = None,
) -> Iterator[Fake]:
    """Such a server. `cut`: a byte of the answer never comes. `certificate`: with its key, for TLS."""
    fake = Fake(status, body, headers or {}, cut)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        fake.socket = context.wrap_socket(fake.socket, server_side=True)
    # it looks often whether it is to end: the tests make one server after another
    thread = threading.Thread(target=fake.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.shutdown()
        fake.server_close()
        thread.join()
