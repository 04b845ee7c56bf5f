"""Sends live options to the run while somebody drags a slider, a few times a second."""

from __future__ import annotations

import json
from collections import Counter

from PySide6.QtCore import QObject, QTimer, Signal

from engine.contract.combinations import complaints
from engine.contract.messages import (
    Event,
    Message,
    ResumeTraining,
    SetOption,
    StartTraining,
)
from engine.contract.options import (
    Configuration,
    ConfigurationError,
    configuration_from_json,
    specs,
)
from rllab_gui.draft import Draft
from rllab_gui.link import Link
from rllab_gui.run import Run
from rllab_gui.store import Store

THROTTLE_MS = 80


class LiveOptions(QObject):
    """Keeps the run at the live values of the draft.

    After a preset has been loaded while a run is active the draft is about the next
    run, so nothing of it is sent until it is started or taken back.

    Signals:
      pendingChanged(frozenset of keys): Options whose value in the draft is not in
        force and will not be until the next Train.
    """

    pendingChanged = Signal(object)

    def __init__(
        self,
        link: Link,
        store: Store,
        draft: Draft,
        run: Run,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._draft = draft
        self._run = run
        self._in_force: Configuration | None = None
        self._ended_with: Configuration | None = None
        self._session = ""
        self._pending: frozenset[str] = frozenset()
        self._detached = False
        self._begins = self._goes_on = False
        self._echoes: Counter[tuple[str, str]] = Counter()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(THROTTLE_MS)
        self._timer.timeout.connect(self.send_now)
        draft.loaded.connect(self._on_loaded)
        draft.changed.connect(self._on_draft)
        draft.complaintsChanged.connect(self._on_draft)
        run.stateChanged.connect(self._on_state)
        link.eventHappened.connect(self._on_event)
        link.sent.connect(self._on_sent)
        store.sessionChanged.connect(lambda: self._on_session(store))

    @property
    def in_force(self) -> Configuration | None:
        """What the active run works with; None without one."""
        return self._in_force

    @property
    def latest(self) -> Configuration | None:
        """What the run works with, or what that of the open session ended with."""
        return self._in_force or self._ended_with

    @property
    def pending(self) -> frozenset[str]:
        """Options that wait for the next Train."""
        return self._pending

    def take_back(self) -> None:
        """Show again what the run works with."""
        if self._in_force is not None:
            self._draft.load(self._in_force, "the running options")

    def send_now(self) -> None:
        """Tell the run every live option that differs, if it goes with the rest."""
        self._timer.stop()
        if self._in_force is None or self._draft.complaints or self._detached:
            return
        while (key := self._next()) is not None:
            value = self._draft.configuration.get(key)
            self._in_force = self._in_force.with_options({key: value})
            text = json.dumps(value)
            self._echoes[key, text] += 1
            self._link.send(SetOption(key, text))
        self._update_pending()

    def _next(self) -> str | None:
        """A live option that differs and goes with what is in force by then.

        They arrive one by one, so of two that belong together one has to be first.
        """
        assert self._in_force is not None
        for key in self._differing("live"):
            value = self._draft.configuration.get(key)
            new = self._in_force.with_options({key: value})
            if not complaints(new, self._draft.card):
                return key
        return None

    def _differing(self, applies: str) -> list[str]:
        if self._in_force is None:
            return []
        mine, theirs = self._draft.configuration.flat(), self._in_force.flat()
        known = specs()
        return [
            key
            for key in known
            if mine[key] != theirs[key] and known[key].applies == applies
        ]

    def _update_pending(self) -> None:
        keys = self._differing("restart")
        if self._detached or not self._timer.isActive():
            keys += self._differing("live")
        if frozenset(keys) != self._pending:
            self._pending = frozenset(keys)
            self.pendingChanged.emit(self._pending)

    def _on_loaded(self) -> None:
        self._detached = True

    def _on_draft(self, *_: object) -> None:
        if self._in_force is not None:
            self._detached &= self._draft.configuration != self._in_force
            if not self._timer.isActive():
                self._timer.start()
            self._update_pending()

    def _on_state(self, state: str) -> None:
        if state == "starting":
            # What goes on says itself what it works with.
            self._in_force = self._draft.configuration if self._begins else None
            self._detached &= not self._begins
            self._begins = False
            self._echoes.clear()
        elif not self._run.active:
            self._ended_with = self._in_force or self._ended_with
            self._in_force = None
            self._goes_on = False
        self._update_pending()

    def _on_session(self, store: Store) -> None:
        """Another session, or one that goes on: the form shows what it works with.

        Where we have it go on, what was changed in the form since is sent; where it is
        somebody else's doing, only a form that nobody has changed follows.
        """
        session = store.session
        if not session.configuration:
            return
        theirs = configuration_from_json(session.options or session.configuration)
        options = self._draft.with_our_folder(theirs)
        another, before = session.uuid != self._session, self._ended_with
        if another:
            self._session, self._ended_with = session.uuid, options
            self._detached &= self._in_force == options
            if self._in_force != options:
                self._draft.adopt(options)
        elif self._in_force is not None or not (self._run.active and session.live):
            return
        elif self._draft.configuration == before and not self._goes_on:
            self._draft.adopt(options)
        if session.live:
            self._in_force = options
            if self._goes_on:
                self._on_draft()
            self._goes_on = False
        self._update_pending()

    def _on_sent(self, message: Message) -> None:
        self._begins |= isinstance(message, StartTraining)
        self._goes_on |= isinstance(message, ResumeTraining)

    def _on_event(self, event: Event) -> None:
        """An option has changed: our own doing, or that of another window."""
        key, value = str(event.data.get("key", "")), event.data.get("new")
        if event.kind != "option" or self._in_force is None or key not in specs():
            return
        if self._echoes[key, json.dumps(value)] > 0:
            self._echoes[key, json.dumps(value)] -= 1
            return
        try:
            self._in_force = self._in_force.with_options({key: value})
            draft = self._draft.configuration.with_options({key: value})
        except ConfigurationError:  # the engine is of another version
            return
        if not self._detached:
            self._draft.adopt(draft)
