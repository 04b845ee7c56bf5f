"""Worlds with tables: dynamics by hand, solutions against other derivations."""

import numpy as np
import pytest

from engine.environments.worlds.baird import Baird, features_of_the_star
from engine.environments.worlds.cliff import Cliff
from engine.environments.worlds.corridor import Corridor
from engine.environments.worlds.maximization_bias import A, B, MaximizationBias
from engine.environments.worlds.tabular import TabularMDP, greedy_policy
from engine.environments.worlds.two_state import TwoState

UP, RIGHT, DOWN, LEFT = range(4)


def walk(world, actions, seed=0):
    """States and rewards along a walk, and whether it ended."""
    states, rewards, ended = [world.reset(seed=seed)[0]], [], False
    for action in actions:
        state, reward, ended, truncated, _ = world.step(action)
        states.append(state)
        rewards.append(reward)
        assert not truncated
    return states, rewards, ended


def chain():
    """0 goes on to 1, 1 to the end 2; action 1 stays. Each step pays 1."""
    transition = np.zeros((3, 2, 3))
    transition[[0, 1, 2], 0, [1, 2, 2]] = 1
    transition[[0, 1, 2], 1, [0, 1, 2]] = 1
    return TabularMDP(transition, np.ones((3, 2)), np.array([False, False, True]))


def test_a_chain_by_hand():
    values, q_values = chain().solve(0.5)
    np.testing.assert_allclose(values, [2, 2, 0])
    np.testing.assert_allclose(q_values, [[2, 2], [1, 2], [0, 0]], atol=1e-11)
    onwards = np.array([[1, 0]] * 3)
    np.testing.assert_allclose(chain().evaluate(onwards, 0.5).values, [1.5, 1, 0])
    np.testing.assert_allclose(chain().solve_within(1, 0.5).values, [1, 1, 0])
    np.testing.assert_allclose(chain().solve_within(2, 0.5).values, [1.5, 1.5, 0])


def test_the_soft_optimum_evaluates_to_itself():
    mdp, epsilon = Cliff().model(), 0.3
    soft = mdp.solve(0.9, epsilon)
    policy = greedy_policy(soft.q_values, epsilon)
    np.testing.assert_allclose(mdp.evaluate(policy, 0.9).values, soft.values, atol=1e-9)


def test_evaluation_agrees_with_linear_equations():
    mdp = Corridor(actions=10).model()
    policy = greedy_policy(np.random.default_rng(0).normal(size=mdp.reward.shape), 0.4)
    step = np.einsum("sa,sat->st", policy, mdp.transition) * ~mdp.terminated[:, None]
    gain = (policy * mdp.reward).sum(axis=1) * ~mdp.terminated
    exact = np.linalg.solve(np.eye(len(gain)) - 0.95 * step, gain)
    np.testing.assert_allclose(mdp.evaluate(policy, 0.95).values, exact, atol=1e-10)


def test_ties_go_to_the_first_or_to_all():
    q_values = np.array([[1.0, 2.0, 2.0, 0.0]])
    assert greedy_policy(q_values, 0.2).tolist() == [
        pytest.approx([0.05, 0.85, 0.05, 0.05])
    ]
    shared = greedy_policy(q_values, 0.2, share_ties=True)
    assert shared.tolist() == [pytest.approx([0.05, 0.45, 0.45, 0.05])]


def test_no_finite_solution_is_said(monkeypatch):
    monkeypatch.setattr("engine.environments.worlds.tabular.MOST_SWEEPS", 300)
    with pytest.raises(ValueError, match="no finite solution at discount 1"):
        chain().solve(1.0)


def test_tables_must_fit_together():
    with pytest.raises(ValueError, match=r"must be \[S, A, S\] and \[S\]"):
        TabularMDP(np.zeros((2, 1, 3)), np.zeros((2, 1)), np.zeros(2, bool))


def test_a_step_off_the_cliff_leads_back_and_goes_on():
    states, rewards, ended = walk(Cliff(), [LEFT, RIGHT, UP, RIGHT, DOWN])
    assert states == [36, 36, 36, 24, 25, 36]
    assert rewards == [-1, -100, -1, -1, -100]
    assert not ended


def test_the_shortest_way_along_the_cliff():
    states, rewards, ended = walk(Cliff(), [UP, *[RIGHT] * 11, DOWN])
    assert ended
    assert states[-1] == 47
    assert sum(rewards) == -13


def test_known_values_of_the_cliff():
    """Of an exact computation made elsewhere: -13, -45.80 and -20.71."""
    cliff = Cliff()
    assert cliff.solve(1.0).values[36] == pytest.approx(-13)
    assert cliff.online_return(0.1) == pytest.approx(-45.80, abs=0.005)
    assert cliff.soft_optimum(0.1).values[36] == pytest.approx(-20.71, abs=0.005)
    assert cliff.online_return(0.0) == pytest.approx(-13)


def test_the_soft_optimum_keeps_away_from_the_edge():
    best = Cliff().soft_optimum(0.1).q_values.argmax(axis=1).reshape(4, 12)
    assert best[2, 1:10].tolist() == [UP] * 9
    greedy = Cliff().solve(1.0).q_values.argmax(axis=1).reshape(4, 12)
    assert greedy[2, 1:10].tolist() == [RIGHT] * 9


