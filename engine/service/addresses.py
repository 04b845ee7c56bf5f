"""Which process of the engine a client's message is for, where it names none."""

from __future__ import annotations

from engine.contract.messages import FrameCredit, Message, SetViewer, ShowAgent
from engine.service.transport import SUPERVISOR

KEEPER_QUESTIONS = frozenset(
    {
        "history",
        "episodes",
        "episode",
        "events",
        "checkpoints",
        "checkpoint",
        "evaluations",
        "series",
        "summary",
        "recent",
        "configuration_of",
        "fork",
        "certify",
        "export",
        "import",
        "views",
        "keep_views",
    }
)
"""What the session can say; all other questions are about agents."""

_TO_STAGE = (SetViewer, FrameCredit, ShowAgent)


def answers(question: str) -> str:
    """Who answers this question: ``keeper`` or ``stage``."""
    return "keeper" if question in KEEPER_QUESTIONS else "stage"


def receives(message: Message) -> str:
    """Who gets a message that is no question."""
    return "stage" if isinstance(message, _TO_STAGE) else SUPERVISOR
