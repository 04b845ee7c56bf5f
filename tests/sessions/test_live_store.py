import os

import numpy as np
import pytest
import session_samples as samples

from engine.sessions import LiveStore, SessionProblem
from engine.sessions.live_folder import discard_live


@pytest.fixture
def store(tmp_path):
    store = LiveStore.create(tmp_path / "run.h5", samples.configuration(), samples.CARD)
    yield store
    store.close()


def reopened(store):
    store.close()
    return LiveStore.open(store.path)


def test_rows_come_back_after_reopening(store):
    samples.run(store, last_row=100, checkpoint_rows=())
    again = reopened(store)
    history = again.history("loss")
    wanted = [samples.scalars(n) for n in range(101)]
    values = np.concatenate([it.columns["value"][[0, 2]] for it in wanted])
    steps = np.concatenate([it.columns["step"][[0, 2]] for it in wanted])
    assert np.array_equal(history["value"], values)
    assert np.array_equal(history["step"], steps)
    assert len(again.history("nothing")["step"]) == 0
    samples.same_record(again.episode("training", 5), samples.record(5))
    table = again.episodes()
    assert table["episode"].tolist() == list(range(33))
    assert table["recorded"].all()
    assert table["step0"][1] == table["step"][1] - 11
    assert [event.text for event in again.events()][:2] == ["row 4", "row 9"]
    again.close()


def test_nothing_is_shown_before_it_is_durable(store):
    store.append(samples.rows(0))
    assert store.durable_step == 0
    assert len(store.history("loss")["step"]) == 0
    assert store.commit() == {"trainer": (0, 7)}
    assert store.durable_step == 7
    assert store.commit() == {}


def test_rows_that_are_sent_again_count_once_and_are_acknowledged(store):
    for number in (0, 1):
        store.append(samples.rows(number))
    store.commit()
    assert not store.append(samples.rows(1))
    assert store.append(samples.rows(2))
    assert store.commit() == {"trainer": (2, 21)}
    assert len(store.history("loss")["step"]) == 6


def test_a_stage_that_restarts_may_number_from_zero(store):
    store.append(samples.evaluation_rows(0, 10, [1.0]))
    store.append(samples.evaluation_rows(1, 20, [1.0]))
    store.commit()
    assert store.append(samples.evaluation_rows(0, 30, [1.0]))
    store.commit()
    assert [it.step for it in store.evaluations()] == [10, 20, 30]


def test_a_gap_in_the_numbers_is_an_event(store):
    store.append(samples.rows(3))
    store.commit()
    assert "Rows 0 to 2 of the trainer never came." in [e.text for e in store.events()]


def test_a_second_opener_is_refused_with_a_sentence(store):
    with pytest.raises(SessionProblem, match="being written by another process") as it:
        LiveStore.open(store.path)
    assert it.value.kind == "locked"
    with pytest.raises(SessionProblem, match="being written"):
        LiveStore.create(store.path, samples.configuration(), samples.CARD)


def test_an_existing_session_is_replaced_only_on_request(store):
    store.close()
    arguments = (store.path, samples.configuration(), samples.CARD)
    with pytest.raises(SessionProblem, match="already a session"):
        LiveStore.create(*arguments)
    LiveStore.create(*arguments, overwrite=True).close()


def test_refused_rows_leave_the_store_usable(store):
    bad = samples.rows(0)
    del bad.replay["slot"]
    with pytest.raises(SessionProblem, match="'slot'"):
        store.append(bad)
    store.append(samples.rows(0))
    assert store.commit() == {"trainer": (0, 7)}


def test_resume_point_holds_the_newest_line_of_each_slot(store):
    samples.run(store)
    with reopened(store) as again:
        point = again.resume_point()
    samples.same_checkpoint(point.checkpoint, samples.checkpoint(210, 29))
    samples.same_ring(point.replay, samples.ring_after(29))
    assert (point.first_row, point.step, point.exact) == (30, 210, True)


def test_truncating_cuts_what_the_resumed_run_will_write_again(store):
    samples.run(store)
    before = store.history("loss")
    again = reopened(store)
    assert again.truncate_after(again.resume_point()) == 77
    assert again.history("loss")["step"].max() <= 212
    assert again.next_numbers["trainer"] == 30
    for number in range(30, 41):
        assert again.append(samples.rows(number))
    again.commit()
    after = again.history("loss")
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert "77 recorded steps after it come again" in again.events()[-3].text
    again.close()


def test_the_replay_log_is_trimmed_to_what_the_last_checkpoints_need(store):
    kept = tuple(range(9, 200, 10))
    samples.run(store, last_row=200, checkpoint_rows=kept)
    query = "SELECT min(row), count(*) FROM replay_log"
    first, count = store.connection.execute(query).fetchone()
    assert first == 179 - samples.CAPACITY // samples.SLOTS_PER_ROW
    assert count == 201 - first
    samples.same_ring(store.resume_point().replay, samples.ring_after(199))


