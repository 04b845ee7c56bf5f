"""Starts the window: settings, engine, theme, guard; Qt is imported inside."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.contract.garbage import kept_for_good

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from rllab_gui.link import EngineClient
    from rllab_gui.main_window import MainWindow


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the lab, with a session if one is named; returns the exit status."""
    options = _parse(sys.argv[1:] if arguments is None else list(arguments))
    with kept_for_good():
        application, window = _shown()
    if options.session:
        window.lab.sessions.open(options.session)
    window.lab.pulse.start()
    # The pulse gives Python its turns, so that Ctrl+C in a terminal is heard.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    return application.exec()


def _shown() -> tuple[QApplication, MainWindow]:
    """The application and its window, which shows itself in a moment."""
    from rllab_gui.engine_start import EngineStart

    starting = EngineStart()  # works in the background while Qt is being imported
    application = make_application()
    client = starting.client()
    window = make_window(client)
    if starting.problem is not None:
        window.lab.problems.report(starting.problem)
    else:
        _look_back(window, client.connection.logs)
    window.show()
    return application, window


def _look_back(window: MainWindow, logs: str) -> None:
    """Offer the traces of the last run, and keep those of this one."""
    from pathlib import Path

    from rllab_gui.last_run import LastRun

    last = LastRun(Path(logs), window.lab.settings)
    if (problem := last.problem()) is not None:
        window.lab.problems.report(problem)
    last.watch()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="rllab", description="A visual laboratory for reinforcement learning."
    )
    parser.add_argument("session", nargs="?", help="session file to open")
    return parser.parse_args(arguments)


def make_application() -> QApplication:
    """The application object, with our name, icon and key guard."""
    import pyqtgraph  # noqa: F401  (it replaces sys.excepthook: before ours)
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication

    from rllab_gui.frame.guard import PlainKeyGuard
    from rllab_gui.theme.icons import FOLDER

    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication([])
    application.setStyle("Fusion")  # here: each widget that there is, is dressed anew
    application.setApplicationName("rllab")
    application.setApplicationDisplayName("RL Lab")
    application.setWindowIcon(QIcon(str(FOLDER / "app.svg")))
    if application.findChild(PlainKeyGuard) is None:
        PlainKeyGuard(application)
    return application


def make_window(client: EngineClient) -> MainWindow:
    """The window and all its models, dressed but not shown."""
    from rllab_gui.lab import Lab
    from rllab_gui.main_window import MainWindow
    from rllab_gui.problems import NOT_KEPT, install_hook
    from rllab_gui.settings import Settings

    lab = Lab(client, Settings())
    lab.settings.tell(lambda: lab.problems.report(NOT_KEPT))
    install_hook(lab.problems)
    lab.theme.apply_font()
    window = MainWindow(lab)
    lab.theme.apply()  # afterwards: a style sheet triples the time to build widgets
    return window
