"""Environments that are stepped side by side, and what comes of each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.agents import Decision, ValueBasedAgent
from engine.agents.experience import Experience
from engine.contract.account import ACT, ENVIRONMENT, RECORDING, STORE, UNWATCHED, Watch
from engine.contract.arrays import State
from engine.contract.options import Configuration
from engine.contract.randomness import derived_seed
from engine.training.lane import Lane, LastValues
from engine.training.stepping_choice import Choice, Chooser

EPISODES = 4
"""Purpose of the seeds of episodes (see ``contract.randomness``)."""
Note = Callable[[str, str, dict[str, Any]], None]
FORM = "stepping"
"""In a state: how the environments step, where there was something to choose."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An episode that is over, as its lane knew it.

    Attributes:
      episode, environment, seed, step: Its number, environment, seed and last step.
      length, episode_return, terminated: How it went.
      record: What is kept of it, where records are kept.
      film_bytes: What its pictures took, kept or not.
    """

    episode: int
    environment: int
    seed: int
    step: int
    length: int
    episode_return: float
    terminated: bool
    record: dict[str, Any] | None
    film_bytes: int


@dataclass(slots=True)
class Taken:
    """One step of each environment; where one fails, of those before it.

    Attributes:
      step: Environment steps so far, these included.
      experiences: What the agent is to remember, in order.
      ended: Episodes that are over.
    """

    step: int
    experiences: list[Experience] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)


class Stepping:
    """The acting side of a run: all lanes, and the agent's choices in them.

    Attributes:
      lanes: One for each environment.
    """

    def __init__(self, agent: ValueBasedAgent) -> None:
        configuration = agent.configuration
        self._agent = agent
        self._started = 0
        self._all_values = configuration.recording.level != "scalars"
        offline = configuration.training.offline
        count = 0 if offline else configuration.training.environments
        self.lanes = [Lane(configuration, index) for index in range(count)]
        self._choice: Choice | None = None
        self._had = ""

    def settle(self, note: Note) -> None:
        """Before the first step: choose how the environments step, and say so.

        Args:
          note: Takes the kind, the text and the data of an event.

        Raises:
          TrainingProblem: If an environment does not repeat itself.
        """
        if self._choice is None and self.lanes:
            self._choice = choose(self._agent.configuration, self.lanes, self._had)
            tell(self._choice, self._had, note)

    @property
    def how(self) -> str:
        """How the environments step, as a sentence; empty where that goes unsaid."""
        return self._choice.text if self._choice is not None else ""

    @property
    def form(self) -> str:
        """See ``Choice``; empty where there was nothing to choose, or not yet."""
        return self._choice.form if self.how and self._choice else self._had

    @form.setter
    def form(self, form: str) -> None:
        """Somebody else has chosen it, for these environments among others."""
        self._had = form

    def begin(self) -> list[Experience]:
        """Start the first episode of each environment."""
        return [self._begin(lane, 0) for lane in self.lanes]

    def step(
        self, taken: Taken, watch: Watch = UNWATCHED, decision: Decision | None = None
    ) -> None:
        """One step of each environment, written into ``taken``.

        Args:
          taken: Where to.
          watch: Who is told what took how long.
          decision: What the agent does, where it has been asked already.

        Raises:
          TrainingProblem: If an environment fails.
        """
        lanes = self.lanes
        if decision is None:
            decision = self.decide(taken.step)
        actions, explored = decision.actions.tolist(), decision.explored.tolist()
        watch.lap(ACT)
        if self._choice is not None and self._choice.stepping is not None:
            self._choice.stepping.begin(decision.actions)
        for lane in lanes:
            it = lane.index
            self._step(taken, lane, actions[it], explored[it], decision.q[it], watch)

    def decide(self, step: int) -> Decision:
        """What the agent does next in each environment."""
        lanes = self.lanes
        if len(lanes) == 1:
            observations = lanes[0].observation[None]
        else:
            observations = np.stack([lane.observation for lane in lanes])
        return self._agent.act(
            observations, "explore", step, all_values=self._all_values
        )

    def _step(
        self,
        taken: Taken,
        lane: Lane,
        action: int,
        explored: bool,
        q: np.ndarray,
        watch: Watch,
    ) -> None:
        frame, reward, terminated, truncated = lane.step(action, explored, q, watch)
        taken.step += 1
        how = terminated, truncated, frame, explored
        taken.experiences.append(
            self._agent.experience(
                lane.index, action, reward, *how, life_lost=lane.life_lost
            )
        )
        watch.lap(STORE)
        if terminated or truncated:
            values = self._agent.last_values
            taken.ended.append(_ended(lane, taken.step, terminated, values))
            watch.lap(RECORDING)
            taken.experiences.append(self._begin(lane, taken.step))
            watch.lap(ENVIRONMENT)

    def _begin(self, lane: Lane, step: int) -> Experience:
        number = self._started
        self._started += 1
        seed = derived_seed(self._agent.configuration.training.seed, EPISODES, number)
        return self._agent.beginning(lane.index, lane.begin(number, seed, step))

    def state(self) -> State:
        """The running episodes."""
        return {
            "environments": {str(it.index): it.state() for it in self.lanes},
            "started": self._started,
            **({FORM: self.form} if self.form else {}),
        }

    def restore(self, state: State) -> None:
        """Play the running episodes again.

        Raises:
          TrainingProblem: If an environment does not repeat itself.
        """
        self._started = int(state["started"])
        self._had = str(state.get(FORM, ""))
        for lane in self.lanes:
            lane.restore(state["environments"][str(lane.index)])

    def close(self) -> None:
        """Let go of the environments."""
        for lane in self.lanes:
            lane.close()
        if self._choice is not None and self._choice.stepping is not None:
            self._choice.stepping.close()


def choose(configuration: Configuration, lanes: list[Lane], had: str) -> Choice:
    """How these environments step from now on: all of a run.

    Args:
      configuration: All options.
      lanes: Which ones; they are moved to where they step.
      had: See ``Chooser.choose``.

    Raises:
      TrainingProblem: If an environment does not repeat itself.
    """
    chosen = Chooser(configuration).choose(had)
    if chosen.stepping is not None:
        for lane, environment in zip(lanes, chosen.stepping.environments, strict=True):
            lane.move(environment)
    return chosen


def tell(choice: Choice, had: str, note: Note) -> None:
    """Say what was chosen, where there was a choice, and it is not what it was."""
    if choice.text and choice.form != had:
        note("state", choice.text, {FORM: choice.form, "seconds": choice.seconds})


def _ended(lane: Lane, step: int, terminated: bool, values: LastValues) -> Ended:
    return Ended(
        episode=lane.episode,
        environment=lane.index,
        seed=lane.seed,
        step=step,
        length=lane.length,
        episode_return=lane.episode_return,
        terminated=terminated,
        record=lane.record(terminated, values),
        film_bytes=lane.film_bytes,
    )
