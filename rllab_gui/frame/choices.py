"""What the command palette offers: commands, presets and options."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from engine.contract.options import specs
from rllab_gui.frame.palette import Choice

if TYPE_CHECKING:
    from rllab_gui.main_window import MainWindow


def palette_choices(window: MainWindow) -> list[Choice]:
    """Everything that can be picked now."""
    return [*_commands(window), *_presets(window), *_options(window)]


def _commands(window: MainWindow) -> Iterator[Choice]:
    commands = window.lab.commands
    for command_id in commands.ids():
        action = commands.action(command_id)
        if action.isEnabled() and command_id != "view.palette":
            yield Choice(action.text(), commands.key(command_id), action.trigger)


def _presets(window: MainWindow) -> Iterator[Choice]:
    gallery = window.train.gallery
    for card in window.lab.presets.cards():
        choose = partial(gallery.choose, card.preset.name)
        yield Choice(f"Preset: {card.preset.title}", card.preset.name, choose)


def _options(window: MainWindow) -> Iterator[Choice]:
    for key in window.train.form.rows:
        of = specs()[key]
        words = f"Option: {of.title} {of.symbol}".strip()
        yield Choice(words, key, partial(window.go_to_option, key))
