"""P17: the widgets that show a stranger's strings open nothing that these name.

The test of the strings is run under strace; a pipe lies where they point to, and every
call that names it is looked at.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from trials import Trials

TEST = Path(__file__).parents[1] / "gui" / "test_strings_of_strangers.py"
PIPE = "/pipe"
"""How the name ends that many strings hold; only the test itself makes it."""
TELLTALES = (PIPE, "hostile ", "system32", "../../etc")
MADE = ("mknod", "mknodat")


def run(folder: Path) -> Trials:
    """All strings through every widget, once."""
    result = Trials("P17", "strings of strangers in every widget, under strace")
    if shutil.which("strace") is None:
        result.worst = "skipped: strace is not installed"
        return result
    log = folder / "log"
    words = ["strace", "-f", "-qq", "-s", "4096", "-o", str(log)]
    words += ["-e", "trace=%file,%network"]
    words += [sys.executable, "-m", "pytest", str(TEST), "-q", "-p", "no:cacheprovider"]
    words += [f"--basetemp={folder / 'strings'}", "--timeout=600"]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    result.trial("the test itself", _passed, done)
    with log.open(errors="replace") as lines:
        calls = [it.partition(" ")[2].strip() for it in lines]
    result.worst = f"{len(calls)} calls that name a file were looked at"
    made = [it for it in calls if it.startswith(MADE) and f'{PIPE}"' in it]
    result.trial("the pipe is there", _is_there, made)
    for call in calls:
        if names_a_string(call):
            result.trial("a call", _refuse, call)
    return result


def names_a_string(call: str) -> bool:
    """Whether it names what only a string names."""
    return any(it in call for it in TELLTALES) and not call.startswith(MADE)


def _passed(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout[-300:]


def _is_there(made: list[str]) -> None:
    assert made, "no pipe was made"


def _refuse(call: str) -> None:
    raise AssertionError(call[:200])
