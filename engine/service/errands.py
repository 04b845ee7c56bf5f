"""What the keeper does beside its work: questions whose answer takes a while."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.exports import EXPORTS
from engine.contract.messages import Answer, Ask, JobProgress, Message
from engine.service.child_command import ChildCommand
from engine.sessions import SessionProblem, open_session
from engine.sessions.atomic import sweep
from engine.sessions.forking import fork
from engine.sessions.hdf5 import safe_name
from engine.sessions.live_folder import live_path
from engine.sessions.minari_layout import DATA_FOLDER
from engine.sessions.source import NEWEST

CERTIFY_WITHIN_S = 900.0
EXCHANGE_WITHIN_S = 3600.0
ERRANDS = frozenset({"configuration_of", "fork", "certify", "export", "import"})

Send = Callable[[str, Message], None]


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done.

    Attributes:
      do: In a thread of its own; returns what is answered.
      give_up: Ends it before its time.
    """

    do: Callable[[], dict[str, Any]]
    give_up: Callable[[], None] = lambda: None


class Errand:
    """One of them, in a thread of its own."""

    def __init__(self, sender: str, ask: Ask, deed: Deed) -> None:
        self.sender, self.number, self.deed = sender, ask.id, deed
        self._result: dict[str, Any] = {}
        self._error = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """There is an answer."""
        return not self._thread.is_alive()

    def answer(self) -> Answer:
        """What came of it."""
        return Answer(self.number, self._result, self._error)

    def _run(self) -> None:
        try:
            self._result = self.deed.do()
        except SessionProblem as problem:
            self._error = str(problem)
        except OSError as error:
            self._error = f"It could not be done: {error.strerror or error}."
        except Exception as error:
            # A thread that dies in silence would look as if all had gone well.
            sys.stderr.write(traceback.format_exc())
            self._error = f"It failed: {type(error).__name__}: {error}."


class Errands:
    """All that are under way.

    Args:
      tell: Takes messages for all windows, in any thread.
    """

    def __init__(self, tell: Callable[[Message], None]) -> None:
        self._tell = tell
        self._under_way: list[Errand] = []

    def start(self, sender: str, ask: Ask, deed: Deed) -> None:
        """Do it, and answer when it is done."""
        self._under_way.append(Errand(sender, ask, deed))

    def settle(self, send: Send) -> None:
        """Answer what is done."""
        for errand in [it for it in self._under_way if it.is_over]:
            self._under_way.remove(errand)
            send(errand.sender, errand.answer())

    def cancel(self, sender: str, number: int) -> None:
        """Give up what this question has asked for; nobody waits for the answer."""
        for errand in list(self._under_way):
            if (errand.sender, errand.number) == (sender, number):
                errand.deed.give_up()
                self._under_way.remove(errand)

    def close(self) -> None:
        """Nothing of ours stays behind."""
        for errand in self._under_way:
            errand.deed.give_up()

    def deed(
        self,
        ask: Ask,
        path: Path | None,
        resolve: Callable[[str], Path],
        *,
        live: bool,
    ) -> Deed | None:
        """What a question asks for; None where it is no errand.

        Args:
          ask: The question.
          path: Of the session that is open.
          resolve: The full path of a name.
          live: The session that is open is being written.

        Raises:
          SessionProblem: If it cannot be done now.
          KeyError: If an argument is missing.
        """
        if ask.question not in ERRANDS:
            return None
        arguments = ask.arguments
        if ask.question == "configuration_of":
            wanted = resolve(str(arguments["path"]))
            return Deed(lambda: configuration_of(wanted))
        if ask.question == "import":
            return self._import(Path(str(arguments["path"])), resolve)
        if path is None:
            raise SessionProblem("No session is open.")
        if ask.question == "fork":
            target, step = resolve(str(arguments["target"])), int(arguments["step"])
            overwrite = bool(arguments["overwrite"])
            return Deed(lambda: forked(path, target, step, overwrite=overwrite))
        if ask.question == "export":
            return self._export(path, arguments)
        if live:
            raise SessionProblem(
                f"'{path.stem}' is still being written: stop it, and certify it when "
                "it is saved."
            )
        words = ["certify", str(path), "--json", "--updates"]
        child = ChildCommand([*words, str(int(arguments["updates"]))], CERTIFY_WITHIN_S)
        return Deed(child.run, child.kill)

    def _export(self, path: Path, arguments: dict[str, Any]) -> Deed:
        """``rllab export`` of the open session, as it is durable now."""
        wanted = EXPORTS[str(arguments["name"])]
        target = Path(str(arguments["path"])).expanduser().absolute()
        words = ["export", str(path), "--to", wanted.to, "--out", str(target)]
        words += ["--json", "--force"]
        if wanted.of == "episode":
            words += ["--kind", str(arguments["kind"])]
            words += ["--episode", str(int(arguments["episode"]))]
        return self._exchange(words, target, f"Writing {target.name}")

    def _import(self, path: Path, resolve: Callable[[str], Path]) -> Deed:
        """``rllab import``, under a name in the sessions folder that is free."""
        folder = path.parent if path.is_file() else path
        folder = folder.parent if folder.name == DATA_FOLDER else folder
        name = safe_name(folder.name)
        names = (
            f"{name}{number}" for number in chain([""], map("-{}".format, count(2)))
        )
        target = next(it for it in map(resolve, names) if not _taken(it))
        target.parent.mkdir(parents=True, exist_ok=True)
        words = ["import", str(path.absolute()), "--out", str(target), "--json"]
        return self._exchange(words, target, f"Importing {folder.name}")

    def _exchange(self, words: list[str], target: Path, text: str) -> Deed:
        """A command that leaves one thing, and nothing where it does not end well."""
        job = f"{words[0]}.{target.name}"

        def tell(fraction: float, more: str = "") -> None:
            said = f"{text}: {more}" if more else text
            self._tell(JobProgress(job, min(fraction, 0.99), said))

        child = ChildCommand(words, EXCHANGE_WITHIN_S, tell)

        def do() -> dict[str, Any]:
            tell(0.0)
            try:
                return child.run()
            finally:
                sweep(target.parent, target.name)
                self._tell(JobProgress(job, 1.0, text, done=True))

        return Deed(do, child.kill)


def _taken(path: Path) -> bool:
    return path.exists() or live_path(path).exists()


def forked(path: Path, target: Path, step: int, *, overwrite: bool) -> dict[str, Any]:
    """A new session from a checkpoint of this one; -1 is the newest.

    Raises:
      SessionProblem: See :func:`engine.sessions.forking.fork`.
    """
    made = fork(path, target, NEWEST if step < 0 else step, overwrite=overwrite)
    return {"path": str(target), **made._asdict()}


def configuration_of(path: Path) -> dict[str, Any]:
    """Of a session that is not open, and how many episodes it has recorded.

    Raises:
      SessionProblem: If it cannot be opened.
    """
    source = open_session(path)
    try:
        recorded = int(np.count_nonzero(source.episodes()["recorded"]))
        return {
            "path": str(path),
            "configuration": source.configuration(),
            "recorded": recorded,
        }
    finally:
        source.close()
