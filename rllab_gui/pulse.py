"""The beat at which the window takes in and draws: 30, 15 or 5 times a second."""

from __future__ import annotations

from collections import deque
from time import perf_counter, thread_time

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer, Signal

from rllab_gui.link import Link

RATES = (30, 15, 5)
BUDGET_S = 0.5
"""Share of the window's core that everything, painting too, may take before the rate
goes down."""
EASY_S = 0.35
"""Below this share it is tried again; much of the work is not done beat by beat."""

_OTHERS = QEvent.Type(QEvent.registerEventType())
_AFTER_PAINTING = Qt.EventPriority.LowEventPriority.value - 1
"""Requests to paint are posted with the low priority."""


class Pulse(QObject):
    """Polls the engine and lets dirty views draw, once a beat.

    Signals:
      urged(): What a person looks at first draws now, if it has something new; it is
        painted before the others draw where somebody waits.
      ticked(): Views draw now, if they have something new.
      rateChanged(int): Beats per second from now on.
    """

    urged = Signal()
    ticked = Signal()
    rateChanged = Signal(int)
    _wanted = Signal()

    def __init__(self, link: Link, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._rate = RATES[0]
        self._loads: deque[float] = deque(maxlen=15)
        self._beats: deque[float] = deque(maxlen=30)
        self._soon = self._drawing = False
        self._spent = thread_time()
        self.stopped_for_good = False
        self._others_due = False
        self._wanted.connect(self._draw, Qt.ConnectionType.QueuedConnection)
        self._again = QTimer(self, singleShot=True, interval=0)
        self._again.timeout.connect(self._draw)
        self._timer = QTimer(self)
        self._timer.setInterval(1000 // self._rate)
        self._timer.timeout.connect(self._on_time)

    @property
    def rate(self) -> int:
        """Beats per second that are aimed at."""
        return self._rate

    @property
    def measured_rate(self) -> float:
        """Beats per second that came about lately."""
        if len(self._beats) < 2:
            return 0.0
        return (len(self._beats) - 1) / max(self._beats[-1] - self._beats[0], 1e-6)

    def start(self) -> None:
        """Begin to beat."""
        self._spent = thread_time()
        self._timer.start()

    def stop(self) -> None:
        """Hold; :meth:`beat` still works by hand."""
        self._timer.stop()
        self._others_due = False

    def end(self) -> None:
        """Never beat again: the engine has been let go of."""
        self.stopped_for_good = True
        self.stop()

    def beat(self) -> None:
        """Take in what has arrived, let views draw, and tell the engine."""
        self._take_in()
        self.urged.emit()
        self.ticked.emit()
        self._settle()

    def _on_time(self) -> None:
        """The same; where a person waits, what they look at is painted first."""
        self._take_in()
        if self._soon:  # now, and not behind a paint that is due
            self._draw()
        elif not self._others_due:
            self.urged.emit()
            self.ticked.emit()
        self._settle()

    def _take_in(self) -> None:
        self._beats.append(perf_counter())
        self._link.poll()

    def _settle(self) -> None:
        self._link.settle()
        spent = thread_time()
        self._adapt((spent - self._spent) * self._rate)
        self._spent = spent

    def soon(self) -> None:
        """Draw at the next turn of the event loop, or beat: a person is waiting."""
        if self._soon:
            return
        self._soon = True
        if self._drawing:  # who asks for more each time keeps nobody from painting
            self._again.start()
        else:
            self._wanted.emit()

    def _draw(self) -> None:
        if not self._soon:
            return
        self._again.stop()
        self._soon, self._drawing = False, True
        self.urged.emit()
        self._drawing = False
        if not self._others_due:
            self._others_due = True
            QCoreApplication.postEvent(self, QEvent(_OTHERS), _AFTER_PAINTING)

    def event(self, event: QEvent) -> bool:
        """What was urgent has been painted: the others' turn."""
        if event.type() != _OTHERS:
            return super().event(event)
        if self._others_due:
            self._others_due = False
            self.ticked.emit()
        return True

    def _adapt(self, load: float) -> None:
        """Slow down when drawing eats the beat, speed up when it is light."""
        self._loads.append(load)
        if len(self._loads) < (self._loads.maxlen or 0):
            return
        typical = sorted(self._loads)[len(self._loads) // 2]
        at = RATES.index(self._rate)
        if typical > BUDGET_S and at + 1 < len(RATES):
            self._set_rate(RATES[at + 1])
        elif at and typical < EASY_S:
            self._set_rate(RATES[at - 1])

    def _set_rate(self, rate: int) -> None:
        self._rate = rate
        self._loads.clear()
        self._timer.setInterval(1000 // rate)
        self.rateChanged.emit(rate)
