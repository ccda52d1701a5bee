"""Walking: any depth, stable order, nothing followed out of the folder, nothing skipped in silence."""

import errno
import os
from pathlib import Path

import pytest

from redact.batch.walk import walk
from redact.errors import OutputError, RedactError, UsageError


def test_every_file_at_any_depth_is_found_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/z.bin", "a/b/c/no_ending"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    found = [str(entry.relative) for entry in walk(tmp_path)]
    assert sorted(found) == ["a/b/c/no_ending", "a/z.bin", "b.jpg"]
    assert found == [str(entry.relative) for entry in walk(tmp_path)]


def test_links_and_special_files_are_listed_as_refused_and_not_opened(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"x")
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "link.jpg").symlink_to(outside / "secret.jpg")
    (inside / "folder").symlink_to(outside)
    os.mkfifo(inside / "pipe.jpg")
    entries = {str(entry.relative): entry.refused for entry in walk(inside)}
    assert set(entries) == {"link.jpg", "folder", "pipe.jpg"}
    assert all(entries.values())


def test_hostile_names_are_found_as_they_are(tmp_path: Path) -> None:
    names = [b"new\nline.jpg", b"-rf.jpg", "\u202egpj.exe".encode(), b"\xff\xfe.jpg", b"x" * 250]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    assert {os.fsencode(str(entry.relative)) for entry in walk(tmp_path)} == set(names)


def test_a_single_file_is_a_folder_of_one(tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(b"x")
    assert [str(entry.relative) for entry in walk(tmp_path / "one.jpg")] == ["one.jpg"]


def test_a_missing_input_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        walk(tmp_path / "nowhere")


@pytest.mark.parametrize("method", ["is_file", "is_dir", "is_symlink", "lstat"])
@pytest.mark.parametrize(
    ("code", "kind"),
    [(errno.EACCES, UsageError), (errno.ESTALE, OutputError), (errno.ENOTCONN, OutputError)],
)
def test_what_cannot_be_looked_at_is_told_and_never_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, code: int, kind: type[RedactError]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "one.jpg").write_bytes(b"x")

    def refuse(*_: object, **__: object) -> bool:
        raise OSError(code, "refused", "/home/orinakyan")

    with monkeypatch.context() as patched:
        patched.setattr(Path, method, refuse)
        with pytest.raises(kind) as told:
            walk(tmp_path)
    assert "rinakyan" not in str(told.value)
