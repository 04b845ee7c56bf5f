"""A large replay memory on its way back goes through files."""

import numpy as np
import pytest

from engine.sessions import replay_spool
from engine.sessions.replay_spool import files_of, gathered


def blocks(lines):
    """Lines in blocks of three, as a live store gives them."""
    frames = np.arange(lines * 8, dtype=np.uint8).reshape(lines, 2, 4)
    for at in range(0, lines, 3):
        span = slice(at, at + 3)
        yield {"slot": np.arange(lines)[span], "observation": frames[span]}


@pytest.fixture
def _small(monkeypatch):
    monkeypatch.setattr(replay_spool, "LARGEST_IN_MEMORY", 100)


def test_small_columns_stay_in_memory(tmp_path):
    found = gathered(blocks(10), 10, tmp_path)
    assert files_of(found) == {}
    assert list(tmp_path.iterdir()) == []
    np.testing.assert_array_equal(found["slot"], np.arange(10))


@pytest.mark.usefixtures("_small")
def test_large_columns_come_as_files_with_the_same_lines(tmp_path):
    found = gathered(blocks(20), 20, tmp_path)
    (name,) = files_of(found)
    assert name == "observation"
    whole = np.concatenate([it["observation"] for it in blocks(20)])
    np.testing.assert_array_equal(found["observation"], whole)


@pytest.mark.usefixtures("_small")
def test_where_lines_are_missing_no_file_is_believed(tmp_path):
    found = gathered(blocks(17), 20, tmp_path)
    assert set(found) == {"slot"}
    assert len(found["slot"]) == 17


def test_nothing_is_gathered_of_nothing(tmp_path):
    assert gathered(iter(()), 0, tmp_path) == {}
