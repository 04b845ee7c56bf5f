"""Forms made from the declarations: every option, its scale, its words."""

from time import perf_counter

import pytest
import script
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QWidget
from showing import show

from engine.contract.alternatives import alternatives
from engine.contract.costs import replay_bytes
from engine.contract.options import Configuration, spec, specs
from rllab_gui.forms.number import NumberField
from rllab_gui.forms.row import SMALL, OptionRow
from rllab_gui.forms.scale import STEPS, read, slider_scale, stepped, written
from rllab_gui.forms.words import (
    is_relevant,
    remark,
    row_title,
    tooltip,
)
from rllab_gui.plain import PlainLabel

NUMBERS = [it for it in specs().values() if it.kind in ("int", "float")]
SLIDERS = [it for it in NUMBERS if slider_scale(it) is not None]


@pytest.mark.parametrize("of", SLIDERS, ids=lambda it: it.key)
def test_every_place_of_a_slider_is_a_legal_value_and_comes_back(of):
    scale = slider_scale(of)
    values = [scale.value(place) for place in range(0, STEPS + 1, 50)]
    assert values == sorted(values)
    for value in values:
        Configuration().with_options({of.key: value})
        again = scale.value(scale.place(value))
        assert again == pytest.approx(
            value, rel=0.06, abs=(scale.high - scale.low) / 500
        )


@pytest.mark.parametrize("of", NUMBERS, ids=lambda it: it.key)
def test_arrow_keys_stay_in_range_and_move(of):
    up, down = stepped(of.default, 1, of), stepped(of.default, -1, of)
    assert of.minimum <= down <= of.default <= up <= of.maximum
    assert up > of.default or of.default == of.maximum
    assert down < of.default or of.default == of.minimum
    assert stepped(of.maximum, 5, of) == of.maximum


@given(st.integers(0, 10**9))
def test_whole_numbers_are_read_as_they_are_written(number):
    of = spec("training.steps")
    assert int(read(written(number, of), of)) == number


def test_learning_rates_move_in_decades():
    scale = slider_scale(spec("agent.learning_rate"))
    assert scale.log
    assert scale.value(scale.place(1e-3)) == pytest.approx(1e-3, rel=0.02)
    assert slider_scale(spec("training.seed")) is None
    assert slider_scale(spec("evaluation.period")).value(0) == 0


def test_what_is_measured_says_in_what_and_what_is_counted_does_not():
    assert row_title(spec("recording.checkpoint_budget")) == "Room for checkpoints (MB)"
    assert row_title(spec("recording.checkpoints")) == "Checkpoints kept"
    assert row_title(spec("agent.discount")) == "Discount γ"


def test_a_number_field_steps_and_refuses_words(qtbot):
    field = NumberField(spec("agent.learning_rate"))
    qtbot.addWidget(field)
    field.set_value(1e-3)
    with qtbot.waitSignal(field.edited) as up:
        qtbot.keyClick(field, Qt.Key.Key_Up)
    assert up.args[0] > 1e-3
    field.setText("fast")
    with qtbot.waitSignal(field.refused) as refused:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert "agent.learning_rate cannot be 'fast'" in refused.args[0]


def test_the_form_has_every_option_worth_choosing(window):
    rows = window.train.form.rows
    missing = {k for k, it in specs().items() if k not in rows}
    assert missing == {
        k for k, it in specs().items() if it.kind == "choice" and len(it.choices) < 2
    }
    for key, row in rows.items():
        assert specs()[key].help in row.editor.main_widget().toolTip()
        assert row.badge.property("applies") == specs()[key].applies


def test_a_refused_value_is_explained_at_its_field(window, qtbot):
    draft, row = window.lab.draft, window.train.form.rows["agent.discount"]
    field = window.findChild(QLineEdit, "train.param.agent.discount.spin")
    field.setText("1.5")
    field.editingFinished.emit()
    assert "it takes a number from 0 to 1" in row.complaint
    assert field.property("wrong") is True
    field.setText("0.5")
    field.editingFinished.emit()
    assert row.complaint == ""
    assert draft.configuration.agent.discount == 0.5


def test_what_is_said_below_a_field_has_the_size_of_now(qtbot, theme):
    """Also if it was another when the row was made: the words are made later."""
    row = show(qtbot, OptionRow(specs()["agent.discount"], theme))
    places = []
    for scale in (1.5, 1.0):
        theme.set_scale(scale)
        row.set_complaint("It is too large.")
        row.set_remark("It looks far ahead.")
        said = {it.text(): it for it in row.findChildren(PlainLabel)}
        small = theme.font(relative=SMALL).pointSizeF()
        assert {it.font().pointSizeF() for it in said.values()} == {small}
        assert all(it.isVisible() for it in said.values())
        places += [row.layout().indexOf(it) for it in said.values()]
        above, below = said["It looks far ahead."], said["It is too large."]
        qtbot.waitUntil(lambda a=above, b=below: a.y() < b.y())
    assert len(set(places)) == 2
    row.set_complaint("")
    assert (row.complaint, row.remark) == ("", "It looks far ahead.")
    assert not below.isVisible()


def test_undo_shows_the_old_value_after_a_refused_one(window):
    field = window.findChild(QLineEdit, "train.param.agent.discount.spin")
    window.lab.draft.set("agent.discount", 0.5)
    field.setText("nonsense")
    field.editingFinished.emit()
    window.lab.history.undo()
    assert field.text() == "0.99"
    assert window.train.form.rows["agent.discount"].complaint == ""


