"""A replay memory of a few steps, read without compiled loops."""

from __future__ import annotations

import numpy as np

from engine.replay import Streams
from engine.replay.kernels import gather_windows


class FewSteps(Streams):
    """Its windows come from the same loop as the memory's, but interpreted.

    To load the compiled one takes a second, and many beside other work, in which a
    stage would answer nobody.
    """

    def windows(
        self, slots: np.ndarray, n: int, gamma: float, *, greedy_only: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See :meth:`Streams.windows`."""
        found: tuple[np.ndarray, np.ndarray, np.ndarray] = gather_windows.py_func(
            slots,
            n,
            gamma,
            self.length,
            self.action,
            self.reward.astype(np.float64),  # as the compiled loop adds them up
            self.terminated,
            self.explored if greedy_only else np.zeros(0, np.bool_),
        )
        return found
