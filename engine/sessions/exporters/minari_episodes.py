"""Recorded episodes as a data set that Minari opens.

The fields are those of Minari: ``observations`` [T + 1, ...], ``actions``,
``rewards``, ``terminations``, ``truncations`` [T]. ``explored`` and ``q_values``
stand beside them, which Minari leaves alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.sessions.hdf5 import LIBVER, h5py
from engine.sessions.hdf5_writing import write_array, write_attributes
from engine.sessions.minari_layout import (
    DATA_FOLDER,
    MAIN_FILE,
    METADATA_FILE,
    MINARI_VERSION,
    OPTIONS_KEY,
    PER_STEP,
    dataset_id,
)
from engine.sessions.problems import SessionProblem
from engine.sessions.sink import Sink
from engine.sessions.source import SessionSource

Record = Mapping[str, Any]
Observe = Callable[[Record], np.ndarray]
Progress = Callable[[float, str], None]
_BESIDE = ("explored", "q_values")


def write_minari(
    source: SessionSource, folder: Path, arguments: Mapping[str, Any]
) -> None:
    """All recorded training episodes, or those that ``arguments`` name.

    ``kind`` (default ``training``) and ``episode`` choose among them. ``name`` is
    that of the data set. ``observe`` gives the observations of a record that holds
    none (an episode that is played again); ``progress`` is told how far it is.

    Raises:
      SessionProblem: If there is no such episode, or it cannot be described.
    """
    kind = str(arguments.get("kind") or "training")
    numbers = _chosen(source, kind, arguments.get("episode"))
    data = folder / DATA_FOLDER
    data.mkdir()
    spaces: dict[str, Any] = {}
    steps = 0
    what = "The data set could not be written"
    with open(data / MAIN_FILE, "w+b", buffering=0) as file:
        sink = Sink(file, what)
        with h5py.File(sink, "w", libver=LIBVER) as target:
            for id, record in enumerate(_records(source, kind, numbers, arguments)):
                spaces = spaces or _spaces(source.card(), record)
                steps += _write_episode(target, id, record)
                sink.check()
        sink.check()
    about = _metadata(source, str(arguments.get("name", "")), spaces)
    about |= {"total_episodes": len(numbers), "total_steps": steps}
    size = (data / MAIN_FILE).stat().st_size
    about["dataset_size"] = round(size / 1e6, 1)
    text = json.dumps(about, sort_keys=True, indent=1)
    (data / METADATA_FILE).write_text(text, encoding="utf-8")


def _chosen(source: SessionSource, kind: str, episode: int | None) -> list[int]:
    table = source.episodes()
    rows = zip(table["kind"], table["episode"].tolist(), table["recorded"], strict=True)
    numbers = [number for of, number, there in rows if there and of == kind]
    if episode is not None:
        numbers = [it for it in numbers if it == episode]
    if not numbers:
        raise SessionProblem(
            f"The session holds no such recorded {kind} episode: train with "
            "recording.level set to default or everything."
        )
    return numbers


def _records(
    source: SessionSource, kind: str, numbers: list[int], arguments: Mapping[str, Any]
) -> Iterator[Record]:
    """The records, each with observations in the form that the data set has."""
    observe: Observe = arguments.get("observe", _only_recorded)
    progress: Progress = arguments.get("progress", lambda fraction, text: None)
    one_hot = source.card()["observation"] == "onehot"
    for count, number in enumerate(numbers):
        record = source.episode(kind, number)
        seen = record.get("observations")
        seen = observe(record) if seen is None else np.asarray(seen)
        states = seen.shape[1]
        if one_hot:
            seen = seen.argmax(axis=1).astype(np.int64)
        yield {**record, "observations": seen, "states": states}
        done = count + 1
        progress(done / len(numbers), f"{done:,} of {len(numbers):,} episodes")


def _only_recorded(record: Record) -> np.ndarray:
    raise SessionProblem(
        f"The observations of {record['kind']} episode {record['episode']} were not "
        "recorded, and it cannot be played again here: use 'rllab export'."
    )


def _write_episode(target: Any, id: int, record: Record) -> int:
    group = target.create_group(f"episode_{id}")
    total, seed = len(record["actions"]), int(record.get("seed", -1))
    write_attributes(group, {"id": id, "total_steps": total})
    if seed >= 0:
        write_attributes(group, {"seed": seed})
    step0 = int(record.get("step0", 0))
    write_attributes(group, {"kind": str(record["kind"]), "step0": step0})
    left = {"explored"} if record.get("explored_known") is False else set()
    for name in ("observations", *PER_STEP, *_BESIDE):
        if name in record and name not in left:
            write_array(group, name, np.asarray(record[name]))
    group.create_group("infos")  # Minari prints the names in it
    return total


def _spaces(card: Mapping[str, Any], record: Record) -> dict[str, Any]:
    """Both spaces, in Minari's words."""
    actions = {"type": "Discrete", "dtype": "int64", "start": 0, "n": card["actions"]}
    observed: np.ndarray = record["observations"]
    if card["observation"] == "onehot":
        seen = {"type": "Discrete", "dtype": "int64", "start": 0, "n": record["states"]}
        return {"observation_space": seen, "action_space": actions}
    shape = observed.shape[1:]
    if card["observation"] == "image":
        top = int(max(card["high"], default=255))
        low, high = np.zeros(shape, int), np.full(shape, top)
    else:
        low = np.array(card["low"][: shape[0]] or [-np.inf] * shape[0])
        high = np.array(card["high"][: shape[0]] or [np.inf] * shape[0])
    seen = {
        "type": "Box",
        "dtype": observed.dtype.name,
        "shape": list(shape),
        "low": low.tolist(),
        "high": high.tolist(),
    }
    return {"observation_space": seen, "action_space": actions}


def _metadata(
    source: SessionSource, name: str, spaces: Mapping[str, Any]
) -> dict[str, Any]:
    options = json.loads(source.configuration())["environment"]
    about = {it: json.dumps(space) for it, space in spaces.items()}
    return about | {
        "dataset_id": dataset_id(name or source.summary()["name"]),
        "data_format": "hdf5",
        "jpeg_encoding": False,
        "minari_version": MINARI_VERSION,
        OPTIONS_KEY: json.dumps(options, sort_keys=True),
    }
