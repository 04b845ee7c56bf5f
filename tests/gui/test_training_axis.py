"""The training axis: checkpoints on a slider, clicks on curves, judged anew."""

import numpy as np
import pytest
import script
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from engine.contract.messages import Cancel
from rllab_gui.cursor import Cursor
from rllab_gui.episode import ShownEpisode
from rllab_gui.frame.checkpoint_slider import CheckpointSlider
from rllab_gui.link import Link
from rllab_gui.playback import Playback
from rllab_gui.pulse import Pulse
from rllab_gui.store import Store
from rllab_gui.training_axis import TrainingAxis

LEFT = Qt.MouseButton.LeftButton
KEPT = {"step": np.array([0, 2000, 4000, 9000]), "best": np.array([0, 0, 1, 0], bool)}


class Parts:
    """The models with a clock that stands still."""

    def __init__(self, client):
        self.client, self.now = client, 0.0
        client.answers["checkpoints"] = lambda _: dict(KEPT)
        client.answers["episodes"] = lambda _: {
            "kind": ["training"] * 3 + ["evaluation"],
            "episode": np.array([1, 2, 3, 0]),
            "step0": np.array([10, 3900, 8000, 4000]),
            "recorded": np.ones(4, bool),
        }
        self.link, self.cursor = Link(client), Cursor()
        self.store, pulse = Store(self.link), Pulse(self.link)
        episode = ShownEpisode(self.link, self.cursor, pulse)
        self.playback = Playback(self.link, self.store, self.cursor, episode)
        self.axis = TrainingAxis(
            self.link, self.store, self.cursor, self.playback, clock=lambda: self.now
        )

    def open(self, **more):
        self.client.play(script.session(script.Configuration(), **more))
        while self.link.poll():
            pass


@pytest.fixture
def parts(qapp, client):
    parts = Parts(client)
    parts.open()
    return parts


def test_the_kept_checkpoints_are_known_and_the_best_of_them(parts):
    assert (parts.axis.steps, parts.axis.best) == ((0, 2000, 4000, 9000), 4000)
    assert [parts.axis.nearest(it) for it in (-5, 2900, 10**6)] == [0, 2000, 9000]


def test_a_moment_of_training_is_the_nearest_episode_and_checkpoint_at_once(parts):
    changes = []
    parts.cursor.changed.connect(changes.append)
    parts.axis.go_to(3500)
    position = parts.cursor.position
    assert (position.kind, position.episode, position.checkpoint) == (
        "training", 2, 4000,
    )  # fmt: skip
    assert len(changes) == 1
    assert (parts.axis.step, parts.cursor.mode) == (4000, "paused")
    parts.cursor.show_checkpoint(-1)
    assert parts.axis.step == 3900


def table(kind, *episodes):
    """Rows of number, first step and length."""
    numbers, steps, lengths = np.array(episodes).T
    return {
        "kind": [kind] * len(episodes),
        "episode": numbers,
        "step0": steps,
        "length": lengths,
        "recorded": np.ones(len(episodes), bool),
    }


def test_of_the_evaluations_of_one_checkpoint_the_last_is_the_newest(client, qapp):
    parts = Parts(client)
    rows = table("evaluation", (4, 900, 10), (5, 900, 10), (6, 900, 10))
    client.answers["episodes"] = lambda _: rows
    parts.open()
    assert parts.playback._newest == ("evaluation", 6)


def test_a_training_episode_is_known_by_the_step_at_its_end(client, qapp):
    parts = Parts(client)
    client.answers["episodes"] = lambda _: table("training", (1, 10, 40), (2, 50, 7))
    parts.open()
    assert parts.playback.step_of("training", 1) == 50
    assert parts.playback.step_of("training", 2) == 57


def test_a_run_that_went_back_is_asked_for_its_episodes_again(client, qapp):
    parts = Parts(client)
    client.answers["episodes"] = lambda _: table("training", (1, 10, 40), (2, 50, 7))
    parts.open()
    late = parts.playback._on_table
    client.answers["episodes"] = lambda _: table("training", (1, 10, 40))
    parts.open(durable_step=52, cuts=1)
    assert parts.playback.step_of("training", 2) is None
    late(("s", 0), table("training", (2, 50, 7)))  # an answer of before
    assert parts.playback.step_of("training", 2) is None


