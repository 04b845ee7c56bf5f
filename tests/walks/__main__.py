"""``python -m tests.walks --out FOLDER [WALK ...]``: walks.

``--theme`` says in which theme it begins (a student looks at the other one too), and
``--scale 1.5`` makes all words larger.

In the real window, by clicks and keys, and with a picture of everything that was seen:
a student steps through a session; a researcher switches options of a run, loses its
engine, and looks back; a presenter selects states, rolls out and exports. It ends with
exit status 1 and a sentence where a step did not do what it should. ``wander`` does
anything in any order, ``--minutes`` long, as ``--seed`` has it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

SIZE = (1366, 768)
WALKS = ("cartpole", "minatar", "switches", "gridworld")
BY_CHANCE = "wander"


def main() -> int:
    """Take the walks that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.walks")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("walks", nargs="*", metavar="WALK", help=" or ".join(WALKS))
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=3.0)
    options = parser.parse_args()
    unknown = [it for it in options.walks if it not in (*WALKS, BY_CHANCE)]
    if unknown:
        parser.error(f"there is no walk '{unknown[0]}': {' or '.join(WALKS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(
        prefix="rllab-walk-", ignore_cleanup_errors=True
    ) as home:
        os.environ["RLLAB_HOME"] = home
        return _walk(options.out.absolute(), options.walks or WALKS, options)


def _walk(folder: Path, names: Sequence[str], options: argparse.Namespace) -> int:
    from rllab_gui.app import make_application, make_window
    from rllab_gui.demo.__main__ import hush_platform
    from rllab_gui.demo.hands import DemoProblem
    from rllab_gui.engine_start import EngineStart
    from rllab_gui.settings import Settings
    from tests.walks.presenter import Presenter
    from tests.walks.researcher import Researcher
    from tests.walks.student import Student
    from tests.walks.wanderer import Wanderer

    visitors: dict[str, type[Student]] = {
        "switches": Researcher,
        "gridworld": Presenter,
        BY_CHANCE: Wanderer,
    }
    hush_platform()
    starting = EngineStart()
    application = make_application()
    # As a person finds it who has chosen so before; a window that changes between
    # being made and being shown is nobody's.
    Settings().set("theme", options.theme)
    Settings().set("scale", options.scale)
    Wanderer.seed, Wanderer.minutes = options.seed, options.minutes
    window = make_window(starting.client())
    window.files.native = False
    window.resize(*SIZE)
    window.show()
    window.lab.pulse.start()
    try:
        for name in names:
            visitor = visitors.get(name, Student)
            getattr(visitor(window, folder / name), name)()
    except DemoProblem as problem:
        sys.stderr.write(f"walk: {problem}\n")
        window.grab().save(str(folder / "failed.png"))
        return 1
    finally:
        window.leave(keep_training=False)
        application.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
