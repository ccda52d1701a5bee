"""The Superdesk module against a running service: an item is published only if every file it shows passed.

Signals are blinker's, as in superdesk-core; the media storage, the archive and the error are stand-ins.
"""

import ast
import hashlib
import io
import logging
import sqlite3
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import blinker
import pytest
from counts import accepted
from fake_service import JOB, PASS, fake_service

from bench.common import ROOT
from bench.crash import STUB_BYTES
from bench.service_lab import ServiceLab
from redact.service.tokens import Scope

KIT = ROOT / "integrations" / "superdesk"
NAME = "Orinakyan"


def media(first: str, fill: int = 1) -> bytes:
    return first.encode() + bytes([fill]) * STUB_BYTES


def renditions(*names: str) -> dict[str, Any]:
    return {
        name: {"media": name, "href": f"https://x/{NAME}.jpg", "mimetype": "image/jpeg"} for name in names
    }


def picture(*names: str, **more: Any) -> dict[str, Any]:
    return {"_id": NAME, "type": "picture", "headline": NAME, "renditions": renditions(*names), **more}


class ApiError(Exception):
    """Stands for SuperdeskApiError."""

    @classmethod
    def badRequestError(cls, message: str) -> "ApiError":
        return cls(message)


class Newsroom:
    """A Superdesk server with the module: files by id, stored items by resource and id."""

    def __init__(self, patch: pytest.MonkeyPatch, **settings: object) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.opened = 0
        names = blinker.Namespace()
        self.publish, self.validate = names.signal("item:publish"), names.signal("item:validate")
        self._modules(patch)
        patch.syspath_prepend(str(KIT))
        import redact_gate

        defaults = {"REDACT_GATE_WAIT": 60}
        self.config = {**defaults, **{f"REDACT_GATE_{key.upper()}": value for key, value in settings.items()}}
        self.media = types.SimpleNamespace(get=self._get)
        redact_gate.init_app(self)

    def _modules(self, patch: pytest.MonkeyPatch) -> None:
        root, errors, signals = (types.ModuleType(f"superdesk{name}") for name in ("", ".errors", ".signals"))
        root.get_resource_service = lambda resource: types.SimpleNamespace(  # type: ignore[attr-defined]
            find_one=lambda req, _id: self.items.get((resource, _id))
        )
        errors.SuperdeskApiError = ApiError  # type: ignore[attr-defined]
        signals.item_publish, signals.item_validate = self.publish, self.validate  # type: ignore[attr-defined]
        for module in (root, errors, signals):
            patch.setitem(sys.modules, module.__name__, module)

    def _get(self, _id: str, resource: str | None = None) -> BinaryIO | None:
        content = self.files.get((resource or "upload", _id))
        self.opened += 1
        return None if content is None else io.BytesIO(content)

    def put(self, content: bytes, *names: str, resource: str = "upload") -> None:
        for name in names:
            self.files[resource, name] = content

    def told(self, item: Any, publish_type: str = "publish") -> str:
        """What the editor reads; empty if the item goes out."""
        sender = types.SimpleNamespace(publish_type=publish_type)
        try:
            self.publish.send(sender, item=item, updates={})
        except ApiError as error:
            return str(error)
        return ""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceLab]:
    with ServiceLab(tmp_path_factory.mktemp("superdesk") / "lab", limits={"tries": 1}) as running:
        yield running


@pytest.fixture(scope="module")
def token(lab: ServiceLab) -> str:
    return lab.token([Scope.CHECK])


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, lab: ServiceLab, token: str, tmp_path: Path) -> Newsroom:
    found = Newsroom(
        monkeypatch,
        address=f"http://127.0.0.1:{lab.port}",
        token=token,
        memory=str(tmp_path / "memory.sqlite"),
    )
    found.put(media("P"), "original", "viewImage", "thumbnail")
    found.put(media("R"), "faces")
    found.put(media("B"), "hidden")
    found.put(b"?", "broken")
    return found


