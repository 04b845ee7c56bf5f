"""Checkpoints as sealed files of their own, never changed once written."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from engine.contract.arrays import join, state_hash
from engine.contract.messages import Checkpoint
from engine.sessions.atomic import write_file
from engine.sessions.hdf5 import CHECKPOINT, LIBVER, MAJOR, MINOR, h5py
from engine.sessions.hdf5_reading import StrictFile
from engine.sessions.hdf5_writing import write_attributes, write_json, write_state
from engine.sessions.parts import Parts
from engine.sessions.problems import SessionProblem, from_os_error
from engine.sessions.seal import SealedReader, sealed
from engine.sessions.source import CheckpointRow

LEARNED = frozenset({"online", "target", "weights", "optimizer"})
"""Parts of a state whose numbers must all be finite."""


def checkpoint_path(folder: Path, number: int) -> Path:
    """The file of a checkpoint."""
    return folder / f"ck-{number:08d}.h5"


def checkpoint_numbers(folder: Path) -> list[int]:
    """Numbers of all checkpoint files in a folder, ascending."""
    names = [path.stem[3:] for path in folder.glob("ck-*.h5")]
    return sorted(int(name) for name in names if name.isdigit())


def check_state(checkpoint: Checkpoint) -> None:
    """Refuse a state that is not what the trainer sealed, or not finite.

    Raises:
      SessionProblem: If the hash differs or what is learned is NaN or infinite.
    """
    for path, array in checkpoint.arrays.items():
        learned = LEARNED & set(path.split("/"))
        if learned and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise SessionProblem(
                f"The checkpoint of step {checkpoint.step} was not stored: a weight "
                f"in '{path}' is not a number. The checkpoints before it are kept.",
                "damaged",
            )
    if checkpoint.sha256 and checkpoint.sha256 != _hash(checkpoint):
        raise SessionProblem(
            f"The checkpoint of step {checkpoint.step} was damaged on its way. The "
            "checkpoints before it are kept.",
            "damaged",
        )


def checkpoint_image(
    row: CheckpointRow, checkpoint: Checkpoint, head: dict[str, str]
) -> Parts[memoryview]:
    """The content of a checkpoint file, without its seal.

    ``head`` holds what lets the run be rescued from this file alone.
    """
    image = io.BytesIO()
    with h5py.File(image, "w", libver=LIBVER) as file:
        write_attributes(file, {"format": CHECKPOINT, "format_major": MAJOR})
        write_attributes(file, {"format_minor": MINOR})
        write_json(file, "head_json", head)
        group = file.create_group("state")
        write_attributes(group, row_attributes(row))
        yield from write_state(group, checkpoint.arrays, checkpoint.values)
    return image.getbuffer()


def write_checkpoint_file(folder: Path, row: CheckpointRow, image: memoryview) -> None:
    """Seal a :func:`checkpoint_image`, put it in place durably, and read it back.

    Raises:
      SessionProblem: If the disk is full or fails; no file is left behind then.
    """
    path = checkpoint_path(folder, row.number)
    try:
        write_file(path, sealed(image))
    except OSError as error:
        what = f"The checkpoint of step {row.step} could not be stored"
        raise from_os_error(what, error) from error
    verify_checkpoint_file(path)
    _OWN.add(_mark(path))


_OWN: set[tuple[int, ...]] = set()
"""Marks of the files that this process wrote."""


def is_own(path: Path) -> bool:
    """Whether this process wrote the file, and nobody changed it since."""
    try:
        return _mark(path) in _OWN
    except OSError:
        return False


def _mark(path: Path) -> tuple[int, ...]:
    found = path.lstat()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def verify_checkpoint_file(path: Path) -> None:
    """Check every block of a checkpoint; SessionProblem where one is damaged."""
    with open_sealed(path) as file:
        reader = SealedReader(file, path.name)
        reader.verify()
        reader.check()


def open_sealed(path: Path) -> Any:
    """An open file for :class:`SealedReader`; SessionProblem if it is missing."""
    try:
        return path.open("rb")
    except OSError as error:
        raise from_os_error(f"'{path.name}' cannot be read", error) from error


def read_checkpoint_file(
    file: BinaryIO, name: str
) -> tuple[Checkpoint, dict[str, Any]]:
    """A checkpoint and its head, verified.

    Raises:
      SessionProblem: If it is damaged, or no checkpoint.
    """
    strict = StrictFile(SealedReader(file, name), name)
    try:
        return read_checkpoint(strict, "state"), dict(strict.json("head_json"))
    finally:
        strict.close()


def read_row_file(file: BinaryIO, name: str) -> CheckpointRow:
    """The entry of a checkpoint file for the list; raises as the above."""
    strict = StrictFile(SealedReader(file, name), name)
    try:
        return row_from_attributes(strict.attributes("state"))
    finally:
        strict.close()


def row_attributes(row: CheckpointRow) -> dict[str, Any]:
    """The attributes of a checkpoint's group."""
    values = row._asdict()
    del values["best"]
    return values | {"sha256_state": values.pop("sha256")}


def row_from_attributes(attributes: dict[str, Any]) -> CheckpointRow:
    """Inverse of :func:`row_attributes`; missing ones are zero or empty."""

    def number(name: str) -> int:
        return int(attributes.get(name, 0))

    return CheckpointRow(
        number=number("number"),
        step=number("step"),
        update=number("update"),
        episode=number("episode"),
        rows=number("rows"),
        replay_slots=number("replay_slots"),
        replay_row=number("replay_row"),
        reason=str(attributes.get("reason", "")),
        sha256=str(attributes.get("sha256_state", "")),
    )


def read_checkpoint(strict: StrictFile, path: str) -> Checkpoint:
    """The checkpoint in a group of a sealed file.

    Raises:
      SessionProblem: If it breaks a rule, is damaged, or its hash is wrong.
    """
    row = row_from_attributes(strict.attributes(path))
    stored = strict.json(f"{path}/state_json")
    what = f"The checkpoint of step {row.step} has no list of its parts."
    try:
        paths, values = dict(stored["paths"]), str(stored["values"])
        leaves = dict.fromkeys(paths.values())
        join({}, leaves | dict(json.loads(values or "{}")))
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError) as error:
        raise SessionProblem(what, "damaged") from error
    arrays = {str(to): strict.array(f"{path}/{it}") for it, to in paths.items()}
    checkpoint = Checkpoint(
        step=row.step,
        update=row.update,
        episode=row.episode,
        reason=row.reason,
        rows=row.rows,
        arrays=arrays,
        values=values,
        sha256=row.sha256,
    )
    check_state(checkpoint)
    return checkpoint


def _hash(checkpoint: Checkpoint) -> str:
    return state_hash(join(checkpoint.arrays, json.loads(checkpoint.values or "{}")))
