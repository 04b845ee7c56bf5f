"""The shown agent: it plays in its own environment at the pace of a film."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engine.contract.messages import Picture, SetViewer
from engine.contract.options import EnvironmentOptions
from engine.stage.minds import NO_NETWORK, Mind, liking
from engine.stage.world import World

if TYPE_CHECKING:
    from engine.agents.recollection import Recollection

MOST_STEPS_AT_ONCE = 8
"""A late tick drops time rather than making up for it with a burst of steps."""

PAUSE_AT_END_S = 0.3
"""How long the end of an episode stays, at normal speed."""

NEVER = math.inf

INSIDE = {
    "preference": "picture",
    "return_values": "returns",
    "return_probs": "returns",
    "memory": "memory",
    "member_q": "members",
}
"""What pictures may have inside, and the topic of those who want it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was thought and chosen in a state.

    Attributes:
      more: What else the network says of it, by name; see ``agents.insight.look``.
    """

    checkpoint_step: int
    epsilon: float
    q: np.ndarray
    advantage: np.ndarray
    value_head: float
    action: int
    reason: str
    more: dict[str, np.ndarray] = field(default_factory=dict)


class Player:
    """Plays one configuration's environment, picture by picture.

    At any time it stands in a state whose action is chosen but not yet taken, so
    that frame, Q-values and action of a picture belong to one step.

    Attributes:
      mind: Who chooses; None plays at random until there is a network.
      viewer: Speed, pause and epsilon.
    """

    def __init__(self, options: EnvironmentOptions, seed: int) -> None:
        self.world = World(options, render=True)
        self.mind: Mind | None = None
        self._memory: Recollection | None = None
        self.viewer = SetViewer()
        self._rng = np.random.default_rng([seed, 0x57A6E])
        self._last_step_at = -NEVER
        self._episode, self._t, self._reward_sum, self._ended = 0, 0, 0.0, ""
        self._observation = self.world.reset(self._new_seed())
        self._choice = self._choose()

    def close(self) -> None:
        """Let go of the environment."""
        self.world.close()

    @property
    def interval_s(self) -> float:
        """Seconds between two steps; 0 where the screen sets the pace."""
        if not self.viewer.speed:
            return 0.0
        usual = 1.0 / (self.world.frame_rate * self.viewer.speed)
        return usual + PAUSE_AT_END_S / self.viewer.speed if self._ended else usual

    def wait_s(self, now: float) -> float:
        """Seconds until the next step is due."""
        if not self.viewer.playing:
            return NEVER
        return max(0.0, self._last_step_at + self.interval_s - now)

    def advance(self, now: float, each: Callable[[], None] | None = None) -> bool:
        """Take the steps that are due; False where nothing new is to be seen.

        ``each`` is called in every state that is reached.
        """
        if not self.viewer.playing or self.wait_s(now) > 0.0:
            return False
        if self._last_step_at == -NEVER:
            self._last_step_at = now
            return True
        behind = now - self._last_step_at
        interval = self.interval_s
        steps = int(behind / interval) if interval else 1
        for _ in range(min(steps, MOST_STEPS_AT_ONCE)):
            self._go_on()
            if each is not None:
                each()
            if self._ended:  # the end is always seen
                self._last_step_at = now
                return True
        on_time = steps <= MOST_STEPS_AT_ONCE and interval
        self._last_step_at = self._last_step_at + steps * interval if on_time else now
        return True

    def picture(self) -> Picture:
        """The state in which the player stands, and all that belongs to it."""
        choice = self._choice
        return Picture(
            frame=self.world.render(),
            source="viewer",
            checkpoint_step=choice.checkpoint_step,
            epsilon=choice.epsilon,
            speed=self.viewer.speed,
            episode=self._episode,
            t=self._t,
            observation=self._observation,
            q=choice.q,
            advantage=choice.advantage,
            value_head=choice.value_head,
            action=-1 if self._ended else choice.action,
            reason=choice.reason,
            reward_sum=self._reward_sum,
            ended=self._ended,
            inside={it: choice.more[it] for it in INSIDE if it in choice.more},
        )

    def _go_on(self) -> None:
        """Take the chosen action, or begin anew after the end."""
        if self._ended:
            self._episode += 1
            self._t, self._reward_sum, self._ended = 0, 0.0, ""
            self._observation = self.world.reset(self._new_seed())
            self._memory = None
        else:
            outcome = self.world.step(self._choice.action)
            self._t += 1
            self._reward_sum += outcome.reward
            self._observation = outcome.observation
            if outcome.terminated or outcome.truncated:
                self._ended = "terminated" if outcome.terminated else "truncated"
        self._choice = self._choose()

    def _new_seed(self) -> int:
        return int(self._rng.integers(2**31))

    def _choose(self) -> Choice:
        if self.mind is None:
            return self._random_choice()
        if self._memory is None:
            self._memory = self.mind.recollection(1)
        seen = self.mind.insight(self._observation[None], recollection=self._memory)
        mine = {name: values[0] for name, values in seen.items()}
        explored = self._rng.random() < self.viewer.epsilon
        action = int(
            self._rng.integers(mine["q"].size) if explored else liking(mine).argmax()
        )
        if self._memory is not None:
            self._memory.acted(np.array([action]))
        return Choice(
            checkpoint_step=self.mind.step,
            epsilon=self.viewer.epsilon,
            q=mine["q"],
            advantage=mine["advantage"],
            value_head=float(mine["value_head"]),
            action=action,
            reason="explored" if explored else "greedy",
            more=mine,
        )

    def _random_choice(self) -> Choice:
        nothing = np.zeros(0, np.float32)
        action = int(self._rng.integers(self.world.card.actions))
        return Choice(NO_NETWORK, 1.0, nothing, nothing, math.nan, action, "random")
