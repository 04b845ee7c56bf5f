"""Generators follow from the seed, and go on where they stood."""

import json

import numpy as np
import pytest

from engine.contract.randomness import (
    derived_seed,
    generator,
    generator_state,
    restore_generator,
)


def test_the_same_seed_and_purpose_give_the_same_numbers():
    assert generator(3, 1).random(5).tolist() == generator(3, 1).random(5).tolist()


@pytest.mark.parametrize("other", [(3, 2), (4, 1), (3,), (3, 1, 0)])
def test_other_purposes_give_other_numbers(other: tuple):
    assert generator(3, 1).random() != generator(*other).random()


def test_derived_seeds_keep_to_their_range_and_differ():
    seeds = {derived_seed(7, 2, episode) for episode in range(500)}
    assert len(seeds) == 500
    assert min(seeds) >= 2**30
    assert max(seeds) < 2**31


@pytest.mark.parametrize("draws", [0, 1, 2, 7])
def test_a_restored_generator_goes_on_exactly(draws: int):
    rng = generator(5)
    # 32-bit numbers leave half of a 64-bit one behind: that half counts, too.
    rng.integers(0, 100, draws, dtype=np.uint32)
    state = json.loads(json.dumps(generator_state(rng)))
    expected = rng.integers(0, 2**32, 9, dtype=np.uint32).tolist()
    other = generator(99)
    restore_generator(other, state)
    assert other.integers(0, 2**32, 9, dtype=np.uint32).tolist() == expected
