"""A composed picture shows the frame, the title, the bars and the graph."""

import numpy as np
import pytest

from engine.media import MediaProblem, Panels, Scene, compose
from engine.media.compose import COLUMN_WIDTH, TITLE_HEIGHT
from engine.media.themes import THEMES, printable

FRAME = np.full((400, 600, 3), (10, 20, 30), np.uint8)


def scene(**changes) -> Scene:
    values = {
        "title": "CartPole",
        "caption": "episode 41 · t 3",
        "q": np.array([1.0, 2.0], np.float32),
        "q_range": (0.0, 2.0),
        "action": 1,
        "reason": "greedy",
        "action_names": ("left", "right"),
        "values": np.array([0.0, 1.0, 2.0, 3.0, 4.0]),
        "t": 3,
    }
    return Scene(**{**values, **changes})


def count(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((picture == np.array(colour, np.uint8)).all(axis=2).sum())


def test_without_panels_the_frame_is_untouched():
    nothing = Panels(title=False, q=False, value=False)
    np.testing.assert_array_equal(compose(FRAME, scene(), nothing), FRAME)


def test_the_frame_is_inside_pixel_for_pixel():
    picture = compose(FRAME, scene())
    assert picture.shape == (400 + TITLE_HEIGHT, 600 + COLUMN_WIDTH, 3)
    np.testing.assert_array_equal(picture[TITLE_HEIGHT:, :600], FRAME)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_bar_lengths_are_in_the_ratio_of_the_values(theme):
    only_q = Panels(title=False, q=True, value=False)
    picture = compose(FRAME, scene(), only_q, theme)[:, 600:]
    colours = THEMES[theme]
    taken = (picture == colours.taken).all(axis=2).sum(axis=1).max()
    other = (picture == colours.value).all(axis=2).sum(axis=1).max()
    assert taken / other == pytest.approx(2.0, abs=0.06)


def test_the_action_taken_is_filled_and_the_other_only_outlined():
    only_q = Panels(title=False, q=True, value=False)
    picture = compose(FRAME, scene(q=np.array([2.0, 2.0], np.float32)), only_q)
    assert count(picture, THEMES["light"].taken) > 3 * count(
        picture, THEMES["light"].value
    )


def test_negative_values_go_to_the_left_of_zero():
    only_q = Panels(title=False, q=True, value=False)
    q = np.array([-1.0, 1.0], np.float32)
    picture = compose(FRAME, scene(q=q, q_range=(-1.0, 1.0)), only_q)
    value = np.argwhere((picture == THEMES["light"].value).all(axis=2))
    taken = np.argwhere((picture == THEMES["light"].taken).all(axis=2))
    bar = value[value[:, 1] < 720]
    assert bar[:, 1].min() < taken[taken[:, 1] < 800][:, 1].min()


def test_the_marker_of_the_graph_moves_with_the_step():
    only_value = Panels(title=False, q=False, value=True)
    centres = []
    for t in (0, 2, 4):
        picture = compose(FRAME, scene(t=t), only_value)
        dots = np.argwhere((picture == THEMES["light"].taken).all(axis=2))
        centres.append(dots.mean(axis=0))
    assert centres[0][1] < centres[1][1] < centres[2][1]
    assert centres[0][0] > centres[1][0] > centres[2][0]


def test_all_pictures_of_a_film_have_one_size():
    shapes = {
        compose(FRAME, it).shape
        for it in (scene(), scene(q=np.zeros(0, np.float32)), scene(values=np.zeros(0)))
    }
    assert len(shapes) == 1


def test_small_frames_grow_by_a_whole_number():
    frame = np.random.default_rng(0).integers(0, 255, (64, 48, 3), dtype=np.uint8)
    picture = compose(frame, scene())
    inside = picture[TITLE_HEIGHT:, : 5 * 48]
    np.testing.assert_array_equal(inside[::5, ::5], frame)


def test_many_actions_and_values_that_are_no_numbers_are_drawn():
    q = np.linspace(-1, 1, 60).astype(np.float32)
    q[3] = np.nan
    picture = compose(FRAME, scene(q=q, action=59, values=np.full(5, np.nan)))
    assert picture.shape == (440, 900, 3)


def test_unknown_panels_are_refused():
    assert Panels.of("title, q") == Panels(title=True, q=True, value=False)
    with pytest.raises(ValueError, match="no panel 'saliency'"):
        Panels.of("saliency")


def test_a_frame_that_is_no_picture_is_refused():
    with pytest.raises(MediaProblem):
        compose(np.zeros((4, 4, 3)), scene())


def test_signs_that_the_type_lacks_are_spelled():
    assert printable("ε 0.1 → 1") == "epsilon 0.1 -> 1"
