"""The lesson that is read: equation, numbers, symbols, what to try, its source."""

from __future__ import annotations

from html import escape
from time import monotonic

from PySide6.QtCore import QSignalBlocker, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from rllab_gui.lab import Lab
from rllab_gui.lessons import markup
from rllab_gui.lessons.library import LessonLibrary
from rllab_gui.lessons.live import LiveNumbers
from rllab_gui.lessons.record import Lesson
from rllab_gui.plots.narrow_box import NarrowBox

EVERY_S = 0.25
"""Numbers that change faster cannot be read."""


class LessonPanel(QWidget):
    """Shows one lesson; a list at the top has all of them.

    Signals:
      pointedAt(str): Object name of what shows the symbol under the pointer; empty
        when it has left.
      wanted(str): Object name of what shows the symbol that was clicked.
      tried(str view_id): Something has been set up in which this view shows it.
    """

    pointedAt = Signal(str)
    wanted = Signal(str)
    tried = Signal(str)

    def __init__(self, lab: Lab, library: LessonLibrary, numbers: LiveNumbers) -> None:
        super().__init__()
        self._lab, self._library, self._numbers = lab, library, numbers
        self.lesson: Lesson | None = None
        self._due = 0.0
        self.setObjectName("lesson")
        self.setAccessibleName("Lesson")
        self.choice = NarrowBox()
        self.choice.setObjectName("lesson.choice")
        self.choice.setAccessibleName("All lessons")
        self.choice.setToolTip("All lessons, by their titles")
        self.choice.setMinimumContentsLength(12)
        self.choice.activated.connect(
            lambda row: self.show_lesson(self.choice.itemData(row))
        )
        self._text = self._label("text")
        self.equation = self._label("equation")
        self.numbers = self._label("numbers")
        self._symbols = self._label("symbols")
        self._derivation = self._label("derivation")
        self._what_if = self._label("whatIf")
        self._try_text = self._label("tryText")
        self.button = QPushButton("Try it")
        self.button.setObjectName("lesson.try")
        self.button.setAccessibleName("Try it: set up the experiment of this lesson")
        self.button.setToolTip("Set the options that it takes; can be undone")
        self.button.clicked.connect(self._try)
        self._source = self._label("source")
        for label in (self.equation, self._symbols):
            label.linkHovered.connect(self._on_hovered)
            label.linkActivated.connect(self._on_clicked)
        self._source.linkActivated.connect(
            lambda link: QDesktopServices.openUrl(QUrl(link))
        )
        self._lay_out()
        lab.pulse.ticked.connect(self._on_tick)
        lab.theme.changed.connect(self._restyle)
        lab.commands.keysChanged.connect(self._name_keys)
        self._restyle()

    def _label(self, name: str) -> QLabel:
        label = QLabel()
        label.setObjectName(f"lesson.{name}")
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setWordWrap(True)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        return label

    def _lay_out(self) -> None:
        page = QWidget()
        column = QVBoxLayout(page)
        for widget in (
            self._text,
            self.equation,
            self.numbers,
            self._symbols,
            self._derivation,
            self._what_if,
            self._try_text,
            self.button,
            self._source,
        ):
            column.addWidget(widget)
        column.addStretch(1)
        self._page = page
        scroll = QScrollArea()
        scroll.setObjectName("lesson.scroll")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        self._scroll = scroll
        whole = QVBoxLayout(self)
        whole.setContentsMargins(6, 6, 6, 6)
        whole.addWidget(self.choice)
        whole.addWidget(scroll, 1)

    # ------------------------------------------------------------------ lesson

    def show_about(self, subject: str) -> bool:
        """Show the lesson about an option (its key) or a view (its id), if any."""
        found = self._library.about(subject) if subject else None
        if found is not None:
            self.show_lesson(found.id)
        return found is not None

    def show_lesson(self, name: str) -> None:
        """Show the lesson of this id."""
        self.lesson = lesson = self._library.lessons[name]
        self._fill_choice()
        with QSignalBlocker(self.choice):
            self.choice.setCurrentIndex(self.choice.findData(name))
        self._text.setText(markup.rich(lesson.text))
        self._derivation.setText(
            _titled("Where it comes from", *map(markup.rich, lesson.derivation))
        )
        self._what_if.setText(_titled("What if?", markup.rich(lesson.what_if)))
        experiment = lesson.experiment
        for widget in (self._try_text, self.button):
            widget.setVisible(experiment is not None)
        if experiment is not None:
            self.button.setVisible(bool(experiment.options or experiment.show))
        self._name_keys()
        self._restyle()
        self._scroll.verticalScrollBar().setValue(0)

    def _name_keys(self) -> None:
        if self.lesson is not None and self.lesson.experiment is not None:
            text = self._lab.commands.with_keys(self.lesson.experiment.text)
            self._try_text.setText(_titled("Try it", markup.rich(text)))

    def _fill_choice(self) -> None:
        if self.choice.count() != len(self._library.lessons):
            self.choice.clear()
            for lesson in self._library.lessons.values():
                self.choice.addItem(lesson.title, lesson.id)

    def _restyle(self) -> None:
        theme = self._lab.theme
        self.equation.setFont(theme.font(relative=1.25))
        self.numbers.setFont(theme.font(relative=1.1))
        for label in (self._symbols, self._source):
            label.setFont(theme.font(relative=0.95))
        if self.lesson is not None:
            link = theme.tokens.link
            self.equation.setText(markup.equation(self.lesson, link))
            self.equation.setAccessibleDescription(markup.plain(self.lesson.equation))
            self._source.setText(_source(self.lesson, link))
            self._show_numbers()

    # ----------------------------------------------------------------- numbers

    def _on_tick(self) -> None:
        if self.lesson is not None and self.isVisible() and monotonic() >= self._due:
            self._due = monotonic() + EVERY_S
            self._show_numbers()

    def _show_numbers(self) -> None:
        assert self.lesson is not None
        now = markup.with_numbers(self.lesson, self._numbers.words)
        self.numbers.setVisible(bool(now))
        _set(self.numbers, f"now: {now}" if now else "")
        link = self._lab.theme.tokens.link
        rows = []
        for number, symbol in enumerate(self.lesson.symbols):
            value = self._numbers.words(symbol.value) if symbol.value else ""
            rows.append(
                f'<tr><td style="white-space:nowrap"><a href="{number}" style="color:'
                f'{link}; text-decoration:none">{markup.rich(symbol.symbol)}</a></td>'
                f"<td>{markup.rich(symbol.meaning)}</td>"
                f'<td align="right"><b>{escape(value)}</b></td>'
                "</tr>"
            )
        _set(self._symbols, f'<table cellpadding="3">{"".join(rows)}</table>')

    # -------------------------------------------------------------- the person

    def _place(self, link: str) -> str:
        assert self.lesson is not None
        source = self.lesson.symbols[int(link)].value if link else ""
        return self._numbers.place(source) if source else ""

    def _on_hovered(self, link: str) -> None:
        self.pointedAt.emit(self._place(link))

    def _on_clicked(self, link: str) -> None:
        place = self._place(link)
        if place:
            self.wanted.emit(place)

    def _try(self) -> None:
        """Set what the experiment takes, as one deed, and show where to look."""
        assert self.lesson is not None
        experiment = self.lesson.experiment
        assert experiment is not None
        if experiment.options:
            self._lab.draft.set_many(
                experiment.options, f"the experiment of {self.lesson.title}"
            )
        self.tried.emit(experiment.show)


def _titled(title: str, *lines: str) -> str:
    return f"<p><b>{escape(title)}</b><br>{'<br>'.join(lines)}</p>"


def _source(lesson: Lesson, colour: str) -> str:
    paper = lesson.paper
    link = (
        f'<a href="{escape(paper.link)}" style="color:{colour}">'
        f"{markup.breakable(paper.link)}</a>"
    )
    lines = [f"{escape(paper.authors)} ({paper.year}). {escape(paper.title)}.", link]
    if lesson.function:
        lines.append(f"Computed here by <tt>{markup.breakable(lesson.function)}</tt>.")
    return _titled("Source", *lines)


def _set(label: QLabel, text: str) -> None:
    """What is the same is not laid out anew: a selection in it would be lost."""
    if label.text() != text:
        label.setText(text)
