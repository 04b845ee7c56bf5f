"""DeepSea, NoisyTV and Catch by hand."""

import itertools

import numpy as np
import pytest

from engine.environments.worlds.catch import Catch
from engine.environments.worlds.deep_sea import DeepSea
from engine.environments.worlds.noisy_tv import REMOTE, NoisyTV

UP, RIGHT, DOWN, LEFT = range(4)
_WAY = [DOWN, DOWN, *[RIGHT] * 4, UP, UP, *[RIGHT] * 4, DOWN, DOWN, LEFT, LEFT]
_WAY += [DOWN, DOWN, RIGHT, RIGHT, DOWN, DOWN, LEFT, LEFT, LEFT]


def dive(world, rights):
    """Return and last state of a dive; ``rights`` says whether each step goes right."""
    state, total, ended = world.reset(seed=0)[0], 0.0, False
    for goes_right in rights:
        assert not ended
        meant = world.right[divmod(state, world.size)]
        state, reward, ended, _, _ = world.step(meant if goes_right else 1 - meant)
        total += reward
    assert ended
    return total, state


@pytest.mark.parametrize("size", [2, 10, 14, 50])
def test_only_right_all_the_way_finds_the_treasure(size):
    world = DeepSea(size)
    assert dive(world, [True] * size) == (pytest.approx(0.99), size**2)
    assert world.solve(1.0).values[0] == pytest.approx(0.99)


def test_every_dive_of_four_steps():
    """One of 2^4 dives pays; the others cost what they went right."""
    world = DeepSea(4)
    for rights in itertools.product([False, True], repeat=4):
        treasure = 1.0 if all(rights) else 0.0
        assert dive(world, rights)[0] == pytest.approx(treasure - 0.0025 * sum(rights))


def test_values_at_the_bottom_of_the_sea():
    world = DeepSea(3)
    values, q_values = world.solve(0.5)
    assert values[8] == pytest.approx(1 - 0.01 / 3)
    assert q_values[7, world.right[2, 1]] == pytest.approx(-0.01 / 3)
    assert values[7] == 0
    assert values[0] == pytest.approx(0.25 - 0.01 / 3 * 1.75)
    assert values[9] == 0


def test_the_meaning_of_actions_hangs_on_its_seed_alone():
    one, same, other = DeepSea(10, 5), DeepSea(10, 5), DeepSea(10, 6)
    one.reset(seed=1)
    np.testing.assert_array_equal(one.right, same.right)
    assert 0 < (one.right != other.right).mean() < 1
    assert 0.3 < one.right.mean() < 0.7


def test_the_maze_behind_the_television():
    world = NoisyTV()
    first, _ = world.reset(seed=0)
    assert first.shape == (41 + 16,)
    steps = [world.step(action) for action in _WAY]
    assert len(_WAY) == 25
    assert [step[1] for step in steps] == [0.0] * 24 + [1.0]
    assert [step[2] for step in steps] == [False] * 24 + [True]
    assert all(step[0][:41].sum() == 1 for step in steps)
    assert world.solve(0.9).values[0] == pytest.approx(0.9**24)


def test_the_screen_is_new_each_time_and_seen_in_its_room_alone():
    world = NoisyTV(dots=4)
    world.reset(seed=0)
    screens = {tuple(world.step(REMOTE)[0][41:]) for _ in range(50)}
    assert len(screens) > 45
    last = world.step(REMOTE)[0][41:]
    np.testing.assert_array_equal(world.step(DOWN)[0][41:], last)
    world.step(DOWN)
    for _ in range(3):
        seen = world.step(RIGHT)[0]
    assert seen[41:].sum() == 0
    assert world.step(REMOTE)[0][41:].sum() == 0
    np.testing.assert_array_equal(world.step(LEFT)[0][41:], last)


def test_without_power_the_screen_stays_dark():
    world = NoisyTV(tv=False)
    world.reset(seed=0)
    assert all(world.step(REMOTE)[0][41:].sum() == 0 for _ in range(20))


def test_a_television_off_draws_no_random_number():
    world = NoisyTV(tv=False)
    world.reset(seed=0)
    before = world.np_random.bit_generator.state
    world.step(REMOTE)
    assert world.np_random.bit_generator.state == before


def test_a_ball_falls_and_is_caught_or_not():
    world = Catch()
    board = world.reset(seed=0)[0].reshape(10, 5)
    assert board.sum() == 2
    assert board[9, 2] == 1
    column = int(board[0].argmax())
    steps = [world.step(0 if column < 2 else 2 if column > 2 else 1)]
    assert steps[0][0].reshape(10, 5)[1, column] == 1
    steps += [world.step(1 + np.sign(column - world._paddle)) for _ in range(8)]
    assert [step[1] for step in steps] == [0.0] * 8 + [1.0]
    assert [step[2] for step in steps] == [False] * 8 + [True]


def test_a_ball_at_the_side_is_missed_by_who_stays():
    world = Catch()
    world.reset(seed=0)
    world._ball = 0
    assert [world.step(1)[1] for _ in range(9)] == [0.0] * 8 + [-1.0]


def test_every_ball_can_be_caught_but_late_ones_cannot():
    world = Catch()
    values = world.solve(0.9).values
    for column in range(5):
        assert values[world.state(0, column, 2)] == pytest.approx(0.9**8)
    assert values[world.state(8, 0, 1)] == 1
    assert values[world.state(8, 0, 2)] == -1
    assert values[world.state(6, 0, 4)] == pytest.approx(-(0.9**2))


def test_balls_are_drawn_from_all_columns():
    world = Catch()
    boards = [world.reset(seed=seed)[0].reshape(10, 5) for seed in range(200)]
    counts = np.sum([board[0] for board in boards], axis=0)
    assert counts.min() > 20
