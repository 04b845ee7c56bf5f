"""What the keeper has done aside: files for other programs, and from them."""

from pathlib import Path

import pytest

from engine.contract.messages import Ask, JobProgress
from engine.service.child_command import ChildCommand
from engine.service.errands import Errands
from engine.sessions import SessionFile, SessionProblem

SAMPLE = Path(__file__).parents[2] / "sessions" / "sample-gridworld.h5"


class Table:
    """Errands with what they tell and answer."""

    def __init__(self, folder):
        self.told, self.answers = [], []
        self.errands = Errands(self.told.append)
        self.folder = folder

    def resolve(self, name):
        return (self.folder / "sessions" / name).with_suffix(".h5")

    def ask(self, question, **arguments):
        ask = Ask(3, question, arguments)
        deed = self.errands.deed(ask, SAMPLE, self.resolve, live=False)
        self.errands.start("window", ask, deed)

    def answer(self):
        for errand in self.errands._under_way:
            errand._thread.join(60)
        self.errands.settle(lambda who, answer: self.answers.append(answer))
        return self.answers.pop()


@pytest.fixture
def table(tmp_path):
    found = Table(tmp_path)
    yield found
    found.errands.close()


def test_an_export_tells_how_far_it_is_and_comes_back_as_a_session(table, tmp_path):
    target = tmp_path / "grid-v0"
    table.ask("export", name="minari", path=str(target))
    answer = table.answer()
    assert answer.error == ""
    assert answer.result["file"] == str(target)
    fractions = [it.fraction for it in table.told if isinstance(it, JobProgress)]
    assert fractions[0] == 0.0
    assert max(fractions[:-1]) > 0.5
    assert table.told[-1].done
    (tmp_path / "sessions" / "grid-v0.live").mkdir(parents=True)  # the name is taken
    table.ask("import", path=str(target / "data" / "main_data.hdf5"))
    session = Path(table.answer().result["session"])
    assert session.name == "grid-v0-2.h5"
    with SessionFile.open(session) as file:
        assert file.summary()["recorded"] > 0


def test_one_episode_is_chosen_and_a_refusal_is_a_sentence(table, tmp_path):
    target = tmp_path / "a.csv"
    words = {"name": "episode", "path": str(target), "kind": "training"}
    table.ask("export", **words, episode=99_999)
    (tmp_path / ".a.csv.999999999.part").write_text("of one that was killed")
    assert "no recorded training episode 99999" in table.answer().error
    assert list(tmp_path.iterdir()) == []


def test_what_is_cancelled_ends_and_is_not_answered(table, tmp_path):
    table.ask("export", name="minari", path=str(tmp_path / "grid-v0"))
    (errand,) = table.errands._under_way
    table.errands.cancel("another window", 3)
    assert table.errands._under_way == [errand]
    table.errands.cancel("window", 3)
    assert table.errands._under_way == []
    errand._thread.join(60)
    assert errand.is_over
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_takes_too_long_is_ended():
    child = ChildCommand(["certify", "gridworld", "--updates", "99999999"], 0.05)
    with pytest.raises(SessionProblem, match="not ready within"):
        child.run()


def test_nothing_starts_after_it_was_given_up():
    child = ChildCommand(["presets", "--json"], 60)
    child.kill()
    with pytest.raises(SessionProblem, match="given up"):
        child.run()
