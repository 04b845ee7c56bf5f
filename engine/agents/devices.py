"""Which device an agent computes on."""

from __future__ import annotations

import torch

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration, ConfigurationError
from engine.networks import build_q_network

LARGE = 200_000
"""Parameters from which on a GPU gains more than its calls cost."""


def choose_device(configuration: Configuration, card: EnvironmentCard) -> str:
    """The device of ``training.device``; ``auto`` takes a GPU for large networks.

    For several seeds at once it takes the processor: from which size on they gain
    from a GPU has not been measured. Where one is named they learn there.

    Raises:
      ConfigurationError: If a GPU is asked for and there is none.
    """
    wanted = configuration.training.device
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        sentence = (
            "There is no GPU that can be used: set training.device to auto or cpu."
        )
        raise ConfigurationError({"training.device": sentence})
    if wanted != "auto":
        return wanted
    if not torch.cuda.is_available() or configuration.training.seeds > 1:
        return "cpu"
    network = build_q_network(configuration, card, seed=0)
    size = sum(it.numel() for it in network.parameters())
    return "cuda" if size >= LARGE else "cpu"


def use_precision(configuration: Configuration, device: torch.device) -> None:
    """Let this process multiply on a GPU as ``training.precision`` says.

    Left alone, convolutions would be worked out in tf32 there and products would not.
    """
    if device.type == "cuda":
        tf32 = configuration.training.precision == "tf32"
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
