"""The network of value-based agents: a torso, a memory maybe, and a head.

Its outputs are *numbers*: Q-values ``[B, A]`` of a scalar head, or ``N`` numbers for
each action ``[B, A, N]`` (see ``networks.returns``). An ensemble puts its members in
front, ``[K, B, ...]``; a recurrent network takes and gives sequences, ``[B, T, ...]``.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from engine.equations.value import dueling
from engine.networks.flat import Place, alone
from engine.networks.layers import NoisyLinear

Dueling = Literal["none", "mean", "max"]


class HeadShape(NamedTuple):
    """What the last layer is for.

    Attributes:
      actions: A.
      atoms: Numbers for each action; 0 for one Q-value.
      dueling: How advantages are centred, if there are any.
      action_input: The action is an input, and the head gives numbers of it alone.
    """

    actions: int
    atoms: int = 0
    dueling: Dueling = "none"
    action_input: bool = False

    @property
    def outputs(self) -> int:
        """Width of the last layer."""
        rows = 1 if self.action_input else self.actions + (self.dueling != "none")
        return rows * max(1, self.atoms)


class Recall(NamedTuple):
    """What a recurrent network remembers at the beginning of a sequence.

    Attributes:
      state: Its memory, float [B, W]; zeros at the beginning of an episode.
      previous: The action before each observation, int64 [B, T]; -1 for none.
      burn_in: So many first steps of each sequence only fill the memory, int64 [B];
        None for none of any.
    """

    state: Tensor
    previous: Tensor
    burn_in: Tensor | None = None

    def copied(self) -> Recall:
        """The same in memory of its own."""
        burn_in = None if self.burn_in is None else self.burn_in.clone()
        return Recall(self.state.clone(), self.previous.clone(), burn_in)


class Features(NamedTuple):
    """What lies below the head.

    Attributes:
      embedding: float [B, H]; sequences, ensembles and actions as inputs have one
        more axis.
      state: The memory after each sequence, float [B, W], of a recurrent network.
    """

    embedding: Tensor
    state: Tensor | None = None


class Recurrent(nn.Module):
    """An LSTM or a GRU whose memory is one vector.

    Args:
      kind: ``lstm`` or ``gru``.
      inputs: Width of what comes in from the torso.
      actions: A; the previous action is an input too, 0 to leave it out.
      units: Width of what comes out.
    """

    def __init__(self, kind: str, inputs: int, actions: int, units: int) -> None:
        super().__init__()
        self.actions = actions
        self.width = units * (2 if kind == "lstm" else 1)
        layer = nn.LSTM if kind == "lstm" else nn.GRU
        self.cell = layer(inputs + actions, units, batch_first=True)

    def forward(self, features: Tensor, recall: Recall) -> tuple[Tensor, Tensor]:
        """Outputs [B, T, U] and the memory afterwards [B, W]."""
        if self.actions:
            # The first class stands for no action before.
            previous = one_hot(recall.previous + 1, self.actions + 1)[..., 1:]
            features = torch.cat((features, previous.to(features.dtype)), -1)
        state = recall.state.unsqueeze(0).contiguous()
        if isinstance(self.cell, nn.GRU):
            outputs, after = self.cell(features, state)
            return outputs, after[0]
        hidden, carried = (it.contiguous() for it in state.chunk(2, -1))
        outputs, (hidden, carried) = self.cell(features, (hidden, carried))
        return outputs, torch.cat((hidden, carried), -1)[0]


class QNetwork(nn.Module):
    """Numbers for each action of observations.

    Args:
      torso: Ends with the last hidden layer.
      head: The last layer.
      shape: What its outputs are.
      body: Layers between the torso and the head, where the action is an input.
      recurrent: The memory between the torso and the head, if there is one.
      prior: A network whose outputs are added; its weights are fixed.
      prior_scale: How much of it is added.
    """

    def __init__(
        self,
        torso: nn.Sequential,
        head: nn.Module,
        shape: HeadShape,
        *,
        body: nn.Sequential | None = None,
        recurrent: Recurrent | None = None,
        prior: QNetwork | None = None,
        prior_scale: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.torso = torso
        self.body = body
        self.recurrent = recurrent
        self.head = head
        # In a list it is no part of the parameters, which are learned and saved.
        self._prior = [] if prior is None else [prior.requires_grad_(False)]
        self._prior_scale = prior_scale
        self._noise: Tensor | None = None
        self._drawn = torch.zeros(0)
        self._root = self._drawn
        self._rows = self._drawn.numpy(), self._root.numpy()
        self._noise_row: np.ndarray | None = None

    def forward(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """Numbers of observations [B, ...], or [B, T, ...] with a memory."""
        features = self.features(observations, recall)
        return self.numbers(features, observations)

    def features(self, observations: Tensor, recall: Recall | None = None) -> Features:
        """What lies below the head.

        After a burn-in they begin with the first step that counts, and end as many
        steps before the last observation as the longest burn-in took.
        """
        if self.recurrent is not None:
            assert recall is not None, "a recurrent network needs its memory"
            if recall.burn_in is not None:
                observations, recall = self._burnt_in(observations, recall)
            batch, time = observations.shape[:2]
            below = self.torso(observations.flatten(0, 1)).view(batch, time, -1)
            return Features(*self.recurrent(below, recall))
        below = self.torso(observations)
        if self.body is None:
            return Features(below)
        actions = self.shape.actions
        each = below.unsqueeze(1).expand(-1, actions, -1)
        marks = torch.eye(actions, device=below.device).expand(below.shape[0], -1, -1)
        return Features(self.body(torch.cat((each, marks), -1)))

    def _burnt_in(self, observations: Tensor, recall: Recall) -> tuple[Tensor, Recall]:
        """The steps after the burn-in, which gives no gradient.

        Source: Kapturowski et al. (2019), https://openreview.net/forum?id=r1lyTjAqYX,
        section 3.2.
        """
        assert self.recurrent is not None
        assert recall.burn_in is not None
        longest, state = int(recall.burn_in.max()), recall.state
        with torch.no_grad():
            first = observations[:, :longest]
            below = self.torso(first.flatten(0, 1)).view(*first.shape[:2], -1)
            for t in range(longest):
                now = Recall(state, recall.previous[:, t : t + 1])
                after = self.recurrent(below[:, t : t + 1], now)[1]
                state = torch.where((recall.burn_in > t).unsqueeze(1), after, state)
        counted = torch.arange(observations.shape[1] - longest, device=state.device)
        steps = recall.burn_in.unsqueeze(1) + counted
        piece = torch.arange(len(steps), device=state.device).unsqueeze(1)
        later = Recall(state, recall.previous[piece, steps])
        return observations[piece, steps], later

    def numbers(self, features: Features, observations: Tensor) -> Tensor:
        """Outputs of the head, with the prior."""
        streams = self.head(features.embedding)
        lead = streams.shape[:-1]
        numbers = self.of_streams(streams.view(-1, streams.shape[-1]))
        if self.shape.action_input:
            numbers = numbers.view(*lead, *numbers.shape[2:])
        else:
            numbers = numbers.view(*lead, *numbers.shape[1:])
        for prior in self._prior:
            numbers = numbers + self._prior_scale * prior(observations)
        return numbers

    def of_streams(self, streams: Tensor) -> Tensor:
        """Numbers [R, A] or [R, A, N] from outputs of the head [R, ...]."""
        shape = self.shape
        if not shape.atoms:
            return _centred(streams, shape.dueling)
        rows = streams.view(streams.shape[0], -1, shape.atoms)
        if shape.dueling == "none":
            return rows
        each = rows.transpose(1, 2).reshape(-1, rows.shape[1])
        centred = _centred(each, shape.dueling)
        return centred.view(rows.shape[0], shape.atoms, -1).transpose(1, 2)

    def streams_gradient(self, gradient: Tensor, streams: Tensor) -> Tensor:
        """Gradient of the head's outputs, from that of the numbers."""
        shape = self.shape
        if shape.dueling == "none":
            return gradient.reshape(len(gradient), -1)
        if not shape.atoms:
            return _centred_gradient(gradient, streams, shape.dueling)
        rows = streams.view(len(streams), -1, shape.atoms).transpose(1, 2)
        each = gradient.transpose(1, 2).reshape(-1, shape.actions)
        back = _centred_gradient(each, rows.flatten(0, 1), shape.dueling)
        return back.view(len(rows), shape.atoms, -1).transpose(1, 2).flatten(1)

    def value_stream(self, features: Features) -> Tensor | None:
        """The dueling value stream, [R] or [R, N]; None without one."""
        if self.shape.dueling == "none":
            return None
        streams: Tensor = self.head(features.embedding).flatten(0, -2)
        return streams[:, : max(1, self.shape.atoms)].squeeze(1)

    def join_noise(self, place: Place = alone) -> None:
        """Let the noise of all layers be parts of one vector; before any is drawn."""
        layers = self.noisy_layers().values()
        parts = [(it, name) for it in layers for name in ("noise_in", "noise_out")]
        sizes = [getattr(*part).numel() for part in parts]
        if not parts:
            return
        device = getattr(*parts[0]).device
        self._noise = place(torch.zeros(sum(sizes), device=device))
        self._drawn = torch.zeros(sum(sizes))
        self._root = torch.zeros(sum(sizes))
        self._rows = self._drawn.numpy(), self._root.numpy()
        self._noise_row = self._noise.numpy() if device.type == "cpu" else None
        for (layer, name), noise in zip(
            parts, torch.split(self._noise, sizes), strict=True
        ):
            setattr(layer, name, noise)

    @property
    def noise(self) -> Tensor | None:
        """That of all noisy layers; None without any."""
        return self._noise

    def resample(self, generator: torch.Generator) -> None:
        """Draw new noise for the noisy layers; see :meth:`join_noise`."""
        if self._noise is None:
            return
        if self._noise_row is None:
            self._noise.copy_(self.draw_noise(generator))
        else:
            self._draw(generator, self._noise_row)

    def draw_noise(self, generator: torch.Generator) -> Tensor:
        """New noise for :attr:`noise`, on the CPU: the same on every device.

        It is there until it is drawn again.
        """
        self._draw(generator, self._rows[1])
        return self._root

    def _draw(self, generator: torch.Generator, row: np.ndarray) -> None:
        """sgn(x)·√|x| of normal numbers."""
        # Who only looks at networks need not wait for its compiler.
        from engine.networks.row_kernels import root_of_noise

        self._drawn.normal_(generator=generator)
        root_of_noise(self._rows[0], row)

    def silence(self) -> None:
        """No noise in the next passes."""
        if self._noise is not None:
            self._noise.zero_()

    def fixed(self) -> list[Tensor]:
        """Parameters of the prior, which are not learned."""
        return [it for prior in self._prior for it in prior.parameters()]

    def noisy_layers(self) -> dict[str, NoisyLinear]:
        """The noisy layers by name."""
        return {k: m for k, m in self.named_modules() if isinstance(m, NoisyLinear)}

    def _apply(self, fn: Any, recurse: bool = True) -> QNetwork:
        """Moves the prior along, which torch does not know."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for prior in self._prior:
            prior._apply(fn, recurse)  # noqa: SLF001 - of the same class
        return self


def _centred(streams: Tensor, kind: Dueling) -> Tensor:
    """Values of A actions from [R, A], or [R, 1 + A] with dueling."""
    if kind == "none":
        return streams
    return dueling(streams[:, 0], streams[:, 1:], kind)


def _centred_gradient(
    gradient: Tensor, streams: Tensor, kind: Literal["mean", "max"]
) -> Tensor:
    """Gradient [R, 1 + A] of dueling streams, from that of the values [R, A]."""
    of_value = gradient.sum(1, keepdim=True)
    if kind == "mean":
        of_centre = of_value / gradient.shape[1]
    else:
        advantage = streams[:, 1:]
        best = advantage == advantage.amax(1, keepdim=True)
        of_centre = of_value * best / best.sum(1, keepdim=True)
    return torch.cat((of_value, gradient - of_centre), 1)
