"""Distributions of returns as shapes: what is drawn of them, without Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from rllab_gui.plots.ranges import Range, round_up

EDGE_MASS = 0.05
"""More probability than this at an end of a fixed support: it is too narrow."""
POINTS = 160


def _empty() -> np.ndarray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Returns:
    """The distributions of the return of all actions in one state.

    Attributes:
      kind: ``c51`` (fixed values), ``qr`` (quantiles) or ``mmd`` (particles).
      names: A word for each action.
      values, probs: float [A, N].
      liking: What actions are chosen by, float [A]: the mean or CVaR.
      level: Share of the worst returns that CVaR is the mean of; 1 for the mean.
      taken: The action that was taken; -1 for none.
      explored: Chance chose it.
    """

    kind: str = "c51"
    names: tuple[str, ...] = ()
    values: np.ndarray = field(default_factory=_empty)
    probs: np.ndarray = field(default_factory=_empty)
    liking: np.ndarray = field(default_factory=_empty)
    level: float = 1.0
    taken: int = -1
    explored: bool = False

    @property
    def actions(self) -> int:
        """A."""
        return len(self.values)

    @property
    def mean(self) -> np.ndarray:
        """Expected return of each action, float [A]."""
        return np.asarray((self.values * self.probs).sum(-1))

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation of each, float [A]."""
        away = self.values - self.mean[:, None]
        return np.asarray(np.sqrt((away**2 * self.probs).sum(-1)))

    @property
    def best(self) -> int:
        """The greedy action; -1 where there is none."""
        return int(np.argmax(self.liking)) if len(self.liking) else -1

    @property
    def averse(self) -> bool:
        """Whether actions are chosen by CVaR."""
        return self.level < 1.0

    @property
    def edge_mass(self) -> float:
        """The largest probability at an end of a fixed support."""
        if self.kind != "c51" or not self.actions:
            return 0.0
        return float(self.probs[:, [0, -1]].max())


def ordered(values: np.ndarray, probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values in rising order, and the probability of at most each."""
    order = np.argsort(values, kind="stable")
    return values[order], np.cumsum(probs[order])


def density(values: np.ndarray, span: Range) -> tuple[np.ndarray, np.ndarray]:
    """A smooth density of equally likely values: where, and how dense.

    Gaussian kernels by the rule of Silverman (1986), eq. 3.31.
    """
    quartiles = np.percentile(values, [25, 75])
    spread = min(float(values.std()), float(np.diff(quartiles)[0]) / 1.34)
    spread = spread or float(values.std())
    width = max(0.9 * spread * len(values) ** -0.2, 1e-3 * (span[1] - span[0]))
    x = np.linspace(*span, POINTS)
    kernels = np.exp(-0.5 * ((x[:, None] - values) / width) ** 2)
    return x, kernels.mean(1) / (width * math.sqrt(2 * math.pi))


def ticks(span: Range, most: int = 6) -> np.ndarray:
    """Round numbers within a range, at most so many."""
    width = span[1] - span[0]
    step = round_up(width / most) if width > 0 else 1.0
    first = math.ceil(span[0] / step - 1e-9)
    last = math.floor(span[1] / step + 1e-9)
    return step * np.arange(first, last + 1)
