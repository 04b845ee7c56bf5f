"""The form of updates: as written, compiled in the background, and back."""

import json
import os
import shutil
import sys

import numpy as np
import pytest

from engine.agents import compiling
from engine.agents.compiled import why_not
from engine.contract.arrays import state_hash
from engine.contract.options import configuration_from_flat
from engine.training import Libraries, TrainingLoop
from engine.training.problems import TrainingProblem
from engine.training.tier import TRY_AFTER_S, Tier

COMPILERS = any(map(shutil.which, ("g++", "clang++", "c++")))
RUN = {
    "environment.id": "CartPole-v1",
    "agent.batch_size": 8,
    "agent.learning_starts": 20,
    "network.hidden": "8",
    "replay.capacity": 500,
    "recording.level": "scalars",
    "training.steps": 10**8,
}


def configured(**options):
    flat = {key.replace("__", "."): value for key, value in options.items()}
    return configuration_from_flat(RUN | flat)


def texts(loop):
    return [it.text for it in loop.drain().events]


class Scripted:
    """A tier of an agent whose compiler is a line of Python, and a clock."""

    def __init__(self, folder, program, monkeypatch, **options):
        self.loop = TrainingLoop(configured(**options))
        self.now, self.notes = 0.0, []
        self.tier = Tier(
            self.loop.agent,
            "cpu",
            Libraries(folder),
            lambda *note: self.notes.append(note),
            lambda: self.now,
        )
        command, self.load = [sys.executable, "-c", program], 0.5
        monkeypatch.setattr("engine.training.compiler.COMMAND", command)
        monkeypatch.setattr("os.getloadavg", lambda: (self.load * os.cpu_count(),))

    def look(self, after_s, left_s=1000.0):
        self.now += after_s
        self.tier.look(lambda: left_s)

    def until_told(self):
        while not self.notes:
            self.tier._compiler.wait(5.0)
            self.look(1.0)
        return self.notes[-1][1]


FAILS = 'input(); print(\'{"problem": "It rained."}\')'
DIES = "import sys; input(); sys.exit(3)"
SLEEPS = "input(); input(); import threading; threading.Event().wait()"


def test_a_compiler_that_fails_is_told_once_and_not_asked_again(tmp_path, monkeypatch):
    scripted = Scripted(tmp_path, FAILS, monkeypatch)
    scripted.look(0.0)
    scripted.look(TRY_AFTER_S)
    assert scripted.until_told() == "Updates run as written: It rained."
    scripted.look(100.0)
    assert scripted.tier._compiler is None
    assert len(scripted.notes) == 1


def test_a_compiler_that_dies_is_told(tmp_path, monkeypatch):
    scripted = Scripted(tmp_path, DIES, monkeypatch)
    scripted.look(0.0)
    scripted.look(TRY_AFTER_S)
    assert "status 3" in scripted.until_told()


@pytest.mark.parametrize(
    ("options", "after_s", "left_s"),
    [
        ({}, TRY_AFTER_S - 1, 1000.0),
        ({}, TRY_AFTER_S + 1, 90.0),
        ({"training__compile": "never"}, 100.0, 1000.0),
    ],
    ids=["young", "nearly over", "never"],
)
def test_short_runs_never_compile(tmp_path, monkeypatch, options, after_s, left_s):
    scripted = Scripted(tmp_path, SLEEPS, monkeypatch, **options)
    scripted.look(0.0)
    scripted.look(after_s, left_s)
    assert scripted.tier._compiler is None


def test_a_busy_machine_is_left_alone(tmp_path, monkeypatch):
    scripted = Scripted(tmp_path, SLEEPS, monkeypatch)
    scripted.load = 2.0
    scripted.look(0.0)
    scripted.look(TRY_AFTER_S)
    assert scripted.tier._compiler is None
    scripted.load = 1.0
    scripted.look(1.0)
    assert scripted.tier._compiler is not None
    scripted.tier.close()


def test_closing_ends_the_compiler(tmp_path, monkeypatch):
    scripted = Scripted(tmp_path, SLEEPS, monkeypatch)
    scripted.look(0.0)
    scripted.look(TRY_AFTER_S)
    process = scripted.tier._compiler._process
    assert process.poll() is None
    scripted.tier.close()
    assert process.poll() is not None


@pytest.mark.parametrize("what", ["folder", "open to all", "json", "marked"])
def test_nothing_about_the_folder_ends_a_run(tmp_path, monkeypatch, what):
    scripted = Scripted(tmp_path / "libraries", FAILS, monkeypatch)
    library = Libraries(tmp_path / "libraries").place(scripted.loop.agent)
    if what == "folder":
        (tmp_path / "libraries").write_text("no folder")
    else:
        library.parent.mkdir(0o700)
        library.write_bytes(b"no library")
        library.with_suffix(".json").write_text("" if what == "json" else "{}")
    if what == "open to all":
        library.parent.chmod(0o777)
    if what == "marked":
        library.with_suffix(".trying").touch()
    scripted.look(0.0)
    scripted.look(TRY_AFTER_S)
    said = {
        "folder": "cannot be used",
        "open to all": "others can write",
        "json": "It rained.",
        "marked": "ended the process",
    }
    assert said[what] in scripted.until_told()
    assert library.exists() == (what in ("json", "open to all"))


