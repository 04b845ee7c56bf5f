"""What a composed picture shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.media.problems import MediaProblem


@dataclass(frozen=True, slots=True)
class Panels:
    """Which panels are drawn around the frame."""

    title: bool = True
    q: bool = True
    value: bool = True

    @staticmethod
    def of(names: str) -> Panels:
        """From words with commas: ``title,q,value``; empty draws the frame alone."""
        chosen = {name.strip() for name in names.split(",") if name.strip()}
        unknown = sorted(chosen - {"title", "q", "value"})
        if unknown:
            raise MediaProblem(
                f"There is no panel '{unknown[0]}'. Choose from title, q, value."
            )
        return Panels("title" in chosen, "q" in chosen, "value" in chosen)

    @property
    def column(self) -> bool:
        """Whether anything stands beside the frame."""
        return self.q or self.value


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of one step of an episode.

    Attributes:
      title: Left of the title bar: environment, agent.
      caption: Right of it: episode, step, checkpoint.
      q: float [A], empty where no network spoke.
      q_range: Lowest and highest Q-value of the whole film; bars keep this scale.
      action: Index of the action taken, -1 at the end of an episode.
      reason: Why it was taken: ``greedy``, ``explored`` or ``random``.
      action_names: A word for each action.
      values: V(s) of each step so far or of the whole episode, NaN where unknown.
      t: The step that is shown.
    """

    title: str = ""
    caption: str = ""
    q: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    q_range: tuple[float, float] = (0.0, 1.0)
    action: int = -1
    reason: str = ""
    action_names: tuple[str, ...] = ()
    values: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    t: int = 0
