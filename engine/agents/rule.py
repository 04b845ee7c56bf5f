"""From a batch to the gradient of a loss: estimator x head x memory x bootstrapping.

Nothing here reads a number out of a tensor, so that the same lines run as they are
and are recorded to be compiled (see ``agents.compiled``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from engine.agents.layouts import Layout, make_layout, on_device
from engine.agents.losses import Judged, judge_by_graph, judge_directly
from engine.agents.targets import (
    Following,
    WindowRows,
    distributional_target,
    retrace_target,
    scalar_target,
)
from engine.agents.trust_region import Spread, trusted
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration
from engine.networks import Distribution, Pass, return_model
from engine.networks.passes import HalfPass

if TYPE_CHECKING:
    from engine.replay import Batch

Target = Tensor | Distribution


class Passes(NamedTuple):
    """How the network that learns and the one that follows it are run."""

    online: Pass
    target: Pass


class Found(NamedTuple):
    """What a batch of ``R`` rows came to.

    Attributes:
      judged: Errors, surprise, loss and the gradient by the network's numbers.
      q: Online values before the step, float [R, A].
      surprise: |surprise| of each slot of the batch, float [B]; None where it has none.
      square: See :class:`Spread`, afterwards; None without a trust region.
      extras: Whatever else was measured, each float [], by the name of its series.
    """

    judged: Judged
    q: Tensor
    surprise: Tensor | None
    square: Tensor | None
    extras: dict[str, Tensor]


class Rule:
    """How a network's estimates are judged by a batch.

    Attributes:
      configuration: Options; none of them changes here.
      passes: The networks.
      model: How the numbers of a distribution head are read; None for a scalar one.
    """

    def __init__(
        self,
        configuration: Configuration,
        card: EnvironmentCard,
        passes: Passes,
        device: str,
    ) -> None:
        if configuration.training.precision == "bf16":
            passes = Passes(*(HalfPass(it, device) for it in passes))
        self.configuration, self.passes = configuration, passes
        self.model = return_model(configuration)
        self._card, self._device = card, device

    @property
    def trusts(self) -> bool:
        """Whether there is a trust region."""
        return self.configuration.agent.bootstrap == "trust_region"

    @property
    def extras(self) -> list[str]:
        """The names of what is measured besides, sorted."""
        ensemble = self.configuration.exploration.kind == "bootstrapped"
        return ["disagreement"] * ensemble + ["masked"] * self.trusts

    def judge(self, batch: Batch, exploration: float | Tensor, spread: Spread) -> Found:
        """The gradient that a batch asks for; it is not followed here.

        Args:
          batch: What to learn from.
          exploration: ε or temperature of the policy that SARSA values.
          spread: Of the trust region.
        """
        layout = make_layout(self.configuration, batch, self._device)
        numbers = layout.forward(self.passes.online)
        target = self._target(layout, batch, numbers, exploration)
        extras: dict[str, Tensor] = {}
        square = None
        if self.trusts:
            square = self._keep_trusted(layout, numbers, target, spread, extras)
        judged = self._judge(layout, numbers, target)
        if "disagreement" in self.extras:
            doubt = self.q(numbers).std(0, unbiased=False)
            extras["disagreement"] = doubt.mean()
        q = self.q(layout.current(numbers))
        surprise = layout.per_transition(judged.surprise)
        return Found(judged, q, surprise, square, extras)

    def explain(self, batch: Batch, exploration: float) -> list[Tensor]:
        """The parts of ``reports.Explanation``, [R] and [R, A] each."""
        layout = make_layout(self.configuration, batch, self._device)
        numbers = layout.values(self.passes.online)
        target = self._target(layout, batch, numbers, exploration)
        judged = self._judge(layout, numbers, target)
        one = torch.ones_like(layout.rows.reward)
        layout.rows = layout.rows._replace(reward=one - one, discount=one)
        after = _mean(self._target(layout, batch, numbers, exploration))
        networks = self._bootstrap, self.passes.online
        valued, online = (layout.following(it) for it in networks)
        q = self.q(layout.current(numbers))
        estimate = q.gather(1, layout.rows.action.unsqueeze(1)).squeeze(1)
        found = estimate, _mean(target), judged.error, judged.surprise.abs(), after
        return [*found, self.q(valued), self.liking(valued), self.liking(online)]

    def liking(self, numbers: Tensor) -> Tensor:
        """What actions are chosen by: expected returns, or CVaR."""
        return numbers if self.model is None else self.model.preference(numbers)

    def q(self, numbers: Tensor) -> Tensor:
        """Expected returns, without the axis of a distribution."""
        return numbers if self.model is None else self.model.mean(numbers)

    def _target(
        self,
        layout: Layout,
        batch: Batch,
        numbers: Tensor,
        exploration: float | Tensor,
    ) -> Target:
        """What the estimates are moved towards: [R], or a distribution of each."""
        configuration = self.configuration
        if batch.windows is not None:
            return self._retrace(batch, exploration)
        bootstrap, online = self._bootstrap, self.passes.online
        valued = layout.following(bootstrap, numbers if bootstrap is online else None)
        chosen_by = valued
        if configuration.agent.double and bootstrap is not online:
            chosen_by = layout.following(online, numbers)
        how = layout.rows, Following(valued, chosen_by), exploration
        if self.model is None:
            return scalar_target(configuration, *how)
        return distributional_target(configuration, self.model, *how)

    def _retrace(self, batch: Batch, exploration: float | Tensor) -> Tensor:
        windows = batch.windows
        assert windows is not None
        count, steps = windows.action.shape
        flat = windows.observation.reshape(-1, *self._card.shape)
        seen = on_device(flat, self._device)
        networks = dict.fromkeys((self._bootstrap, self.passes.online))
        of_steps = [it.values(seen) for it in networks]
        members = of_steps[0].numel() // (count * steps * self._card.actions)
        shape = (members * count, steps, self._card.actions)
        valued, online = of_steps[0].reshape(shape), of_steps[-1].reshape(shape)
        tensors = [on_device(it, self._device) for it in windows[1:]]
        rows = WindowRows(*(it.repeat(members, 1) for it in tensors))
        double = self.configuration.agent.double
        following = Following(valued, online if double else valued)
        return retrace_target(self.configuration, rows, following, exploration)

    def _keep_trusted(
        self,
        layout: Layout,
        numbers: Tensor,
        target: Target,
        spread: Spread,
        extras: dict[str, Tensor],
    ) -> Tensor:
        """Leave out rows that would leave the trust region; its sum afterwards."""
        rows = layout.rows
        taken = rows.action.unsqueeze(1)
        online, older = (
            self.q(layout.current(it)).gather(1, taken).squeeze(1)
            for it in (numbers, layout.values(self.passes.target))
        )
        counted = torch.ones_like(online) if rows.weight is None else rows.weight
        keep, square = trusted(
            self.configuration, spread, online, older, _mean(target), counted
        )
        kept = counted * keep
        extras["masked"] = 1.0 - kept.sum() / counted.sum().clamp(min=1e-12)
        layout.rows = rows._replace(weight=kept)
        return square

    def _judge(self, layout: Layout, numbers: Tensor, target: Target) -> Judged:
        penalised = self.configuration.agent.conservative > 0
        if layout.plain and isinstance(target, Tensor) and not penalised:
            return judge_directly(self.configuration, numbers, layout.rows, target)
        return judge_by_graph(self.configuration, self.model, layout, numbers, target)

    @property
    def _bootstrap(self) -> Pass:
        """What values the next observation: the target network, where there is one."""
        online = self.configuration.target_network.kind == "none"
        online |= self.trusts
        return self.passes.online if online else self.passes.target


def _mean(target: Target) -> Tensor:
    return target if isinstance(target, Tensor) else target.mean
