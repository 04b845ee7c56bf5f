"""Which key a command has: what was chosen counts, unless it is broken or clashes."""

import string

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from rllab_gui.commands import Command, Commands
from rllab_gui.frame.key_map import CHOICES, RESERVED, KeyMap, pressed
from rllab_gui.settings import Settings

Key = Qt.Key
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def test_every_sign_survives_the_settings_file(tmp_path):
    for sign in string.punctuation:
        first = KeyMap(two_commands(), Settings(tmp_path))
        assert first.choose("group.one", QKeySequence(sign)) == ""
        Settings(tmp_path).flush()
        assert KeyMap(two_commands(), Settings(tmp_path)).keys("group.one") == (sign,)


def two_commands():
    commands = Commands()
    commands.add(
        Command("group.one", "One", "Does one thing", print, ("A",), plain=True),
        Command("group.two", "Two", "Does another", print, ("Shift+B",), plain=True),
        Command("group.fixed", "Fixed", "Does a third", print, ("F7",)),
    )
    return commands


BROKEN = [
    *(
        "",
        "no key",
        "A, B",
        "Ctrl+K",
        "F7",
        "Esc",
        "Shift+Return",
        "Shift",
        "@Invalid()",
    ),
    *("Shift+B", "\x00", "�" * 3, "True"),
]


@pytest.mark.parametrize("value", BROKEN)
def test_a_broken_choice_counts_as_none(tmp_path, value):
    settings = Settings(tmp_path)
    settings.set(f"{CHOICES}group.one", value)
    commands = two_commands()
    keys = KeyMap(commands, settings)
    assert keys.keys("group.one") == ("A",)
    assert not keys.is_chosen()
    assert commands.key("group.one") == "A"


def test_of_two_choices_that_clash_neither_counts(tmp_path):
    settings = Settings(tmp_path)
    for name in ("one", "two"):
        settings.set(f"{CHOICES}group.{name}", "K")
    keys = KeyMap(two_commands(), settings)
    assert (keys.keys("group.one"), keys.keys("group.two")) == (("A",), ("Shift+B",))


def test_two_commands_may_have_each_others_keys(tmp_path):
    settings = Settings(tmp_path)
    settings.set(f"{CHOICES}group.one", "Shift+B")
    settings.set(f"{CHOICES}group.two", "A")
    keys = KeyMap(two_commands(), settings)
    assert (keys.keys("group.one"), keys.keys("group.two")) == (("Shift+B",), ("A",))


def test_reserved_keys_are_those_that_the_catcher_takes_while_a_person_plays():
    caught = {Key.Key_Backspace, Key.Key_Escape, Key.Key_Return, Key.Key_Enter}
    assert caught <= RESERVED.keys()


@pytest.mark.parametrize(
    ("key", "modifier", "text", "means"),
    [
        (Key.Key_K, NONE, "k", "K"),
        (Key.Key_K, SHIFT, "K", "Shift+K"),
        (Key.Key_Question, SHIFT, "?", "?"),
        (Key.Key_Space, SHIFT, " ", "Shift+Space"),
        (Key.Key_PageUp, SHIFT, "", "Shift+PgUp"),
        (Key.Key_5, Qt.KeyboardModifier.KeypadModifier, "5", "5"),
        (0x424, NONE, "ф", "Ф"),
        (Key.Key_Shift, SHIFT, "", ""),
    ],
)
def test_what_is_pressed_is_written_as_a_shortcut(key, modifier, text, means):
    event = QKeyEvent(QEvent.Type.KeyPress, key, modifier, text)
    assert pressed(event).toString() == means
