"""Every widget and every action of the window is named, explained and reachable."""

from collections import Counter

import pytest
import script
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

INTERACTIVE = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QTabBar,
)


@pytest.fixture
def furnished(window, beat):
    """Both workspaces have been shown, with an episode in the second."""
    beat(script.status("idle"), script.session(window.lab.draft.configuration))
    window.show_workspace("step")
    beat(script.episode(1))
    window.show_workspace("train")
    beat()
    return window


def interactive(window):
    """Widgets that a person operates, without Qt's own inner parts."""
    for widget in window.findChildren(QWidget):
        inner = widget.objectName().startswith("qt_") or isinstance(widget, QScrollBar)
        parent = widget.parentWidget()
        inner = inner or isinstance(
            parent, (QComboBox, QAbstractSpinBox, QTabBar, QLineEdit)
        )
        inner = inner or type(widget).__name__ in ("QHeaderView", "QTableCornerButton")
        inner = inner or (
            parent is not None and parent.inherits("QComboBoxPrivateContainer")
        )
        if isinstance(widget, INTERACTIVE) and not inner:
            yield widget


def path(widget):
    names = []
    while widget is not None:
        names.append(widget.objectName() or type(widget).__name__)
        widget = widget.parentWidget()
    return " < ".join(names[:4])


def test_every_interactive_widget_has_both_names(furnished):
    bad = [
        path(it)
        for it in interactive(furnished)
        if not it.objectName() or not it.accessibleName()
    ]
    assert bad == []


def test_object_names_are_unique(furnished):
    counts = Counter(it.objectName() for it in interactive(furnished))
    assert [name for name, count in counts.items() if count > 1] == []


def test_every_button_explains_itself(furnished):
    bad = [
        path(it)
        for it in interactive(furnished)
        if isinstance(it, QAbstractButton) and not it.toolTip()
    ]
    assert bad == []


def test_every_action_is_complete(furnished):
    actions = [it for it in furnished.findChildren(QAction) if it.objectName()]
    commands = furnished.lab.commands
    actions += [commands.action(it) for it in commands.ids()]
    assert len(actions) > 50
    bad = [
        it.objectName()
        for it in actions
        if not (it.text() and it.toolTip() and it.statusTip())
    ]
    assert bad == []


def test_no_two_shortcuts_clash(furnished):
    commands = furnished.lab.commands
    keys = Counter(
        key.toString(QKeySequence.SequenceFormat.PortableText)
        for command in commands.ids()
        for key in commands.action(command).shortcuts()
    )
    assert [key for key, count in keys.items() if count > 1] == []
    assert "" not in keys


SPECIFIED = {
    "train.start": "F5",
    "train.stop": "Shift+F5",
    "train.stepEnv": "F10",
    "train.stepEpisode": "Shift+F10",
    "workspace.train": "Ctrl+1",
    "workspace.step": "Ctrl+2",
    "view.palette": "Ctrl+Shift+P",
    "session.new": "Ctrl+N",
    "session.open": "Ctrl+O",
    "session.save": "Ctrl+S",
    "session.saveAs": "Ctrl+Shift+S",
    "session.close": "Ctrl+W",
    "app.quit": "Ctrl+Q",
    "edit.undo": "Ctrl+Z",
    "edit.redo": "Ctrl+Shift+Z",
    "record.export": "Ctrl+Shift+E",
    "record.live": "Ctrl+R",
    "edit.preferences": "Ctrl+,",
    "view.larger": "Ctrl+=",
    "view.smaller": "Ctrl+-",
    "view.normal": "Ctrl+0",
    "view.theme": "Ctrl+Shift+T",
    "view.freeze": "Ctrl+Shift+F",
    "view.nextPanel": "F6",
    "view.previousPanel": "Shift+F6",
    "transport.play": "Space",
    "transport.prevEpisode": "PgUp",
    "transport.nextEpisode": "PgDown",
    "transport.follow": "L",
    "transport.loop": "O",
    "help.shortcuts": "?",
    "help.whatsThis": "Shift+F1",
    "view.filter": "Ctrl+F",
    "view.export": "Ctrl+E",
    "view.autoRange": "A",
}


def test_shortcuts_are_those_of_the_specification(window):
    action = window.lab.commands.action
    assert {it: action(it).shortcut().toString() for it in SPECIFIED} == SPECIFIED


NAMES = [
    "main.train.button",
    "main.progress",
    "main.speed",
    "main.messages",
    "main.palette",
    "main.palette.input",
    "main.palette.list",
    "rail.train",
    "rail.step",
    "train.presets.list",
    "train.param.agent.learning_rate.slider",
    "train.param.agent.learning_rate.spin",
    "train.param.agent.learning_rate.info",
    "transport.play",
    "transport.stepBack",
    "transport.stepFwd",
    "transport.first",
    "transport.last",
    "transport.prevEpisode",
    "transport.nextEpisode",
    "transport.loop",
    "transport.speed",
    "transport.follow",
    "transport.slider",
    "transport.spinT",
    "welcome.recent.list",
    "welcome.recover.list",
]


def test_the_names_that_lessons_and_scripts_use_exist(window):
    assert [it for it in NAMES if window.findChild(QWidget, it) is None] == []


def test_workspaces_that_do_not_exist_yet_are_not_shown(window):
    assert window.findChild(QWidget, "rail.compare") is None
    assert window.findChild(QWidget, "rail.explain") is None
