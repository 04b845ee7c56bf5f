"""How a command fails: one sentence on stderr and an exit status."""

from __future__ import annotations

import sys
import traceback

from engine.contract.catalogue import UnknownPreset
from engine.contract.options import ConfigurationError

DONE, FAILED, REFUSED = 0, 1, 2
"""Exit statuses: done; it failed while running; the request was wrong."""


class CommandProblem(Exception):
    """A command cannot be carried out; the text says what, why and how to fix it."""

    status = FAILED


class Refused(CommandProblem):
    """The request was wrong; nothing was begun."""

    status = REFUSED


def explain(error: Exception, *, debug: bool) -> int:
    """Write the sentence of an error to stderr; returns the exit status."""
    if debug:
        traceback.print_exception(error)
    sentence, status = _judge(error)
    sys.stderr.write(f"rllab: {sentence}\n")
    return status


def _judge(error: Exception) -> tuple[str, int]:
    """What to say of this error, and the exit status."""
    if isinstance(error, CommandProblem):
        return str(error), error.status
    if isinstance(error, (ConfigurationError, UnknownPreset)):
        return str(error), REFUSED
    status = _known_status(error)
    if status is not None:
        return str(error), status
    kind = type(error).__name__
    return f"Something unforeseen happened ({kind}: {error}). Add --debug.", FAILED


def _known_status(error: Exception) -> int | None:
    """The status of an exception that carries its own sentence, else None."""
    # Only after an error are these rooms worth importing.
    from engine.media.problems import MediaProblem
    from engine.service.connection import EngineProblem
    from engine.sessions.problems import SessionProblem

    if isinstance(error, SessionProblem):
        wrong_file = error.kind in ("refused", "foreign", "newer")
        return REFUSED if wrong_file else FAILED
    return FAILED if isinstance(error, (MediaProblem, EngineProblem)) else None
