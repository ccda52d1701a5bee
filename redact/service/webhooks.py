"""Signed calls to addresses that the operator configured, and to no others: one thread an address.

A call is a row of the job database, written in the step that ends the job, so it outlives the process. It is
repeated with growing pauses until the receiver answers 2xx; a receiver may thus see a call twice, with the
same `Redact-Call`. Redirects are not followed, no proxy of the environment is used, answers are not read.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import threading
import time

import httpx

from redact.httpd.log import log
from redact.service.config import Webhook, read_secret
from redact.service.jobs import Call, JobStore
from redact.service.metrics import Metrics
from redact.service.tables import DATABASE_ERRORS

LONGEST_PAUSE_S = 3600.0
IDLE_S = 1.0


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256 (hex) over the timestamp, a full stop and the body."""
    return "v1=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Caller:
    """Calls one webhook until it is stopped.

    Raises:
        UsageError: its secret is not usable.
    """

    def __init__(self, hook: Webhook, jobs: JobStore, metrics: Metrics) -> None:
        self._hook, self._jobs, self._metrics = hook, jobs, metrics
        self._secret = read_secret(hook.secret_file)
        self._ending, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"hook-{hook.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to deliver."""
        self._wake.set()

    def stop(self) -> None:
        """Begin no more calls. One that gets no answer now is repeated after the next start."""
        self._ending.set()
        self._wake.set()
        self._thread.join(timeout=self._hook.timeout_s + 1)

    def _serve(self) -> None:
        hook = self._hook
        with httpx.Client(follow_redirects=False, trust_env=False, timeout=hook.timeout_s) as client:
            while not self._ending.is_set():
                self._wake.clear()
                try:
                    due = self._jobs.calls(hook.name)
                    for call in due:
                        if self._ending.is_set():
                            return
                        self._deliver(client, call)
                except DATABASE_ERRORS:
                    log("database unreachable")
                    due = []
                if not due:
                    self._wake.wait(IDLE_S)

    def _deliver(self, client: httpx.Client, call: Call) -> None:
        body, timestamp = call.body.encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "redact",
            "Redact-Call": call.id,
            "Redact-Timestamp": timestamp,
            "Redact-Signature": signature(self._secret, timestamp, body),
        }
        try:
            with client.stream("POST", self._hook.url, content=body, headers=headers) as answer:
                delivered = answer.is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            delivered = False
        if delivered:
            self._jobs.end_call(call.id)
            self._metrics.called("delivered")
        elif call.tries + 1 >= self._hook.tries:
            self._jobs.end_call(call.id)
            self._metrics.called("given_up")
            log("webhook given up", hook=self._hook.name, call=call.id)
        else:
            pause = min(self._hook.first_pause_s * 2**call.tries, LONGEST_PAUSE_S)
            self._jobs.call_later(call.id, pause * random.uniform(0.8, 1.2))
            self._metrics.called("failed")
