"""What an output folder tells whoever reads it beside a run: nothing made, nothing held, nothing unjudged."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from redact.batch.beside import SIDECAR_OF
from redact.batch.history import Approvals
from redact.batch.results import Results
from redact.batch.review import accept, reject
from redact.batch.run import RunOptions, run
from redact.batch.store import Store
from redact.errors import OutputError
from redact.policy import load_policy

STUBS = {"maker": "bench.stub_stages:maker", "gate": "bench.stub_stages:gate"}
Places = tuple[Path, Path, Path]


def _run(places: Places, *settings: str) -> dict[str, str]:
    source, out, private = places
    policy = load_policy("strict", ["review.approvals=2", *settings])
    summary = run(source, out, policy, RunOptions(private_folder=private, **STUBS))
    return {done.status: done.item for done in summary.items}


@pytest.fixture(scope="module")
def done_once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, str]]]:
    """A finished folder with random names and one with kept ones, to be copied."""
    found = {}
    for names in ("random", "keep"):
        place = tmp_path_factory.mktemp(names)
        (place / "in" / "desk").mkdir(parents=True)
        for name, end in (("street", "P"), ("square", "R"), ("corner", "B")):
            (place / "in" / "desk" / f"{name}.JPEG").write_bytes(b"pixels" * 9 + end.encode())
        places = place / "in", place / "out", place / "private"
        found[names] = place, _run(places, f"output.filenames={names}")
    return found


@pytest.fixture(params=["random"])
def done(request, done_once, tmp_path: Path) -> tuple[Places, dict[str, str]]:
    place, ids = done_once[request.param]
    shutil.copytree(place, tmp_path, dirs_exist_ok=True)
    return (tmp_path / "in", tmp_path / "out", tmp_path / "private"), ids


both_kinds_of_names = pytest.mark.parametrize("done", ["random", "keep"], indirect=True)


def test_rooms_states_and_histories_are_read_while_somebody_holds_the_folder(done) -> None:
    places, ids = done
    out = places[1]
    results = Results(out, places[2])
    with Store(out, places[2]) as store:
        accept(store, ids["review"], "k7", {0: "a poster"})
        store.ledger.append(
            "released", "subtitle0", **{SIDECAR_OF: ids["published"], "sha256": "0" * 64, "room": "review"}
        )
        assert [state.item for state in results.waiting()] == [ids["blocked"], ids["review"]]
        assert [state.item for state in results.published()] == [ids["published"]]
        assert results.state("subtitle0") is None and results.state("unknown") is None
        state = results.state(ids["review"])
        assert state is not None and state.approvals == Approvals(2, ("k7",))
        assert state.policy_name == "strict" and len(state.policy_digest) == 64
        content = (places[0] / "desk" / "square.JPEG").read_bytes()
        assert state.source is not None
        assert state.source.sha256 == hashlib.sha256(bytes.fromhex(state.source.salt) + content).hexdigest()
        accept(store, ids["review"], "m2", {0: "a drawing"})
        reject(store, ids["review"], "k7", reason="seen again")
        assert results.state(ids["review"]).room == ""
        with pytest.raises(OutputError):
            results.open(results.state(ids["review"]))
        assert [(deed.event, deed.by, deed.reasons) for deed in results.history(ids["review"])] == [
            ("held", "", ()),
            ("approved", "k7", ("a poster",)),
            ("accepted", "m2", ("a drawing",)),
            ("rejected", "k7", ("seen again",)),
            ("withdrawn", "", ()),
        ]


def test_the_plan_is_given_only_if_it_is_the_one_that_was_drawn(done) -> None:
    places, ids = done
    item = ids["review"]
    results, path = Results(places[1]), places[1] / "plans" / f"{item}.json"
    found = results.plan(item)
    assert found.text == path.read_text() and found.plan.item == item
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(path.read_text().replace('"width": 8', '"width": 9'))
    with pytest.raises(OutputError, match="not the one"):
        results.plan(item)
    path.unlink()
    for name in (item, "unknown", "../../private/x"):
        with pytest.raises(OutputError):
            results.plan(name)


def test_an_id_is_never_a_path(done) -> None:
    places, _ = done
    (places[1] / "report" / "items" / "x.json").write_text("{}")
    for item in ("../report", "x", "../../../in/desk/square", "", "a/b"):
        with pytest.raises(OutputError):
            Results(places[1]).report(item)


@both_kinds_of_names
def test_files_are_found_by_their_ids_and_by_the_names_they_kept(
    done,
) -> None:
    (_, out, private), ids = done
    results = Results(out, private)
    before = {path: path.stat().st_mtime_ns for path in private.rglob("*")}
    for status, end in (("published", b"P"), ("review", b"R"), ("blocked", b"B")):
        state = results.state(ids[status])
        assert state is not None
        opened = results.open(state)
        assert (opened.suffix, opened.media_type) == (".jpg", "image/jpeg")
        assert b"".join(opened.chunks()) == end + b"pixels"[::-1] * 9
        assert b"".join(results.open(state).chunks(1, 4)) == b"sle"
        assert b"".join(results.open(state).chunks(50, 999)) == (end + b"pixels"[::-1] * 9)[50:]
        assert results.place(state).parent.parent in (out, out / state.room)
    assert {path: path.stat().st_mtime_ns for path in private.rglob("*")} == before
    assert results.places(ids["review"]).relative == "desk/square.JPEG"


@both_kinds_of_names
def test_without_the_private_mapping_only_what_needs_it_is_refused(done, tmp_path: Path) -> None:
    (_, out, private), ids = done
    bare, item = Results(out, tmp_path / "nowhere"), ids["review"]
    with pytest.raises(OutputError, match="REDACT_PRIVATE_DIR"):
        bare.places(item)
    if Results(out, private).places(item).released == f"review/{item}.jpg":
        bare.open(bare.state(item)).close()
    else:
        with pytest.raises(OutputError, match="REDACT_PRIVATE_DIR"):
            bare.open(bare.state(item))
    assert bare.plan(item).sha256 and bare.report(item)
    assert not (tmp_path / "nowhere").exists()


@both_kinds_of_names
def test_bytes_that_are_not_the_judged_ones_are_not_handed_out_nor_is_a_link_followed(
    done,
) -> None:
    places, ids = done
    item = ids["review"]
    results = Results(places[1], places[2])
    state = results.state(item)
    assert state is not None
    path = results.place(state)
    content, facts = path.read_bytes(), path.stat()
    path.write_bytes(b"R" + b"x" * (len(content) - 1))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    for ask in (results.open, results.place):
        with pytest.raises(OutputError, match="not what was judged"):
            ask(state)
    aside = path.with_name("aside")
    aside.write_bytes(content)
    path.unlink()
    path.symlink_to(aside)
    with pytest.raises(OutputError):
        results.open(state)
