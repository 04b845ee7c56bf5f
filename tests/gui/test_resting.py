"""Heavy questions: asked once, when the cursor rests, and only the last one."""

import pytest

from engine.contract.messages import Cancel, SessionStatus
from rllab_gui import resting
from rllab_gui.resting import Resting


@pytest.fixture
def asked(context, monkeypatch):
    monkeypatch.setattr(resting, "REST_MS", 0)
    return Resting(context.link, "saliency")


def settled(qtbot, asked, client, count):
    qtbot.waitUntil(lambda: len(client.questions("saliency")) == count)


def test_only_where_the_cursor_rests_is_asked_about(asked, client, qtbot):
    for t in range(5):
        assert not asked.want("s", {"t": t})
    settled(qtbot, asked, client, 1)
    assert client.questions("saliency")[0].arguments == {"t": 4}
    assert asked.busy


def test_moving_on_cancels_and_the_old_answer_stays_until_the_new_one(
    asked, client, context, qtbot
):
    client.answers["saliency"] = lambda arguments: dict(arguments)
    asked.want("s", {"t": 1})
    qtbot.waitUntil(lambda: context.link.poll() == 1)
    assert asked.answer == {"t": 1}
    del client.answers["saliency"]
    asked.want("s", {"t": 2})
    settled(qtbot, asked, client, 2)
    asked.want("s", {"t": 3})
    client.reply(2, {"t": 2})
    context.link.poll()
    assert asked.answer == {"t": 1}
    assert asked.busy
    # Back where the answer is here, nothing more is asked.
    assert asked.want("s", {"t": 1})
    assert not asked.busy


def test_another_session_is_another_question(asked, client, context, qtbot):
    client.answers["saliency"] = lambda arguments: "There is no step."
    asked.want("s", {"t": 1})
    qtbot.waitUntil(lambda: context.link.poll() == 1)
    assert asked.problem == "There is no step."
    assert not asked.want("other", {"t": 1})
    asked.drop()
    assert not asked.busy
    asked.forget()
    assert asked.problem == ""
    assert not asked.want("s", {"t": 1})


def test_what_was_recorded_anew_is_asked_for_anew(asked, client, context, qtbot):
    client.answers["saliency"] = lambda arguments: dict(arguments)
    asked.want("s", {"t": 1})
    qtbot.waitUntil(lambda: context.link.poll() == 1)
    for cuts, known in ((0, True), (1, False)):
        client.play(SessionStatus(uuid="s", cuts=cuts))
        context.link.poll()
        assert bool(asked.answer) is known
        assert asked.want("s", {"t": 1}) is known


def test_another_engine_is_asked_what_is_wanted_still(asked, client, context, qtbot):
    client.answers["saliency"] = lambda arguments: dict(arguments)
    asked.want("s", {"t": 1})
    qtbot.waitUntil(lambda: context.link.poll() == 1)
    context.link.renewed.emit()
    assert asked.answer == {}
    settled(qtbot, asked, client, 2)
    assert client.questions("saliency")[1].arguments == {"t": 1}
    context.link.poll()
    asked.drop()
    context.link.renewed.emit()
    assert not asked.busy


def test_it_gives_way_to_whoever_waits_and_asks_when_it_is_wanted_again(
    asked, client, context, qtbot
):
    asked.drop()  # nothing is under way
    assert not client.of(Cancel)
    asked.want("s", {"t": 1})
    settled(qtbot, asked, client, 1)
    asked.drop()
    assert client.of(Cancel) == [Cancel(1)]
    assert not asked._timer.isActive()
    asked.want("s", {"t": 1})
    settled(qtbot, asked, client, 2)
    client.reply(2, {"t": 1})
    context.link.poll()
    assert asked.answer == {"t": 1}
