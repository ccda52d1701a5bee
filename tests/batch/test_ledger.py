"""The ledger: append-only, chained, and honest about it."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.batch.ledger import Ledger
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
