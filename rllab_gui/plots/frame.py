"""What all plots share: header, legend, axis mode, model, words, and export."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic
from typing import Any

from PySide6.QtCore import Property, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from rllab_gui.plots import export
from rllab_gui.plots.header import PlotHeader
from rllab_gui.plots.legend import Legend
from rllab_gui.plots.zoomed import ZoomedCanvas
from rllab_gui.theme import Theme

LEGEND_FROM = 170
"""Height in pixels from which the legend may take several lines."""
LIVE_LEGEND_S = 0.25
"""``legend_every_s`` of plots that follow training: nobody reads faster."""
WORDS_EVERY_S = 1.0
"""Least time between two changes of what a screen reader says."""


class PlotFrame(QWidget):
    """A header, a canvas that a subclass brings, and a legend below.

    Attributes:
      plot_id: Name in object names (``plot.<id>.auto``).
      header: Title and buttons.
      legend_every_s: Least time between two changes of the legend; 0 for a plot
        whose words have to belong to the same moment as its picture.
      legend_waits: They come when the picture has been painted, some milliseconds
        later: to lay words out takes as long as to draw.

    Signals:
      axisModeChanged(str): ``auto`` or ``manual``.
      logToggled(bool), smoothingChanged(float): Another form is wanted.
      described(str): What the plot shows, in words, at most once a second.
      helpAsked(str plot_id): Somebody wants to know what this is.
      exportFailed(str): A sentence; nothing was written.
      exported(str path): The file is written.
    """

    axisModeChanged = Signal(str)
    logToggled = Signal(bool)
    smoothingChanged = Signal(float)
    described = Signal(str)
    helpAsked = Signal(str)
    exportFailed = Signal(str)
    exported = Signal(str)

    def __init__(
        self,
        plot_id: str,
        title: str,
        theme: Theme,
        *,
        log: bool | None = None,
        smoothing: float | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__()
        self.plot_id = plot_id
        self.theme = theme
        self.smoothing = smoothing or 0.0
        self._title = title
        self._auto = True
        self._model: dict[str, Any] = {}
        self._caption = ""
        self._clock = clock
        self._words_at = -WORDS_EVERY_S
        self._words_due = ""
        self._words_timer = QTimer(self, singleShot=True)
        self._words_timer.timeout.connect(self._say)
        self.legend_every_s, self.legend_waits = 0.0, False
        self._legend_at = -math.inf
        self._legend_due = ""
        self._legend_timer = QTimer(self, singleShot=True)
        self._legend_timer.timeout.connect(self._show_legend)
        self.setObjectName(f"plot.{plot_id}")
        self.setAccessibleName(title)
        self.header = PlotHeader(plot_id, title, theme, log=log, smoothing=smoothing)
        self.canvas: QWidget = QWidget()
        self._legend = Legend(theme, self)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(2, 0, 2, 2)
        self._layout.setSpacing(0)
        self._layout.addWidget(self.header)
        self._layout.addWidget(self._legend)
        self._connect_header()
        theme.changed.connect(self.restyle)

    def _connect_header(self) -> None:
        self.header.autoToggled.connect(self.set_auto)
        self.header.logToggled.connect(self._on_log)
        self.header.smoothingChosen.connect(self.set_smoothing)
        self.header.exportChosen.connect(self.ask_path)
        self.header.helpAsked.connect(lambda: self.helpAsked.emit(self.plot_id))

    def set_canvas(self, canvas: QWidget) -> None:
        """Take this widget as the picture, under the name of the plot."""
        self.canvas = canvas
        canvas.setObjectName(f"plot.{self.plot_id}.canvas")
        canvas.setAccessibleName(self._title)
        canvas.installEventFilter(self)
        if isinstance(canvas, ZoomedCanvas):
            canvas.zoomed.connect(lambda: self.set_auto(False))
            canvas.autoAsked.connect(lambda: self.set_auto(True))
        self._layout.insertWidget(1, canvas, 1)
        self.restyle()

    # ------------------------------------------------------------ for all to see

    def _get_axis_mode(self) -> str:
        return "auto" if self._auto else "manual"

    axisMode = Property(str, _get_axis_mode, notify=axisModeChanged)

    @property
    def is_auto(self) -> bool:
        """Whether the axes keep themselves."""
        return self._auto

    def model(self) -> dict[str, Any]:
        """The arrays that are shown, by name."""
        given = self._model.items()
        return {name: it() if callable(it) else it for name, it in given}

    def set_model(self, **arrays: Any) -> None:
        """Say which arrays are shown; a function is called when somebody asks."""
        self._model = arrays

    def caption(self) -> str:
        """What stands below an exported picture: step, seeds, smoothing."""
        return self._caption

    def set_caption(self, caption: str) -> None:
        """Set :meth:`caption`."""
        self._caption = caption

    def set_legend(self, html: str) -> None:
        """Name what is drawn, in the line below the plot."""
        if html == self._legend_due:
            return
        self._legend_due = html
        wait = self._legend_at + self.legend_every_s - self._clock()
        if wait <= 0.0 and not self.legend_waits:
            self._show_legend()
        elif not self._legend_timer.isActive():
            self._legend_timer.start(round(1000 * max(0.0, wait)) + 1)

    def _show_legend(self) -> None:
        self._legend_at = self._clock()
        self._legend.set_text(self._legend_due)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In little room the legend is one line that says so if it has been cut."""
        super().resizeEvent(event)
        self._fit_legend()

    def _fit_legend(self) -> None:
        self._legend.take_one_line(self.height() < self.theme.px(LEGEND_FROM))

    def legend(self) -> str:
        """Rich text of the line below the plot."""
        return self._legend_due

    # ------------------------------------------------------------------ modes

    def set_auto(self, auto: bool) -> None:
        """Let the axes keep themselves, or leave them to the person."""
        if auto != self._auto:
            self._auto = auto
            self.header.set_auto(auto)
            self.axisModeChanged.emit(self._get_axis_mode())
        if auto:
            self.fit()

    def fit(self) -> None:
        """Bring the automatic ranges into view; a subclass does it."""

    def set_smoothing(self, factor: float) -> None:
        """Use this factor of the moving average."""
        self.smoothing = factor
        self.header.set_smoothing(factor)
        self.smoothingChanged.emit(factor)

    def _on_log(self, log: bool) -> None:
        self.logToggled.emit(log)

    # ------------------------------------------------------------------ words

    def describe(self, sentence: str) -> None:
        """Say what is seen; screen readers hear it at most once a second."""
        if sentence == self._words_due:
            return
        self._words_due = sentence
        wait = self._words_at + WORDS_EVERY_S - self._clock()
        if wait <= 0.0:
            self._say()
        elif not self._words_timer.isActive():
            self._words_timer.start(round(1000 * wait) + 1)

    def _say(self) -> None:
        self._words_at = self._clock()
        self.setAccessibleDescription(self._words_due)
        self.canvas.setAccessibleDescription(self._words_due)
        self.described.emit(self._words_due)

    # ----------------------------------------------------------------- export

    def ask_path(self, kind: str) -> None:
        """Ask where the export is to go; the dialog does not block."""
        dialog = QFileDialog(self, f"Export {self._title}")
        dialog.setObjectName(f"dlg.export.{self.plot_id}")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(kind)
        dialog.setNameFilter(f"{kind.upper()} (*.{kind})")
        dialog.selectFile(f"{self.plot_id}.{kind}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.export)
        dialog.open()

    def export(self, path: str) -> bool:
        """Write the plot; the ending of the path says how. False: it failed."""
        try:
            export.write(path, self._content(path.rpartition(".")[2].lower()))
        except OSError as error:
            self.exportFailed.emit(str(error))
            return False
        self.exported.emit(path)
        return True

    def _content(self, kind: str) -> bytes:
        if kind == "csv":
            return export.csv_bytes(self.model(), self.caption())
        make = {"png": export.png_bytes, "svg": export.svg_bytes}.get(kind)
        if make is None:
            raise export.ExportProblem(
                f"A plot cannot be written as '.{kind}': choose .png, .svg or .csv."
            )
        return make(self.canvas, self._title, self.caption(), self.theme)

    # ------------------------------------------------------------------ looks

    def restyle(self) -> None:
        """Take over the colours and sizes of the theme."""
        self.header.restyle()
        self._fit_legend()
        self._legend.restyle()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Redraw the frame when the canvas gets or loses the focus."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground of the panel, and a frame while the canvas has the focus."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.tokens.panel))
        if self.canvas.hasFocus():
            painter.setPen(QColor(self.theme.tokens.accent))
            painter.drawRect(self.canvas.geometry().adjusted(-1, -1, 0, 0))
        painter.end()