def test_both_ends_of_the_corridor():
    world = Corridor(length=2, height=3)
    assert walk(world, [UP, UP]) == ([6, 2, 0], [0.0, 0.1], True)
    assert walk(world, [4, RIGHT, UP, RIGHT, RIGHT, RIGHT, UP]) == (
        [6, 6, 6, 2, 3, 4, 5, 1],
        [0, 0, 0, 0, 0, 0, 1.0],
        True,
    )
    assert world.observation_space.n == 8


@pytest.mark.parametrize("actions", [5, 10, 20])
def test_no_ops_change_no_value(actions):
    world = Corridor(actions)
    values, q_values = world.solve(0.9)
    start = world.reset(seed=0)[0]
    assert values[start] == pytest.approx(0.9**13)
    np.testing.assert_allclose(q_values[start, 4:], 0.9**14)
    walk(world, range(4, actions))
    assert world.render_mode is None


def test_a_discount_can_make_the_near_reward_the_better_one():
    assert Corridor().solve(0.7).values[Corridor().reset()[0]] == pytest.approx(
        0.1 * 0.7**3
    )


def test_maximization_bias_by_hand():
    world = MaximizationBias(actions=4)
    assert walk(world, [1]) == ([A, 2], [0.0], True)
    assert walk(world, [3])[0] == [A, 2]
    states, rewards, ended = walk(world, [2, 0])
    assert (states, rewards[0], ended) == ([A, B, 2], 0.0, True)
    values, q_values = world.solve(0.9)
    np.testing.assert_allclose(values, [0, -0.1, 0])
    np.testing.assert_allclose(q_values[A], [-0.09, 0, -0.09, 0])


def test_an_arm_pays_what_its_distribution_says():
    world = MaximizationBias(mean=-0.1, spread=2.0)
    world.reset(seed=4)
    drawn = []
    for _ in range(4000):
        world._state = B
        drawn.append(world.step(3)[1])
    assert np.mean(drawn) == pytest.approx(-0.1, abs=0.1)
    assert np.std(drawn) == pytest.approx(2.0, abs=0.1)


def expected_q_learning(features, transition, visits, weights, sweeps, step=0.05):
    """Mean updates of Q-learning with one row of weights for each action."""
    for _ in range(sweeps):
        best = (features @ weights.T).max(axis=1)
        target = 0.99 * transition @ best
        error = (target - features @ weights.T) * visits[:, None]
        weights = weights + step * error.T @ features
        if np.abs(weights).max() > 1e6:
            return np.inf
    return float(np.abs(features @ weights.T).max())


@pytest.mark.parametrize(("twins", "diverges"), [(True, True), (False, False)])
def test_bairds_star_diverges_when_dashed_is_taken_six_times_of_seven(twins, diverges):
    model = Baird(twins=twins).model()
    visits = model.transition.mean(axis=1)[0]
    start = np.tile([1.0, 1, 1, 1, 1, 1, 10, 1], (model.reward.shape[1], 1))
    end = expected_q_learning(
        features_of_the_star(), model.transition, visits, start, 4000
    )
    assert (end == np.inf) == diverges


def test_bairds_random_behaviour_is_that_of_the_book():
    """All seven states equally often, and the weights of TD learning grow."""
    world = Baird()
    np.testing.assert_allclose(world.model().transition.mean(axis=1), 1 / 7)
    assert world.growth(0.99) == pytest.approx(0.2393, abs=1e-4)
    assert world.growth(0.5) < 1e-12
    np.testing.assert_array_equal(world.solve(0.99).values, 0)


def test_bairds_moves_and_features():
    world = Baird()
    world.reset(seed=0)
    assert world.step(6)[0].tolist() == [0, 0, 0, 0, 0, 0, 1, 2]
    seen = {tuple(world.step(action % 6)[0].tolist()) for action in range(200)}
    assert seen == {tuple(row) for row in features_of_the_star()[:6].tolist()}


@pytest.mark.parametrize("end", [0.0, 0.25])
def test_two_states_diverge_above_a_known_discount(end):
    world, edge = TwoState(end), 5 / (6 - 4 * end)
    assert world.growth(0.9) == pytest.approx(((6 - 4 * end) * 0.9 - 5) / 2)
    if edge < 1:
        assert world.growth(edge - 0.01) < 0 < world.growth(edge + 0.01)


def test_two_states_by_hand():
    world = TwoState(features=False)
    world.reset(seed=0)
    world._state = 0
    assert [world.step(action)[0] for action in (1, 0, 0, 1, 0)] == [0, 1, 1, 0, 1]
    ending = TwoState(end=1.0)
    ending.reset(seed=0)
    ending._state = 0
    first, second = ending.step(0), ending.step(0)
    assert (first[0].tolist(), first[2]) == ([2.0], False)
    assert (second[0].tolist(), second[2]) == ([0.0], True)


@pytest.mark.parametrize(
    "world",
    [
        Cliff(),
        Corridor(actions=10),
        MaximizationBias(spread=0.0),
        Baird(features=False),
        TwoState(end=0.3, features=False),
    ],
    ids=lambda world: type(world).__name__,
)
def test_the_tables_agree_with_the_steps(world):
    model, rng = world.model(), np.random.default_rng(2)
    state, _ = world.reset(seed=2)
    for _ in range(400):
        action = int(rng.integers(world.action_space.n))
        there, reward, ended, _, _ = world.step(action)
        assert model.transition[state, action, there] > 0
        assert reward == pytest.approx(model.reward[state, action])
        assert ended == model.terminated[there]
        state = world.reset()[0] if ended else there
    np.testing.assert_allclose(model.transition.sum(axis=2), 1.0)
