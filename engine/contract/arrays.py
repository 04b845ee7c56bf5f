"""Nested state as plain values and arrays, and its fingerprint.

A *state* is everything that an agent, a loop or a memory needs to go on exactly:
nested dictionaries with string keys whose leaves are numpy arrays or JSON values.
No other type is allowed, so that a state can be written to any file, sent over
any wire and compared by its hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

State = dict[str, Any]


def flatten(state: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of a state as (``"a/b/c"``, leaf), in sorted order of the names.

    Raises:
      ValueError: If a name is empty or contains ``/``.
    """
    for name in sorted(state):
        if not name or "/" in name:
            raise ValueError(f"'{name}' cannot name a part of a state")
        leaf = state[name]
        if isinstance(leaf, Mapping):
            yield from flatten(leaf, f"{prefix}{name}/")
        else:
            yield prefix + name, leaf


def split(state: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays by path, and all other leaves by path.

    Raises:
      TypeError: If a leaf is neither an array nor a JSON value.
    """
    arrays, values = {}, {}
    for path, leaf in flatten(state):
        if isinstance(leaf, np.ndarray):
            arrays[path] = leaf
        else:
            json.dumps(leaf, allow_nan=True)
            values[path] = leaf
    return arrays, values


def join(arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> State:
    """Inverse of :func:`split`; empty dictionaries are not kept."""
    state: State = {}
    for path, leaf in {**arrays, **values}.items():
        *parents, name = path.split("/")
        group = state
        for parent in parents:
            group = group.setdefault(parent, {})
        group[name] = leaf
    return state


def state_hash(state: Mapping[str, Any]) -> str:
    """SHA-256 over names, types, shapes and bytes of every leaf, as hex."""
    digest = hashlib.sha256()
    arrays, values = split(state)
    for path, array in sorted(arrays.items()):
        digest.update(f"{path}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(json.dumps(values, sort_keys=True).encode())
    return digest.hexdigest()


def network_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """``online/...`` and ``target/...`` out of the leaves of a checkpoint."""
    found = {}
    for path, array in arrays.items():
        for network in ("online/", "target/"):
            before, at, name = path.partition(network)
            if at and before in ("", "agent/"):
                found[network + name] = array
    return found
