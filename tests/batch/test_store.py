"""The output folder: exclusive, crash-safe, and never holding what was not judged."""

import errno
import stat
from pathlib import Path

import pytest

from redact.batch.ledger import Ledger
from redact.batch.store import NEUTRAL_TIME, Store, sha256_file
from redact.errors import LedgerError, OutputError, UsageError
from redact.findings import Verdict


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "out", tmp_path / "private"


def _finished(store: Store, item: str, content: bytes = b"pixels") -> tuple[Path, str]:
    file = store.work / f"{item}.jpg"
    file.write_bytes(content)
    return file, sha256_file(file)


def test_a_published_file_is_whole_and_has_a_neutral_time(folders: tuple[Path, Path]) -> None:
    with Store(*folders) as store:
        item = store.private.id_for("job", "a.jpg")
        file, digest = _finished(store, item)
        target = store.release(item, file, digest, Verdict.PUBLISH, "a.jpg")
        assert target.read_bytes() == b"pixels"
        assert target.parent == folders[0] / "published"
        assert target.stat().st_mtime == NEUTRAL_TIME
        assert store.states()[item]["verdict"] == "PUBLISH"


@pytest.mark.parametrize("verdict", [Verdict.REVIEW, Verdict.BLOCK])
def test_nothing_but_a_publish_verdict_reaches_published(
    folders: tuple[Path, Path], verdict: Verdict
) -> None:
    with Store(*folders) as store:
        item = store.private.id_for("job", "a.jpg")
        store.release(item, *_finished(store, item), verdict, "a.jpg")
        assert list(store.published.iterdir()) == []
        assert (store.review / "a.jpg").exists()


def test_bytes_that_changed_after_judgement_are_not_released(folders: tuple[Path, Path]) -> None:
    with Store(*folders) as store:
        item = store.private.id_for("job", "a.jpg")
        file, digest = _finished(store, item)
        file.write_bytes(b"other pixels")
        with pytest.raises(OutputError):
            store.release(item, file, digest, Verdict.PUBLISH, "a.jpg")
        assert list(store.published.iterdir()) == []


def test_a_stricter_verdict_takes_back_what_was_published(folders: tuple[Path, Path]) -> None:
    with Store(*folders) as store:
        item = store.private.id_for("job", "a.jpg")
        store.release(item, *_finished(store, item), Verdict.PUBLISH, "a.jpg")
        store.release(item, *_finished(store, item, b"again"), Verdict.REVIEW, "a.jpg")
        assert list(store.published.iterdir()) == []


def test_two_runs_on_one_folder_exclude_each_other(folders: tuple[Path, Path]) -> None:
    with Store(*folders), pytest.raises(OutputError, match="Another run"), Store(*folders):
        pass


def test_a_folder_of_unknown_origin_is_not_taken_over(folders: tuple[Path, Path]) -> None:
    (folders[0] / "published").mkdir(parents=True)
    (folders[0] / "published" / "old.jpg").write_bytes(b"?")
    with pytest.raises(UsageError), Store(*folders):
        pass


@pytest.mark.parametrize("renamed", [True, False])
def test_a_release_that_was_killed_half_way_is_completed(folders: tuple[Path, Path], renamed: bool) -> None:
    with Store(*folders) as store:
        item = store.private.id_for("job", "a.jpg")
        file, digest = _finished(store, item)
        staged = store.work / f"done-{item}"
        file.replace(staged)
        store.private.set_released(item, "published/a.jpg")
        store.ledger.append("releasing", item, sha256=digest, verdict="PUBLISH")
        if renamed:
            staged.replace(store.published / "a.jpg")
    with Store(*folders) as store:
        assert store.states()[item]["event"] == "released"
        assert sha256_file(store.published / "a.jpg") == digest
        assert not list(store.work.glob("done-*"))


@pytest.mark.parametrize("name", ["album.jpg", "above/one.jpg", "x" * 257])
def test_a_release_to_where_no_file_can_lie_is_given_up_and_holds_up_no_later_run(
    folders: tuple[Path, Path], name: str
) -> None:
    with Store(*folders) as store:
        (store.published / "album.jpg").mkdir()
        (store.published / "album.jpg" / "other.jpg").write_bytes(b"another's")
        (store.published / "above").write_bytes(b"another's")
        item = store.private.id_for("job", "album")
        file, digest = _finished(store, item)
        file.replace(store.work / f"done-{item}")
        store.private.set_coming(item, f"published/{name}")
        store.ledger.append("releasing", item, sha256=digest, verdict="PUBLISH")
    for _ in range(2):
        with Store(*folders) as store:
            assert item not in store.states()
    with Store(*folders) as store:
        store.withdraw(item)
        assert (store.published / "album.jpg" / "other.jpg").read_bytes() == b"another's"
        assert (store.published / "above").read_bytes() == b"another's"
        store.release(item, *_finished(store, item), Verdict.PUBLISH, f"{item}.jpg")
        assert store.states()[item]["event"] == "released"