def test_keys_go_from_checkpoint_to_checkpoint_and_stop_at_the_ends(parts):
    seen = []
    for by in (1, 1, 1, 1, 1, -1, -1, -1, -1, -1):
        parts.axis.next(by)
        seen.append(parts.cursor.position.checkpoint)
    assert seen == [0, 2000, 4000, 9000, 9000, 4000, 2000, 0, -1, -1]


def test_new_checkpoints_never_move_what_was_chosen_nor_does_one_that_goes(parts):
    parts.cursor.show_checkpoint(2000)
    kept = {"step": np.array([0, 4000, 9000, 9500]), "best": np.array([0, 0, 0, 1])}
    parts.client.answers["checkpoints"] = lambda _: kept
    parts.open(durable_step=9600)
    assert len(parts.client.questions("checkpoints")) == 1  # not so soon again
    parts.now = 5.0
    parts.open(durable_step=9700)
    assert parts.cursor.position.checkpoint == 2000
    assert (parts.axis.steps, parts.axis.best) == ((0, 2000, 4000, 9000, 9500), 9500)
    parts.cursor.show_checkpoint(-1)
    assert parts.axis.steps == (0, 4000, 9000, 9500)


def test_another_session_has_its_own(parts):
    del parts.client.answers["checkpoints"]
    parts.open(uuid="u2")
    assert (parts.axis.steps, parts.axis.best) == ((), -1)


def test_the_slider_keeps_gaps_and_is_worked_by_mouse_and_keys(theme, qtbot):
    slider = CheckpointSlider(theme)
    qtbot.addWidget(slider)
    slider.resize(400, 24)
    slider.show_steps((), -1, -1)
    assert not slider.isEnabled()
    slider.show_steps((0, 1000, 9000), 1000, -1)
    places = [slider.place_of(it).x() for it in range(4)]
    assert places == sorted(places)
    assert places[3] - places[2] == pytest.approx(8 * (places[2] - places[1]))
    for value in (2, 3, 1, 0):
        QTest.mouseClick(
            slider, Qt.MouseButton.LeftButton, pos=slider.place_of(value).toPoint()
        )
        assert slider.value() == value
    for key, value in (
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_End, 3),
        (Qt.Key.Key_Left, 2),
    ):
        QTest.keyClick(slider, key)
        assert slider.value() == value
    assert "which evaluated best" in slider.words(2)
    slider.show_steps((0, 500, 1000, 9000), 9000, 1000)
    assert slider.step_of(slider.value()) == 1000


@pytest.fixture
def stepping(window, client, beat):
    """The window steps through an episode of 20 steps with three checkpoints."""
    client.answers["checkpoints"] = lambda _: {
        "step": np.array([0, 20, 60]),
        "best": np.array([False, True, False]),
    }

    def judged(arguments):
        answer = script.judged(20) | {"checkpoint_step": arguments["checkpoint_step"]}
        return answer | {"q": answer["q"] + max(arguments["checkpoint_step"], 0)}

    client.answers["judge_episode"] = judged
    client.play(
        script.session(script.Configuration(), live=False),
        *(script.episode(number) for number in (1, 2, 3)),
        script.scalars("return", [20, 40, 60], [1.0, 2.0, 3.0]),
        script.scalars("loss", [20, 40, 60], [1.0, 2.0, 3.0]),
    )
    beat()
    window.show_workspace("step")
    window.lab.cursor.show_episode("training", 2, t=7)
    for _ in range(4):
        beat()
    return window


def said(window, name):
    return window.findChild(QLabel, name).text()


def frame_steps(questions):
    """Steps of the shown episode whose frames these ask for."""
    asked = [it.arguments for it in questions if it.arguments["episode"] == 2]
    return {t for it in asked for t in range(it["first"], it["last"] + 1)}


def test_the_slider_lets_any_checkpoint_judge_the_same_step(stepping, client, beat):
    lab = stepping.lab
    slider = stepping.findChild(CheckpointSlider, "transport.checkpoint")
    assert said(stepping, "transport.checkpoint.label") == "as recorded"
    frames = len(client.questions("frames"))
    here = frame_steps(client.questions("frames")) & {7}
    before = lab.episode.moment
    slider.setValue(2)
    assert lab.episode.moment is before  # nothing blinks while it is being judged
    beat()
    moment = lab.episode.moment
    assert (moment.t, lab.cursor.t, lab.cursor.position.checkpoint) == (7, 7, 20)
    assert moment.episode.judged_by == 20
    assert moment.q[0] == pytest.approx(before.q[0] + 20)
    # Whoever judges, they are these; others may come now, ahead of who rests.
    assert here == {7}
    assert not here & frame_steps(client.questions("frames")[frames:])
    assert said(stepping, "transport.checkpoint.label") == "step 20 (best)"
    crumbs = said(stepping, "main.breadcrumb")
    assert crumbs == "run › step 20 › training 2 › t 7"
    asked = len(client.questions("judge_episode"))
    for value in (3, 2, 3, 2):
        slider.setValue(value)
        beat()
        assert lab.episode.moment.episode.judged_by == (0, 0, 20, 60)[value]
    assert len(client.questions("judge_episode")) == asked + 1