def test_more_unfolds_the_advanced_options(window):
    row = window.train.form.rows["agent.adam_epsilon"]
    assert not row.isVisible()
    window.findChild(QWidget, "train.section.agent.more").click()
    assert row.isVisible()


def test_options_without_effect_are_hidden(window):
    rows = window.train.form.rows
    assert rows["replay.alpha"].isVisibleTo(window)
    window.lab.draft.set("replay.kind", "uniform")
    assert not rows["replay.alpha"].isVisibleTo(window)


def item_of(window, key, value):
    """The entry of a choice in its list."""
    combo = window.findChild(QComboBox, f"train.param.{key}.combo")
    return combo.model().item(combo.findData(value))


def test_impossible_choices_are_greyed_and_say_why(window):
    torso = window.train.form.rows["network.torso"]
    item = item_of(window, "network.torso", "conv")
    assert not item.isEnabled()
    assert "has no images" in item.toolTip()
    assert "has no images" in item.statusTip()
    assert "Not now: convolutional." in torso.badge.toolTip()
    assert item_of(window, "network.torso", "mlp").isEnabled()
    window.lab.draft.set("exploration.kind", "bootstrapped")
    assert not item_of(window, "network.recurrent", "lstm").isEnabled()
    window.lab.draft.set("exploration.kind", "epsilon_greedy")
    assert item_of(window, "network.recurrent", "lstm").isEnabled()


def test_a_choice_that_needs_one_other_brings_it_along_and_can_be_undone(window):
    draft, form = window.lab.draft, window.train.form
    draft.set("replay.kind", "uniform")
    notice = window.findChild(QWidget, "train.form.companion")
    item = item_of(window, "network.recurrent", "lstm")
    assert item.isEnabled()
    assert item.statusTip() == "Also sets Replay to sequence."
    form.rows["network.recurrent"].editor.edited.emit("lstm")
    assert draft.configuration.replay.kind == "sequence"
    assert draft.complaints == {}
    words = "Recurrent memory: LSTM goes with Replay: sequence, so both were set."
    assert notice.isVisible()
    assert notice.text == words
    window.findChild(QPushButton, "train.form.edit.undo").click()
    assert draft.configuration.network.recurrent == "none"
    assert draft.configuration.replay.kind == "uniform"
    assert not notice.isVisible()


def test_choices_are_judged_in_a_few_milliseconds(window):
    configuration, card = window.lab.draft.configuration, window.lab.draft.card
    keys = [it.key for it in specs().values() if it.kind in ("bool", "choice")]
    begun = perf_counter()
    for _ in range(10):
        for key in keys:
            alternatives(configuration, card, key)
    assert (perf_counter() - begun) / 10 < 0.03  # about 1 ms on an idle machine


def test_environments_that_do_not_suit_cannot_be_picked(window):
    combo = window.findChild(QComboBox, "train.param.environment.id.combo")
    model = combo.model()
    flags = {model.item(i).text(): model.item(i).flags() for i in range(2)}
    assert flags["CartPole-v1"] & Qt.ItemFlag.ItemIsEnabled
    assert not flags["Pendulum-v1"] & Qt.ItemFlag.ItemIsEnabled
    assert "continuous" in model.item(1).toolTip()


def test_an_unknown_environment_is_explained_at_its_field(window, client):
    del client.answers["describe"]
    window.lab.draft.set("environment.id", "CartPoel-v1")
    asked = client.questions("describe")[-1]
    client.reply(asked.id, "There is no environment 'CartPoel-v1'.")
    window.lab.pulse.beat()
    row = window.train.form.rows["environment.id"]
    assert row.complaint == "There is no environment 'CartPoel-v1'."


def test_a_missing_package_is_named_with_its_cure(window, client, beat):
    card = {"id": "ALE/Pong-v5", "suits": False, "reason": "It needs ale_py."}
    client.answers["describe"] = lambda arguments: {
        "card": card | {"install": "pip install ale-py"}
    }
    window.lab.draft.set("environment.id", "ALE/Pong-v5")
    beat()
    row = window.train.form.rows["environment.id"]
    assert row.complaint == "It needs ale_py. Install it with: pip install ale-py"
    assert window.lab.store.live_card.id == "CartPole-v1"  # still in the picture
    window.lab.run.start()
    fixes = window.lab.problems.get("window.configuration").problem.fixes
    assert fixes[0][0] == "copy:pip install ale-py"


def test_another_environment_forgets_the_arguments_of_the_old_one(window):
    window.lab.draft.set("environment.kwargs", {"size": 4})
    window.lab.draft.set("environment.id", "Acrobot-v1")
    assert window.lab.draft.configuration.environment.kwargs == {}
    window.lab.history.undo()
    assert window.lab.draft.configuration.environment.kwargs == {"size": 4}


def test_words():
    configuration = Configuration()
    assert remark("agent.discount", configuration, None) == "horizon about 100 steps"
    assert not is_relevant("replay.alpha", configuration, None)
    assert "Takes effect with the next Train" in tooltip(spec("agent.n_step"))
    assert "Applies at once" in tooltip(spec("agent.discount"))


def test_the_estimate_counts_each_frame_once():
    stacked = Configuration().with_options(
        {"environment.frame_stack": 4, "replay.capacity": 1000}
    )
    card = script.CARD.from_dict(
        script.CARD.to_dict() | {"shape": (84, 84, 4), "dtype": "uint8"}
    )
    assert 84 * 84 * 1000 < replay_bytes(stacked, card) < 84 * 84 * 1000 * 1.1
