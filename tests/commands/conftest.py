"""The command line as people use it: words in; status, stdout and stderr out."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gymnasium
import pytest

import engine.environments  # noqa: F401 - registers worlds that must stay
from engine.command_line import main


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    status: int
    out: str
    err: str

    def refused_with(self, *parts: str) -> None:
        """One sentence on stderr, no traceback, nothing on stdout, status 2."""
        self.failed_with(*parts, status=2)

    def failed_with(self, *parts: str, status: int = 1) -> None:
        """The same, with the status of something that failed while it ran."""
        assert self.status == status, self.err
        assert "Traceback" not in self.err
        lines = self.err.splitlines()
        assert lines[-1].startswith("rllab: ")
        assert len([it for it in lines if it.startswith("rllab: ")]) == 1
        for part in parts:
            assert part in lines[-1]


Rllab = Callable[..., Said]


@pytest.fixture
def rllab(
    capsys: pytest.CaptureFixture, monkeypatch, tmp_path: Path
) -> Iterator[Rllab]:
    """Runs a command in an empty folder, with a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RLLAB_HOME", str(tmp_path / "home"))
    # What --import changes for the processes that follow ends with the test.
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("RLLAB_IMPORT", "PYTHONPATH"):
        monkeypatch.setenv(name, os.environ.get(name, ""))

    def run(*words: object) -> Said:
        capsys.readouterr()
        status = main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    known = dict(gymnasium.registry)
    yield run
    for id in set(gymnasium.registry) - set(known):
        del gymnasium.registry[id]
