"""What a stranger, another page, or a slow or greedy sender gets from the review page's server."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from review_lab import NAME, ReviewLab

from redact.httpd.answers import RefusedError
from redact.httpd.peer import NOBODY, accounts_here, owner
from redact.review.sessions import FREE_TRIES, IDLE_S, LONGEST_PAUSE_S, TICKETS, Door

UNUSED = "z9"
"""Whose address nobody uses up."""
ID, JOB = "a" * 12, "0" * 24
ADDRESSES = (
    ("DELETE", "/api/session"),
    ("GET", "/api/queue"),
    ("GET", f"/api/items/{ID}"),
    ("GET", f"/api/items/{ID}/frames/0"),
    ("GET", f"/api/items/{ID}/thumbnail"),
    ("POST", f"/api/items/{ID}/ticket"),
    ("GET", f"/api/items/{ID}/name"),
    ("POST", f"/api/items/{ID}/follow"),
    ("POST", f"/api/items/{ID}/draw"),
    ("POST", f"/api/items/{ID}/accept"),
    ("POST", f"/api/items/{ID}/reject"),
    ("GET", f"/api/jobs/{JOB}"),
    ("DELETE", f"/api/jobs/{JOB}"),
)
OPEN = {("POST", "/api/session"), ("GET", "/"), ("GET", "/{name}"), ("GET", "/media/{ticket}")}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReviewLab]:
    with ReviewLab(tmp_path_factory.mktemp("door") / "lab").start("k7", "m2", "n3", UNUSED) as running:
        yield running


@pytest.fixture(scope="module")
def key(lab: ReviewLab) -> str:
    return lab.enter("k7")


def test_without_a_session_nothing_of_any_address_is_told(lab: ReviewLab) -> None:
    from redact.review.api import create_app
    from redact.review.page_files import PageFiles

    app = create_app(None, PageFiles(Path(__file__).parent / "page"))  # type: ignore[arg-type]
    known = {
        (method, re.sub(r"\{item\}", ID, re.sub(r"\{job\}", JOB, route.path)).replace("{frame}", "0"))
        for route in app.routes
        for method in route.methods  # type: ignore[attr-defined]
    }
    assert known == {*ADDRESSES, *OPEN}, "every address is in one of the tables above"
    item = lab.ids["review"]
    bad = ["", "Bearer", "Bearer x", "Bearer " + "A" * 43, "Basic eDp4", f"Bearer {lab.tokens[UNUSED]}"]
    with lab.client() as client:
        for method, address in (*ADDRESSES, ("GET", "/api"), ("GET", "/api/"), ("GET", "/api/nothing")):
            for value in bad:
                answer = client.request(
                    method, address.replace(ID, item), headers={"Authorization": value} if value else {}
                )
                assert (answer.status_code, answer.json()["error"]) == (401, "session"), (address, value)
        assert client.get("/media/" + "A" * 43).status_code == 404
        assert client.get("/openapi.json").status_code == client.get("/docs").status_code == 404


def test_an_address_lets_in_once(lab: ReviewLab) -> None:
    code = "m2"
    lab.enter(code)
    with lab.client() as client:
        again = client.post("/api/session", json={"token": lab.tokens[code]})
        assert (again.status_code, again.json()["error"]) == (401, "token")
        assert lab.tokens[code] not in again.text


def test_after_logging_out_key_and_films_are_dead(lab: ReviewLab) -> None:
    item = lab.ids["review"]
    with lab.client(lab.enter("n3")) as client:
        film = client.post(f"/api/items/{item}/ticket").json()["url"]
        with lab.client() as player:
            assert player.get(film).status_code == 200, "a ticket is enough to play"
        assert client.delete("/api/session").status_code == 204
        for method, address in ADDRESSES:
            assert client.request(method, address).status_code == 401
        for headers in ({}, {"Range": "bytes=1-"}):
            assert client.get(film, headers=headers).status_code == 404


def test_a_film_that_was_taken_back_is_played_no_more(lab: ReviewLab, key: str) -> None:
    item = lab.ids["blocked"]
    with lab.client(key) as client:
        found = client.get(f"/api/items/{item}").json()
        film = client.post(f"/api/items/{item}/ticket").json()["url"]
        whole = client.get(film)
        assert whole.headers["accept-ranges"] == "bytes"
        part = client.get(film, headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, whole.content[2:6])
        assert part.headers["content-range"] == f"bytes 2-5/{len(whole.content)}"
        assert client.get(film, headers={"Range": "bytes=-3"}).content == whole.content[-3:]
        assert client.get(film, headers={"Range": "bytes=9999-"}).status_code == 416
        answer = client.post(f"/api/items/{item}/reject", json={"sha256": found["sha256"]})
        assert answer.status_code == 200, answer.text
        assert client.get(film).status_code == 404
        assert client.get(f"/api/items/{item}").status_code == 404


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]:{port}",
        "localhost:{port}@evil.example",
        "LOCALHOST.evil.example:{port}",
        "",
    ],
)
def test_a_name_that_is_not_ours_is_refused(lab: ReviewLab, key: str, host: str) -> None:
    with lab.client(key) as client:
        for address in ("/", "/app.js", "/api/queue"):
            answer = client.get(address, headers={"Host": host.format(port=lab.port)})
            assert answer.status_code == 421, address
        assert client.get("/", headers={"Host": f"localhost:{lab.port}"}).status_code == 200
    assert b" 421 " in lab.raw(b"GET / HTTP/1.0\r\n\r\n")
    twice = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\nHost: evil.example\r\n\r\n"
    assert b" 4" in lab.raw(twice.encode()).splitlines()[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_another_page_in_the_browser_can_do_and_read_nothing(
    lab: ReviewLab, key: str, headers: dict[str, str]
) -> None:
    item = lab.ids["review"]
    token = lab.tokens[UNUSED]
    with lab.client(key) as client:
        sha256 = client.get(f"/api/items/{item}").json()["sha256"]
        film = client.post(f"/api/items/{item}/ticket").json()["url"]
        deeds = [
            client.post("/api/session", json={"token": token}, headers=headers),
            client.post(f"/api/items/{item}/accept", json={"sha256": sha256}, headers=headers),
            client.post(f"/api/items/{item}/reject", json={"sha256": sha256}, headers=headers),
            client.delete("/api/session", headers=headers),
            client.get("/api/queue", headers=headers),
            client.get(film, headers=headers),
            client.get("/", headers=headers),
        ]
        assert [answer.status_code for answer in deeds] == [403] * len(deeds)
        for answer in deeds:
            assert not [name for name in answer.headers if name.startswith("access-control")]
        same = {"Origin": f"http://127.0.0.1:{lab.port}", "Sec-Fetch-Site": "same-origin"}
        assert client.get("/api/queue", headers=same).status_code == 200, "the session still lives"


def test_a_form_of_another_page_is_no_request_of_ours(lab: ReviewLab, key: str) -> None:
    """What a page can send without asking: forms and plain text, with what the browser adds by itself."""
    item = lab.ids["review"]
    with lab.client(key) as client:
        sha256 = client.get(f"/api/items/{item}").json()["sha256"]
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"):
            answer = client.post(
                f"/api/items/{item}/reject",
                content=f'{{"sha256":"{sha256}"}}',
                headers={"Content-Type": kind},
            )
            assert answer.status_code == 415
    with lab.client() as bare:
        answer = bare.post(
            f"/api/items/{item}/reject", json={"sha256": sha256}, headers={"Cookie": f"a={key}"}
        )
        assert answer.status_code == 401, "no cookie stands for a session"


def test_other_methods_upgrades_and_preflights_lead_nowhere(lab: ReviewLab, key: str) -> None:
    with lab.client(key) as client:
        preflight = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        for address in ("/api/session", "/api/queue", "/", "/media/x"):
            answer = client.options(address, headers=preflight)
            assert answer.status_code in (401, 405)
            assert not [name for name in answer.headers if name.startswith("access-control")]
            for method in ("HEAD", "PUT", "PATCH", "TRACE"):
                assert client.request(method, address).status_code in (401, 405), (method, address)
        assert client.request("HEAD", f"/api/items/{lab.ids['review']}/frames/0").status_code == 405
    for address in ("/", "/api/queue", "/api/session"):
        upgrade = (
            f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\nConnection: Upgrade, close\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert b" 101 " not in lab.raw(upgrade.encode()).splitlines()[0]


@pytest.mark.parametrize(
    "path",
    [
        "/api/items/../../../../etc/passwd",
        "/api/items/..%2f..%2fledger/frames/0",
        "/api/items/%2e%2e/name",
        "/api/items/{item}%00/thumbnail",
        "/api/items/{item}/frames/..%2f0",
        "/api/items/{item}/frames/-1",
        "/api/items/{item}/frames/0x1",
        "/api/jobs/..%2f..%2fetc%2fpasswd",
        "/media/..%2f..%2fetc%2fpasswd",
        "/media/../ledger.sqlite",
        "/..%2f__init__.py",
        "/../serve.py",
        "/%2e%2e/serve.py",
        "/page/index.html",
        "//etc/passwd",
        "/app.js%00.txt",
        "/index.html/../../serve.py",
    ],
)
def test_nothing_of_a_request_becomes_a_path(lab: ReviewLab, key: str, path: str) -> None:
    path = path.format(item=lab.ids["review"])
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\nAuthorization: Bearer {key}\r\n"
    answer = lab.raw(f"{request}Connection: close\r\n\r\n".encode())
    assert b" 404 " in answer.splitlines()[0], answer
    assert b"root:" not in answer and b"import" not in answer
    assert b"passwd" not in answer and b"serve" not in answer, "what was asked for is not repeated"


def test_bodies_are_json_of_a_bounded_size(lab: ReviewLab, key: str) -> None:
    item, kind = lab.ids["review"], {"Content-Type": "application/json"}

    def endless(count: int) -> Iterator[bytes]:
        yield b'{"token": "'
        for _ in range(count):
            yield b"x" * (1 << 20)

    with lab.client(key) as client:
        for address, size in (
            ("/api/session", 1),
            (f"/api/items/{item}/accept", 1),
            (f"/api/items/{item}/draw", 17),
        ):
            answer = client.post(address, content=endless(size), headers=kind)
            assert (answer.status_code, answer.json()["error"]) == (413, "too_large"), address
        for body in (
            b"",
            b"{",
            b"[]",
            b'{"token": 1}',
            b'{"token": "x", "more": 1}',
            b"[" * 3000,
            b"\xff\xfe",
        ):
            assert client.post("/api/session", content=body, headers=kind).status_code in (415, 422)
        assert client.request("GET", "/api/queue", content=b"{}", headers=kind).status_code == 400
        fresh = lab.client()
        answer = fresh.post(f"/api/items/{item}/draw", content=endless(1), headers=kind)
        assert answer.status_code == 401, "whoever has no session sends nothing in"
        fresh.close()
    head = f"POST /api/session HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\nContent-Type: application/json\r\n"
    announced = lab.raw(f"{head}Content-Length: 99999999999999999999999\r\n\r\n".encode(), b"{}")
    assert announced == b"" or announced.split()[1] in (b"400", b"413")


def test_every_answer_says_how_it_may_be_used(lab: ReviewLab, key: str) -> None:
    with lab.client(key) as client:
        item = lab.ids["review"]
        page = [client.get(address) for address in ("/", "/index.html", "/app.js", "/app.css")]
        told = [
            client.get("/api/queue"),
            client.get(f"/api/items/{item}"),
            client.get(f"/api/items/{item}/frames/0"),
            client.get(f"/api/items/{item}/frames/0?of=input", headers={"Redact-Show": "original"}),
            client.get(f"/api/items/{item}/thumbnail"),
            client.get(client.post(f"/api/items/{item}/ticket").json()["url"]),
            client.get("/nothing"),
            client.get("/api/queue?room=elsewhere"),
        ]
    assert [answer.status_code for answer in (*page, *told)] == [200] * 10 + [404, 422]
    for answer in (*page, *told):
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy
        assert "server" not in headers and "set-cookie" not in headers
    assert {answer.headers["cache-control"] for answer in told} == {"no-store"}
    for answer in page:
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        for part in ("script-src 'self'", "style-src 'self'", "img-src 'self' blob:", "base-uri 'none'"):
            assert part in answer.headers["content-security-policy"]


def test_logs_and_refusals_hold_no_name_path_or_secret(lab: ReviewLab, key: str) -> None:
    item = lab.ids["review"]
    secrets = [
        NAME,
        "rinakyan",
        str(lab.place),
        str(lab.place.resolve()),
        key,
        lab.tokens[UNUSED],
        "127.0.0.1",
    ]
    answers: list[httpx.Response] = []
    with lab.client(key) as client:
        sha256 = client.get(f"/api/items/{item}").json()["sha256"]
        film = client.post(f"/api/items/{item}/ticket").json()["url"]
        ticket = film.rpartition("/")[2]
        deed = {"sha256": sha256, "reasons": {"0": f"{NAME} is not in it"}}
        answers += [
            client.get(f"/api/items/{NAME}"),
            client.get(f"/{NAME}.jpg"),
            client.get(f"/api/items/{item}/frames/{NAME}"),
            client.get(f"/api/items/{item}/frames/99"),
            client.get(f"/api/queue?room={NAME}"),
            client.post("/api/session", json={"token": NAME}),
            client.post("/api/session", json={NAME: NAME}),
            client.post(f"/api/items/{item}/accept", json=deed),
            client.post(f"/api/items/{item}/accept", json={"sha256": sha256, "reasons": {NAME: NAME}}),
            client.post(
                f"/api/items/{item}/reject", json={"sha256": sha256, "reason": f"Shows Aram {NAME}."}
            ),
            client.post(f"/api/items/{item}/draw", json={NAME: []}),
            client.get(f"/media/{NAME}"),
            client.get(f"/api/jobs/{NAME}"),
        ]
        for answer in answers:
            assert 400 <= answer.status_code < 500, answer.text
        quiet = [client.get("/api/queue"), client.get(f"/api/items/{item}"), client.get("/")]
    for answer in (*answers, *quiet):
        said = answer.text + str(answer.headers)
        assert not [secret for secret in secrets if secret in said], said
    log = lab.log.read_text()
    assert "listening" in log and "session began" in log
    assert not [secret for secret in (*secrets, ticket, item) if secret in log]
    assert "Traceback" not in log


def test_whoever_sends_slowly_is_hung_up_on(lab: ReviewLab, key: str) -> None:
    """Not timed here: what is tested is that half a request ends, and ends with nothing done."""
    head = (
        f"POST /api/items/{lab.ids['review']}/reject HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n"
    )
    assert b" 408 " in lab.raw(head.encode() + b'{"sha256": ').splitlines()[0]
    assert lab.raw(b"GET / HTTP/1.1\r\nHost: 127") == b"", "half a head"


def test_a_port_here_is_not_open_to_other_accounts_of_the_machine(lab: ReviewLab, key: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can act as another account")
    for address in ("/", "/api/queue"):
        request = f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\n"
        request += f"Authorization: Bearer {key}\r\nConnection: close\r\n\r\n"
        theirs = _asked_by(65534, lab, request.encode())
        ours = lab.raw(request.encode())
        assert theirs == b"", "not even a refusal"
        assert b" 200 " in ours.splitlines()[0]


def _asked_by(account: int, lab: ReviewLab, request: bytes) -> bytes:
    """What the server answers to a process of that account."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setuid(account)
            os.write(writing, lab.raw(request)[:4096])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return told


