"""What came of a branch: returns of both arms, their difference, how sure it is.

Both sides need it: the window shows branches of a file that it has only read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from engine.contract.notes import Branch, Rollout

CONFIDENCE = 0.95
MOST_ROLLOUTS = 100
"""Of each arm; a file that holds more is not looked at further."""
NO_CHANCE = (
    "The environment drew nothing from its random generator after this step, so all "
    "rollouts are equal: one was made."
)
"""Why there is one rollout where more were asked for; a branch's ``why`` begins so."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Branch minus main line, over pairs of rollouts with the same random numbers.

    Attributes:
      mean: Mean of the differences.
      half: Half of the 95 % interval of the mean; None where there is none, as with
        one pair, or where all pairs differ by the same.
      pairs: n.
    """

    mean: float
    half: float | None
    pairs: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both arms of a branch.

    Attributes:
      discounted, undiscounted: Differences of the two kinds of return.
      branch, main: Mean discounted return of each arm, from the branch on.
      branch_sum, main_sum: The same undiscounted.
      cut: Rollouts of both arms that were cut off before their episode ended.
    """

    discounted: Difference
    undiscounted: Difference
    branch: float
    main: float
    branch_sum: float
    main_sum: float
    cut: int


def compare(branch: Branch) -> Comparison | None:
    """Both arms; None where there is nothing to compare with."""
    pairs = rollout_pairs(branch)
    if not pairs:
        return None
    ours, theirs = zip(*pairs, strict=True)
    discounted = [_returns(arm, branch.discount) for arm in (ours, theirs)]
    plain = [_returns(arm, 1.0) for arm in (ours, theirs)]
    cut = sum(not (it.terminated or it.truncated) for it in (*ours, *theirs))
    return Comparison(
        discounted=difference(discounted[0] - discounted[1]),
        undiscounted=difference(plain[0] - plain[1]),
        branch=float(discounted[0].mean()),
        main=float(discounted[1].mean()),
        branch_sum=float(plain[0].mean()),
        main_sum=float(plain[1].mean()),
        cut=cut,
    )


def rollout_pairs(branch: Branch) -> list[tuple[Rollout, Rollout]]:
    """Rollouts of both arms with the same random numbers."""
    pairs = zip(branch.rollouts, branch.main, strict=False)
    return list(islice(pairs, MOST_ROLLOUTS))


def parting(branch: Branch) -> int:
    """How many steps after the root its arms part; 0 where they never do."""
    if not (branch.rollouts and branch.main):
        return 0
    both = zip(branch.rollouts[0].actions, branch.main[0].actions, strict=False)
    return next((k for k, (ours, theirs) in enumerate(both) if ours != theirs), 0)


def tried_in(branch: Branch, rollout: Rollout) -> list[int]:
    """Numbers of the actions of a rollout that were asked for instead of the agent's.

    A file of an older lab does not tell; there it is the first, and where arms part.
    """
    ours = branch.action >= 0 and rollout in branch.rollouts
    if rollout.tried or rollout.human or not ours:
        return rollout.tried
    at = parting(branch)
    alike = any(it.actions[: at + 1] == rollout.actions[: at + 1] for it in branch.main)
    return [] if alike else sorted({0, at})


def beginning_of(rollout: Rollout, tried: Sequence[int], actions: int) -> Rollout:
    """Who chose its first so many actions; without the actions themselves."""
    chosen = (rollout.human, tried, rollout.explored)
    human, asked, explored = ([k for k in it if k < actions] for it in chosen)
    return Rollout([], [], human=human, tried=asked, explored=explored)


def _returns(arm: Sequence[Rollout], discount: float) -> np.ndarray:
    return np.array([returned(it, discount) for it in arm])


def returned(rollout: Rollout, discount: float) -> float:
    r"""Discounted sum of the rewards of a rollout, \( \sum_k \gamma^k r_k \)."""
    rewards = np.asarray(rollout.rewards, np.float64)
    return float(rewards @ discount ** np.arange(len(rewards)))


def difference(pairs: np.ndarray) -> Difference:
    """Mean of paired differences [n] with the interval of Student's t.

    There is no interval for fewer than two pairs, nor where all are equal: then
    nothing was left to chance, or it did not matter.
    """
    count, mean = len(pairs), float(pairs.mean())
    if count < 2 or np.ptp(pairs) == 0.0:
        return Difference(mean, None, count)
    from scipy.special import stdtrit  # slow to import, and seldom needed

    error = float(pairs.std(ddof=1)) / float(np.sqrt(count))
    return Difference(
        mean, float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * error, count
    )
