"""The side of an agent that learns: both networks, and one step of the algorithm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.agents import schedules
from engine.agents.compiled import CompiledUpdate
from engine.agents.graph import Dials, batch_arrays, state_tensors
from engine.agents.layouts import on_device
from engine.agents.optimizers import make_optimizer
from engine.agents.reports import Explanation, NotFinite, Update
from engine.agents.rule import Passes, Rule
from engine.agents.trust_region import Spread, TrustRegion
from engine.agents.weights import load_arrays, named_arrays
from engine.contract.arrays import State
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration
from engine.contract.randomness import derived_seed
from engine.networks import (
    Place,
    alone,
    build_q_network,
    fastest_pass,
    flatten_parameters,
    noise_level,
)
from engine.networks.passes import DirectPass, RememberingPass

if TYPE_CHECKING:
    from engine.replay import Batch

WEIGHTS, NOISE = 1, 7
"""Purposes of the agent's seeds (see ``contract.randomness``)."""


class Improvement(NamedTuple):
    """What came of a gradient step.

    Attributes:
      update: To be reported.
      surprise: Of each transition, for its priority; None where it has none.
    """

    update: Update
    surprise: np.ndarray | None


class _Outcome(NamedTuple):
    """What came of an update: its loss and length of gradient, and arrays."""

    size: tuple[float, float]
    error: np.ndarray
    q: np.ndarray
    surprise: np.ndarray | None
    extras: dict[str, float]


