"""The ledger: append-only, chained, and honest about it."""

import csv
import hashlib
import io
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.batch.export import COLUMNS, export
from redact.batch.ledger import Ledger, canonical, link_digest
from redact.errors import LedgerError

events = st.lists(
    st.tuples(
        st.text(max_size=8),
        st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3),
    ),
    min_size=2,
    max_size=6,
)


def _without_guards(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.executescript("DROP TRIGGER ledger_no_update; DROP TRIGGER ledger_no_delete;")
    return db


@given(events)
@settings(max_examples=15, deadline=None)
def test_what_is_appended_is_read_back_and_verifies(
    tmp_path_factory: pytest.TempPathFactory, rows: list
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite")
    for item, data in rows:
        ledger.append("event", item, data=data)
    assert [(item, data["data"]) for _, _, item, data in ledger.rows()] == rows
    assert ledger.verify() == len(rows)
    ledger.close()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ledger SET data = '{\"n\": 9}' WHERE seq = 2",
        "DELETE FROM ledger WHERE seq = 2",
        "DELETE FROM ledger WHERE seq = 1",
        "UPDATE ledger SET item = 'other' WHERE seq = 3",
        "UPDATE ledger SET data = 'nonsense' WHERE seq = 3",
    ],
)
def test_a_changed_or_missing_row_breaks_the_chain(tmp_path: Path, tampering: str) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path)
    for n in range(3):
        ledger.append("event", "item", n=n)
    ledger.close()
    db = _without_guards(path)
    with db:
        db.execute(tampering)
    db.close()
    with pytest.raises(LedgerError):
        Ledger(path).verify()


