"""What a stranger, a page of another origin, a slow or a greedy sender gets from a real service process."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from bench.crash import STUB_BYTES
from bench.service_lab import PATIENCE_S, ServiceLab, settled, submit
from redact.service.config import Limits
from redact.service.limits import Admission, FullError
from redact.service.tokens import Scope

LIMITS = {"upload_mb": 1, "idle_s": 1, "head_s": 1, "queue": 4, "tries": 2, "slowest_kb_s": 50}
GOOD = b"\x01" * (STUB_BYTES - 1) + b"P"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceLab]:
    place = tmp_path_factory.mktemp("guards") / "lab"
    with ServiceLab(place, limits=LIMITS, maker="bench.stub_stages:held_maker") as running:
        yield running


def raw(lab: ServiceLab, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Send bytes as they are, with pauses between, and read until the service hangs up."""
    with socket.create_connection(("127.0.0.1", lab.port), timeout=PATIENCE_S) as wire:
        answer = b""
        try:
            for n, piece in enumerate(pieces):
                if n:
                    time.sleep(pause_s)
                wire.sendall(piece)
        except OSError:
            pass  # it hung up before it had everything
        try:
            while data := wire.recv(65536):
                answer += data
        except ConnectionResetError:
            pass
        return answer


def head(lab: ServiceLab, token: str, size: int) -> bytes:
    return (
        f"POST /v1/jobs HTTP/1.1\r\nHost: localhost:{lab.port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {size}\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    ).encode()


def test_nothing_is_told_without_a_valid_token_of_the_right_scope(lab: ServiceLab) -> None:
    every = {
        ("POST", "/v1/jobs"): {Scope.SUBMIT},
        ("POST", "/v1/checks"): {Scope.CHECK},
        ("GET", "/v1/jobs/" + "a" * 24): {Scope.SUBMIT, Scope.FETCH, Scope.REVIEW, Scope.CHECK},
        ("GET", "/v1/jobs/" + "a" * 24 + "/result"): {Scope.FETCH, Scope.REVIEW},
        ("GET", "/v1/jobs/" + "a" * 24 + "/report"): {Scope.FETCH, Scope.REVIEW, Scope.CHECK},
        ("GET", "/v1/review"): {Scope.REVIEW},
        ("GET", "/metrics"): {Scope.METRICS},
    }
    right = lab.token()
    revoked = lab.token()
    lab.tokens.revoke(revoked.split("_")[1])
    wrong = right[:-1] + ("A" if right[-1] != "A" else "B")
    bad = ["x", "nonsense", wrong, revoked, lab.token(days=0), f"redact_{'a' * 12}_{'A' * 43}"]
    # `all` widens what the other scopes reach, and allows nothing by itself
    single = {scope: lab.token([scope, Scope.ALL]) for scope in Scope if scope is not Scope.ALL}
    with lab.client() as client:
        for (method, address), scopes in every.items():
            for token in bad:
                answer = client.request(method, address, headers={"Authorization": f"Bearer {token}"})
                assert (answer.status_code, answer.json()["error"]) == (401, "token"), (address, token)
            for scope, token in single.items():
                answer = client.request(method, address, headers={"Authorization": f"Bearer {token}"})
                assert (answer.status_code == 403) is (scope not in scopes), (address, scope)
        document = client.get("/openapi.json").json()
    documented = {
        (method.upper(), address.replace("{job}", "a" * 24))
        for address, methods in document["paths"].items()
        for method in methods
    }
    assert documented == {*every, ("GET", "/health")}, "every address is in the table above"


def test_tokens_are_kept_as_salted_hashes_in_a_file_of_the_owner_alone(lab: ServiceLab) -> None:
    token = lab.token([Scope.FETCH])
    file = lab.state / "tokens.json"
    assert file.stat().st_mode & 0o777 == 0o600 and lab.state.stat().st_mode & 0o777 == 0o700
    assert token.split("_", 2)[2] not in file.read_text()
    rows = json.loads(file.read_text())
    assert len({row["salt"] for row in rows}) == len(rows)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example"])
def test_a_name_that_is_not_served_is_refused(lab: ServiceLab, host: str) -> None:
    with lab.client(lab.token()) as client:
        for address in ("/health", "/v1/review"):
            assert client.get(address, headers={"Host": host}).status_code == 421
        assert client.get("/health", headers={"Host": f"localhost:{lab.port}"}).status_code == 200
    assert b" 421 " in raw(lab, b"GET /health HTTP/1.0\r\n\r\n")


def test_pages_of_other_origins_get_nothing_and_no_answer_lets_them_in(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            assert client.get("/v1/review", headers=headers).status_code == 403
            assert submit_with(client, headers).status_code == 403
        preflight = client.options("/v1/jobs", headers={"Access-Control-Request-Method": "POST"})
        answers = [preflight, client.get("/v1/review"), client.get("/nowhere")]
        for answer in answers:
            assert not [name for name in answer.headers if name.startswith("access-control")]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.headers["cache-control"] == "no-store"
            assert "server" not in answer.headers and "set-cookie" not in answer.headers
    lab.until(lambda: lab.uploads() == [])


def submit_with(client: httpx.Client, headers: dict[str, str]) -> httpx.Response:
    return client.post("/v1/jobs", files={"file": ("a.jpg", GOOD)}, headers=headers)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/jobs/../../../../etc/passwd",
        "/v1/jobs/..%2f..%2f..%2f..%2fetc%2fpasswd/result",
        "/v1/jobs/%2e%2e/report",
        "/v1/jobs/" + "a" * 23 + "%00/result",
        "//etc/passwd",
        "/static/../../state/tokens.json",
    ],
)
def test_nothing_of_a_request_becomes_a_path(lab: ServiceLab, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {lab.token()}\r\n"
    answer = raw(lab, f"{request}Connection: close\r\n\r\n".encode())
    assert b" 404 " in answer.splitlines()[0] and b"root:" not in answer
    assert b"passwd" not in answer and b"tokens" not in answer, "what was asked for is not repeated"


def test_a_file_name_never_becomes_a_path(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        for name in ("../../evil.jpg", "/tmp/evil.jpg", "..\\..\\evil.jpg", "a\x00evil.jpg", "evil" * 999):
            answer = submit(client, GOOD, name)
            if answer.status_code == 202:
                assert settled(client, answer.json()["job"])["status"] == "published"
    assert not list(lab.place.parent.rglob("*evil*"))


def test_a_file_that_is_too_large_is_refused_before_and_while_it_comes(lab: ServiceLab) -> None:
    token, body = lab.token(), b"x" * (1 << 20)
    announced = raw(lab, head(lab, token, 50 << 20))
    assert b" 413 " in announced.splitlines()[0]

    def endless() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        for _ in range(4):
            yield body

    with lab.client(token) as client:
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = client.post("/v1/jobs", content=endless(), headers=kind)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    lab.until(lambda: lab.uploads() == [])


def test_who_sends_slowly_is_hung_up_on(lab: ServiceLab) -> None:
    upload = head(lab, lab.token(), 5000)
    whole = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    unread = whole.replace(b"\r\n\r\n", b"\r\nContent-Length: 1000000\r\n\r\n")
    with ThreadPoolExecutor(6) as senders:
        half_a_head = senders.submit(raw, lab, b"GET /health HTTP/1.1\r\nHost: loc")
        nothing = senders.submit(raw, lab)
        second = senders.submit(raw, lab, whole, b"GET /hea", pause_s=0.3)
        body_of_none = senders.submit(raw, lab, unread, b"x", b"x", pause_s=0.3)
        stalled = senders.submit(raw, lab, upload)
        # never a pause of a second, and never as fast as it must be
        dripping = senders.submit(raw, lab, upload, *[b"x" * 10] * 12, pause_s=0.3)
    assert half_a_head.result() == b"" and nothing.result() == b""
    assert second.result().count(b"HTTP/1.1 200") == 1, "the second head never ends"
    assert body_of_none.result().count(b"HTTP/1.1 200") == 1, "its body is not asked for, and never ends"
    for answer in (stalled.result(), dripping.result()):
        assert b" 408 " in answer.splitlines()[0]
    lab.until(lambda: lab.uploads() == [])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no form at all", 400),
        (b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n', 400),
        (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n\r\n--b--\r\n', 400),
        (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx', 400),
        (b"--b\r\nX: " + b"y" * 9000 + b"\r\n\r\nx\r\n--b--\r\n", 400),
        (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n' * 2 + b"--b--\r\n", 400),
    ],
)
def test_a_malformed_body_is_refused_and_leaves_nothing(lab: ServiceLab, body: bytes, status: int) -> None:
    with lab.client(lab.token()) as client:
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        assert client.post("/v1/jobs", content=body, headers=kind).status_code == status
        assert client.post("/v1/jobs", content=body).status_code == 415
    lab.until(lambda: lab.uploads() == [])


def test_what_kills_its_worker_again_and_again_fails_alone(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        job = submit(client, b"?" + GOOD, address="/v1/checks").json()["job"]
        other = submit(client, GOOD[::-1], address="/v1/checks").json()["job"]
        assert settled(client, other)["status"] == "passed"
        end = settled(client, job)
        assert end["status"] == "failed" and end["reason"].startswith("worker_died")

    def told() -> list[str]:
        return [event["event"] for event in lab.events() if event.get("job") == job]

    lab.until(lambda: "settled" in told())
    assert told() == ["tried", "settled"]


def test_a_full_queue_says_when_to_come_back_and_takes_nothing_in(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        lab.until(lambda: lab.uploads() == [])
        lab.hold()
        answers = [submit(client, b"S" + bytes([n]) * (STUB_BYTES - 1) + b"P") for n in range(7)]
        assert [answer.status_code for answer in answers] == [202] * 4 + [503] * 3
        for answer in answers[4:]:
            assert answer.json()["error"] == "queue" and int(answer.headers["retry-after"]) > 0
        assert len(lab.uploads()) == 4
        lab.let_go()
        for answer in answers[:4]:
            assert settled(client, answer.json()["job"])["status"] == "published"


def test_a_full_disk_is_no_reason_to_accept() -> None:
    limits = Limits(upload_mb=10, free_mb=5, uploads=2, queue=3)
    free, waiting = 30 << 20, 0
    door = Admission(limits, lambda: waiting, lambda: free)
    door.enter(10 << 20)
    door.enter(10 << 20)
    with pytest.raises(FullError, match="uploads"):
        door.enter(1)
    door.leave(10 << 20)
    free = 20 << 20
    with pytest.raises(FullError, match="storage"):
        door.enter(10 << 20)
    assert door.uploads == 1, "what was refused holds no place"
    waiting = 2
    with pytest.raises(FullError, match="queue"):
        door.enter(1)


def test_metrics_and_health_hold_numbers_and_words_only(lab: ServiceLab) -> None:
    with lab.client(lab.token()) as client:
        job = submit(client, GOOD, "Orinakyan.jpg").json()["job"]
        item = settled(client, job)["item"]
        client.get(f"/v1/jobs/{job}/result")
        count = 'redact_jobs_settled_total{kind="media",status="published"}'
        lab.until(lambda: count in client.get("/metrics").text)
        text = client.get("/metrics").text
        assert 'route="/v1/jobs/{job}/result"' in text
        assert "redact_healthy 1.0" in text
        assert not [word for word in (job, item, "Orinakyan", str(lab.place), "127.0.0.1") if word in text]
        assert client.get("/health", headers={"Authorization": ""}).json() == {"status": "ok"}
