"""Replay: what happened, kept once, and drawn again in batches."""

from engine.replay.memory import Batch, Memory
from engine.replay.streams import IncompleteReplay, Streams

__all__ = ["Batch", "IncompleteReplay", "Memory", "Streams"]
