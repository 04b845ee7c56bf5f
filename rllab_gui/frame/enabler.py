"""Which command can be used when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from engine.contract.exports import EXPORTS
from rllab_gui.lab import Lab

if TYPE_CHECKING:
    from rllab_gui.main_window import MainWindow


class Enabler(QObject):
    """Enables exactly the commands that do something now."""

    def __init__(self, lab: Lab, window: MainWindow) -> None:
        super().__init__(window)
        self._lab, self._window = lab, window
        self._known: dict[str, bool] = {}
        self._due = False
        for signal in (
            lab.run.stateChanged,
            lab.link.lostChanged,
            lab.store.sessionChanged,
            lab.history.changed,
            lab.live.pendingChanged,
            lab.draft.changed,
            lab.recorder.changed,
            lab.presets.changed,
            lab.playback.episodesChanged,
            lab.axis.changed,
            lab.notes.changed,
            lab.certificate.changed,
            lab.exchange.changed,
            lab.branches.changed,
            lab.branches.hand.changed,
            lab.why.predict.changed,
            lab.why.trail.changed,
        ):
            signal.connect(self.refresh)
        window.stack.currentChanged.connect(self.refresh)
        for often in (lab.cursor.changed, lab.episode.changed):
            often.connect(self._refresh_soon)
        lab.pulse.ticked.connect(self._on_tick)
        self.refresh()

    def _refresh_soon(self, *_: object) -> None:
        """Where a person steps, what they look at goes first."""
        self._due = True

    def _on_tick(self) -> None:
        if self._due:
            self.refresh()

    def refresh(self, *_: object) -> None:
        """Look at everything and enable or disable."""
        self._due = False
        usable = self._usable()
        for command, may in usable.items() - self._known.items():
            self._lab.commands.action(command).setEnabled(may)
        self._known = usable
        history = self._lab.history
        undo, redo = history.undo_text, history.redo_text
        self._lab.commands.action("edit.undo").setText(f"Undo {undo}".strip())
        self._lab.commands.action("edit.redo").setText(f"Redo {redo}".strip())

    def _usable(self) -> dict[str, bool]:
        lab, run = self._lab, self._lab.run
        shows = lab.cursor.position.episode >= 0
        preset = lab.presets.get(self._window.current_preset())
        table = {
            "train.start": any(run.can(it) for it in ("start", "pause", "resume")),
            "train.startPaused": run.can("start"),
            "train.startAgain": run.state != "stopping" and not lab.link.lost,
            "train.continue": lab.sessions.can_continue,
            "train.rewind": lab.sessions.can_continue,
            "train.halveBatch": lab.sessions.can_continue,
            "train.endTrainer": run.can("stop"),
            "train.pause": run.can("pause"),
            "train.resume": run.can("resume"),
            "train.stop": run.can("stop"),
            "train.stepEnv": run.can("advance"),
            "train.stepEpisode": run.can("advance"),
            "options.takeBack": bool(lab.live.pending),
            "session.fork": lab.sessions.is_open,
            "session.certify": lab.sessions.can_be_certified
            and not lab.certificate.under_way,
            "offline.this": lab.sessions.is_open and not run.active,
            "offline.leave": lab.offline.chosen,
            "session.save": lab.sessions.is_open,
            "session.saveAs": lab.sessions.is_open,
            "session.close": lab.sessions.is_open,
            "preset.delete": preset is not None and preset.preset.own,
            "record.export": shows and not lab.recorder.exporting,
            "record.cancel": lab.recorder.busy or lab.exchange.busy,
            "session.import": not lab.exchange.busy,
            "edit.undo": bool(lab.history.undo_text),
            "edit.redo": bool(lab.history.redo_text),
        }
        may = lab.sessions.is_open and not lab.exchange.busy
        for it in EXPORTS.values():
            there = shows if it.of == "episode" else True
            table[f"export.{it.name}"] = may and there and not it.missing
        moves = ["stepBack", "stepFwd", "back10", "fwd10", "first", "last"]
        moves += ["nextMark", "prevMark"]
        table["transport.mark"] = lab.noting.possible
        marked = bool(lab.notes.kept.bookmarks)
        table |= {f"transport.{it}Bookmark": marked for it in ("prev", "next")}
        judges = bool(lab.axis.steps) and not lab.branches.hand.playing
        table |= {f"transport.{it}Checkpoint": judges for it in ("prev", "next")}
        table |= {f"transport.{it}": shows for it in moves}
        goes = ("prevEpisode", "nextEpisode", "follow")
        table |= {f"transport.{it}": lab.playback.has_episodes for it in goes}
        table |= self._branches()
        table["predict.reveal"] = lab.why.predict.hidden
        table["transport.backward"] = lab.why.trail.can_go_back
        table["transport.forward"] = lab.why.trail.can_go_forward
        table["replay.prioritize"] = (
            lab.draft.configuration.replay.kind != "prioritized"
        )
        table["head.distribution"] = lab.draft.configuration.head.kind == "scalar"
        table["network.remember"] = lab.draft.configuration.network.recurrent == "none"
        if lab.link.lost:
            table |= dict.fromkeys((it for it in table if _needs_engine(it)), False)
        return table

    def _branches(self) -> dict[str, bool]:
        branches = self._lab.branches
        here = self._lab.episode.data is not None
        inside, playing = branches.current is not None, branches.hand.playing
        table = dict.fromkeys(("choose", "playSeed", "byHand"), here and not playing)
        elsewhere = self._window.current_workspace().name != "step"
        newest = self._lab.playback.has_episodes and (elsewhere or not here)
        table["byHand"] = (newest or (here and not branches.refusal)) and not playing
        table["handBack"] = playing
        of_one = ("leave", "rename", "delete", "exportTable", "exportFilm")
        table |= dict.fromkeys(of_one, inside)
        return {f"branch.{name}": usable for name, usable in table.items()}


def _needs_engine(command: str) -> bool:
    """Whether nobody would do it while the engine is lost."""
    asked = {"branch.choose", "branch.playSeed", "branch.byHand", "offline.this"}
    asked |= {"train.continue", "train.rewind", "train.halveBatch", "record.export"}
    return command in asked or command.startswith(("session.", "export."))