def test_a_picture_whose_every_rendition_passed_is_published(room: Newsroom) -> None:
    assert room.told(picture("original", "viewImage", "thumbnail")) == ""
    assert room.told({"type": "text", "body_html": "<p>text</p>"}) == ""


@pytest.mark.parametrize(
    ("rendition", "word"),
    [
        ("faces", "a person must look"),
        ("hidden", "hidden data"),
        ("broken", "cannot judge"),
        ("gone", "not in the"),
    ],
)
def test_one_rendition_that_did_not_pass_holds_the_item(room: Newsroom, rendition: str, word: str) -> None:
    told = room.told(picture("original", rendition, "thumbnail"))
    assert told.startswith("Not published: picture or video 2 of 3:") and word in told
    assert NAME not in told and "original" not in told


def test_originals_alone_are_judged_only_where_the_server_says_so_and_there_is_one(
    monkeypatch: pytest.MonkeyPatch, room: Newsroom, lab: ServiceLab, token: str
) -> None:
    assert room.told(picture("original", "faces")) != ""
    address = f"http://127.0.0.1:{lab.port}"
    some = Newsroom(monkeypatch, address=address, token=token, renditions="original")
    some.files = room.files
    assert some.told(picture("original", "faces")) == ""
    assert some.told(picture("viewImage", "faces")) != "", "no original: all of them"
    some.put(media("R"), "original")
    assert some.told(picture("original", "viewImage")) != ""


def test_what_an_item_embeds_and_carries_is_held_too(room: Newsroom) -> None:
    story = {"type": "text", "associations": {"editor_0": None, "featuremedia": picture("original")}}
    assert room.told(story) == ""
    story["associations"] = {"featuremedia": picture("original", associations={"deep": picture("faces")})}
    assert "2 of 2" in room.told(story)
    story["associations"] = {"related--1": {"_id": "stored", "type": "picture", "order": 1}}
    assert "not in the storage" in room.told(story), "a reference that leads nowhere"
    room.items["archive", "stored"] = picture("faces")
    assert "a person must look" in room.told(story)
    room.items["archive", "stored"] = picture("original")
    assert room.told(story) == ""
    story = {"type": "text", "attachments": [{"attachment": "a1"}]}
    assert "not in the storage" in room.told(story)
    room.items["attachments", "a1"] = {"media": "m1", "mimetype": "image/png"}
    room.put(media("R"), "m1", resource="attachments")
    assert "a person must look" in room.told(story)
    room.items["attachments", "a1"]["mimetype"] = "application/pdf"
    assert room.told(story) == ""


def test_a_picture_that_lies_elsewhere_or_is_of_an_unknown_shape_is_held(room: Newsroom) -> None:
    assert "not in the storage" in room.told({"type": "picture", "renditions": {"original": {"href": "x"}}})
    assert room.told({"type": "picture", "renditions": {"original": None}}) == ""
    for odd in (None, {"renditions": 5}, {"renditions": {"a": "b"}}, {"associations": ["a"]}):
        assert room.told(odd) != "", odd
    endless = picture("original")
    endless["associations"] = {"again": endless}
    assert "not in the storage" in room.told(endless)


@pytest.mark.parametrize("way_back", ["kill", "takedown", "unpublish"])
def test_taking_an_item_back_is_never_held(room: Newsroom, way_back: str) -> None:
    assert room.told(picture("faces"), way_back) == ""
    assert room.told(picture("faces"), "correct") != ""


def test_a_validation_tells_the_same_and_leaves_what_is_out_to_publishing(room: Newsroom) -> None:
    response = ["BODY is a required field"]
    room.validate.send(object(), item=picture("faces"), response=response, error_fields={})
    assert len(response) == 2 and "a person must look" in response[1]
    room.validate.send(object(), item=picture("faces", state="published"), response=response, error_fields={})
    assert len(response) == 2, "it may be on its way to a kill"


