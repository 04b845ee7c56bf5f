"""What windows and command lines ask of the engine."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from engine.contract.messages.base import Message


class StartTraining(Message, frozen=True):
    """Begin a new run in a new session.

    Attributes:
      configuration: ``Configuration.to_json()``.
      path: Session file to be written (``NAME.h5``); empty chooses a dated name
        in the sessions folder.
      overwrite: Replace an existing file.
      paused: Start in the state *paused*, before the first step.
    """

    configuration: str
    path: str = ""
    overwrite: bool = False
    paused: bool = False


class ResumeTraining(Message, frozen=True):
    """Continue a session file (or its live store) exactly where it stopped.

    Attributes:
      path: The session file.
      steps: Further steps; 0 goes on to the budget of its configuration.
      changes: Live options that are other ones from there on, as JSON texts.
      paused: Go on in the state *paused*, before the next step.
      reached: Step that the run had reached when its engine was lost, so that it is
        told how many are trained again; 0 where it was not.
    """

    path: str
    steps: int = 0
    changes: dict[str, str] = field(default_factory=dict)
    paused: bool = False
    reached: int = 0


class OpenSession(Message, frozen=True):
    """Look back into a session file; nothing of it is changed, nothing is run."""

    path: str


class CloseSession(Message, frozen=True):
    """Let go of the session that is open; a running one is stopped and saved."""


class SaveSession(Message, frozen=True):
    """Write the session file now; training goes on. Empty path: its own name."""

    path: str = ""
    overwrite: bool = False


class DiscardSession(Message, frozen=True):
    """Remove the live store that a crash left beside this session file."""

    path: str


class Pause(Message, frozen=True):
    """Hold training after the step that is under way."""


class Resume(Message, frozen=True):
    """Go on after a pause."""


class Stop(Message, frozen=True):
    """End the run: write a checkpoint, seal the session file behind the answer."""


class EndTrainer(Message, frozen=True):
    """End the trainer's process, which hangs; another goes on from what is durable."""


class Advance(Message, frozen=True):
    """While paused: one environment step, or to the end of the current episode."""

    unit: Literal["step", "episode"] = "step"


class SetOption(Message, frozen=True):
    """Change one live option of the run. ``value`` is JSON text."""

    key: str
    value: str


class ShowAgent(Message, frozen=True):
    """Stage: show this configuration's agent (untrained until weights come)."""

    configuration: str


class SetViewer(Message, frozen=True):
    """Stage: how the shown agent plays.

    Attributes:
      speed: Times the environment's own frame rate; 0 is as fast as drawn.
      playing: False freezes the picture, training goes on.
      epsilon: Share of random actions of the shown agent, 0 to 1.
    """

    speed: float = 1.0
    playing: bool = True
    epsilon: float = 0.0


class FrameCredit(Message, frozen=True):
    """Stage: the window has painted; this many further pictures may be sent."""

    pictures: int = 1


class Subscribe(Message, frozen=True):
    """The topics that this window shows now; replaces what it said before.

    Topics: ``picture``, ``scalars``, ``priorities``, ``embedding``, ``account`` (time
    and memory); and what pictures are to have ``inside``: ``returns``, ``memory``,
    ``members``.
    """

    topics: list[str]


class KeepOff(Message, frozen=True):
    """Stage, keeper and windows: leave these processor cores to the run.

    Attributes:
      cores: Numbers as the system counts them; none, and every core is everybody's.
    """

    cores: list[int]


class Shutdown(Message, frozen=True):
    """Supervisor: end everything. A running run is stopped and saved first."""

    keep_training: bool = False


class Ask(Message, frozen=True):
    """A question to stage or keeper; the answer carries the same id.

    Attributes:
      id: Chosen by who asks.
      question: Name of the question (see ``engine/stage/questions`` and
        ``engine/sessions/queries.py``).
      arguments: Plain values and arrays.
    """

    id: int
    question: str
    arguments: dict[str, Any]


class Cancel(Message, frozen=True):
    """The answer to this question is no longer wanted."""

    id: int
