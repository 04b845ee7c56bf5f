"""What a row of numbers goes through, compiled and kept compiled on disk.

Calls of numpy take a microsecond each, these loops less than one in all. Whoever
needs one imports it then: the compiler takes half a second, which a process that only
looks at networks does not need.
"""

from __future__ import annotations

import math

import numba
import numpy as np

ANY_ORDER = {"reassoc", "contract"}
"""Sums may be added up in any order, as libraries do, so that they go side by side."""


@numba.njit(cache=True, fastmath=ANY_ORDER)
def noisy_row(
    weight: np.ndarray,
    weight_sigma: np.ndarray,
    bias: np.ndarray,
    bias_sigma: np.ndarray,
    noise_in: np.ndarray,
    noise_out: np.ndarray,
    inputs: np.ndarray,
) -> np.ndarray:
    """What :class:`NoisyLinear` makes of inputs, float32 [outputs] of [inputs].

    The noise is mixed into the row, not into the weights: it is a product.
    """
    mixed = inputs * noise_in
    outputs = np.empty(len(weight), np.float32)
    for i in range(len(weight)):
        total, noisy = bias[i], bias_sigma[i]
        for j in range(len(inputs)):
            total += weight[i, j] * inputs[j]
            noisy += weight_sigma[i, j] * mixed[j]
        outputs[i] = total + noisy * noise_out[i]
    return outputs


@numba.njit(cache=True)
def softmax_mean(numbers: np.ndarray, support: np.ndarray) -> np.ndarray:
    """Mean of the values ``support`` [N], float32 [R, A] of logits [R, A, N]."""
    rows, actions, atoms = numbers.shape
    means = np.empty((rows, actions), np.float32)
    for row in range(rows):
        for action in range(actions):
            logits = numbers[row, action]
            largest = logits.max()
            total = weighted = np.float32(0.0)
            for atom in range(atoms):
                weight = np.float32(math.exp(logits[atom] - largest))
                total += weight
                weighted += weight * support[atom]
            means[row, action] = weighted / total
    return means
