"""Agents that are updated as one program against the same agents, each by itself."""

import numpy as np
import pytest
import torch
from by_hand import CARD, LINEAR
from test_graph import CASES, SMALL, with_experience

from engine.agents import build_agent, graph
from engine.agents.compiling import turn_narrow
from engine.agents.joint import JointAgents, of_seed
from engine.contract.options import configuration_from_flat

SEEDS = 3


def configured(**options):
    flat = {key.replace("__", "."): it for key, it in (SMALL | options).items()}
    seeds = {"training.seeds": SEEDS, "training.seed": 5}
    return configuration_from_flat({**LINEAR, **flat, **seeds})


def both(**options):
    """Agents side by side, and each by itself, with the same experience."""
    configuration = configured(**options)
    joint = JointAgents(configuration, CARD)
    single = [build_agent(of_seed(configuration, it), CARD) for it in range(SEEDS)]
    for agents in (joint.all, single):
        for seed, agent in enumerate(agents):
            with_experience(agent, seed)
    return joint, single


QUICK = ("double", "noisy")
"""The others take as long again, each."""
OTHERS = sorted(set(CASES) - {"retrace", *QUICK})


@pytest.mark.parametrize(
    "case", [*QUICK, *(pytest.param(it, marks=pytest.mark.long) for it in OTHERS)]
)
def test_a_joint_update_does_what_each_would_do_by_itself(case):
    joint, single = both(**CASES[case])
    for _ in range(4):
        ours, (theirs, *_) = joint.learn(100), [it.learn(100) for it in single]
        assert ours.td_error == pytest.approx(theirs.td_error, abs=1e-5)
        assert ours.q == pytest.approx(theirs.q, abs=1e-5)
        assert ours.loss == pytest.approx(theirs.loss, abs=1e-5)
        assert ours.gradient_norm == pytest.approx(theirs.gradient_norm, rel=1e-4)
        assert ours.extras == pytest.approx(theirs.extras, abs=1e-5)
    for one, other in zip(joint.all, single, strict=True):
        states = [graph.state_tensors(it.learner) for it in (one, other)]
        for ours, theirs in zip(*states, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
        compare_random_numbers(one, other)


def test_what_all_do_in_one_go_is_what_each_would_do():
    joint, single = both(agent__learning_starts=20)
    rng, explored = np.random.default_rng(0), 0
    for step in range(10, 60):
        seen = rng.standard_normal((SEEDS, 1, *CARD.shape)).astype(np.float32)
        found = joint.look([it[0] for it in seen], step)
        joint.look_away()
        for ours, agent, it in zip(found, single, seen, strict=True):
            theirs = agent.act(it, "explore", step)
            np.testing.assert_equal(ours[:2], theirs[:2])
            np.testing.assert_allclose(ours.q, theirs.q, rtol=1e-5)
            explored += int(theirs.explored[0])
    assert 10 * SEEDS < explored < 50 * SEEDS
    for one, other in zip(joint.all, single, strict=True):
        generators = [
            it.state()["actor"]["explorer"]["generator"] for it in (one, other)
        ]
        assert generators[0] == generators[1]


@pytest.mark.parametrize(
    "options",
    [{"exploration__kind": "boltzmann"}, {"exploration__kind": "noisy"}],
    ids=str,
)
def test_who_follows_more_than_q_values_is_asked(options):
    joint, _ = both(**options)
    seen = [np.zeros(CARD.shape, np.float32)] * SEEDS
    assert joint.look(seen, 100) == [None] * SEEDS


def test_products_with_narrow_matrices_are_the_same_when_turned():
    joint, _ = both(network__hidden="16,16")
    graph, inputs = joint.record(joint.draw(0.5))
    found = []
    for turn in (False, True):
        if turn:
            before = graph.code
            turn_narrow(graph)
            assert graph.code != before
        given = [it.clone() for it in inputs]
        with torch.inference_mode():
            found.append([*graph(*given), *given])
    for written, turned in zip(*found, strict=True):
        torch.testing.assert_close(written, turned, rtol=1e-5, atol=1e-6)


def compare_random_numbers(one, other):
    ours, theirs = one.state(), other.state()
    assert ours["memory"]["generator"] == theirs["memory"]["generator"]
    assert np.array_equal(ours["noise"], theirs["noise"])
    assert ours["updates"] == theirs["updates"] == 4
    assert ours["optimizer"].get("steps") == theirs["optimizer"].get("steps")
    priorities = [it["memory"]["priorities"]["raw"] for it in (ours, theirs)]
    assert priorities[0] == pytest.approx(priorities[1], rel=1e-4)
