"""The value-based agent: one composition of the improvements on Q-learning.

Estimator (Q-learning, SARSA, Expected SARSA, soft) x double x n-step and its
correction x head (scalar, dueling, C51, QR, MMD) x memory (none, uniform,
prioritized, sequences) x target network (none, periodic, Polyak) x bootstrapping
(target network, trust region) x exploration x torso (MLP, convolutions, LSTM). The
DQN of Mnih et al. (2015), https://doi.org/10.1038/nature14236, is one setting of it;
:meth:`Learner.learn_from` is its algorithm box.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from engine.agents.acting import Actor
from engine.agents.acting_copy import ActingCopy
from engine.agents.experience import BEGINS, Experience
from engine.agents.exploring import Explorer
from engine.agents.insight import look
from engine.agents.kept import check_kept
from engine.agents.learner import NOISE, WEIGHTS
from engine.agents.learning_side import LearningSide
from engine.agents.recollection import Recollection
from engine.agents.reports import Decision
from engine.contract.arrays import State
from engine.contract.catalogue import EnvironmentCard, check_combination
from engine.contract.options import Configuration, live_changes
from engine.contract.randomness import derived_seed
from engine.networks import Place, alone, build_q_network
from engine.networks.single_row import Row

if TYPE_CHECKING:
    pass

ACTING = 1
"""Beside ``NOISE``: of the copy that acts."""


def build_agent(
    configuration: Configuration,
    card: EnvironmentCard,
    device: str = "cpu",
    seed: int | None = None,
    place: Place = alone,
) -> ValueBasedAgent:
    """An untrained agent; ``seed`` is that of the run where none is given.

    What learning moves is kept where ``place`` says.

    Raises:
      ConfigurationError: If the options do not go together or with the environment.
    """
    check_combination(configuration, card)
    seed = configuration.training.seed if seed is None else seed
    return ValueBasedAgent(configuration, card, device, seed, place)


class ValueBasedAgent(LearningSide):
    """Acts, remembers, and learns action values from what it remembers.

    Attributes:
      online, target: Its networks; for the others see :class:`LearningSide`.
    """

    def __init__(
        self,
        configuration: Configuration,
        card: EnvironmentCard,
        device: str,
        seed: int,
        place: Place = alone,
    ) -> None:
        super().__init__(configuration, card, device, seed, place)
        self.online, self.target = self.learner.online, self.learner.target
        self._copy: ActingCopy | None = None
        if configuration.training.mode != "alternate":
            twin = build_q_network(configuration, card, derived_seed(seed, WEIGHTS))
            noise = derived_seed(seed, NOISE, ACTING)
            self._copy = ActingCopy(twin.to(self._device), noise)
        behaving = None if self._copy is None else self._copy.network_and_pass
        self._actor = Actor(
            configuration, card, seed, self.online, self.learner.online_pass, behaving
        )

    def recollection(self, count: int) -> Recollection | None:
        """What a recurrent network carries through so many episodes; else None."""
        return self._actor.recollection(count)

    def act(
        self,
        observations: np.ndarray,
        mode: Literal["explore", "greedy"] = "greedy",
        step: int = 0,
        epsilon: float | None = None,
        *,
        all_values: bool = True,
        recollection: Recollection | None = None,
    ) -> Decision:
        """Choose an action for each observation [E, ...]; of equal ones the first.

        Args:
          observations: As the network sees them, frame stack included.
          mode: ``explore`` follows the exploration options and goes on with the
            training episodes, ``greedy`` has ε = 0.
          step: Environment step, for the schedule.
          epsilon: Takes the place of both.
          all_values: Compute values also where every action is random.
          recollection: What a recurrent network remembers of the episodes that are
            played in ``greedy`` mode; without one each observation is the first.
        """
        if mode == "explore":
            noise = self.learner.noise if self._copy is None else self._copy.noise
            how = step, noise, epsilon
            return self._actor.explore(observations, *how, all_values=all_values)
        with torch.inference_mode():
            seen = self.learner.tensor(observations)
            return self._actor.play(seen, epsilon or 0.0, recollection)

    def last_values(self, observation: np.ndarray) -> np.ndarray:
        """Q-values [A] of the observation that ended a training episode.

        For the record alone: they take no random number and have no noise. NaN of a
        recurrent network, which does not see the end of an episode.
        """
        return self._actor.last_values(observation)

    @property
    def explorer(self) -> Explorer:
        """Who makes its random choices in training episodes."""
        return self._actor.explorer

    def see_by(self, row: Row) -> None:
        """Act by what this says of the one observation of a training step."""
        self._actor.row = row

    def begin(self, stream: int, observation: np.ndarray) -> None:
        """An episode begins in this environment; ``observation`` is one frame."""
        self.store(self.beginning(stream, observation))

    def remember(
        self,
        stream: int,
        action: int,
        reward: float,
        terminated: bool,
        truncated: bool,
        next_observation: np.ndarray,
        explored: bool = False,
    ) -> None:
        """A step was taken in this environment, as :meth:`act` chose."""
        how = terminated, truncated, next_observation, explored
        self.store(self.experience(stream, action, reward, *how))

    def beginning(self, stream: int, observation: np.ndarray) -> Experience:
        """What :meth:`begin` stores; touches nothing that learning touches."""
        self._actor.begin(stream)
        return Experience(stream, observation, self.version)

    def experience(
        self,
        stream: int,
        action: int,
        reward: float,
        terminated: bool,
        truncated: bool,
        next_observation: np.ndarray,
        explored: bool = False,
        *,
        life_lost: bool = False,
    ) -> Experience:
        """What :meth:`remember` stores; touches nothing that learning touches."""
        return Experience(
            stream,
            next_observation,
            self.version,
            action,
            reward,
            terminated,
            truncated,
            explored,
            self._actor.bonus(next_observation),
            self._actor.of_step(stream),
            life_lost,
        )

    def store(self, it: Experience) -> None:
        """Put what happened into the memory, and into the model if there is one."""
        planning = self._planning
        if it.action == BEGINS:
            self.memory.begin(it.stream, it.observation)
            if planning is not None:
                planning.begin(it.stream, it.observation)
            return
        reward, seen = it.reward + it.bonus, it.observation
        self._actor.credit(it.bonus)
        ends = it.terminated or it.life_lost
        if planning is not None:
            planning.observe(it.stream, it.action, reward, ends, seen)
        step = it.stream, it.action, reward, ends, it.truncated, seen
        self.memory.append(*step, it.explored, it.extras, goes_on=it.life_lost)

    @property
    def version(self) -> int:
        """How many updates the network has seen that acts in training episodes."""
        return self.updates if self._copy is None else self._copy.version

    def refresh(self) -> None:
        """Act like the online network of now on, where a copy of it acts."""
        if self._copy is not None:
            self._copy.take(self.learner.values, self.updates)

    @torch.inference_mode()
    def insight(
        self,
        observations: np.ndarray,
        previous: np.ndarray | None = None,
        recollection: Recollection | None = None,
    ) -> dict[str, np.ndarray]:
        """What the online network says about observations [n, ...].

        Args:
          observations: As the network sees them.
          previous: The action before each of them, int64 [n]; a recurrent network
            then takes them as one episode, else each as one of an episode of its own.
          recollection: What a recurrent network remembers before them, and after;
            without it each of these episodes begins.

        Returns:
          See :func:`engine.agents.insight.look`.
        """
        seen = self.learner.tensor(observations)
        found = look(self.online, self.learner.rule.model, seen, previous, recollection)
        return {name: values.cpu().numpy() for name, values in found.items()}

    def familiarity(self, observations: np.ndarray) -> dict[str, np.ndarray]:
        """How often these states were met; see :meth:`Explorer.familiarity`."""
        return self._actor.explorer.familiarity(observations)

    def weights(self) -> dict[str, np.ndarray]:
        """Copies of both networks: ``online/<parameter>``, ``target/<parameter>``."""
        found: dict[str, np.ndarray] = {}
        for name, arrays in self.learner.networks().items():
            found |= {f"{name}/{parameter}": it for parameter, it in arrays.items()}
        return found

    def load_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take over what :meth:`weights` of an agent of this form returned.

        Raises:
          ValueError: If a parameter is missing or has another shape.
        """
        self.learner.load_weights(weights)

    def set_option(self, key: str, value: Any) -> None:
        """Change one live option.

        Raises:
          ConfigurationError: If the option or value is refused, or needs a new run.
        """
        self.configure(self.configuration.with_options({key: value}))

    def configure(self, configuration: Configuration) -> None:
        """Change live options to those of this configuration.

        Raises:
          ConfigurationError: If something differs that needs a new run, or the
            options do not go together; nothing has changed then.
        """
        changes = live_changes(self.configuration, configuration)
        check_combination(configuration, self.card)
        check_kept(self.configuration, changes)
        if self.captured is not None and not self.captured.suits(configuration):
            self.settle(release=True)
        self.configuration = configuration
        self.learner.configure(configuration)
        self._actor.configure(configuration)
        if self._planning is not None:
            self._planning.configure(configuration)
        if any(key.startswith(("replay.", "agent.")) for key in changes):
            self.memory.configure(configuration)

    def state(self) -> State:
        """Everything that is needed to go on exactly, but the slots of the replay."""
        self.settle()
        planning = self._planning
        return {
            **self.learner.state(),
            **({} if planning is None else {"planning": planning.state()}),
            **({} if self._copy is None else {"copy": self._copy.state()}),
            "actor": self._actor.state(),
            "memory": self.memory.state(),
        }

    def restore(
        self, state: State, replay: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """Become what :meth:`state` described; ``replay`` holds all rows so far.

        Raises:
          ValueError: If the state belongs to an agent of another form.
          IncompleteReplay: If rows of the replay are missing.
        """
        self.settle(release=True)
        self.learner.restore(state)
        if "actor" in state:
            self._actor.restore(state["actor"])
        else:  # as written before exploration had kinds
            self._actor.explorer.restore(state["exploration"])
        if self._planning is not None:
            self._planning.restore(state["planning"])
        if self._copy is not None:
            self._copy.restore(state["copy"])
        self.memory.restore(state["memory"], replay or {})
