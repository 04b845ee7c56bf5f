"""The side of an agent that acts: networks, exploration, and what is remembered."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.agents import schedules
from engine.agents.exploring import Choice, Explorer
from engine.agents.layouts import on_device
from engine.agents.recollection import Recollection
from engine.agents.reports import Decision
from engine.contract.arrays import State
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration
from engine.networks import Pass, QNetwork, return_model
from engine.networks.single_row import Row, SingleRow

Values = tuple[np.ndarray, np.ndarray]
"""Q-values [E, A], and what is followed in the place of them [E, A]."""


class Actor:
    """Chooses actions in E training episodes, and in any episode greedily.

    Attributes:
      explorer: Random choices and counts.
      row: The light path for the observation of one environment, where there is one.

    Args:
      configuration: All options.
      card: What the environment offers.
      seed: Of the run.
      network: What plays greedily.
      passing: How it is run.
      behaving: What chooses in training episodes, where that is another one.
    """

    def __init__(
        self,
        configuration: Configuration,
        card: EnvironmentCard,
        seed: int,
        network: QNetwork,
        passing: Pass,
        behaving: tuple[QNetwork, Pass] | None = None,
    ) -> None:
        self.explorer = Explorer(configuration, card, seed)
        self._network, self._pass = network, passing
        self._behaving = behaving or (network, passing)
        acting = self._behaving[0]
        self.row: Row | None = SingleRow(acting) if SingleRow.suits(acting) else None
        self._device = str(next(acting.parameters()).device)
        self._actions = card.actions
        count = configuration.training.environments
        self._training = self.recollection(count)
        self._before: np.ndarray | None = None
        self._behaviour = np.ones(count, np.float32)
        self._bonus, self._bonuses = 0.0, 0
        self.configure(configuration)
        self._extra_names = tuple(self.extras())

    def configure(self, configuration: Configuration) -> None:
        """Take over changed live options."""
        self.configuration = configuration
        self.explorer.configure(configuration)
        self._model = return_model(configuration)

    def recollection(self, count: int) -> Recollection | None:
        """See :meth:`ValueBasedAgent.recollection`."""
        if self._network.recurrent is None:
            return None
        device = next(self._network.parameters()).device
        return Recollection(self._network, count, device)

    # ---------------------------------------------------------------- choosing

    def explore(
        self,
        observations: np.ndarray,
        step: int,
        noise: torch.Generator,
        epsilon: float | None,
        *,
        all_values: bool,
    ) -> Decision:
        """What is done next in the training episodes; see ``ValueBasedAgent.act``."""
        scheduled = schedules.epsilon(self.configuration, step)
        random = scheduled if epsilon is None else epsilon
        explored = self.explorer.draws(len(observations), random)
        if all_values or self._needs_values or not explored.all():
            q, followed = self._explorative_values(observations, noise)
        else:
            shape = len(observations), self._actions
            q = followed = np.full(shape, np.nan, np.float32)
        choice = self._choose(q, followed, observations, explored, random, step)
        if self._training is not None:
            self._training.acted(choice.actions)
        self._behaviour = choice.behaviour
        return Decision(choice.actions, choice.explored, q, choice.behaviour)

    def play(
        self, seen: Tensor, epsilon: float, recollection: Recollection | None
    ) -> Decision:
        """The best actions, but for a share of random ones."""
        # Who only looks takes no random number from the training.
        none = np.zeros(len(seen), np.bool_)
        explored = self.explorer.draws(len(seen), epsilon) if epsilon else none
        if recollection is None:
            recollection = self.recollection(len(seen))
        numbers = _numbers(self._network, self._pass, seen, recollection)
        q, followed = self._values(numbers, None)
        choice = self.explorer.epsilon_greedy(followed, explored, epsilon)
        if recollection is not None:
            recollection.acted(choice.actions)
        return Decision(choice.actions, choice.explored, q, choice.behaviour)

    def last_values(self, observation: np.ndarray) -> np.ndarray:
        """See ``ValueBasedAgent.last_values``."""
        if self._training is not None:
            return np.full(self._actions, np.nan, np.float32)
        q, _ = self._behaviour_values(observation[None], None)
        values: np.ndarray = q[0]
        return values

    @property
    def _needs_values(self) -> bool:
        """Whether the network must see everything, even where all is random.

        A noisy one must, so that its random numbers do not depend on who looks.
        """
        corrects = self.configuration.agent.n_step_correction == "retrace"
        noisy = self.explorer.kind == "noisy"
        return self._training is not None or corrects or noisy

    def _choose(
        self,
        q: np.ndarray,
        followed: np.ndarray,
        observations: np.ndarray,
        explored: np.ndarray,
        random: float,
        step: int,
    ) -> Choice:
        kind = self.explorer.kind
        if kind == "boltzmann" and random < 1:
            temperature = schedules.temperature(self.configuration, step)
            return self.explorer.boltzmann(followed, temperature)
        if kind == "ucb" and random < 1:
            return self.explorer.upper_bounds(followed, observations)
        choice = self.explorer.epsilon_greedy(followed, explored, random)
        if kind == "ucb":
            # What is done before learning starts has been tried as well.
            self.explorer.count(observations, choice.actions)
        if kind == "bootstrapped":
            # The members together would have done something else.
            differs = choice.actions != q.argmax(1)
            choice = choice._replace(explored=choice.explored | differs)
        return choice

    def _explorative_values(
        self, observations: np.ndarray, noise: torch.Generator
    ) -> Values:
        noisy = self.explorer.kind == "noisy"
        network, _ = self._behaving
        if noisy:
            network.resample(noise)
        if self._training is not None:
            self._before = self._training.before()
        members = self.explorer.members[: len(observations)]
        values = self._behaviour_values(observations, members)
        if noisy:
            network.silence()
        return values

    def _behaviour_values(
        self, observations: np.ndarray, members: np.ndarray | None
    ) -> Values:
        """Of the network that chooses in training episodes; see :meth:`_values`."""
        if self.row is not None and len(observations) == 1:
            return self._single(self.row(observations[0])[None])
        with torch.inference_mode():
            seen = on_device(observations, self._device)
            numbers = _numbers(*self._behaving, seen, self._training)
            return self._values(numbers, members)

    def _single(self, numbers: np.ndarray) -> Values:
        """Of the one observation that :class:`SingleRow` gave numbers of."""
        if self._model is None:
            return numbers, numbers
        if self._model.neutral:
            q = self._model.row_mean(numbers)
            return q, q
        return self._values(torch.from_numpy(numbers), None)

    def _values(self, numbers: Tensor, members: np.ndarray | None) -> Values:
        """Of an ensemble: the mean, and what these members prefer (None: the mean)."""
        q = preferred = numbers
        if self._model is not None:
            q = preferred = self._model.mean(numbers)
            if not self._model.neutral:
                preferred = self._model.preference(numbers)
        if self.explorer.kind != "bootstrapped":
            return q.cpu().numpy(), preferred.cpu().numpy()
        mean = q.mean(0).cpu().numpy()
        if members is None:
            return mean, preferred.mean(0).cpu().numpy()
        return mean, preferred.cpu().numpy()[members, np.arange(len(members))]

    def schedule(self, step: int) -> float:
        """ε or temperature of the policy that is followed at this step."""
        return schedules.exploration(self.configuration, step)

    # ------------------------------------------------------------- remembering

    def begin(self, stream: int) -> None:
        """A training episode begins."""
        self.explorer.begin(stream)
        if self._training is not None:
            self._training.begin(stream)

    def extras(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """What the memory keeps for each step beside what happened."""
        extras: dict[str, tuple[tuple[int, ...], str]] = {}
        if self.configuration.agent.n_step_correction == "retrace":
            extras["behaviour"] = ((), "float32")
        if self.explorer.kind == "bootstrapped":
            members = self.configuration.exploration.members
            extras["members"] = ((members,), "bool")
        if self._network.recurrent is not None:
            extras["state"] = ((self._network.recurrent.width,), "float32")
        return extras

    def of_step(self, stream: int) -> dict[str, Any]:
        """Values of :meth:`extras` for the step that was just chosen."""
        found: dict[str, Any] = {}
        for name in self._extra_names:
            if name == "behaviour":
                # There is none after Retrace has been switched off.
                found[name] = self._behaviour[stream] if len(self._behaviour) else 1.0
            elif name == "members":
                found[name] = self.explorer.mask(self.configuration.exploration.members)
            elif self._before is not None:
                found[name] = self._before[stream]
        return found

    def bonus(self, observation: np.ndarray) -> float:
        """Reward for reaching a seldom seen state."""
        return self.explorer.bonus(observation)

    def credit(self, bonus: float) -> None:
        """A step with this bonus was remembered."""
        if bonus:
            self._bonus += bonus
            self._bonuses += 1

    def measured(self) -> dict[str, float]:
        """Mean bonus since the last call, where there is one."""
        if not self._bonuses:
            return {}
        mean = self._bonus / self._bonuses
        self._bonus, self._bonuses = 0.0, 0
        return {"bonus": mean}

    def state(self) -> State:
        """Everything needed to go on exactly."""
        state: State = {
            "explorer": self.explorer.state(),
            "bonus": self._bonus,
            "bonuses": self._bonuses,
        }
        if self._training is not None:
            state["recollection"] = self._training.to_state()
        return state

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        self.explorer.restore(state["explorer"])
        self._bonus, self._bonuses = float(state["bonus"]), int(state["bonuses"])
        if self._training is not None:
            self._training.restore(state["recollection"])


def _numbers(
    network: QNetwork, passing: Pass, seen: Tensor, recollection: Recollection | None
) -> Tensor:
    """What a network says, with what it remembers of the episodes."""
    if recollection is None:
        return passing.values(seen)
    return recollection.pass_on(network, seen)
