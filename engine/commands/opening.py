"""``rllab [SESSION]`` and ``rllab demo``: the window, as a program of its own."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from engine.commands.arguments import Commands, command
from engine.commands.output import write
from engine.commands.problems import DONE, FAILED, CommandProblem, Refused

NO_DISPLAY = (
    "There is no display, so no window can open. 'rllab demo --out DIR' works without "
    "one, and so does 'rllab train'."
)


def add(commands: Commands) -> None:
    """Add these commands to the parser."""
    # What 'rllab' and 'rllab SESSION.h5' mean.
    lab = command(commands, "open", open_lab, "")
    lab.add_argument("file", nargs="?", type=Path, metavar="SESSION.h5")
    show = command(commands, "demo", demo, "drive the real window and keep pictures")
    show.add_argument("--out", required=True, type=Path, metavar="DIR")


def open_lab(arguments: argparse.Namespace) -> int:
    """The window, with a session if one is named; stays until it is closed."""
    from engine.sessions.live_folder import live_path

    rest = []
    if arguments.file is not None:
        path = arguments.file.expanduser().absolute()
        if not path.exists() and not live_path(path).is_dir():
            raise Refused(f"There is no session file '{path.name}'.")
        rest = [str(path)]
    if not has_display():
        raise CommandProblem(NO_DISPLAY)
    return _run_window("rllab_gui", rest)


def demo(arguments: argparse.Namespace) -> int:
    """The window, driven by clicks; works without a display."""
    folder = arguments.out.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"The folder '{folder.name}' cannot be made: {error.strerror}. Choose "
            "another one with --out."
        ) from error
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    status = _run_window("rllab_gui.demo", ["--out", str(folder)])
    if status == DONE:
        _check_session(folder / "demo.h5")
    return status


def _check_session(path: Path) -> None:
    """Open what the window has left, in another process than the one that wrote it.

    Raises:
      CommandProblem: If it is not whole.
    """
    from engine.sessions import inspect

    found = inspect(path, verify=True)
    if found["problems"] or not found["verified"]:
        problems = " ".join(found["problems"])
        raise CommandProblem(f"The session that the demo saved is damaged: {problems}")
    write(
        f"{path.name} is whole: {found['steps']:,} steps, {found['episodes']:,} "
        f"episodes, {found['checkpoints']} checkpoints"
    )


def has_display() -> bool:
    """Whether a window can open; a platform that was chosen on purpose counts."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _run_window(module: str, arguments: list[str]) -> int:
    """Run a module of the window to its end; Ctrl+C is its own business."""
    if find_spec("PySide6") is None:
        raise CommandProblem(
            "The window needs PySide6, which is not installed. Set the lab up with "
            "'python3 packaging/bootstrap.py'."
        )
    # -P: a module that lies beside a session, where we may stand, is not ours.
    process = subprocess.Popen([sys.executable, "-P", "-m", module, *arguments])
    while True:
        try:
            status = process.wait()
            break
        except KeyboardInterrupt:
            continue
    if status < 0 or status == 134:
        raise CommandProblem(
            f"The window ended by itself (status {status}). System libraries may be "
            "missing: 'python3 packaging/bootstrap.py' names them."
        )
    return DONE if status == 0 else FAILED
