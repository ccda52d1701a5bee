"""Webhooks and rates, from a real service process."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.crash import STUB_BYTES
from bench.service_lab import PATIENCE_S, ServiceLab, settled, submit
from redact.service.limits import RateLimit

SECRET = "5" * 64
GOOD = b"\x01" * (STUB_BYTES - 1) + b"P"


class Receiver:
    """A newsroom's system: fails twice, redirects once, then takes a call."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        """At the right address."""
        self.answers = [500, 302, 404]
        self.elsewhere = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                if self.path == "/hook":
                    headers = {key.lower(): value for key, value in self.headers.items()}
                    receiver.calls.append((headers, body))
                else:
                    receiver.elsewhere += 1
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Quietly."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def wait_for(self, calls: int) -> None:
        self._wait(lambda: len(self.calls) >= calls)

    def wait_for_jobs(self, jobs: set[str]) -> None:
        self._wait(lambda: jobs <= {json.loads(body)["job"] for _, body in self.calls})

    def _wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < until, "what must be told is never told"
            time.sleep(0.02)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[ServiceLab]:
    place = tmp_path_factory.mktemp("hooks")
    secret = place / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    hook = (
        f'[[webhooks]]\nname = "cms"\nurl = "http://127.0.0.1:{receiver.server.server_port}/hook"\n'
        f'secret_file = "{secret}"\nfirst_pause_s = 0.05\n'
    )
    limits = {"requests_per_minute": 60, "burst": 20}
    with ServiceLab(place / "lab", tables=hook, limits=limits) as running:
        yield running


def test_a_call_is_signed_and_repeated_until_it_is_taken_and_follows_no_redirect(
    lab: ServiceLab, receiver: Receiver
) -> None:
    with lab.client(lab.token()) as client:
        job = submit(client, GOOD, "Orinakyan.jpg").json()["job"]
        end = settled(client, job)
    receiver.wait_for(4)
    assert receiver.elsewhere == 0
    assert len({headers["redact-call"] for headers, _ in receiver.calls}) == 1, "one call, four attempts"
    for headers, body in receiver.calls:
        signed = headers["redact-timestamp"].encode() + b"." + body
        right = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert headers["redact-signature"] == f"v1={right}"
        told = json.loads(body)
        assert (told["job"], told["kind"], told["status"]) == (job, "media", end["status"])
        assert b"Orinakyan" not in body
    with lab.client(lab.token()) as client:
        settled(client, submit(client, GOOD).json()["job"])
    receiver.wait_for(5)
    assert json.loads(receiver.calls[4][1])["job"] != job, "what was taken is not sent again"


def test_nothing_in_a_request_names_an_address_to_call(lab: ServiceLab, receiver: Receiver) -> None:
    jobs = set()
    address = f"http://127.0.0.1:{receiver.server.server_port}/elsewhere"
    with lab.client(lab.token()) as client:
        for extra in ({"webhook": address}, {"callback": address}, {"url": address}):
            answer = client.post("/v1/jobs", data=extra, files={"file": ("a.jpg", GOOD)})
            assert answer.status_code == 400
            answer = client.post("/v1/jobs", params=extra, files={"file": (address, GOOD)})
            jobs.add(answer.json()["job"])
    receiver.wait_for_jobs(jobs)  # calls are made later than jobs end
    assert receiver.elsewhere == 0


def test_a_token_that_asks_too_often_is_told_when_to_come_back_and_others_are_not(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as greedy, lab.client(lab.token()) as modest:
        answers = [greedy.get("/v1/review") for _ in range(20)]
        assert [answer.status_code for answer in answers] == [200] * 20
        # A slow machine may give some back meanwhile: it asks on until it is too much.
        while answers[-1].status_code == 200 and len(answers) < 1000:
            answers.append(greedy.get("/v1/review"))
        assert answers[-1].status_code == 429 and int(answers[-1].headers["retry-after"]) >= 1
        assert modest.get("/v1/review").status_code == 200


def test_a_bucket_fills_again_at_its_rate() -> None:
    now = 0.0
    rate = RateLimit(60, 2, lambda: now)
    assert [rate.take("a") for _ in range(3)] == [0, 0, 1]
    assert rate.take("b") == 0
    now = 0.5
    assert rate.take("a") == pytest.approx(0.5)
    now = 1.0
    assert rate.take("a") == 0
    now = 1000.0
    assert [bool(rate.take("a")) for _ in range(3)] == [False, False, True]
