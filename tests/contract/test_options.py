"""Every option is declared whole, and nonsense is refused with reasons."""

import json
import math

import pytest
from pydantic import ValidationError

from engine.contract.options import (
    Configuration,
    ConfigurationError,
    OptionSpec,
    configuration_from_flat,
    configuration_from_json,
    describe_range,
    flat_from_toml,
    live_changes,
    parse_assignment,
    parse_value,
    spec,
    specs,
)
from engine.contract.options.configuration import _kind

ALL = list(specs().values())
NUMBERS = [of for of in ALL if of.minimum is not None]
every_option = pytest.mark.parametrize("of", ALL, ids=lambda of: of.key)
every_number = pytest.mark.parametrize("of", NUMBERS, ids=lambda of: of.key)

# Names that scripts rely on.
FIXED = [
    "environment.id",
    "agent.learning_rate",
    "agent.discount",
    "agent.batch_size",
    "agent.updates_per_step",
    "agent.n_step",
    "agent.double",
    "agent.dueling",
    "replay.kind",
    "replay.capacity",
    "replay.alpha",
    "replay.beta",
    "target_network.kind",
    "exploration.kind",
    "exploration.epsilon",
    "network.hidden",
    "head.kind",
    "training.environments",
    "training.steps",
    "training.seed",
    "recording.level",
]


def complaints_of(flat: dict) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        configuration_from_flat(flat)
    return caught.value.complaints


@every_option
def test_an_option_says_what_it_is_in_a_sentence(of: OptionSpec):
    assert of.title
    assert of.help.endswith(".")
    assert not of.effect or of.effect.endswith(".")


@every_option
def test_an_option_that_acts_at_once_says_what_moving_it_does(of: OptionSpec):
    if of.applies == "live":
        assert of.effect


@every_number
def test_a_range_holds_its_default(of: OptionSpec):
    assert of.minimum <= of.default <= of.maximum
    assert of.minimum < of.maximum


@every_number
def test_a_logarithmic_range_starts_above_zero_or_says_what_zero_does(of: OptionSpec):
    if of.scale == "log":
        assert of.minimum > 0 or "0 " in of.help


@every_option
def test_numbers_have_both_bounds_and_choices_hold_their_default(of: OptionSpec):
    if of.kind in ("int", "float"):
        assert of.minimum is not None
        assert of.maximum is not None
    if of.kind == "choice":
        assert of.default in of.choices


@every_number
def test_bounds_are_allowed_and_what_lies_beyond_is_refused(of: OptionSpec):
    low, high = of.minimum, of.maximum
    if of.kind == "int":
        low, high = int(low), int(high)
    for allowed in (low, high):
        assert configuration_from_flat({of.key: allowed}).get(of.key) == allowed
    beyond = [low - 1, high * 2 + 1, math.nan, math.inf]
    for refused in beyond:
        sentence = complaints_of({of.key: refused})[of.key]
        assert of.key in sentence
        assert describe_range(of) in sentence


@every_option
def test_the_default_reads_back_from_the_text_a_person_would_type(of: OptionSpec):
    texts = {"integers": ",".join, "mapping": json.dumps}
    value = list(map(str, of.default)) if of.kind == "integers" else of.default
    text = texts.get(of.kind, str)(value)
    key, parsed = parse_assignment(f"{of.key} = {text}")
    assert configuration_from_flat({key: parsed}).get(of.key) == of.default


@every_option
def test_a_word_of_another_kind_is_refused_with_what_it_takes(of: OptionSpec):
    if of.kind == "str":
        return
    with pytest.raises(ConfigurationError, match=of.key) as caught:
        configuration_from_flat(dict([parse_assignment(f"{of.key}=pickle")]))
    assert "pickle" in str(caught.value)


@pytest.mark.parametrize("key", FIXED)
def test_the_names_that_scripts_rely_on_exist(key: str):
    assert spec(key).key == key


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("agent.learningrate", "agent.learning_rate"),
        ("learning_rate", "agent.learning_rate"),
        ("agent.capacity", "replay.capacity"),
        ("alpha", "replay.alpha"),
        ("replay.kid", "replay.kind"),
    ],
)
def test_an_unknown_option_names_the_nearest_ones(typed: str, meant: str):
    with pytest.raises(ConfigurationError, match=meant) as caught:
        parse_assignment(f"{typed}=1")
    assert f"There is no option '{typed}'" in str(caught.value)


def test_a_name_like_no_other_says_where_the_names_are():
    with pytest.raises(ConfigurationError, match="rllab algorithms"):
        spec("zzzz")


def test_all_complaints_come_at_once():
    flat = {"agent.discount": 2, "agent.lambda": 1, "replay.kind": "huge", "x": 1}
    assert set(complaints_of(flat)) == set(flat)


def test_unknown_options_alone_are_refused_too():
    assert set(complaints_of({"agent.lambda": 1})) == {"agent.lambda"}


