"""A recorded update against the same update line by line."""

import numpy as np
import pytest
import torch
from by_hand import ACTIONS, make

from engine.agents import graph
from engine.agents.compiled import choices
from engine.contract.options import specs

SMALL = {"network__hidden": "8,8", "agent__batch_size": 16, "exploration__epsilon": 0.5}
HEAD = {"head__atoms": 11}
MIXED = {
    **HEAD,
    "agent__dueling": "mean",
    "agent__double": True,
    "agent__estimator": "expected_sarsa",
    "head__risk": "cvar",
    "head__risk_level": 0.3,
}
CASES = {
    "plain": {},
    "double": {"agent__double": True, "agent__dueling": "mean"},
    "prioritized": {"agent__dueling": "max", "replay__kind": "prioritized"},
    "sarsa": {"agent__estimator": "sarsa"},
    "soft": {"agent__estimator": "soft", "agent__loss": "squared"},
    "c51": {"head__kind": "c51", **HEAD},
    "c51 mixed": {"head__kind": "c51", **MIXED},
    "c51 sarsa": {"head__kind": "c51", "agent__estimator": "sarsa", **HEAD},
    "qr": {"head__kind": "qr", **HEAD},
    "mmd mixed": {"head__kind": "mmd", **MIXED},
    "noisy": {"exploration__kind": "noisy"},
    "ensemble": {"exploration__kind": "bootstrapped"},
    "retrace": {"agent__n_step": 3, "agent__n_step_correction": "retrace"},
    "trust region": {"agent__bootstrap": "trust_region"},
    "conservative": {"agent__conservative": 1.0},
    "rmsprop": {
        "agent__optimizer": "rmsprop",
        "agent__double": False,
        "target_network__kind": "none",
    },
    "clipped": {"agent__optimizer": "sgd", "agent__gradient_clip": 0.1},
    "action input": {"head__architecture": "action_input"},
}


def experienced(**options):
    """An agent with 60 steps of three episodes behind it."""
    return with_experience(make(**(SMALL | options)))


def with_experience(agent, seed=0):
    """Let it take 60 steps in three episodes."""
    rng = np.random.default_rng(seed)

    def seen(*lead):
        return rng.standard_normal((*lead, 3)).astype(np.float32)

    agent.begin(0, seen())
    for t in range(60):
        agent.act(seen(1), "explore", 10)
        reward, ends = float(rng.standard_normal()), t % 17 == 16
        agent.remember(0, int(rng.integers(ACTIONS)), reward, ends, False, seen())
        if ends:
            agent.begin(0, seen())
    return agent


def drawn(agent):
    return agent.memory.sample(16, 0.9, 0.5)


class Replayed:
    """Stands where the library would, and runs the recorded graph."""

    def __init__(self, learner, example):
        self.recorded = graph.record(learner, example)[0]
        self.state = graph.state_tensors(learner)

    def takes(self, batch):
        return True

    def __call__(self, arrays, dials):
        tensors = [torch.from_numpy(it) for it in arrays]
        with torch.no_grad():
            outputs = self.recorded(*self.state, *tensors, torch.tensor(dials))
        return graph.Outputs(*outputs)


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_update_does_what_its_lines_do(case):
    eager, replayed = experienced(**CASES[case]), experienced(**CASES[case])
    examples = drawn(eager), drawn(replayed)
    replayed.learner.compiled = Replayed(replayed.learner, examples[1])
    for _ in range(4):
        ours = eager.learn(100)
        theirs = replayed.learn(100)
        assert ours.td_error == pytest.approx(theirs.td_error, abs=1e-5)
        assert ours.q == pytest.approx(theirs.q, abs=1e-5)
        assert ours.loss == pytest.approx(theirs.loss, abs=1e-5)
        assert ours.gradient_norm == pytest.approx(theirs.gradient_norm, rel=1e-4)
        assert ours.extras == pytest.approx(theirs.extras, abs=1e-5)
    states = [graph.state_tensors(it.learner) for it in (eager, replayed)]
    for one, other in zip(*states, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    counts = [it.learner.optimizer.pace(1.0) for it in (eager, replayed)]
    assert counts[0] == counts[1], "both have counted their steps"
    weights = eager.memory.priorities, replayed.memory.priorities
    if case == "prioritized":
        assert len({it.draw(np.array([0.3]))[0][0] for it in weights}) == 1


def test_recording_leaves_the_learner_as_it_is():
    agent = experienced(agent__bootstrap="trust_region")
    before = [it.detach().clone() for it in graph.state_tensors(agent.learner)]
    graph.record(agent.learner, drawn(agent))
    after = graph.state_tensors(agent.learner)
    assert all(map(torch.equal, before, after))


def test_nothing_moves_where_the_gradient_is_not_finite():
    agent = experienced()
    example = drawn(agent)
    replayed = Replayed(agent.learner, example)
    before = [it.detach().clone() for it in graph.state_tensors(agent.learner)]
    reward = example.reward.copy()
    reward[3] = np.inf
    arrays = graph.batch_arrays(example._replace(reward=reward))
    found = replayed(arrays, graph.Dials(0.1, 0.01, 0.1, 1e-8))
    assert not found.numbers[:2].isfinite().all()
    after = graph.state_tensors(agent.learner)
    assert all(map(torch.equal, before, after))


ELSEWHERE = {
    "agent.learning_rate": 0.5,
    "agent.discount": 0.5,
    "agent.updates_per_step": 0.5,
    "agent.learning_rate_final": 0.5,
    "replay.alpha": 0.1,
    "target_network.period": 7,
    "exploration.epsilon_final": 0.2,
    "training.steps": 77,
}


@pytest.mark.parametrize(
    "case", [pytest.param("prioritized", marks=pytest.mark.long), "c51 mixed"]
)
def test_an_option_that_is_none_of_its_choices_leaves_a_graph_as_it_is(case):
    def code(options):
        of = {key.replace(".", "__"): value for key, value in options.items()}
        agent = experienced(**(CASES[case] | of))
        return graph.record(agent.learner, drawn(agent))[0].code

    plain = code({})
    chosen = choices(experienced().configuration)
    assert not set(ELSEWHERE) & set(chosen)
    for key, value in ELSEWHERE.items():
        assert code({key: value}) == plain, key


def test_all_that_the_network_and_the_loss_are_made_of_counts():
    chosen = set(choices(experienced().configuration))
    of_form = {it for it in specs() if it.split(".")[0] in ("head", "network")}
    assert of_form <= chosen
    live = {it for it, spec in specs().items() if spec.applies == "live"}
    known = {it for it in live & set(specs()) if it.startswith("agent.")}
    dials = {
        "agent.learning_rate",
        "agent.learning_rate_final",
        "agent.discount",
        "agent.learning_starts",
        "agent.updates_per_step",
    }
    assert known - chosen <= dials
