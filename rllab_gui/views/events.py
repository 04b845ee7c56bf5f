"""What happened in this run, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtWidgets import QHBoxLayout

from engine.contract.messages import Event
from rllab_gui.option_words import event_text
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.tables import CalmTable, filter_field

SHOWN = 2_000
HEADINGS = (
    ("step", "Environment step at which it happened"),
    ("time", "Clock time at which it happened"),
    ("kind", "What kind of event it is"),
    ("what happened", "One sentence; equal ones in a row are counted"),
)
WORDS = {"option": "option changed"}
SAMPLES = ("99,999", "00:00:00", "", "")
"""What is to fit into the columns in any case."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event, or several equal ones in a row; ``event`` is the newest of them."""

    event: Event
    times: int = 1

    @property
    def text(self) -> str:
        """The sentence, and how often it came."""
        again = f"   × {self.times:,}" if self.times > 1 else ""
        return event_text(self.event) + again


def folded(events: Iterable[Event], words: str = "") -> list[Row]:
    """Newest first, equal neighbours as one; only what has all of these words."""
    rows: list[Row] = []
    wanted = words.lower().split()
    for event in reversed(list(events)):
        text = f"{event.step} {event.kind} {event_text(event)}".lower()
        if not all(word in text for word in wanted):
            continue
        last = rows[-1] if rows else None
        if last and (last.event.kind, last.event.text) == (event.kind, event.text):
            rows[-1] = Row(last.event, last.times + 1)
        elif len(rows) < SHOWN:
            rows.append(Row(event))
    return rows


class EventRows:
    """The rows as a table."""

    headings = HEADINGS

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def set_rows(self, rows: list[Row]) -> int:
        """Show these; returns how many more there are than before."""
        added = len(rows) - len(self.rows)
        self.rows = rows
        return added

    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def text(self, row: int, column: int) -> str:
        """Step, time, kind or sentence."""
        shown = self.rows[row]
        event = shown.event
        if column == 0:
            return f"{event.step:,}"
        if column == 1:
            return datetime.fromtimestamp(event.wall_time).strftime("%H:%M:%S")
        if column == 2:
            return WORDS.get(event.kind, event.kind)
        return shown.text

    def tip(self, row: int, column: int) -> str:
        """The whole sentence, and the day."""
        event = self.rows[row].event
        day = datetime.fromtimestamp(event.wall_time).strftime("%Y-%m-%d %H:%M:%S")
        return f"{event_text(event)}\n{day}"

    def is_number(self, column: int) -> bool:
        """The step is a number."""
        return column == 0


class EventsView(View):
    """Table of events with a filter."""

    view_id = "events"
    title = "Events"
    about = "What happened in this run: changed options, checkpoints, problems."

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.rows = EventRows()
        self.table = CalmTable(
            self.rows, context.theme, "train.events.table", "Events of this run"
        )
        self.table.set_widths((66, 66, 100, 230), SAMPLES)
        self.filter = filter_field(
            "train.events.filter",
            "Filter of the events",
            "Filter: words that must be in a row",
            self,
        )
        self.filter.textChanged.connect(self.refresh)
        head = QHBoxLayout()
        gap = context.theme.px(4)
        head.setContentsMargins(gap, gap, gap, gap)
        head.addWidget(self.filter)
        self.body_layout.addLayout(head)
        self.body_layout.addWidget(self.table, 1)
        context.store.eventsChanged.connect(self.refresh)
        context.store.wasReset.connect(self.refresh)

    def emptiness(self) -> tuple[str, str, Sequence[tuple[str, str]]] | None:
        """Nothing has happened yet."""
        if self.context.store.events:
            return None
        words = "Changed options, checkpoints and problems are listed here."
        return "Nothing has happened yet.", words, ()

    def draw(self) -> None:
        """Bring the rows up to date; what is scrolled to stays where it is."""
        rows = folded(self.context.store.events, self.filter.text())
        if rows == self.rows.rows:
            return
        chosen = self._chosen()
        self.table.replace(lambda: self.rows.set_rows(rows))
        self._choose(chosen)
        if rows:
            newest = rows[0]
            self.describe(f"Newest at step {newest.event.step:,}: {newest.text}")

    def _chosen(self) -> Event | None:
        index = self.table.currentIndex()
        return self.rows.rows[index.row()].event if index.isValid() else None

    def _choose(self, event: Event | None) -> None:
        for number, row in enumerate(self.rows.rows):
            if row.event is event:
                self.table.selectRow(number)
                return

    def restyle(self) -> None:
        """Take over fonts and sizes."""
        self.table.restyle()
