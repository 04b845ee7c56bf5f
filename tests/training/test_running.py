"""The three ways in which acting and learning take turns."""

import threading

import numpy as np
import pytest
from test_resume import joined, rows_of, through_a_file

from engine.agents.experience import BEGINS, Experience, from_columns, to_columns
from engine.contract.arrays import state_hash
from engine.contract.options import ConfigurationError
from engine.training import TrainingProblem

MODES = ("alternate", "synchronized", "asynchronous")
PERIOD = 40


def options(mode, **others):
    """A short run in this mode."""
    return {"training__mode": mode, "training__refresh": PERIOD, **others}


def watched(loop):
    """Notes for each transition: its number, the version that chose it, and the
    updates that had been made when it was chosen and when it was remembered.
    """
    agent, chosen, stored = loop.agent, [], []
    experience, store = agent.experience, agent.store

    def choosing(*arguments, **named):
        found = experience(*arguments, **named)
        chosen.append((found.version, agent.updates))
        return found

    def storing(found):
        if found.action != BEGINS:
            stored.append((found.version, agent.updates))
        store(found)

    agent.experience, agent.store = choosing, storing
    return chosen, stored


def test_in_turns_the_newest_network_acts(make):
    loop = make(**options("alternate"))
    chosen, stored = watched(loop)
    loop.advance()
    assert chosen == stored
    assert all(version == updates for version, updates in chosen)
    assert len(chosen) == 600
    assert chosen[-1][0] == loop.update - 1


@pytest.mark.parametrize("threaded", [True, False])
def test_in_a_period_the_network_of_its_beginning_acts(make, threaded):
    loop = make(**options("synchronized"))
    loop._running.in_a_thread = threaded
    chosen, stored = watched(loop)
    loop.advance()
    # Updates begin behind step 50, one for each step, where there is a memory.
    first = np.arange(600) // PERIOD * PERIOD
    expected = np.maximum(first - 50, 0)
    assert [version for version, _ in chosen] == expected.tolist()
    # They are remembered when their period is over, and all its updates made.
    due = np.maximum(first + PERIOD - 50, 0)
    assert [updates for _, updates in stored] == due[: len(stored)].tolist()
    assert len(stored) == 600
    assert loop.update == 550


