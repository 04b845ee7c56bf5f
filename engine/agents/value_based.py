"""The value-based agent: one composition of the improvements on Q-learning.

Q-learning target x double x dueling x n-step x memory (none, uniform, prioritized)
x target network (none, periodic, Polyak) x ε-greedy exploration x torso. The DQN of
Mnih et al. (2015), https://doi.org/10.1038/nature14236, is one setting of it;
:meth:`ValueBasedAgent.learn` is its algorithm box.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from engine.agents import schedules
from engine.agents.adam import Adam
from engine.agents.reports import Decision, NotFinite, Update
from engine.agents.weights import load_arrays, named_arrays
from engine.contract.arrays import State
from engine.contract.catalogue import EnvironmentCard, check_combination
from engine.contract.options import Configuration, ConfigurationError, live_changes
from engine.contract.randomness import (
    derived_seed,
    generator,
    generator_state,
    restore_generator,
)
from engine.equations.value import (
    double_q_target,
    huber,
    huber_slope,
    q_target,
    td_error,
)
from engine.networks import (
    Pass,
    build_q_network,
    fastest_pass,
    flatten_parameters,
)

if TYPE_CHECKING:
    from engine.replay import Batch, Memory

WEIGHTS, EXPLORATION = 1, 2
"""Purposes of the agent's seeds (see ``contract.randomness``)."""


def build_agent(
    configuration: Configuration,
    card: EnvironmentCard,
    device: str = "cpu",
    seed: int | None = None,
) -> ValueBasedAgent:
    """An untrained agent; ``seed`` is that of the run where none is given.

    Raises:
      ConfigurationError: If the options do not go together or with the environment.
    """
    check_combination(configuration, card)
    seed = configuration.training.seed if seed is None else seed
    return ValueBasedAgent(configuration, card, device, seed)


