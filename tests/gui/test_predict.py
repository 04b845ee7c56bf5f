"""Predict mode: nothing tells what the agent thinks until somebody has said it."""

import numpy as np
import pytest
import script
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QPushButton, QWidget

from rllab_gui.why import Why


@pytest.fixture
def why(context, client):
    script.teach(client)
    client.answers["judge_episode"] = agent
    made = Why(context.episode, context.cursor)
    context.cursor.show_episode("training", 1, t=3)
    context.pulse.beat()
    context.pulse.beat()
    return made


def agent(arguments):
    """Two agents that differ in all they think: one judges as recorded, one later."""
    later = arguments["checkpoint_step"] >= 0
    answer = script.judged(20)
    rng = np.random.default_rng(int(later))
    q = rng.normal(10.0 if later else 0.0, 3.0, (21, 2))
    answer |= {
        "q": q,
        "value": q.max(axis=1),
        "liking": q,
        "advantage": q - q.mean(axis=1, keepdims=True),
        "value_head": q.mean(axis=1),
        "td_error": rng.normal(0, 1 + 5 * later, 20),
        "observations": np.tile(np.linspace(0, 1, 21)[:, None], (1, 4)),
        "action_names": ["left", "right"],
        "note": "Judged by the nearest checkpoint." if later else "",
        "checkpoint_step": arguments["checkpoint_step"],
    }
    return answer


def test_whoever_listens_knows_what_is_hidden(why, context):
    """Also while another episode takes the place of this one."""
    predict, known = why.predict, []
    for signal in (context.episode.changed, predict.changed):
        signal.connect(lambda: known.append(predict.hidden))
    predict.set_on(True)
    context.cursor.place(episode=2, t=3)
    for _ in range(3):
        context.pulse.beat()
    assert predict.hidden
    assert known[-1]


def test_a_guess_opens_this_step_only_and_is_counted(why, context):
    predict, cursor = why.predict, context.cursor
    assert not predict.hidden
    predict.set_on(True)
    assert predict.hidden
    best = int(np.argmax(context.episode.moment.q))
    predict.choose(best)
    assert not predict.hidden
    assert predict.score == "agreed 1 of 1"
    predict.choose(best)  # said once is said
    assert predict.asked == 1
    cursor.seek(4)
    context.pulse.beat()
    assert predict.hidden
    predict.choose(1 - int(np.argmax(context.episode.moment.q)))
    assert predict.score == "agreed 1 of 2"
    cursor.seek(5)
    context.pulse.beat()
    predict.reveal()
    assert not predict.hidden
    assert predict.asked == 2
    cursor.seek(20)  # behind the last step nothing is done
    context.pulse.beat()
    assert not predict.hidden
    predict.set_on(False)
    assert predict.score == ""


def test_the_overlay_lies_on_its_own_step_only(why, context):
    from rllab_gui.why import Overlay, place_of

    moment = context.episode.moment
    overlay = Overlay(place_of(moment), np.ones((2, 2)), "hypothesis")
    why.set_overlay(overlay)
    assert why.on_frame(moment) is None
    why.lay(True)
    assert why.on_frame(moment) is overlay
    why.predict.set_on(True)
    assert why.on_frame(moment) is None
    why.predict.set_on(False)
    context.cursor.seek(7)
    context.pulse.beat()
    assert why.on_frame(context.episode.moment) is None


def pictures(window, beat):
    """What every panel of the workspace shows, by its name."""
    for _ in range(4):
        beat()
    docks = window.workspaces["step"].docks
    found = {}
    for name, dock in docks.items():
        dock.show()
        dock.raise_()
        beat()
        beat()
        image = dock.widget().grab().toImage()
        found[name] = image.convertToFormat(QImage.Format.Format_RGB32)
    return found


def pixels(image):
    return bytes(image.constBits())


def test_two_agents_look_the_same_while_answers_are_hidden(window, client, beat):
    client.answers["judge_episode"] = agent
    beat(script.status("idle"), script.session(window.lab.draft.configuration))
    window.show_workspace("step")
    beat(script.episode(1))
    window.lab.cursor.show_episode("training", 1, t=6)
    beat()
    hide = window.lab.commands.action("play.predict")
    assert hide.shortcut().toString() == "H"
    hide.setChecked(True)
    first = pictures(window, beat)
    window.lab.cursor.show_checkpoint(500)
    beat()
    second = pictures(window, beat)
    assert window.lab.episode.moment.episode.judged_by == 500
    named = {"axis", "moments"}
    same = {name for name in first if pixels(first[name]) == pixels(second[name])}
    assert set(first) - same <= named
    for view in window.workspaces["step"].findChildren(QWidget):
        told = f"{view.property('answerText') or ''} {view.accessibleDescription()}"
        assert "looks best" not in told
    hide.setChecked(False)
    third = pictures(window, beat)
    assert pixels(third["stepQbars"]) != pixels(second["stepQbars"])
    assert pixels(third["timeline"]) != pixels(second["timeline"])
    assert pixels(third["frame"]) != pixels(second["frame"])


def test_the_buttons_are_the_actions_and_say_who_was_right(window, client, beat):
    client.answers["judge_episode"] = agent
    beat(script.status("idle"), script.session(window.lab.draft.configuration))
    window.show_workspace("step")
    beat(script.episode(1))
    window.lab.cursor.show_episode("training", 1, t=6)
    beat()
    window.lab.commands.action("play.predict").setChecked(True)
    beat()
    beat()
    moment = window.lab.episode.moment
    best = int(np.argmax(moment.q))
    button = window.findChild(QPushButton, f"step.why.predict.choose.{best}")
    assert button.text() == ("left", "right")[best]
    button.click()
    beat()
    words = window.findChild(QWidget, "step.why.predict.words").text()
    assert words.startswith(f"Yes: you said {button.text()}.")
    assert words.endswith("Agreed 1 of 1.")
    assert button.isHidden()
    assert window.findChild(QWidget, "step.why.predict").isChecked()
