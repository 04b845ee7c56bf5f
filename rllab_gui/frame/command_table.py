"""The table of all commands: what each is called, says and does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWhatsThis

from rllab_gui.commands import Command
from rllab_gui.frame.branch_commands import branch_commands
from rllab_gui.frame.session_commands import session_commands
from rllab_gui.frame.transport_commands import transport_commands
from rllab_gui.frame.why_commands import why_commands
from rllab_gui.lab import Lab
from rllab_gui.lessons.tour import FIRST_STEPS
from rllab_gui.theme.theme import SCALES

if TYPE_CHECKING:
    from rllab_gui.main_window import MainWindow


def all_commands(lab: Lab, window: MainWindow) -> list[Command]:
    """Every command of the frame."""
    groups = (
        _train,
        session_commands,
        _view,
        transport_commands,
        branch_commands,
        why_commands,
        _other,
    )
    return [command for group in groups for command in group(lab, window)]


def _train(lab: Lab, window: MainWindow) -> list[Command]:
    run = lab.run
    return [
        Command(
            "train.start",
            "Train, pause or resume",
            "Start training; while it runs, pause it; while paused, go on",
            run.toggle,
            ("F5",),
        ),
        Command(
            "train.startPaused",
            "Start paused",
            "Start a run that waits before its first step, to go through step by step",
            lambda: run.start(paused=True),
        ),
        Command(
            "train.startAgain",
            "Start a new run now",
            "Stop and save the run, then train anew with the options of the form",
            run.start_again,
        ),
        Command(
            "train.continue",
            "Continue session",
            "Go on training the open session exactly where it stopped; at its end, up "
            "to the form's step budget, or for as many steps again",
            lab.sessions.continue_run,
        ),
        Command(
            "train.rewind",
            "Continue with a tenth of the learning rate",
            "Go on from the newest checkpoint of the open session, more carefully",
            lab.sessions.rewind,
        ),
        Command(
            "train.halveBatch",
            "Continue with half the batch size",
            "Go on from the newest checkpoint of the open session, with less memory",
            lab.sessions.halve_batch,
        ),
        Command(
            "train.endTrainer",
            "End the trainer that hangs",
            "End its process; another one goes on from the last checkpoint",
            run.end_trainer,
        ),
        Command(
            "train.pause", "Pause training", "Hold after the step under way", run.pause
        ),
        Command("train.resume", "Resume training", "Go on after a pause", run.resume),
        Command(
            "train.stop",
            "Stop training",
            "End the run; a checkpoint is written and can be continued from",
            run.stop,
            ("Shift+F5",),
        ),
        Command(
            "train.stepEnv",
            "One environment step",
            "While paused: one step of training",
            run.advance_step,
            ("F10",),
        ),
        Command(
            "train.stepEpisode",
            "One episode",
            "While paused: train to the end of the episode",
            run.advance_episode,
            ("Shift+F10",),
        ),
        Command(
            "options.takeBack",
            "Back to the running options",
            "Show again the options that the run works with",
            lab.live.take_back,
        ),
        Command(
            "world.editGrid",
            "Edit the grid of GridWorld…",
            "Draw walls, pits, goals and starts of a grid of your own",
            window.edit_grid,
        ),
        Command(
            "replay.prioritize",
            "Turn on prioritized replay",
            "Sample transitions by their TD error instead of uniformly",
            lambda: lab.draft.set("replay.kind", "prioritized"),
        ),
        Command(
            "head.distribution",
            "Learn distributions (C51)",
            "Learn the distribution of the return of each action, not only its mean",
            lambda: lab.draft.set("head.kind", "c51"),
        ),
        Command(
            "network.remember",
            "Give it a memory (LSTM)",
            "A recurrent network, which learns from pieces of episodes",
            lambda: lab.draft.set_many(
                {"network.recurrent": "lstm", "replay.kind": "sequence"}, "memory"
            ),
        ),
    ]


def _view(lab: Lab, window: MainWindow) -> list[Command]:
    theme = lab.theme

    def scaled(by: int) -> Callable[[], None]:
        def change() -> None:
            nearest = min(SCALES, key=lambda it: abs(it - theme.scale))
            at = min(max(SCALES.index(nearest) + by, 0), len(SCALES) - 1)
            theme.set_scale(SCALES[at])

        return change

    return [
        Command(
            "workspace.train",
            "Workspace Train",
            "Choose, train and watch",
            lambda: window.show_workspace("train"),
            ("Ctrl+1",),
        ),
        Command(
            "replay.browse",
            "Replay memory as a table",
            "Every step in the replay memory of a checkpoint, with its priority",
            lambda: window.show_view("step", "stepReplay"),
        ),
        Command(
            "workspace.step",
            "Workspace Step through",
            "Go through recorded episodes step by step",
            lambda: window.show_workspace("step"),
            ("Ctrl+2",),
        ),
        Command(
            "view.theme",
            "Light or dark",
            "Change between the light and the dark theme",
            theme.toggle,
            ("Ctrl+Shift+T",),
        ),
        Command(
            "view.larger",
            "Larger",
            "Make everything larger",
            scaled(1),
            ("Ctrl+=", "Ctrl++"),
        ),
        Command(
            "view.smaller",
            "Smaller",
            "Make everything smaller",
            scaled(-1),
            ("Ctrl+-",),
        ),
        Command(
            "view.normal",
            "Normal size",
            "Everything at its normal size",
            lambda: theme.set_scale(1.0),
            ("Ctrl+0",),
        ),
        Command(
            "view.freeze",
            "Freeze picture",
            "The picture stands still; training goes on",
            lambda frozen: lab.viewer.set_playing(not frozen),
            ("Ctrl+Shift+F",),
            checkable=True,
        ),
        Command(
            "view.palette",
            "Search commands…",
            "Find any command, option or preset by a few letters",
            window.open_palette,
            ("Ctrl+Shift+P", "Ctrl+K"),
        ),
        Command(
            "view.nextPanel",
            "Next panel",
            "Move the focus to the next panel",
            lambda: window.panels.focus(1),
            ("F6",),
        ),
        Command(
            "view.previousPanel",
            "Previous panel",
            "Move the focus to the previous panel",
            lambda: window.panels.focus(-1),
            ("Shift+F6",),
        ),
        Command(
            "view.filter",
            "Filter",
            "Type a filter for the list with the focus, or the first in front",
            window.panels.filter,
            ("Ctrl+F",),
        ),
        Command(
            "view.export",
            "Export this panel…",
            "Write picture or data of the panel with the focus, or under the pointer",
            window.panels.export,
            ("Ctrl+E",),
        ),
        Command(
            "view.autoRange",
            "Automatic range",
            "Let the axes of the plot with the focus, or under the pointer, follow",
            window.panels.automatic,
            ("A",),
            plain=True,
        ),
        Command(
            "view.presenter",
            "Presenter mode",
            "The whole screen, larger words, the keys that are pressed; Esc leaves it",
            window.presenter_mode,
            ("F11",),
        ),
        Command(
            "view.resetLayout",
            "Reset layout",
            "Put all panels of this workspace back; can be undone",
            window.reset_layout,
        ),
    ]


def _other(lab: Lab, window: MainWindow) -> list[Command]:
    return [
        Command("edit.undo", "Undo", "Take back the last change", lab.history.undo,
                ("Ctrl+Z",)),
        Command("edit.redo", "Redo", "Do it again", lab.history.redo,
                ("Ctrl+Shift+Z", "Ctrl+Y")),
        Command("edit.preferences", "Preferences…", "Theme, size and keyboard",
                window.open_preferences, ("Ctrl+,",)),
        Command("engine.restart", "Restart the engine",
                "Start trainer, stage and keeper anew; what is durable stays",
                lab.link.restart),
        Command("help.lesson", "Lesson",
                "The equation behind what has the focus, with its present numbers",
                lambda: window.teaching.explain(), ("F1",)),
        Command("help.tour", "Tour: first steps",
                "Be led from training to asking why, step by step",
                lambda: window.teaching.guide.begin(FIRST_STEPS)),
        Command("help.tourFile", "Open tour…",
                "Be led by a tour that somebody has written (JSON)",
                lambda: window.files.ask_tour(window.teaching.guide.begin)),
        Command("explain.priorities", "Explain prioritized replay",
                "Open the lesson about sampling by TD error",
                lambda: window.teaching.explain("priorities")),
        Command("help.whatsThis", "What's this?",
                "Then click anything to read what it is; Esc: nothing",
                QWhatsThis.enterWhatsThisMode, ("Shift+F1",)),
        Command("help.shortcuts", "Keyboard shortcuts", "Show all shortcuts",
                window.toggle_shortcuts, ("?",), plain=True),
        Command("app.quit", "Quit", "Close the window", window.close, ("Ctrl+Q",)),
    ]  # fmt: skip
