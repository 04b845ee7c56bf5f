"""What a run will take: memory for its replay, room on the disk, and time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.contract.capturing import why_not_captured
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration

USABLE = 0.9
"""Share of the free memory that a replay may take; the rest is for everything else."""
LARGEST_OBSERVATION = 1024
"""Bytes of one observation up to which records keep observations themselves."""
EXACT_LIMIT_BYTES = 500_000_000
"""Below it ``recording.exact_resume=auto`` keeps the replay in the session file."""

LARGEST_FILM = 256 * 2**20
"""Bytes of pictures up to which the record of an episode keeps them."""

UPDATES_UNDER_WAY = 32
"""On a GPU; before another one begins the oldest of them is waited for."""
MOST_ROW_BYTES = 8 << 20
"""Rows of the replay that travel with one draw; more go ahead of it."""

_SLOT = 8 + 4 + 4 + 4 + 4  # action, reward, flags, steps since its beginning, draws
_PRIORITY = 8
_TREE = 8 * 8 / 7  # a node for each leaf, and an eighth of them for each level above
_ROW = 8 + 4 + 2 + 4  # on a GPU: action, reward, flags, steps since its beginning
_DRAWS = 4
_WIDE_TREE = 8 * 64 / 63
_SLOT_NUMBER = 8
_CHANGE = 8 + 1  # a slot, and whether it may be drawn
_NUMBERS = 4 * 8 + 4 * 4  # of the draw, and of the schedules
_STEP = 8 + 8 + 3 + 4  # action, reward, three flags, checksum
_CURVES = 6
_MOST_CURVES = 6_000_000
"""Curves are thinned from some length on."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What was measured on an environment and a network before a run.

    Attributes:
      weights_bytes: Parameters of the online network.
      frame_bytes: One picture of a training episode, compressed as it is stored.
      film_bytes: One picture of an evaluation episode, which may be smaller.
      frame_s: Seconds to draw and compress one of a training episode.
      episode_steps: Steps of the longest episode that can be expected: the time limit,
        or else the length of one with random actions.
      picture_bytes: One picture of a training episode as it is drawn.
    """

    weights_bytes: int = 0
    frame_bytes: float = 0.0
    film_bytes: float = 0.0
    frame_s: float = 0.0
    episode_steps: float = 0.0
    picture_bytes: float = 0.0


def keeps_frames_in_file(configuration: Configuration) -> bool:
    """Whether the frames of the replay lie in a file, and not in memory."""
    of = configuration.replay
    return of.kind != "none" and of.storage == "disk"


def replay_file_bytes(configuration: Configuration, card: EnvironmentCard) -> int:
    """The file that the frames of the replay lie in; 0 without one."""
    if not keeps_frames_in_file(configuration):
        return 0
    return configuration.replay.capacity * _frame_bytes(configuration, card)


def replay_memory_bytes(configuration: Configuration, card: EnvironmentCard) -> int:
    """What of a full replay lies in memory."""
    in_file = replay_file_bytes(configuration, card)
    return replay_bytes(configuration, card) - in_file


def replay_device_bytes(configuration: Configuration, card: EnvironmentCard) -> int:
    """What of the full replays of all seeds lies on a GPU besides, and draws take.

    That is where updates are captured; else it is nothing.
    """
    if not _is_captured(configuration):
        return 0
    slot: float = _device_row_bytes(configuration, card)
    pairs = 0
    if configuration.replay.kind == "prioritized":
        slot += _PRIORITY + _DRAWS + _WIDE_TREE
        # To find equal slots all of a batch are compared with all: a bool, an int64.
        pairs = 9 * configuration.agent.batch_size**2
    each = configuration.replay.capacity * slot + pairs
    return round(configuration.training.seeds * each)


def rows_with_a_draw(of: Configuration, row_bytes: int) -> int:
    """So many rows of all replays have room in what goes to a GPU with each update."""
    count = of.training.seeds * of.training.environments
    steps = of.agent.updates_per_step * of.training.environments
    rounds = math.ceil(1 / min(1.0, steps))
    # A draw brings at least the heads.
    return max(count, min(count * (rounds + 2), MOST_ROW_BYTES // row_bytes))


def changes_with_rows(of: Configuration, rows: int) -> int:
    """So many slots may be free to be drawn, or not, since these rows were written."""
    return 2 * rows + of.training.seeds * of.environment.frame_stack


def under_way_bytes(configuration: Configuration, card: EnvironmentCard) -> int:
    """What goes to a GPU and comes back, of all captured updates that are under way.

    The noise of noisy layers is not in it: some kilobytes for each of each seed.
    """
    if not _is_captured(configuration):
        return 0
    row = _device_row_bytes(configuration, card)
    rows, batch = rows_with_a_draw(configuration, row), configuration.agent.batch_size
    drawn = configuration.training.seeds * batch
    sent = rows * (_SLOT_NUMBER + row) + drawn * _SLOT_NUMBER + _NUMBERS
    if configuration.replay.kind == "prioritized":
        sent += changes_with_rows(configuration, rows) * _CHANGE
    heads = configuration.exploration
    judged = batch * (heads.members if heads.kind == "bootstrapped" else 1)
    told = 4 * judged * (1 + card.actions)  # an error, and the values; of one seed
    return UPDATES_UNDER_WAY * (sent + told)


def _is_captured(configuration: Configuration) -> bool:
    wanted = configuration.training.compile != "never"
    return wanted and not why_not_captured(configuration)


def _device_row_bytes(configuration: Configuration, card: EnvironmentCard) -> int:
    return _frame_bytes(configuration, card) + _ROW + _extra_bytes(configuration)


def replay_bytes(configuration: Configuration, card: EnvironmentCard) -> int:
    """All of the full replays of all seeds: each frame is stored once, unstacked."""
    if configuration.replay.kind == "none":
        return 0
    slot: float = _frame_bytes(configuration, card) + _SLOT + _PRIORITY
    slot += _extra_bytes(configuration)
    if configuration.replay.kind == "prioritized":
        slot += _TREE
        slot += 2 * _PRIORITY if configuration.replay.priority == "rank" else 0
    return round(configuration.training.seeds * configuration.replay.capacity * slot)


def _frame_bytes(configuration: Configuration, card: EnvironmentCard) -> int:
    """One observation without its stack."""
    values = math.prod(card.shape) // max(1, configuration.environment.frame_stack)
    return values * (1 if card.dtype == "uint8" else 4)


def _extra_bytes(of: Configuration) -> int:
    """What some methods keep with each step."""
    extra = 4 if of.agent.n_step_correction == "retrace" else 0
    if of.exploration.kind == "bootstrapped":
        extra += of.exploration.members
    # An LSTM remembers two vectors, a GRU one.
    vectors = {"none": 0, "gru": 1, "lstm": 2}[of.network.recurrent]
    return extra + 4 * vectors * of.network.recurrent_units


def disk_bytes(
    configuration: Configuration, card: EnvironmentCard, probe: Probe
) -> dict[str, float]:
    """The most that the session file will take, by its parts; 0 for what is not kept.

    ``films`` are pictures of evaluation and, with ``everything``, training episodes.
    While a run is under way its live store takes about as much once more.
    """
    recording = configuration.recording
    steps = configuration.training.steps
    keeps = recording.level != "scalars"
    own_steps = 0 if configuration.training.offline or not keeps else steps
    looked_at = _evaluations(configuration) * probe.episode_steps if keeps else 0.0
    filmed = own_steps if recording.level == "everything" else 0
    return {
        "curves": min(_CURVES * steps, _MOST_CURVES),
        "checkpoints": _checkpoint_bytes(configuration, probe),
        "episodes": (own_steps + looked_at) * recorded_step_bytes(configuration, card),
        "films": filmed * probe.frame_bytes + looked_at * probe.film_bytes,
        "replay": _stored_replay(configuration, card),
    }


def _evaluations(of: Configuration) -> int:
    period = of.evaluation.period
    return of.training.steps // period + 1 if period else 0


def recorded_step_bytes(configuration: Configuration, card: EnvironmentCard) -> int:
    """One step of a recorded episode without its picture."""
    seen = _frame_bytes(configuration, card)
    kept = seen if seen <= LARGEST_OBSERVATION else 0
    return _STEP + 4 * card.actions + kept


def _checkpoint_bytes(of: Configuration, probe: Probe) -> float:
    """Networks and moments of the optimizers of all seeds, as often as are kept."""
    networks = 1 if of.target_network.kind == "none" else 2
    moments = {"adam": 2, "rmsprop": 1, "sgd": 0}.get(of.agent.optimizer, 2)
    one = of.training.seeds * probe.weights_bytes * (networks + moments)
    kept = min(_checkpoint_count(of), of.recording.checkpoints)
    return min(one * kept, max(of.recording.checkpoint_budget * 1e6, 5 * one))


def _checkpoint_count(of: Configuration) -> int:
    """Made at the steps of both periods, at the beginning and the end."""
    steps, made = of.training.steps, {of.recording.checkpoint_period}
    if of.evaluation.period:
        made.add(of.evaluation.period)
    own, *others = sorted(made, reverse=True)
    count = steps // own
    for other in others:
        count += steps // other - steps // math.lcm(own, other)
    return count + 2


def _stored_replay(configuration: Configuration, card: EnvironmentCard) -> float:
    used = min(1.0, configuration.training.steps / configuration.replay.capacity)
    size = used * replay_bytes(configuration, card)
    wish = configuration.recording.exact_resume
    kept = wish == "yes" or (wish == "auto" and size < EXACT_LIMIT_BYTES)
    return size if kept else 0.0


def added_seconds(configuration: Configuration, probe: Probe) -> float:
    """Time that pictures of training episodes cost a whole run.

    Those of evaluations are drawn beside it, when there is nothing else to do.
    """
    filmed = configuration.recording.level == "everything"
    filmed = filmed and not configuration.training.offline
    return configuration.training.steps * probe.frame_s if filmed else 0.0


def size_text(count: float) -> str:
    """A number of bytes in words."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
