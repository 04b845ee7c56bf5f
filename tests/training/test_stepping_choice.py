"""How environments step is measured, said and remembered, and changes no number."""

import numpy as np
import pytest
from conftest import configure

from engine.contract.arrays import state_hash
from engine.contract.options import ConfigurationError
from engine.environments import Unsuitable
from engine.training import TrainingLoop, stepping_choice
from engine.training.stepping_choice import Chooser
from engine.training.stepping_trial import Trial, way_s

CARTPOLE = {"environment__id": "CartPole-v1", "environment__time_limit": 30}


class Fake:
    """A form that is not what it seems."""

    def __init__(self, form, closed):
        self.form, self._all_closed, self.closed = form, closed, False

    def close(self):
        self.closed = True
        self._all_closed.append(self.form)


@pytest.fixture
def chosen(monkeypatch):
    """Chooses among forms that take as long as one says, in microseconds."""
    closed = []

    def choose(seconds, differs=(), had="", way_us=20, processors=2, **options):
        def attempt(stepping, actions, most_s):
            form = getattr(stepping, "form", "here")
            return Trial(1e-6 * seconds[form], len(actions), [form in differs])

        def make(form):
            def opened(*args, **kwargs):
                if form not in seconds:
                    raise Unsuitable(f"there is no {form}.")
                return Fake(form, closed)

            return opened

        monkeypatch.setattr(stepping_choice, "attempt", attempt)
        monkeypatch.setattr(stepping_choice, "Vectorised", make("vector"))
        monkeypatch.setattr(stepping_choice, "InProcesses", make("processes"))
        given = {"training__environments": 4, **CARTPOLE, **options}
        chooser = Chooser(configure(**given), processors, lambda *_: 1e-6 * way_us)
        found = chooser.choose(had)
        assert (found.form == "here") == (found.stepping is None)
        return found, sorted(closed)

    return choose


def test_the_quickest_form_is_taken_afresh_and_all_that_were_tried_are_closed(chosen):
    found, closed = chosen({"here": 900, "vector": 400, "processes": 300})
    # What has been tried has lived: an environment may carry something over episodes.
    assert (found.form, closed) == ("processes", ["processes", "vector"])
    assert not found.stepping.closed
    assert found.text == (
        "4 environments step in 2 processes: 300 µs for a step of all, 900 µs one "
        "after another, 400 µs as one vector."
    )
    told = {"here": 9e-4, "vector": 4e-4, "processes": 3e-4}
    assert found.seconds == pytest.approx(told)


def test_a_form_that_gains_little_is_left(chosen):
    found, closed = chosen({"here": 900, "vector": 800, "processes": 790})
    assert (found.form, closed) == ("here", ["processes", "vector"])


def test_a_form_that_gives_other_numbers_is_not_used(chosen):
    found, closed = chosen({"here": 90, "vector": 9}, differs=("vector",))
    assert (found.form, closed) == ("here", ["vector"])
    assert "as one vector they would give other numbers" in found.text


@pytest.mark.parametrize("had", ["processes", ""])
def test_what_was_chosen_or_asked_for_is_not_measured_again(chosen, had):
    asked = "auto" if had else "processes"
    slow = {"here": 10, "processes": 900}
    found, _ = chosen(slow, had=had, training__stepping=asked)
    assert found.text == "4 environments step in 2 processes."


def test_processes_are_not_even_started_where_the_way_to_them_is_too_long(chosen):
    found, closed = chosen({"here": 37, "vector": 46}, way_us=200)
    assert (found.form, closed) == ("here", ["vector"])
    assert found.text == (
        "4 environments step one after another: 37 µs for a step of all, 46 µs as one "
        "vector; 2 processes would pay from 1.8 ms on."
    )


def test_one_processor_has_no_other_processes(chosen):
    found, _ = chosen({"here": 9000}, processors=1, environment__id="Acrobot-v1")
    assert found.text == (
        "4 environments step one after another: 9.0 ms for a step of all."
    )


def test_several_seeds_have_no_processes_each(chosen):
    options = {"environment__id": "Acrobot-v1", "training__seeds": 2}
    found, _ = chosen({"here": 9000, "processes": 10}, **options)
    assert found.form == "here"
    with pytest.raises(ConfigurationError, match=r"training\.stepping"):
        TrainingLoop(configure(training__seeds=2, training__stepping="processes"))


def test_one_environment_alone_leaves_nothing_to_choose(chosen):
    assert chosen({}, training__environments=1)[0].text == ""
    assert chosen({}, training__stepping="here")[0].text == ""
    assert chosen({}, training__environments=1, had="a stranger's")[0].text == ""


def test_an_environment_that_fails_when_tried_fails_in_the_run(make):
    loop = make(
        environment__id="RLLabTest/Misbehaving-v0",
        environment__kwargs={"fault": "step"},
        training__environments=2,
    )
    loop.advance(steps=2)
    assert loop.step == 2
    assert "ZeroDivisionError: division by zero" in loop.notes()[-1]


def test_the_way_to_another_process_takes_some_time():
    assert 0 < way_s(3, 2, 16) < 1


def whole(loop):
    """The state but for what tells the form."""
    state = loop.state()
    for it in ("stepping", "configuration"):
        state.pop(it, None)
    return state_hash(state)


def begun(form):
    """A loop whose environments step in this form."""
    loop = TrainingLoop(configure(training__environments=3, **CARTPOLE))
    loop.restore(loop.state() | {"stepping": form}, {})
    return loop


@pytest.mark.slow
def test_every_form_makes_the_same_run_and_goes_on_in_its_form(monkeypatch):
    monkeypatch.setattr(stepping_choice, "cores", lambda: 1)
    found = {}
    for form in ("here", "vector", "processes"):
        loop, again = begun(form), begun("here")
        loop.advance(steps=75)
        drained, state = loop.drain(), loop.state()
        loop.advance(steps=75)
        again.restore(state, drained.replay)
        again.advance(steps=75)
        assert whole(again) == whole(loop)
        assert again.state()["stepping"] == loop.state()["stepping"] == form
        assert not again.drain().events
        records = [state_hash(it) for it in drained.episodes + loop.drain().episodes]
        found[form] = whole(loop), records
        loop.close()
        again.close()
    assert found["here"] == found["vector"] == found["processes"]
    assert len(found["here"][1]) > 3


def test_the_choice_is_an_event_and_stands_beside_where_the_time_goes(make):
    loop = make(training__environments=8, **CARTPOLE)
    loop.advance(steps=8)
    (event,) = loop.drain().events
    assert event.data["stepping"] == loop.state()["stepping"]
    assert event.text == loop.notes()[-1]
    assert event.text.startswith("8 environments step ")
    assert np.isfinite(list(event.data["seconds"].values())).all()
