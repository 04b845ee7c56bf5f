"""The replay on a device: its columns as tensors, batches made without the host.

The memory of the host goes on taking in what happens, writes the log and says which
slots may be drawn; what a batch is made of is kept on the device as well, single frames
once, and a few rows follow with each draw. Numbers come from the host's generator, so
that the same batches are drawn wherever the tensors lie. Priorities, and how often a
slot was drawn by them, change on the device alone: :meth:`DeviceMemory.give_back`
brings them to the host whenever somebody there wants to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.contract.costs import changes_with_rows, rows_with_a_draw
from engine.contract.options import Configuration
from engine.replay.batches import Batch
from engine.replay.device_tree import DeviceTree
from engine.replay.kernels import NO_ACTION
from engine.replay.memory import Memory
from engine.replay.parcel import Field, Parcel

COLUMNS = ("observation", "action", "reward", "terminated", "explored", "elapsed")
"""Of :class:`Streams`; what batches are made of."""


class DeviceMemory:
    """A memory of the host with what batches need on a device.

    Args:
      memory: ``uniform``, or ``prioritized`` in proportion; its frames in memory.
      configuration: What it was made for.
      device: Where the tensors lie.

    Attributes:
      fields: Of the parcel that :meth:`write` fills and the other methods take.
    """

    def __init__(
        self, memory: Memory, configuration: Configuration, device: torch.device
    ) -> None:
        self._memory, self._streams = memory, memory.streams
        self._configuration, self._device = configuration, device
        self._stack = configuration.environment.frame_stack
        streams = self._streams
        host = {name: getattr(streams, name) for name in COLUMNS} | streams.extras
        self._columns = {
            name: torch.from_numpy(it).to(device, copy=True)
            for name, it in host.items()
        }
        self._host = host
        self._sent = streams.written()
        self._follow = memory.follow
        self._tree: DeviceTree | None = None
        self._alpha = configuration.replay.alpha
        if configuration.replay.kind == "prioritized":
            self._take_priorities()
        self._rows, self._changes = self._room()
        self.fields = self._fields()

    def begin(self) -> None:
        """The host stops drawing: nothing has happened since this was made."""
        self._streams.changed.clear()
        self._memory.follow = self._send_ahead

    def _take_priorities(self) -> None:
        streams, priorities = self._streams, self._memory.priorities
        self._raw = torch.tensor(priorities.raw, device=self._device)
        self._largest = torch.tensor(
            priorities.largest, dtype=torch.float64, device=self._device
        )
        self._draws = torch.tensor(streams.times_sampled, device=self._device)
        self._tree = DeviceTree(streams.slots, self._device)
        sampleable = torch.tensor(streams.sampleable, device=self._device)
        self._tree.fill(self._weights(self._raw, sampleable))

    def _room(self) -> tuple[int, int]:
        """Rows, and changes of what may be drawn, that come with one draw."""
        row = sum(it[:1].nbytes for it in self._host.values())
        rows = rows_with_a_draw(self._configuration, row)
        return rows, changes_with_rows(self._configuration, rows)

    def _fields(self) -> dict[str, Field]:
        batch = self._configuration.agent.batch_size
        fields = self._fields_of_rows(self._rows, self._changes)
        if self._tree is None:
            fields["drawn"] = Field((batch,), "int64")
        else:
            fields["uniform"] = Field((batch,), "float64")
        # Sampleable slots, beta, gamma, priority_epsilon
        fields["draw"] = Field((4,), "float64")
        return fields

    def _fields_of_rows(self, rows: int, changes: int) -> dict[str, Field]:
        fields = {"slot": Field((rows,), "int64")}
        for name, it in self._host.items():
            fields[name] = Field((rows, *it.shape[1:]), str(it.dtype))
        if self._tree is not None:
            fields["changed"] = Field((changes,), "int64")
            fields["sampleable"] = Field((changes,), "bool")
        return fields

    @property
    def state(self) -> list[Tensor]:
        """What a draw and what is learned from it change on the device."""
        if self._tree is None:
            return []
        return [self._raw, self._largest, self._draws, *self._tree.levels]

    # ------------------------------------------------------------ on the host

    def write(
        self, into: Mapping[str, np.ndarray], discount: float, beta: float
    ) -> None:
        """Fill a parcel with what has happened, and with the numbers of a draw."""
        streams, epsilon = self._streams, self._configuration.replay.priority_epsilon
        slots = streams.written_since(self._sent)
        if len(slots) > self._rows or len(streams.changed) >= self._changes:
            self._send_ahead()
            slots = streams.written_since(self._sent)
        self._write_rows(into, slots)
        if self._tree is None:
            into["drawn"][:] = self._memory.evenly(len(into["drawn"]))
        else:
            into["uniform"][:] = self._memory.numbers(len(into["uniform"]))
        into["draw"][:] = len(streams), beta, discount, epsilon

    def write_nothing(self, into: Mapping[str, np.ndarray]) -> None:
        """Fill a parcel that changes nothing when it is taken; draws no number."""
        heads = self._streams.written_since(self._streams.written())
        self._write_columns(into, heads)
        if self._tree is not None:
            into["changed"][:] = heads[-1]
        into["draw"][:] = 1.0

    def _write_rows(self, into: Mapping[str, np.ndarray], slots: np.ndarray) -> None:
        """All that has happened in these slots."""
        self._write_columns(into, slots)
        if self._tree is not None:
            changed = np.array([*self._streams.changed, slots[-1]], np.int64)
            into["changed"][:] = _padded(changed, len(into["changed"]))
            into["sampleable"][:] = self._streams.sampleable[into["changed"]]
        self._streams.changed.clear()
        self._sent = self._streams.written()

    def _write_columns(self, into: Mapping[str, np.ndarray], slots: np.ndarray) -> None:
        """Rows of these slots; what is left of the room repeats the last one."""
        rows = _padded(slots, len(into["slot"]))
        into["slot"][:] = rows
        for name, column in self._host.items():
            np.take(column, rows, 0, out=into[name], mode="clip")

    def _send_ahead(self) -> None:
        """Bring everything over now; whoever asks waits for it."""
        slots = self._streams.written_since(self._sent)
        changes = len(self._streams.changed) + 1
        parcel = Parcel(self._fields_of_rows(len(slots), changes))
        block = np.zeros(parcel.size, np.uint8)
        self._write_rows(parcel.arrays(block), slots)
        with torch.no_grad():
            self.take(parcel.tensors(torch.from_numpy(block).to(self._device)))

    def give_back(self) -> None:
        """Let the host know all that has changed here; it is used on afterwards."""
        if self._tree is None:
            return
        self._send_ahead()
        priorities, options = self._memory.priorities, self._configuration.replay
        priorities.raw[:] = self._raw.cpu().numpy()
        priorities.largest = float(self._largest)
        self._streams.times_sampled[:] = self._draws.cpu().numpy()
        priorities.use(options.alpha)

    def let_go(self) -> None:
        """The host draws again; what has changed here is lost, if not given back."""
        self._memory.follow = self._follow

    # ---------------------------------------------------------- on the device

    def take(self, mail: Mapping[str, Tensor]) -> None:
        """Store the rows of a parcel."""
        slots = mail["slot"]
        for name, column in self._columns.items():
            column[slots] = mail[name]
        if self._tree is None:
            return
        fresh = mail["action"] != NO_ACTION
        self._raw[slots] = torch.where(fresh, self._largest, self._raw[slots])
        self._draws.index_fill_(0, slots, 0)
        changed = mail["changed"]
        weights = self._weights(self._raw[changed], mail["sampleable"])
        self._tree.set(changed, weights)

    def batch(self, mail: Mapping[str, Tensor]) -> Batch:
        """What a memory of the host would draw; of tensors."""
        size, beta, gamma, _ = mail["draw"].unbind()
        if self._tree is None:
            return self._transitions(mail["drawn"], None, gamma)
        slots, probs = self._tree.sample(mail["uniform"])
        ones = torch.ones_like(slots, dtype=self._draws.dtype)
        self._draws.index_add_(0, slots, ones)
        weights = (size * probs) ** -beta
        weights = (weights / weights.max()).float()
        return self._transitions(slots, weights, gamma)

    def learned(
        self, mail: Mapping[str, Tensor], slots: Tensor, surprise: Tensor, sound: Tensor
    ) -> None:
        """Change priorities, unless the update was not ``sound``, bool []."""
        if self._tree is None:
            return
        priority = surprise.double().abs() + mail["draw"][3]
        # Of equal slots the last one counts, as on the host.
        same = slots.unsqueeze(1) == slots.unsqueeze(0)
        order = torch.arange(1, len(slots) + 1, device=slots.device)
        priority = priority[(same * order).argmax(1)]
        priority = torch.where(sound, priority, self._raw[slots])
        self._raw[slots] = priority
        self._largest.copy_(torch.maximum(self._largest, priority.max()))
        self._tree.set(slots, self._weights(priority, priority > 0))

    def _weights(self, raw: Tensor, counts: Tensor) -> Tensor:
        return raw.masked_fill(~counts, 0.0) ** self._alpha * counts

    def _transitions(
        self, slots: Tensor, weight: Tensor | None, gamma: Tensor
    ) -> Batch:
        """See ``batches.read_transitions``."""
        reward, discount, following = self._windows(slots, gamma)
        action = self._columns["action"]
        extras = {name: self._columns[name][slots] for name in self._streams.extras}
        seen, after = self._observations(slots), self._observations(following)
        # A memory without any step is drawn from as well, before it is captured.
        taken = action[slots].clamp_(min=0)
        parts: list[Any] = [slots, seen, taken, reward, discount]
        parts += [after, action[following], weight, extras]
        return Batch(*parts)

    def _windows(self, slots: Tensor, gamma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See :meth:`Streams.windows`."""
        of = self._configuration.agent
        column, length = self._columns, self._streams.length
        total = torch.zeros_like(slots, dtype=torch.float64)
        factor, at = torch.ones_like(total), slots
        goes_on = torch.ones_like(slots, dtype=torch.bool)
        for _ in range(of.n_step):
            ends, ahead = column["terminated"][at], _successors(at, length)
            total = torch.where(goes_on, total + factor * column["reward"][at], total)
            less = (factor * gamma).masked_fill(ends, 0.0)
            factor = torch.where(goes_on, less, factor)
            at = torch.where(goes_on, ahead, at)
            goes_on = goes_on & ~ends & (column["action"][at] != NO_ACTION)
            if of.n_step_correction == "greedy":
                goes_on = goes_on & ~column["explored"][at]
        return total.float(), factor.float(), at

    def _observations(self, slots: Tensor) -> Tensor:
        """See :meth:`Streams.observations`."""
        frames, length = self._columns["observation"], self._streams.length
        if self._stack == 1:
            return frames[slots]
        ago = torch.arange(self._stack - 1, -1, -1, device=slots.device)
        ago = torch.minimum(ago, self._columns["elapsed"][slots].unsqueeze(1))
        position = (slots % length).unsqueeze(1)
        start = slots.unsqueeze(1) - position
        stacked = frames[start + (position - ago) % length]
        return torch.cat(stacked.unbind(1), -1)


def _successors(slots: Tensor, length: int) -> Tensor:
    position = slots % length
    return slots - position + (position + 1) % length


def _padded(slots: np.ndarray, count: int) -> np.ndarray:
    padded = np.full(count, slots[-1], np.int64)
    padded[: len(slots)] = slots
    return padded
