"""Several successive observations as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def stacked_shape(shape: Sequence[int], frames: int) -> tuple[int, ...]:
    """Shape of a stack: frames are joined along the last axis."""
    return (*shape[:-1], shape[-1] * frames)


class FrameStacker:
    """Joins the last few observations along the last axis, the newest at the end.

    An episode starts as if its first observation had stood still before. Nothing
    is remembered across :meth:`reset`.
    """

    def __init__(self, frames: int) -> None:
        self._count = frames
        self._frames: list[np.ndarray] = []

    def reset(self, observation: np.ndarray) -> np.ndarray:
        """Begin an episode; the stack of its first observation."""
        self._frames = [observation] * self._count
        return self._stack()

    def push(self, observation: np.ndarray) -> np.ndarray:
        """Add the next observation; the newest stack."""
        self._frames = [*self._frames[1:], observation]
        return self._stack()

    @property
    def frames(self) -> tuple[np.ndarray, ...]:
        """The observations that are joined, the oldest first."""
        return tuple(self._frames)

    def put_back(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Go on after these observations; their stack."""
        self._frames = list(frames)
        return self._stack()

    def _stack(self) -> np.ndarray:
        if self._count == 1:
            return self._frames[0]
        return np.concatenate(self._frames, axis=-1)