def test_a_pass_is_remembered_by_the_bytes_and_holds_while_the_service_is_away(
    room: Newsroom, lab: ServiceLab, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    room.put(media("P", 8), "same", "again")
    before = accepted(lab)
    assert room.told(picture("same", "again")) == ""
    assert room.told(picture("again")) == ""
    assert accepted(lab) == before + 1
    memory = str(room.config["REDACT_GATE_MEMORY"])
    away = Newsroom(monkeypatch, address="http://127.0.0.1:9", token=token, memory=memory)
    away.put(media("P", 8), "same")
    away.put(media("P", 9), "other")
    assert away.told(picture("same")) == ""
    assert "did not answer" in away.told(picture("other"))
    away.put(media("R"), "same")
    assert "did not answer" in away.told(picture("same")), "other bytes under the same id"
    stranger = Newsroom(monkeypatch, address="http://127.0.0.1:9", token=lab.token(), memory=memory)
    stranger.put(media("P", 8), "same")
    assert "did not answer" in stranger.told(picture("same")), "a memory is of one token"


def test_a_memory_that_is_old_broken_or_written_to_adds_no_pass(room: Newsroom, lab: ServiceLab) -> None:
    memory = Path(str(room.config["REDACT_GATE_MEMORY"]))
    assert room.told(picture("original")) == ""
    assert memory.stat().st_mode & 0o777 == 0o600
    digest = hashlib.sha256(media("P")).hexdigest()
    assert digest.encode() not in memory.read_bytes()
    with sqlite3.connect(memory) as db:
        db.execute("UPDATE known SET time = time - 40 * 86400")
        bad = hashlib.sha256(media("R")).hexdigest()
        db.execute("INSERT INTO known VALUES (?, 'yes', ?)", (bad, time.time()))
    before = accepted(lab)
    assert room.told(picture("original")) == "" and accepted(lab) == before + 1
    assert room.told(picture("faces")) != ""
    memory.write_bytes(b"no database at all")
    assert room.told(picture("original")) == "" and accepted(lab) == before + 3
    assert room.told(picture("faces")) != ""


def test_a_check_that_is_slow_holds_the_item_and_is_taken_up_the_next_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hanging = ServiceLab(tmp_path / "lab", gate="bench.stub_faults:gate_hangs")
    with hanging:
        memory, token = str(tmp_path / "memory"), hanging.token([Scope.CHECK])
        address = f"http://127.0.0.1:{hanging.port}"
        room = Newsroom(monkeypatch, address=address, token=token, memory=memory, wait=0.5)
        room.put(media("P"), "original")
        for _ in range(2):
            assert "still at work" in room.told(picture("original"))
        assert accepted(hanging) == 1
        hanging.kill()
        assert "did not answer" in room.told(picture("original"))


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (None, True),
        ((503, b""), True),
        ((429, b""), True),
        ((502, b"<html>"), True),
        ((403, b""), True),
        ((200, b"<html>"), False),
        ((200, {**PASS, "job": "b" * 24, "sha256": ""}), False),
        ((302, b""), False),
    ],
)
def test_a_check_is_not_forgotten_because_the_service_could_not_tell_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: tuple[int, object] | None, kept: bool
) -> None:
    token, file = "redact_" + "a" * 12 + "_" + "A" * 43, str(tmp_path / "memory")
    digest = hashlib.sha256(media("P")).hexdigest()
    with fake_service(*(answer or (200, b""))) as fake:
        address = fake.address if answer else "http://127.0.0.1:9"
        room = Newsroom(monkeypatch, address=address, token=token, memory=file)
        room.put(media("P"), "original")
        from redact_gate import Memory

        memory = Memory(file)
        memory.note_job(token, digest, JOB)
        assert room.told(picture("original")) != ""
        assert len(fake.seen) == (answer is not None) and all(JOB in asked for asked in fake.seen)
        assert memory.job(token, digest) == (JOB if kept else "")


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"address": ""}, "not set up"),
        ({"token": ""}, "not set up"),
        ({"token": "redact_x\r\nX: y"}, "not set up"),
        ({"token": "redact_" + "a" * 12 + "_" + "A" * 43}, "did not accept the token"),
        ({"address": "http://redact.example"}, "not set up"),
        ({"address": "http://[::1"}, "not set up"),
        ({"address": "https://u:p@redact.example"}, "not set up"),
        ({"address": "http://127.0.0.1:9"}, "did not answer"),
    ],
)
def test_a_server_that_is_not_set_up_publishes_nothing(
    monkeypatch: pytest.MonkeyPatch, lab: ServiceLab, token: str, settings: dict[str, str], word: str
) -> None:
    right = {"address": f"http://127.0.0.1:{lab.port}", "token": token}
    room = Newsroom(monkeypatch, **{**right, **settings})
    room.put(media("P"), "original")
    told = room.told(picture("original"))
    assert word in told and "redact_" not in told and "127.0.0.1" not in told
    assert room.told({"type": "text"}) == ""


