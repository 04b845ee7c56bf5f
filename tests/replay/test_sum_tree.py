"""The tree of sums against plain arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.replay.sum_tree import SumTree

SIZES = [1, 2, 7, 8, 9, 63, 64, 65, 1000]


def filled(weights):
    tree = SumTree(len(weights))
    tree.fill(np.asarray(weights, np.float64), 1.0)
    return tree


@pytest.mark.parametrize("size", SIZES)
def test_total_and_leaves_are_those_of_a_plain_array(size):
    weights = np.random.default_rng(size).random(size)
    tree = SumTree(size)
    tree.set(np.arange(size), weights, 1.0)
    assert tree.total == pytest.approx(weights.sum())
    assert np.array_equal(tree.leaves(np.arange(size)), weights)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_changing_leaves_one_by_one_ends_in_the_same_bits_as_filling(data):
    size = data.draw(st.sampled_from(SIZES))
    index = st.integers(0, size - 1)
    weight = st.floats(0, 1e6)
    changes = data.draw(st.lists(st.tuples(index, weight), max_size=60))
    exponent = data.draw(st.sampled_from([1.0, 0.6, 0.3]))
    tree, plain = SumTree(size), np.zeros(size)
    for batch in np.array_split(np.array(changes).reshape(-1, 2), 5):
        indices, weights = batch[:, 0].astype(np.int64), batch[:, 1].copy()
        tree.set(indices, weights, exponent)
        for at, value in zip(indices, weights, strict=True):
            plain[at] = value
    other = SumTree(size)
    other.fill(plain, exponent)
    assert np.array_equal(tree._nodes, other._nodes)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_weights_are_powers_and_a_zero_stays_zero(exponent):
    tree = SumTree(3)
    tree.set(np.arange(3), np.array([4.0, 0.0, 9.0]), exponent)
    expected = [4.0**exponent, 0.0, 9.0**exponent]
    assert tree.leaves(np.arange(3)).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("size", SIZES)
def test_each_draw_lands_in_the_leaf_that_covers_it(size):
    rng = np.random.default_rng(size)
    weights = np.where(rng.random(size) < 0.3, 0.0, rng.random(size))
    weights[size // 2] = 1.0
    tree, uniform = filled(weights), rng.random(64)
    leaves, probabilities = tree.sample(uniform)
    points = (np.arange(64) + uniform) / 64 * weights.sum()
    expected = np.searchsorted(np.cumsum(weights), points, side="right")
    assert np.array_equal(leaves, np.minimum(expected, size - 1))
    assert probabilities == pytest.approx(weights[leaves] / weights.sum())


def test_frequencies_match_the_weights():
    weights = np.array([0.0, 1.0, 2.0, 4.0, 0.0, 8.0, 0.5, 0.5, 16.0])
    tree, rng = filled(weights), np.random.default_rng(0)
    counts = np.zeros(9)
    for _ in range(2_000):
        np.add.at(counts, tree.sample(rng.random(32))[0], 1)
    expected = 64_000 * weights / weights.sum()
    # Stratified draws vary less than independent ones, whose bound this is (5 σ).
    assert (np.abs(counts - expected) <= 5 * np.sqrt(expected)).all()
    assert counts[0] == counts[4] == 0


@pytest.mark.parametrize("only", [0, 7, 8, 99])
def test_a_single_weight_is_always_drawn_also_at_the_edges(only):
    weights = np.zeros(100)
    weights[only] = 1e-300
    edges = np.array([0.0, np.nextafter(1.0, 0.0), 0.5])
    leaves, probabilities = filled(weights).sample(edges)
    assert leaves.tolist() == [only] * 3
    assert probabilities.tolist() == [1.0] * 3


def test_very_different_weights_never_lead_to_a_zero():
    rng = np.random.default_rng(1)
    weights = np.where(rng.random(500) < 0.5, 0.0, 10.0 ** rng.uniform(-12, 6, 500))
    tree = filled(weights)
    for _ in range(200):
        leaves, _ = tree.sample(np.append(rng.random(15), np.nextafter(1.0, 0.0)))
        assert (weights[leaves] > 0).all()


def test_nothing_can_be_drawn_from_nothing():
    with pytest.raises(ValueError, match="all weights are 0"):
        SumTree(10).sample(np.array([0.5]))
