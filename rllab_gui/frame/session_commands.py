"""The commands about sessions: open, save, fork, learn from, film, export."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from engine.contract.exports import EXPORTS
from rllab_gui.commands import Command
from rllab_gui.lab import Lab

if TYPE_CHECKING:
    from rllab_gui.main_window import MainWindow


def session_commands(lab: Lab, window: MainWindow) -> list[Command]:
    """What can be done with sessions, presets and films."""
    return [*_sessions_and_films(lab, window), *_exchange(lab, window)]


def _exchange(lab: Lab, window: MainWindow) -> list[Command]:
    """What other programs read, and what is read of them."""
    exports = [
        Command(
            f"export.{it.name}",
            it.title,
            it.missing or it.tooltip,
            partial(window.files.ask_data_export, it),
        )
        for it in EXPORTS.values()
    ]
    take = Command(
        "session.import",
        "Import Minari data set…",
        "Make a session of recorded episodes: choose the file main_data.hdf5 of a data "
        "set",
        window.files.ask_import,
    )
    return [*exports, take]


def _cancel(lab: Lab) -> None:
    if lab.recorder.busy:
        lab.recorder.cancel()
    if lab.exchange.busy:
        lab.exchange.cancel()


def _sessions_and_films(lab: Lab, window: MainWindow) -> list[Command]:
    files = window.files
    return [
        Command(
            "session.new",
            "New",
            "Start over: choose an environment for the next run",
            window.new_session,
            ("Ctrl+N",),
        ),
        Command(
            "session.open",
            "Open session…",
            "Look back into a session file",
            files.ask_open,
            ("Ctrl+O",),
        ),
        Command(
            "session.save",
            "Save session",
            "Write the session file now; training goes on",
            lab.sessions.save,
            ("Ctrl+S",),
        ),
        Command(
            "session.saveAs",
            "Save session as…",
            "Write the session to a file of another name",
            files.ask_save_as,
            ("Ctrl+Shift+S",),
        ),
        Command(
            "session.close",
            "Close session",
            "Let go of the session; a run that is active is stopped and saved",
            lab.sessions.close,
            ("Ctrl+W",),
        ),
        Command(
            "session.fork",
            "Fork session…",
            "A new session from the checkpoint on the training axis, else the newest: "
            "two arms of an ablation start identical",
            files.ask_fork,
        ),
        Command(
            "session.certify",
            "Certify exact resume",
            "Train 100 updates straight and through save and reload, and compare every "
            "part to the bit",
            lab.certificate.ask,
        ),
        Command(
            "offline.choose",
            "Learn offline from a session…",
            "The next run learns from recorded episodes, not from the environment",
            files.ask_offline_source,
        ),
        Command(
            "offline.this",
            "Learn offline from this session",
            "The next run learns from what the open session has recorded",
            lambda: lab.offline.choose(lab.sessions.path),
        ),
        Command(
            "offline.leave",
            "Learn from the environment again",
            "The next run steps its environment, as usual",
            lab.offline.leave,
        ),
        Command(
            "preset.save",
            "Save options as preset…",
            "Keep the options of the form as a preset of your own",
            files.ask_preset_title,
        ),
        Command(
            "preset.delete",
            "Delete preset",
            "Remove the marked preset, if it is one of yours; can be undone",
            window.delete_preset,
        ),
        Command(
            "record.live",
            "Record the shown agent",
            "Film the agent view from now on, until pressed again",
            files.toggle_recording,
            ("Ctrl+R",),
        ),
        Command(
            "record.export",
            "Export episode as film…",
            "Write the shown episode, or several checkpoints on its seed, to a film",
            files.ask_export,
            ("Ctrl+Shift+E",),
        ),
        Command(
            "record.cancel",
            "Cancel film or export",
            "Give up what is being written; no half file stays",
            partial(_cancel, lab),
        ),
    ]