def test_a_release_that_the_machine_interrupts_again_is_not_given_up(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(*folders) as store:
        item = store.private.id_for("job", "a.jpg")
        file, digest = _finished(store, item)
        file.replace(store.work / f"done-{item}")
        store.private.set_coming(item, "published/a.jpg")
        store.ledger.append("releasing", item, sha256=digest, verdict="PUBLISH")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space", "/home/orinakyan")

    with monkeypatch.context() as patched:
        patched.setattr("redact.batch.durable.move", full)
        with pytest.raises(OutputError), Store(*folders):
            pass
    with Store(*folders) as store:
        assert sha256_file(store.published / "a.jpg") == digest


def test_an_output_folder_whose_share_is_gone_is_the_machines_fault(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> bool:
        raise OSError(errno.ESTALE, "stale", "/home/orinakyan")

    monkeypatch.setattr(Path, "exists", gone)
    with pytest.raises(OutputError), Store(*folders):
        pass


def test_a_half_written_file_is_never_completed_into_published(folders: tuple[Path, Path]) -> None:
    with Store(*folders) as store:
        item = store.private.id_for("job", "a.jpg")
        (store.work / f"done-{item}").write_bytes(b"half")
        store.private.set_released(item, "published/a.jpg")
        store.ledger.append("releasing", item, sha256="0" * 64, verdict="PUBLISH")
    with Store(*folders) as store:
        assert list(store.published.iterdir()) == []
        assert item not in store.states()


def test_the_private_mapping_is_its_owners_alone_and_outside_the_output(folders: tuple[Path, Path]) -> None:
    with Store(*folders) as store:
        store.private.id_for("job", "Օրինակյան.jpg")
    (mapping,) = folders[1].glob("*.sqlite")
    assert stat.S_IMODE(mapping.stat().st_mode) == 0o600
    for path in folders[0].rglob("*"):
        if path.is_file():
            assert "Օրինակյան".encode() not in path.read_bytes()


def test_a_private_mapping_inside_the_output_is_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError), Store(folders[0], folders[0] / "published" / "private"):
        pass


def test_ids_are_stable_and_tell_nothing(folders: tuple[Path, Path]) -> None:
    with Store(*folders) as store:
        job = store.private.job("a/Orinakyan.jpg", "f" * 64)
        item = store.private.id_for(job, "a/Orinakyan.jpg")
    with Store(*folders) as store:
        assert store.private.job("a/Orinakyan.jpg", "f" * 64) == job
        assert store.private.id_for(job, "a/Orinakyan.jpg") == item
        assert store.private.lookup(item) == "a/Orinakyan.jpg"
    assert "orinakyan" not in item


def test_a_read_only_output_folder_is_a_clear_error(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_bytes(b"")
    with pytest.raises(OutputError), Store(blocker / "out", tmp_path / "private"):
        pass
    assert blocker.stat().st_size == 0


def test_a_full_disk_does_not_keep_a_file_from_being_taken_back(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise LedgerError("The ledger cannot be written (disk full or read-only?).")

    with Store(*folders) as store:
        item = store.private.id_for("job", "a.jpg")
        store.release(item, *_finished(store, item), Verdict.PUBLISH, "a.jpg")
        with monkeypatch.context() as disk:
            disk.setattr(Ledger, "append", full)
            with pytest.raises(LedgerError):
                store.withdraw(item)
        assert list(store.published.iterdir()) == []


def test_what_a_killed_run_left_half_written_is_swept_away(folders: tuple[Path, Path]) -> None:
    with Store(*folders) as store:
        (store.work / "x-1").mkdir()
        (store.work / "x-1" / "x-0.jpg").write_bytes(b"half")
        (store.work / "link").symlink_to(folders[1])
        (store.plans / "x.partial").write_text("{")
    with Store(*folders) as store:
        assert [path.name for path in store.work.iterdir()] == ["lock"]
        assert list(store.plans.iterdir()) == []
    assert folders[1].is_dir()
