"""Refusing what cannot fit into memory, or onto the disk, before it is begun."""

from __future__ import annotations

from pathlib import Path

import psutil

from engine.contract.catalogue import EnvironmentCard
from engine.contract.costs import USABLE, replay_file_bytes, replay_memory_bytes
from engine.contract.options import Configuration, ConfigurationError
from engine.service import disk_guard


def free_bytes() -> int:
    """Memory of this computer that is free now."""
    return int(psutil.virtual_memory().available)


def check_memory(
    configuration: Configuration, card: EnvironmentCard, free: int | None = None
) -> None:
    """Hold the replay against the free memory.

    Its arrays take memory only as they fill, so that the system would end the process
    hours later instead of refusing it at once.

    Args:
      configuration: All options.
      card: What the environment offers.
      free: Bytes of free memory; None looks.

    Raises:
      ConfigurationError: If a full replay would not fit.
    """
    free = free_bytes() if free is None else free
    needed = replay_memory_bytes(configuration, card)
    if needed <= USABLE * free:
        return
    fits = int(configuration.replay.capacity * USABLE * free / needed)
    on_disk = configuration.replay.storage == "disk"
    sentence = (
        f"A full replay needs {needed / 1e9:.2g} GB, and this computer has "
        f"{free / 1e9:.2g} GB of memory left: set replay.capacity to {fits:,} or less"
        f"{'' if on_disk else ', or replay.storage to disk'}."
    )
    raise ConfigurationError({"replay.capacity": sentence})


def check_room(
    configuration: Configuration,
    card: EnvironmentCard,
    folder: Path,
    free: int | None = None,
) -> None:
    """Hold the file of the replay against what is free on the disk of a session.

    Args:
      configuration: All options.
      card: What the environment offers.
      folder: Where the file will be.
      free: Bytes that are free there; None looks.

    Raises:
      ConfigurationError: If recording would have to stop once the file is there.
    """
    needed = replay_file_bytes(configuration, card)
    if not needed:
        return
    free = disk_guard.free_bytes(folder) if free is None else free
    left = max(0, free - disk_guard.WARN_BYTES)
    if needed <= left:
        return
    fits = int(configuration.replay.capacity * left / needed)
    sentence = (
        f"The file of a full replay needs {needed / 1e9:.2g} GB, and the disk of the "
        f"session has {free / 1e9:.2g} GB left, of which the session itself needs "
        f"some: set replay.capacity to {fits:,} or less, or free some space."
    )
    raise ConfigurationError({"replay.capacity": sentence})
