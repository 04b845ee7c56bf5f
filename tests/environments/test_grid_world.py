"""GridWorld against truth by hand and against itself."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from engine.contract.grid_layouts import LAYOUTS, read_layout
from engine.environments.worlds.grid_world import GridWorld

UP, RIGHT, DOWN, LEFT = range(4)


def walk(world, actions):
    """Cells and rewards along a walk from the start."""
    cells, rewards = [world.reset(seed=0)[0]], []
    for action in actions:
        cell, reward, terminated, _, _ = world.step(action)
        cells.append(cell)
        rewards.append(reward)
        if terminated:
            break
    return cells, rewards


def test_moves_walls_and_edges():
    world = GridWorld("S#G\n...")
    assert walk(world, [RIGHT, UP, LEFT, DOWN, DOWN, RIGHT, UP, RIGHT, UP]) == (
        [0, 0, 0, 0, 3, 3, 4, 4, 5, 2],
        [-0.01] * 8 + [1.0],
    )


def test_a_pit_ends_the_episode():
    world = GridWorld("SP\n.G")
    assert walk(world, [RIGHT]) == ([0, 1], [-1.0])


def test_a_slip_goes_sideways_equally_often():
    world = GridWorld("...\n.S.\n..G", slip=0.4)
    world.reset(seed=3)
    seen = np.zeros(9)
    for _ in range(4000):
        world._cell = 4
        seen[world.step(RIGHT)[0]] += 1
    np.testing.assert_allclose(
        seen / 4000, [0, 0.2, 0, 0, 0, 0.6, 0, 0.2, 0], atol=0.03
    )


def test_starts_are_drawn_from_the_seed():
    world = GridWorld("SSS\n..G")
    starts = [world.reset(seed=seed)[0] for seed in range(60)]
    assert starts == [world.reset(seed=seed)[0] for seed in range(60)]
    assert set(starts) == {0, 1, 2}


def test_values_of_a_corridor_by_hand():
    """V = γ^(d-1) - 0.1 (1 + γ + ...) at distance d from the goal."""
    values, q_values = GridWorld("S..G", step_reward=-0.1).solve(0.5)
    np.testing.assert_allclose(values, [0.25 - 0.15, 0.5 - 0.1, 1.0, 0.0])
    np.testing.assert_allclose(q_values[1], [0.1, 0.4, 0.1, -0.05], atol=1e-12)


def test_values_of_the_textbook_world():
    """Russell and Norvig, 3rd edition, figure 17.3 (rewards there are for leaving
    a cell, so that ours is larger by the 0.04 of the cell itself)."""
    values, _ = GridWorld("classic", slip=0.2, step_reward=-0.04).solve(1.0)
    printed = [0.812, 0.868, 0.918, 0, 0.762, 0, 0.660, 0, 0.705, 0.655, 0.611, 0.388]
    printed = np.array(printed)
    free = printed != 0
    np.testing.assert_allclose(values[free], printed[free] + 0.04, atol=6e-4)


def test_the_model_is_a_distribution_and_agrees_with_steps():
    world = GridWorld("garden", slip=0.3)
    model = world.transitions()
    np.testing.assert_allclose(model.sum(axis=2), 1.0)
    world.reset(seed=1)
    counts = np.zeros(64)
    for _ in range(5000):
        world._cell = 18
        counts[world.step(DOWN)[0]] += 1
    np.testing.assert_allclose(counts / 5000, model[18, DOWN], atol=0.03)


def test_greedy_walks_on_the_solution_earn_its_value():
    world = GridWorld("maze")
    solution = world.solve(0.99)
    cells, rewards = walk(world, iter(lambda: world_action(world, solution), None))
    earned = sum(reward * 0.99**t for t, reward in enumerate(rewards))
    assert earned == pytest.approx(solution.values[cells[0]])


def world_action(world, solution):
    return int(solution.q_values[world._cell].argmax())


def test_a_world_without_a_finite_solution_is_refused(monkeypatch):
    monkeypatch.setattr("engine.environments.worlds.tabular.MOST_SWEEPS", 500)
    with pytest.raises(ValueError, match="no finite solution at discount 1"):
        GridWorld("classic", step_reward=0.1).solve(1.0)


@pytest.mark.parametrize("name", LAYOUTS)
def test_named_layouts_can_be_played_and_drawn(name):
    world = GridWorld(name, render_mode="rgb_array")
    check_env(world, skip_render_check=True)
    assert world.solve(0.99).values[world.reset(seed=0)[0]] > 0
    frame = world.render()
    assert frame.dtype == np.uint8
    assert 90 <= min(frame.shape[:2]) <= max(frame.shape[:2]) <= 600


def test_the_picture_follows_the_agent():
    world = GridWorld("open", render_mode="rgb_array")
    world.reset(seed=0)
    before = world.render()
    world.step(DOWN)
    changed = np.argwhere((world.render() != before).any(axis=2))
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
    cell = (before.shape[0] - 48) // 6
    assert 24 <= top < bottom <= 24 + 2 * cell
    assert 24 <= left < right <= 24 + cell


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("gardn", "no layout 'gardn' .did you mean garden"),
        ("S.\nG", "Row 2 of the layout has 1 cells and the first has 2"),
        ("S.G\n.x.", "the character 'x' in row 2, column 2"),
        ("..G\n...", "no start"),
        ("S..\n...", "no goal"),
        ("S#G\n.#.", "No goal can be reached from the start in row 1, column 1"),
        ("SPG", "No goal can be reached"),
        ("S" + "." * 40 + "G", "more than 40"),
        ("", "no start"),
    ],
)
def test_a_bad_layout_is_refused_with_a_sentence(layout, words):
    with pytest.raises(ValueError, match=words):
        read_layout(layout)


@pytest.mark.parametrize("slip", [-0.1, 1.1, float("nan")])
def test_a_slip_is_a_probability(slip):
    with pytest.raises(ValueError, match="slip is a probability"):
        GridWorld("open", slip=slip)