def _pass(**change: Any) -> dict[str, Any]:
    return {**PASS, "sha256": hashlib.sha256(media("P")).hexdigest(), **change}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (202, b"<html>passed</html>"),
        (202, b"[" * 50000),
        (202, [_pass()]),
        (202, _pass(sha256="0" * 64)),
        (202, _pass(sha256="\u00e9")),
        (202, _pass(sha256=None)),
        (202, _pass(status=True)),
        (202, _pass(status="published")),
        (202, _pass(kind="media")),
        (202, _pass(state="done")),
        (202, _pass(job="../jobs")),
        (202, _pass(reason="x" * 70000)),
        (202, _pass(state="queued")),
        (200, _pass()),
        (404, _pass()),
        (500, _pass()),
        (302, _pass()),
    ],
)
def test_an_odd_answer_or_a_redirect_is_no(
    monkeypatch: pytest.MonkeyPatch, lab: ServiceLab, token: str, status: int, body: object
) -> None:
    target = {"Location": f"http://127.0.0.1:{lab.port}/v1/checks?wait=20"}
    with fake_service(status, body, target) as fake:
        room = Newsroom(monkeypatch, address=fake.address, token=token)
        room.put(media("P"), "original")
        assert "not understood" in room.told(picture("original"))
        assert fake.seen
    with fake_service(202, _pass()) as fake:
        room = Newsroom(monkeypatch, address=fake.address, token=token)
        room.put(media("P"), "original")
        assert room.told(picture("original")) == "", "else the above shows nothing"


def test_a_fault_of_the_storage_or_of_ours_holds_the_item_and_logs_no_name(
    room: Newsroom, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_id: str, resource: str | None = None) -> BinaryIO:
        raise RuntimeError(f"no such file: {NAME}.jpg")

    room.files.clear()
    room.media.get = fails
    patched = types.SimpleNamespace(config=room.config, media=room.media)
    import redact_gate

    for signal in (room.publish, room.validate):
        signal.receivers.clear()
    redact_gate.init_app(patched)
    with caplog.at_level(logging.DEBUG):
        told = room.told(picture("original"))
    assert "fault of its own" in told and NAME not in told
    assert "RuntimeError" in caplog.text and NAME not in caplog.text


def test_nothing_of_an_item_but_its_bytes_reaches_the_service(room: Newsroom, lab: ServiceLab) -> None:
    before = accepted(lab)
    room.put(media("P", 11), NAME)
    assert room.told(picture(NAME, slugline=NAME)) == ""
    assert accepted(lab) == before + 1, "else nothing was sent"
    assert lab.holding(NAME.lower().encode()) == []


def test_the_module_is_python_of_the_servers_it_is_for() -> None:
    for file in (KIT / "redact_gate").glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
        names = {
            alias.name.partition(".")[0]
            for node in ast.walk(tree)
            for alias in getattr(node, "names", [])
            if isinstance(node, ast.Import)
        }
        assert names <= set(sys.stdlib_module_names), "the standard library alone"
