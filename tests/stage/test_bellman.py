"""The explained update is that of the learner, and the memory that of the run."""

import numpy as np
import pytest
from theatre import KINDS, tiny

from engine.agents import build_agent, schedules
from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import (
    Ask,
    CheckpointStored,
    ProcessState,
    SessionStatus,
)
from engine.environments import describe
from engine.replay import Streams
from engine.replay.batches import read_transitions
from engine.stage.bellman import explained, recorded, transition, variants
from engine.stage.episodes import Judge, Weights
from engine.stage.jobs import finish
from engine.stage.judging import Values, one_step_td_errors, returns_ended
from engine.stage.minds import Mind
from engine.stage.questions.explain_update import UpdateArguments

STEPS = 12
CONFIGURATIONS = {
    "scalar": {"agent__dueling": "none", "agent__double": False},
    "dueling": {},
    "double n=3": {"agent__n_step": 3},
    "greedy n=3": {"agent__n_step": 3, "agent__n_step_correction": "greedy"},
    "c51 n=3": {"head__kind": "c51", "agent__n_step": 3},
    "qr cvar": {"head__kind": "qr", "head__atoms": 7, "head__risk": "cvar"},
    "mmd": {"head__kind": "mmd", "head__atoms": 7},
    "sarsa n=3": {"agent__estimator": "sarsa", "agent__n_step": 3},
    "expected sarsa": {"agent__estimator": "expected_sarsa"},
    "soft": {"agent__estimator": "soft", "agent__double": False},
    "soft double": {"agent__estimator": "soft"},
    "no target": {"target_network__kind": "none", "agent__double": False},
    "trust region": {"agent__bootstrap": "trust_region", "agent__double": False},
    "clipped": {"environment__clip_rewards": True},
    "conservative": {"agent__conservative": 0.5},
}


def episode(*, terminated):
    """An episode of numbers that mean nothing: a record and what was seen."""
    rng = np.random.default_rng(1)
    last = np.arange(STEPS) == STEPS - 1
    record = {
        "kind": "training",
        "episode": 0,
        "actions": rng.integers(0, 2, STEPS),
        "rewards": rng.normal(0, 3, STEPS),
        "terminations": last & terminated,
        "truncations": last & (not terminated),
        "explored": rng.random(STEPS) < 0.4,
    }
    return record, rng.normal(size=(STEPS + 1, 4)).astype(np.float32)


def weights_of(configuration, card):
    """An online and a target network that differ."""
    first, second = (build_agent(configuration, card, seed=it) for it in (1, 2))
    arrays = {k: v for k, v in first.weights().items() if k.startswith("online/")}
    other = second.weights()
    return arrays | {k: other[k] for k in other if k.startswith("target/")}


def learnt(configuration, card, arrays, record, seen):
    """TD errors and priorities of a real update on all steps, by the learner."""
    agent = build_agent(configuration, card)
    agent.load_weights(arrays)
    rewards = record["rewards"]
    if configuration.environment.clip_rewards:
        rewards = np.sign(rewards)
    agent.begin(0, seen[0])
    for t in range(STEPS):
        how = bool(record["terminations"][t]), bool(record["truncations"][t])
        step = int(record["actions"][t]), float(rewards[t]), *how, seen[t + 1]
        agent.remember(0, *step, bool(record["explored"][t]))
    options = configuration.agent
    batch = read_transitions(
        agent.memory.streams,
        np.arange(STEPS),
        options.n_step,
        options.discount,
        greedy_only=options.n_step_correction == "greedy",
    )
    update = agent.learn_from(batch, 100)
    return update, agent.memory.priorities.raw[:STEPS]


