"""The replay on a device: its columns as tensors, batches made without the host.

The memory of the host goes on taking in what happens, writes the log and says which
slots may be drawn; what a batch is made of is kept on the device as well, single frames
once, and a few rows follow with each draw. Numbers come from the host's generator, so
that the same batches are drawn wherever the tensors lie. Priorities, and how often a
slot was drawn by them, change on the device alone: :meth:`DeviceMemory.give_back`
brings them to the host whenever somebody there wants to know.

Memories of several agents are one here: their slots are numbered through, and what is
drawn or sent is that of all behind each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from engine.replay.side_by_side import MemoriesSideBySide

COLUMNS = ("observation", "action", "reward", "terminated", "explored", "elapsed")
"""Of :class:`Streams`; what batches are made of."""


class DeviceMemory:
    """A memory of the host, or several, with what batches need on a device.

    Args:
      memory: ``uniform``, or ``prioritized`` in proportion; its frames in memory.
      configuration: What it was made for.
      device: Where the tensors lie.

    Attributes:
      fields: Of the parcel that :meth:`write` fills and the other methods take.
    """

    def __init__(
        self,
        memory: Memory | MemoriesSideBySide,
        configuration: Configuration,
        device: torch.device,
    ) -> None:
        self._memory, self._streams = memory, memory.streams
        self._parts = memory.parts
        self._count, self._slots = len(memory.parts), memory.parts[0].streams.slots
        self._configuration, self._device = configuration, device
        self._stack = configuration.environment.frame_stack
        streams = self._streams
        host = {name: getattr(streams, name) for name in COLUMNS} | streams.extras
        self._columns = {
            name: torch.from_numpy(it).to(device, copy=True)
            for name, it in host.items()
        }
        self._host = host
        self._sent = self._written()
        self._follow = [it.follow for it in self._parts]
        self._tree: DeviceTree | None = None
        self._alpha = configuration.replay.alpha
        if configuration.replay.kind == "prioritized":
            self._take_priorities()
        self._rows, self._changes = self._room()
        self.fields = self._fields()

    def begin(self) -> None:
        """The host stops drawing: nothing has happened since this was made."""
        for it in self._parts:
            it.streams.changed.clear()
            it.follow = self._send_ahead

    def _take_priorities(self) -> None:
        streams, device = self._streams, self._device
        priorities = [it.priorities for it in self._parts]
        raw = np.concatenate([it.raw for it in priorities])
        self._raw = torch.tensor(raw, device=device)
        largest = [it.largest for it in priorities]
        self._largest = torch.tensor(largest, dtype=torch.float64, device=device)
        self._draws = torch.tensor(streams.times_sampled, device=self._device)
        self._tree = DeviceTree(self._slots, device, self._count)
        sampleable = torch.tensor(streams.sampleable, device=self._device)
        self._tree.fill(self._weights(self._raw, sampleable))

    def _room(self) -> tuple[int, int]:
        """Rows, and changes of what may be drawn, that come with one draw."""
        row = sum(it[:1].nbytes for it in self._host.values())
        rows = rows_with_a_draw(self._configuration, row)
        return rows, changes_with_rows(self._configuration, rows)

    def _fields(self) -> dict[str, Field]:
        batch = self._count * self._configuration.agent.batch_size
        fields = self._fields_of_rows(self._rows, self._changes)
        if self._tree is None:
            fields["drawn"] = Field((batch,), "int64")
        else:
            fields["uniform"] = Field((batch,), "float64")
        fields["filled"] = Field((self._count, 1), "float64")  # sampleable slots
        fields["draw"] = Field((3,), "float64")  # beta, gamma, priority_epsilon
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
        epsilon = self._configuration.replay.priority_epsilon
        slots = self._news()
        if len(slots) > self._rows or self._count_changes() >= self._changes:
            self._send_ahead()
            slots = self._news()
        self._write_rows(into, slots)
        if self._tree is None:
            into["drawn"][:] = self._memory.evenly(len(into["drawn"]))
        else:
            into["uniform"][:] = self._memory.numbers(len(into["uniform"]))
        into["filled"][:, 0] = [len(it) for it in self._parts]
        into["draw"][:] = beta, discount, epsilon

    def write_nothing(self, into: Mapping[str, np.ndarray]) -> None:
        """Fill a parcel that changes nothing when it is taken; draws no number."""
        heads = self._since(self._written())
        self._write_columns(into, heads)
        if self._tree is not None:
            into["changed"][:] = heads[-1]
        into["filled"][:] = into["draw"][:] = 1.0

    def _written(self) -> list[list[int]]:
        """How far the rings of each part have been written."""
        return [it.streams.written() for it in self._parts]

    def _since(self, written: list[list[int]]) -> np.ndarray:
        """See :meth:`Streams.written_since`; the heads of each part are behind it."""
        each = zip(self._parts, written, strict=True)
        return self._through(it.streams.written_since(before) for it, before in each)

    def _news(self) -> np.ndarray:
        """Slots that have changed since they were sent; heads always."""
        return self._since(self._sent)

    def _count_changes(self) -> int:
        return sum(len(it.streams.changed) for it in self._parts)

    def _through(self, each: Iterable[Sequence[int] | np.ndarray]) -> np.ndarray:
        """Slots of each part as those of all, int64."""
        found = [np.asarray(it, np.int64) for it in each]
        first = np.arange(self._count) * self._slots
        return np.concatenate(found) + first.repeat(list(map(len, found)))

    def _write_rows(self, into: Mapping[str, np.ndarray], slots: np.ndarray) -> None:
        """All that has happened in these slots."""
        self._write_columns(into, slots)
        if self._tree is not None:
            changed = self._through(it.streams.changed for it in self._parts)
            changed = np.append(changed, slots[-1])
            into["changed"][:] = _padded(changed, len(into["changed"]))
            into["sampleable"][:] = self._streams.sampleable[into["changed"]]
        for it in self._parts:
            it.streams.changed.clear()
        self._sent = self._written()

    def _write_columns(self, into: Mapping[str, np.ndarray], slots: np.ndarray) -> None:
        """Rows of these slots; what is left of the room repeats the last one."""
        rows = _padded(slots, len(into["slot"]))
        into["slot"][:] = rows
        for name, column in self._host.items():
            np.take(column, rows, 0, out=into[name], mode="clip")

    def _send_ahead(self) -> None:
        """Bring everything over now; whoever asks waits for it."""
        slots = self._news()
        fields = self._fields_of_rows(len(slots), self._count_changes() + 1)
        parcel = Parcel(fields)
        block = np.zeros(parcel.size, np.uint8)
        self._write_rows(parcel.arrays(block), slots)
        with torch.no_grad():
            self.take(parcel.tensors(torch.from_numpy(block).to(self._device)))

    def give_back(self) -> None:
        """Let the host know all that has changed here; it is used on afterwards."""
        if self._tree is None:
            return
        self._send_ahead()
        self._streams.times_sampled[:] = self._draws.cpu().numpy()
        raw = self._raw.view(self._count, -1).cpu().numpy()
        for it, mine, largest in zip(
            self._parts, raw, self._largest.tolist(), strict=True
        ):
            it.priorities.raw[:] = mine
            it.priorities.largest = largest
            it.priorities.use(self._alpha)

    def let_go(self) -> None:
        """The host draws again; what has changed here is lost, if not given back."""
        for it, follow in zip(self._parts, self._follow, strict=True):
            it.follow = follow

    # ---------------------------------------------------------- on the device

    def take(self, mail: Mapping[str, Tensor]) -> None:
        """Store the rows of a parcel."""
        slots = mail["slot"]
        for name, column in self._columns.items():
            column[slots] = mail[name]
        if self._tree is None:
            return
        fresh = mail["action"] != NO_ACTION
        largest = self._largest[slots // self._slots]
        self._raw[slots] = torch.where(fresh, largest, self._raw[slots])
        self._draws.index_fill_(0, slots, 0)
        changed = mail["changed"]
        weights = self._weights(self._raw[changed], mail["sampleable"])
        self._tree.set(changed, weights)

    def batch(self, mail: Mapping[str, Tensor]) -> Batch:
        """What a memory of the host would draw; of tensors."""
        beta, gamma, _ = mail["draw"].unbind()
        if self._tree is None:
            return self._transitions(mail["drawn"], None, gamma)
        slots, probs = self._tree.sample(mail["uniform"])
        ones = torch.ones_like(slots, dtype=self._draws.dtype)
        self._draws.index_add_(0, slots, ones)
        weights = (mail["filled"] * probs.view(self._count, -1)) ** -beta
        weights = (weights / weights.amax(1, keepdim=True)).float()
        return self._transitions(slots, weights.flatten(), gamma)

    def learned(
        self, mail: Mapping[str, Tensor], slots: Tensor, surprise: Tensor, sound: Tensor
    ) -> None:
        """Change priorities, unless the update was not ``sound``, bool []."""
        if self._tree is None:
            return
        each = slots.view(self._count, -1)
        priority = surprise.double().abs().view_as(each) + mail["draw"][2]
        # Of equal slots the last one counts, as on the host.
        same = each.unsqueeze(2) == each.unsqueeze(1)
        order = torch.arange(1, each.shape[1] + 1, device=slots.device)
        priority = priority.gather(1, (same * order).argmax(2)).flatten()
        priority = torch.where(sound, priority, self._raw[slots])
        self._raw[slots] = priority
        highest = priority.view_as(each).amax(1)
        self._largest.copy_(torch.maximum(self._largest, highest))
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
