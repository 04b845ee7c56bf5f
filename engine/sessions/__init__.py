"""The keeper's library: live store, sealed session file, strict reading, export."""

from engine.sessions.guarded_file import GuardedFile
from engine.sessions.inspection import inspect
from engine.sessions.live_store import LiveStore
from engine.sessions.opening import (
    FoundSession,
    find_sessions,
    open_session,
)
from engine.sessions.problems import SessionProblem
from engine.sessions.session_file import SessionFile
from engine.sessions.source import CheckpointRow, ResumePoint, SessionSource

__all__ = [
    "CheckpointRow",
    "FoundSession",
    "GuardedFile",
    "LiveStore",
    "ResumePoint",
    "SessionFile",
    "SessionProblem",
    "SessionSource",
    "find_sessions",
    "inspect",
    "open_session",
]
