"""Forward and backward passes through a network whose parameters are one vector.

:class:`GraphPass` works for every network: torch records a graph and walks it back.
:class:`DirectPass` spells out the gradient of a fully connected network, which is a
dozen calls in place of a graph of twenty nodes, and more than twice as fast for
small networks. Tests hold both equal.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call

from engine.networks.q_network import QNetwork, Recall
from engine.networks.torsos import Flat

PLAIN = (Flat, nn.Linear, nn.ReLU, nn.Tanh)
"""Layers whose gradients are spelled out here."""


class Pass(Protocol):
    """How an agent runs its network; to be called in ``torch.inference_mode``."""

    def values(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """Numbers of the network, [B, A] or [B, A, N], without a gradient."""
        ...

    def forward(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """The same; remembers what :meth:`backward` needs."""
        ...

    def backward(self, gradient: Tensor) -> None:
        """Fill the gradient vector, from that of the numbers of ``forward``."""
        ...


def fastest_pass(
    network: QNetwork, gradients: Tensor, precision: str = "float32"
) -> Pass:
    """The direct pass where there is one for this network, else the graph's.

    Args:
      network: Its parameters are flat (see :func:`flatten_parameters`).
      gradients: The vector of their gradients.
      precision: Of updates; the direct pass knows only that of the parameters.
    """
    if precision == "bf16":
        return GraphPass(network, gradients)
    plain = all(isinstance(it, PLAIN) for it in (*network.torso, network.head))
    if plain and network.recurrent is None and network.body is None:
        return DirectPass(network)
    return GraphPass(network, gradients)


class RememberingPass:
    """Works out once what a network says of the same observations.

    It holds as long as the network stays as it is: who makes one sees to that.
    """

    def __init__(self, network: Pass) -> None:
        self._network = network
        self._said: dict[tuple[object, ...], Tensor] = {}

    def values(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """See :class:`Pass`."""
        key = tuple(map(_content, (observations, *(recall or ()))))
        if key not in self._said:
            self._said[key] = self._network.values(observations, recall)
        return self._said[key]

    def forward(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """See :class:`Pass`."""
        return self._network.forward(observations, recall)

    def backward(self, gradient: Tensor) -> None:
        """See :class:`Pass`."""
        self._network.backward(gradient)


def _content(tensor: Tensor | None) -> object:
    if tensor is None:
        return None
    return str(tensor.dtype), tuple(tensor.shape), tensor.cpu().numpy().tobytes()


class GraphPass:
    """Passes through any network by torch's automatic differentiation."""

    def __init__(self, network: QNetwork, gradients: Tensor) -> None:
        self._network = network
        self._gradients = gradients
        self._numbers: Tensor | None = None

    def values(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """See :class:`Pass`."""
        numbers: Tensor = self._network(observations, recall)
        return numbers

    def forward(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """See :class:`Pass`."""
        with torch.inference_mode(False), torch.enable_grad():
            # What was made in inference mode cannot be part of a graph.
            if recall is not None:
                recall = recall.copied()
            self._numbers = self._network(observations.clone(), recall)
            return self._numbers.detach()

    def backward(self, gradient: Tensor) -> None:
        """See :class:`Pass`."""
        numbers, self._numbers = self._numbers, None
        assert numbers is not None, "forward() comes before backward()"
        self._gradients.zero_()
        with torch.inference_mode(False):
            numbers.backward(gradient.clone())  # type: ignore[no-untyped-call]


class HalfPass:
    """Runs another pass with matrix products and convolutions in bf16.

    Parameters, gradients and what comes out are float32.
    """

    def __init__(self, inner: Pass, device: str) -> None:
        self._inner, self._device = inner, torch.device(device).type

    def values(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """See :class:`Pass`."""
        with self._half():
            return self._inner.values(observations, recall).float()

    def forward(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """See :class:`Pass`."""
        with self._half():
            return self._inner.forward(observations, recall).float()

    def backward(self, gradient: Tensor) -> None:
        """See :class:`Pass`."""
        self._inner.backward(gradient)

    def _half(self) -> torch.autocast:
        # A graph that is captured must not find weights that were cast before it.
        return torch.autocast(self._device, torch.bfloat16, cache_enabled=False)


class VectorPass:
    """Passes for a recording: the parameters are parts of a vector that is an input.

    Args:
      network: What is run; its own parameters are not touched.
      values: All of them, float [P], in the order of ``flatten_parameters``.
    """

    def __init__(self, network: QNetwork, values: Tensor) -> None:
        self._network = network
        named = dict(network.named_parameters())
        parts = torch.split(values, [it.numel() for it in named.values()])
        of = zip(named.items(), parts, strict=True)
        self._parts = {name: part.view(it.shape) for (name, it), part in of}
        self._leaves: dict[str, Tensor] = {}
        self._numbers: Tensor | None = None

    def values(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """See :class:`Pass`."""
        with torch.no_grad():
            return self._run(self._parts, observations, recall)

    def forward(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """See :class:`Pass`."""
        self._leaves = {
            name: it.detach().requires_grad_() for name, it in self._parts.items()
        }
        with torch.enable_grad():
            self._numbers = self._run(self._leaves, observations, recall)
        return self._numbers.detach()

    def backward(self, gradient: Tensor) -> None:
        """See :class:`Pass`; a recording has no vector to fill."""
        raise TypeError("a recorded pass gives its gradients back: see gradients()")

    def gradients(self, gradient: Tensor) -> Tensor:
        """Of all parameters, float [P], from that of the numbers of ``forward``."""
        assert self._numbers is not None, "forward() comes before gradients()"
        leaves = list(self._leaves.values())
        found = torch.autograd.grad(self._numbers, leaves, gradient, allow_unused=True)
        of = zip(found, leaves, strict=True)
        each = (torch.zeros_like(leaf) if it is None else it for it, leaf in of)
        return torch.cat([it.reshape(-1) for it in each])

    def _run(
        self, parts: dict[str, Tensor], observations: Tensor, recall: Recall | None
    ) -> Tensor:
        numbers: Tensor = functional_call(self._network, parts, (observations, recall))
        return numbers


class DirectPass:
    """Passes through a fully connected network with ReLU or tanh between layers."""

    def __init__(self, network: QNetwork) -> None:
        self._network = network
        flat = network.torso[0]
        assert isinstance(flat, Flat)
        self._flatten = flat.forward
        layers = [it for it in network.torso if isinstance(it, nn.Linear)]
        self._tanh = any(isinstance(it, nn.Tanh) for it in network.torso)
        self._hidden = [_Weights(it) for it in layers]
        assert isinstance(network.head, nn.Linear)
        self._head = _Weights(network.head)
        self._inputs: list[Tensor] = []
        self._streams: Tensor | None = None

    def values(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """See :class:`Pass`."""
        return self._network.of_streams(self._run(observations)[-1])

    def forward(self, observations: Tensor, recall: Recall | None = None) -> Tensor:
        """See :class:`Pass`."""
        *self._inputs, self._streams = self._run(observations)
        return self._network.of_streams(self._streams)

    def backward(self, gradient: Tensor) -> None:
        """See :class:`Pass`."""
        assert self._streams is not None, "forward() comes before backward()"
        gradient = self._network.streams_gradient(gradient, self._streams)
        self._head.fill(gradient, self._inputs[-1])
        above = self._head
        for layer, below, output in zip(
            reversed(self._hidden),
            reversed(self._inputs[:-1]),
            reversed(self._inputs[1:]),
            strict=True,
        ):
            gradient = gradient.mm(above.weight)
            gradient = self._through_activation(gradient, output)
            layer.fill(gradient, below)
            above = layer

    def _run(self, observations: Tensor) -> list[Tensor]:
        """Input of each layer, and the outputs of the head last."""
        found: list[Tensor] = [self._flatten(observations)]
        activate = torch.tanh_ if self._tanh else torch.relu_
        for layer in self._hidden:
            found.append(activate(layer(found[-1])))
        found.append(self._head(found[-1]))
        return found

    def _through_activation(self, gradient: Tensor, output: Tensor) -> Tensor:
        """Gradient before an activation, from its output and the gradient after it."""
        if self._tanh:
            return gradient.addcmul_(gradient * output, output, value=-1)
        # The output of a ReLU is never negative: its sign is its derivative.
        return gradient.mul_(output.sign())


class _Weights:
    """Weight and bias of one layer, and where their gradients go."""

    def __init__(self, layer: nn.Linear) -> None:
        self.weight, self._bias = layer.weight.detach(), layer.bias.detach()
        self._transposed = self.weight.t()
        self._gradients = layer.weight.grad, layer.bias.grad

    def __call__(self, inputs: Tensor) -> Tensor:
        return torch.addmm(self._bias, inputs, self._transposed)

    def fill(self, gradient: Tensor, inputs: Tensor) -> None:
        """Write the gradients of the parameters, from that of the outputs."""
        of_weight, of_bias = self._gradients
        torch.mm(gradient.t(), inputs, out=of_weight)
        torch.sum(gradient, 0, out=of_bias)
