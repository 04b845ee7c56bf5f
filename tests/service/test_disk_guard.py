"""How much room is left, and what is said and done about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import session_samples as samples

from engine.contract.messages import CheckpointStored, Message, Problem, Solved
from engine.service.disk_guard import DiskGuard
from engine.service.keeper_rows import RowKeeper
from engine.sessions import LiveStore


class Disk:
    """A disk whose free space the test decides, and a clock."""

    def __init__(self) -> None:
        self.free, self.now = 5_000_000_000, 0.0
        self.guard = DiskGuard(lambda folder: self.free, lambda: self.now)

    def after(self, seconds: float, free: int) -> Problem | Solved | None:
        self.now += seconds
        self.free = free
        return self.guard.look(Path())


@pytest.fixture
def disk() -> Disk:
    return Disk()


def test_with_room_nothing_is_said(disk: Disk) -> None:
    assert disk.after(0, 5_000_000_000) is None
    assert disk.after(10, 1_000_000_001) is None
    assert not disk.guard.stopped


def test_below_a_gigabyte_the_time_left_is_told(disk: Disk) -> None:
    disk.after(0, 1_100_000_000)
    told = disk.after(10, 900_000_000)  # 20 MB a second, 700 MB to go
    assert isinstance(told, Problem)
    assert told.severity == "warning"
    assert "Only 0.9 GB" in told.what
    assert "about 1 min" in told.why
    assert disk.after(1, 890_000_000) is None  # the same again
    later = disk.after(20, 400_000_000)
    assert isinstance(later, Problem)  # much less time by now
    assert not disk.guard.stopped


def test_where_nothing_is_used_no_time_is_made_up(disk: Disk) -> None:
    told = disk.after(0, 900_000_000)
    assert isinstance(told, Problem)
    assert told.why == ""
    assert disk.after(5, 950_000_000) is None


def test_below_200_mb_recording_stops_until_there_is_clearly_more(disk: Disk) -> None:
    disk.after(0, 900_000_000)
    told = disk.after(1, 199_999_999)
    assert isinstance(told, Problem)
    assert told.severity == "error"
    assert "200 MB" in told.what
    assert disk.guard.stopped
    assert disk.after(1, 250_000_000) is None
    assert disk.guard.stopped
    assert isinstance(disk.after(1, 400_000_000), Problem)
    assert not disk.guard.stopped
    assert disk.after(1, 2_000_000_000) == Solved("session.disk")


def test_it_looks_once_a_second(disk: Disk) -> None:
    disk.after(0, 5_000_000_000)
    assert disk.after(0.5, 100) is None
    assert not disk.guard.stopped
    assert isinstance(disk.after(0.5, 100), Problem)


class Words:
    """A line that only remembers."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []

    def send(self, to: str, message: Message) -> None:
        self.sent.append((to, message))


@pytest.fixture
def kept(disk: Disk, tmp_path: Path) -> Iterator[RowKeeper]:
    """A keeper with a new session on that disk."""
    keeper = RowKeeper(Words())  # type: ignore[arg-type]
    keeper._guard = disk.guard
    path = tmp_path / "run.h5"
    keeper._hold(LiveStore.create(path, samples.configuration(), samples.CARD), path)
    yield keeper
    assert keeper.store is not None
    keeper.store.close()


def test_on_a_nearly_full_disk_only_what_is_asked_for_is_written(
    disk: Disk, kept: RowKeeper
) -> None:
    store, said = kept.store, kept._line.sent  # type: ignore[attr-defined]
    assert store is not None
    for number in range(3):
        kept._take_rows(samples.rows(number))
    kept._take_checkpoint(samples.checkpoint(21, 2, "periodic"))
    before = len(store.history("loss")["step"])
    disk.now, disk.free = 1.0, 150_000_000
    kept._watch_disk()
    assert any(isinstance(it, Problem) and it.id == "session.disk" for _, it in said)

    kept._take_rows(samples.rows(3))
    kept._take_checkpoint(samples.checkpoint(28, 3, "recovery"))
    store.commit()
    assert [it.step for it in store.checkpoints()] == [21]
    assert ("trainer", CheckpointStored(28, "recovery")) in said
    assert ("supervisor", CheckpointStored(28, "recovery")) not in said
    assert len(store.history("loss")["step"]) == before
    assert store.next_numbers["trainer"] == 4  # nothing is sent again for ever
    kept._take_checkpoint(samples.checkpoint(28, 3, "stop"))
    assert [it.step for it in store.checkpoints()] == [21, 28]

    disk.now, disk.free = 2.0, 5_000_000_000
    kept._watch_disk()
    kept._take_rows(samples.rows(4))
    store.commit()
    assert len(store.history("loss")["step"]) > before
    texts = [it.text for it in store.events()]
    assert "Recording stopped: the disk is nearly full." in texts
    assert "Recording goes on." in texts
    point = store.resume_point()
    assert not point.exact
    assert "nearly full" in point.note
    assert point.replay == {}
