"""The keeper's library: live store, sealed session file, strict reading, export."""

from engine.sessions.live_store import LiveStore
from engine.sessions.problems import SessionProblem
from engine.sessions.session_file import SessionFile
from engine.sessions.source import ResumePoint, SessionSource

__all__ = [
    "LiveStore",
    "ResumePoint",
    "SessionFile",
    "SessionProblem",
    "SessionSource",
]
