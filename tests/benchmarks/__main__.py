"""Run all benchmarks, or those named: ``python -m tests.benchmarks learner``."""

from __future__ import annotations

import importlib
import sys

from tests.benchmarks.harness import HEAD

BENCHMARKS = ("learner", "prioritized_replay")


def main(wanted: list[str]) -> int:
    """Print one table; 1 where a limit is missed."""
    print(HEAD)
    passed = True
    for name in wanted or BENCHMARKS:
        result = importlib.import_module(f"tests.benchmarks.{name}").run()
        print(result.row(), flush=True)
        passed = passed and result.passed
    return 0 if passed else 1


sys.exit(main(sys.argv[1:]))
