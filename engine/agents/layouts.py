"""How a batch becomes rows of single transitions, whatever shape the network has.

An update works on ``R`` rows. A plain network has one for each transition; an
ensemble one for each transition and member; a recurrent network one for each step of
each piece of an episode. What lies between the network and the rows is said here, so
that targets and losses are written once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from engine.contract.options import Configuration
from engine.networks import Pass, Recall

if TYPE_CHECKING:
    # The memory takes a while to import, and players do without.
    from engine.replay import Batch


class Rows(NamedTuple):
    """Single transitions.

    Attributes:
      action: int64 [R].
      reward, discount: float [R].
      next_action: int64 [R]; -1 where unknown.
      weight: What each counts for in the loss, float [R], or None where all count 1.
      total: The sum of weights that makes the loss a mean.
    """

    action: Tensor
    reward: Tensor
    discount: Tensor
    next_action: Tensor
    weight: Tensor | None
    total: float


class Layout(Protocol):
    """Between the arrays of a batch and rows; made for one batch."""

    rows: Rows
    plain: bool
    """Whether numbers are rows already."""

    def forward(self, network: Pass) -> Tensor:
        """Numbers of what was observed, for an update, in the network's own shape."""
        ...

    def values(self, network: Pass) -> Tensor:
        """The same, without a gradient."""
        ...

    def current(self, numbers: Tensor) -> Tensor:
        """Of these numbers those before each step, [R, A] or [R, A, N]."""
        ...

    def following(self, network: Pass, numbers: Tensor | None = None) -> Tensor:
        """Numbers after each window; ``numbers`` are those of the same network."""
        ...

    def per_transition(self, errors: Tensor) -> Tensor | None:
        """|errors| for each slot of the batch, float [B]; None where none count."""
        ...


def make_layout(configuration: Configuration, batch: Batch, device: str) -> Layout:
    """The layout of a batch for the network of this configuration."""
    if batch.sequences is not None:
        return SequenceLayout(batch, device)
    if configuration.exploration.kind == "bootstrapped":
        return EnsembleLayout(batch, device)
    return PlainLayout(batch, device)


def on_device(array: np.ndarray | Tensor, device: str) -> Tensor:
    """An array as a tensor of the network's device; what is a tensor is there."""
    if isinstance(array, Tensor):
        return array
    tensor = torch.from_numpy(array)
    return tensor if device == "cpu" else tensor.to(device)


class PlainLayout:
    """One row for each transition; see :class:`Layout`."""

    plain = True

    def __init__(self, batch: Batch, device: str) -> None:
        self._now = on_device(batch.observation, device)
        self._next = on_device(batch.next_observation, device)
        weight = None if batch.weight is None else on_device(batch.weight, device)
        self.rows = Rows(
            on_device(batch.action, device),
            on_device(batch.reward, device),
            on_device(batch.discount, device),
            on_device(batch.next_action, device),
            weight,
            len(batch.action),
        )

    def forward(self, network: Pass) -> Tensor:
        """See :class:`Layout`."""
        return network.forward(self._now)

    def values(self, network: Pass) -> Tensor:
        """See :class:`Layout`."""
        return network.values(self._now)

    def current(self, numbers: Tensor) -> Tensor:
        """See :class:`Layout`."""
        return numbers

    def following(self, network: Pass, numbers: Tensor | None = None) -> Tensor:
        """See :class:`Layout`."""
        return network.values(self._next)

    def per_transition(self, errors: Tensor) -> Tensor | None:
        """See :class:`Layout`."""
        return errors.abs()


class EnsembleLayout(PlainLayout):
    """One row for each member and transition; a member sees its share of the data."""

    plain = False

    def __init__(self, batch: Batch, device: str) -> None:
        super().__init__(batch, device)
        mask = on_device(batch.extras["members"], device).T.float()
        self._members = members = len(mask)
        action, reward, discount, next_action, weight, total = self.rows
        weights = mask if weight is None else mask * weight
        self.rows = Rows(
            action.repeat(members),
            reward.repeat(members),
            discount.repeat(members),
            next_action.repeat(members),
            weights.flatten(),
            total,
        )

    def current(self, numbers: Tensor) -> Tensor:
        """See :class:`Layout`."""
        return numbers.flatten(0, 1)

    def following(self, network: Pass, numbers: Tensor | None = None) -> Tensor:
        """See :class:`Layout`."""
        return network.values(self._next).flatten(0, 1)

    def per_transition(self, errors: Tensor) -> Tensor | None:
        """See :class:`Layout`."""
        return errors.abs().view(self._members, -1).mean(0)


class SequenceLayout:
    """One row for each step of each piece of an episode; see :class:`Layout`."""

    plain = False

    def __init__(self, batch: Batch, device: str) -> None:
        pieces = batch.sequences
        assert pieces is not None
        assert batch.weight is not None
        self._observation = on_device(batch.observation, device)
        burn_in = pieces.current[:, :1]
        state = on_device(pieces.state, device)
        burns = bool(state.shape[1]) and bool(burn_in.any())
        self._recall = Recall(
            state,
            on_device(pieces.previous, device),
            on_device(burn_in[:, 0], device) if burns else None,
        )
        # Numbers begin with the first step that counts.
        before = burn_in if burns else 0
        self._current = on_device(pieces.current - before, device)
        self._following = on_device(pieces.following - before, device)
        self.rows = Rows(
            on_device(batch.action, device),
            on_device(batch.reward, device),
            on_device(batch.discount, device),
            on_device(batch.next_action, device),
            on_device(batch.weight, device),
            max(1.0, float(batch.weight.sum())),
        )

    @property
    def _memory(self) -> Recall | None:
        return self._recall if self._recall.state.shape[1] else None

    def forward(self, network: Pass) -> Tensor:
        """See :class:`Layout`."""
        return self._run(network.forward)

    def values(self, network: Pass) -> Tensor:
        """See :class:`Layout`."""
        return self._run(network.values)

    def _run(self, passing: Any) -> Tensor:
        """All observations of all pieces; without a memory they are no sequences."""
        seen = self._observation
        if self._memory is not None:
            numbers: Tensor = passing(seen, self._memory)
            return numbers
        flat: Tensor = passing(seen.flatten(0, 1))
        return flat

    def current(self, numbers: Tensor) -> Tensor:
        """See :class:`Layout`."""
        return self._pick(numbers, self._current)

    def following(self, network: Pass, numbers: Tensor | None = None) -> Tensor:
        """See :class:`Layout`."""
        numbers = self.values(network) if numbers is None else numbers
        return self._pick(numbers, self._following)

    def _pick(self, numbers: Tensor, positions: Tensor) -> Tensor:
        """Numbers at positions [B, L] of all pieces, as [B * L, ...]."""
        batch = len(self._observation)
        rest = numbers.shape[1 if self._memory is None else 2 :]
        piece = torch.arange(batch, device=numbers.device).unsqueeze(1)
        return numbers.view(batch, -1, *rest)[piece, positions].flatten(0, 1)

    def per_transition(self, errors: Tensor) -> Tensor | None:
        """See :class:`Layout`."""
        return None
