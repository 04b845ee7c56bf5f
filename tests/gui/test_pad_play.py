"""A gamepad beside the keyboard: what it means, when it counts, coming and going."""

import ctypes
import os
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal

from rllab_gui.action_keys import key_table, pad_action, pad_hint, pad_table
from rllab_gui.gamepad import BACK, KNOWN, NO_WINDOW, START, UNKNOWN, Gamepads
from rllab_gui.pad_play import REPEAT_AFTER, REPEAT_EVERY, STEADY, PadPlay

LANDER = ("nothing", "left engine", "main engine", "right engine")
ATARI = ("noop", "fire", "up", "right", "upright", "uprightfire", "leftfire")
TAXI = ("south", "north", "east", "west", "pick up", "drop off")


class Hand(QObject):
    """Whoever plays, as the pad sees it."""

    changed = Signal()

    def __init__(self, names):
        super().__init__()
        self.names, self.playing, self.heard = names, False, []
        self.press = lambda action: self.heard.append(("press", action))
        self.release = lambda action: self.heard.append(("release", action))
        self.take_back = lambda: self.heard.append(("back",))
        self.hand_back = lambda: self.heard.append(("hand back",))

    def play(self, playing):
        self.playing = playing
        self.changed.emit()


class Source:
    """A pad that a test holds."""

    def __init__(self):
        self.name, self.problem, self.labels = "Pad", "", KNOWN
        self.held, self.opened = frozenset(), 0

    def open(self):
        self.opened += 1

    def read(self):
        return self.held if self.name else frozenset()

    def close(self):
        self.opened -= 1


@pytest.fixture
def hand(qapp):
    return Hand(LANDER)


@pytest.fixture
def pad(hand):
    pad = PadPlay(hand, Source())
    hand.play(True)
    return pad


def hold(pad, *held, beats=STEADY):
    pad.source.held = frozenset(held)
    for _ in range(beats):
        pad._on_beat()


def test_directions_are_what_actions_say_and_buttons_do_the_rest():
    table = pad_table(LANDER)
    assert table == {
        frozenset({"left"}): 1,
        frozenset({"up"}): 2,
        frozenset({"right"}): 3,
        frozenset({"A"}): 0,
    }
    assert pad_hint(LANDER, KNOWN) == (
        "← left engine, ↑ main engine, → right engine, A/✕ nothing"
    )
    assert pad_hint(("stick", "hit"), UNKNOWN) == "button 1 hit, button 2 stick"
    assert "A/✕ pick up, B/○ drop off" in pad_hint(TAXI, KNOWN)
    assert key_table(TAXI)[16777235] == 1  # arrow up is north, not to pick up


def test_what_is_held_together_is_one_action_where_one_says_so():
    table = pad_table(ATARI)
    assert pad_action(table, ["up", "right"]) == 4
    assert pad_action(table, ["A", "right", "up"]) == 5
    assert pad_action(table, ["A"]) == 1
    assert pad_action(table, ["B"]) == 0
    assert pad_action(table, ["A", "down"]) == 1  # of two that are none together
    assert pad_action(table, ["up", "A"]) == 1
    assert pad_action(table, []) is None
    assert "↑→A/✕ uprightfire" in pad_hint(ATARI, KNOWN)


def test_a_button_is_one_step_and_again_while_it_is_held(pad, hand):
    hold(pad, "left", beats=STEADY - 1)
    assert not hand.heard  # another direction may just be coming
    hold(pad, "left", beats=REPEAT_AFTER + REPEAT_EVERY)
    assert hand.heard == [("press", 1)] * 3
    hold(pad)
    hold(pad, beats=REPEAT_AFTER + REPEAT_EVERY)
    assert hand.heard[3:] == [("release", 1)]
    hold(pad, "left")
    hold(pad, "right")
    assert hand.heard[4:] == [("press", 1), ("release", 1), ("press", 3)]


def test_back_and_start_are_no_actions(pad, hand):
    hold(pad, BACK, beats=REPEAT_AFTER + REPEAT_EVERY)
    hold(pad)
    hold(pad, START)
    assert hand.heard == [("back",), ("hand back",)]


def test_a_pad_that_is_unplugged_holds_nothing(pad, hand):
    hold(pad, "up")
    assert pad.hint.startswith("Gamepad: ← left engine, ↑ main engine")
    heard = []
    pad.changed.connect(lambda: heard.append(pad.hint))
    pad.source.name = ""
    pad._on_beat()
    assert hand.heard == [("press", 2), ("release", 2)]
    assert heard[-1] == "A gamepad can be plugged in."
    pad.source.name = "Other"
    hold(pad, "up")
    assert hand.heard[-1] == ("press", 2)


def test_pads_are_looked_for_only_while_somebody_plays(pad, hand):
    assert (pad.source.opened, pad.reading) == (1, True)
    hand.changed.emit()
    assert pad.source.opened == 1
    hand.play(False)
    assert (pad.source.opened, pad.reading, pad.hint) == (0, False, "")
    pad.source.problem = "Gamepads cannot be used: no device."
    hand.play(True)
    assert pad.hint == "Gamepads cannot be used: no device."


# ------------------------------------------------------- what SDL makes of a pad


class Virtual:
    """A gamepad that SDL pretends to have; only its library can plug it in."""

    def __init__(self):
        lines = Path("/proc/self/maps").read_text().splitlines()
        (path, *_) = {it.split()[-1] for it in lines if "libSDL2-2" in it}
        self._sdl = ctypes.CDLL(path)
        self._sdl.SDL_JoystickFromInstanceID.restype = ctypes.c_void_p

    def plug_in(self, kind):
        return self._sdl.SDL_JoystickAttachVirtual(kind, 6, 15, 1)

    def unplug(self, index=0):
        self._sdl.SDL_JoystickDetachVirtual(index)

    def set(self, pad, button=-1, axis=-1, value=0):
        stick = ctypes.c_void_p(self._sdl.SDL_JoystickFromInstanceID(pad))
        if button >= 0:
            self._sdl.SDL_JoystickSetVirtualButton(stick, button, ctypes.c_uint8(value))
        if axis >= 0:
            self._sdl.SDL_JoystickSetVirtualAxis(stick, axis, ctypes.c_int16(value))


@pytest.mark.skipif(sys.platform != "linux", reason="finds SDL's library in /proc")
@pytest.mark.parametrize(("kind", "labels"), [(1, KNOWN), (0, UNKNOWN)])
def test_a_pad_comes_is_held_and_goes(kind, labels):
    pads, before = Gamepads(), dict(os.environ)
    pads.open()
    virtual = Virtual()
    assert (pads.problem, pads.read(), pads.name) == ("", frozenset(), "")
    assert {name: os.environ.get(name) for name in NO_WINDOW} == {
        name: before.get(name) for name in NO_WINDOW
    }
    virtual.plug_in(kind)
    assert pads.read() == frozenset()
    assert pads.name
    assert pads.labels == labels
    number = pads._pad.number
    virtual.set(number, button=0, value=1)
    virtual.set(number, axis=0, value=-30_000)
    virtual.set(number, axis=1, value=10_000)
    assert pads.read() == {"A", "left"}
    virtual.set(number, axis=0, value=30_000)
    virtual.set(number, button=0, value=0)
    assert pads.read() == {"right"}
    virtual.unplug()
    assert (pads.read(), pads.name) == (frozenset(), "")
    virtual.plug_in(kind)
    pads.read()
    assert pads.name
    virtual.unplug()
    pads.close()
    pads.open()
    assert (pads.read(), pads.name) == (frozenset(), "")
    pads.close()