def test_checkpoints_are_thinned_but_first_best_and_newest_stay(tmp_path):
    options = samples.configuration(recording__checkpoints=5)
    store = LiveStore.create(tmp_path / "run.h5", options, samples.CARD)
    for order in range(20):
        store.append(samples.rows(order))
        store.write_checkpoint(samples.checkpoint(order + 1, order))
        store.append(samples.evaluation_rows(order, order + 1, [5.0 - abs(order - 7)]))
        store.commit()
    rows = store.checkpoints()
    assert [row.step for row in rows if row.best] == [8]
    assert {1, 8, 18, 19, 20} == {row.step for row in rows}
    assert len(list(store.folder.glob("ck-*.h5"))) == 5
    store.close()


def test_checkpoints_stay_within_their_room(tmp_path):
    options = samples.configuration(recording__checkpoint_budget=1)
    store = LiveStore.create(tmp_path / "run.h5", options, samples.CARD)
    for order in range(12):
        store.append(samples.rows(order))
        store.write_checkpoint(samples.checkpoint(order + 1, order, more_bytes=160_000))
        store.commit()
    sizes = [it.stat().st_size for it in store.folder.glob("ck-*.h5")]
    assert sum(sizes) < 1_000_000 < 7 * min(sizes)
    steps = [row.step for row in store.checkpoints()]
    assert len(steps) == len(sizes)
    assert {1, 10, 11, 12} <= set(steps)
    store.close()


def test_recovery_checkpoints_replace_each_other_and_three_stay(store):
    store.write_checkpoint(samples.checkpoint(0, -1, "start"))
    for number in range(6):
        store.append(samples.rows(number))
        store.write_checkpoint(samples.checkpoint(number + 1, number, "recovery"))
    assert [row.step for row in store.checkpoints()] == [0, 4, 5, 6]
    assert store.resume_point().exact


def test_a_damaged_checkpoint_gives_way_to_the_one_before(store):
    samples.run(store)
    newest = max(store.folder.glob("ck-*.h5"))
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    again = reopened(store)
    assert again.resume_point().step == 140
    samples.same_ring(again.resume_point().replay, samples.ring_after(19))
    assert any("step 210 cannot be used" in text for text in again.problems())
    again.close()


def test_a_weight_that_is_not_finite_is_never_stored(store):
    bad = samples.checkpoint(7, -1)
    weight = bad.arrays["agent/online/torso.0.weight"]
    weight[0, 0] = np.nan
    with pytest.raises(SessionProblem, match="not a number"):
        store.write_checkpoint(bad)
    assert store.checkpoints() == []


def test_a_discarded_store_is_gone(store):
    with pytest.raises(SessionProblem, match="being written"):
        discard_live(store.path)
    store.close()
    discard_live(store.path)
    assert list(store.path.parent.iterdir()) == []


def test_a_passing_checkpoint_does_not_undo_a_lasting_one(store):
    store.write_checkpoint(samples.checkpoint(0, -1, "start"))
    store.write_checkpoint(samples.checkpoint(0, -1, "recovery"))
    for number in range(5):
        store.append(samples.rows(number))
        store.write_checkpoint(samples.checkpoint(number + 1, number, "recovery"))
    assert [row.step for row in store.checkpoints()] == [0, 3, 4, 5]
    assert store.checkpoints()[0].reason == "start"


def test_of_many_openers_one_gets_the_store(store):
    store.close()
    results, hold = os.pipe(), os.pipe()
    children = [open_in_child(store.path, results[1], hold) for _ in range(8)]
    os.close(hold[0])
    told = b""
    while len(told) < 8:
        told += os.read(results[0], 8)
    assert sorted(told) == sorted(b"gnnnnnnn")
    os.close(hold[1])
    for child in children:
        os.waitpid(child, 0)
    for handle in results:
        os.close(handle)
    LiveStore.open(store.path).close()


def open_in_child(path, results, hold):
    """A process that opens the store, says g or n, and keeps it until it is told."""
    child = os.fork()
    if child:
        return child
    os.close(hold[1])
    try:
        LiveStore.open(path)
        os.write(results, b"g")
        os.read(hold[0], 1)
    except SessionProblem:
        os.write(results, b"n")
    finally:
        os._exit(0)


def test_without_its_replay_a_run_goes_on_from_its_newest_state_not_its_first(tmp_path):
    options = samples.configuration(recording__exact_resume="no")
    store = LiveStore.create(tmp_path / "run.h5", options, samples.CARD)
    store.write_checkpoint(samples.checkpoint(0, -1, "start"))
    samples.run(store).seal()
    store.close(fold=True)
    with LiveStore.open(tmp_path / "run.h5") as again:
        point = again.resume_point()
        assert (point.step, point.exact, point.replay) == (210, False, {})
        assert "replay memory starts empty" in point.note
        assert again.truncate_after(point) == 77
        assert [it.step for it in again.checkpoints()][-1] == 210
