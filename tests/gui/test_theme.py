"""Colours that can be read, in both themes; sizes; following the system."""

import itertools

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QFrame, QMainWindow, QTabBar, QVBoxLayout
from showing import show

from engine.contract.messages import Problem, Solved
from rllab_gui.theme import DARK, LIGHT, Theme, contrast
from rllab_gui.theme.icons import FOLDER, icon, world_icon

GROUNDS = ("window", "panel", "raised", "sunken", "selection")
THEMES = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda it: it.name)


def test_the_contrast_of_wcag():
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#FFFFFF", "#E69F00") == pytest.approx(2.25, abs=0.01)
    assert contrast("#1E1F22", "#0072B2") == pytest.approx(3.18, abs=0.01)


@THEMES
@pytest.mark.parametrize(
    ("ink", "grounds"),
    [
        ("text", GROUNDS),
        ("muted", ("window", "panel", "raised", "sunken")),
        ("link", ("window", "panel", "raised")),
        ("bad", ("window", "panel", "raised")),
        ("good", ("panel", "raised")),
        ("warning", ("window", "panel", "raised")),
        ("information", ("panel", "raised")),
        ("on_accent", ("accent",)),
    ],
)
def test_text_can_be_read(tokens, ink, grounds):
    ratios = {
        ground: round(contrast(getattr(tokens, ink), getattr(tokens, ground)), 2)
        for ground in grounds
    }
    assert {k: v for k, v in ratios.items() if v < 4.5} == {}


@THEMES
def test_marks_can_be_seen(tokens):
    marks = [*tokens.categorical, tokens.axis, tokens.raw, tokens.edge, tokens.accent]
    faint = [mark for mark in marks if contrast(mark, tokens.panel) < 3.0]
    assert faint == []


@THEMES
def test_line_colours_are_those_of_the_specification(tokens):
    assert len(set(tokens.categorical)) == len(tokens.categorical)
    first = {"light": "#0072B2", "dark": "#56B4E9"}
    assert tokens.categorical[0] == first[tokens.name]


def test_every_token_is_a_colour():
    for tokens, name in itertools.product((LIGHT, DARK), LIGHT.__dataclass_fields__):
        value = getattr(tokens, name)
        colours = value if isinstance(value, tuple) else (value,)
        assert name == "name" or all(len(it) == 7 and it[0] == "#" for it in colours)


def test_toggling_dresses_the_application(theme, qtbot):
    with qtbot.waitSignal(theme.changed):
        theme.toggle()
    assert theme.is_dark
    assert QApplication.palette().window().color().name() == DARK.window.lower()
    assert DARK.accent in QApplication.instance().styleSheet()


class Dressed(QFrame):
    """Counts how often it is dressed."""

    times = 0

    def event(self, event):
        self.times += event.type() == QEvent.Type.StyleChange
        return super().event(event)


def test_a_widget_is_not_dressed_again_for_each_that_it_lies_in(theme, qtbot):
    within = outermost = QFrame()
    for kind in (*[QFrame] * 10, Dressed):
        inner = kind(within)
        QVBoxLayout(within).addWidget(inner)
        within = inner
    show(qtbot, outermost)
    within.times = 0
    theme.toggle()
    assert within.times == 2  # it is undressed, and dressed


def test_the_scale_is_bounded_and_scales_fonts(theme):
    normal = theme.font().pointSizeF()
    theme.set_scale(1.5)
    assert theme.font().pointSizeF() == pytest.approx(1.5 * normal)
    assert theme.px(10) == 15
    theme.set_scale(99)
    assert theme.scale == 2.0


def test_what_is_made_before_it_is_dressed_has_the_size_that_was_chosen(theme, qtbot):
    """At the start: a font that comes afterwards does not reach all of it."""
    usual = theme.font().pointSizeF()
    QApplication.instance().setStyleSheet("")  # nothing is dressed yet
    large = Theme("light", 1.5)
    large.apply_font()
    window, bar = QMainWindow(), QTabBar()
    qtbot.addWidget(window)
    window.setCentralWidget(bar)
    menu = window.menuBar()
    large.apply()
    window.show()
    for made in (bar, menu):
        assert made.font().pointSizeF() == pytest.approx(1.5 * usual)
    theme.apply()


def test_an_unknown_choice_follows_the_system(qapp):
    assert Theme("purple").choice == "system"


def test_every_icon_can_be_drawn(theme):
    names = [path.stem for path in FOLDER.glob("*.svg")]
    assert len(names) > 40
    for name in names:
        assert not icon(name, theme).pixmap(24, 24).isNull()


@pytest.mark.parametrize(
    ("world", "drawing"),
    [
        ("CartPole-v1", "world-cartpole"),
        ("RLLab/GridWorld-v0", "world-gridworld"),
        ("MinAtar/Breakout-v1", "world-breakout"),
        ("Something-v3", "world-other"),
    ],
)
def test_worlds_have_drawings(world, drawing):
    assert world_icon(world) == drawing


def test_a_theme_change_after_a_solved_problem_is_quiet(window, beat, qtbot):
    """The row is gone: nothing of it may still listen to the theme."""
    beat(Problem("engine.trainer.died", "The trainer ended.", severity="information"))
    row = window.messages.row("engine.trainer.died")
    with qtbot.waitSignal(row.destroyed):
        beat(Solved("engine.trainer.died"))
    with qtbot.captureExceptions() as exceptions:
        window.lab.theme.toggle()
        window.lab.theme.toggle()
    assert exceptions == []
