"""Replay: what happened, kept once, and drawn again in batches."""

from engine.replay.batches import Batch, Sequences, Windows
from engine.replay.kernels import NO_ACTION
from engine.replay.memory import Memory
from engine.replay.streams import IncompleteReplay, Streams

__all__ = [
    "NO_ACTION",
    "Batch",
    "IncompleteReplay",
    "Memory",
    "Sequences",
    "Streams",
    "Windows",
]
