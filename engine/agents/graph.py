"""An update recorded as a graph: everything between a batch and the moved weights.

The lines that run without compiling are recorded (``agents.rule``, the optimizer);
only what would need a number on the way is said in another form: the gradient is
followed only where it is finite, and clipping is a product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from engine.agents.layouts import on_device
from engine.agents.optimizers import Pace, Vectors
from engine.agents.rule import Found, Passes, Rule
from engine.agents.trust_region import Spread
from engine.networks.passes import VectorPass

if TYPE_CHECKING:
    from engine.agents.learner import Learner
    from engine.replay import Batch

CHOICES = (
    "agent.estimator",
    "agent.double",
    "agent.dueling",
    "agent.n_step_correction",
    "agent.trace_decay",
    "agent.temperature",
    "agent.bootstrap",
    "agent.trust_width",
    "agent.trust_scale",
    "agent.conservative",
    "agent.loss",
    "agent.huber_delta",
    "agent.gradient_clip",
    "agent.optimizer",
    "agent.batch_size",
    "agent.n_step",
    "head.",
    "network.",
    "replay.kind",
    "target_network.kind",
    "exploration.kind",
    "exploration.members",
    "exploration.noisy_sigma",
    "exploration.prior_scale",
    "training.precision",
    "training.seeds",
    "training.threads",
)
"""Options, or groups of them, that a graph depends on; no others, which is tested."""


class Dials(NamedTuple):
    """Numbers that are others in each update.

    Attributes:
      exploration: ε or temperature of the policy that SARSA values.
      weights: See :class:`Spread`.
      rate, epsilon: See :class:`Pace`.
    """

    exploration: float | Tensor
    weights: float | Tensor
    rate: float | Tensor
    epsilon: float | Tensor


ANY_DIALS = Dials(0.5, 0.01, 0.001, 1e-8)
"""To record with."""


class Outputs(NamedTuple):
    """What a recorded update gives.

    Attributes:
      numbers: Loss, length of the gradient, sum of the weights afterwards, and the
        extras in the order of their names, float [3 + ...].
      error, q, surprise: See :class:`Found`; an empty tensor stands for none.
    """

    numbers: Tensor
    error: Tensor
    q: Tensor
    surprise: Tensor


def state_tensors(learner: Learner) -> list[Tensor]:
    """What an update reads and moves, always in the same order.

    The values of both networks as vectors, the moments of the optimizer, the running
    sum of the trust region; then what is only read: noise and fixed priors.
    """
    moved = [learner.values, *learner.optimizer.moments, learner.trust.square]
    read = [learner.target_values]
    for network in (learner.online, learner.target):
        read += [*network.buffers(), *network.fixed()]
    return [*moved, *read]


def batch_arrays(batch: Batch) -> list[Any]:
    """The arrays of a batch that an update reads, always in the same order."""
    arrays = [*batch[1:7]]
    if batch.weight is not None:
        arrays.append(batch.weight)
    if "members" in batch.extras:
        arrays.append(batch.extras["members"])
    return arrays + ([] if batch.windows is None else [*batch.windows])


def record(
    learner: Learner, example: Batch
) -> tuple[torch.fx.GraphModule, tuple[Tensor, ...]]:
    """The update of a learner on batches like this one, and inputs for it.

    They are :func:`state_tensors`, :func:`batch_arrays` and the dials as one vector;
    what moves is moved in place, and the outputs are :class:`Outputs`. The learner
    stays as it is.
    """
    return _trace(learner, example, Recorded(learner, example))


def record_moves(
    learner: Learner, example: Batch
) -> tuple[torch.fx.GraphModule, tuple[Tensor, ...]]:
    """The same, but nothing is moved: where to comes before :class:`Outputs`.

    As many of the first tensors have moved as :func:`count_moved` says.
    """
    from torch.fx.experimental.proxy_tensor import make_fx

    graph, inputs = _trace(learner, example, Recorded(learner, example).moves)
    with torch.no_grad():
        # What is worked out in place on the way is said without that, too.
        pure = torch.func.functionalize(graph, remove="mutations")
        return make_fx(pure)(*inputs), inputs


def count_moved(learner: Learner) -> int:
    """How many of the first :func:`state_tensors` an update moves."""
    return 2 + len(learner.optimizer.moments)


def _trace(
    learner: Learner, example: Batch, update: Callable[..., tuple[Tensor, ...]]
) -> tuple[torch.fx.GraphModule, tuple[Tensor, ...]]:
    from torch.fx.experimental.proxy_tensor import make_fx

    state, device = state_tensors(learner), str(learner.values.device)
    before = [it.detach().clone() for it in state]
    arrays = [on_device(it, device) for it in batch_arrays(example)]
    dials = torch.tensor(ANY_DIALS, device=device)
    with torch.no_grad():
        # Noise and priors are found in their layers: the very tensors must go in.
        graph: torch.fx.GraphModule = make_fx(update)(*state, *arrays, dials)
        for tensor, was in zip(state, before, strict=True):
            tensor.copy_(was)
    return graph, (*before, *arrays, dials)


class Recorded:
    """The update as a function of tensors."""

    def __init__(self, learner: Learner, example: Batch) -> None:
        self._learner = learner
        self._moved = count_moved(learner)
        self._state = len(state_tensors(learner))
        self._weighted = example.weight is not None
        self._members = "members" in example.extras
        self._windows = example.windows is not None
        self._slots = example.slots

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Move what moves."""
        moves = self.moves(*inputs)
        for it, moved_to in zip(inputs, moves[: self._moved], strict=False):
            it.copy_(moved_to)
        return moves[self._moved :]

    def moves(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Where to everything is to be moved, and :class:`Outputs`."""
        state, arrays = inputs[: self._state], inputs[self._state : -1]
        moved, read = state[: self._moved], state[self._moved :]
        dials = Dials(*inputs[-1].unbind())
        learner, values = self._learner, moved[0]
        online = VectorPass(learner.online, values)
        target = VectorPass(learner.target, read[0])
        passes = Passes(online, target)
        of = learner.rule
        rule = Rule(of.configuration, learner.card, passes, str(values.device))
        spread = Spread(moved[-1], dials.weights)
        found = rule.judge(self._batch(arrays), dials.exploration, spread)
        gradients = online.gradients(found.judged.gradient)
        norm = gradients.dot(gradients).sqrt()
        # Single numbers as reductions: else each loop over the weights repeats them.
        finite = torch.isfinite(torch.stack((found.judged.loss, norm))).all()
        longest = learner.configuration.agent.gradient_clip
        if longest:
            share = torch.stack((longest / norm, torch.ones_like(norm))).amin()
            gradients = gradients * share
        pace = Pace(dials.rate, dials.epsilon)
        after = self._after(moved, gradients, found, finite, pace)
        # The exported form knows plain tuples only.
        return *after, *_outputs(found, norm, after[0])

    def _after(
        self,
        moved: Sequence[Tensor],
        gradients: Tensor,
        found: Found,
        finite: Tensor,
        pace: Pace,
    ) -> list[Tensor]:
        """What moves, where it was if the gradient or the loss is not finite."""
        optimizer = self._learner.optimizer
        after = [it.clone() for it in moved]
        optimizer.move(Vectors(after[0], gradients, after[1:-1]), pace)
        if found.square is not None:
            after[-1] = found.square
        each = zip(moved, after, strict=True)
        return [torch.where(finite, moved_to, it) for it, moved_to in each]

    def _batch(self, arrays: Sequence[Tensor]) -> Batch:
        """The batch of these tensors; rules take them as they take arrays."""
        from engine.replay.batches import Batch, Windows

        rest = iter(arrays[6:])
        weight = next(rest) if self._weighted else None
        extras = {"members": next(rest)} if self._members else {}
        windows = Windows(*rest) if self._windows else None  # type: ignore[arg-type]
        parts: list[Any] = [self._slots, *arrays[:6], weight, extras, windows]
        return Batch(*parts)


def _outputs(found: Found, norm: Tensor, values: Tensor) -> Outputs:
    extras = [found.extras[name] for name in sorted(found.extras)]
    single = [found.judged.loss, norm, values.sum(), *extras]
    numbers = torch.stack([it.to(norm.dtype) for it in single])
    none = torch.zeros(0, device=values.device)
    surprise = none if found.surprise is None else found.surprise
    return Outputs(numbers, found.judged.error, found.q, surprise)
