"""What a run takes, held against what its parts really take."""

from dataclasses import replace

import numpy as np
import pytest
from cards import IMAGE, VECTOR

from engine.agents import build_agent
from engine.contract.costs import (
    Probe,
    added_seconds,
    disk_bytes,
    replay_bytes,
    size_text,
)
from engine.contract.options import configuration_from_flat

SLOTS = 20_000


def configured(**options):
    flat = {name.replace("__", "."): value for name, value in options.items()}
    return configuration_from_flat(flat)


def array_bytes(of, seen=None):
    """Bytes of all arrays of this many elements or more below an object."""
    seen = set() if seen is None else seen
    if id(of) in seen:
        return 0
    seen.add(id(of))
    if isinstance(of, np.ndarray):
        return of.nbytes if len(of) >= SLOTS else 0
    if isinstance(of, dict):
        return sum(array_bytes(it, seen) for it in of.values())
    if hasattr(of, "__dict__") and type(of).__module__.startswith("engine."):
        return sum(array_bytes(it, seen) for it in vars(of).values())
    return 0


@pytest.mark.parametrize(
    ("card", "options"),
    [
        (VECTOR, {"replay__kind": "uniform"}),
        (VECTOR, {"replay__kind": "prioritized"}),
        (VECTOR, {"agent__n_step_correction": "retrace", "agent__n_step": 3}),
        (VECTOR, {"exploration__kind": "bootstrapped", "exploration__members": 8}),
        (VECTOR, {"network__recurrent": "lstm", "replay__kind": "sequence"}),
        (VECTOR, {"network__recurrent": "gru", "replay__kind": "sequence"}),
        (IMAGE, {"environment__frame_stack": 2, "network__torso": "conv"}),
    ],
)
def test_the_replay_takes_what_was_told(card, options):
    configuration = configured(replay__capacity=SLOTS, **options)
    agent = build_agent(configuration, card, device="cpu", seed=0)
    real = array_bytes(agent.memory)
    assert real == pytest.approx(replay_bytes(configuration, card), rel=0.1)


def test_ranks_are_counted_before_they_are_sorted():
    proportional = configured(replay__kind="prioritized", replay__capacity=SLOTS)
    ranked = proportional.with_options({"replay.priority": "rank"})
    more = replay_bytes(ranked, VECTOR) - replay_bytes(proportional, VECTOR)
    assert more == 16 * SLOTS


def test_each_of_several_seeds_has_memory_and_checkpoints_of_its_own():
    one = configured(replay__capacity=SLOTS)
    four = one.with_options({"training.seeds": 4})
    assert replay_bytes(four, VECTOR) == 4 * replay_bytes(one, VECTOR)
    sizes = [disk_bytes(it, VECTOR, PROBE)["checkpoints"] for it in (one, four)]
    assert sizes[1] == 4 * sizes[0]


def test_without_replay_no_memory_is_told():
    assert replay_bytes(configured(replay__kind="none"), VECTOR) == 0


PROBE = Probe(
    weights_bytes=1000,
    frame_bytes=500.0,
    film_bytes=100.0,
    frame_s=0.001,
    episode_steps=50.0,
)
RUN = {
    "training__steps": 10_000,
    "evaluation__period": 2_000,
    "recording__checkpoint_period": 5_000,
}


def test_parts_on_the_disk_by_hand():
    parts = disk_bytes(configured(**RUN), VECTOR, PROBE)
    # Six evaluations, counting the one at the end, of 50 steps each.
    step = 8 + 8 + 3 + 4 + 2 * 4 + 4 * 4
    assert parts["episodes"] == (10_000 + 6 * 50) * step
    assert parts["films"] == 6 * 50 * 100
    # At 2, 4, 5, 6, 8 and 10 thousand steps, at the beginning, and at the end.
    assert parts["checkpoints"] == 8 * 4 * 1000
    assert parts["curves"] == 60_000


def test_pictures_of_training_cost_time_and_room():
    everything = configured(**RUN, recording__level="everything")
    assert added_seconds(everything, PROBE) == pytest.approx(10.0)
    films = disk_bytes(everything, VECTOR, PROBE)["films"]
    assert films == 10_000 * 500 + 6 * 50 * 100
    assert added_seconds(configured(**RUN), PROBE) == 0


def test_with_scalars_nothing_of_episodes_is_kept():
    parts = disk_bytes(configured(**RUN, recording__level="scalars"), VECTOR, PROBE)
    assert parts["episodes"] == parts["films"] == 0
    assert parts["checkpoints"] > 0


def test_offline_no_episode_is_recorded():
    parts = disk_bytes(configured(**RUN, training__offline="x.h5"), VECTOR, PROBE)
    assert parts["films"] == 6 * 50 * 100
    assert parts["episodes"] == 6 * 50 * 47


def test_checkpoints_stay_within_their_room():
    large = Probe(weights_bytes=2_000_000)
    roomy = configured(**RUN)
    narrow = roomy.with_options({"recording.checkpoint_budget": 50})
    assert disk_bytes(roomy, VECTOR, large)["checkpoints"] == 64_000_000
    assert disk_bytes(narrow, VECTOR, large)["checkpoints"] == 50_000_000
    few = roomy.with_options({"recording.checkpoints": 3})
    assert disk_bytes(few, VECTOR, large)["checkpoints"] == 24_000_000


@pytest.mark.parametrize(
    ("wish", "steps", "kept"),
    [
        ("auto", 10_000, True),
        ("no", 10_000, False),
        ("auto", 50_000_000, False),
        ("yes", 50_000_000, True),
    ],
)
def test_the_replay_is_counted_where_it_is_kept(wish, steps, kept):
    options = {"recording__exact_resume": wish, "replay__capacity": 10_000_000}
    card = replace(VECTOR, shape=(16,))
    of = configured(**RUN | {"training__steps": steps}, **options)
    assert (disk_bytes(of, card, PROBE)["replay"] > 0) == kept


@pytest.mark.parametrize(
    ("count", "text"),
    [(12, "12 bytes"), (1_500, "1.5 kB"), (2e6, "2 MB"), (7.06e9, "7.06 GB")],
)
def test_sizes_in_words(count, text):
    assert size_text(count) == text
