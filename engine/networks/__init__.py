"""Networks: torsos, heads, and the card that says what they look at."""

from engine.networks.flat import flatten_parameters
from engine.networks.passes import Pass, fastest_pass
from engine.networks.q_network import QNetwork, QOutputs, build_q_network

__all__ = [
    "Pass",
    "QNetwork",
    "QOutputs",
    "build_q_network",
    "fastest_pass",
    "flatten_parameters",
]
