"""While a checkpoint is being written the keeper goes on with everything else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import session_samples as samples
from test_keeper_trouble import Words, order

from engine.contract.messages import Answer, Ask, CheckpointStored, RowsStored
from engine.service import keeper_rows
from engine.service.keeper import CYCLE_S, Keeper
from engine.sessions import LiveStore, SessionProblem, open_session
from engine.sessions.parts import whole


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Words:
    monkeypatch.setattr("engine.sessions.live_store.COMMIT_PERIOD_S", 0.0)
    return Words()


@pytest.fixture
def keeper(
    tmp_path: Path, words: Words, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Keeper]:
    """With a checkpoint under way, of which each cycle does one part."""
    monkeypatch.setattr(keeper_rows, "PART_S", 0.0)
    keeper = Keeper(words, tmp_path)  # type: ignore[arg-type]
    order(keeper, "create", 1)
    keeper.on_message("trainer", samples.rows(0))
    keeper.on_message("trainer", samples.checkpoint(7, 0, "periodic"))
    assert words.of(CheckpointStored) == []
    yield keeper
    keeper.close()


def store_of(keeper: Keeper) -> LiveStore:
    assert isinstance(keeper.store, LiveStore)
    return keeper.store


def test_whoever_asks_is_answered_and_rows_become_durable(
    keeper: Keeper, words: Words
) -> None:
    keeper.cycle()
    words.sent.clear()
    keeper.on_message("trainer", samples.rows(1))
    keeper.cycle()
    keeper.on_message("stage", Ask(5, "summary", {}))
    (answer,) = words.of(Answer)
    assert answer.result["steps"] == 14  # type: ignore[attr-defined]
    assert words.of(RowsStored) == [RowsStored("trainer", 1, 14)]
    assert words.of(CheckpointStored) == []
    assert store_of(keeper).checkpoints() == []


def test_it_is_stored_after_a_few_cycles_as_if_nothing_had_come_between(
    keeper: Keeper, words: Words
) -> None:
    keeper.on_message("trainer", samples.rows(1))
    cycles = 0
    while not words.of(CheckpointStored) and cycles < 1_000:
        assert keeper.cycle() < CYCLE_S or words.of(CheckpointStored)
        cycles += 1
    assert cycles > len(samples.checkpoint(7, 0).arrays)
    assert words.of(CheckpointStored) == 3 * [CheckpointStored(7, "periodic", [7])]
    assert keeper.cycle() == CYCLE_S
    (row,) = store_of(keeper).checkpoints()
    assert row.rows == row.replay_row == 0
    point = store_of(keeper).resume_point()
    assert (point.step, point.exact) == (7, True)


@pytest.mark.parametrize("question", ["seal", "close"])
def test_an_order_waits_until_it_is_whole(
    keeper: Keeper, words: Words, tmp_path: Path, question: str
) -> None:
    keeper.cycle()
    order(keeper, question, 2)
    assert words.of(CheckpointStored)[0] == CheckpointStored(7, "periodic", [7])
    while not any(it.id == 2 for it in words.of(Answer)):  # type: ignore[attr-defined]
        keeper.cycle()
    source = open_session(tmp_path / "run.h5")
    assert [it.step for it in source.checkpoints()] == [7]
    source.close()


def test_the_end_of_the_keeper_waits_as_well(
    keeper: Keeper, words: Words, tmp_path: Path
) -> None:
    keeper.cycle()
    keeper.close()
    assert words.of(CheckpointStored)[0] == CheckpointStored(7, "periodic", [7])
    with LiveStore.open(tmp_path / "run.h5") as store:
        assert [it.step for it in store.checkpoints()] == [7]


@pytest.mark.parametrize("reason", ["recovery", "stop"])
def test_the_next_one_waits_and_is_whole_at_once_where_somebody_waits(
    keeper: Keeper, words: Words, reason: str
) -> None:
    keeper.on_message("trainer", samples.rows(1))
    keeper.on_message("trainer", samples.checkpoint(14, 1, reason))
    told = [it.step for it in words.of(CheckpointStored)[::3]]  # type: ignore[attr-defined]
    assert told == ([7, 14] if reason == "stop" else [7])


def test_one_that_fails_in_the_middle_is_told_and_tried_again(
    keeper: Keeper, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_rows, "RETRY_S", 0.0)
    failures = 0

    def full(*_: object) -> None:
        nonlocal failures
        failures += 1
        raise SessionProblem("The disk is full.", "disk-full")

    with monkeypatch.context() as patch:
        where = "engine.sessions.checkpoint_ring.write_checkpoint_file"
        patch.setattr(where, full)
        while failures < 2:
            keeper.cycle()
    while not words.of(CheckpointStored):
        keeper.cycle()
    assert [it.step for it in store_of(keeper).checkpoints()] == [7]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), ValueError("?")])
def test_an_error_that_nobody_expected_does_not_pass_for_the_end(
    keeper: Keeper, words: Words, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        where = "engine.sessions.checkpoint_ring.write_checkpoint_file"
        patch.setattr(where, fails)
        with pytest.raises(type(error)):
            keeper._finish_checkpoint()
    assert words.of(CheckpointStored) == []
    for _ in range(1_000):
        keeper.cycle()
    assert words.of(CheckpointStored)[0] == CheckpointStored(7, "periodic", [7])


def test_an_order_is_answered_although_the_checkpoint_fails(
    keeper: Keeper, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        where = "engine.sessions.checkpoint_ring.write_checkpoint_file"
        patch.setattr(where, fails)
        order(keeper, "seal", 2)
    (answer,) = (it for it in words.of(Answer) if it.id == 2)  # type: ignore[attr-defined]
    assert "Input/output error" in answer.error  # type: ignore[attr-defined]


def test_a_large_one_is_gone_on_with_without_rests(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keeper.cycle() == keeper_rows.REST_S
    monkeypatch.setattr(keeper_rows, "RESTS_WITHIN_S", 0.0)
    assert keeper.cycle() == 0.0


def test_one_that_comes_again_behind_later_rows_is_as_exact(tmp_path: Path) -> None:
    path = tmp_path / "again.h5"
    options = samples.configuration()
    with LiveStore.create(path, options, samples.CARD) as store:
        for number in range(3):
            store.append(samples.rows(number))
        parts = store.checkpoint_in_parts(samples.checkpoint(21, 2))
        next(parts)
        store.append(samples.rows(3))
        store.commit()
        del parts  # the keeper dies here, and the trainer sends it to the next one
    with LiveStore.open(path) as store:
        store.write_checkpoint(samples.checkpoint(21, 2))
        point = store.resume_point()
        assert (point.step, point.exact) == (21, True)
        samples.same_ring(point.replay, samples.ring_after(2))


def test_one_that_was_found_best_meanwhile_is_not_given_up(tmp_path: Path) -> None:
    path = tmp_path / "few.h5"
    options = samples.configuration(**{"recording.checkpoints": 3})
    with LiveStore.create(path, options, samples.CARD) as store:
        for number in range(8):
            store.append(samples.rows(number))
            store.write_checkpoint(samples.checkpoint(7 * (number + 1), number))
        middle = store.checkpoints()[1]
        assert not middle.best
        store.append(samples.rows(8))
        parts = store.checkpoint_in_parts(samples.checkpoint(63, 8))
        next(parts)
        store.append(samples.evaluation_rows(0, middle.step, [1e6]))
        store.commit()
        assert middle.step in whole(parts)
        assert {it.step for it in store.checkpoints() if it.best} == {middle.step}
