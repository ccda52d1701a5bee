"""One content from an item's id to its file: whatever changes meanwhile, nothing of it is published."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from in_process import workers_here
from PIL import Image

from redact.analysis import AnalysisModels, analyse
from redact.batch.events import Event, ItemStarted
from redact.batch.inputs import check_input
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.store import Store, sha256_file
from redact.detect.weights import ModelStore
from redact.errors import ExitCode, InputChangedError
from redact.media.digest import digest_file
from redact.policy import load_policy
from redact.rendering import render

STUBS = {"maker": "bench.stub_stages:maker", "gate": "bench.stub_stages:gate"}
Places = tuple[Path, Path, Path]


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(b"the first P")
    with workers_here():
        yield tmp_path / "in", tmp_path / "out", tmp_path / "private"


def _run(places: Places, begin: Callable[[], object] = lambda: None) -> RunSummary:
    """`begin` happens when the item is about to be worked on."""

    def listen(event: Event) -> None:
        if isinstance(event, ItemStarted):
            begin()

    source, out, private = places
    return run(source, out, load_policy("strict"), RunOptions(private_folder=private, **STUBS), listen)


def _replaced(path: Path, content: bytes) -> None:
    other = path.with_name("other")
    other.write_bytes(content)
    other.replace(path)


@pytest.mark.parametrize("content", [b"the other P", b"half a fi"], ids=["whole", "in the making"])
def test_a_file_that_took_the_place_of_another_is_not_published_under_its_id(
    places: Places, content: bytes
) -> None:
    path = places[0] / "a.jpg"
    summary = _run(places, lambda: _replaced(path, content))
    (done,) = summary.items
    assert (done.status, done.exit_code) == ("failed", ExitCode.TOOL_ERROR)
    assert done.reason.startswith("input_changed")
    assert list((places[1] / "published").iterdir()) == list((places[1] / "review").iterdir()) == []
    assert summary.again == {path}, "a watcher takes it again"
    with Store(*places[1:]) as store:
        assert "sha256" not in store.states()[done.item]

    path.write_bytes(b"the first P")
    again = _run(places)
    assert [(each.item, each.status) for each in again.items] == [(done.item, "published")]
    path.write_bytes(b"the other P")
    assert [each.item == done.item for each in _run(places).items] == [False]


def test_subtitles_that_change_while_their_item_is_made_are_not_released(places: Places) -> None:
    path = places[0] / "a.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nfirst\n")
    policy = load_policy("strict", ["sidecars=redact"])

    def listen(event: Event) -> None:
        if isinstance(event, ItemStarted):
            path.write_text("1\n00:00:01,000 --> 00:00:02,000\nother\n")

    summary = run(places[0], places[1], policy, RunOptions(private_folder=places[2], **STUBS), listen)
    assert summary.counts == {"published": 1, "failed": 1}
    assert list((places[1] / "published").glob("*.srt")) == []


def test_an_input_is_its_bytes_at_its_place_and_what_its_plan_says(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"pixels")
    digest, source = sha256_file(path), digest_file(path)
    check_input(path, digest)
    check_input(path, digest, source)
    other = source.model_copy(update={"sha256": "0" * 64})
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(path)
    os.mkfifo(pipe)
    for wrong in ((path, "0" * 64, source), (path, digest, other), (link, digest), (pipe, digest)):
        with pytest.raises(InputChangedError):
            check_input(*wrong)
    path.unlink()
    with pytest.raises(InputChangedError):
        check_input(path, digest)


def test_a_film_that_is_written_to_while_it_is_read_is_not_made(tmp_path: Path) -> None:
    path, target = tmp_path / "a.gif", tmp_path / "b.gif"
    frames = [Image.new("RGB", (48, 48), (40 * n, 90, 90)) for n in range(4)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    policy = load_policy("strict", ["faces=off", "text=off"])
    models = AnalysisModels(policy, ModelStore())

    def write(*_: int) -> None:
        with path.open("ab") as file:
            file.write(b";")

    plan = analyse(path, "item", policy, models)
    with pytest.raises(InputChangedError):
        render(path, plan, target, write)
    assert not target.exists()
    with pytest.raises(InputChangedError):
        analyse(path, "item", policy, models, write)
    plan = analyse(path, "item", policy, models)
    assert render(path, plan, target).frames == 4
