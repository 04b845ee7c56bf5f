"""One observation for each of several networks, by numpy in one product of matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from engine.networks.layers import NoisyLinear
from engine.networks.q_network import QNetwork
from engine.networks.single_row import Row, SingleRow, of_streams
from engine.networks.stacks import stacked
from engine.networks.torsos import Flat


class RowOfEach:
    """What :class:`SingleRow` says of one observation for each network.

    Args:
      networks: Alike, and such that :meth:`suits`; their parameters lie side by side
        and stay where they are.
    """

    def __init__(self, networks: Sequence[QNetwork]) -> None:
        self._shape = networks[0].shape
        flat = networks[0].torso[0]
        assert isinstance(flat, Flat)
        self._scale = np.float32(flat.scale)
        each = [[*list(it.torso)[1:], it.head] for it in networks]
        self._layers = [_Linears(it) for it in zip(*each, strict=True) if _has(it)]
        self._tanh = any(isinstance(it, nn.Tanh) for it in networks[0].torso)
        self._plain = networks[0].shape.outputs == networks[0].shape.actions
        self._numbers: np.ndarray | None = None
        self._single = [SingleRow(it) for it in networks]

    @staticmethod
    def suits(network: QNetwork) -> bool:
        """Whether it is one for :class:`SingleRow`, and without noise."""
        return SingleRow.suits(network) and not network.noisy_layers()

    def of(self, index: int) -> Row:
        """What this network says: of what all look at, or else by itself."""

        def row(observation: np.ndarray) -> np.ndarray:
            if self._numbers is None:
                return self._single[index](observation)
            numbers: np.ndarray = self._numbers[index]
            return numbers

        return row

    def look(self, observations: Sequence[np.ndarray]) -> np.ndarray:
        """Rows are of these, one for each network, until :meth:`look_away`.

        Returns:
          The numbers of all, float [K, A] or [K, A, N].
        """
        rows = np.array(observations).reshape(len(observations), -1)
        features: np.ndarray = rows * self._scale
        for layer in self._layers[:-1]:
            features = layer(features)
            if self._tanh:
                np.tanh(features, out=features)
            else:
                np.maximum(features, 0.0, out=features)
        self._numbers = numbers = self._layers[-1](features)
        if not self._plain:
            self._numbers = numbers = of_streams(numbers, self._shape)
        return numbers

    def look_away(self) -> None:
        """From now on each network is asked by itself."""
        self._numbers = None


def _has(layers: Sequence[nn.Module]) -> bool:
    """Whether these layers have weights."""
    return isinstance(layers[0], nn.Linear)


class _Linears:
    """The same layer of all networks, where their weights lie."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        assert not isinstance(layers[0], NoisyLinear)
        parts = [[it.weight for it in layers], [it.bias for it in layers]]
        self._weight, self._bias = (stacked(it).numpy() for it in parts)  # type: ignore[arg-type]

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        outputs: np.ndarray = np.matmul(self._weight, inputs[:, :, None])[:, :, 0]
        outputs += self._bias
        return outputs