def test_without_waiting_the_copy_of_the_last_refresh_acts(make):
    loop = make(**options("asynchronous"))
    refreshes, refresh = [0], loop.agent.refresh

    def refreshing():
        refresh()
        refreshes.append(loop.agent.version)

    loop.agent.refresh = refreshing
    chosen, stored = watched(loop)
    loop.advance()
    versions = [version for version, _ in chosen]
    assert versions == [refreshes[it // PERIOD] for it in range(600)]
    assert all(version <= updates for version, updates in chosen)
    assert [version for version, _ in stored] == versions
    assert refreshes == sorted(refreshes)
    assert loop.update == 550  # a stop after steps waits for what is due


SYNCHRONIZED = [
    {},
    {"replay__kind": "prioritized", "agent__n_step": 3, "agent__updates_per_step": 0.3},
    {"training__environments": 3, "exploration__kind": "noisy"},
    {"exploration__bonus": 0.1, "training__refresh": 7},
    {"exploration__kind": "bootstrapped", "exploration__members": 3},
    {
        "network__recurrent": "gru",
        "network__recurrent_units": 6,
        "replay__kind": "sequence",
        "replay__sequence_length": 5,
    },
    {
        "environment__id": "FrozenLake-v1",
        "planning__kind": "dyna",
        "planning__updates": 2,
    },
    {"agent__n_step": 2, "agent__n_step_correction": "retrace"},
]


@pytest.mark.parametrize("others", SYNCHRONIZED, ids=str)
def test_side_by_side_or_one_after_the_other_is_the_same_to_the_bit(make, others):
    loops = [make(**options("synchronized", **others)) for _ in range(2)]
    loops[1]._running.in_a_thread = False
    for loop in loops:
        loop.advance()
    drained = [loop.drain() for loop in loops]
    assert state_hash(loops[0].state()) == state_hash(loops[1].state())
    assert rows_of(drained[0].scalars) == rows_of(drained[1].scalars)
    assert loops[0].update > 90


@pytest.mark.parametrize("others", SYNCHRONIZED, ids=str)
def test_a_synchronized_run_that_is_cut_anywhere_is_the_straight_run(make, others):
    settings = options("synchronized", **{"training__steps": 400, **others})
    straight = make(**settings)
    straight.advance()
    whole = straight.drain()
    rng, loop, logs, rows, records = (
        np.random.default_rng(3),
        make(**settings),
        [],
        [],
        [],
    )
    while not loop.finished:
        loop.advance(steps=int(rng.integers(1, 90)))
        drained = loop.drain()
        logs.append(drained.replay)
        rows += rows_of(drained.scalars)
        records += drained.episodes
        state, loop = through_a_file(loop.state()), make(**settings)
        loop.restore(state, joined(logs))
    assert state_hash(loop.state()) == state_hash(straight.state())
    assert rows == rows_of(whole.scalars)
    assert len(records) == len(whole.episodes)
    for one, two in zip(records, whole.episodes, strict=True):
        np.testing.assert_equal(one, two)


def test_where_time_cuts_a_synchronized_run_makes_no_difference(make):
    loops = [make(**options("synchronized")) for _ in range(2)]
    loops[0].advance()
    while not loops[1].finished:
        loops[1].advance(seconds=0.001)
    for loop in loops:
        loop.drain()
    assert state_hash(loops[0].state()) == state_hash(loops[1].state())


def test_an_asynchronous_run_goes_on_from_its_state(make):
    settings = options("asynchronous", replay__capacity=1000)
    loop = make(**settings)
    assert "cannot be repeated" in loop.drain().events[0].text
    loop.advance(seconds=0.05)
    log, other = loop.drain().replay, make(**settings)
    other.restore(through_a_file(loop.state()), log)
    assert state_hash(other.state()) == state_hash(loop.state())
    assert len(other.agent.memory) == len(loop.agent.memory) == loop.step
    other.advance()
    assert other.finished
    assert other.update <= 550


@pytest.mark.parametrize("mode", MODES)
def test_single_steps_learn_as_much_in_every_mode(make, mode):
    threads = threading.active_count()
    loop = make(**options(mode))
    loop.advance(steps=100)
    for count in range(1, 30):
        loop.advance(steps=1)
        assert (loop.step, loop.update) == (100 + count, 50 + count)
    loop.advance(until_episode_end=True)
    assert loop.drain().finished[-1].step == loop.step
    assert threading.active_count() == threads


@pytest.mark.parametrize("mode", MODES)
def test_options_change_between_steps(make, mode):
    loop = make(**options(mode))
    loop.advance(steps=90)
    loop.set_option("agent.learning_rate", 3e-3)
    loop.set_option("exploration.epsilon_final", 0.5)
    updates, learn = [], loop.agent.learn
    loop.agent.learn = lambda *of: updates.append(learn(*of)) or updates[-1]
    loop.advance(steps=50)
    assert {it.learning_rate for it in updates} == {3e-3}


@pytest.mark.parametrize("mode", MODES)
def test_a_diverged_run_ends_with_one_sentence(make, mode):
    threads = threading.active_count()
    loop = make(**options(mode))
    loop.advance(steps=90)
    loop.agent.learner.values[0] = float("nan")
    before = loop.update
    with pytest.raises(
        TrainingProblem, match=f"diverged: the loss of update {before + 1}"
    ):
        loop.advance()
    assert loop.update == before
    assert threading.active_count() == threads


@pytest.mark.parametrize("mode", MODES)
def test_an_environment_that_fails_ends_the_run_with_its_sentence(make, mode):
    threads = threading.active_count()
    loop = make(
        **options(mode),
        environment__id="RLLabTest/Misbehaving-v0",
        environment__kwargs={"fault": "step"},
    )
    with pytest.raises(TrainingProblem, match="failed in step"):
        loop.advance()
    assert threading.active_count() == threads


def test_what_goes_wrong_in_the_thread_ends_the_run(make):
    threads = threading.active_count()
    loop = make(**options("asynchronous"))

    def broken(step, watch):
        raise RuntimeError("no memory left")

    loop.agent.learn = broken
    with pytest.raises(RuntimeError, match="no memory left"):
        loop.advance()
    assert threading.active_count() == threads


def test_sampled_states_know_their_steps_while_others_are_held_back(make):
    loop = make(**options("synchronized", environment__id="FrozenLake-v1"))
    loop.advance(steps=70)
    found = loop.sample_states(200)
    assert len(found["slot"]) == 40
    assert sorted((found["begun"] + found["t"]).tolist()) == list(range(40))


@pytest.mark.parametrize("mode", MODES[1:])
def test_learning_without_a_memory_takes_turns(make, mode):
    with pytest.raises(ConfigurationError, match="side by side"):
        make(**options(mode, replay__kind="none"))


def test_experiences_come_back_from_columns():
    frames = np.arange(6, dtype=np.float32).reshape(3, 2)
    held = [
        Experience(1, frames[0], 5),
        Experience(1, frames[1], 5, 2, 0.5, True, False, True, 0.1, {"a": np.ones(2)}),
        Experience(0, frames[2], 6),
    ]
    found = list(from_columns(to_columns(held)))
    for one, two in zip(found, held, strict=True):
        np.testing.assert_equal(one._asdict(), two._asdict())
    assert list(from_columns(to_columns([]))) == []
