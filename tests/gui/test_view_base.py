"""The contract between a view and the beat."""

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget
from showing import show

from engine.contract.messages import Subscribe
from rllab_gui.commands import Command
from rllab_gui.views import base
from rllab_gui.views.base import View


class Counter(View):
    view_id = "counter"
    title = "Counter"
    topics = frozenset({"priorities"})
    drawn = 0
    missing = None

    def __init__(self, context):
        super().__init__(context)
        self.setMinimumSize(80, 60)  # there is nothing in it that needs room

    def draw(self):
        self.drawn += 1

    def emptiness(self):
        return self.missing


def test_a_view_draws_once_a_beat_and_only_when_dirty(context, qtbot):
    view = Counter(context)
    qtbot.addWidget(view)
    with qtbot.waitExposed(view):
        view.show()
    context.pulse.beat()
    before = view.drawn
    view.refresh()
    view.refresh()
    context.pulse.beat()
    context.pulse.beat()
    assert view.drawn == before + 1


def soon(context, other):
    """A person waits, and nothing else goes on."""
    context.pulse.soon()


def soon_behind_a_request_to_paint(context, other):
    """What arrives is handled just before something else is painted."""
    arrival = QTimer(context.pulse)
    queued = Qt.ConnectionType.QueuedConnection
    arrival.timeout.connect(context.pulse.soon, queued)
    arrival.timeout.emit()
    other.body.update()


def soon_and_a_beat(context, other):
    """The next beat is due before the window is painted."""
    context.pulse.soon()
    context.pulse._timer.timeout.emit()


WHEN = (soon, soon_behind_a_request_to_paint, soon_and_a_beat)


@pytest.mark.parametrize("when", WHEN)
def test_what_is_looked_at_first_is_painted_before_the_others_draw(
    context, qtbot, when
):
    told = []

    class Urgent(View):
        view_id = "urgent"
        urgent = True

        def draw(self):
            told.append("draws")
            self.body.update()

    class Paints(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint:
                told.append("painted")
            return False

    whole = QWidget()
    whole.setMinimumSize(200, 100)
    qtbot.addWidget(whole)
    row = QHBoxLayout(whole)
    other, first = Counter(context), Urgent(context)
    row.addWidget(other)
    row.addWidget(first)
    with qtbot.waitExposed(whole):
        whole.show()
    context.pulse.beat()
    qtbot.waitUntil(lambda: other.drawn > 0)
    paints = Paints()
    first.body.installEventFilter(paints)
    other.painted.connect(lambda *_: told.append("other draws"))
    told.clear()
    for view in (other, first):
        view.refresh()
    when(context, other)
    qtbot.waitUntil(lambda: "other draws" in told)
    assert told[told.index("draws") :] == ["draws", "painted", "other draws"]


def test_what_a_beat_brings_to_who_waits_is_drawn_before_anything_is_painted(
    context, qtbot, monkeypatch
):
    urged = []
    context.pulse.urged.connect(lambda: urged.append(True))
    monkeypatch.setattr(context.link, "poll", context.pulse.soon)
    context.pulse._timer.timeout.emit()
    assert len(urged) == 1
    with qtbot.waitSignal(context.pulse.ticked):  # then the others
        pass
    assert len(urged) == 1, "not once more"


def test_a_view_that_asks_for_more_each_time_keeps_nobody_from_anything(context, qtbot):
    class Greedy(View):
        view_id = "greedy"
        urgent = True
        drawn = 0

        def draw(self):
            self.drawn += 1
            self.refresh()
            self.context.pulse.soon()

    view = Greedy(context)
    view.setMinimumSize(200, 100)
    qtbot.addWidget(view)
    with qtbot.waitExposed(view):
        view.show()
    context.pulse.soon()
    qtbot.waitUntil(lambda: view.drawn > 3)
    ended = []
    QTimer.singleShot(0, lambda: ended.append(True))
    qtbot.waitUntil(lambda: ended == [True])
    for _ in range(10):
        context.pulse._timer.timeout.emit()
    before = view.drawn
    for _ in range(10):
        QCoreApplication.processEvents()
    assert view.drawn - before <= 20, "beats bring no further draws in each turn"
    view.hide()


def test_a_hidden_view_neither_draws_nor_subscribes(context, client, qtbot):
    view = Counter(context)
    qtbot.addWidget(view)
    with qtbot.waitExposed(view):
        view.show()
    context.pulse.beat()
    assert client.of(Subscribe)[-1].topics == ["priorities", "scalars"]
    view.hide()
    drawn = view.drawn
    view.refresh()
    context.pulse.beat()
    assert view.drawn == drawn
    assert client.of(Subscribe)[-1].topics == ["scalars"]


def test_an_empty_view_offers_what_to_do(context, qtbot):
    done = []
    context.commands.add(
        Command(
            "replay.prioritize", "Prioritize", "Turn it on.", lambda: done.append(1)
        )
    )
    view = Counter(context)
    view.missing = ("Nothing yet.", "Because.", [("replay.prioritize", "Turn on PER")])
    qtbot.addWidget(view)
    with qtbot.waitSignal(view.painted), qtbot.waitExposed(view):
        view.show()
        context.pulse.beat()
    assert view.drawn == 0
    button = view.findChild(object, "empty.replay.prioritize")
    button.click()
    assert done == [1]


def test_an_empty_view_speaks_in_the_size_and_colours_of_now(context, qtbot):
    """Also if they were others when it was made: its words are made later."""
    theme, view = context.theme, Counter(context)
    view.missing = ("Nothing yet.", "Because.", [])
    show(qtbot, view)
    theme.set_scale(1.5)
    for choice in ("dark", "light"):
        theme.set_choice(choice)
        context.pulse.beat()
        title, guidance = (
            view.empty.findChild(QLabel, f"empty.{it}") for it in ("title", "guidance")
        )
        assert title.isVisible()
        assert guidance.isVisible()
        assert title.font() == theme.font(relative=1.1, bold=True)
        assert guidance.font().pointSizeF() == theme.font().pointSizeF()
        assert theme.tokens.muted in guidance.styleSheet()


def test_what_nobody_would_see_is_drawn_a_little_later(context, qtbot, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(base, "monotonic", lambda: now[0])
    view = Counter(context)
    qtbot.addWidget(view)
    with qtbot.waitExposed(view):
        view.show()
    context.pulse.beat()
    before = view.drawn
    view.refresh_if(seen=False)
    context.pulse.beat()
    assert view.drawn == before
    now[0] += base.SOON_S
    context.pulse.beat()
    context.pulse.beat()
    assert view.drawn == before + 1
    view.refresh_if(seen=True)
    context.pulse.beat()
    now[0] += base.SOON_S
    context.pulse.beat()
    assert view.drawn == before + 2