def test_what_is_judged_too_slowly_is_not_shown_as_if_it_were(
    stepping, client, beat, qtbot
):
    del client.answers["judge_episode"]
    lab = stepping.lab
    lab.cursor.show_checkpoint(60)
    lab.cursor.show_checkpoint(0)
    questions = client.questions("judge_episode")[-2:]
    assert questions[0].id in {it.id for it in client.of(Cancel)}
    assert lab.episode.waiting
    qtbot.waitUntil(lambda: lab.episode.moment is None, timeout=2_000)
    client.reply(questions[0].id, script.judged(20))  # too late, and not wanted
    beat()
    assert lab.episode.moment is None
    client.reply(questions[1].id, script.judged(20) | {"checkpoint_step": 0})
    beat()
    assert (lab.episode.moment.t, lab.episode.moment.episode.judged_by) == (7, 0)


def test_whatever_moves_the_cursor_everything_shows_that_moment(stepping, beat, qtbot):
    """Timeline, slider, spin box, keys, curve and list: one moment in all of them."""
    lab = stepping.lab
    views = {it.view_id: it for it in stepping.workspaces["step"].views()}
    timeline, slider = views["timeline"], stepping.transport.slider
    list_of = views["bookmarks"]
    lab.notes.add_bookmark(lab.cursor.position)
    curve = next(it for it in stepping.train.views() if it.view_id == "curve")
    moves = [
        (
            lambda: qtbot.mouseClick(
                timeline.canvas, LEFT, pos=timeline.canvas.posOf(3)
            ),
            3,
        ),
        (lambda: slider.setValue(11), 11),
        (lambda: stepping.transport.spin.setValue(5), 5),
        (lambda: lab.commands.run("transport.last"), 20),
        (lambda: list_of.context.noting.go(-1), 7),
        (lambda: curve.plot.picked.emit(57.0, 3.0), 0),
    ]
    for move, t in moves:
        move()
        for _ in range(3):
            beat()
        moment = lab.episode.moment
        assert (lab.cursor.t, moment.t, slider.value()) == (t, t, t)
        assert stepping.transport.spin.value() == t
        assert timeline.canvas.lanes[0]._cursor == t
        assert said(stepping, "main.breadcrumb").endswith(f"t {t}")
        assert moment.episode.key[1] == lab.cursor.position.checkpoint
    stepping.show_workspace("train")
    for name, episode in (("curve", 60), ("loss", 3)):  # as its rows and the list say
        view = next(it for it in stepping.train.views() if it.view_id == name)
        stepping.lab.cursor.show_episode("training", 1, checkpoint=-1)
        beat()
        view.plot.picked.emit(57.0, 1.0)
        beat()
        position = stepping.lab.cursor.position
        assert (position.episode, position.checkpoint) == (episode, 60)
        assert view.plot.cursor_x() == 60.0


def test_what_arrives_while_somebody_looks_moves_nothing(stepping, client, beat):
    lab = stepping.lab
    lab.cursor.show_checkpoint(20)
    beat()
    curve = next(it for it in stepping.train.views() if it.view_id == "curve")
    curve.plot.zoom_to((10.0, 50.0), (0.0, 5.0))
    before = (lab.cursor.position, lab.episode.moment.t, curve.plot.shown_range())
    client.answers["checkpoints"] = lambda _: {
        "step": np.array([0, 60, 500]), "best": np.array([False, False, True]),
    }  # fmt: skip
    client.play(
        script.session(script.Configuration(), durable_step=500),
        *(script.episode(number) for number in (4, 5, 6)),
        script.scalars("return", [80, 100, 500], [400.0, 500.0, 1.0]),
    )
    for _ in range(4):
        beat()
    after = (lab.cursor.position, lab.episode.moment.t, curve.plot.shown_range())
    assert after == before
    slider = stepping.findChild(CheckpointSlider, "transport.checkpoint")
    assert slider.step_of(slider.value()) == 20
