"""Networks: torsos, memories, heads, and what their numbers say about the return."""

from engine.networks.building import build_q_network
from engine.networks.flat import Place, alone, flatten_parameters
from engine.networks.layers import noise_level
from engine.networks.passes import Pass, fastest_pass
from engine.networks.q_network import QNetwork, Recall
from engine.networks.returns import (
    Distribution,
    ReturnModel,
    ReturnReader,
    return_model,
)

__all__ = [
    "Distribution",
    "Pass",
    "Place",
    "QNetwork",
    "Recall",
    "ReturnModel",
    "ReturnReader",
    "alone",
    "build_q_network",
    "fastest_pass",
    "flatten_parameters",
    "noise_level",
    "return_model",
]
