"""What the keeper does when its disk refuses something for a while."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import session_samples as samples

from engine.contract.messages import (
    Answer,
    Ask,
    CheckpointStored,
    Message,
    Problem,
    RowsStored,
    RunTraining,
    Solved,
)
from engine.service import keeper_rows
from engine.service.keeper import Keeper
from engine.sessions import LiveStore, SessionProblem, checkpoint_ring, open_session
from engine.sessions.session_writer import write_session


class Words:
    """Who is told what."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []

    def send(self, destination: str, message: Message) -> None:
        self.sent.append((destination, message))

    def of(self, kind: type[Message]) -> list[Message]:
        return [it for _, it in self.sent if isinstance(it, kind)]


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Words:
    monkeypatch.setattr(keeper_rows, "RETRY_S", 0.0)
    monkeypatch.setattr("engine.sessions.live_store.COMMIT_PERIOD_S", 0.0)
    return Words()


@pytest.fixture
def keeper(tmp_path: Path, words: Words) -> Iterator[Keeper]:
    keeper = Keeper(words, tmp_path)  # type: ignore[arg-type]
    order(keeper, "create", 1)
    keeper.on_message("trainer", samples.rows(0))
    keeper.cycle()
    yield keeper
    keeper.close()


def order(keeper: Keeper, question: str, number: int, path: str = "run.h5") -> None:
    arguments = {
        "path": path,
        "configuration": samples.configuration(),
        "card": samples.CARD.to_dict(),
        "overwrite": False,
        "paused": False,
        "final": True,
    }
    keeper.on_message("supervisor", Ask(number, question, arguments))


def refuse_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise SessionProblem("The disk is full.", "disk-full")

    monkeypatch.setattr(checkpoint_ring, "write_checkpoint_file", full)


def test_a_checkpoint_that_found_no_room_is_stored_as_soon_as_there_is_some(
    keeper: Keeper, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse_checkpoints(patch)
        keeper.on_message("trainer", samples.checkpoint(7, 0, "stop"))
        keeper.cycle()
    assert words.of(CheckpointStored) == []
    assert [it.what for it in words.of(Problem)] == ["The disk is full."]
    keeper.cycle()
    assert words.of(CheckpointStored) == 3 * [CheckpointStored(7, "stop", [7])]
    assert words.of(Solved) == [Solved("session.write")]


def test_of_those_that_wait_the_newest_and_the_wanted_ones_are_stored(
    keeper: Keeper, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse_checkpoints(patch)
        for number, reason in enumerate(["recovery", "save", "periodic", "recovery"]):
            keeper.on_message("trainer", samples.rows(number + 1))
            step = 7 * (number + 2)
            keeper.on_message("trainer", samples.checkpoint(step, number + 1, reason))
    keeper.cycle()
    assert isinstance(keeper.store, LiveStore)
    assert [it.step for it in keeper.store.checkpoints()] == [21, 35]


def test_a_checkpoint_that_is_damaged_is_not_tried_again(
    keeper: Keeper, words: Words
) -> None:
    bad = samples.checkpoint(7, 0)
    bad.arrays["agent/online/torso.0.weight"][0, 0] = float("nan")
    keeper.on_message("trainer", bad)
    for _ in range(3):
        keeper.cycle()
    (problem,) = words.of(Problem)
    assert "is not a number" in problem.what  # type: ignore[attr-defined]
    assert words.of(CheckpointStored) == []


def test_rows_that_a_checkpoint_made_durable_are_told(
    keeper: Keeper, words: Words
) -> None:
    words.sent.clear()
    keeper.on_message("trainer", samples.rows(1))
    keeper.on_message("trainer", samples.checkpoint(14, 1))
    keeper.cycle()
    assert words.of(RowsStored) == [RowsStored("trainer", 1, 14)]


def test_a_live_store_that_cannot_be_removed_leaves_its_file_to_be_seen(
    keeper: Keeper, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("engine.sessions.live_store.remove_folder", refused)
        order(keeper, "seal", 2)
        while not any(it.id == 2 for it in words.of(Answer)):  # type: ignore[attr-defined]
            keeper.cycle()
    answer = words.of(Answer)[-1]
    assert "could not be closed" in answer.error  # type: ignore[attr-defined]
    assert keeper.store is None
    assert keeper.source is not None
    assert keeper.source.summary()["steps"] == 7


def test_the_trouble_of_one_store_is_not_that_of_the_next(
    keeper: Keeper, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.service.disk_guard.LOOK_EVERY_S", 0.0)
    keeper._guard._free = lambda folder: 1
    refuse_checkpoints(monkeypatch)
    keeper.on_message("trainer", samples.checkpoint(7, 0, "stop"))
    keeper.cycle()
    order(keeper, "close", 2)
    words.sent.clear()
    order(keeper, "create", 3, "another.h5")
    keeper.on_message("trainer", samples.rows(0))
    keeper.on_message("trainer", samples.checkpoint(7, 0, "stop"))
    keeper.cycle()
    told = [it.id for it in words.of(Problem)]  # type: ignore[attr-defined]
    assert sorted(told) == ["session.disk", "session.write"]


def test_a_run_that_begins_anew_says_which_session_it_is(
    keeper: Keeper, words: Words
) -> None:
    order(keeper, "recover", 2)
    keeper.cycle()
    answer = words.of(Answer)[-1]
    _, run = words.of(RunTraining)
    assert answer.result["uuid"] == run.uuid  # type: ignore[attr-defined]


def test_what_a_crash_has_left_is_opened_as_not_written_yet(
    keeper: Keeper, words: Words, tmp_path: Path
) -> None:
    keeper.close()
    another = Keeper(words, tmp_path)  # type: ignore[arg-type]
    order(another, "open", 2)
    assert words.of(Answer)[-1].result["live"]  # type: ignore[attr-defined]
    another.close()
    store = LiveStore.open(tmp_path / "run.h5")
    write_session(store, tmp_path / "run.h5")
    store.close(fold=True)
    order(another, "open", 3)
    assert not words.of(Answer)[-1].result["live"]  # type: ignore[attr-defined]
    another.close()


@pytest.mark.parametrize("failures", [1, 9])
def test_a_saved_run_whose_reader_comes_too_late_is_saved(
    keeper, words, monkeypatch, failures
):
    tries = []

    def late(path):
        tries.append(path)
        if len(tries) <= failures:
            raise SessionProblem("Its reader did not answer in time.")
        return open_session(path)

    monkeypatch.setattr("engine.service.keeper.open_session", late)
    keeper.on_message("trainer", samples.checkpoint(7, 0, "stop"))
    arguments = {"path": "", "overwrite": False, "final": True}
    keeper.on_message("supervisor", Ask(7, "seal", arguments))
    while not (answers := [it for it in words.of(Answer) if it.id == 7]):
        keeper.cycle()
    if failures == 1:
        assert answers[0].error == ""
        assert keeper.source is not None
    else:
        assert answers[0].error.startswith("The session is saved in 'run.h5', but")
        assert keeper.source is None
    with open_session(keeper._sessions / "run.h5") as file:
        assert file.verify() == []