def test_the_port_is_on_this_machine_alone(lab: ReviewLab) -> None:
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{lab.port:04X}")]
    assert ours in ([f"0100007F:{lab.port:04X}"], [f"7F000001:{lab.port:04X}"])


def test_the_owner_of_a_connection_is_read_from_the_systems_tables(tmp_path: Path) -> None:
    head, me = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n",
        os.geteuid(),
    )
    row = " 0: {}:1389 {}:1F90 01 00000000:00000000 00:00000000 00000000 {} 0 1\n"
    here = "0100007F" if sys.byteorder == "little" else "7F000001"
    four, six = tmp_path / "tcp", tmp_path / "tcp6"
    client, server = ("127.0.0.1", 5001), ("127.0.0.1", 8080)
    assert owner(client, server, (four, six)) is None, "no tables: nothing is known"
    four.write_text(head + row.format(here, here, me + 1))
    assert owner(client, server, (four, six)) == me + 1
    four.write_text(head + row.format(here, here, me))
    assert owner(client, server, (four, six)) == me
    assert owner(("127.0.0.1", 5002), server, (four, six)) == NOBODY
    four.write_text(head)
    mapped = "0000000000000000FFFF0000" + here
    six.write_text(head + row.format(mapped, mapped, me))
    assert owner(client, server, (four, six)) == me


