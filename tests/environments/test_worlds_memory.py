"""TMaze and Tiger: what must be remembered, and what remembering is worth."""

import numpy as np
import pytest

from engine.environments.worlds.t_maze import TMaze
from engine.environments.worlds.tiger import Tiger

UP, RIGHT, DOWN, LEFT = range(4)
LISTEN, OPEN_LEFT, OPEN_RIGHT = range(3)


def seed_with_sign(world, sign):
    return next(s for s in range(50) if world.reset(seed=s)[0][0] == sign)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_sign_is_shown_once_and_decides_at_the_fork(sign):
    world = TMaze(length=2)
    world.reset(seed=seed_with_sign(world, sign))
    seen = [world.step(action) for action in (UP, RIGHT, LEFT, RIGHT, RIGHT, RIGHT)]
    assert [step[0].tolist() for step in seen] == [
        [0, way] for way in (1.0, 0.5, 1.0, 0.5, 0.0, 0.0)
    ]
    assert all(step[1:3] == (0.0, False) for step in seen)
    assert world.step(UP)[1:3] == (sign, True)


@pytest.mark.parametrize("action", [0, 1])
def test_carried_along_only_the_last_action_counts(action):
    """The memory length of bsuite: a cue, so many steps, then the answer."""
    world = TMaze(length=3, walking=False)
    world.reset(seed=seed_with_sign(world, 1.0))
    steps = [world.step(1 - action) for _ in range(3)] + [world.step(action)]
    assert [step[2] for step in steps] == [False, False, False, True]
    assert [step[1] for step in steps] == [0, 0, 0, 1.0 if action == 0 else -1.0]
    assert steps[2][0].tolist() == [0.0, 0.0]


def test_noise_follows_the_sign_and_tells_nothing():
    world = TMaze(length=60, noise=0.5)
    assert abs(world.reset(seed=1)[0][0]) == 1
    noise = [world.step(RIGHT)[0][0] for _ in range(60)]
    assert len(set(noise)) == 60
    assert max(map(abs, noise)) <= 0.5


def test_signs_are_equally_likely():
    world = TMaze()
    signs = [world.reset(seed=seed)[0][0] for seed in range(400)]
    assert abs(np.mean(signs)) < 0.12


@pytest.mark.parametrize("walking", [True, False])
def test_the_best_that_memory_can_do(walking):
    world = TMaze(length=7, walking=walking)
    values = world.solve(0.9).values
    for sign in (0, 1):
        assert values[world.state(sign, 0)] == pytest.approx(0.9**7)


def test_without_the_sign_every_policy_earns_nothing():
    """The same choice for both signs: the mean of their rewards at the fork is 0."""
    model, world = TMaze(length=3).model(), TMaze(length=3)
    forks = [world.state(sign, 3) for sign in (0, 1)]
    np.testing.assert_array_equal(model.reward[forks][:, [UP, DOWN]].sum(axis=0), 0)


def test_growls_come_from_the_tigers_side_as_often_as_said():
    world = Tiger(accuracy=0.7)
    right = 0
    for seed in range(40):
        world.reset(seed=seed)
        for _ in range(50):
            right += world.step(LISTEN)[0] == world._tiger
    assert right / 2000 == pytest.approx(0.7, abs=0.03)


def test_belief_is_bayes_rule():
    world = Tiger()
    world.reset(seed=3)
    left, right = 0.5, 0.5
    for _ in range(6):
        heard = world.step(LISTEN)[0]
        left *= 0.85 if heard == 1 else 0.15
        right *= 0.15 if heard == 1 else 0.85
        assert world.belief == pytest.approx(left / (left + right))


def test_doors_pay_and_end_the_episode():
    world = Tiger()
    world.reset(seed=0)
    assert world.step(LISTEN)[1:3] == (-1.0, False)
    assert world.step(world._tiger)[0:3] == (0, -100.0, True)
    world.reset(seed=0)
    assert world.step(3 - world._tiger)[0:3] == (0, 10.0, True)


def test_with_a_horizon_the_tiger_is_hidden_again():
    world = Tiger(horizon=60)
    world.reset(seed=1)
    ends, places = [], set()
    for _ in range(60):
        ends.append(world.step(3 - world._tiger)[1:3])
        places.add(world._tiger)
        assert world.belief == 0.5
    assert ends == [(10.0, False)] * 59 + [(10.0, True)]
    assert places == {OPEN_LEFT, OPEN_RIGHT}


def listening(lead, p):
    """Return of listening until one side leads: the gambler's ruin, undiscounted."""
    q = 1 - p
    wrong = q**lead / (p**lead + q**lead)
    listened = lead / (p - q) * (1 - 2 * wrong)
    return 10 - 110 * wrong - listened


@pytest.mark.parametrize(("accuracy", "lead"), [(0.85, 3), (0.7, 3), (0.95, 2)])
def test_the_optimum_is_the_best_rule_of_stopping(accuracy, lead):
    ways = {n: listening(n, accuracy) for n in range(1, 12)}
    solution = Tiger(accuracy).solve(1.0)
    assert solution.values[solution.start] == pytest.approx(
        max(ways.values()), abs=1e-6
    )
    chosen = solution.q_values.argmax(axis=1)
    first = solution.start - int(np.argmax(chosen[solution.start :: -1] != LISTEN))
    assert solution.start - first == max(ways, key=ways.get)


def test_the_printed_optimum():
    assert listening(3, 0.85) == pytest.approx(5.160, abs=5e-4)
    solution = Tiger().solve(1.0)
    assert solution.values[solution.start] == pytest.approx(5.160, abs=5e-4)
    assert solution.beliefs[solution.start] == 0.5


def by_histories(left, right, steps, p):
    """Value of all histories from unnormalised beliefs, without any belief state."""
    if steps == 0:
        return 0.0
    fresh = (left + right) * by_histories(0.5, 0.5, steps - 1, p)
    heard_left = by_histories(left * p, right * (1 - p), steps - 1, p)
    heard_right = by_histories(left * (1 - p), right * p, steps - 1, p)
    return max(
        -(left + right) + heard_left + heard_right,
        -100 * left + 10 * right + fresh,
        10 * left - 100 * right + fresh,
    )


@pytest.mark.parametrize("horizon", [1, 2, 3, 5, 6])
def test_a_finite_horizon_agrees_with_all_histories(horizon):
    solution = Tiger(horizon=horizon).solve(1.0)
    expected = by_histories(0.5, 0.5, horizon, 0.85)
    assert solution.values[solution.start] == pytest.approx(expected, abs=1e-9)