class Learner:
    """Two networks, and how the first gets better.

    Attributes:
      configuration: All options; see :meth:`configure`.
      card: What the environment offers.
      online, target: The network that learns, and the one that follows it.
      values, gradients: All parameters of the online network as one vector, and what
        the last update followed.
      target_values: All parameters of the target network.
      online_pass, target_pass: How the networks are run.
      rule: How estimates are judged by a batch.
      optimizer: What follows the gradients.
      compiled: What makes the updates in the place of all that, if it is compiled.
      stacks: Of the first of several learners that are updated as one, those of all
        of them; see :attr:`tensors`.
      trust: The trust region, which has a memory of its own.
      noise: Random numbers of noisy layers.
      updates: Gradient steps so far.
    """

    def __init__(
        self,
        configuration: Configuration,
        card: EnvironmentCard,
        device: torch.device,
        seed: int,
        place: Place = alone,
    ) -> None:
        self.configuration, self.card, self._device = configuration, card, device
        self.updates = 0
        self.noise = torch.Generator().manual_seed(derived_seed(seed, NOISE))
        weights_seed = derived_seed(seed, WEIGHTS)
        self.online = build_q_network(configuration, card, weights_seed)
        self.target = build_q_network(configuration, card, weights_seed)
        self.online.to(device)
        self.target.to(device).requires_grad_(False)
        for network in (self.online, self.target):
            network.join_noise(place)
        self.values, self.gradients = flatten_parameters(self.online, place)
        self.target_values, unused = flatten_parameters(self.target, place)
        precision = configuration.training.precision
        self.online_pass = fastest_pass(self.online, self.gradients, precision)
        self.target_pass = fastest_pass(self.target, unused, precision)
        learning = configuration.agent
        self.optimizer = make_optimizer(
            learning.optimizer, self.values, self.gradients, learning.adam_epsilon
        )
        self.optimizer.moments = tuple(map(place, self.optimizer.moments))
        self.trust = TrustRegion()
        self.trust.square = place(self.trust.square.to(device))
        self.rule = self._rule(configuration)
        self.compiled: CompiledUpdate | None = None
        self.stacks: list[Tensor] | None = None

    @property
    def tensors(self) -> list[Tensor]:
        """What a graph of an update reads and moves, as ``graph.state_tensors``."""
        return state_tensors(self) if self.stacks is None else self.stacks

    def _rule(self, configuration: Configuration, passes: Passes | None = None) -> Rule:
        passes = passes or Passes(self.online_pass, self.target_pass)
        return Rule(configuration, self.card, passes, str(self._device))

    def configure(self, configuration: Configuration) -> None:
        """Take over changed live options."""
        if self.configuration.target_network.kind == "none":
            self.target_values.copy_(self.values)
        self.configuration = configuration
        self.rule = self._rule(configuration)
        if self.compiled is not None and not self.compiled.suits(configuration):
            self.compiled = None

    # ---------------------------------------------------------------- learning

    def learn_from(
        self,
        batch: Batch,
        step: int,
        exploration: float,
        measured: dict[str, float],
    ) -> Improvement:
        """One gradient step on these transitions.

        Args:
          batch: What to learn from.
          step: Environment step, for the schedules.
          exploration: ε or temperature of the policy that SARSA values.
          measured: Of acting, to be reported with what is measured here.

        Raises:
          NotFinite: If loss or gradient are not finite, and nothing has changed
            then; or if a weight is not afterwards.
        """
        # What inference mode makes cannot be part of a graph, but it is quicker.
        with torch.inference_mode() if self._spelled_out else torch.no_grad():
            return self._improve(batch, step, exploration, measured)

    @property
    def _spelled_out(self) -> bool:
        """Whether no graph is needed from the observations to the loss."""
        options = self.configuration
        direct = isinstance(self.online_pass, DirectPass) and self.rule.model is None
        return (
            direct
            and not options.agent.conservative
            and options.replay.kind != "sequence"
        )

    def _improve(
        self,
        batch: Batch,
        step: int,
        exploration: float,
        measured: dict[str, float],
    ) -> Improvement:
        learning_rate = schedules.learning_rate(self.configuration, step)
        extras = measured | self.prepare()
        compiled = self.compiled
        if compiled is not None and compiled.takes(batch):
            outcome = self._by_library(compiled, batch, exploration, learning_rate)
        else:
            outcome = self._line_by_line(batch, exploration, learning_rate)
        self.conclude()
        (loss, gradient_norm), error, q, surprise = outcome[:4]
        if batch.sequences is not None:
            valid = batch.sequences.valid.reshape(-1)
            q, error = q[valid], error[valid]
        beta = schedules.beta(self.configuration, step)
        how = error, q, learning_rate, beta, extras | outcome.extras
        return Improvement(Update(loss, gradient_norm, *how), surprise)

    def prepare(self) -> dict[str, float]:
        """Draw what an update needs; how much noise is left, in some of them."""
        if not self._noisy:
            return {}
        for network in (self.online, self.target):
            network.resample(self.noise)
        return self._noise_levels()

    def conclude(self, *, follow_up: bool = True) -> None:
        """The online network has been moved: go on with all that follows it.

        Args:
          follow_up: Let the target network follow; else somebody else does.
        """
        if self._noisy:
            for network in (self.online, self.target):
                network.silence()
        self.updates += 1
        if follow_up:
            how = self.configuration, self.updates
            follow(self.target_values, self.values, *how)

    def _line_by_line(
        self, batch: Batch, exploration: float, learning_rate: float
    ) -> _Outcome:
        spread = Spread(self.trust.square, self.trust.weights)
        found = self.rule.judge(batch, exploration, spread)
        self.online_pass.backward(found.judged.gradient)
        loss = found.judged.loss.item()
        norm = self._descend(loss, learning_rate)
        if found.square is not None:
            self.trust.square.copy_(found.square)
            self.trust.moved()
        surprise = None if found.surprise is None else found.surprise.cpu().numpy()
        error, q = found.judged.error.cpu().numpy(), found.q.cpu().numpy()
        extras = {name: it.item() for name, it in found.extras.items()}
        return _Outcome((loss, norm), error, q, surprise, extras)

    def _by_library(
        self,
        compiled: CompiledUpdate,
        batch: Batch,
        exploration: float,
        learning_rate: float,
    ) -> _Outcome:
        dials = self.dials(exploration, learning_rate)
        found = compiled(batch_arrays(batch), dials)
        loss, norm, total, *extras = found.numbers.tolist()
        self.moved(loss, norm, total)
        error, q, surprise = (it.numpy() for it in found[1:])
        named = dict(zip(self.rule.extras, extras, strict=True))
        return _Outcome((loss, norm), error, q, surprise, named)

    def dials(self, exploration: float, learning_rate: float) -> Dials:
        """For the next update, where a graph makes it."""
        pace = self.optimizer.pace(learning_rate)
        return Dials(exploration, self.trust.weights, *pace)

    def moved(self, loss: float, norm: float, total: float) -> None:
        """A graph has moved the online network; ``total`` is the sum of its weights.

        Raises:
          NotFinite: If loss or gradient are not, and nothing has moved; or a weight.
        """
        _check_finite(loss, norm)
        self.optimizer.moved()
        if self.rule.trusts:
            self.trust.moved()
        if not math.isfinite(total):
            raise NotFinite("weight")

    @torch.no_grad()
    def explain(
        self,
        configuration: Configuration,
        batch: Batch,
        exploration: float,
        passes: Passes | None = None,
    ) -> Explanation:
        """What an update on these transitions would be made of; nothing is learned.

        Args:
          configuration: Options that leave the form of the networks alone.
          batch: The transitions; no pieces of episodes.
          exploration: As in :meth:`learn_from`.
          passes: How the networks are run, if not as in :meth:`learn_from`.
        """
        each = self._rule(configuration, passes).explain(batch, exploration)
        members = len(each[0]) // len(batch.action)
        means = (it.view(members, -1, *it.shape[1:]).mean(0) for it in each)
        return Explanation(*(it.cpu().numpy() for it in means))

    def explain_each(
        self, cases: Iterable[tuple[Configuration, Batch]], step: int
    ) -> Iterator[Explanation]:
        """The same for several, as long as the networks stay as they are.

        What these say of the same observations is worked out once.
        """
        passes = Passes(*map(RememberingPass, (self.online_pass, self.target_pass)))
        for options, batch in cases:
            exploration = schedules.exploration(options, step)
            yield self.explain(options, batch, exploration, passes)

    @property
    def _noisy(self) -> bool:
        """Whether both networks have new noise for each update, and none else."""
        return self.configuration.exploration.kind == "noisy"

    def _noise_levels(self) -> dict[str, float]:
        """How much noise is left in each noisy layer, by the name of its series.

        It falls slowly: one update of each point of its curve measures it.
        """
        if not schedules.measures_noise(self.configuration, self.updates):
            return {}
        layers = self.online.noisy_layers().items()
        return {f"noise/{name}": noise_level(it) for name, it in layers}

    def _descend(self, loss: float, learning_rate: float) -> float:
        """Follow the clipped gradient; its length before clipping.

        Raises:
          NotFinite: If the loss or the gradient is not, and the weights are
            untouched; or if a weight is not after the step.
        """
        norm = math.sqrt(self.gradients.dot(self.gradients).item())
        _check_finite(loss, norm)
        longest = self.configuration.agent.gradient_clip
        if 0 < longest < norm:
            self.gradients.mul_(longest / norm)
        self.optimizer.step(learning_rate)
        # A sum is not finite as soon as one of its terms is not.
        if not math.isfinite(self.values.sum().item()):
            raise NotFinite("weight")
        return norm

    # ------------------------------------------------------------------- state

    def networks(self) -> dict[str, dict[str, np.ndarray]]:
        """Copies of the parameters of both networks, by name."""
        shared = self.configuration.target_network.kind == "none"
        target = self.values if shared else self.target_values
        return {
            "online": named_arrays(self.online, self.values),
            "target": named_arrays(self.target, target),
        }

    def load_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take over both networks, by ``online/<parameter>``, ``target/<parameter>``.

        Raises:
          ValueError: If a parameter is missing or has another shape.
        """
        load_arrays(self.online, weights, "online/")
        load_arrays(self.target, weights, "target/")

    def state(self) -> State:
        """All that is needed to go on exactly."""
        return {
            **self.networks(),
            "optimizer": self.optimizer.state(),
            "noise": self.noise.get_state().numpy().copy(),
            "trust": self.trust.state(),
            "updates": self.updates,
        }

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`; raises ValueError if it is of another form."""
        self.load_weights(
            {
                f"{prefix}/{name}": array
                for prefix in ("online", "target")
                for name, array in state[prefix].items()
            }
        )
        self.optimizer.restore(state["optimizer"])
        if "noise" in state:  # older states have neither
            self.noise.set_state(torch.from_numpy(np.array(state["noise"])))
            self.trust.restore(state["trust"])
        self.updates = int(state["updates"])

    def tensor(self, array: np.ndarray) -> Tensor:
        """On the device of the networks."""
        return on_device(array, str(self._device))


def follow(
    target: Tensor, online: Tensor, configuration: Configuration, updates: int
) -> None:
    """Let target parameters follow those of the online network after an update."""
    options = configuration.target_network
    if options.kind == "polyak":
        target.lerp_(online, options.tau)
    elif options.kind == "periodic" and updates % options.period == 0:
        target.copy_(online)


def _check_finite(loss: float, norm: float) -> None:
    if not math.isfinite(loss + norm):
        raise NotFinite("gradient" if math.isfinite(loss) else "loss")
