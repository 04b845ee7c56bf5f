"""Refusing what cannot fit into memory before it is begun."""

from __future__ import annotations

import psutil

from engine.contract.catalogue import EnvironmentCard
from engine.contract.costs import replay_bytes
from engine.contract.options import Configuration, ConfigurationError

USABLE = 0.9
"""Share of the free memory that a replay may take; the rest is for everything else."""


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
    needed = replay_bytes(configuration, card)
    if needed <= USABLE * free:
        return
    fits = int(configuration.replay.capacity * USABLE * free / needed)
    sentence = (
        f"A full replay needs {needed / 1e9:.2g} GB, and this computer has "
        f"{free / 1e9:.2g} GB of memory left: set replay.capacity to {fits:,} or less."
    )
    raise ConfigurationError({"replay.capacity": sentence})
