"""What the engine tells those who watch it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from msgspec import field

from engine.contract.messages.base import PROTOCOL, Message, RunState


class Hello(Message, frozen=True):
    """First word of every process to the supervisor."""

    role: str
    pid: int
    protocol: int = PROTOCOL


_OF_SESSION = (
    "training.",
    "session.",
    "stage.evaluation.",
    "stage.embedding.",
    "engine.trainer.recover",
    "engine.keeper.attach",
    "engine.keeper.behind",
    "engine.session.note",
    "window.certificate",
)
"""How the ids begin of what is about the open session or its run.

``engine.save`` is none of them: a file that could not be written is told when its
session has been let go.
"""


class Problem(Message, frozen=True):
    """Something went wrong; one sentence each for what, why and how to fix it.

    Attributes:
      id: Stable name of the kind of problem (``engine.trainer.died``), so that
        equal ones make one row.
      fixes: Names of actions that the window offers, as (command, label).
      severity: ``error`` needs attention, ``warning`` and ``information`` do not.
      details: Folded lines: a traceback, a log tail.
    """

    id: str
    what: str
    why: str = ""
    fix: str = ""
    fixes: list[tuple[str, str]] = field(default_factory=list)
    severity: Literal["error", "warning", "information"] = "error"
    details: str = ""

    def sentence(self) -> str:
        """What, why and fix in one line."""
        return " ".join(part for part in (self.what, self.why, self.fix) if part)

    @property
    def of_session(self) -> bool:
        """Whether it says nothing any more once another session is open, or none."""
        return self.id.startswith(_OF_SESSION)


class Solved(Message, frozen=True):
    """The problem of this id is over; its message goes away."""

    id: str


class TrainerStatus(Message, frozen=True):
    """Where the run is, at most 30 times a second, newest wins.

    Rates are per second over the last second; fractions are 0 to 1.
    """

    state: RunState
    step: int = 0
    update: int = 0
    episode: int = 0
    steps_budget: int = 0
    steps_per_s: float = 0.0
    updates_per_s: float = 0.0
    epsilon: float = 0.0
    replay_size: int = 0
    replay_capacity: int = 0
    remaining_s: float = 0.0
    device: str = "cpu"


class SessionStatus(Message, frozen=True):
    """Which session is open, and to which step it is safe on disk.

    Attributes:
      name: Name without folder, empty where none is open.
      path: The session file.
      live: A run writes to it (False: looking back).
      configuration: Options that it was started with, as JSON text.
      options: The same with the live options changed since; those of the run now, or
        those that it ended with.
      unwritten: Its run has ended, perhaps by a crash, and its file is still to be
        written.
      durable_step: Everything up to here is committed and synced.
      durable_s_ago: Age of that commit when this was sent.
      sealed_at: Unix time at which the .h5 was last written; 0 never.
      cuts: How often its run has gone back behind what it had recorded. What was
        known of steps after ``durable_step`` holds no more when this counts up.
    """

    name: str = ""
    path: str = ""
    uuid: str = ""
    live: bool = False
    unwritten: bool = False
    configuration: str = ""
    options: str = ""
    durable_step: int = 0
    durable_s_ago: float = 0.0
    sealed_at: float = 0.0
    cuts: int = 0

    def is_same(self, other: SessionStatus) -> bool:
        """Whether both are about one session in one place, or both about none."""
        return (self.path, self.uuid) == (other.path, other.uuid)


class Scalars(Message, frozen=True):
    """New rows of the measured series, complete and in order.

    ``columns`` has one array of equal length [n] per name: ``series`` (int16,
    index into ``names``), ``step`` (int64), ``value`` (float64), ``wall_time``
    (float64, Unix). ``update`` (int64) and ``episode`` (int64) say the other
    clocks at that row.
    """

    names: list[str]
    columns: dict[str, np.ndarray]


class EpisodeFinished(Message, frozen=True):
    """One finished episode, of training or of an evaluation."""

    kind: Literal["training", "evaluation"]
    episode: int
    step: int
    update: int
    length: int
    episode_return: float
    terminated: bool
    seed: int
    environment: int = 0
    wall_time: float = 0.0


class EvaluationFinished(Message, frozen=True):
    """All greedy episodes of one evaluation of the checkpoint at ``step``."""

    step: int
    update: int
    returns: np.ndarray
    lengths: np.ndarray
    best: bool = False
    wall_time: float = 0.0


class Event(Message, frozen=True):
    """Something to remember: an option changed, a checkpoint, a pause, a loss.

    Attributes:
      kind: ``option``, ``state``, ``checkpoint``, ``problem``, ``recovery``.
      text: One sentence for the list of events.
      data: For ``option``: ``{"key", "old", "new"}``.
    """

    kind: str
    step: int
    text: str
    wall_time: float
    data: dict[str, Any] = field(default_factory=dict)


class Picture(Message, frozen=True):
    """One step of the shown agent, with all that belongs to that very step.

    Attributes:
      frame: uint8 [H, W, 3].
      source: ``viewer`` (the stage's own environment).
      checkpoint_step: Training step of the weights; -1 untrained, -2 no network
        yet (random actions).
      t: Step within the shown episode; the observation before ``action``.
      observation: As the agent sees it (float32 or uint8, any shape).
      q: float32 [A], empty where there is no network yet.
      advantage: float32 [A]; dueling stream, else Q - max Q.
      value_head: The dueling value stream; NaN without one.
      action: Taken at ``t``; -1 at the last step of an episode.
      reason: ``greedy`` or ``explored`` or ``random``.
      reward_sum: Undiscounted, of the steps before ``t``.
      ended: Empty, ``terminated`` or ``truncated``.
      inside: What else the network says, by name, of the topics that are wanted:
        ``return_values`` and ``return_probs`` [A, N], ``memory`` [U], ``member_q``
        [K, A]; of a distribution always ``preference`` [A], by which it chooses.
    """

    frame: np.ndarray
    source: str
    checkpoint_step: int
    epsilon: float
    speed: float
    episode: int
    t: int
    observation: np.ndarray
    q: np.ndarray
    advantage: np.ndarray
    value_head: float
    action: int
    reason: str
    reward_sum: float
    ended: str = ""
    inside: dict[str, np.ndarray] = field(default_factory=dict)


class PriorityReport(Message, frozen=True):
    """What the replay memory holds, measured now; for the priorities view.

    For ``kind`` = ``uniform`` or ``none`` the priority arrays are empty. Bins are
    of log10(priority); zero priorities are counted apart.
    """

    kind: str
    step: int
    size: int
    capacity: int
    alpha: float
    beta: float
    bin_edges: np.ndarray
    counts: np.ndarray
    zero_count: int
    mass: np.ndarray
    """Sampling probability of each bin, float64 [bins]."""
    weight: np.ndarray
    """Mean importance weight of each bin (1 = largest), float64 [bins]."""
    age_edges: np.ndarray
    age_counts: np.ndarray
    """How many stored transitions are how many steps old."""
    run: str = ""
    """As in :class:`TimeReport`."""


class TimeReport(Message, frozen=True):
    """Where the trainer's time went lately, about once a second.

    Attributes:
      step: Where the run was.
      steps, updates: How many were made in this time.
      seconds: This time: the newest few seconds in which the run was not paused.
      acting: Seconds by stage (``contract.account.STAGES``), all of the time.
      learning: The same of the learner's thread, where it has one; else empty.
      timed: Steps that were taken apart for it.
      recorded_bytes: Handed to the keeper in this time.
      device: What the networks are on.
      notes: Sentences on how it is computed.
      run: The session (its ``uuid``) whose run this is of. The trainer goes on
        reporting on its last run while another session is looked at.
    """

    step: int
    steps: int
    updates: int
    seconds: float
    acting: dict[str, float]
    learning: dict[str, float] = field(default_factory=dict)
    timed: int = 0
    recorded_bytes: int = 0
    device: str = "cpu"
    notes: list[str] = field(default_factory=list)
    run: str = ""


class MemoryReport(Message, frozen=True):
    """What the parts of a run take in memory, measured now.

    Attributes:
      step: Where the run was.
      allocated: Bytes of the arrays of each part (``contract.memory_costs.PARTS``).
      used: Bytes of those that hold something; the system gives the others memory
        only when they are written to.
      process: Bytes of memory that the trainer's process has; 0 where unknown.
      device: Bytes of the arrays on the GPU, 0 without one.
      weights: Bytes of the parameters of one network.
      run: As in :class:`TimeReport`.
    """

    step: int
    allocated: dict[str, int]
    used: dict[str, int]
    process: int = 0
    device: int = 0
    weights: int = 0
    run: str = ""


class EmbeddingReport(Message, frozen=True):
    """A layout of the last hidden layer's activations.

    Attributes:
      positions: float32 [n, 2], within -1 and 1.
      value: V(s) = max_a Q(s, a), float32 [n].
      point_ids: int64 [n], names a state across layouts (it does not move away).
      exploring: bool [n], the action taken there was exploratory.
      legend: layer, count, method, perplexity, seed, checkpoint step.
      final: False for an intermediate layout of a running optimisation.
      extras: What else is known of each state, float32 [n]: ``visits`` so far, the
        ``bonus`` for reaching it, ``disagreement`` of an ensemble about its values.
      episodes, steps: Training episode and step in it at which each was seen, int64
        [n]; -1 where that is not known, empty where nothing is.
    """

    positions: np.ndarray
    value: np.ndarray
    point_ids: np.ndarray
    exploring: np.ndarray
    legend: str
    checkpoint_step: int
    final: bool = True
    extras: dict[str, np.ndarray] = field(default_factory=dict)
    episodes: np.ndarray = np.zeros(0, np.int64)
    steps: np.ndarray = np.zeros(0, np.int64)


class JobProgress(Message, frozen=True):
    """How far a long job is (recording, sealing): 0 to 1, and what it does."""

    job: str
    fraction: float
    text: str
    done: bool = False
    result: str = ""


class Answer(Message, frozen=True):
    """The answer to :class:`Ask`; ``error`` is one sentence where it failed."""

    id: int
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""
