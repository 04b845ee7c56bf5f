"""The side of an agent that learns: both networks, and one step of the algorithm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.agents import schedules
from engine.agents.layouts import Layout, make_layout, on_device
from engine.agents.losses import Judged, judge_by_graph, judge_directly
from engine.agents.optimizers import make_optimizer
from engine.agents.reports import Explanation, NotFinite, Update
from engine.agents.targets import (
    Following,
    WindowRows,
    distributional_target,
    retrace_target,
    scalar_target,
)
from engine.agents.trust_region import TrustRegion
from engine.agents.weights import load_arrays, named_arrays
from engine.contract.arrays import State
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration
from engine.contract.randomness import derived_seed
from engine.networks import (
    Distribution,
    Pass,
    build_q_network,
    fastest_pass,
    flatten_parameters,
    noise_level,
    return_model,
)
from engine.networks.passes import DirectPass

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


class Learner:
    """Two networks, and how the first gets better.

    Attributes:
      configuration: All options; see :meth:`configure`.
      online, target: The network that learns, and the one that follows it.
      values, gradients: All parameters of the online network as one vector, and what
        the last update followed.
      target_values: All parameters of the target network.
      online_pass, target_pass: How the networks are run.
      model: How the numbers of a distribution head are read; None for a scalar one.
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
    ) -> None:
        self.configuration, self._card, self._device = configuration, card, device
        self.updates = 0
        self.noise = torch.Generator().manual_seed(derived_seed(seed, NOISE))
        weights_seed = derived_seed(seed, WEIGHTS)
        self.online = build_q_network(configuration, card, weights_seed)
        self.target = build_q_network(configuration, card, weights_seed)
        self.online.to(device)
        self.target.to(device).requires_grad_(False)
        self.values, self.gradients = flatten_parameters(self.online)
        self.target_values, unused = flatten_parameters(self.target)
        self.online_pass = fastest_pass(self.online, self.gradients)
        self.target_pass = fastest_pass(self.target, unused)
        learning = configuration.agent
        self._optimizer = make_optimizer(
            learning.optimizer, self.values, self.gradients, learning.adam_epsilon
        )
        self.model = return_model(configuration)
        self.trust = TrustRegion()

    def configure(self, configuration: Configuration) -> None:
        """Take over changed live options."""
        if self.configuration.target_network.kind == "none":
            self.target_values.copy_(self.values)
        self.configuration = configuration
        self.model = return_model(configuration)

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
        direct = isinstance(self.online_pass, DirectPass) and self.model is None
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
        layout = make_layout(self.configuration, batch, str(self._device))
        self._make_noise()
        numbers = layout.forward(self.online_pass)
        target = self._target(layout, batch, numbers, exploration)
        extras = measured | self._extras(numbers)
        layout.rows = self._trusted(layout, numbers, target, extras)
        judged = self._judge(layout, numbers, target)
        self.online_pass.backward(judged.gradient)
        learning_rate = schedules.learning_rate(self.configuration, step)
        gradient_norm = self._descend(judged.loss, learning_rate)
        self._make_noise(quiet=True)
        self.updates += 1
        self._follow()

        q = self.q(layout.current(numbers)).cpu().numpy()
        error = judged.error.cpu().numpy()
        if batch.sequences is not None:
            valid = batch.sequences.valid.reshape(-1)
            q, error = q[valid], error[valid]
        beta = schedules.beta(self.configuration, step)
        how = gradient_norm, error, q, learning_rate, beta, extras
        surprise = layout.per_transition(judged.surprise)
        return Improvement(Update(judged.loss, *how), surprise)

    def _target(
        self, layout: Layout, batch: Batch, numbers: Tensor, exploration: float
    ) -> Tensor | Distribution:
        """What the estimates are moved towards: [R], or a distribution of each."""
        configuration = self.configuration
        if batch.windows is not None:
            return self._retrace(batch, exploration)
        valued = layout.following(self._bootstrap, self._known(numbers))
        chosen_by = valued
        if configuration.agent.double and self._bootstrap is not self.online_pass:
            chosen_by = layout.following(self.online_pass, numbers)
        following = Following(valued, chosen_by)
        rows = layout.rows
        if self.model is None:
            return scalar_target(configuration, rows, following, exploration)
        return distributional_target(
            configuration, self.model, rows, following, exploration
        )

    def _known(self, numbers: Tensor) -> Tensor | None:
        """The online network's numbers, where it is the one that bootstraps."""
        return numbers if self._bootstrap is self.online_pass else None

    def _retrace(self, batch: Batch, exploration: float) -> Tensor:
        windows = batch.windows
        assert windows is not None
        count, steps = windows.action.shape
        seen = self.tensor(windows.observation.reshape(-1, *self._card.shape))
        of_steps = [
            it.values(seen) for it in dict.fromkeys((self._bootstrap, self.online_pass))
        ]
        members = of_steps[0].numel() // (count * steps * self._card.actions)
        shape = (members * count, steps, self._card.actions)
        valued, online = of_steps[0].reshape(shape), of_steps[-1].reshape(shape)
        tensors = [self.tensor(it) for it in windows[1:]]
        rows = WindowRows(*(it.repeat(members, 1) for it in tensors))
        double = self.configuration.agent.double
        following = Following(valued, online if double else valued)
        return retrace_target(self.configuration, rows, following, exploration)

    def _trusted(
        self,
        layout: Layout,
        numbers: Tensor,
        target: Tensor | Distribution,
        extras: dict[str, float],
    ) -> Any:
        """The rows, without those that would leave the trust region."""
        rows = layout.rows
        if self.configuration.agent.bootstrap != "trust_region":
            return rows
        towards = target if isinstance(target, Tensor) else target.mean
        taken = rows.action.unsqueeze(1)
        online, older = (
            self.q(layout.current(it)).gather(1, taken).squeeze(1)
            for it in (numbers, layout.values(self.target_pass))
        )
        counted = torch.ones_like(online) if rows.weight is None else rows.weight
        keep = self.trust.keep(self.configuration, online, older, towards, counted)
        kept = counted * keep
        extras["masked"] = 1.0 - float(kept.sum() / counted.sum().clamp(min=1e-12))
        return rows._replace(weight=kept)

    def _judge(
        self, layout: Layout, numbers: Tensor, target: Tensor | Distribution
    ) -> Judged:
        penalised = self.configuration.agent.conservative > 0
        if layout.plain and isinstance(target, Tensor) and not penalised:
            return judge_directly(self.configuration, numbers, layout.rows, target)
        return judge_by_graph(self.configuration, self.model, layout, numbers, target)

    @torch.no_grad()
    def explain(
        self, configuration: Configuration, batch: Batch, exploration: float
    ) -> Explanation:
        """What an update on these transitions would be made of; nothing is learned.

        Args:
          configuration: Options that leave the form of the networks alone.
          batch: The transitions; no pieces of episodes.
          exploration: As in :meth:`learn_from`.
        """
        own, self.configuration = self.configuration, configuration
        try:
            return self._explain(batch, exploration)
        finally:
            self.configuration = own

    def _explain(self, batch: Batch, exploration: float) -> Explanation:
        layout = make_layout(self.configuration, batch, str(self._device))
        numbers = layout.values(self.online_pass)
        target = self._target(layout, batch, numbers, exploration)
        error, surprise = self._judge(layout, numbers, target)[:2]
        towards = target if isinstance(target, Tensor) else target.mean
        one = torch.ones_like(layout.rows.reward)
        layout.rows = layout.rows._replace(reward=one - one, discount=one)
        after = self._target(layout, batch, numbers, exploration)
        bootstrap = after if isinstance(after, Tensor) else after.mean
        valued, online = map(layout.following, (self._bootstrap, self.online_pass))
        q = self.q(layout.current(numbers))
        estimate = q.gather(1, layout.rows.action.unsqueeze(1)).squeeze(1)
        found = (estimate, towards, error, surprise.abs(), bootstrap)
        each = (*found, self.q(valued), self.liking(valued), self.liking(online))
        members = len(estimate) // len(batch.action)
        means = (it.view(members, -1, *it.shape[1:]).mean(0) for it in each)
        return Explanation(*(it.cpu().numpy() for it in means))

    def liking(self, numbers: Tensor) -> Tensor:
        """What actions are chosen by: expected returns, or CVaR."""
        return numbers if self.model is None else self.model.preference(numbers)

    def q(self, numbers: Tensor) -> Tensor:
        """Expected returns, without the axis of a distribution."""
        return numbers if self.model is None else self.model.mean(numbers)

    def _make_noise(self, *, quiet: bool = False) -> None:
        """New noise in both networks for an update, or none."""
        if self.configuration.exploration.kind != "noisy":
            return
        for network in (self.online, self.target):
            if quiet:
                network.silence()
            else:
                network.resample(self.noise)

    def _extras(self, numbers: Tensor) -> dict[str, float]:
        """Measured beside loss and errors, where there is such a thing."""
        kind = self.configuration.exploration.kind
        found: dict[str, float] = {}
        if kind == "noisy":
            layers = self.online.noisy_layers()
            found |= {f"noise/{name}": noise_level(it) for name, it in layers.items()}
        if kind == "bootstrapped":
            spread = self.q(numbers).std(0, unbiased=False)
            found["disagreement"] = float(spread.mean())
        return found

    def _descend(self, loss: float, learning_rate: float) -> float:
        """Follow the clipped gradient; its length before clipping.

        Raises:
          NotFinite: If the loss or the gradient is not, and the weights are
            untouched; or if a weight is not after the step.
        """
        norm = math.sqrt(self.gradients.dot(self.gradients).item())
        if not math.isfinite(loss + norm):
            raise NotFinite("gradient" if math.isfinite(loss) else "loss")
        longest = self.configuration.agent.gradient_clip
        if 0 < longest < norm:
            self.gradients.mul_(longest / norm)
        self._optimizer.step(learning_rate)
        # A sum is not finite as soon as one of its terms is not.
        if not math.isfinite(self.values.sum().item()):
            raise NotFinite("weight")
        return norm

    @property
    def _bootstrap(self) -> Pass:
        """What values the next observation: the target network, where there is one."""
        online = self.configuration.target_network.kind == "none"
        online |= self.configuration.agent.bootstrap == "trust_region"
        return self.online_pass if online else self.target_pass

    def _follow(self) -> None:
        """Let the target network follow the online network."""
        options = self.configuration.target_network
        if options.kind == "polyak":
            self.target_values.lerp_(self.values, options.tau)
        elif options.kind == "periodic" and self.updates % options.period == 0:
            self.target_values.copy_(self.values)

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
            "optimizer": self._optimizer.state(),
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
        self._optimizer.restore(state["optimizer"])
        if "noise" in state:  # older states have neither
            self.noise.set_state(torch.from_numpy(np.array(state["noise"])))
            self.trust.restore(state["trust"])
        self.updates = int(state["updates"])

    def tensor(self, array: np.ndarray) -> Tensor:
        """On the device of the networks."""
        return on_device(array, str(self._device))
