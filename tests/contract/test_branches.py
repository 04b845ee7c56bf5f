"""Returns and their difference, against numbers worked out by hand."""

import numpy as np
import pytest

from engine.contract.branches import compare, difference, parting, returned
from engine.contract.notes import Branch, Rollout


def rollout(*rewards: float, terminated: bool = True) -> Rollout:
    return Rollout([0] * len(rewards), list(rewards), [], terminated)


def branch(rollouts: list[Rollout], main: list[Rollout]) -> Branch:
    return Branch(
        "a", "A", "training", 3, 5, 1, 100, 0.5, "exact", "", rollouts, main, 0.25
    )


def test_a_return_is_discounted_from_the_branch_on():
    assert returned(rollout(1.0, 2.0, 4.0), 0.5) == 1.0 + 1.0 + 1.0
    assert returned(rollout(1.0, 2.0, 4.0), 1.0) == 7.0
    assert returned(rollout(), 0.5) == 0.0


def test_it_is_that_of_the_equations():
    torch = pytest.importorskip("torch")
    from engine.equations.returns import discounted_returns

    rewards = np.random.default_rng(1).normal(size=30)
    expected = discounted_returns(
        torch.tensor(rewards)[None],
        torch.full((1, 30), 0.97, dtype=torch.float64),
        torch.zeros(1, dtype=torch.float64),
    )[0, 0]
    assert returned(rollout(*rewards), 0.97) == pytest.approx(float(expected), 1e-12)


def test_both_arms_are_compared_in_pairs():
    """Returns 2, 4, 9 against 1, 2, 3: differences 1, 2, 6 by hand."""
    ours = [rollout(2.0), rollout(4.0), rollout(9.0, terminated=False)]
    theirs = [rollout(1.0), rollout(2.0), rollout(3.0)]
    found = compare(branch(ours, theirs))
    assert found.discounted.mean == 3.0
    # sd = sqrt(((-2)² + (-1)² + 3²) / 2) = sqrt(7); t(0.975, 2) = 4.302653.
    assert found.discounted.half == pytest.approx(4.302653 * np.sqrt(7 / 3), 1e-6)
    assert (found.branch, found.main, found.discounted.pairs) == (5.0, 2.0, 3)
    assert found.cut == 1


def test_the_arms_part_where_their_actions_first_differ():
    ours, theirs = Rollout([0, 1, 1], [0.0] * 3), Rollout([0, 1, 0], [0.0] * 3)
    assert parting(branch([ours], [theirs])) == 2
    assert parting(branch([ours], [ours])) == parting(branch([ours], [])) == 0


def test_no_interval_of_one_pair_nor_of_equal_ones():
    assert difference(np.array([2.0])).half is None
    assert difference(np.array([2.0, 2.0, 2.0])).half is None
    assert compare(branch([rollout(1.0)], [])) is None