@pytest.mark.parametrize("text", ["agent.discount", "", "agent.discount:1"])
def test_an_assignment_without_an_equals_sign_shows_how_to_write_one(text: str):
    with pytest.raises(ConfigurationError, match="write KEY=VALUE"):
        parse_assignment(text)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("agent.double", "off", False),
        ("agent.double", "YES", True),
        ("training.steps", "2e5", 200_000),
        ("training.steps", "10_000", 10_000),
        ("environment.kwargs", "", {}),
        ("environment.kwargs", '{"slip": 0.1}', {"slip": 0.1}),
        ("network.hidden", "32", "32"),
    ],
)
def test_values_are_read_as_people_write_them(key: str, text: str, value: object):
    assert parse_value(spec(key), text) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("agent.double", "perhaps"),
        ("training.steps", "0.5"),
        ("training.steps", "inf"),
        ("environment.kwargs", "[1]"),
        ("environment.kwargs", "{"),
    ],
)
def test_text_of_the_wrong_kind_is_refused(key: str, text: str):
    with pytest.raises(ConfigurationError, match="it takes"):
        parse_value(spec(key), text)


@pytest.mark.parametrize(
    ("value", "widths"),
    [("64,64", (64, 64)), ("", ()), (32, (32,)), ([8, 4], (8, 4)), ((), ())],
)
def test_hidden_layers_are_widths_with_commas(value: object, widths: tuple):
    assert configuration_from_flat({"network.hidden": value}).network.hidden == widths


@pytest.mark.parametrize("value", ["64,x", "0", "5000", [1] * 9, True, "-3"])
def test_hidden_layers_that_no_network_can_have_are_refused(value: object):
    assert (
        "network.hidden cannot be"
        in complaints_of({"network.hidden": value})["network.hidden"]
    )


def test_convolutions_are_channels_kernel_stride():
    options = configuration_from_flat({"network.conv": "32x8x4, 64x4x2"}).network
    assert options.conv_layers() == [(32, 8, 4), (64, 4, 2)]
    assert options.conv == "32x8x4,64x4x2"


@pytest.mark.parametrize("text", ["", "16", "16x3", "0x3x1", "16x3x1,"])
def test_other_convolutions_are_refused(text: str):
    assert "channels x kernel x stride" in str(complaints_of({"network.conv": text}))


@pytest.mark.parametrize("name", ["render_mode", "vector_kwargs", "entry_point"])
def test_arguments_that_the_lab_sets_itself_are_refused(name: str):
    said = complaints_of({"environment.kwargs": {name: "human"}})
    assert f"the lab sets {name} itself" in said["environment.kwargs"]


def test_arguments_that_no_file_can_hold_are_refused():
    for value in (math.nan, math.inf):
        assert "finite" in str(complaints_of({"environment.kwargs": {"a": value}}))


def test_long_values_are_shortened_in_the_sentence():
    said = complaints_of({"replay.kind": "x" * 500})["replay.kind"]
    assert len(said) < 200


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1"])
def test_devices_are_auto_cpu_or_a_gpu(device: str):
    assert configuration_from_flat({"training.device": device})
    assert "training.device" in complaints_of({"training.device": device + "!"})


def test_a_configuration_survives_json():
    wanted = {"network.hidden": "7,3", "environment.kwargs": {"map_name": "8x8"}}
    configuration = configuration_from_flat(wanted)
    assert configuration_from_json(configuration.to_json()) == configuration


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "not a table"),
        ('{"agent": 3}', "not a table"),
        ('{"agent": {"discount": 2}}', "agent.discount"),
    ],
)
def test_json_that_is_no_configuration_is_refused(text: str, reason: str):
    with pytest.raises(ConfigurationError, match=reason):
        configuration_from_json(text)


def test_a_configuration_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Configuration().agent.discount = 0.5


def test_with_options_changes_only_what_it_names():
    changed = Configuration().with_options({"agent.discount": 0.5})
    differing = {k for k, v in changed.flat().items() if v != Configuration().flat()[k]}
    assert differing == {"agent.discount"}


def test_live_changes_are_found():
    new = Configuration().with_options({"agent.discount": 0.5, "replay.alpha": 1})
    assert live_changes(Configuration(), new) == {
        "agent.discount": 0.5,
        "replay.alpha": 1,
    }


def test_a_change_that_needs_a_new_run_says_so():
    new = Configuration().with_options({"agent.discount": 0.5, "training.seed": 4})
    with pytest.raises(ConfigurationError, match="Seed needs a new run") as caught:
        live_changes(Configuration(), new)
    assert set(caught.value.complaints) == {"training.seed"}


def test_toml_may_write_options_dotted_or_as_tables():
    dotted = "[options]\nagent.discount = 0.5\nenvironment.kwargs = {slip = 0.1}"
    tables = "[options.agent]\ndiscount=0.5\n[options.environment.kwargs]\nslip=0.1"
    wanted = {"agent.discount": 0.5, "environment.kwargs": {"slip": 0.1}}
    assert flat_from_toml(dotted) == flat_from_toml(tables) == wanted


def test_toml_that_names_no_group_is_refused_as_an_unknown_option():
    flat = flat_from_toml("[options]\ndiscount = 0.5")
    assert "agent.discount" in complaints_of(flat)["discount"]


@pytest.mark.parametrize("text", ["[options", "options = 3", "options = [1]"])
def test_toml_without_a_table_of_options_is_refused(text: str):
    with pytest.raises(ConfigurationError, match=r"TOML|table"):
        flat_from_toml(text)


@pytest.mark.parametrize("key", ["agent.discount", "agent.double", "network.hidden"])
def test_a_null_is_refused(key: str):
    assert key in complaints_of({key: None})


def test_an_option_of_two_kinds_cannot_be_declared():
    with pytest.raises(TypeError, match="one kind"):
        _kind(int | str)
