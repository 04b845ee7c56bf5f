"""Which part of an observation an action's value depends on: three ways to ask.

Whatever they say is a hypothesis, to be tested by taking that part away.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.stage.episodes import Weights
from engine.stage.minds import Mind, insight_job, liking

if TYPE_CHECKING:
    from torch import Tensor

    from engine.agents.recollection import Recollection

Method = Literal["gradient", "integrated", "occlusion"]
MOST_PATCHES = 12
"""An occluded picture has at most so many patches along its longer side."""
SPREAD = (5.0, 95.0)
"""The spread of a feature lies between these percentiles of the episode."""


def patch_side(card: EnvironmentCard) -> int:
    """Side of the squares that are taken out of a picture, in its pixels."""
    return max(1, -(-max(card.shape[:2]) // MOST_PATCHES))


def blank(card: EnvironmentCard, observation: np.ndarray) -> np.ndarray:
    """The same with nothing in it: empty planes, or the median colour of a picture."""
    if max(card.high, default=255.0) <= 1:
        return np.zeros_like(observation)
    median = np.median(observation, axis=(0, 1))
    return np.broadcast_to(median, observation.shape).astype(observation.dtype)


def occluded(
    card: EnvironmentCard, observation: np.ndarray, row: int, column: int
) -> np.ndarray:
    """The observation without one square; all of it for a row below 0."""
    found = observation.copy()
    if row >= 0:
        side = patch_side(card)
        rows = slice(row * side, (row + 1) * side)
        columns = slice(column * side, (column + 1) * side)
        found[rows, columns] = blank(card, observation)[rows, columns]
    return found


def perturbed(
    observation: np.ndarray, spread: np.ndarray, feature: int, share: float
) -> np.ndarray:
    """The observation with one number moved by a share of its spread."""
    found = observation.copy()
    found[feature] += np.float32(share * spread[feature])
    return found


def spread_of(observations: np.ndarray) -> np.ndarray:
    """How far each number ranges, but for its extremes, float [F]."""
    low, high = np.percentile(observations.astype(np.float64), SPREAD, axis=0)
    return np.asarray(high - low)


def asked_alone(
    mind: Mind,
    weights: Weights,
    observations: list[np.ndarray],
    memory: Recollection | None,
) -> Generator[None, Any, tuple[np.ndarray, np.ndarray]]:
    """Q-values and what actions are chosen by, [n, A] both, one at a time.

    So that equal observations give exactly equal numbers.
    """
    found = []
    for observation in observations:
        mind.load(weights.step, weights.arrays)
        again = None if memory is None else memory.picked([0])
        found.append(mind.insight(observation[None], None, again))
        yield
    q = np.concatenate([it["q"] for it in found])
    return q, np.concatenate([liking(it) for it in found])


def many(
    mind: Mind,
    weights: Weights,
    observations: np.ndarray,
    memory: Recollection | None,
) -> Generator[None, Any, tuple[np.ndarray, np.ndarray]]:
    """The same of many at once."""
    copies = None if memory is None else memory.picked([0] * len(observations))
    seen = yield from insight_job(
        mind, weights.step, weights.arrays, observations, recollection=copies
    )
    return seen["q"], liking(seen)


def saliency_map(
    mind: Mind,
    weights: Weights,
    observation: np.ndarray,
    memory: Recollection | None,
    method: Method,
    action: int,
) -> Generator[None, Any, np.ndarray]:
    """How much each place of a picture counts for Q(s, a), float32 [h, w].

    ``gradient``: the largest |∂Q/∂s| of its channels. ``integrated``: what it adds,
    so that all places together are Q(s, a) - Q(empty, a). ``occlusion``: how much Q
    falls without this square, one number for each square.
    """
    if method == "occlusion":
        return (yield from _occlusion(mind, weights, observation, memory, action))
    mind.load(weights.step, weights.arrays)
    if method == "gradient":
        found = _gradient(mind, observation, memory, action)
        largest: np.ndarray = np.abs(found).max(axis=2)
        return largest
    yield
    mind.load(weights.step, weights.arrays)
    added: np.ndarray = _integrated(mind, observation, memory, action).sum(axis=2)
    return added


def _occlusion(
    mind: Mind,
    weights: Weights,
    observation: np.ndarray,
    memory: Recollection | None,
    action: int,
) -> Generator[None, Any, np.ndarray]:
    card, side = mind.card, patch_side(mind.card)
    rows, columns = (-(-it // side) for it in observation.shape[:2])
    pictures = [observation]
    for row in range(rows):
        for column in range(columns):
            pictures.append(occluded(card, observation, row, column))
    q, _ = yield from many(mind, weights, np.stack(pictures), memory)
    fallen: np.ndarray = (q[0, action] - q[1:, action]).reshape(rows, columns)
    return fallen


def _gradient(
    mind: Mind, observation: np.ndarray, memory: Recollection | None, action: int
) -> np.ndarray:
    from engine.agents.sensitivity import gradient
    from engine.networks import return_model

    seen = _floats(observation[None])
    copies = None if memory is None else memory.picked([0])
    model = return_model(mind.configuration)
    found = gradient(mind.agent.online, model, seen, action, copies)
    array: np.ndarray = found[0].numpy()
    return array


def _integrated(
    mind: Mind, observation: np.ndarray, memory: Recollection | None, action: int
) -> np.ndarray:
    from engine.agents.sensitivity import PATH_STEPS, integrated_gradients
    from engine.networks import return_model

    ends = _floats(np.stack([blank(mind.card, observation), observation]))
    copies = None if memory is None else memory.picked([0] * PATH_STEPS)
    model = return_model(mind.configuration)
    found: np.ndarray = integrated_gradients(
        mind.agent.online, model, ends, action, copies
    ).numpy()
    return found


def _floats(observations: np.ndarray) -> Tensor:
    import torch

    return torch.from_numpy(observations.astype(np.float32))
