"""Notes on their way from the window into the session, whatever form it is in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import session_samples as samples

from engine.contract.messages import Answer, Ask, JobProgress, Message
from engine.service import keeper_notes
from engine.service.keeper import Keeper
from engine.sessions import LiveStore, SessionFile
from engine.sessions.beside import beside

NOTES: dict[str, Any] = {"notes": {"bookmarks": [{"id": "a", "kind": "training"}]}}


class Words:
    """Who is told what."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send(self, destination: str, message: Message) -> None:
        self.sent.append(message)

    def answer(self, number: int) -> Answer | None:
        answers = (it for it in self.sent if isinstance(it, Answer))
        return next((it for it in answers if it.id == number), None)


@pytest.fixture
def words() -> Words:
    return Words()


@pytest.fixture
def keeper(tmp_path: Path, words: Words) -> Iterator[Keeper]:
    """It looks at a sealed session."""
    path = tmp_path / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store, last_row=12, checkpoint_rows=(9,)).close(fold=True)
    keeper = Keeper(words, tmp_path)  # type: ignore[arg-type]
    order(keeper, 1, "open", path=str(path))
    yield keeper
    keeper.close()


def order(keeper: Keeper, number: int, question: str, **arguments: Any) -> None:
    keeper.on_message("supervisor", Ask(number, question, arguments))


def ask(keeper: Keeper, words: Words, question: str, **arguments: Any) -> Answer:
    number = 1000 + len(words.sent)
    keeper.on_message("window", Ask(number, question, arguments))
    found = words.answer(number)
    assert found is not None
    return found


def uuid(words: Words) -> str:
    opened = words.answer(1)
    assert opened is not None
    return str(opened.result["uuid"])


def until(keeper: Keeper, done: Callable[[], bool]) -> None:
    end, rest = time.monotonic() + 20, threading.Event()
    while not done():
        assert time.monotonic() < end
        keeper.cycle()
        rest.wait(0.002)  # the file is written by a thread, which needs its turn


def in_file(path: Path) -> dict[str, Any]:
    with SessionFile.open(path) as file:
        return file.views()


def test_notes_are_durable_at_once_and_in_the_file_after_a_while(
    keeper: Keeper, words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.h5"
    assert not ask(keeper, words, "keep_views", uuid=uuid(words), views=NOTES).error
    keeper.cycle()
    assert beside(path).exists()
    assert ask(keeper, words, "views").result == {"views": NOTES}
    monkeypatch.setattr(keeper_notes, "QUIET_S", 0.0)
    monkeypatch.setattr(keeper_notes, "SHARE", 0.0)
    everything = NOTES
    # The reader of the first file knows nothing of what has been folded in.
    for more in ({"selection": [1]}, {"layout": "x"}):
        ask(keeper, words, "keep_views", uuid=uuid(words), views=more)
        until(keeper, lambda: not beside(path).exists())
        everything = everything | more
    assert in_file(path) == everything
    assert ask(keeper, words, "views").result == {"views": everything}


def test_notes_of_another_session_are_refused(keeper: Keeper, words: Words) -> None:
    found = ask(keeper, words, "keep_views", uuid="other", views=NOTES)
    assert "not open" in found.error
    order(keeper, 2, "close")
    assert ask(keeper, words, "keep_views", uuid=uuid(words), views=NOTES).error


def test_save_and_save_as_put_them_into_the_file(
    keeper: Keeper, words: Words, tmp_path: Path
) -> None:
    ask(keeper, words, "keep_views", uuid=uuid(words), views=NOTES)
    for number, target in ((2, tmp_path / "copy.h5"), (3, tmp_path / "run.h5")):
        order(keeper, number, "seal", path=str(target), overwrite=True, final=False)
        until(keeper, lambda number=number: words.answer(number) is not None)  # type: ignore[misc]
        assert words.answer(number) == Answer(number, {"path": str(target)})
        assert in_file(target) == NOTES
        told = [it for it in words.sent if isinstance(it, JobProgress)][-1]
        assert (told.done, told.result) == (True, str(target))
    assert not beside(tmp_path / "run.h5").exists()


def test_a_run_that_goes_on_waits_until_the_file_is_whole(
    keeper: Keeper, words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(keeper, words, "keep_views", uuid=uuid(words), views=NOTES)
    path = tmp_path / "run.h5"
    order(keeper, 2, "seal", path=str(path), overwrite=True, final=False)
    order(keeper, 3, "resume", path=str(path), steps=100, paused=True)
    assert words.answer(3) is None
    until(keeper, lambda: words.answer(3) is not None)
    found = words.answer(3)
    assert found is not None
    assert not found.error
    assert ask(keeper, words, "views").result == {"views": NOTES}
    changed = {"notes": {"loops": []}}
    assert not ask(keeper, words, "keep_views", uuid=uuid(words), views=changed).error
    assert ask(keeper, words, "views").result == {"views": changed}
