"""What planning is worth: fewer real steps, exact values, a model that improves."""

import numpy as np
import pytest

from engine.contract.arrays import state_hash
from engine.environments import make as make_environment
from engine.environments.worlds.grid_world import GridWorld
from engine.environments.worlds.tabular import TabularMDP

DYNA_MAZE = """\
.......#G
..#....#.
S.#....#.
..#......
.....#...
........."""
"""Figure 8.2 of Sutton and Barto (2018); its shortest way has 14 steps."""

TABLE = {
    "environment__id": "RLLab/GridWorld-v0",
    "network__hidden": "",
    "agent__loss": "squared",
    "agent__optimizer": "sgd",
    "agent__learning_rate": 0.1,
    "agent__batch_size": 1,
    "agent__double": False,
    "agent__gradient_clip": 0.0,
    "agent__learning_starts": 0,
    "agent__discount": 0.95,
    "target_network__kind": "none",
    "replay__kind": "none",
    "exploration__epsilon": 1.0,
    "exploration__schedule": "constant",
    "recording__level": "scalars",
}


def steps_until_solved(loop, limit):
    """Real steps until the greedy way to the goal has at most 16 steps."""
    environment = make_environment(loop.configuration.environment)
    while loop.step < limit:
        loop.advance(steps=100)
        observation = environment.reset(0)
        for _ in range(16):
            action = int(loop.agent.act(observation[None]).actions[0])
            observation, _, terminated, *_ = environment.step(action)
            if terminated:
                return loop.step
    return limit


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(it, marks=pytest.mark.long) for it in (1, 2))]
)
@pytest.mark.parametrize(
    "kind", ["dyna", pytest.param("sweeping", marks=pytest.mark.long)]
)
def test_planning_finds_the_way_where_q_learning_has_not(make, kind, seed):
    """On a random walk from the same seed; the walk itself is the same for both."""
    maze = {"layout": DYNA_MAZE, "step_reward": 0.0}
    options = {**TABLE, "environment__kwargs": maze, "training__seed": seed}
    options["training__steps"] = 7000
    planned = steps_until_solved(make(**options, planning__kind=kind), 7000)
    plain = steps_until_solved(make(**options), 7000)
    assert planned < 5000
    assert plain == 7000


def test_sweeping_comes_to_the_values_of_value_iteration(make):
    loop = make(
        **TABLE,
        environment__kwargs={"layout": "classic", "step_reward": -0.04},
        planning__kind="sweeping",
        planning__updates=15,
        planning__threshold=1e-6,
        training__steps=800,
    )
    loop.advance()
    world = GridWorld("classic", step_reward=-0.04)
    exact = world.solve(0.95).q_values
    states = ~world.model().terminated
    learned = loop.agent.insight(np.eye(12, dtype=np.float32))["q"]
    assert learned[states] == pytest.approx(exact[states], abs=1e-3)


def solved(table, world, discount):
    """Exact Q-values of what a table believes; the end of the world is known."""
    model = world.model()
    steps, chances, owner = table.everything(table.pairs)
    transition, reward = np.zeros_like(model.transition), 0 * model.reward
    states, actions = np.divmod(np.array(table.pairs), 4)
    places = states[owner], actions[owner]
    np.add.at(transition, (*places, steps.next_observation.argmax(1)), chances)
    np.add.at(reward, places, chances * steps.reward)
    return TabularMDP(transition, reward, model.terminated).solve(discount).q_values


@pytest.mark.long
@pytest.mark.slow
def test_dyna_comes_to_the_values_of_its_model_in_a_slippery_world(make):
    kwargs = {"layout": "classic", "step_reward": -0.04, "slip": 0.2}
    loop = make(
        **{**TABLE, "agent__batch_size": 16, "agent__learning_rate": 0.5},
        agent__learning_rate_final=0.01,
        environment__kwargs=kwargs,
        planning__kind="dyna",
        training__steps=2500,
    )
    loop.advance()
    world = GridWorld(**kwargs)
    states = ~world.model().terminated
    learned = loop.agent.insight(np.eye(12, dtype=np.float32))["q"][states]
    exact = solved(loop.agent._planning._planner._table, world, 0.95)[states]
    away = np.abs(learned - exact)
    assert away.mean() < 0.03
    assert away.max() < 0.1


def test_the_error_of_a_network_model_falls_on_cart_pole(make):
    loop = make(
        planning__kind="dyna",
        planning__model="network",
        planning__updates=1,
        planning__width=32,
        training__steps=1500,
        replay__capacity=2000,
    )
    errors, learn = [], loop.agent.learn

    def listening(step, watch):
        update = learn(step, watch)
        errors.append(update.extras["model_error"])
        return update

    loop.agent.learn = listening
    loop.advance()
    early, late = np.mean(errors[1:50]), np.mean(errors[-300:])
    assert late < early / 5
    assert late < 0.1


CASES = [
    {"planning__kind": "dyna"},
    {"planning__kind": "dyna", "planning__remembers": "last", "agent__n_step": 3},
    {"planning__kind": "sweeping", "replay__kind": "prioritized"},
    {
        "environment__id": "CartPole-v1",
        "planning__kind": "dyna",
        "planning__model": "network",
        "planning__actions": "policy",
        "replay__kind": "prioritized",
        "training__environments": 2,
        "agent__n_step": 2,
    },
]


@pytest.mark.parametrize("options", CASES, ids=str)
def test_a_cut_run_that_plans_is_the_straight_run_to_the_bit(make, options):
    options = {"environment__id": "FrozenLake-v1", "planning__updates": 3, **options}
    options |= {"training__steps": 400, "agent__learning_starts": 60}
    straight = make(**options)
    straight.advance()
    loop, logs = make(**options), []
    for cut in (40, 75, 200, 400):
        loop.advance(steps=cut - loop.step)
        logs.append(loop.drain().replay)
        state, loop = loop.state(), make(**options)
        loop.restore(
            state, {k: np.concatenate([it[k] for it in logs]) for k in logs[0]}
        )
    assert straight.agent.updates == 4 * straight.update
    assert state_hash(loop.state()) == state_hash(straight.state())