@pytest.fixture(scope="module")
def card() -> EnvironmentCard:
    return describe(tiny().environment)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_numbers_are_those_of_a_real_update(name, card):
    given = {"replay__kind": "prioritized"} | CONFIGURATIONS[name]
    configuration = tiny(**given)
    record, seen = episode(terminated=name != "dueling")
    arrays = weights_of(configuration, card)
    update, priorities = learnt(configuration, card, arrays, record, seen)
    mind = Mind(configuration, card)
    for t in range(STEPS):
        ahead = seen[t : t + 7]
        streams = recorded(configuration, card, record, ahead, t)
        row = finish(explained(mind, Weights(100, arrays), streams))[0]
        action = record["actions"][t]
        assert row["name"] == "current"
        assert row["td_error"] == pytest.approx(update.td_error[t], rel=1e-4, abs=1e-5)
        assert row["estimate"] == pytest.approx(update.q[t, action], rel=1e-4, abs=1e-5)
        assert row["priority"] == pytest.approx(priorities[t], rel=1e-3, abs=1e-5)
        y = row["reward"] + row["discount"] * row["bootstrap"]
        assert row["target"] == pytest.approx(y, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("terminated", [True, False])
def test_a_termination_ends_bootstrapping_and_the_time_limit_does_not(terminated, card):
    configuration = tiny(agent__discount=0.5)
    record, seen = episode(terminated=terminated)
    arrays = weights_of(configuration, card)
    last = STEPS - 1
    streams = recorded(configuration, card, record, seen[last:], last)
    mind = Mind(configuration, card)
    for row in finish(explained(mind, Weights(100, arrays), streams)):
        assert row["reward"] == pytest.approx(record["rewards"][last])
        assert row["discount"] == (0.0 if terminated else 0.5)
        if terminated:
            assert row["target"] == row["reward"]


def test_each_switched_row_is_what_an_agent_of_those_options_learns(card):
    configuration = tiny(replay__kind="prioritized", agent__n_step=2)
    record, seen = episode(terminated=True)
    arrays = weights_of(configuration, card)
    mind = Mind(configuration, card)
    streams = recorded(configuration, card, record, seen[3:10], 3)
    rows = finish(explained(mind, Weights(100, arrays), streams))
    kinds = ["current", "double", "n=1", "n=3", "n=5", "target"]
    assert [row["name"] for row in rows] == kinds
    for row, variant in zip(rows, variants(configuration), strict=True):
        update, _ = learnt(variant.configuration, card, arrays, record, seen)
        assert row["td_error"] == pytest.approx(update.td_error[3], rel=1e-4, abs=1e-5)
    assert mind.agent.configuration is configuration


@pytest.mark.parametrize("kind", KINDS)
def test_passes_that_are_shared_say_what_each_would_say_alone(kind):
    configuration = tiny(**{"replay__kind": "prioritized", **KINDS[kind]})
    card = describe(configuration.environment)
    record, seen = episode(terminated=True)
    mind = Mind(configuration, card)
    memory = mind.recollection(1)
    first, width = (3, 0) if memory is None else (0, memory.state.shape[1])
    streams = recorded(configuration, card, record, seen[first:10], first, width)
    weights = Weights(100, weights_of(configuration, card))
    together = finish(explained(mind, weights, streams, 3 - first))
    for row, it in zip(together, variants(configuration), strict=True):
        batch = transition(it.configuration, streams, 3 - first)
        exploration = schedules.exploration(it.configuration, 100)
        alone = mind.agent.learner.explain(it.configuration, batch, exploration)
        for name in ("target", "estimate", "td_error", "bootstrap"):
            assert row[name] == float(getattr(alone, name)[0])


def test_between_two_rows_other_weights_may_have_been_judged(card):
    configuration = tiny()
    record, seen = episode(terminated=True)
    streams = recorded(configuration, card, record, seen[3:10], 3)
    mind, weights = Mind(configuration, card), weights_of(configuration, card)
    rows = finish(explained(mind, Weights(100, weights), streams))
    other = {name: 2.0 * it for name, it in weights.items()}
    disturbed = explained(mind, Weights(100, weights), streams)
    found = None
    while found is None:
        try:
            next(disturbed)
        except StopIteration as end:
            found = end.value
        mind.load(200, other)
    assert found == rows
    assert finish(explained(mind, Weights(200, other), streams)) != rows


def test_checkpoints_are_listed_again_when_there_is_another_one(played):
    run = played.run()
    with run.on_stage(live=True) as theatre:
        step = {"kind": "training", "episode": 0, "t": 1}
        theatre.result("explain_update", **step, checkpoint_step=10**6)
        asked = len(theatre.of(Ask))
        theatre.result("explain_update", **step | {"t": 2}, checkpoint_step=10**6)
        assert len(theatre.of(Ask)) == asked  # the keeper was not needed
        rows, text = run.store.checkpoints(), run.configuration.to_json()
        for news in (
            CheckpointStored(400, "periodic"),
            ProcessState("keeper", "ready"),
            SessionStatus("s", "/s.h5", "uuid-1", True, configuration=text),
        ):
            less = rows[: len(rows) - 1]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(run.store, "checkpoints", lambda rows=less: rows)
                theatre.tell(news, "keeper")
                wanted = {**step, "checkpoint_step": 10**6}
                found = theatre.result("explain_update", **wanted)
                assert found["checkpoint_step"] == less[-1].step
            theatre.tell(CheckpointStored(400, "periodic"), "keeper")


def test_the_keeper_says_itself_which_checkpoints_are_left(played):
    run = played.run()
    with run.on_stage(live=True) as theatre:
        step = {"kind": "training", "episode": 0, "t": 1, "checkpoint_step": 10**6}
        theatre.result("explain_update", **step)
        steps = [row.step for row in run.store.checkpoints()]
        theatre.tell(CheckpointStored(400, "periodic", steps[:-1]), "keeper")
        asked = len(theatre.of(Ask))
        assert theatre.result("explain_update", **step)["checkpoint_step"] == steps[-2]
        assert "checkpoints" not in [it.question for it in theatre.of(Ask)[asked:]]


def test_what_has_no_effect_is_not_offered():
    alone = variants(
        tiny(target_network__kind="none", agent__double=False, agent__n_step=3)
    )
    assert [it.name for it in alone] == ["current", "n=1", "n=5"]
    retrace = variants(tiny(agent__n_step_correction="retrace", agent__n_step=3))
    assert [it.name for it in retrace] == ["n=1", "double", "n=3", "n=5", "target"]


@pytest.mark.parametrize("greedy_only", [True, False])
def test_windows_without_compiled_loops_are_those_of_the_memory(greedy_only, card):
    record, seen = episode(terminated=True)
    few = recorded(tiny(), card, record, seen, 0)
    for n in (1, 3, 20):
        slots = np.arange(STEPS)
        quickly = Streams.windows(few, slots, n, 0.9, greedy_only=greedy_only)
        slowly = few.windows(slots, n, 0.9, greedy_only=greedy_only)
        for one, other in zip(quickly, slowly, strict=True):
            np.testing.assert_array_equal(one, other)


def test_an_ensemble_gives_the_mean_of_its_members(card):
    configuration = tiny(exploration__kind="bootstrapped", exploration__members=3)
    record, seen = episode(terminated=True)
    agent = build_agent(configuration, card)
    mind = Mind(configuration, card)
    streams = recorded(configuration, card, record, seen[:7], 0)
    arrays = agent.weights()
    row = finish(explained(mind, Weights(0, arrays), streams))[0]
    q = agent.insight(seen[:1])["q"][0, record["actions"][0]]
    assert row["estimate"] == pytest.approx(q, abs=1e-5)
    assert row["td_error"] == pytest.approx(row["target"] - row["estimate"], abs=1e-5)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_recurrent_network_remembers_from_the_start_of_the_episode(kind, card):
    configuration = tiny(**KINDS[kind], agent__n_step=3)
    record, seen = episode(terminated=True)
    arrays = weights_of(configuration, card)
    mind, weights = Mind(configuration, card), Weights(100, arrays)
    said = finish(Judge(mind, weights, record["actions"]).values(seen))
    q, bootstrap = (said["q"], said["liking"]), (said["bootstrap"],) * 2
    told = [record[it] for it in ("actions", "rewards", "terminations")]
    errors = one_step_td_errors(configuration, Values(*q), Values(*bootstrap), *told, 0)
    width = mind.recollection(1).state.shape[1]
    for t in (0, 5, STEPS - 1):
        streams = recorded(configuration, card, record, seen[: t + 7], 0, width)
        rows = finish(explained(mind, weights, streams, t))
        one = next(row for row in rows if row["name"] == "n=1")
        assert one["td_error"] == pytest.approx(errors[t], rel=1e-4, abs=1e-5)
        three = rows[0]
        window = record["rewards"][t : t + 3]
        assert three["reward"] == pytest.approx(
            sum(0.99**k * it for k, it in enumerate(window)), rel=1e-5
        )
        assert three["estimate"] == pytest.approx(one["estimate"], rel=1e-5)


# ---------------------------------------------------------- in the replay memory


CHANGES = {
    "proportional": {"replay__kind": "prioritized"},
    "rank": {"replay__kind": "prioritized", "replay__priority": "rank"},
    "uniform": {"replay__kind": "uniform"},
}


@pytest.fixture(scope="module", params=CHANGES)
def run(request, played):
    """A run of two environments whose memory has forgotten the beginning."""
    forgetful = {"replay__capacity": 160, "training__environments": 2}
    found = played.run(**forgetful, **CHANGES[request.param])
    with found.on_stage() as theatre:
        yield theatre, found.loop, found.store, found.configuration.replay.kind


def test_the_place_in_the_memory_is_that_of_the_run(run):
    theatre, loop, store, kind = run
    memory = loop.agent.memory
    found, gone = 0, 0
    table = store.episodes()
    training = [i for i, it in enumerate(table["kind"]) if it == "training"]
    for row in training:
        number = int(table["episode"][row])
        given = {"kind": "training", "episode": number, "checkpoint_step": 300}
        seen = theatre.result("judge_episode", **given)["observations"]
        for t in range(0, int(table["length"][row]), 5):
            said = theatre.result("remembered", **given, t=t)
            same = (memory.streams.observation == seen[t]).all(1)
            slots = np.flatnonzero(same & memory.streams.sampleable)
            if not len(slots):
                assert said["why"].endswith("any more.")
                gone += 1
                continue
            found += 1
            assert said["size"] == len(memory)
            if kind == "uniform":
                assert said["probability"] == pytest.approx(1 / len(memory))
                continue
            assert said["priority"] == memory.priorities.raw[slots[0]]
            chance = memory.priorities.probabilities(slots)[0]
            assert said["probability"] == pytest.approx(chance, rel=1e-6)
            assert said["weight"] == pytest.approx(
                (len(memory) * chance) ** -said["beta"], rel=1e-5
            )
    assert found > 5
    assert gone > 5


def test_what_was_never_learned_from_says_so(run):
    theatre, *_ = run
    assert UpdateArguments(kind="evaluation", episode=0, t=0).t == 0
    later = theatre.ask("explain_update", kind="training", episode=0, t=10**6)
    assert "nothing follows" in later.error


def test_nothing_is_bootstrapped_behind_a_lost_life_and_the_episode_goes_on():
    record = {
        "actions": np.array([0, 1, 0, 1]),
        "rewards": np.array([1.0, 2.0, 4.0, 8.0]),
        "terminations": np.array([False, False, False, True]),
        "truncations": np.zeros(4, bool),
        "explored": np.zeros(4, bool),
        "life_lost": np.array([False, True, False, False]),
    }
    configuration = tiny(agent__n_step=3, agent__discount=0.5)
    card = describe(configuration.environment)
    seen = np.arange(5 * 4, dtype=np.float32).reshape(5, 4)
    streams = recorded(configuration, card, record, seen, 0)
    reward, discount, following = streams.windows(np.arange(4), 3, 0.5)
    assert reward.tolist() == [1.0 + 0.5 * 2.0, 2.0, 4.0 + 0.5 * 8.0, 8.0]
    assert discount.tolist() == [0.0] * 4
    assert following.tolist() == [2, 2, 4, 4]
    assert returns_ended(record).tolist() == [False, True, False, True]
