"""Numbers of one observation on the CPU, by numpy and loops of our own.

For one row most of the time of a pass goes into calling torch, the more so where
noise has to be mixed into every weight first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import nn

from engine.networks.layers import NoisyLinear
from engine.networks.q_network import HeadShape, QNetwork
from engine.networks.torsos import Flat

Row = Callable[[np.ndarray], np.ndarray]
"""Numbers of one observation; see :class:`SingleRow`."""
LAYERS = (Flat, nn.Linear, NoisyLinear, nn.ReLU, nn.Tanh)
"""What is known here."""


class SingleRow:
    """Passes one observation at a time; follows the weights as these move in place.

    Args:
      network: One that :meth:`suits`; its parameters stay where they are.
    """

    def __init__(self, network: QNetwork) -> None:
        flat, *rest = network.torso
        assert isinstance(flat, Flat)
        self._scale = np.float32(flat.scale)
        self._layers = [*rest, network.head]
        self._steps: list[Callable[[np.ndarray], np.ndarray]] = []
        self._shape = network.shape
        self._plain = network.shape.outputs == network.shape.actions

    @staticmethod
    def suits(network: QNetwork) -> bool:
        """Whether it is fully connected, of layers that are known, on the CPU."""
        known = all(isinstance(it, LAYERS) for it in (*network.torso, network.head))
        one_pass = network.recurrent is None and network.body is None
        alone = not network.fixed()
        on_cpu = next(network.parameters()).device.type == "cpu"
        return known and one_pass and alone and on_cpu

    def __call__(self, observation: np.ndarray) -> np.ndarray:
        """Float [A] or [A, N], as ``QNetwork.forward`` gives them for a batch."""
        if not self._steps:
            self._steps = [_step(it) for it in self._layers]
        features: np.ndarray = observation.reshape(-1) * self._scale
        for step in self._steps:
            features = step(features)
        if self._plain:
            return features
        numbers: np.ndarray = of_streams(features[None], self._shape)[0]
        return numbers


def of_streams(streams: np.ndarray, shape: HeadShape) -> np.ndarray:
    """What ``QNetwork.of_streams`` does with outputs of the head, [R, ...]."""
    if shape.atoms:
        streams = streams.reshape(len(streams), -1, shape.atoms)
    if shape.dueling == "none":
        return streams
    value, advantage = streams[:, :1], streams[:, 1:]
    if shape.dueling == "max":
        centre = np.maximum.reduce(advantage, 1, keepdims=True)
    else:
        count = np.float32(advantage.shape[1])
        centre = np.add.reduce(advantage, 1, keepdims=True) / count
    numbers: np.ndarray = value + (advantage - centre)
    return numbers


def _step(layer: nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    """What does the same to one row."""
    if isinstance(layer, NoisyLinear):
        return _Noisy(layer)
    if isinstance(layer, nn.Linear):
        return _Linear(layer)
    return np.tanh if isinstance(layer, nn.Tanh) else _relu


class _Linear:
    """Weight and bias of one layer, where they lie."""

    def __init__(self, layer: nn.Linear) -> None:
        self._weight = layer.weight.detach().numpy()
        self._bias = layer.bias.detach().numpy()

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        outputs: np.ndarray = self._weight @ inputs
        outputs += self._bias
        return outputs


class _Noisy:
    """Weights, their noise and how much of it there is, where they lie."""

    def __init__(self, layer: NoisyLinear) -> None:
        learned = layer.weight, layer.weight_sigma, layer.bias, layer.bias_sigma
        noise = layer.noise_in, layer.noise_out
        from engine.networks.row_kernels import noisy_row

        self._row: Callable[..., np.ndarray] = noisy_row
        self._parts = [it.detach().numpy() for it in (*learned, *noise)]

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        return self._row(*self._parts, inputs)


def _relu(values: np.ndarray) -> np.ndarray:
    np.maximum(values, 0.0, out=values)
    return values
