"""The Bellman inspector: what this step would be moved towards, and why."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from PySide6.QtWidgets import QToolButton

from rllab_gui.plots.bellman import UpdatePanel
from rllab_gui.plots.numbers import count
from rllab_gui.plots.updates import (
    UpdateRow,
    choices,
    equation,
    error_words,
    plain,
    rows_of,
    signed,
    standing,
    substituted,
)
from rllab_gui.resting import Resting
from rllab_gui.selection import Step
from rllab_gui.views.asking import AskingView, Empty
from rllab_gui.views.base import ViewContext
from rllab_gui.views.episode_model import Moment, action_word

FURTHER = ("reward", "discount", "bootstrap", "target", "estimate", "td_error")


class StepBellmanView(AskingView):
    """The update of the step at the cursor, its equation with its own numbers."""

    view_id = "stepBellman"
    title = "Update of this step"
    tab = "Bellman"
    about = (
        "What learning from this step would do: the target y that Q(s,a) is moved "
        "towards, with this step's own numbers, as the learner itself computes it. "
        "Faint rows show the same with one part switched: double Q-learning, the "
        "length n of the window, the target network. A termination ends bootstrapping, "
        "a time limit does not. Below: how likely the replay memory was to draw it. "
        "A row that is chosen in the replay table is shown instead, until the cursor "
        "moves."
    )
    question = "explain_update"
    refused = "There is no update to be shown."

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._row = 0
        self._chosen: Step | None = None
        self.memory = Resting(context.link, "remembered", self)
        context.episode.leaving.connect(self.memory.drop)
        self.memory.changed.connect(self._on_memory)
        self.panel = UpdatePanel(context.theme)
        self.plot.set_canvas(self.panel)
        self.panel.chart.chosen.connect(self._on_chosen)
        self._projection = QToolButton(self)
        self._projection.setObjectName("plot.stepBellman.projection")
        self._projection.setText("Projection")
        self._projection.setAccessibleName("Show the projection of C51")
        self._projection.setToolTip("How C51 makes the target of this step, as a film")
        self._projection.setAutoRaise(True)
        self._projection.clicked.connect(self._on_projection)
        self._projection.hide()
        self.plot.header.add(self._projection)
        context.selection.changed.connect(self._on_selection)
        context.cursor.changed.connect(self._on_cursor)

    def wish(self, moment: Moment) -> dict[str, Any] | None:
        """A row of the replay table, or this step; nothing behind the last one."""
        if self._chosen is not None:
            episode, t = self._chosen
            step = {"kind": "training", "episode": episode, "t": t}
            return step | {"checkpoint_step": moment.episode.key[1]}
        return None if moment.is_last else super().wish(moment)

    def emptiness(self) -> Empty | None:
        """Behind the last step there is nothing to learn from."""
        moment = self.context.episode.moment
        ends = moment is not None and moment.is_last and self._chosen is None
        if ends:
            return "Here the episode ends.", "An update belongs to a step: go back.", ()
        return super().emptiness()

    def draw(self) -> None:
        """Show what the stage said, the chosen row in full."""
        answer = self.asked.answer
        rows = rows_of(answer)
        self._row = min(self._row, len(rows) - 1)
        options = self.context.store.configuration
        self._projection.setVisible(options.head.kind == "c51")
        row = rows[self._row]
        taken = self._word(int(answer["action"]))
        rule = equation(row, str(answer["estimator"]))
        numbers = substituted(row, self._word, float(answer["discount"]))
        error = error_words(row, taken)
        lines = (rule, escape(numbers), escape(error))
        self.panel.show_rows(rows, self._row, lines)
        self._explain(rows, answer)
        self.say(self._sentence(row, answer), f"{plain(rule)}; {numbers}; {error}.")
        self.plot.set_model(
            **{name: np.array([getattr(it, name) for it in rows]) for name in FURTHER}
        )

    def _sentence(self, row: UpdateRow, answer: dict[str, Any]) -> str:
        taken = self._word(int(answer["action"]))
        way = "up" if row.td_error > 0 else "down"
        switched = "" if row.name == "current" else f" ({row.title})"
        return (
            f"{self._whose()}t {answer['t']}: learning from it would move Q of {taken} "
            f"{way}{switched}: δ = {signed(row.td_error)}."
        )

    def _explain(self, rows: tuple[UpdateRow, ...], answer: dict[str, Any]) -> None:
        options = self.context.store.configuration
        row = rows[self._row]
        words = [
            f"{self._whose()}t {answer['t']}, by checkpoint "
            f"{count(answer['checkpoint_step'])}.",
            self._recorded(),
            choices(row, self._word),
            self._standing(rows[0].priority),
            "Rewards clipped to ±1." if options.environment.clip_rewards else "",
            str(answer["note"]),
        ]
        self.plot.set_legend(escape(" ".join(it for it in words if it)))

    def _whose(self) -> str:
        """Which episode the answer is about, where it is not the one at the cursor."""
        about = self.asked.arguments
        if self._chosen is None or about.get("episode") != self._chosen[0]:
            return ""
        return f"Chosen in the replay table: episode {count(self._chosen[0])}, "

    def _standing(self, priority: float) -> str:
        """How likely the memory was to draw it, as soon as that is known."""
        memory = self.memory.answer
        if self.memory.busy or memory.get("t") != self.asked.answer["t"]:
            return self.memory.problem
        then = self.context.store.options_at(memory.get("checkpoint_step"))
        return standing(memory, priority, then.replay.alpha)

    def ask(self) -> None:
        """The update first; where it stands in the memory takes longer."""
        super().ask()
        moment = self.context.episode.moment
        wish = self.wish(moment) if moment is not None else None
        if moment is None or wish is None or not self.wanted():
            self.memory.drop()
        else:
            self.memory.want(moment.episode.key[0], wish)

    def _on_memory(self) -> None:
        self.refresh()
        self.context.pulse.soon()

    def _recorded(self) -> str:
        """Why another TD error may stand below the frame."""
        moment = self.context.episode.moment
        if moment is None or moment.episode.key[1] >= 0 or self._chosen is not None:
            return ""
        return "(δ below the frame: over one step, from Q-values as recorded.)"

    def _word(self, action: int) -> str:
        moment = self.context.episode.moment
        return action_word(moment.episode.action_names if moment else (), action)

    def _on_chosen(self, row: int) -> None:
        self._row = row
        self.refresh()
        self.context.pulse.soon()

    def _on_selection(self) -> None:
        """One row of the replay table is a transition to be inspected."""
        selection = self.context.selection
        alone = selection.source == "stepReplay" and len(selection.steps) == 1
        self._inspect(next(iter(selection.steps)) if alone else None)

    def _on_cursor(self, *_: object) -> None:
        """Where the person goes is what is inspected."""
        self._inspect(None)

    def _inspect(self, step: Step | None) -> None:
        chosen = step if step is not None and step[0] >= 0 else None
        if chosen != self._chosen:
            self._chosen = chosen
            self._on_moment()
            self.context.pulse.soon()

    def _on_projection(self) -> None:
        self.context.commands.run("returns.projection")

    def restyle(self) -> None:
        """Take over fonts and colours."""
        self.panel.restyle()
