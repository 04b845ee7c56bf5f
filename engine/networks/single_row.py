"""Numbers of one observation on the CPU, by numpy and loops of our own.

For one row most of the time of a pass goes into calling torch, the more so where
noise has to be mixed into every weight first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor, nn

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
        joined = not network.noisy_layers() or _lie_together(network)
        return known and one_pass and alone and on_cpu and joined

    def __call__(self, observation: np.ndarray) -> np.ndarray:
        """Float [A] or [A, N], as ``QNetwork.forward`` gives them for a batch."""
        if not self._steps:
            self._steps = _steps(self._layers)
        features: np.ndarray = observation.reshape(-1) * self._scale
        for step in self._steps:
            features = step(features)
        if self._plain:
            return features
        numbers: np.ndarray = of_streams(features[None], self._shape)[0]
        return numbers


def of_streams(streams: np.ndarray, shape: HeadShape) -> np.ndarray:
    """What ``QNetwork.of_streams`` does with outputs of the head, [R, ...]."""
    if shape.dueling == "none":
        return streams.reshape(len(streams), -1, shape.atoms)
    from engine.networks.row_kernels import join_streams

    numbers: np.ndarray = join_streams(
        streams, max(1, shape.atoms), shape.dueling == "max"
    )
    return numbers if shape.atoms else numbers[:, :, 0]


def _lie_together(network: QNetwork) -> bool:
    """Whether all parameters are parts of one vector; noise always is."""
    return len({it.untyped_storage().data_ptr() for it in network.parameters()}) == 1


def _steps(layers: list[nn.Module]) -> list[Callable[[np.ndarray], np.ndarray]]:
    """What does the same to one row, one after the other."""
    if any(isinstance(it, NoisyLinear) for it in layers):
        return [_Noisy(layers)]
    return [_step(it) for it in layers]


def _step(layer: nn.Module) -> Callable[[np.ndarray], np.ndarray]:
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
    """Noisy layers, and what is between them, where all of it lies."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        from engine.networks.row_kernels import noisy_layers

        noisy = [it for it in layers if isinstance(it, NoisyLinear)]
        self._run: Callable[..., np.ndarray] = noisy_layers
        self._values, self._noise = map(_whole, (noisy[0].weight, noisy[0].noise_in))
        self._places = np.array([_places(it) for it in noisy], np.int64)
        self._tanh = any(isinstance(it, nn.Tanh) for it in layers)

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        return self._run(self._values, self._noise, self._places, self._tanh, inputs)


def _whole(part: Tensor) -> np.ndarray:
    """All that a tensor is a part of, float32 [...]."""
    size = part.untyped_storage().nbytes() // part.element_size()
    whole: np.ndarray = part.detach().as_strided((size,), (1,), 0).numpy()
    return whole


def _places(layer: NoisyLinear) -> list[int]:
    """See ``row_kernels.noisy_layers``."""
    outputs, inputs = layer.weight.shape
    learned = layer.weight, layer.bias, layer.weight_sigma, layer.bias_sigma
    parts = *learned, layer.noise_in, layer.noise_out
    return [inputs, outputs, *(int(it.storage_offset()) for it in parts)]


def _relu(values: np.ndarray) -> np.ndarray:
    np.maximum(values, 0.0, out=values)
    return values
