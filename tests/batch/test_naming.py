"""Names of released files: kept only where they name nobody, collide with nothing and can be written."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from redact.batch.naming import OutputNames
from redact.batch.store import Store
from redact.names.watchlist import WatchList
from redact.policy import load_policy

KEEP = load_policy("strict", ["output.filenames=keep"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "out", tmp_path / "private") as made:
        yield made


def _chosen(store: Store, *relatives: str, listed: str = "") -> list[str]:
    """What each input of one run is called; the items are `item0`, `item1`, … and all JPEGs."""
    names = OutputNames(store, KEEP, WatchList((listed,)) if listed else None)
    return [names.choose(f"item{n}", Path(relative), ".jpg") for n, relative in enumerate(relatives)]


def test_a_listed_name_in_an_ending_reaches_no_published_name(store: Store) -> None:
    first, second = _chosen(store, "photo.jpg", "photo.orinakyan", listed="Orinakyan")
    assert first == "photo.jpg"
    assert "rinakyan" not in second
    assert second.startswith("photo-item1"), "what names nobody is kept"
    assert _chosen(store, "photo.jpg", "photo.orinakyan") == ["photo.jpg", "photo.orinakyan.jpg"]


@pytest.mark.parametrize("name", ["x" * 253, "я" * 125 + ".jpg", "x" * 244 + ".jpg"])
def test_a_name_that_would_be_too_long_for_the_disk_or_for_subtitles_beside_it_is_the_id(
    store: Store, name: str
) -> None:
    assert _chosen(store, name) == ["item0.jpg"]
    assert _chosen(store, "x" * 243 + ".jpg") == ["x" * 243 + ".jpg"]


def test_a_name_that_is_no_text_is_the_id(store: Store) -> None:
    assert _chosen(store, os.fsdecode(b"\xff.jpg"), os.fsdecode(b"\xff/a.jpg")) == ["item0.jpg", "item1.jpg"]


@pytest.mark.parametrize("room", ["published", "review"])
def test_a_file_and_a_folder_of_one_name_lie_beside_each_other(store: Store, room: str) -> None:
    assert _chosen(store, "album", "album.JPG/one.jpg") == ["album.jpg", "item1.jpg"]
    assert _chosen(store, "album.JPG/one.jpg", "album") == ["album.JPG/one.jpg", "album-item1.jpg"]
    (store.root / room / "album.jpg").mkdir()
    assert _chosen(store, "album") == ["album-item0.jpg"]
    (store.root / room / "album.jpg").rmdir()
    (store.root / room / "album.jpg").write_bytes(b"...")
    assert _chosen(store, "album.jpg/one.jpg") == ["item0.jpg"]
