"""How often states were seen: by themselves, by a hash, or by a density model."""

from __future__ import annotations

from hashlib import blake2b
from typing import Protocol

import numpy as np

from engine.contract.arrays import State
from engine.contract.options import Configuration
from engine.contract.randomness import generator

HASH_BITS = 32
MOST_KEYS = 1_000_000
"""Different states that are counted; further ones count as new for ever."""
LONGEST_KEY = 16
"""Bytes; longer observations are told apart by a checksum of so many."""
BINS = 16


class Counter(Protocol):
    """Counts observations, each with one of ``columns`` labels (actions, or one)."""

    def counts(self, observations: np.ndarray) -> np.ndarray:
        """(Pseudo-)counts of each label, float64 [n, columns]."""
        ...

    def visit(self, observation: np.ndarray, label: int) -> None:
        """Count one observation."""
        ...

    def state(self) -> State:
        """Everything counted."""
        ...

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        ...


def make_counter(
    configuration: Configuration, features: int, columns: int, seed: int
) -> Counter:
    """The counter that the options ask for.

    Args:
      configuration: All options.
      features: Numbers in one observation.
      columns: How many labels.
      seed: Of the random hash.
    """
    kind = configuration.exploration.counts
    if kind == "density":
        return DensityCounter(features, columns)
    return KeyCounter(columns, RandomHash(features, seed) if kind == "hash" else None)


class RandomHash:
    """Similar observations get the same key: the signs of random projections.

    Source: Tang et al. (2017), https://arxiv.org/abs/1611.04717, eq. 1 (SimHash).
    """

    def __init__(self, features: int, seed: int) -> None:
        rng = generator(seed)
        self._directions = rng.standard_normal((features, HASH_BITS))
        self._offsets = rng.standard_normal(HASH_BITS) * 0.1

    def keys(self, observations: np.ndarray) -> list[bytes]:
        """One key for each of float [n, features]."""
        signs = observations @ self._directions + self._offsets > 0
        return [row.tobytes() for row in np.packbits(signs, axis=1)]


class KeyCounter:
    """Counts of keys in a table; see :class:`Counter`."""

    def __init__(self, columns: int, hashing: RandomHash | None) -> None:
        self._hashing = hashing
        self._rows: dict[bytes, int] = {}
        self._counts = np.zeros((64, columns), np.int64)

    def _keys(self, observations: np.ndarray) -> list[bytes]:
        flat = observations.reshape(len(observations), -1)
        if self._hashing is None:
            return [_short(np.ascontiguousarray(row).tobytes()) for row in flat]
        return self._hashing.keys(_unit(flat))

    def counts(self, observations: np.ndarray) -> np.ndarray:
        """See :class:`Counter`."""
        rows = [self._rows.get(key, -1) for key in self._keys(observations)]
        found = np.array(rows, np.int64)
        return np.where(found[:, None] >= 0, self._counts[found], 0).astype(np.float64)

    def visit(self, observation: np.ndarray, label: int) -> None:
        """See :class:`Counter`."""
        (key,) = self._keys(observation[None])
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= MOST_KEYS:
                return
            row = self._rows[key] = len(self._rows)
            if row == len(self._counts):
                self._counts = np.concatenate([self._counts, 0 * self._counts])
        self._counts[row, label] += 1

    def state(self) -> State:
        """See :class:`Counter`."""
        keys = b"".join(self._rows)
        width = len(keys) // max(1, len(self._rows))
        return {
            "keys": np.frombuffer(keys, np.uint8).reshape(len(self._rows), width),
            "counts": self._counts[: len(self._rows)].copy(),
        }

    def restore(self, state: State) -> None:
        """See :class:`Counter`."""
        keys = np.asarray(state["keys"], np.uint8)
        self._rows = {_short(row.tobytes()): at for at, row in enumerate(keys)}
        counts = np.asarray(state["counts"], np.int64)
        room = max(64, 2 * len(counts))
        self._counts = np.zeros((room, self._counts.shape[1]), np.int64)
        self._counts[: len(counts)] = counts


class DensityCounter:
    r"""Pseudo-counts: how much seeing it once more would raise its probability.

    .. math:: \hat N(x) = \Bigl(e^{\log \rho'(x) - \log \rho(x)} - 1\Bigr)^{-1}

    Source: Bellemare et al. (2016), https://arxiv.org/abs/1606.01868, eq. 2, in the
    form for small probabilities of Ostrovski et al. (2017),
    https://arxiv.org/abs/1703.01310. The density :math:`\rho` takes the elements of
    an observation as independent and estimates each from a histogram with half a
    count in each of its bins (Krichevsky and Trofimov 1981).
    """

    def __init__(self, features: int, columns: int) -> None:
        self._bins = np.zeros((columns, features, BINS), np.float64)
        self._seen = np.zeros(columns, np.float64)
        self._features = np.arange(features)

    def counts(self, observations: np.ndarray) -> np.ndarray:
        """See :class:`Counter`."""
        places = self._places(observations)
        found = self._bins[:, self._features, places].transpose(1, 0, 2)
        total = self._seen[:, None] + 0.5 * BINS
        before = np.log((found + 0.5) / total).sum(2)
        after = np.log((found + 1.5) / (total + 1)).sum(2)
        gain = np.maximum(after - before, 1e-12)
        return np.where(self._seen > 0, 1 / np.expm1(np.minimum(gain, 700.0)), 0.0)

    def visit(self, observation: np.ndarray, label: int) -> None:
        """See :class:`Counter`."""
        (place,) = self._places(observation[None])
        self._bins[label, self._features, place] += 1
        self._seen[label] += 1

    def _places(self, observations: np.ndarray) -> np.ndarray:
        """Bin of each element, int64 [n, features]; finer near zero."""
        flat = _unit(observations.reshape(len(observations), -1))
        places = np.floor(np.arcsinh(4 * flat) * 2) + BINS // 2
        bins: np.ndarray = np.clip(places, 0, BINS - 1).astype(np.int64)
        return bins

    def state(self) -> State:
        """See :class:`Counter`."""
        return {"bins": self._bins.copy(), "seen": self._seen.copy()}

    def restore(self, state: State) -> None:
        """See :class:`Counter`."""
        self._bins[...] = state["bins"]
        self._seen[...] = state["seen"]


def _unit(flat: np.ndarray) -> np.ndarray:
    """Observations as floats; bytes between 0 and 1."""
    values: np.ndarray = flat.astype(np.float64)
    if flat.dtype == np.uint8 and flat.max(initial=0) > 1:
        values /= 255.0
    return values


def _short(key: bytes) -> bytes:
    """A key of bounded size: a million pictures would not fit into memory."""
    if len(key) <= LONGEST_KEY:
        return key
    return blake2b(key, digest_size=LONGEST_KEY).digest()
