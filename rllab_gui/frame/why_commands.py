"""Commands of the Why panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rllab_gui.commands import Command
from rllab_gui.lab import Lab

if TYPE_CHECKING:
    from rllab_gui.main_window import MainWindow


def why_commands(lab: Lab, window: MainWindow) -> list[Command]:
    """Predict mode and what is laid over the frame."""
    predict, trail = lab.why.predict, lab.why.trail
    return [
        Command(
            "transport.backward",
            "Back to where you were",
            "To the step that was looked at before the last jump",
            trail.back,
            ("Ctrl+Alt+Left",),
        ),
        Command(
            "transport.forward",
            "Forward again",
            "To the step that was looked at before going back",
            trail.forward,
            ("Ctrl+Alt+Right",),
        ),
        Command(
            "play.predict",
            "Predict what the agent does",
            "Hide what the agent thinks until you have said what it would do",
            predict.set_on,
            ("H",),
            checkable=True,
            plain=True,
        ),
        Command(
            "predict.reveal",
            "Reveal what the agent thinks",
            "Show the hidden answer of this step without predicting it",
            predict.reveal,
        ),
        Command(
            "explain.showMap",
            "Show the map of states",
            "To the map in Train, where selected states are ringed",
            lambda: window.show_view("train", "embedding"),
        ),
        Command(
            "saliency.overlay",
            "Show on the frame what it looked at",
            "Lay over the frame which places seem to count for the action",
            lab.why.lay,
            ("V",),
            checkable=True,
            plain=True,
        ),
    ]
