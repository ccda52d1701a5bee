"""The one place with input names: its owner's alone, and never silently begun anew."""

import stat
from pathlib import Path

import pytest

from redact.batch.private import PrivateMapping
from redact.batch.store import Store, sha256_file
from redact.errors import LedgerError, OutputError
from redact.findings import Verdict


def _released(out: Path, private: Path) -> str:
    with Store(out, private) as store:
        item = store.private.id_for("job", "Orinakyan.jpg")
        file = store.work / "a.jpg"
        file.write_bytes(b"pixels")
        store.release(item, file, sha256_file(file), Verdict.PUBLISH, f"{item}.jpg")
    return item


def test_a_mapping_that_cannot_be_read_or_written_is_the_machines_fault(tmp_path: Path) -> None:
    mapping = PrivateMapping("0" * 32, tmp_path)
    item = mapping.id_for("job", "Orinakyan.jpg")
    mapping._db.execute("PRAGMA query_only=ON")  # a full disk, to SQLite
    with pytest.raises(OutputError):
        mapping.id_for("another job", "Orinakyan.jpg")
    mapping._db.execute("PRAGMA query_only=OFF")
    mapping._db.executescript("DROP TABLE item; DROP TABLE setting;")
    for read in (
        lambda: mapping.released(item),
        lambda: mapping.coming(item),
        lambda: mapping.owner("published/a.jpg"),
        lambda: mapping.lookup(item),
        mapping.items,
        mapping.anchor,
    ):
        with pytest.raises(OutputError) as refused:
            read()
        assert "rinakyan" not in str(refused.value)
    mapping.close()


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    _released(tmp_path / "out", tmp_path / "deep" / "private")
    assert stat.S_IMODE((tmp_path / "deep" / "private").stat().st_mode) == 0o700


def test_an_open_folder_of_mappings_is_closed(tmp_path: Path) -> None:
    private = tmp_path / "private"
    _released(tmp_path / "out", private)
    private.chmod(0o755)
    (mapping,) = private.glob("*.sqlite")
    mapping.chmod(0o644)
    with Store(tmp_path / "out", private):
        pass
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE(mapping.stat().st_mode) == 0o600


def test_an_open_folder_with_other_things_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    shared.chmod(0o755)
    (shared / "notes.txt").write_text("of somebody")
    with pytest.raises(OutputError, match="Others can enter"), Store(tmp_path / "out", shared):
        pass
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755


def test_a_link_in_place_of_the_mapping_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "private" / "abc.sqlite").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError):
        PrivateMapping("abc", tmp_path / "private")
    assert not (tmp_path / "elsewhere").exists()


def test_a_run_without_its_mapping_is_refused_instead_of_publishing_everything_again(tmp_path: Path) -> None:
    _released(tmp_path / "out", tmp_path / "private")
    with pytest.raises(OutputError, match="REDACT_PRIVATE_DIR"), Store(tmp_path / "out", tmp_path / "other"):
        pass
    with Store(tmp_path / "out", tmp_path / "private") as store:
        assert store.states()


def test_a_ledger_that_lost_its_end_is_not_written_on(tmp_path: Path) -> None:
    import sqlite3

    out, private = tmp_path / "out", tmp_path / "private"
    _released(out, private)
    db = sqlite3.connect(out / "ledger.sqlite")
    with db:
        db.execute("DROP TRIGGER ledger_no_delete")
        db.execute("DELETE FROM ledger WHERE event = 'released'")
    db.close()
    with pytest.raises(LedgerError, match="noted head"), Store(out, private):
        pass
