"""What the parts of a run take in memory: the arrays that they really hold."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import psutil
from torch import Tensor, nn

from engine.agents import ValueBasedAgent
from engine.contract.memory_costs import FILE
from engine.contract.messages import MemoryReport
from engine.replay.storage import lies_in_file

_PART_OF = (
    ("engine.replay", "replay"),
    ("engine.networks", "networks"),
    ("engine.agents.acting_copy", "networks"),
    ("engine.agents.optimizers", "optimizer"),
    ("engine.agents.counts", "exploration"),
    ("engine.agents.planning", "planning"),
    ("engine.agents.rounds", "updates"),
)
"""Modules, and what their objects hold is for; what lies within belongs to it too."""


def memory_report(
    agents: Sequence[ValueBasedAgent], lanes: Iterable[object], step: int
) -> MemoryReport:
    """Of the agents of a run, the first one first, and of episodes in these lanes."""
    agent = agents[0]
    streams = agent.memory.streams  # which is made when it is first asked for
    found = _Walk()
    for it in agents:
        found.enter(it.memory, "replay")
        for network in (it.online, it.target):
            found.enter(network, "networks")
        found.enter(it.learner.optimizer, "optimizer")
    weights = sum(it.nbytes for it in agent.online.parameters())
    found.enter(list(agents), "")
    for lane in lanes:
        found.enter(list(vars(lane).values()), "recording")
    allocated = dict(found.bytes)
    filled = min(1.0, streams.used / streams.length)
    in_replay = [it for it in ("replay", FILE) if it in allocated]
    used = allocated | {it: round(filled * allocated[it]) for it in in_replay}
    process = psutil.Process().memory_info().rss
    return MemoryReport(step, allocated, used, process, found.on_device, weights)


class _Walk:
    """Follows objects of ours to their arrays, and counts each array once."""

    def __init__(self) -> None:
        self.bytes: Counter[str] = Counter()
        self.on_device = 0
        self._seen: set[int] = set()
        # Who has been seen must not be replaced by another at the same address.
        self._kept: list[object] = []

    def enter(self, of: object, part: str) -> None:
        """Count what is reached from here; an empty part is found by the modules."""
        waiting = [(of, part)]
        while waiting:
            it, part = waiting.pop()
            if isinstance(it, np.ndarray):
                owner = _owner(it)
                if isinstance(owner.base, Tensor):
                    self._count_tensor(owner.base, part)
                    continue
                self._count(owner, owner.nbytes, FILE if lies_in_file(owner) else part)
            elif isinstance(it, Tensor):
                self._count_tensor(it, part)
            elif id(it) not in self._seen:
                self._see(it)
                part = part or _part_of(it)
                waiting += [(below, part) for below in _below(it)]

    def _count(self, buffer: object, size: int, part: str) -> None:
        if id(buffer) not in self._seen:
            self._see(buffer)
            self.bytes[part or "networks"] += size

    def _count_tensor(self, tensor: Tensor, part: str) -> None:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._seen:
            self._seen.add(storage.data_ptr())
            self.bytes[part or "networks"] += storage.nbytes()
            self.on_device += storage.nbytes() if tensor.is_cuda else 0

    def _see(self, it: object) -> None:
        self._seen.add(id(it))
        self._kept.append(it)


def _owner(array: np.ndarray) -> np.ndarray:
    """The array whose memory this one shows a part of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _part_of(it: object) -> str:
    module = type(it).__module__
    return next((part for of, part in _PART_OF if module.startswith(of)), "")


def _below(it: object) -> Iterator[object]:
    """What an object of ours, a network or a container holds."""
    if isinstance(it, nn.Module):
        for parameter in it.parameters():
            yield parameter
            if parameter.grad is not None:
                yield parameter.grad
        yield from it.buffers()
    elif isinstance(it, dict):
        yield from it.values()
    elif isinstance(it, list | tuple | deque):
        yield from it
    elif _is_ours(it):
        yield from getattr(it, "__dict__", {}).values()


def _is_ours(it: object) -> bool:
    module = type(it).__module__
    foreign = ("engine.contract", "engine.environments")
    return module.startswith("engine.") and not module.startswith(foreign)
