"""What an agent tells: a choice of actions, and what an update saw."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np


class NotFinite(ValueError):
    """A loss, gradient or weight is not finite; in the first two cases none moved.

    Attributes:
      update: In which update of the learner; None for the one that was asked for.
    """

    def __init__(self, what: str, update: int | None = None) -> None:
        super().__init__(what)
        self.update = update


class CannotCompile(RuntimeError):
    """An update cannot be compiled; the text says why, as a sentence."""


def first_line(error: BaseException) -> str:
    """Enough of what a library says, which may be many lines."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


class Decision(NamedTuple):
    """What the agent does in E environments.

    Attributes:
      actions: int64 [E].
      explored: The action was drawn at random, bool [E].
      q: float32 [E, A]; NaN where the values were not needed.
      behaviour: How likely each action was, float32 [E]; empty where no correction
        needs it.
    """

    actions: np.ndarray
    explored: np.ndarray
    q: np.ndarray
    behaviour: np.ndarray


class Update(NamedTuple):
    """What one gradient step saw.

    Attributes:
      loss: The weighted mean that was differentiated.
      gradient_norm: Before clipping.
      td_error: Unweighted, float32 [B].
      q: Online values before the step, float32 [B, A].
      learning_rate, beta: As they were at this update.
      extras: Whatever else was measured, by the name of its series.
    """

    loss: float
    gradient_norm: float
    td_error: np.ndarray
    q: np.ndarray
    learning_rate: float
    beta: float
    extras: dict[str, float] = {}  # noqa: RUF012 - read only


class Reported(Protocol):
    """An :class:`Update`, or one whose numbers are still on their way.

    What they are is waited for when it is asked for; learning rate and β are known.
    """

    @property
    def loss(self) -> float:
        """See :class:`Update`."""

    @property
    def gradient_norm(self) -> float:
        """See :class:`Update`."""

    @property
    def td_error(self) -> np.ndarray:
        """See :class:`Update`."""

    @property
    def q(self) -> np.ndarray:
        """See :class:`Update`."""

    @property
    def learning_rate(self) -> float:
        """See :class:`Update`."""

    @property
    def beta(self) -> float:
        """See :class:`Update`."""

    @property
    def extras(self) -> dict[str, float]:
        """See :class:`Update`."""


class Explanation(NamedTuple):
    """What an update on some transitions would be made of; ``B`` of them.

    Of an ensemble everything is the mean over its members.

    Attributes:
      estimate: Q(s, a) of the action that was taken, float32 [B].
      target: What it would be moved towards; of a distribution its mean, float32 [B].
      td_error: Target minus estimate, float32 [B].
      surprise: What a priority is made of, without its sign, float32 [B].
      bootstrap: What the discount is multiplied by in the target, float32 [B].
      valued: Q-values after the window by the network that values them, [B, A].
      valued_liking, online_liking: What this network and the one that learns choose
        the next action by: Q-values or CVaR, float32 [B, A].
    """

    estimate: np.ndarray
    target: np.ndarray
    td_error: np.ndarray
    surprise: np.ndarray
    bootstrap: np.ndarray
    valued: np.ndarray
    valued_liking: np.ndarray
    online_liking: np.ndarray