def test_a_run_that_waits_for_its_form_is_saved_in_it(tmp_path, monkeypatch):
    scripted = Scripted(tmp_path, SLEEPS, monkeypatch)
    scripted.tier.need()
    assert not scripted.tier.may_train(deadline=0.0)
    assert scripted.tier.form
    assert not scripted.tier.compiled
    assert [it[1] for it in scripted.notes] == [
        "Waiting for the compiled form of updates."
    ]
    scripted.tier.close()


def test_an_asynchronous_or_planning_run_stays_as_written():
    for options in (
        {"training__mode": "synchronized"},
        {"planning__kind": "dyna", "planning__model": "network"},
    ):
        assert why_not(configured(**options))


def test_who_cannot_be_compiled_says_why_once(tmp_path, monkeypatch):
    online = {"replay__kind": "none", "target_network__kind": "none"}
    options = {**online, "agent__double": False, "training__compile": "first"}
    scripted = Scripted(tmp_path, SLEEPS, monkeypatch, **options)
    assert scripted.tier.may_train(deadline=0.0)
    scripted.look(TRY_AFTER_S + 1)
    scripted.look(TRY_AFTER_S + 1)
    assert len(scripted.notes) == 1
    assert "no two updates" in scripted.notes[0][1]


def test_a_saved_compiled_run_goes_on_as_written_where_nothing_compiles():
    loop = TrainingLoop(configured())
    loop.advance(steps=30)
    state = loop.state() | {"compiled": True}
    other = TrainingLoop(configured())
    other.restore(state, loop.drain().replay)
    other.advance(steps=5)
    assert other.step == 35
    assert "not to the bit" in texts(other)[0]


def test_a_run_whose_updates_may_not_be_compiled_unasked_stays_as_written(
    tmp_path, monkeypatch
):
    scripted = Scripted(tmp_path, SLEEPS, monkeypatch, training__compile="first")
    libraries = Libraries(tmp_path, unasked=False)
    agent, notes = scripted.loop.agent, []
    tier = Tier(agent, "cpu", libraries, lambda *it: notes.append(it))
    tier._clock = lambda: scripted.now
    assert tier.may_train(deadline=0.0)
    for _ in range(3):
        scripted.now += TRY_AFTER_S
        tier.look(lambda: 1000.0)
    assert tier._compiler is None
    tier.need()
    assert not tier.may_train(deadline=0.0), "it was compiled: that has to be again"
    tier.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not COMPILERS, reason="there is no C++ compiler")
def test_a_run_is_compiled_saved_changed_and_goes_on_to_the_bit(tmp_path):
    options = configured(training__compile="first")
    loop = TrainingLoop(options, libraries=Libraries(tmp_path))
    loop.advance(seconds=0.01)
    assert loop.step == 0, "the first step waits for the compiler"
    loop.advance(steps=60)
    assert loop.step == 60
    assert "From update 1 on updates are compiled: " in " ".join(texts(loop))
    log, state = loop.drain().replay, loop.state()
    other = TrainingLoop(configured(), libraries=Libraries(tmp_path))
    before = TrainingLoop(options, libraries=Libraries(tmp_path))
    before.advance(steps=60)
    log = before.drain().replay
    assert state_hash(before.state()) == state_hash(state), "first repeats to the bit"
    other.restore(state, log)
    for it in (loop, other):
        it.advance(steps=50)
        assert it.agent.learner.compiled is not None
    ends = [it.state() | {"configuration": ""} for it in (loop, other)]
    assert state_hash(ends[0]) == state_hash(ends[1])
    _check_changes(loop)


def _check_changes(loop):
    loop.set_option("agent.double", not loop.configuration.agent.double)
    assert loop.agent.learner.compiled is None, "at once"
    loop.advance(steps=5)
    loop.set_option("agent.double", not loop.configuration.agent.double)
    loop.set_option("training.compile", "never")
    loop.set_option("training.compile", "auto")
    compiled = loop.agent.learner.compiled
    loop._tier._looked = -np.inf
    loop.advance(steps=5)
    assert compiled is None
    assert loop.agent.learner.compiled is not None, "its library is there"
    loop.close()


