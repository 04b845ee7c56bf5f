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
def noisy_layers(
    values: np.ndarray,
    noise: np.ndarray,
    places: np.ndarray,
    tanh: bool,
    inputs: np.ndarray,
) -> np.ndarray:
    """What noisy layers make of inputs one after the other, float32 [outputs].

    The noise is mixed into the row, not into the weights: it is a product. Between
    two layers there is tanh, or ReLU.

    Args:
      values: Where all parameters lie, float32 [...].
      noise: Where all noise lies, float32 [...].
      places: Of each layer its width before and after, where its weights, biases and
        both of their sigmas begin among the values, and where the noise of inputs and
        outputs, int64 [L, 8].
      tanh: What is between two layers.
      inputs: Float32 [inputs].
    """
    given = inputs
    for layer in range(len(places)):
        before, after, weight, bias, weight_sigma, bias_sigma, first, last = places[
            layer
        ]
        mixed = given * noise[first : first + before]
        outputs = np.empty(after, np.float32)
        for i in range(after):
            row, sigmas = weight + i * before, weight_sigma + i * before
            total, noisy = values[bias + i], values[bias_sigma + i]
            for j in range(before):
                total += values[row + j] * given[j]
                noisy += values[sigmas + j] * mixed[j]
            outputs[i] = total + noisy * noise[last + i]
        if layer + 1 < len(places):
            for i in range(after):
                it = outputs[i]
                outputs[i] = math.tanh(it) if tanh else max(it, np.float32(0.0))
        given = outputs
    return given


@numba.njit(cache=True)
def join_streams(streams: np.ndarray, atoms: int, by_largest: bool) -> np.ndarray:
    """Numbers of A actions of dueling streams, float32 [R, A, N] of [R, (1 + A) N].

    Advantages are centred by the largest, or else by their mean.
    """
    rows, actions = len(streams), streams.shape[1] // atoms - 1
    numbers = np.empty((rows, actions, atoms), np.float32)
    for row in range(rows):
        for atom in range(atoms):
            advantages = streams[row, atoms + atom :: atoms]
            if by_largest:
                centre = advantages.max()
            else:
                centre = advantages.sum() / np.float32(actions)
            for action in range(actions):
                numbers[row, action, atom] = streams[row, atom] + (
                    advantages[action] - centre
                )
    return numbers


@numba.njit(cache=True)
def root_of_noise(drawn: np.ndarray, into: np.ndarray) -> None:
    """sgn(x)·√|x| of each number, float32 [N]."""
    for i in range(len(drawn)):
        into[i] = math.copysign(math.sqrt(abs(drawn[i])), drawn[i])


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
