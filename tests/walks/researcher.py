"""What a researcher does to a run: switch its parts, lose its engine, look back."""

from __future__ import annotations

from typing import Any

import psutil
from PySide6.QtWidgets import QAbstractItemView

from engine.service.connection import read_connection
from engine.service.home import find_home
from rllab_gui.link import LOST
from rllab_gui.views.bellman import StepBellmanView
from tests.walks.student import LEARN_S, Student

DISCOUNT = "agent.discount"
DOUBLE = "agent.double"
BEFORE, AFTER = 0.99, 0.5
FIRST_STEPS, LATER_STEPS = 3_000, 6_000
AGAIN_S = 60.0
SETTLE_MS = 500


class Researcher(Student):
    """One visit."""

    def switches(self) -> None:
        """Another discount half-way; then a killed engine; then the file alone."""
        self._begin_run("cartpole", "CartPole")
        self._train_until(FIRST_STEPS)
        self._switch()
        switched_at = self._changed(DISCOUNT)
        self._train_until(switched_at + LATER_STEPS)
        self._picture("switched")
        self._judged_by_its_own(switched_at, "live")
        self._lose_engine("engine-is-lost")
        self._wait("the run goes on", lambda: self._lab.run.active, AGAIN_S)
        self._hands.press("Ctrl+1")
        self._wait("the form says what is in force", self._form_is_true)
        self._hands.rest(SETTLE_MS)
        self._picture("engine-is-back")
        self._train_until(self._lab.store.status.step + 1_000)
        self._picture("it-goes-on")
        self._hands.click("main.train.stop")
        self._wait("the run has ended", lambda: not self._lab.run.active)
        path = self._folder / "switched.h5"
        path.unlink(missing_ok=True)
        self._hands.press("Ctrl+Shift+S")
        self._hands.choose_file("dlg.saveAs", path)
        self._wait("the file is there", path.exists)
        self._hands.press("Ctrl+W")
        self._wait("the session is closed", lambda: not self._lab.store.session.uuid)
        self._open(path)
        self._judged_by_its_own(switched_at, "file")
        left = self._lab.cursor.position
        self._lose_engine("engine-of-the-file-is-lost")
        self._wait("it is open as it was", lambda: self._is_at(left), AGAIN_S)
        self._settle()
        self._picture("file-is-back")
        self._hands.press("Ctrl+1")
        self._wait("the form says what is in force", self._form_is_true)
        self._hands.rest(SETTLE_MS)
        self._picture("opened-again")

    # ------------------------------------------------------------------- steps

    def _train_until(self, step: int) -> None:
        status = self._lab.store
        self._wait(f"step {step:,}", lambda: status.status.step >= step, LEARN_S)

    def _switch(self) -> None:
        self._hands.write(f"train.param.{DISCOUNT}.spin", str(AFTER))
        self._hands.click(f"train.param.{DOUBLE}.check")
        self._wait("the discount was switched", lambda: self._changed(DISCOUNT))
        self._wait("double was switched", lambda: self._changed(DOUBLE))

    def _changed(self, key: str) -> int:
        """After which step this option was changed; 0 as long as it was not."""
        found = [it for it in self._lab.store.events if it.data.get("key") == key]
        return found[-1].step if found else 0

    def _form_is_true(self) -> bool:
        form = self._lab.draft.configuration
        return form.get(DISCOUNT) == AFTER and form.get(DOUBLE) is False

    def _judged_by_its_own(self, switched_at: int, where: str) -> None:
        """An episode of before and one of after, each with the numbers of then."""
        self._hands.press("Ctrl+2")
        self._wait("the history is known", lambda: self._is_history(switched_at))
        for name, wanted, discount in (
            ("before", f"kind=training step<{switched_at - 500}", BEFORE),
            ("after", f"kind=training step>{switched_at + 500}", AFTER),
        ):
            self._show_episode(wanted)
            self._tab("Bellman")
            self._settle()
            self._wait(
                f"the update is one with a discount of {discount}",
                lambda discount=discount: self._shown_discount() == discount,
            )
            self._picture(f"{where}-{name}")

    def _is_history(self, switched_at: int) -> bool:
        """What was switched then counts from the next step on."""
        steps = switched_at, switched_at + 1
        found = [self._lab.store.options_at(it).get(DISCOUNT) for it in steps]
        return found == [BEFORE, AFTER]

    def _show_episode(self, wanted: str) -> None:
        table = self._hands.see("step.episodes.table", QAbstractItemView)
        assert isinstance(table, QAbstractItemView)
        self._hands.write("step.episodes.filter", wanted)
        self._hands.rest(300)
        self._wait("there are such episodes", lambda: table.model().rowCount())
        self._hands.click_item(table, table.model().index(0, 1))
        self._settle()

    def _shown_discount(self) -> Any:
        """That of the sentence in the Bellman panel."""
        answer = self._window.findChild(StepBellmanView).asked.answer
        return answer.get("discount") if answer else None

    def _lose_engine(self, name: str) -> None:
        """Killed, told, started again by the button that is offered."""
        problems = self._lab.problems
        engine = read_connection(find_home().connection_file)
        assert engine is not None
        psutil.Process(engine.pid).kill()
        self._wait("it is told", lambda: problems.get(LOST))
        self._hands.rest(500)
        self._picture(name)
        self._lab.commands.run("engine.restart")
        self._wait("another one is there", lambda: problems.get(LOST) is None, AGAIN_S)