HEADS = {
    "c51": {"head__kind": "c51", "agent__dueling": "mean"},
    "qr": {"head__kind": "qr", "agent__n_step": 3, "head__risk": "cvar"},
    "mmd": {"head__kind": "mmd", "head__atoms": 16},
    "noisy": {"exploration__kind": "noisy", "replay__kind": "prioritized"},
    "ensemble": {"exploration__kind": "bootstrapped"},
    "retrace": {"agent__n_step": 3, "agent__n_step_correction": "retrace"},
    "trust region": {"agent__bootstrap": "trust_region"},
    "conservative": {"agent__conservative": 1.0, "agent__optimizer": "rmsprop"},
    "action input": {"head__architecture": "action_input"},
    "seeds": {"training__seeds": 3, "replay__kind": "prioritized"},
    "noisy seeds": {"training__seeds": 3, "exploration__kind": "noisy"},
    "images": {"environment__id": "MinAtar/Breakout-v0", "agent__loss": "squared"},
}


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # the compiler is a large foreign program
@pytest.mark.timeout(600)
@pytest.mark.skipif(not COMPILERS, reason="there is no C++ compiler")
@pytest.mark.parametrize("case", HEADS)
def test_every_form_compiles_to_equal_numbers(case, tmp_path):
    loop = TrainingLoop(configured(**HEADS[case]))
    library = tmp_path / "it.pt2"
    found = compiling.compile_update(loop.configuration, loop.card, library)
    assert found.difference <= compiling.TOLERANCE
    assert library.exists()
    assert json.dumps(found._asdict())


NOWHERE = Libraries(None)


class OnGpu:
    """A run whose tier believes that it learns on a GPU; its tensors are here."""

    def __init__(self, libraries=NOWHERE, **options):
        self.loop = TrainingLoop(configured(**({"training__steps": 400} | options)))
        self.notes = []
        note = lambda *it: self.notes.append(it[1])  # noqa: E731
        self.loop._tier = Tier(self.loop.agent, "cuda", libraries, note, lambda: 0.0)

    @property
    def captured(self):
        return self.loop.agent.captured is not None

    def look(self):
        self.loop._tier._looked = -1.0
        self.loop._tier.look(lambda: 1000.0)


def test_a_gpu_captures_before_the_first_update_and_measures_the_same():
    ours, theirs = OnGpu(replay__kind="prioritized"), TrainingLoop(configured())
    ours.loop.advance(150)
    assert ours.captured
    assert ours.loop.compiled
    assert ours.notes[0].startswith("From update 1 on updates are captured")
    assert "captured" in ours.loop.notes()[0]
    assert ours.loop.drain().scalars is not None
    theirs.advance(150)
    assert ours.loop.update == theirs.update == 130


@pytest.mark.parametrize(
    ("libraries", "captured"), [(None, True), (Libraries(None, unasked=False), False)]
)
def test_a_gpu_captures_by_itself_but_where_it_must_be_asked(libraries, captured):
    run = OnGpu(libraries)
    run.loop.advance(60)
    assert run.captured == captured
    run.loop.set_option("training.compile", "never")
    run.look()
    assert not run.captured


def test_what_a_gpu_cannot_capture_is_told_once_and_runs_as_written():
    run = OnGpu(agent__n_step=3, agent__n_step_correction="retrace")
    run.loop.advance(60)
    run.look()
    assert not run.captured
    assert len(run.notes) == 1
    assert "Retrace" in run.notes[0]


def test_a_changed_option_is_captured_anew_and_never_goes_back():
    run = OnGpu(replay__kind="prioritized")
    run.loop.advance(60)
    run.loop.set_option("replay.alpha", 0.2)
    assert not run.captured, "at once"
    run.loop.advance(1)
    run.look()
    assert run.captured
    run.loop.set_option("replay.priority", "rank")
    run.look()
    assert not run.captured
    assert "rank" in run.notes[-1]
    run.loop.set_option("replay.priority", "proportional")
    run.look()
    assert run.captured
    run.loop.set_option("training.compile", "never")
    run.look()
    assert not run.captured
    assert "run as written" in run.loop.notes()[0]


def test_a_captured_run_is_resumed_to_the_bit():
    first, second = (OnGpu(replay__kind="prioritized") for _ in range(2))
    first.loop.advance(100)
    log, state = first.loop.drain().replay, first.loop.state()
    assert state["compiled"]
    second.loop.restore(state, log)
    for it in (first, second):
        it.loop.advance(100)
        it.loop.drain()
    assert second.captured
    assert state_hash(first.loop.state()) == state_hash(second.loop.state())


def test_a_gpu_without_room_goes_on_as_written(monkeypatch):
    run = OnGpu()

    def full(*_):
        raise RuntimeError("CUDA out of memory. Tried to allocate.")

    monkeypatch.setattr("engine.agents.captured.capture", full)
    run.loop.advance(60)
    assert not run.captured
    assert "out of memory" in run.notes[0]
    assert run.loop.update == 40


def test_an_update_that_is_none_is_told_with_its_number():
    run = OnGpu(agent__learning_rate=1.0, agent__optimizer="sgd")
    run.loop.advance(30)
    run.loop.agent.load_weights(
        {k: np.full_like(v, 1e30) for k, v in run.loop.agent.weights().items()}
    )
    with pytest.raises(TrainingProblem, match="update 11"):
        run.loop.advance(80)
