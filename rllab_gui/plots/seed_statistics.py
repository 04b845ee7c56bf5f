"""What several seeds say together: their interquartile mean and how sure it is."""

from __future__ import annotations

import numpy as np

from rllab_gui.plots.numbers import Floats

LEAST_FOR_INTERVAL = 4
"""With fewer seeds there is no middle half, and no interval worth the name."""
RESAMPLES = 300
_SEED = 0
"""Of the resampling: the same curves have the same interval each time."""


def middle(values: Floats) -> Floats:
    """Of seeds [K, n] what stands for all of them, [n].

    The interquartile mean, in which seeds at its rim count in part; the mean where
    there are fewer than :data:`LEAST_FOR_INTERVAL`.
    """
    count = len(values)
    if count < LEAST_FOR_INTERVAL:
        return np.asarray(values.mean(0), np.float64)
    ranks = np.arange(count + 1) / count
    share = np.diff(np.clip(ranks, 0.25, 0.75)) / 0.5
    return np.asarray(np.tensordot(share, np.sort(values, 0), 1), np.float64)


def interval(values: Floats) -> tuple[Floats, Floats] | None:
    """Where 95 % of bootstrap resamples of the seeds have their :func:`middle`.

    Source: Agarwal et al. (2021), https://arxiv.org/abs/2108.13264, section 4.
    None where there are fewer than :data:`LEAST_FOR_INTERVAL`.
    """
    count = len(values)
    if count < LEAST_FOR_INTERVAL:
        return None
    rng = np.random.default_rng(_SEED)
    drawn = values[rng.integers(0, count, (count, RESAMPLES))]
    resampled = middle(drawn.reshape(count, -1)).reshape(RESAMPLES, -1)
    low, high = np.quantile(resampled, (0.025, 0.975), axis=0)
    return low, high
