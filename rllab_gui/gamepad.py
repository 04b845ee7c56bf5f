"""Gamepads of this computer: what of the first one is held down."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from rllab_gui.action_keys import PAD_BUTTONS, Input

STICK = 0.5
"""A stick that is pushed so far says a direction."""
FULL = 32768.0
BACK, START = "back", "start"
KNOWN = {"A": "A/✕", "B": "B/○", "X": "X/□", "Y": "Y/△", "LB": "L1", "RB": "R1"}
UNKNOWN = {name: f"button {at + 1}" for at, name in enumerate(PAD_BUTTONS)}
NO_WINDOW = {
    # Pads are read without a window of theirs, and whoever ends us is not in the way.
    "SDL_VIDEODRIVER": "dummy",
    "SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS": "1",
    "SDL_NO_SIGNAL_HANDLERS": "1",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}


class PadSource(Protocol):
    """Where gamepads are; opened while somebody plays.

    Attributes:
      name: Of the pad that is connected, or empty.
      problem: Why none can be looked for, or empty.
      labels: What is printed on its buttons.
    """

    name: str
    problem: str
    labels: Mapping[str, str]

    def open(self) -> None:
        """Begin to look for pads."""

    def read(self) -> Input:
        """What is held now: directions, ``PAD_BUTTONS``, ``BACK`` and ``START``."""

    def close(self) -> None:
        """Let go of all pads."""


class Gamepads:
    """The pads that SDL knows: by their layout, or by number where that is unknown."""

    def __init__(self) -> None:
        self.name = self.problem = ""
        self.labels: Mapping[str, str] = KNOWN
        self._pad: Any = None
        self._begun = False

    def open(self) -> None:
        """See :class:`PadSource`; it takes some 60 ms, but none at the start."""
        self.problem = ""
        try:
            with _environment(NO_WINDOW):
                _begin()
            self._begun = True
        except (ImportError, RuntimeError) as error:  # SDL's own is of the latter
            self.problem = f"Gamepads cannot be used: {error}."

    def read(self) -> Input:
        """See :class:`PadSource`."""
        if self.problem:
            return frozenset()
        _pump()
        if self._pad is not None and not self._pad.attached:
            self._forget()
        if self._pad is None:
            try:
                self._take(_first())
            except RuntimeError as error:  # pulled out again, or not ours to open
                self.problem = f"The gamepad cannot be used: {error}."
        return self._pad.held() if self._pad is not None else frozenset()

    def close(self) -> None:
        """See :class:`PadSource`."""
        self._forget()
        if self._begun:
            self._begun = False
            _end()

    def _take(self, pad: _Known | _Unknown | None) -> None:
        if pad is not None:
            self._pad, self.name, self.labels = pad, pad.name, pad.labels

    def _forget(self) -> None:
        self._pad, self.name = None, ""


class _Known:
    """A pad whose layout is known."""

    labels: Mapping[str, str] = KNOWN

    def __init__(self, index: int) -> None:
        import pygame
        from pygame._sdl2 import controller

        self._pad = controller.Controller(index)
        self.name = str(self._pad.name)
        self.number = self._pad.as_joystick().get_instance_id()
        names = {"LB": "LEFTSHOULDER", "RB": "RIGHTSHOULDER"}
        directions = {
            it: f"DPAD_{it.upper()}" for it in ("up", "down", "left", "right")
        }
        names |= {it: it for it in "ABXY"} | directions
        names |= {BACK: "BACK", START: "START"}
        self._buttons = {
            name: getattr(pygame, f"CONTROLLER_BUTTON_{it}")
            for name, it in names.items()
        }

    @property
    def attached(self) -> bool:
        """Whether it is still there."""
        return bool(self._pad.attached())

    def held(self) -> Input:
        """What is held down of it."""
        x, y = (self._pad.get_axis(axis) / FULL for axis in (0, 1))
        pressed = {it for it, at in self._buttons.items() if self._pad.get_button(at)}
        return frozenset(pressed) | _directions(x, y)


class _Unknown:
    """A joystick of which only numbers are known: its first stick, its buttons."""

    labels: Mapping[str, str] = UNKNOWN

    def __init__(self, index: int) -> None:
        import pygame

        self._stick = pygame.joystick.Joystick(index)
        self.name = str(self._stick.get_name())
        self.number = self._stick.get_instance_id()
        count = min(self._stick.get_numbuttons(), len(PAD_BUTTONS))
        self._buttons = PAD_BUTTONS[:count]

    @property
    def attached(self) -> bool:
        """Whether it is still there."""
        import pygame

        count = pygame.joystick.get_count()
        known = [pygame.joystick.Joystick(it).get_instance_id() for it in range(count)]
        return self.number in known

    def held(self) -> Input:
        """What is held down of it."""
        stick = self._stick
        pressed = {it for at, it in enumerate(self._buttons) if stick.get_button(at)}
        found = frozenset(pressed)
        if stick.get_numaxes() >= 2:
            found |= _directions(stick.get_axis(0), stick.get_axis(1))
        if stick.get_numhats():
            x, up = stick.get_hat(0)
            found |= _directions(x, -up)
        return found


def _directions(x: float, y: float) -> Input:
    """What a stick says that is pushed there; y grows downwards."""
    ways = {"left": -x, "right": x, "up": -y, "down": y}
    return frozenset(name for name, far in ways.items() if far > STICK)


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """With these variables, which processes started later do not see."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin() -> None:
    import pygame
    from pygame._sdl2 import controller

    pygame.display.init()  # what has happened to pads is told to its queue
    pygame.joystick.init()
    controller.init()


def _end() -> None:
    import pygame
    from pygame._sdl2 import controller

    controller.quit()
    pygame.joystick.quit()
    pygame.display.quit()


def _pump() -> None:
    """Take in what has happened to pads; nobody else reads these events."""
    import pygame

    pygame.event.clear()


def _first() -> _Known | _Unknown | None:
    """The first pad that is connected, better one whose layout is known."""
    import pygame
    from pygame._sdl2 import controller

    count = pygame.joystick.get_count()
    known = [it for it in range(count) if controller.is_controller(it)]
    if known:
        return _Known(known[0])
    return _Unknown(0) if count else None