class ValueBasedAgent:
    """Acts ε-greedily, remembers, and learns action values from what it remembers.

    Attributes:
      configuration: All options; live ones change with :meth:`set_option`.
      updates: Gradient steps so far.
    """

    def __init__(
        self,
        configuration: Configuration,
        card: EnvironmentCard,
        device: str,
        seed: int,
    ) -> None:
        self.configuration = configuration
        self.card = card
        self.updates = 0
        self._device = torch.device(device)
        self._seed = seed
        self._rng = generator(seed, EXPLORATION)
        weights_seed = derived_seed(seed, WEIGHTS)
        self.online = build_q_network(configuration, card, weights_seed)
        self.target = build_q_network(configuration, card, weights_seed)
        self.online.to(self._device)
        self.target.to(self._device).requires_grad_(False)
        self._values, self._gradients = flatten_parameters(self.online)
        self._target_values, unused = flatten_parameters(self.target)
        self._online = fastest_pass(self.online, self._gradients)
        self._target_pass = fastest_pass(self.target, unused)
        self._adam = Adam(
            self._values, self._gradients, configuration.agent.adam_epsilon
        )

    @cached_property
    def memory(self) -> Memory:
        """What the agent remembers; made when first used (players need none)."""
        # Its compiled kernels take a while to import: players do without them.
        from engine.replay import Memory

        return Memory(self.configuration, self.card, self._seed)

    @torch.inference_mode()
    def act(
        self,
        observations: np.ndarray,
        mode: Literal["explore", "greedy"] = "greedy",
        step: int = 0,
        epsilon: float | None = None,
        *,
        all_values: bool = True,
    ) -> Decision:
        """Choose an action for each observation [E, ...]; of equal ones the first.

        Args:
          observations: As the network sees them, frame stack included.
          mode: ``explore`` follows the ε schedule, ``greedy`` has ε = 0.
          step: Environment step, for the schedule.
          epsilon: Takes the place of both.
          all_values: Compute values also where every action is random.
        """
        count = len(observations)
        if epsilon is None:
            explores = mode == "explore"
            epsilon = schedules.epsilon(self.configuration, step) if explores else 0.0
        explored = self._rng.random(count) < epsilon
        exploring = np.count_nonzero(explored)
        if all_values or exploring < count:
            q = self._online.values(self._tensor(observations)).cpu().numpy()
        else:
            q = np.full((count, self.card.actions), np.nan, np.float32)
        actions = q.argmax(1)
        if exploring:
            random_actions = self._rng.integers(0, self.card.actions, count)
            actions = np.where(explored, random_actions, actions)
        return Decision(actions, explored, q)

    @torch.inference_mode()
    def learn(self, step: int) -> Update | None:
        """One gradient step on one batch, or None where there is nothing to learn.

        Args:
          step: Environment step, for the schedules.

        Raises:
          NotFinite: If loss or gradient are not finite; nothing has changed then.
        """
        options = self.configuration.agent
        learning_rate = schedules.learning_rate(self.configuration, step)
        beta = schedules.beta(self.configuration, step)
        batch = self.memory.sample(options.batch_size, options.discount, beta)
        if batch is None:
            return None

        target = self._target(batch)
        q = self._online.forward(self._tensor(batch.observation))
        error, gradient, loss = self._loss(q, target, batch)
        self._online.backward(gradient)
        gradient_norm = self._descend(loss, learning_rate)
        self.updates += 1
        self._follow()

        errors = error.cpu().numpy()
        self.memory.learned(batch.slots, errors)
        values = q.cpu().numpy()
        return Update(loss, gradient_norm, errors, values, learning_rate, beta)

    def _target(self, batch: Batch) -> Tensor:
        """Bootstrapped targets, float [B]."""
        reward, discount = self._tensor(batch.reward), self._tensor(batch.discount)
        next_observation = self._tensor(batch.next_observation)
        next_q = self._bootstrap.values(next_observation)
        if not self.configuration.agent.double:
            return q_target(reward, discount, next_q)
        next_q_online = self._online.values(next_observation)
        return double_q_target(reward, discount, next_q_online, next_q)

    def _loss(
        self, q: Tensor, target: Tensor, batch: Batch
    ) -> tuple[Tensor, Tensor, float]:
        """TD errors [B], gradient of the loss by the Q-values [B, A], and the loss.

        The loss is the mean over the batch, weighted by importance.
        """
        action = self._tensor(batch.action)
        delta = self._huber_delta
        error = td_error(q, action, target)
        slope = huber_slope(error, delta)
        losses = huber(error, delta)
        if batch.weight is not None:
            weight = self._tensor(batch.weight)
            losses, slope = losses * weight, slope * weight
        # A TD error is target minus estimate: raising Q lowers it.
        per_action = (slope / -len(error)).unsqueeze(1)
        gradient = torch.zeros_like(q).scatter_(1, action.unsqueeze(1), per_action)
        return error, gradient, losses.mean().item()

    def _descend(self, loss: float, learning_rate: float) -> float:
        """Follow the clipped gradient; its length before clipping.

        Raises:
          NotFinite: If the loss or the gradient is not; the weights are untouched.
        """
        norm = math.sqrt(self._gradients.dot(self._gradients).item())
        if not math.isfinite(loss + norm):
            raise NotFinite("gradient" if math.isfinite(loss) else "loss")
        longest = self.configuration.agent.gradient_clip
        if 0 < longest < norm:
            self._gradients.mul_(longest / norm)
        self._adam.step(learning_rate)
        return norm

    @property
    def _huber_delta(self) -> float:
        options = self.configuration.agent
        return options.huber_delta if options.loss == "huber" else math.inf

    @property
    def _bootstrap(self) -> Pass:
        """What values the next observation: the target network, where there is one."""
        shared = self.configuration.target_network.kind == "none"
        return self._online if shared else self._target_pass

    def _follow(self) -> None:
        """Let the target network follow the online network."""
        options = self.configuration.target_network
        if options.kind == "polyak":
            self._target_values.lerp_(self._values, options.tau)
        elif options.kind == "periodic" and self.updates % options.period == 0:
            self._target_values.copy_(self._values)

    @torch.inference_mode()
    def insight(self, observations: np.ndarray) -> dict[str, np.ndarray]:
        """What the online network says about observations [n, ...].

        Returns:
          ``q`` [n, A], ``advantage`` [n, A], ``value_head`` [n] (NaN without
          dueling) and ``embedding`` [n, H]; see :class:`QOutputs`.
        """
        outputs = self.online.outputs(self._tensor(observations))
        return {
            name: values.cpu().numpy() for name, values in outputs._asdict().items()
        }

    def weights(self) -> dict[str, np.ndarray]:
        """Copies of both networks: ``online/<parameter>``, ``target/<parameter>``."""
        found: dict[str, np.ndarray] = {}
        for name, arrays in self._networks().items():
            found |= {f"{name}/{parameter}": it for parameter, it in arrays.items()}
        return found

    def load_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take over what :meth:`weights` of an agent of this form returned.

        Raises:
          ValueError: If a parameter is missing or has another shape.
        """
        load_arrays(self.online, weights, "online/")
        load_arrays(self.target, weights, "target/")

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
        if "replay.kind" in changes:
            _check_swap(self.configuration.replay.kind, configuration.replay.kind)
        if self.configuration.target_network.kind == "none":
            self._target_values.copy_(self._values)
        self.configuration = configuration
        if any(key.startswith("replay.") for key in changes):
            self.memory.configure(configuration)

    def state(self) -> State:
        """Everything that is needed to go on exactly, but the slots of the replay."""
        return {
            **self._networks(),
            "optimizer": self._adam.state(),
            "exploration": generator_state(self._rng),
            "updates": self.updates,
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
        self.load_weights(
            {
                f"{prefix}/{name}": array
                for prefix in ("online", "target")
                for name, array in state[prefix].items()
            }
        )
        self._adam.restore(state["optimizer"])
        restore_generator(self._rng, state["exploration"])
        self.updates = int(state["updates"])
        self.memory.restore(state["memory"], replay or {})

    def _networks(self) -> dict[str, dict[str, np.ndarray]]:
        """Copies of the parameters of both networks, by name."""
        shared = self.configuration.target_network.kind == "none"
        target = self._values if shared else self._target_values
        return {
            "online": named_arrays(self.online, self._values),
            "target": named_arrays(self.target, target),
        }

    def _tensor(self, array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(array)
        return tensor if self._device.type == "cpu" else tensor.to(self._device)


def _check_swap(old: str, new: str) -> None:
    if "none" in (old, new):
        sentence = (
            "Learning with and without replay keep different things: changing "
            f"from {old} to {new} needs a new run."
        )
        raise ConfigurationError({"replay.kind": sentence})
