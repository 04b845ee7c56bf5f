"""The title of the run: what works, by its methods, and what the next Train changes."""

import pytest
import script
from PySide6.QtWidgets import QLabel

from engine.contract.messages import Event
from engine.contract.options import Configuration
from rllab_gui.forms.agent_name import agent_name

TRUST = {"agent.bootstrap": "trust_region", "agent.double": True}
RAINBOW = {
    "agent.dueling": "mean",
    "agent.n_step": 3,
    "replay.kind": "prioritized",
    "exploration.kind": "noisy",
    "head.kind": "c51",
}
DRQN = {"network.recurrent": "lstm", "replay.kind": "sequence", "agent.double": False}


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "Double DQN"),
        (TRUST, "DQN, trust region"),
        ({"target_network.kind": "none"}, "DQN"),
        ({"agent.estimator": "sarsa", "agent.double": True}, "SARSA"),
        (RAINBOW, "Dueling double 3-step noisy C51, prioritized"),
        (DRQN, "DRQN"),
        (DRQN | {"head.kind": "qr"}, "Recurrent QR-DQN"),
        ({"exploration.kind": "bootstrapped"}, "Double bootstrapped DQN"),
        ({"planning.kind": "dyna"}, "Double DQN, Dyna"),
        ({"agent.conservative": 1.0}, "Double DQN, CQL"),
        ({"exploration.bonus": 0.1}, "Double DQN, exploration bonus"),
        ({"agent.estimator": "expected_sarsa", "head.kind": "qr"},
         "Double Expected SARSA with quantiles (QR)"),
    ],
)  # fmt: skip
def test_a_method_is_named_by_what_has_an_effect(options, name):
    assert agent_name(Configuration().with_options(options)) == name


@pytest.fixture
def title(window):
    def words(part=""):
        name = f"main.title.{part}" if part else "main.title"
        return window.findChild(QLabel, name).text()

    return words


def begin(window, beat):
    window.lab.run.start()
    configuration = window.lab.draft.configuration
    beat(script.status("running"), script.session(configuration, name="demo"))


def test_the_title_names_what_runs_and_marks_what_comes_next(window, beat, title):
    window.lab.draft.load(Configuration(), "plain")
    begin(window, beat)
    assert title("world") == "CartPole-v1"
    assert title() == "· Double DQN · demo"
    assert title("next") == ""
    window.lab.draft.set("planning.kind", "dyna")
    assert title() == "· Double DQN · demo"
    assert title("next") == "next: Planning Dyna"
    window.lab.draft.set("environment.id", "Acrobot-v1")
    assert title("world") == "CartPole-v1"
    assert title("next") == "next: Acrobot-v1, Double DQN, Dyna"


def test_after_its_end_the_run_is_still_what_is_looked_at(window, beat, title):
    window.lab.draft.load(Configuration(), "plain")
    begin(window, beat)
    window.lab.draft.set("agent.learning_rate", 0.0005)
    window.lab.live.send_now()
    beat(script.status("finished"))
    assert title("next") == ""  # it ended with this rate
    window.lab.draft.set("agent.batch_size", 256)
    assert title("next") == "next: Batch size B 256"
    assert "demo" in window.windowTitle()


def test_a_change_of_another_window_is_no_news_for_the_next_run(window, beat, title):
    window.lab.draft.load(Configuration(), "plain")
    begin(window, beat)
    data = {"key": "agent.discount", "old": 0.99, "new": 0.9}
    beat(Event("option", 20, "agent.discount changed.", 0.0, data))
    assert title("next") == ""
