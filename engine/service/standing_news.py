"""What has been said and still holds, for windows and processes that come later."""

from __future__ import annotations

from collections.abc import Iterable

from engine.contract.messages import (
    Message,
    Problem,
    SessionStatus,
    SetViewer,
    ShowAgent,
    Solved,
)


class StandingNews:
    """Remembers problems until they are solved, and what the stage was asked to show.

    Attributes:
      viewer: How the viewer was set last, None before anybody did.
      shown: The agent that was asked for last, None while there is none.
    """

    def __init__(self) -> None:
        self.viewer: SetViewer | None = None
        self.shown: ShowAgent | None = None
        self._problems: dict[str, Problem] = {}
        self._session = SessionStatus()

    @property
    def problems(self) -> Iterable[Problem]:
        """All that are not solved, in the order in which they arose."""
        return self._problems.values()

    def remember(self, message: Message) -> None:
        """Take note of a message that somebody sent; most kinds do not last."""
        match message:
            case Problem() if message.severity != "information":
                self._problems[message.id] = message
            case Solved():
                self._problems.pop(message.id, None)
            case SessionStatus():
                self._forget_last_session(message)
            case SetViewer():
                self.viewer = message
            case ShowAgent():
                self.shown = message
            case _:
                return

    def _forget_last_session(self, session: SessionStatus) -> None:
        """Windows drop what was said about it by themselves; so do those to come."""
        before, self._session = self._session, session
        if not session.is_same(before):
            kept = {id: it for id, it in self._problems.items() if not it.of_session}
            self._problems = kept
