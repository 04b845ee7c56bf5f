"""Starts the window in a home of its own, lets the demo drive it, and leaves."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

TRAIN_S = 25.0
SIZE = (1440, 900)
FAILED = "failed.png"
"""What the window showed when a step did not work."""


def main() -> int:
    """Run the demo; exit status 1 and a sentence if a step fails."""
    parser = argparse.ArgumentParser(prog="rllab demo")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--train-seconds", type=float, default=TRAIN_S)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / FAILED).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(
        prefix="rllab-demo-", ignore_cleanup_errors=True
    ) as home:
        # Settings, sessions and engine of its own: what a person has open is not
        # touched, and every demo begins like the first start.
        os.environ["RLLAB_HOME"] = home
        return _drive(options.out.absolute(), options.train_seconds)


def _drive(folder: Path, train_s: float) -> int:
    from rllab_gui.app import make_application, make_window
    from rllab_gui.demo.hands import DemoProblem
    from rllab_gui.demo.script import Demo
    from rllab_gui.engine_start import EngineStart

    hush_platform()
    starting = EngineStart()
    application = make_application()
    window = make_window(starting.client())
    if starting.problem is not None:
        sys.stderr.write(f"rllab demo: {starting.problem.sentence()}\n")
        return 1
    window.files.native = False
    window.resize(*SIZE)
    window.show()
    window.lab.pulse.start()
    try:
        result = Demo(window, folder, train_s).run()
    except DemoProblem as problem:
        sys.stderr.write(f"rllab demo: {problem}\n")
        window.grab().save(str(folder / FAILED))
        return 1
    finally:
        window.leave(keep_training=False)
        application.quit()
    files = (result.session, result.film, *result.pictures)
    sys.stdout.write(f"left in {folder}: {', '.join(it.name for it in files)}\n")
    return 0


def hush_platform() -> None:
    """Without a display Qt remarks on what it cannot do there, again and again."""
    from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

    def handler(kind: QtMsgType, context: QMessageLogContext, text: str | None) -> None:
        if text and not text.startswith("This plugin does not support"):
            sys.stderr.write(text + "\n")

    qInstallMessageHandler(handler)


if __name__ == "__main__":
    sys.exit(main())
