"""Storage against a plain reference memory that keeps whole episodes in lists."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.replay.kernels import NO_ACTION
from engine.replay.streams import IncompleteReplay, Streams

GAMMA = 0.9


class Reference:
    """Every transition that was ever made, with its episode, in plain lists."""

    def __init__(self, streams):
        self.episodes = [[] for _ in range(streams)]

    def begin(self, stream, observation):
        self.episodes[stream].append({"observations": [observation], "steps": []})

    def append(self, stream, step, observation):
        self.episodes[stream][-1]["steps"].append(step)
        self.episodes[stream][-1]["observations"].append(observation)

    def window(self, stream, episode, t, n):
        """Return, discount and bootstrap observation index, by definition."""
        steps = self.episodes[stream][episode]["steps"]
        total, factor = 0.0, 1.0
        for k in range(t, min(t + n, len(steps))):
            _, reward, terminated, _ = steps[k]
            total += factor * reward
            factor *= 0.0 if terminated else GAMMA
        return total, factor, min(t + n, len(steps))

    def stack(self, stream, episode, t, frames):
        observations = self.episodes[stream][episode]["observations"]
        return np.concatenate(
            [observations[max(0, t - ago)] for ago in range(frames - 1, -1, -1)]
        )


class Script:
    """Random episodes in several streams, written to both memories.

    Observations are (stream, episode, t), so each says where it belongs.
    """

    def __init__(self, streams, capacity, stack, seed, draining=False):
        self.rng = np.random.default_rng(seed)
        self.streams = Streams(capacity, streams, (3,), "float32", frame_stack=stack)
        self.reference = Reference(streams)
        self.at = [(-1, 0)] * streams
        self.logs = []
        self.draining = draining
        for stream in range(streams):
            self._begin(stream)

    def _observation(self, stream):
        return np.array([stream, *self.at[stream]], np.float32)

    def _begin(self, stream):
        self.at[stream] = (self.at[stream][0] + 1, 0)
        self.streams.begin(stream, self._observation(stream))
        self.reference.begin(stream, self._observation(stream))

    def step(self, stream, end):
        terminated, truncated = end == "terminated", end == "truncated"
        action, reward = int(self.rng.integers(5)), float(self.rng.integers(-9, 9))
        episode, t = self.at[stream]
        self.at[stream] = (episode, t + 1)
        self.streams.append(
            stream, action, reward, terminated, truncated, self._observation(stream)
        )
        step = (action, reward, terminated, truncated)
        self.reference.append(stream, step, self._observation(stream))
        if terminated or truncated:
            self._begin(stream)
        if self.draining and self.rng.random() < 0.1:
            self.logs.append(self.streams.drain_log())

    def play(self, steps, p_end=0.15):
        for _ in range(steps):
            end = self.rng.choice(["", "terminated", "truncated"], p=_ends(p_end))
            self.step(int(self.rng.integers(self.streams.count)), end)


def _ends(p):
    return [1 - p, p / 2, p / 2]


def check_everything(script, n, frames):
    """Each sampleable slot is compared with the reference."""
    streams, reference = script.streams, script.reference
    slots = np.flatnonzero(streams.sampleable)
    assert len(streams) == len(slots)
    reward, discount, following = streams.windows(slots, n, GAMMA)
    seen, after = streams.observations(slots), streams.observations(following)
    for i, slot in enumerate(slots):
        stream, episode, t = (int(it) for it in streams.observation[slot])
        total, factor, end = reference.window(stream, episode, t, n)
        action, _, terminated, truncated = reference.episodes[stream][episode]["steps"][
            t
        ]
        assert streams.action[slot] == action
        assert streams.terminated[slot] == terminated
        assert streams.truncated[slot] == truncated
        assert streams.elapsed[slot] == t
        assert reward[i] == pytest.approx(total, rel=1e-6, abs=1e-6)
        assert discount[i] == pytest.approx(factor, rel=1e-6)
        assert np.array_equal(seen[i], reference.stack(stream, episode, t, frames))
        assert np.array_equal(after[i], reference.stack(stream, episode, end, frames))
    return slots


@settings(max_examples=60)
@given(
    streams=st.integers(1, 3),
    length=st.integers(12, 40),
    stack=st.integers(1, 4),
    n=st.integers(1, 6),
    steps=st.integers(0, 200),
    p_end=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 1000),
)
def test_windows_and_stacks_are_those_of_the_reference(
    streams, length, stack, n, steps, p_end, seed
):
    script = Script(streams, streams * length, stack, seed)
    script.play(steps, p_end)
    check_everything(script, n, stack)


@settings(max_examples=40)
@given(
    streams=st.integers(1, 3),
    stack=st.integers(1, 3),
    steps=st.integers(1, 150),
    seed=st.integers(0, 1000),
)
def test_the_log_rebuilds_the_memory_to_the_bit(streams, stack, steps, seed):
    script = Script(streams, streams * 20, stack, seed, draining=True)
    script.play(steps)
    script.logs.append(script.streams.drain_log())
    log = {k: np.concatenate([it[k] for it in script.logs]) for k in script.logs[0]}
    state = script.streams.state()
    other = Streams(streams * 20, streams, (3,), "float32", frame_stack=stack)
    other.observation.fill(77)
    other.restore(state, log)
    assert_equal_memories(script.streams, other)
    script.streams = other
    script.play(60)
    check_everything(script, 3, stack)


def assert_equal_memories(one, other):
    assert np.array_equal(one.sampleable, other.sampleable)
    assert len(one) == len(other)
    slots = np.flatnonzero(one.sampleable)
    for frames in (1, 3):
        for a, b in zip(
            one.windows(slots, frames, GAMMA),
            other.windows(slots, frames, GAMMA),
            strict=True,
        ):
            assert np.array_equal(a, b)
    assert np.array_equal(one.observations(slots), other.observations(slots))
    ends = one.successors(slots)
    assert np.array_equal(one.observations(ends), other.observations(ends))
    assert [one.head(it) for it in range(one.count)] == [
        other.head(it) for it in range(other.count)
    ]


def memory(ends, rewards=None, capacity=50, **options):
    """One stream with one step for each entry: '', 'terminated' or 'truncated'."""
    streams = Streams(capacity, 1, (1,), "float32", **options)
    streams.begin(0, np.array([0.0], np.float32))
    for i, end in enumerate(ends):
        reward = 1.0 if rewards is None else rewards[i]
        next_observation = np.array([i + 1.0], np.float32)
        streams.append(
            0, 0, reward, end == "terminated", end == "truncated", next_observation
        )
        if end:
            streams.begin(0, np.array([100.0 + i], np.float32))
    return streams


def test_truncation_bootstraps_with_the_rewards_really_summed():
    streams = memory(["", "", "truncated"], rewards=[1.0, 10.0, 100.0])
    reward, discount, following = streams.windows(np.arange(3), 5, 0.5)
    assert reward.tolist() == [31.0, 60.0, 100.0]
    assert discount.tolist() == [0.125, 0.25, 0.5]
    assert streams.observation[following, 0].tolist() == [3.0] * 3


def test_termination_does_not_bootstrap():
    streams = memory(["", "", "terminated"], rewards=[1.0, 10.0, 100.0])
    reward, discount, _ = streams.windows(np.arange(3), 5, 0.5)
    assert reward.tolist() == [31.0, 60.0, 100.0]
    assert discount.tolist() == [0.0, 0.0, 0.0]
    assert streams.windows(np.arange(3), 1, 0.5)[1].tolist() == [0.5, 0.5, 0.0]


def test_a_window_ends_at_the_write_head():
    streams = memory(["", "", ""], rewards=[1.0, 10.0, 100.0])
    reward, discount, following = streams.windows(np.arange(3), 2, 0.5)
    assert reward.tolist() == [6.0, 60.0, 100.0]
    assert discount.tolist() == [0.25, 0.25, 0.5]
    assert streams.observation[following, 0].tolist() == [2.0, 3.0, 3.0]


def test_one_step_windows_of_the_fast_way_are_those_of_the_general_one():
    streams = memory(["", "terminated", "", "truncated", ""] * 5, capacity=23)
    slots = np.flatnonzero(streams.sampleable)
    fast = streams.windows(slots, 1, 0.9)
    general = streams.windows(slots, 2, 0.9)
    ends = streams.action[streams.successors(slots)] == NO_ACTION
    for a, b in zip(fast, general, strict=True):
        assert np.array_equal(a[ends], b[ends])


def test_the_last_observation_of_an_episode_is_never_sampled():
    streams = memory(["", "truncated", ""])
    assert streams.observation[streams.sampleable, 0].tolist() == [0.0, 1.0, 101.0]


def test_the_oldest_go_first_and_one_by_one():
    streams = memory([""] * 30, capacity=10)
    assert len(streams) == 9
    kept = sorted(streams.observation[streams.sampleable, 0].tolist())
    assert kept == [float(it) for it in range(21, 30)]


def test_slots_that_lost_frames_of_their_stack_are_not_sampled():
    streams = memory([""] * 30, capacity=10, frame_stack=3)
    slots = np.flatnonzero(streams.sampleable)
    stacks = streams.observations(slots)
    assert len(slots) == 7
    assert (np.diff(stacks, axis=1) == 1).all()


def test_pieces_of_episodes_do_not_reach_back_to_stacks_that_lost_frames():
    """The newest episode overwrote what the oldest kept steps saw."""
    streams = memory([""] * 33, capacity=20, frame_stack=3)
    slots = np.flatnonzero(streams.sampleable)
    first = streams.observations(slots)[:, -1].min()
    for slot in slots:
        reach = int(streams.reach(np.array([slot]))[0])
        assert streams.observations(np.array([slot]))[0, -1] - reach == first
    assert (streams.reach(np.arange(20)) >= 0).all()


def test_image_stacks_are_joined_along_the_channels():
    streams = Streams(50, 1, (2, 2, 3), "uint8", frame_stack=2)
    first, second = np.full((2, 2, 3), 7, np.uint8), np.full((2, 2, 3), 9, np.uint8)
    streams.begin(0, first)
    streams.append(0, 0, 0.0, False, False, second)
    (stack,) = streams.observations(np.array([1]))
    assert stack.dtype == np.uint8
    assert stack.shape == (2, 2, 6)
    assert stack[0, 0].tolist() == [7, 7, 7, 9, 9, 9]


def test_images_are_stored_once_in_their_own_type():
    streams = Streams(1000, 1, (84, 84, 1), "uint8", frame_stack=4)
    columns = [getattr(streams, name) for name in vars(streams)]
    total = sum(it.nbytes for it in columns if isinstance(it, np.ndarray))
    assert total <= 1.1 * 1000 * 84 * 84


def test_a_step_without_an_episode_is_refused():
    streams = Streams(50, 2, (1,), "float32")
    streams.begin(0, np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="stream 1 has no episode: call begin"):
        streams.append(1, 0, 0.0, False, False, np.zeros(1, np.float32))


def test_beginning_anew_cuts_a_running_episode_off():
    streams = memory(["", ""], rewards=[1.0, 10.0])
    streams.begin(0, np.array([50.0], np.float32))
    reward, discount, following = streams.windows(np.arange(2), 5, 0.5)
    assert reward.tolist() == [6.0, 10.0]
    assert discount.tolist() == [0.25, 0.5]
    assert streams.observation[following, 0].tolist() == [2.0, 2.0]


def test_the_log_has_one_row_per_slot_in_order_and_only_new_ones():
    streams = memory(["", "terminated", ""])
    first = streams.drain_log()
    assert first["slot"].tolist() == [0, 1, 2, 3]
    assert first["action"].tolist() == [0, 0, NO_ACTION, 0]
    assert first["observation"][:, 0].tolist() == [0.0, 1.0, 2.0, 101.0]
    assert len(streams.drain_log()["slot"]) == 0


def test_a_log_that_lacks_rows_is_refused():
    streams = memory([""] * 8)
    log = {name: column[1:] for name, column in streams.drain_log().items()}
    with pytest.raises(IncompleteReplay, match="lacks 1 of its slots"):
        Streams(50, 1, (1,), "float32").restore(streams.state(), log)


def test_a_log_of_another_capacity_is_refused():
    streams = memory([""] * 8)
    with pytest.raises(IncompleteReplay, match="another capacity"):
        Streams(5, 1, (1,), "float32").restore(streams.state(), streams.drain_log())


def test_without_a_log_the_memory_is_empty_and_the_episodes_go_on():
    streams = memory([""] * 8, frame_stack=3)
    other = Streams(50, 1, (1,), "float32", frame_stack=3)
    other.restore(streams.state(), {})
    assert len(other) == 0
    other.append(0, 0, 5.0, True, False, np.array([9.0], np.float32))
    (slot,) = np.flatnonzero(other.sampleable)
    assert other.observations(np.array([slot])).tolist() == [[8.0, 8.0, 8.0]]
    assert other.windows(np.array([slot]), 1, 0.9)[0].tolist() == [5.0]


def test_ages_count_slots_up_to_the_head():
    streams = memory([""] * 13, capacity=10)
    slots = np.flatnonzero(streams.sampleable)
    newest = streams.observation[slots, 0].max()
    expected = newest - streams.observation[slots, 0] + 1
    assert streams.ages(slots).tolist() == expected.tolist()
