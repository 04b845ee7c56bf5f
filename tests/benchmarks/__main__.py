"""Run all quick benchmarks, or those named.

python -m tests.benchmarks                      all but the soak
python -m tests.benchmarks learner start_up     these
python -m tests.benchmarks soak --minutes 5     half an hour where nothing is said
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Iterable

from tests.benchmarks.harness import HEAD, Result

BENCHMARKS = (
    "learner",
    "many_seeds",
    "prioritized_replay",
    "modes",
    "pixels",
    "start_up",
    "first_point",
    "key_to_frame",
    "heavy_panels",
    "stepping_tax",
    "seek",
    "gui_tax",
    "recording",
    "account",
    "gpu",
    "growth",
    "solved",
    "night",
)
LONG = ("soak",)


def main() -> int:
    """Print one table; 1 where a limit is missed."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    options.add_argument("names", nargs="*", choices=[[], *BENCHMARKS, *LONG])
    options.add_argument("--minutes", type=float, default=30.0, help="of the soak")
    chosen = options.parse_args()
    # Whoever ends us early leaves no engine behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(HEAD)
    passed = True
    for name in chosen.names or BENCHMARKS:
        benchmark = importlib.import_module(f"tests.benchmarks.{name}")
        found = benchmark.run(chosen.minutes) if name in LONG else benchmark.run()
        for result in _rows(found):
            print(result.row(), flush=True)
            passed = passed and result.passed
    return 0 if passed else 1


def _rows(found: Result | Iterable[Result]) -> Iterable[Result]:
    return [found] if isinstance(found, Result) else found


sys.exit(main())
