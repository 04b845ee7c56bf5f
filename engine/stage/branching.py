"""What would have happened: continuations of an episode from one of its steps.

All continuations go side by side, so that one forward pass chooses for all of them.
Those of the same number share their random numbers, whichever their first action.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.stage.episodes import Weights
from engine.stage.minds import Mind, insight_job, liking
from engine.stage.replays import Replay, Standings
from engine.stage.world import World

if TYPE_CHECKING:
    from engine.agents.recollection import Recollection

EXPLORES = 0xB2A9C4
"""Goes into the seeds of what explores, which no environment shares."""

Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Root:
    """Step ``t`` of a recorded episode."""

    options: EnvironmentOptions
    record: Mapping[str, Any]
    t: int


@dataclass(frozen=True, slots=True)
class Line:
    """A continuation that is wanted.

    Attributes:
      forced: Its first actions; the policy chooses the others.
      number: Of its random numbers; 0 keeps those of the recording.
    """

    forced: tuple[int, ...]
    number: int = 0


@dataclass(slots=True)
class Run:
    """A continuation that was made.

    Attributes:
      actions, rewards: One for each step; the environment's own rewards.
      explored: Numbers of the actions that chance chose.
      q: Q-values [A] of each state in which an action was chosen.
      by_chance: The environment's random generator has moved on.
      kept: It keeps its chance to itself, so that it cannot be drawn anew.
      shown: It is known to have no other chance than that of its generator.
    """

    actions: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    explored: list[int] = field(default_factory=list)
    q: list[np.ndarray] = field(default_factory=list)
    terminated: bool = False
    truncated: bool = False
    by_chance: bool = False
    kept: bool = False
    shown: bool = False

    @property
    def ended(self) -> bool:
        """Whether its episode is over."""
        return self.terminated or self.truncated


@dataclass(frozen=True, slots=True)
class Policy:
    """Who goes on: greedy by these weights, or with this share of random actions."""

    mind: Mind
    weights: Weights
    epsilon: float = 0.0


class Seat:
    """An environment that stands at the root, and then goes on.

    Attributes:
      past: What was seen on the way, the root included, if that was asked for.
    """

    def __init__(self, root: Root, line: Line, standings: Standings) -> None:
        self._root, self.line = root, line
        self._replay = Replay(root.options, root.record, standings=standings)
        self.past: list[np.ndarray] = []
        self.run = Run()
        self._chance: object = None
        self._random = np.random.default_rng([EXPLORES, line.number])

    @property
    def observation(self) -> np.ndarray:
        """As the agent sees it, at the root."""
        return self._observation

    def stand(self, *, remember: bool) -> Generator[None, Any, None]:
        """Go to the root, verified at each step; raises ``CannotReplay``."""
        if not remember:
            self._replay.approach(self._root.t)
        while self._replay.t < self._root.t:
            self._replay.go_on()
            if remember:
                self.past.append(self._replay.observation)
            yield
        self._observation = self._replay.observation
        if self.line.number:
            self.world.draw_anew(self.line.number)
        self._chance = self.world.chance

    @property
    def world(self) -> World:
        """The environment."""
        return self._replay.world

    def act(self, q: np.ndarray, liked: np.ndarray, epsilon: float) -> int:
        """One step; the action."""
        run = self.run
        action = self._choose(len(run.actions), liked, epsilon)
        outcome = self.world.step(action)
        self._observation = outcome.observation
        run.actions.append(action)
        run.rewards.append(outcome.reward)
        run.q.append(q)
        run.terminated, run.truncated = outcome.terminated, outcome.truncated
        return action

    def _choose(self, k: int, liked: np.ndarray, epsilon: float) -> int:
        """The forced action of this step, or the policy's.

        Numbers are drawn for forced actions as well: both arms stay in step.
        """
        explored = self._random.random() < epsilon
        by_chance = int(self._random.integers(len(liked)))
        if k < len(self.line.forced):
            return self.line.forced[k]
        if explored:
            self.run.explored.append(k)
            return by_chance
        return int(liked.argmax())

    def close(self) -> None:
        """Let go of the environment; say whether chance had a say."""
        if self.run.actions:
            now = self.world.chance
            self.run.by_chance, self.run.kept = now != self._chance, now is None
            self.run.shown = self.world.shows_chance
        self._replay.close()


def continue_job(
    root: Root, lines: Sequence[Line], policy: Policy, most: int, tell: Tell
) -> Generator[None, Any, list[Run]]:
    """Make these continuations, of at most so many steps, in slices of one step.

    Args:
      root: Where they begin.
      lines: Which.
      policy: Who goes on.
      most: Steps after which a continuation is cut off.
      tell: Gets the share that is done.

    Raises:
      ReplayMismatch: If the root cannot be restored.
      WorldProblem: If the environment fails.
    """
    seats: list[Seat] = []
    standings: Standings = {}  # where the first has been, the others need not play to
    try:
        memory = policy.mind.recollection(1)
        for line in lines:
            seats.append(Seat(root, line, standings))
            remember = memory is not None and len(seats) == 1
            yield from seats[-1].stand(remember=remember)
            tell(0.3 * len(seats) / len(lines))
        if memory is not None:
            yield from _remember(policy, root, seats[0].past, memory)
            memory = memory.picked([0] * len(seats))
        yield from _go_on(seats, policy, memory, most, tell)
    finally:
        for seat in seats:
            seat.close()
    return [it.run for it in seats]


def _remember(
    policy: Policy, root: Root, past: list[np.ndarray], memory: Recollection
) -> Generator[None, Any, None]:
    """Have a recurrent network go through the steps before the root."""
    before = np.append(-1, root.record["actions"][: root.t]).astype(np.int64)
    if root.t:
        weights = policy.weights
        yield from insight_job(
            policy.mind,
            weights.step,
            weights.arrays,
            np.stack(past[:-1]),
            before[:-1],
            memory,
        )
    memory.acted(before[-1:])


def _go_on(
    seats: list[Seat],
    policy: Policy,
    memory: Recollection | None,
    most: int,
    tell: Tell,
) -> Generator[None, Any, None]:
    busy, mind = list(seats), policy.mind
    for k in range(most):
        # Other jobs take the same mind for other weights between two slices.
        mind.load(policy.weights.step, policy.weights.arrays)
        seen = mind.insight(
            np.stack([it.observation for it in busy]), recollection=memory
        )
        q, liked = seen["q"], liking(seen)
        actions = []
        for index, seat in enumerate(busy):
            actions.append(seat.act(q[index].copy(), liked[index], policy.epsilon))
            yield
        if memory is not None:
            memory.acted(np.array(actions))
        staying = [i for i, it in enumerate(busy) if not it.run.ended]
        if not staying:
            return
        if memory is not None and len(staying) < len(busy):
            memory = memory.picked(staying)
        busy = [busy[i] for i in staying]
        tell(0.3 + 0.7 * (k + 1) / most)
