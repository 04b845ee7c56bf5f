"""When an engine is not needed any more."""

from __future__ import annotations

from collections.abc import Callable

IDLE_ENDS_AFTER_S = 20.0
PAUSED_ENDS_AFTER_S = 600.0
PRIVATE_ENDS_AFTER_S = 1.0
SAVED_WITHIN_S = 120.0
"""An engine that is to end waits so long for its session to be written."""


class Lifetime:
    """Watches whether anybody is there, and whether anything is going on.

    Args:
      clock: Seconds, monotonic.
      private: The engine belongs to one client and ends with it.

    Attributes:
      ending: It is to end as soon as everything is saved.
    """

    def __init__(self, clock: Callable[[], float], *, private: bool) -> None:
        self._clock, self._private = clock, private
        self._last_client_at = clock()
        self._had_client = False
        self._end_by = float("inf")
        self.ending = False

    def begin_end(self) -> bool:
        """Decide to end; False where that was decided before."""
        if self.ending:
            return False
        self.ending = True
        self._end_by = self._clock() + SAVED_WITHIN_S
        return True

    def is_unneeded(self, clients: int, state: str, *, resting: bool) -> bool:
        """Whether it should decide to end now; to be asked again and again."""
        if clients:
            self._had_client = True
            self._last_client_at = self._clock()
        alone = self._clock() - self._last_client_at
        if self._private and self._had_client:
            return alone > PRIVATE_ENDS_AFTER_S
        if resting:
            return alone > IDLE_ENDS_AFTER_S
        return state == "paused" and alone > PAUSED_ENDS_AFTER_S

    def is_over(self, *, resting: bool) -> bool:
        """Whether it can end: all is saved, or saving does not come to an end."""
        return self.ending and (resting or self._clock() > self._end_by)
