"""When learning with linear features moves away from the truth, exactly."""

from __future__ import annotations

import numpy as np


def growth(
    features: np.ndarray, successors: np.ndarray, visits: np.ndarray, discount: float
) -> float:
    """How fast the expected TD update lets the weights grow; above 0 it diverges.

    The largest real part of the eigenvalues of Φᵀ D (γP - I) Φ: the mean change of
    the weights for each unit of step size. See Sutton and Barto, *Reinforcement
    Learning*, 2nd edition, sections 9.4 and 11.2, and Tsitsiklis and Van Roy (1997).

    Args:
      features: Φ, one row for each state, [S, F].
      successors: P(next state | state) of the policy that is evaluated, [S, S].
      visits: D, how often each state is updated, [S].
      discount: γ.
    """
    drift = discount * successors - np.eye(len(successors))
    update = features.T @ (visits[:, None] * drift) @ features
    return float(np.linalg.eigvals(update).real.max())
