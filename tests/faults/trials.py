"""What a campaign hands back: trials, failures, and figures worth printing."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Trials:
    """The outcome of one campaign.

    Attributes:
      promise: Its name in the list of promises.
      text: What was tried.
      failures: A sentence for each trial that broke the promise.
      worst: The worst measured figure, with its unit.
    """

    promise: str
    text: str
    count: int = 0
    failures: list[str] = field(default_factory=list)
    worst: str = ""

    def trial(self, label: str, check: Callable[..., Any], *arguments: Any) -> Any:
        """Run one trial and hand back its result; an exception is a failure."""
        self.count += 1
        try:
            return check(*arguments)
        except (Exception, pytest.fail.Exception) as error:
            self.failures.append(f"{label}: {type(error).__name__}: {error}"[:300])


def scaled(count: int) -> int:
    """The count of trials, times the environment variable RLLAB_FAULT_SCALE."""
    return max(1, round(count * float(os.environ.get("RLLAB_FAULT_SCALE", "1"))))
