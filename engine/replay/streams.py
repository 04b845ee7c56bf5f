"""Storage of experience: for each parallel environment one ring of slots.

A slot is one observation with what followed it: action, reward and how the step
ended. The observation after a step lies in the next slot of the same ring, so each
frame is stored once. Two kinds of slots have no action and are never sampled: the
*head*, whose step has not been taken yet, and the *boundary*, the last observation
of an episode. Windows of n steps and stacks of frames are built on reading; they
end at a boundary, at the head, and at the beginning of an episode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.arrays import State
from engine.replay.kernels import NO_ACTION, count_up, gather_windows
from engine.replay.storage import frame_array

LOG_COLUMNS = (
    "observation",
    "action",
    "reward",
    "terminated",
    "truncated",
    "explored",
    "elapsed",
)


_NOTHING_STOPS = np.zeros(0, np.bool_)


class IncompleteReplay(ValueError):
    """Rows of the replay log are missing that a stored state refers to."""


class Streams:
    """Rings of slots, one for each environment.

    Slots are numbered through: slot ``stream * length + position``.

    Attributes:
      observation: Single frames, [N, ...]; in a file where a ``folder`` is given.
      action: int64 [N], ``NO_ACTION`` in heads, boundaries and unused slots.
      reward: float32 [N].
      terminated, truncated: How the step ended the episode, bool [N].
      explored: The action was a random one, bool [N].
      elapsed: Steps since the episode began, int32 [N].
      extras: What else an agent keeps for each slot, by name, [N, ...].
      sampleable: Slots that may begin a window, bool [N].
      times_sampled: How often each was drawn for a batch since it was filled, int32
        [N]; a piece of an episode counts for the step that it was drawn for.
      changed: Slots that became or ceased to be sampleable; whoever follows this
        clears it.
      length: Slots of each ring.
    """

    def __init__(
        self,
        capacity: int,
        streams: int,
        frame_shape: Sequence[int],
        frame_dtype: str,
        *,
        frame_stack: int = 1,
        extras: Mapping[str, tuple[tuple[int, ...], str]] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.length = capacity // streams
        self.count = streams
        self._frame_stack = frame_stack
        slots = self.length * streams
        self.observation = frame_array((slots, *frame_shape), frame_dtype, folder)
        self.action = np.full(slots, NO_ACTION, np.int64)
        self.reward = np.zeros(slots, np.float32)
        self.terminated = np.zeros(slots, np.bool_)
        self.truncated = np.zeros(slots, np.bool_)
        self.explored = np.zeros(slots, np.bool_)
        self.elapsed = np.zeros(slots, np.int32)
        self.extras = {
            name: np.zeros((slots, *shape), dtype)
            for name, (shape, dtype) in (extras or {}).items()
        }
        self.sampleable = np.zeros(slots, np.bool_)
        self.times_sampled = np.zeros(slots, np.int32)
        self._counted: np.ndarray | None = None
        self._written = [0] * streams
        self._drained = [0] * streams
        self._open = [False] * streams
        self._size = 0
        self.changed: list[int] = []

    def __len__(self) -> int:
        """How many slots may be sampled."""
        return self._size

    @property
    def slots(self) -> int:
        """Slots of all rings together."""
        return self.length * self.count

    @property
    def used(self) -> int:
        """Positions of the fullest ring that have ever been written."""
        return min(max(self._written) + 1, self.length)

    def head(self, stream: int) -> int:
        """The slot whose step is to be taken next."""
        return stream * self.length + self._written[stream] % self.length

    def begin(self, stream: int, observation: np.ndarray) -> None:
        """Put the first observation of an episode at the head.

        An episode that was still running is cut off where it stands.
        """
        if self._open[stream]:
            self._written[stream] += 1
        self._open[stream] = True
        self._occupy(self.head(stream), observation, 0)

    def append(
        self,
        stream: int,
        action: int,
        reward: float,
        terminated: bool,
        truncated: bool,
        next_observation: np.ndarray,
        *,
        explored: bool = False,
        extras: Mapping[str, Any] | None = None,
        goes_on: bool = False,
    ) -> int:
        """Complete the head with its step and move on; the slot completed.

        Where the episode ``goes_on`` although the step terminated (a life was lost),
        windows end here, and stacks of frames reach back across.

        Raises:
          ValueError: If no episode has begun in this stream.
        """
        if not self._open[stream]:
            raise ValueError(f"stream {stream} has no episode: call begin first")
        slot = self.head(stream)
        self.action[slot] = action
        self.reward[slot] = reward
        self.terminated[slot] = terminated
        self.truncated[slot] = truncated
        self.explored[slot] = explored
        for name, value in (extras or {}).items():
            self.extras[name][slot] = value
        self.sampleable[slot] = True
        self.changed.append(slot)
        self._size += 1
        self._written[stream] += 1
        self._occupy(self.head(stream), next_observation, int(self.elapsed[slot]) + 1)
        if (terminated or truncated) and not goes_on:
            # The head becomes a boundary: the next episode begins behind it.
            self._written[stream] += 1
            self._open[stream] = False
            self._forget(self.head(stream))
        return slot

    def _occupy(self, slot: int, observation: np.ndarray, elapsed: int) -> None:
        self._forget(slot)
        self.observation[slot] = observation
        self.elapsed[slot] = elapsed
        self.times_sampled[slot] = 0

    def _forget(self, slot: int) -> None:
        """Take a slot, and those whose frame stack reaches back to it, out of use."""
        self.action[slot] = NO_ACTION
        start = slot - slot % self.length
        for ahead in range(self._frame_stack):
            old = start + (slot - start + ahead) % self.length
            if self.sampleable[old]:
                self.sampleable[old] = False
                self.changed.append(old)
                self._size -= 1

    def successors(self, slots: np.ndarray) -> np.ndarray:
        """The next slot of the same ring."""
        position = slots % self.length
        following: np.ndarray = slots - position + (position + 1) % self.length
        return following

    def windows(
        self, slots: np.ndarray, n: int, gamma: float, *, greedy_only: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rewards, discounts and bootstrap slots of windows of up to n steps.

        A window ends early at a step that terminated, at the end of its episode and at
        the head. Its discount is γ to the number of rewards that were summed, or 0
        where it terminated.

        Args:
          slots: First slots, int64 [B].
          n: Most steps.
          gamma: γ.
          greedy_only: End before the first later action that was a random one.

        Returns:
          float32 [B], float32 [B], int64 [B].
        """
        return gather_windows(
            slots,
            n,
            gamma,
            self.length,
            self.action,
            self.reward,
            self.terminated,
            self.explored if greedy_only else _NOTHING_STOPS,
        )

    def observations(self, slots: np.ndarray) -> np.ndarray:
        """What the agent saw in these slots: stacks along the last axis, [B, ...]."""
        if self._frame_stack == 1:
            newest: np.ndarray = self.observation.take(slots, 0)
            return newest
        ago = np.arange(self._frame_stack - 1, -1, -1)
        ago = np.minimum(ago, self.elapsed[slots][:, None])
        position = slots % self.length
        start = (slots - position)[:, None]
        frames = self.observation[start + (position[:, None] - ago) % self.length]
        # The last axis changes fastest, as convolutions like it best.
        return np.concatenate(list(np.moveaxis(frames, 1, 0)), axis=-1)

    def count_sampled(self, slots: np.ndarray) -> None:
        """These slots have been drawn for a batch, each as often as it is named."""
        count_up(self.times_sampled, slots)

    def reach(self, slots: np.ndarray) -> np.ndarray:
        """How many earlier slots of the same episode are still whole, int64 [B].

        Whole are those whose frame stack is still kept.
        """
        written = np.array(self._written, np.int64)[slots // self.length]
        oldest = np.minimum(written, self.length - self._frame_stack)
        kept = np.maximum(oldest - self.ages(slots), 0)
        earlier: np.ndarray = np.minimum(kept, self.elapsed[slots])
        return earlier

    def ages(self, slots: np.ndarray) -> np.ndarray:
        """How many slots of their ring have been written after these, int64 [B]."""
        heads = self._heads()[slots // self.length] % self.length
        ages: np.ndarray = (heads - slots % self.length) % self.length
        return ages

    def written(self) -> list[int]:
        """How many slots of each ring have been written so far."""
        return list(self._written)

    def written_since(self, written: Sequence[int]) -> np.ndarray:
        """Slots that have changed since :meth:`written` said so; the heads last."""
        each = [self._since(it, before) for it, before in enumerate(written)]
        return np.concatenate([*each, self._heads()])

    def drain_log(self) -> dict[str, np.ndarray]:
        """Rows of the slots completed since the last call, in order per stream.

        A slot that was overwritten in the meantime has only its newest row.
        """
        slots = np.concatenate(
            [self._since(it, self._drained[it]) for it in range(self.count)]
        )
        self._drained = list(self._written)
        return self._rows(slots)

    def contents(self) -> dict[str, np.ndarray]:
        """Rows of all slots behind the heads, whether drained or not."""
        return self._rows(self._alive())

    def _rows(self, slots: np.ndarray) -> dict[str, np.ndarray]:
        columns = {name: it[slots] for name, it in self._columns().items()}
        return {"slot": slots, **columns}

    def _columns(self) -> dict[str, np.ndarray]:
        """All columns of the log by name."""
        return {name: getattr(self, name) for name in LOG_COLUMNS} | self.extras

    def state(self) -> State:
        """Heads and counts; the slots themselves are in the log.

        What has not been drained yet would be lost: drain first.
        """
        heads = self._heads()
        return {
            "written": np.array(self._written, np.int64),
            "open": np.array(self._open, np.bool_),
            "head_observation": self.observation[heads],
            "head_elapsed": self.elapsed[heads],
            "times_sampled": self._counts(),
        }

    def _counts(self) -> np.ndarray:
        """Draws of each sampleable slot, int32, also before they are here again."""
        if self._counted is not None and not self._size:
            return self._counted
        found: np.ndarray = self.times_sampled[self.sampleable]
        return found

    def restore(self, state: State, log: Mapping[str, np.ndarray]) -> None:
        """Become what :meth:`state` described, from all rows of the log so far.

        An empty log leaves the memory empty: the running episodes go on, older
        experience is gone.

        Raises:
          IncompleteReplay: If the log has rows, but not all that are needed.
        """
        self.action.fill(NO_ACTION)
        self.sampleable.fill(False)
        empty = len(log.get("slot", ())) == 0
        self._written = [0 if empty else int(it) for it in state["written"]]
        self._drained = list(self._written)
        self._open = [bool(it) for it in state["open"]]
        if not empty:
            self._load(log)
        heads = self._heads()
        self.action[heads] = NO_ACTION
        self.observation[heads] = state["head_observation"]
        # A stack must not reach back to frames that are gone.
        self.elapsed[heads] = 0 if empty else state["head_elapsed"]
        self._find_sampleable()
        self.times_sampled.fill(0)
        # Sessions of the first weeks did not count.
        self._counted = state.get("times_sampled")
        self.count_on()

    def count_on(self) -> None:
        """Go on counting draws from where it was, once the same steps are here again.

        A memory that learns offline is filled from its recording after it has been
        restored without rows.
        """
        if self._counted is not None and len(self._counted) == self._size > 0:
            self.times_sampled[self.sampleable] = self._counted
            self._counted = None

    def _load(self, log: Mapping[str, np.ndarray]) -> None:
        slots = np.asarray(log["slot"], np.int64)
        if slots.min() < 0 or slots.max() >= self.slots:
            raise IncompleteReplay("The replay log belongs to another capacity.")
        for name, column in self._columns().items():
            column[slots] = log[name]
        loaded = np.zeros(self.slots, np.bool_)
        loaded[slots] = True
        missing = int((~loaded[self._alive()]).sum())
        if missing:
            raise IncompleteReplay(f"The replay log lacks {missing} of its slots.")

    def _find_sampleable(self) -> None:
        """Which slots may be sampled, from heads and actions alone."""
        alive = self._alive()
        self.sampleable[alive] = self.action[alive] != NO_ACTION
        for head in self._heads():
            self._forget(int(head))
        self._size = int(self.sampleable.sum())
        self.changed.clear()

    def _heads(self) -> np.ndarray:
        return np.array([self.head(it) for it in range(self.count)], np.int64)

    def _alive(self) -> np.ndarray:
        """Slots behind the heads that have not been overwritten."""
        return np.concatenate([self._since(it, 0) for it in range(self.count)])

    def _since(self, stream: int, written: int) -> np.ndarray:
        """Slots of a ring that were completed after this count, oldest first."""
        now = self._written[stream]
        first = max(written, now - self.length + 1)
        positions = np.arange(first, now, dtype=np.int64) % self.length
        return positions + stream * self.length
