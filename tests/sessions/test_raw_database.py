import sqlite3

import pytest

from engine.sessions.raw_database import committed_frames, each_row, read_pages

ROWS = [
    (-5, "short", b"\1\2", 1.5, None),
    (0, "", b"", 0.0, 0),
    (1, "ä" * 300, b"x" * 4000, -1.0, 1),
    (7, "text", b"y" * 4100, 2.5, 2**40),
    (2**40, "long", bytes(range(256)) * 400, 3.25, -(2**62)),
    *(
        (100 + i, f"row {i}", bytes([i % 256]) * (i * 37 % 5000), i / 3, i)
        for i in range(300)
    ),
]


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "some.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c, d)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES(?, ?, ?, ?, ?)", ROWS)
    connection.execute("COMMIT")
    yield path, connection
    connection.close()


def found(path):
    """Rows of the table; in the schema's own rows the first column is not empty."""
    rows = each_row(read_pages(path))
    return sorted((row_id, *row[1:]) for row_id, row in rows if row[0] is None)


def test_rows_are_found_in_the_log(database):
    path, _ = database
    assert committed_frames(path.with_name("some.sqlite-wal")) > 0
    assert found(path) == sorted(ROWS)


def test_rows_are_found_in_the_file(database):
    path, connection = database
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert committed_frames(path.with_name("some.sqlite-wal")) == 0
    assert found(path) == sorted(ROWS)


def test_removed_rows_are_not_found(database):
    path, connection = database
    connection.execute("DELETE FROM t WHERE id BETWEEN 120 AND 350")
    left = [row for row in ROWS if not 120 <= row[0] <= 350]
    assert found(path) == sorted(left)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert found(path) == sorted(left)


def test_a_transaction_that_was_not_finished_does_not_count(database):
    path, connection = database
    connection.execute("PRAGMA cache_size=2")
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO t VALUES(?, ?, ?, ?, ?)",
        [(1000 + i, "late", b"z" * 3000, 0.5, i) for i in range(200)],
    )
    assert found(path) == sorted(ROWS)
    connection.execute("ROLLBACK")


def test_without_the_first_page_nothing_else_is_missing(database):
    path, connection = database
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = bytearray(path.read_bytes())
    data[:4096] = bytes(4096)
    path.write_bytes(data)
    assert found(path) == sorted(ROWS)
