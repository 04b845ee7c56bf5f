"""Writing HDF5 so that the strict reader accepts it, in bounded memory."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from engine.sessions.hdf5 import CHUNK_LIMIT_BYTES, h5py, safe_name
from engine.sessions.packing import check_array
from engine.sessions.parts import Parts

SMALL_BYTES = 4096
"""Below this a data set is stored as it is, in one piece."""

CHUNK_BYTES = 1 << 20
STATE_DEPTH = 4
"""So many levels of names of a state become groups; deeper ones are joined."""


def write_attributes(target: Any, values: Mapping[str, Any]) -> None:
    """Integers, floats and texts as attributes; an empty text is left out."""
    for name, value in values.items():
        array = np.array(value.encode() if isinstance(value, str) else value)
        if array.dtype.itemsize:
            space = h5py.h5s.create(h5py.h5s.SCALAR)
            kind = _kind(array.dtype)
            h5py.h5a.create(target.id, name.encode(), kind, space).write(array)


def write_json(group: Any, name: str, value: Any) -> None:
    """A JSON value as UTF-8 bytes."""
    text = value if isinstance(value, str) else json.dumps(value)
    write_array(group, name, np.frombuffer(text.encode(), np.uint8))


def write_array(group: Any, name: str, array: np.ndarray) -> None:
    """A whole array; compressed and checksummed unless it is small."""
    array = check_array(name, array)
    if array.nbytes <= SMALL_BYTES or not array.shape:
        _write_small(group, name, array)
    else:
        empty_array(group, name, array.shape, array.dtype)[...] = array


def _write_small(group: Any, name: str, array: np.ndarray) -> None:
    """Through HDF5's own calls: a session has tens of thousands of such arrays."""
    parent, _, name = name.rpartition("/")
    target = group.require_group(parent) if parent else group
    space = h5py.h5s.create_simple(array.shape) if array.shape else None
    space = space or h5py.h5s.create(h5py.h5s.SCALAR)
    plan = _plain_plan()
    stored = h5py.h5d.create(target.id, name.encode(), _kind(array.dtype), space, plan)
    if array.size:
        stored.write(h5py.h5s.ALL, h5py.h5s.ALL, array)


@cache
def _plain_plan() -> Any:
    """Without the time of writing: the same content gives the same bytes."""
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_obj_track_times(False)
    return plan


@cache
def _kind(dtype: np.dtype[Any]) -> Any:
    return h5py.h5t.py_create(dtype, logical=True)


def empty_array(
    group: Any, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Any:
    """A data set to be filled in spans of :func:`span_lines` lines."""
    size = math.prod(shape) * dtype.itemsize
    if size <= SMALL_BYTES:
        return group.create_dataset(name, shape, dtype)
    return group.create_dataset(
        name,
        shape,
        dtype,
        chunks=chunk_shape(shape, dtype),
        shuffle=dtype.itemsize > 1,
        compression="gzip",
        compression_opts=1,
        fletcher32=True,
    )


def chunk_shape(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Whole lines up to 1 MB; h5py's own guess where one line is very large."""
    line = dtype.itemsize * math.prod(shape[1:])
    if line > CHUNK_LIMIT_BYTES // 2:
        return True
    return (max(1, min(shape[0], CHUNK_BYTES // line)), *shape[1:])


def span_lines(shape: tuple[int, ...], dtype: np.dtype[Any], budget: int) -> int:
    """How many lines to write at once so that they take about ``budget`` bytes."""
    line = max(1, dtype.itemsize * math.prod(shape[1:]))
    chunk = chunk_shape(shape, dtype)
    step = 1 if chunk is True else chunk[0]
    return max(step, budget // line // step * step)


def write_state(
    group: Any, arrays: Mapping[str, np.ndarray], values: str
) -> Parts[None]:
    """A state (``engine.contract.arrays.split``) as groups and data sets.

    Names that HDF5 or our rules do not allow are replaced; ``state_json`` keeps
    the true path of every data set, and the values.
    """
    paths: dict[str, str] = {}
    for path, array in arrays.items():
        target = _unused(state_name(path), paths)
        paths[target] = path
        write_array(group, target, array)
        yield
    write_json(group, "state_json", {"values": values, "paths": paths})


def state_name(path: str) -> str:
    """Path within a checkpoint's group for a path within a state."""
    parts = [safe_name(part) for part in path.split("/")]
    head, tail = parts[: STATE_DEPTH - 1], parts[STATE_DEPTH - 1 :]
    return "/".join([*head, safe_name(".".join(tail))] if tail else head)


def _unused(name: str, taken: Mapping[str, str]) -> str:
    candidate, number = name, 2
    while candidate in taken or candidate == "state_json":
        candidate, number = f"{name}_{number}", number + 1
    return candidate
