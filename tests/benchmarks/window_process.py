"""The real window with a line in: told what to do, it says what came of it and when.

Started by ``real_lab.Window``; all times are those of the monotonic clock, which is the
same in every process.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from rllab_gui import app

FRESH_S = 5.0
"""A step that has not been painted after so long counts as that."""
BETWEEN_KEYS_S = (0.03, 0.09)
Condition = Callable[[], bool]
Steps = Generator[Condition, None, Any]


def main() -> int:
    """``rllab`` as everybody starts it, with our eyes and hands on its window."""
    make_window = app.make_window

    def make_watched(client: Any) -> Any:
        from tests.benchmarks.window_hands import Hands

        window = make_window(client)
        hands = Hands(window)
        Ear(window, hands)
        return window

    app.make_window = make_watched
    return app.main()


class Ear:
    """Reads orders from stdin and answers on stdout, one at a time."""

    def __init__(self, window: Any, hands: Any) -> None:
        from PySide6.QtCore import QSocketNotifier, QTimer

        self._window, self._hands = window, hands
        self._text = b""
        self._steps: Steps | None = None
        self._ready: Condition = _at_once
        self._heard = QSocketNotifier(
            sys.stdin.fileno(), QSocketNotifier.Type.Read, window
        )
        self._heard.activated.connect(self._on_line)
        self._clock = QTimer(window)
        self._clock.setInterval(5)
        self._clock.timeout.connect(self._go_on)
        window.ear = self  # lives as long as the window

    def _on_line(self) -> None:
        data = os.read(sys.stdin.fileno(), 65536)
        if not data:  # whoever wanted to know has gone
            self._window.leave(keep_training=False)
            os._exit(1)
        self._text += data
        if b"\n" in self._text:
            line, self._text = self._text.split(b"\n", 1)
            self._steps = self._begin(json.loads(line))
            self._ready = _at_once
            self._clock.start()

    def _begin(self, order: dict[str, Any]) -> Steps:
        """The steps of an order; what is wrong with it is told like all else."""
        yield _at_once
        result = yield from getattr(self._hands, order.pop("do"))(**order)
        return result

    def _go_on(self) -> None:
        if self._steps is None or not self._ready():
            return
        try:
            self._ready = next(self._steps)
        except StopIteration as end:
            self._tell({"result": end.value})
        except Exception as error:  # whoever asked must not wait for ever
            self._tell({"error": repr(error)})

    def _tell(self, answer: dict[str, Any]) -> None:
        self._clock.stop()
        self._steps = None
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def after(seconds: float) -> Condition:
    """True when so much time has passed."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until


def pause(rng: random.Random, between_s: Sequence[float] = BETWEEN_KEYS_S) -> Condition:
    """As long as a person takes between two keys, in step with nothing."""
    least, most = between_s
    return after(rng.uniform(least, most))


def _at_once() -> bool:
    return True


if __name__ == "__main__":
    sys.exit(main())