@pytest.mark.parametrize("statement", ["UPDATE ledger SET item = 'x'", "DELETE FROM ledger"])
def test_the_database_itself_refuses_to_change_a_row(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger(path).append("event")
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        sqlite3.connect(path).execute(statement)


def test_a_file_that_is_no_database_is_a_ledger_error(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at" * 40)
    with pytest.raises(LedgerError):
        Ledger(path)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of eight rows."""
    path = tmp_path_factory.mktemp("written") / "ledger.sqlite"
    ledger = Ledger(path)
    for n in range(8):
        ledger.append("released" if n % 2 else "releasing", f"item{n // 2}", n=n, sha256=f"{n:064x}")
    ledger.close()
    return path


_SEQ = st.integers(1, 8)
_COLUMNS = st.sampled_from(["previous", "digest", "event", "item", "data"])
_TAMPERINGS = st.one_of(
    st.tuples(st.just("edit"), _SEQ, _COLUMNS, st.text(max_size=8) | st.binary(max_size=4) | st.integers()),
    st.tuples(st.just("respace"), _SEQ),
    st.tuples(st.just("remove"), _SEQ),
    st.tuples(st.just("swap"), _SEQ, _SEQ),
    st.tuples(st.just("copy"), _SEQ),
    st.tuples(st.just("insert"), st.integers(-1, 9), st.booleans()),
    st.tuples(st.just("rewrite from"), _SEQ),
)


def _tamper(db: sqlite3.Connection, how: tuple) -> None:
    rows = db.execute("SELECT seq, previous, digest, event, item, data FROM ledger ORDER BY seq").fetchall()
    if how[0] == "edit":
        db.execute(f"UPDATE ledger SET {how[2]} = ? WHERE seq = ?", (how[3], how[1]))
    elif how[0] == "respace":
        db.execute("UPDATE ledger SET data = data || ' ' WHERE seq = ?", (how[1],))
    elif how[0] == "remove":
        db.execute("DELETE FROM ledger WHERE seq = ?", (how[1],))
    elif how[0] == "swap":
        for seq, other in ((-1, how[1]), (how[1], how[2]), (how[2], -1)):
            db.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (seq, other))
    elif how[0] == "copy":
        _, previous, digest, *rest = rows[how[1] - 1]
        db.execute(
            "INSERT INTO ledger (previous, digest, event, item, data) VALUES (?, ?, ?, ?, ?)",
            (previous, digest + "0", *rest),
        )
    elif how[0] == "insert":
        previous = rows[-1][2] if how[2] else rows[0][2]
        digest = link_digest(previous, canonical("released", "item9", {}))
        db.execute(
            "INSERT OR IGNORE INTO ledger VALUES (?, ?, ?, 'released', 'item9', '{}')",
            (how[1], previous, digest),
        )
    else:  # whoever knows the rule can write a chain that is whole: only a noted head shows it
        previous = rows[how[1] - 1][1]
        for seq, _, _, event, item, data in rows[how[1] - 1 :]:
            changed = {**json.loads(data), "n": 99}
            digest = link_digest(previous, canonical(event, item, changed))
            db.execute(
                "UPDATE ledger SET previous = ?, digest = ?, data = ? WHERE seq = ?",
                (previous, digest, json.dumps(changed, sort_keys=True), seq),
            )
            previous = digest


@given(_TAMPERINGS)
@settings(max_examples=120, deadline=None)
def test_every_kind_of_tampering_is_found_by_whoever_noted_the_head(
    tmp_path_factory: pytest.TempPathFactory, written: Path, how: tuple
) -> None:
    ledger = Ledger.for_reading(written)
    head, before = str(ledger.head()), list(ledger.chain())
    ledger.close()
    path = tmp_path_factory.mktemp("tampered") / "ledger.sqlite"
    shutil.copy(written, path)
    db = _without_guards(path)
    try:
        with db:
            _tamper(db, how)
    except (sqlite3.Error, OverflowError):
        return  # the table itself refuses it
    finally:
        db.close()
    tampered = Ledger.for_reading(path)
    try:
        after = list(tampered.chain(head))
    except LedgerError:
        return
    finally:
        tampered.close()
    # what was not found changed nothing before the head
    assert after[: len(before)] == before
    assert how[0] in ("edit", "swap", "insert"), "only these can be without effect"
    assert len(after) == len(before) or how[0] == "insert"


@pytest.mark.parametrize("kept", range(8))
def test_rows_cut_off_at_the_end_are_missed_by_whoever_noted_the_head(
    tmp_path: Path, written: Path, kept: int
) -> None:
    path = tmp_path / "ledger.sqlite"
    shutil.copy(written, path)
    ledger = Ledger.for_reading(path)
    head = str(ledger.head())
    ledger.close()
    db = _without_guards(path)
    with db:
        db.execute("DELETE FROM ledger WHERE seq > ?", (kept,))
    db.close()
    cut = Ledger.for_reading(path)
    assert cut.verify() == kept, "the chain alone cannot tell"
    with pytest.raises(LedgerError, match="noted head"):
        cut.verify(head)
    with pytest.raises(LedgerError, match="noted head"):
        cut.verify(head.rpartition(":")[2])


def test_a_head_noted_earlier_is_still_in_a_ledger_that_grew(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.append("one")
    head = str(ledger.head())
    ledger.append("two")
    assert ledger.verify(head) == 2


def test_a_clock_that_jumps_back_changes_no_order(tmp_path: Path) -> None:
    times = iter(["2031-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z"])
    ledger = Ledger(tmp_path / "ledger.sqlite", clock=lambda: next(times))
    for n in range(3):
        ledger.append("event", "item", n=n)
    assert ledger.verify() == 3
    assert [data["n"] for _, _, _, data in ledger.rows()] == [0, 1, 2]
    assert [data["time"][:4] for _, _, _, data in ledger.rows()] == ["2031", "1970", "2026"]


def test_a_copy_of_the_one_file_holds_every_row(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for n in range(3):
        ledger.append("event", "item", n=n)
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.sqlite"]
    shutil.copy(tmp_path / "ledger.sqlite", tmp_path / "copy")
    assert Ledger.for_reading(tmp_path / "copy").verify() == 3


def test_the_json_export_is_enough_to_compute_the_chain_again(written: Path) -> None:
    ledger = Ledger.for_reading(written)
    told = json.loads(export(ledger.chain(), "json"))
    digest = "0" * 64
    for row in told["rows"]:
        text = json.dumps(
            {"data": row["data"], "event": row["event"], "item": row["item"]},
            sort_keys=True,
            separators=(",", ":"),
        )
        digest = hashlib.sha256(f"{digest}\n{text}".encode()).hexdigest()
        assert digest == row["digest"]
    assert told["head"] == f"8:{digest}"


def test_every_export_explains_itself_and_is_the_same_each_time(written: Path) -> None:
    ledger = Ledger.for_reading(written)
    for form in ("text", "csv", "json"):
        text = export(ledger.chain(), form)
        assert text == export(ledger.chain(), form)
        assert str(ledger.head()) in text
        assert all(name in text for name in COLUMNS)
        assert "--head" in text
    table = [line for line in text_lines(ledger) if not line.startswith("#")]
    rows = list(csv.DictReader(table))
    assert [row["seq"] for row in rows] == [str(n) for n in range(1, 9)]
    assert rows[1]["sha256"] == f"{1:064x}"


def text_lines(ledger: Ledger) -> io.StringIO:
    return io.StringIO(export(ledger.chain(), "csv"))


def test_a_policy_name_is_no_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.append("run", policy_name="=1+1")
    table = [line for line in text_lines(ledger) if not line.startswith("#")]
    assert next(csv.DictReader(table))["policy"] == "'=1+1"
