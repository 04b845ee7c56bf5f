"""What every view has to offer, whichever it is."""

import pytest
from PySide6.QtWidgets import QToolButton, QWhatsThis
from showing import show

from rllab_gui.views.discover import all_views

PLOTTED = (
    "account",
    "cells",
    "curve",
    "embedding",
    "exploration",
    "loss",
    "memory",
    "priorities",
    "qbars",
    "returns",
    "stepBellman",
    "stepMemory",
    "stepNeighbours",
    "stepQbars",
    "stepReturns",
    "stepSaliency",
    "timeline",
)


@pytest.fixture(params=sorted(all_views()))
def view(request, context, qtbot):
    return show(qtbot, all_views()[request.param](context), 420, 300)


@pytest.fixture(params=PLOTTED)
def plotted(request, context, qtbot):
    return show(qtbot, all_views()[request.param](context), 420, 300)


def test_it_has_a_title_a_name_and_an_explanation(view):
    assert view.title
    assert view.accessibleName() == view.title
    assert len(view.about) > 40
    assert view.whatsThis() == view.about


def test_it_has_something_to_say_while_there_is_nothing(view, context, qtbot):
    context.pulse.beat()
    title, guidance, offers = view.emptiness()
    assert title.endswith((".", ")"))
    assert view.empty.isVisible()
    assert all(label for _, label in offers)
    assert guidance == "" or guidance.endswith(".")


def test_it_is_drawn_in_both_themes_and_sizes(view, context, theme):
    for choice, scale in (("dark", 1.0), ("light", 2.0), ("dark", 0.8)):
        theme.set_choice(choice)
        theme.set_scale(scale)
        context.pulse.beat()
        assert not view.grab().isNull()
    theme.set_scale(1.0)


def test_its_question_mark_explains(plotted, qtbot, monkeypatch):
    told = []
    monkeypatch.setattr(QWhatsThis, "showText", lambda at, text, w: told.append(text))
    button = plotted.findChild(QToolButton, f"plot.{plotted.main_plot.plot_id}.help")
    with qtbot.waitSignal(plotted.helpAsked) as asked:
        button.click()
    assert asked.args == [plotted.main_plot.plot_id]
    assert told == [plotted.about]


def test_a_failed_export_becomes_a_message(plotted, qtbot, context, tmp_path):
    with qtbot.waitSignal(context.link.problemRaised) as raised:
        plotted.main_plot.export(str(tmp_path / "nowhere" / "x.csv"))
    assert "could not be written" in raised.args[0].what
