"""The keeper's role: rows in, durable; sessions opened, sealed and asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from engine.contract.messages import (
    Answer,
    Ask,
    Cancel,
    Checkpoint,
    Event,
    Message,
    Rows,
    RowsStored,
)
from engine.service.errands import ERRANDS, Deed, Errands
from engine.service.keeper_notes import NotesKeeper
from engine.service.keeper_questions import answer, recent
from engine.service.keeper_rows import RowKeeper
from engine.service.keeper_runs import (
    check_place,
    fresh_run,
    point_to_go_on,
    run_from,
)
from engine.service.keeper_sealing import Sealing
from engine.service.transport import SUPERVISOR, WINDOWS, Line
from engine.sessions import (
    LiveStore,
    ResumePoint,
    SessionProblem,
    open_session,
)
from engine.sessions.live_folder import discard_live, live_path
from engine.sessions.options_then import options_at
from engine.sessions.replay_spool import discard

STATUS_EVERY_S = 0.25
CYCLE_S = 0.03

Finish = Callable[[dict[str, Any], str], None]


class Keeper(RowKeeper):
    """The one who opens session files."""

    def __init__(self, line: Line, sessions: Path) -> None:
        super().__init__(line)
        self._sessions = sessions
        self._sealings: list[Sealing] = []
        self._later: list[tuple[str, Ask]] = []
        self._out: SimpleQueue[Message] = SimpleQueue()
        self._errands = Errands(self._out.put)
        self._notes = NotesKeeper(self._out)
        self._status_at = 0.0

    # ------------------------------------------------------------------- life

    def cycle(self) -> float:
        """Commit what is due, tell what is durable, finish what is sealed."""
        self._commit()
        self._watch_disk()
        for sealing in [it for it in self._sealings if it.is_over]:
            self._sealings.remove(sealing)
            sealing.settle()
        self._notes.settle(self.source)
        while not self._out.empty():
            self._line.send(WINDOWS, self._out.get())
        self._errands.settle(lambda who, answer: self._line.send(who, answer))
        self._do_later()
        now = time.monotonic()
        if self.store is not None and now >= self._status_at:
            self._status_at = now + STATUS_EVERY_S
            self._tell_status()
        return CYCLE_S if self._parts is None else self._rest_s()

    def close(self) -> None:
        """Make everything durable and let go."""
        self._errands.close()
        try:
            if self.store is not None:
                self.store.flush()
            self._finish_checkpoint()
        finally:
            self._let_go()

    def on_message(self, sender: str, message: Message) -> None:
        """Rows, checkpoints, events and questions."""
        match message:
            case Ask() if sender == SUPERVISOR and message.question in self._orders():
                self._later.append((sender, message))
                self._do_later()
            case Ask():
                self._question(sender, message)
            case Cancel():
                self._errands.cancel(sender, message.id)
            case Rows():
                self._take_rows(message)
            case Checkpoint():
                self._take_checkpoint(message)
            case Event() if self.store is not None:
                self.store.note(
                    message.kind, message.text, message.step, **message.data
                )

    # ----------------------------------------------------------------- orders

    def _orders(self) -> dict[str, Callable[[dict[str, Any], Finish], None]]:
        """What the supervisor asks for; each answers once, perhaps later."""
        return {
            "create": self._create,
            "resume": self._resume,
            "recover": self._recover,
            "attach": self._attach,
            "open": self._open,
            "close": self._close,
            "seal": self._seal,
            "discard": self._discard,
        }

    def _do_later(self) -> None:
        """Carry out orders in turn; those that need a quiet store wait for it."""
        while self._later:
            sender, ask = self._later[0]
            if self._sealings and not self._may_overlap(ask):
                return
            if self._waits_for_notes(ask):
                return
            self._later.pop(0)
            self._order(sender, ask)

    def _may_overlap(self, ask: Ask) -> bool:
        """A new run can begin while the file of the last one is being written."""
        if ask.question != "create":
            return False
        path = self._resolve(str(ask.arguments.get("path", "")))
        return all(it.store.path != path for it in self._sealings)

    def _waits_for_notes(self, ask: Ask) -> bool:
        """What writes a session waits until its file has been written anew."""
        given = str(ask.arguments.get("path", ""))
        path = self._resolve(given) if given else self._path
        return ask.question not in ("open", "close") and self._notes.concerns(path)

    def _order(self, sender: str, ask: Ask) -> None:
        def finish(result: dict[str, Any], error: str = "") -> None:
            self._line.send(sender, Answer(ask.id, result, error))

        try:
            self._finish_checkpoint()
            self._orders()[ask.question](ask.arguments, finish)
        except SessionProblem as problem:
            finish({}, str(problem))
        except OSError as error:
            finish({}, f"The session cannot be used: {error.strerror or error}.")

    def _create(self, arguments: dict[str, Any], finish: Finish) -> None:
        path = self._resolve(str(arguments["path"]))
        text, card = str(arguments["configuration"]), dict(arguments["card"])
        check_place(text, card, path)
        store = LiveStore.create(
            path,
            text,
            card,
            overwrite=bool(arguments["overwrite"]),
        )
        if source := str(arguments.get("offline_source", "")):
            store.set_offline_source(str(self._resolve(source)))
        self._let_go()
        self._hold(store, path)
        self._run_fresh(paused=bool(arguments["paused"]))
        finish(self._about(0), "")

    def _resume(self, arguments: dict[str, Any], finish: Finish) -> None:
        path = self._resolve(str(arguments["path"]))
        if self._path == path:  # it may be a live store, which has one opener only
            self._let_go()
        steps = int(arguments["steps"])
        store = LiveStore.open(path)
        try:
            check_place(store.configuration(), store.card(), path)
            point = point_to_go_on(store, steps, lost=bool(arguments.get("lost")))
        except SessionProblem:
            store.close(fold=path.is_file())
            raise
        self._let_go()
        self._hold(store, path)
        until = point.step + steps if steps else int(arguments.get("until", 0))
        self._run_from(store, point, until=until, paused=bool(arguments["paused"]))
        finish(self._about(point.step, point.note) | {"until": until}, "")

    def _recover(self, arguments: dict[str, Any], finish: Finish) -> None:
        """The trainer has died: go back to the newest state that is durable."""
        store, path = self.store, self._path
        if store is None or path is None:
            raise SessionProblem("There is no run to go on with.")
        self._store_checkpoints()
        self._unstored = []
        store.flush()
        paused = bool(arguments["paused"])
        if not store.checkpoints():
            text, card = store.configuration(), store.card()
            source = store.offline_source
            self._let_go()
            store = LiveStore.create(path, text, card, overwrite=True)
            store.set_offline_source(source)
            self._hold(store, path)
            self._run_fresh(paused=paused)
            finish({"step": 0, "uuid": self._uuid}, "")
            return
        point = store.resume_point()
        if arguments["run"]:
            until = int(arguments["until"])
            self._run_from(store, point, until=until, paused=paused)
        else:
            store.truncate_after(point)
            discard(point.replay)
        finish({"step": point.step}, "")

    def _attach(self, arguments: dict[str, Any], finish: Finish) -> None:
        """This keeper follows one that has died: open what that had open."""
        path = self._resolve(str(arguments["path"]))
        self._let_go()
        if not arguments["live"] or not live_path(path).is_dir():
            self._show(open_session(path), path)
            finish(self._about(self._step()), "")
            return
        store = LiveStore.open(path)
        self._hold(store, path)
        for source, (number, step) in store.progress().items():
            self._line.send(source, RowsStored(source, number, step))
        finish(self._about(store.durable_step), "")

    def _open(self, arguments: dict[str, Any], finish: Finish) -> None:
        path = self._resolve(str(arguments["path"]))
        if self._path == path:  # it may be a live store, which has one opener only
            self._let_go()
        source = open_session(path)
        self._let_go()
        self._show(source, path)
        finish(self._about(self._step()), "")

    def _close(self, arguments: dict[str, Any], finish: Finish) -> None:
        self._let_go()
        finish({}, "")

    def _discard(self, arguments: dict[str, Any], finish: Finish) -> None:
        path = self._resolve(str(arguments["path"]))
        if self._path == path and self.source is not None:
            raise SessionProblem(
                f"The session '{path.stem}' is open: close it first, then discard it."
            )
        discard_live(path)
        finish({}, "")

    def _seal(self, arguments: dict[str, Any], finish: Finish) -> None:
        """Write the file; a final one takes the place of the live store."""
        if self._path is None or self.source is None:
            raise SessionProblem("There is no session to save: press Train first.")
        wanted = str(arguments["path"])
        target = self._resolve(wanted) if wanted else self._path
        if target != self._path and target.exists() and not arguments["overwrite"]:
            raise SessionProblem(
                f"There is a file '{target.name}' already: choose another name, or "
                "replace it."
            )
        store = self.store
        if store is None:
            self._notes.save(self._path, target, finish)
            return

        def done(error: str) -> None:
            try:
                self._sealed(store, target, error, final=bool(arguments["final"]))
            except SessionProblem as problem:
                error = error or str(problem)
            finish({"path": str(target)} if not error else {}, error)

        self._sealings.append(Sealing(store, target, done, self._out))

    def _sealed(
        self, store: LiveStore, target: Path, error: str, *, final: bool
    ) -> None:
        current = store is self.store
        if current:
            self._finish_checkpoint()
        if not error and target == store.path and current:
            self._sealed_at = time.time()
        if current and (error or not final):
            self._tell_status()
        if error or not final:
            return
        if current:
            self.store = self.source = None
        try:
            store.close(fold=True)
        finally:
            if current:  # the file is whole, also where its live store is left
                self._show_sealed(store.path)
                self._tell_status()

    def _show_sealed(self, path: Path) -> None:
        """Look at the file that has just taken the place of its live store.

        On a busy computer its reader may come too late once.

        Raises:
          SessionProblem: If it cannot be shown; nothing is open then.
        """
        try:
            source = open_session(path)
        except SessionProblem:
            try:
                source = open_session(path)
            except SessionProblem as problem:
                self._path = None
                raise SessionProblem(
                    f"The session is saved in '{path.name}', but it cannot be shown "
                    f"now: {problem} Open it from the recent sessions."
                ) from problem
        self._show(source, path)

    # -------------------------------------------------------------- questions

    def _deed(self, ask: Ask) -> Deed | None:
        """What to do aside for a question that takes a while; None for others."""
        path = self._path if self.source is not None else None
        if ask.question in ERRANDS and self.store is not None:
            self._finish_checkpoint()
            self.store.flush()
        live = self.store is not None
        return self._errands.deed(ask, path, self._resolve, live=live)

    def _question(self, sender: str, ask: Ask) -> None:
        """Answer at once, or when an errand is done."""
        try:
            deed = self._deed(ask)
            if deed is not None:
                self._errands.start(sender, ask, deed)
                return
            answer = Answer(ask.id, self._result(ask.question, ask.arguments))
        except SessionProblem as problem:
            answer = Answer(ask.id, error=str(problem))
        except (KeyError, TypeError, ValueError) as error:
            text = f"The question '{ask.question}' was asked wrongly: {error}."
            answer = Answer(ask.id, error=text)
        self._line.send(sender, answer)

    def _result(self, question: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if question == "recent":
            folder = str(arguments.get("folder") or self._sessions)
            return recent(Path(folder))
        if question == "keep_views":
            return self._notes.keep(self.source, self._uuid, arguments)
        return answer(self.source, question, arguments, uuid=self._uuid)

    # ---------------------------------------------------------------- helpers

    def _resolve(self, text: str) -> Path:
        """A session file's full path; names without a folder go to the sessions."""
        path = self._sessions / Path(text).expanduser()
        return path.with_name(f"{path.name}.h5") if path.suffix != ".h5" else path

    def _let_go(self) -> None:
        """Close what is open; a store that is still being sealed closes itself."""
        source, store = self.source, self.store
        self.source = self.store = self._path = None
        if any(it.store is store for it in self._sealings):
            return
        if source is not None:
            source.close()

    def _about(self, step: int, note: str = "") -> dict[str, Any]:
        return {
            "path": str(self._path),
            "uuid": self._uuid,
            "configuration": self._configuration,
            "options": options_at(self.source).to_json() if self.source else "",
            "step": step,
            "sealed_at": self._sealed_at,
            "note": note,
            "live": self._path is not None and live_path(self._path).is_dir(),
        }

    def _run_fresh(self, *, paused: bool) -> None:
        assert self.store is not None
        self._line.send("trainer", fresh_run(self.store, self._uuid, paused=paused))

    def _run_from(
        self, store: LiveStore, point: ResumePoint, *, until: int, paused: bool
    ) -> None:
        """Cut what came after the state, and hand it to the trainer."""
        store.truncate_after(point)
        run = run_from(store, self._uuid, point, until=until, paused=paused)
        self._line.send("trainer", run)