def test_under_sudo_the_browser_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert accounts_here() == {os.geteuid()}
    monkeypatch.setenv("SUDO_UID", "1234")
    assert accounts_here() == {os.geteuid(), 1234}
    monkeypatch.setenv("SUDO_UID", "-1")
    assert accounts_here() == {os.geteuid()}, "nobody is let in"


class _Film:
    closed = False

    def close(self) -> None:
        self.closed = True


def test_guessing_is_slowed_down_and_the_right_token_still_opens_later() -> None:
    now = 0.0
    door: Door[_Film] = Door(lambda: now)
    token = door.invite("k7")
    for _ in range(FREE_TRIES + 1):
        with pytest.raises(RefusedError) as wrong:
            door.enter("wrong")
        assert wrong.value.status == 401
    with pytest.raises(RefusedError) as paused:
        door.enter(token)
    assert paused.value.status == 429 and int(paused.value.headers["Retry-After"]) >= 1
    for _ in range(20):
        now += LONGEST_PAUSE_S
        with pytest.raises(RefusedError) as wrong:
            door.enter("wrong")
        assert wrong.value.status == 401, "no pause is longer than the longest"
    now += LONGEST_PAUSE_S
    key, session = door.enter(token)
    assert session.by == "k7" and door.session(key) is session
    assert door.session("wrong") is None and door.session(token) is None


