"""What a run will take in memory, by its parts, before it is begun."""

from __future__ import annotations

from engine.contract.catalogue import EnvironmentCard
from engine.contract.costs import (
    LARGEST_FILM,
    Probe,
    recorded_step_bytes,
    replay_device_bytes,
    replay_file_bytes,
    replay_memory_bytes,
    under_way_bytes,
)
from engine.contract.options import Configuration

FILE = "file"
"""The part that is not in memory."""

PARTS: dict[str, str] = {
    "replay": "the replay memory: observations once each, and what belongs to them",
    FILE: "observations of the replay in a file on the disk, of which the system keeps "
    "in memory what was used lately",
    "networks": "online and target network and their gradients, and the copy that acts",
    "optimizer": "what the optimizer remembers of earlier gradients",
    "exploration": "how often states were seen",
    "planning": "the model of the environment",
    "recording": "the running episodes, and rows that are not on the disk yet",
    "updates": "what goes to the GPU with each of the updates that are under way, and "
    "comes back; the GPU reads and writes this memory of the computer",
}
"""What each part is; the last words of a name in ``MemoryReport``."""

_MOMENTS = {"adam": 2, "rmsprop": 2, "sgd": 0}
"""Vectors as long as the parameters."""


def memory_bytes(
    configuration: Configuration, card: EnvironmentCard, probe: Probe
) -> dict[str, float]:
    """Bytes of each part of a run whose replay is full.

    What grows with what is met (counts of states, tables of a model) is not in it.
    """
    seeds, optimizer = configuration.training.seeds, configuration.agent.optimizer
    in_memory = replay_memory_bytes(configuration, card)
    on_gpu = _names_gpu(configuration)
    return {
        "replay": in_memory + gpu_bytes(configuration, card),
        FILE: replay_file_bytes(configuration, card),
        "networks": seeds * network_bytes(configuration, probe.weights_bytes),
        "optimizer": seeds * _MOMENTS[optimizer] * probe.weights_bytes,
        "recording": _episode_bytes(configuration, card, probe),
        "updates": under_way_bytes(configuration, card) if on_gpu else 0,
    }


def gpu_bytes(configuration: Configuration, card: EnvironmentCard) -> int:
    """Of the replay, on the GPU that the options name; ``auto`` names none."""
    on_gpu = _names_gpu(configuration)
    return replay_device_bytes(configuration, card) if on_gpu else 0


def _names_gpu(configuration: Configuration) -> bool:
    return configuration.training.device.startswith("cuda")


def network_bytes(configuration: Configuration, weights_bytes: int) -> int:
    """Each network has a vector of parameters, and one of gradients."""
    copies = configuration.training.mode != "alternate"
    return (6 if copies else 4) * weights_bytes


def _episode_bytes(
    configuration: Configuration, card: EnvironmentCard, probe: Probe
) -> float:
    """What is kept of the running episodes until they end, at their longest."""
    level = configuration.recording.level
    if level == "scalars" or configuration.training.offline:
        return 0.0
    steps = probe.episode_steps
    each = steps * recorded_step_bytes(configuration, card)
    if level == "everything":
        each += min((steps + 1) * probe.picture_bytes, LARGEST_FILM)
    return configuration.training.environments * each
