"""Updates on their way: what is sent to a device, and what comes back later.

Several updates may be under way. Each has a block of memory for what goes and one for
what comes back, which are used again when its numbers have been read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch

from engine.agents.device_graph import Mark, pinned
from engine.agents.reports import NotFinite
from engine.contract.costs import UPDATES_UNDER_WAY
from engine.replay.parcel import Parcel

DEPTH = UPDATES_UNDER_WAY


class Told(NamedTuple):
    """What came back: see ``reports.Update``."""

    loss: float
    gradient_norm: float
    td_error: np.ndarray
    q: np.ndarray
    extras: dict[str, float]


class Round:
    """Memory of the host for one update at a time.

    Attributes:
      letter: What goes to the device, as a tensor of bytes; ``parts`` are its arrays.
      answer: What comes back, float32.
      done: Set behind the last thing that the device does for this update.
      update: Whose memory it is now.
    """

    def __init__(self, parcel: Parcel, numbers: int, device: torch.device) -> None:
        self.letter = pinned(parcel.size, torch.uint8, device)
        self.parts = parcel.arrays(self.letter.numpy())
        self.answer = pinned(numbers, torch.float32, device)
        self.done = Mark(device)
        self.update: LateUpdate | None = None

    def free(self) -> LateUpdate | None:
        """Wait for the update whose memory this is, and let go of it."""
        update, self.update = self.update, None
        if update is not None:
            update.arrive()
        return update


class LateUpdate:
    """What a gradient step saw, when it is asked for; see ``reports.Reported``.

    Args:
      of: Whose memory its numbers come back in.
      read: Makes something of them, and says what of it is not finite, if anything.
      number: Which update of its learner this is.
      learning_rate, beta: As they were at this update.
      measured: What was measured elsewhere, to be reported with it.
    """

    def __init__(
        self,
        of: Round,
        read: Callable[[np.ndarray], tuple[Told, str]],
        number: int,
        learning_rate: float,
        beta: float,
        measured: dict[str, float],
    ) -> None:
        self.learning_rate, self.beta = learning_rate, beta
        self._round: Round | None = of
        self._read: Callable[[np.ndarray], tuple[Told, str]] | None = read
        self._number = number
        self._measured = measured
        self._told: Told | None = None
        self._wrong = ""

    def arrive(self) -> None:
        """Wait until the numbers are here, and keep them."""
        if self._told is not None:
            return
        assert self._round is not None
        assert self._read is not None
        self._round.done.wait()
        self._told, self._wrong = self._read(self._round.answer.numpy().copy())
        # What made the update may go, and its memory with it.
        self._round = self._read = None

    def check(self) -> None:
        """Raise NotFinite if the update was none."""
        if self._wrong:
            raise NotFinite(self._wrong, self._number)

    def _arrived(self) -> Told:
        self.arrive()
        self.check()
        assert self._told is not None
        return self._told

    @property
    def loss(self) -> float:
        """See ``reports.Update``; so are the others."""
        return self._arrived().loss

    @property
    def gradient_norm(self) -> float:
        """Before clipping."""
        return self._arrived().gradient_norm

    @property
    def td_error(self) -> np.ndarray:
        """Unweighted, float32 [B]."""
        return self._arrived().td_error

    @property
    def q(self) -> np.ndarray:
        """Online values before the step, float32 [B, A]."""
        return self._arrived().q

    @property
    def extras(self) -> dict[str, float]:
        """Whatever else was measured."""
        return self._measured | self._arrived().extras


class Rounds:
    """The memory of all updates that are under way, used in turns."""

    def __init__(self, parcel: Parcel, numbers: int, device: torch.device) -> None:
        self._all = [Round(parcel, numbers, device) for _ in range(DEPTH)]
        self._next = 0

    def next(self) -> Round:
        """Memory that is free: the oldest update has come back, if need be.

        Raises:
          NotFinite: If an update that has come back was none.
        """
        self.look()
        found = self._all[self._next]
        waited = found.free()
        if waited is not None:
            waited.check()
        self._next = (self._next + 1) % DEPTH
        return found

    def look(self) -> None:
        """Read what has come back; nothing is waited for.

        Raises:
          NotFinite: If one of them was none.
        """
        for it in self._under_way():
            if not it.done.passed:
                return
            update, it.update = it.update, None
            assert update is not None
            update.arrive()
            update.check()

    def settle(self) -> None:
        """Wait for all of them."""
        for it in self._under_way():
            it.free()

    def _under_way(self) -> Iterator[Round]:
        """Oldest first."""
        in_turn = self._all[self._next :] + self._all[: self._next]
        return (it for it in in_turn if it.update is not None)
