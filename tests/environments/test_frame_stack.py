"""Stacks of observations."""

import numpy as np

from engine.environments import FrameStacker, stacked_shape


def frame(value):
    return np.full((2, 2, 3), value, np.uint8)


def newest_last(stack):
    return stack[0, 0, ::3].tolist()


def test_an_episode_starts_as_if_nothing_had_moved():
    stack = FrameStacker(3).reset(frame(1))
    assert stack.shape == stacked_shape((2, 2, 3), 3) == (2, 2, 9)
    assert newest_last(stack) == [1, 1, 1]


def test_the_newest_frame_comes_last_and_the_oldest_goes():
    stacker = FrameStacker(3)
    stacker.reset(frame(1))
    stacks = [newest_last(stacker.push(frame(value))) for value in (2, 3, 4)]
    assert stacks == [[1, 1, 2], [1, 2, 3], [2, 3, 4]]


def test_a_reset_forgets():
    stacker = FrameStacker(2)
    stacker.reset(frame(1))
    stacker.push(frame(2))
    assert newest_last(stacker.reset(frame(7))) == [7, 7]


def test_one_frame_is_passed_through():
    stacker = FrameStacker(1)
    only = np.arange(4, dtype=np.float32)
    assert stacker.reset(only) is only
