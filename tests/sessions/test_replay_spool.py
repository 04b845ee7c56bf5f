"""A large replay memory on its way back goes through files."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.sessions import replay_spool
from engine.sessions.replay_spool import discard, files_of, gathered


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
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_small")
def test_a_strangers_name_of_a_column_is_no_path(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    named = ({"slot": it["slot"], "/../x": it["observation"]} for it in blocks(20))
    (place,) = files_of(gathered(named, 20, inside)).values()
    assert Path(place).parent == inside
    assert list(tmp_path.iterdir()) == [inside]


@pytest.mark.usefixtures("_small")
def test_what_would_fill_the_disk_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(replay_spool, "LEFT_FREE", shutil.disk_usage(tmp_path).total)
    with pytest.raises(OSError, match="No space"):
        gathered(blocks(20), 20, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_small")
def test_files_that_nobody_reads_are_discarded(tmp_path):
    discard(gathered(blocks(20), 20, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_gathered_of_nothing(tmp_path):
    assert gathered(iter(()), 0, tmp_path) == {}
