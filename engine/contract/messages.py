"""Everything that crosses a border between processes: frozen, typed, versioned.

Commands flow from the window or the command line to the engine, telemetry and
answers flow back. A message holds plain values and numpy arrays only; what does
not fit its declared types is refused on arrival. :func:`encode` turns a message
into frames (one of msgpack, then one for each array), :func:`decode` back.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np

PROTOCOL = 1
"""Version of these messages; two sides with different versions do not talk."""

RunState = Literal[
    "idle",
    "starting",
    "running",
    "pausing",
    "paused",
    "stopping",
    "finished",
    "failed",
]
Role = Literal["supervisor", "trainer", "stage", "keeper"]


class Message(msgspec.Struct, frozen=True, tag=True, tag_field="type"):
    """Base of all messages."""


# ---------------------------------------------------------------- commands


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
    """

    path: str
    steps: int = 0
    changes: dict[str, str] = {}


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


# --------------------------------------------------------------- telemetry


class Hello(Message, frozen=True):
    """First word of every process to the supervisor."""

    role: str
    pid: int
    protocol: int = PROTOCOL


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
    fixes: list[tuple[str, str]] = []
    severity: Literal["error", "warning", "information"] = "error"
    details: str = ""

    def sentence(self) -> str:
        """What, why and fix in one line."""
        return " ".join(part for part in (self.what, self.why, self.fix) if part)


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
      durable_step: Everything up to here is committed and synced.
      durable_s_ago: Age of that commit when this was sent.
      sealed_at: Unix time at which the .h5 was last written; 0 never.
    """

    name: str = ""
    path: str = ""
    uuid: str = ""
    live: bool = False
    configuration: str = ""
    durable_step: int = 0
    durable_s_ago: float = 0.0
    sealed_at: float = 0.0


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
    data: dict[str, Any] = {}


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
    inside: dict[str, np.ndarray] = {}


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
    """

    step: int
    steps: int
    updates: int
    seconds: float
    acting: dict[str, float]
    learning: dict[str, float] = {}
    timed: int = 0
    recorded_bytes: int = 0
    device: str = "cpu"
    notes: list[str] = []


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
    """

    step: int
    allocated: dict[str, int]
    used: dict[str, int]
    process: int = 0
    device: int = 0
    weights: int = 0


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
    extras: dict[str, np.ndarray] = {}
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
    result: dict[str, Any] = {}
    error: str = ""


# ------------------------------------------------- trainer, stage and keeper


class Rows(Message, frozen=True):
    """Trainer or stage to keeper: numbered rows, kept by the sender until acked.

    Attributes:
      source: Who numbers: ``trainer`` or ``stage``.
      number: Counts up by one for each message of this source and run.
      scalars: As in :class:`Scalars`, or None.
      episodes: One dictionary per recorded episode (see ``EpisodeRecord``).
      replay: Slots appended to the replay since the last message (arrays), or {}.
      events: New events.
    """

    source: str
    number: int
    step: int
    scalars: Scalars | None = None
    finished: list[EpisodeFinished] = []
    episodes: list[dict[str, Any]] = []
    replay: dict[str, np.ndarray] = {}
    events: list[Event] = []
    evaluation: EvaluationFinished | None = None


class RowsStored(Message, frozen=True):
    """Keeper: all rows up to this number of this source are durable."""

    source: str
    number: int
    step: int


class Checkpoint(Message, frozen=True):
    """Trainer to keeper: a complete state, to be sealed and kept.

    Attributes:
      reason: ``periodic``, ``recovery`` (replaced by the next), ``stop``,
        ``pause``, ``save``, ``start``.
      arrays: Leaves of the state by path (``engine.contract.arrays.split``).
      values: The other leaves as JSON text.
      rows: Number of the last row that belongs before this state.
    """

    step: int
    update: int
    episode: int
    reason: str
    rows: int
    arrays: dict[str, np.ndarray]
    values: str
    sha256: str


class CheckpointStored(Message, frozen=True):
    """Keeper: the checkpoint of this step is sealed on disk."""

    step: int
    reason: str


class Weights(Message, frozen=True):
    """Trainer to stage: the newest networks; newest wins.

    ``arrays`` holds ``online/...`` and ``target/...`` by parameter name.
    ``evaluate`` asks for an evaluation of just these weights.
    """

    step: int
    update: int
    arrays: dict[str, np.ndarray]
    evaluate: bool = False


class RunTraining(Message, frozen=True):
    """Supervisor to trainer: run this; ``checkpoint`` is to be restored first.

    Attributes:
      arrays, values: State to restore, empty for a fresh run.
      replay: Slots of the replay to load back, or {}.
      first_row: Number that the next row gets.
      offline_source: The session to learn from, where ``training.offline`` names one.
    """

    configuration: str
    uuid: str
    paused: bool = False
    until_step: int = 0
    arrays: dict[str, np.ndarray] = {}
    values: str = ""
    replay: dict[str, np.ndarray] = {}
    first_row: int = 0
    offline_source: str = ""


class ProcessState(Message, frozen=True):
    """Supervisor: how a process is: ``starting``, ``ready``, ``died``, ``gone``."""

    role: str
    state: str
    pid: int = 0
