"""The commands about branches and playing by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from rllab_gui.action_keys import hint, key_table
from rllab_gui.commands import Command
from rllab_gui.frame.key_catcher import Deed, KeyCatcher
from rllab_gui.lab import Lab

if TYPE_CHECKING:
    from rllab_gui.main_window import MainWindow

Key = Qt.Key


def branch_commands(lab: Lab, window: MainWindow) -> list[Command]:
    """What can be done with branches."""
    branches, keys = lab.branches, BranchKeys(lab, window)

    def with_current(deed: Callable[[str], object]) -> None:
        if branches.current is not None:
            deed(branches.current.id)

    return [
        Command("branch.choose", "Branch from here…",
                "Then press the key of an action: what if it were taken here?",
                keys.choose, ("C",), plain=True),
        Command("branch.playSeed", "Play this seed again",
                "The chosen policy plays the seed of this episode from its start",
                branches.play_seed),
        Command("branch.byHand", "Play it yourself",
                "Take over at this step, or in the newest episode, by keys or gamepad",
                keys.take_over),
        Command("branch.realTime", "Play in real time",
                "While you play, the world goes on at its own rate",
                branches.hand.set_real_time, checkable=True),
        Command("branch.handBack", "Hand back to the agent",
                "The chosen policy goes on from where you are",
                branches.hand.hand_back),
        Command("branch.leave", "Leave the branch", "Back to the main line",
                branches.leave),
        Command("branch.ghost", "Ghost of the other arm",
                "Show the other arm of a branch over the picture and in the timeline",
                branches.ghost.show, checkable=True),
        Command("branch.explore", "Rollouts explore",
                "The policy takes as many random actions as it took in training then",
                branches.set_explore, checkable=True),
        Command("branch.rename", "Rename branch", "Call the branch something else",
                window.rename_branch),
        Command("branch.delete", "Delete branch",
                "Take the branch away; can be undone",
                lambda: with_current(branches.delete)),
        Command("branch.exportTable", "Export branch as CSV…",
                "Every step of both arms, of all rollouts",
                window.files.ask_branch_table),
        Command("branch.exportFilm", "Export branch as film…",
                "The branch as MP4 or GIF, from the start of its episode",
                window.files.ask_export),
    ]  # fmt: skip


class BranchKeys(QObject):
    """Keys that stand for actions: one after C, all of them while a person plays."""

    def __init__(self, lab: Lab, window: MainWindow) -> None:
        super().__init__(window)
        self._lab, self._window = lab, window
        self._catcher = KeyCatcher(self)
        self._playing = self._begins = False
        self._catcher.ended.connect(self._on_ended)
        lab.branches.hand.changed.connect(self._on_hand)
        lab.episode.momentChanged.connect(self._on_moment)

    def choose(self) -> None:
        """The next key says which action."""
        self._lab.cursor.set_mode("paused")  # or another step would be branched from
        branches, names = self._lab.branches, self._lab.branches.hand.names
        if branches.refusal or branches.hand.playing:
            self._tell(branches.refusal or "Hand back to the agent first (Enter).")
            return
        presses = {
            key: partial(branches.make, action)
            for key, action in key_table(names).items()
        }
        self._tell(f"Branch with {hint(names)}; Esc: none.")
        self._catcher.begin({**presses, Key.Key_Escape: _nothing}, once=True)

    def take_over(self) -> None:
        """A person plays from here on; who watches the training, in the newest episode.

        Training goes on meanwhile: the person has a world of their own.
        """
        self._begins = True
        if self._window.current_workspace().name != "step":
            self._window.show_workspace("step")
        self._on_moment()

    def _on_moment(self) -> None:
        data, cursor = self._lab.episode.data, self._lab.cursor
        self._begins &= self._window.current_workspace().name == "step"
        if not self._begins or data is None:
            return
        self._begins = False
        if cursor.mode == "following" and cursor.t >= data.steps:
            cursor.place(t=0)  # nobody has chosen this end
        self._lab.branches.hand.begin()

    def _on_hand(self) -> None:
        playing = self._lab.branches.hand.playing
        if playing == self._playing:
            return
        self._playing = playing
        if not playing:
            self._catcher.end()
            return
        hand = self._lab.branches.hand
        table = key_table(hand.names).items()
        presses: dict[Key, Deed] = {
            key: partial(hand.press, action) for key, action in table
        }
        releases = {key: partial(hand.release, action) for key, action in table}
        presses |= {
            Key.Key_Backspace: hand.take_back,
            Key.Key_Escape: hand.stop,
            Key.Key_Return: hand.hand_back,
            Key.Key_Enter: hand.hand_back,
        }
        self._catcher.begin(presses, releases)
        self._window.current_workspace().setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_ended(self) -> None:
        self._window.statusBar().clearMessage()

    def _tell(self, sentence: str) -> None:
        self._window.statusBar().showMessage(sentence, 8000)


def _nothing() -> None:
    """Esc after C: no branch."""