def test_a_new_address_voids_the_unused_one_of_the_same_reviewer_and_ends_no_session() -> None:
    door: Door[_Film] = Door()
    key, _ = door.enter(door.invite("k7"))
    theirs, old, new = door.invite("m2"), door.invite("k7"), door.invite("k7")
    with pytest.raises(RefusedError):
        door.enter(old)
    another, session = door.enter(new)
    assert session.by == "k7" and door.session(another) is session
    assert door.session(key) is not None and door.enter(theirs)[1].by == "m2"


def test_an_idle_session_ends_with_its_films() -> None:
    now = 0.0
    door: Door[_Film] = Door(lambda: now)
    key, session = door.enter(door.invite("k7"))
    film = _Film()
    ticket = door.ticket(session, film)
    now += IDLE_S
    assert door.session(key) is session, "being used keeps it alive"
    now += IDLE_S
    assert door.film(ticket) == (session, film)
    now += 1
    assert door.film(ticket) is None and film.closed and not session.alive
    assert door.session(key) is None
    with pytest.raises(RefusedError):
        door.ticket(session, _Film())


def test_a_session_holds_a_few_films_open_and_no_more() -> None:
    door: Door[_Film] = Door()
    _, session = door.enter(door.invite("k7"))
    films = [_Film() for _ in range(TICKETS + 2)]
    tickets = [door.ticket(session, film) for film in films]
    assert [film.closed for film in films] == [True, True] + [False] * TICKETS
    assert door.film(tickets[0]) is None and door.film(tickets[-1]) is not None
    door.close()
    assert all(film.closed for film in films) and not session.alive
