"""What is known of an episode, derived without a window."""

import numpy as np
import pytest
from pictures import judged

from rllab_gui.views.episode_model import (
    Moment,
    action_phrase,
    action_word,
    episode_from,
    preference,
)

KEY = ("u1", -1, "training", 4)


def episode(steps=50, **changes):
    return episode_from(KEY, judged(steps, **changes))


def test_importance_and_gap_are_differences_of_q():
    shown = episode(2, actions=3, q=np.array([[1, 5, 3], [2, 2, 2], [9, 0, 8.0]]))
    np.testing.assert_array_equal(shown.importance, [4, 0, 9])
    np.testing.assert_array_equal(shown.gaps, [2, 0, 1])


def test_an_action_says_what_chose_it_where_that_is_known():
    explored = np.array([True, False])
    assert [episode(2, explored=explored).why(t) for t in (0, 1)] == [
        "explored",
        "greedy",
    ]
    imported = episode(2, explored=explored, explored_known=False)
    assert imported.why(1) == "as recorded"


def test_a_lost_life_is_marked_whatever_else_the_step_was():
    lost, explored = np.zeros(50, bool), np.ones(50, bool)
    lost[[3, 49]] = True
    shown = episode(50, life_lost=lost, explored=explored, terminated=True)
    assert shown.marks[3] == "†"
    assert shown.marks[49] == "X"
    assert "a life was lost" in shown.mark_words(3)


def test_rewards_are_summed_before_each_observation():
    shown = episode(3, rewards=np.array([1.0, -2.0, 5.0]))
    np.testing.assert_array_equal(shown.reward_sum, [0, 1, -1, 4])
    assert Moment(shown, 2, None).reward_sum == -1


def test_the_marks_are_the_computed_set():
    td = np.zeros(100)
    td[10], td[11] = 5.0, 4.0  # the highest two percent
    td[20], td[21] = -5.0, -4.0
    q = np.tile([0.0, 1.0], (101, 1))
    q[30:35, 1] = 10.0  # five of a hundred: critical
    q[40:43, 1] = 0.01  # near ties
    explored = np.zeros(100, bool)
    explored[50] = True
    shown = episode(
        100,
        td_error=td,
        q=q,
        value=q.max(axis=1),
        explored=explored,
        truncations=np.zeros(100, bool),
        terminations=np.arange(100) == 99,
    )
    marks = {t: mark for t, mark in enumerate(shown.marks) if mark not in ("", "=")}
    assert marks == {
        10: "^", 11: "^", 20: "??", 21: "??",
        30: "!", 31: "!", 32: "!", 33: "!", 34: "!",
        50: "?", 99: "X",
    }  # fmt: skip
    assert all(shown.marks[t] == "=" for t in range(40, 43))


def test_truncated_is_not_terminated():
    assert episode(5).ended == "truncated"
    ends = np.arange(5) == 4
    assert episode(5, terminations=ends).ended == "terminated"
    assert episode(5, truncations=np.zeros(5, bool)).ended == ""


def test_what_the_stage_leaves_out_is_derived_or_not_a_number():
    answer = {"actions": [0, 1], "rewards": [1.0, 1.0], "q": [[1, 2], [3, 1], [0, 0]]}
    shown = episode_from(KEY, answer)
    np.testing.assert_array_equal(shown.value, [2, 3, 0])
    np.testing.assert_array_equal(shown.advantage, [[-1, 0], [0, -2], [0, 0]])
    assert not shown.dueling
    assert np.isnan(shown.td_error).all()
    assert shown.observations is None


def test_an_episode_without_a_network_has_no_q():
    shown = episode_from(KEY, {"actions": [0, 1], "rewards": [1.0, 1.0]})
    assert shown.q.shape == (3, 0)
    assert np.isnan(shown.importance).all()
    assert shown.marks == ["", ""]


def test_images_are_not_a_line_of_numbers():
    frames = np.zeros((51, 8, 8, 1), np.uint8)
    assert episode(50, observations=frames).observations is None


@pytest.mark.parametrize(
    ("action", "why", "sentence"),
    [
        (1, "greedy", "right looks best: Q = 64.0, 3.00 ahead; taken (greedy)."),
        (
            0,
            "explored",
            "right looks best: Q = 64.0, 3.00 ahead; taken was left (explored).",
        ),
        (-1, "", "right looks best: Q = 64.0, 3.00 ahead."),
    ],
)
def test_the_sentence_on_preference(action, why, sentence):
    q = np.array([61.0, 64.0])
    assert preference(q, ("left", "right"), action, why) == sentence


def test_odd_numbers_of_actions_have_sentences_too():
    assert preference(np.empty(0), (), -1) == "There are no Q-values here."
    assert preference(np.array([2.0]), ("go",)) == "Only go is possible: Q = 2.00."
    assert action_word((), 3) == "action 3"
    assert action_phrase((), 3) == "action 3"
    assert action_phrase(("left",), 0) == "action left"
    assert action_word(("left",), -1) == "none"
