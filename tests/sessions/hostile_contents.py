"""Session files that obey every rule of HDF5, and lie: JSON, lengths, counts, names."""

import json

import numpy as np

CONTENTS = {}
TEXTS = (
    "<img src=/etc/passwd>",
    "\u202egpj.exe",
    "\x1b]0;owned\x07",
    "x" * 1_000_000,
    "$(touch owned)",
    "=cmd|'/c calc'!A1",
)


def content(change):
    CONTENTS[change.__name__] = change
    return change


def put(file, path, data):
    if path in file:
        del file[path]
    file[path] = np.asarray(data)


def put_text(file, path, text):
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    put(file, path, np.frombuffer(data, np.uint8))


def put_json(file, path, value):
    put_text(file, path, json.dumps(value))


def get_json(file, path):
    return json.loads(file[path][()].tobytes())


def configured(file, **options):
    """The configuration with other values: ``group__name=value``."""
    configuration = get_json(file, "config_json")
    for key, value in options.items():
        group, name = key.split("__")
        configuration[group][name] = value
    put_json(file, "config_json", configuration)


# ----------------------------------------------------------------- configuration


def _environment(id, **kwargs):
    def change(file):
        configured(file, environment__id=id, environment__kwargs=kwargs)
        card = get_json(file, "env_json")
        put_json(file, "env_json", card | {"id": id})

    return change


for name, id in {
    "environment_is_a_module": "os:system",
    "environment_imports": "antigravity:CartPole-v1",
    "environment_is_a_path": "../../../etc/passwd",
    "environment_has_markup": TEXTS[0],
    "environment_is_long": "x" * 100_000,
    "environment_is_an_option": "--help",
}.items():
    CONTENTS[name] = _environment(id)
for name, kwargs in {
    "arguments_with_an_entry_point": {"entry_point": "os:system"},
    "arguments_with_code": {
        "__reduce__": "os.system",
        "fps": "__import__('os')",
    },
    "arguments_with_a_file": {"xml_file": "/etc/passwd", "map_name": "/etc/passwd"},
}.items():
    CONTENTS[name] = _environment("CartPole-v1", **kwargs)


@content
def arguments_that_are_nested(file):
    configured(file, environment__kwargs={"desc": ["SFFF", {"a": 1}]})


@content
def learning_rate_that_is_none(file):
    configured(file, agent__learning_rate=float("nan"))


@content
def number_of_a_thousand_digits(file):
    put_text(file, "config_json", '{"training": {"steps": ' + "9" * 1000 + "}}")


@content
def number_of_many_digits(file):
    put_text(file, "config_json", '{"training": {"steps": ' + "9" * 200_000 + "}}")


@content
def unknown_options(file):
    configured(file, agent__backdoor="os.system('id')", training__hook="evil")


@content
def options_of_another_type(file):
    configured(file, training__steps="many", agent__discount=[1], replay__capacity={})


@content
def huge_replay_memory(file):
    configured(file, replay__capacity=10**15)


@content
def deep_configuration(file):
    put_text(file, "config_json", "[" * 100_000)


@content
def deep_views(file):
    put_text(file, "views_json", '{"a":' * 100_000 + "1" + "}" * 100_000)


@content
def keys_twice(file):
    put_text(file, "views_json", '{"a": 1, "a": 2, "a": {"b": 1, "b": 2}}')


@content
def configuration_in_other_letters(file):
    put_text(file, "config_json", b"\xff\xfe\x00\xd8")


@content
def configuration_that_is_a_list(file):
    put_json(file, "config_json", [1, 2, 3])


@content
def configuration_that_is_empty(file):
    put_text(file, "config_json", "")


@content
def configuration_that_is_long(file):
    put_text(file, "config_json", " " * (1 << 20) + "{}")


@content
def configuration_that_is_missing(file):
    del file["config_json"]


@content
def offline_source_is_a_path(file):
    configured(file, training__offline="/etc/passwd")


# ------------------------------------------------------------ other JSON, and head


@content
def card_with_other_fields(file):
    put_json(file, "env_json", {"id": "CartPole-v1", "__class__": "os", "shape": "x"})


@content
def card_of_a_giant(file):
    card = get_json(file, "env_json")
    put_json(file, "env_json", card | {"shape": [10**9, 10**9], "actions": 10**12})


@content
def card_that_is_text(file):
    put_json(file, "env_json", "card")


@content
def views_that_are_a_list(file):
    put_json(file, "views_json", [1])


@content
def views_of_strange_values(file):
    views = {
        "cursor": {"step": "x"},
        "layout": "../../x",
        "bookmarks": [None, {}, 1e308],
    }
    put_json(file, "views_json", views)


@content
def notes_of_strange_values(file):
    marks = [{"id": "<img src=x>", "kind": "training", "episode": 0, "t": 2**70}]
    put_json(file, "views_json", {"notes": {"bookmarks": marks, "loops": {"a": 1}}})


@content
def notes_of_half_a_character(file):
    put_text(file, "views_json", '{"notes": {"bookmarks": [{"text": "\\ud800"}]}}')


@content
def progress_below_zero(file):
    put_json(file, "progress_json", {"trainer": [-(2**80), -(2**80)]})


@content
def progress_of_another_shape(file):
    put_json(file, "progress_json", {"trainer": {"a": 1}, "stage": []})


@content
def events_that_are_none(file):
    put_json(file, "events_json", {"a": 1})


@content
def events_of_strange_text(file):
    events = [
        {
            "row": 1,
            "event": _event(text, kind=text[:50], data={"key": text, "old": text}),
        }
        for text in TEXTS
    ]
    put_json(file, "events_json", events)


@content
def events_of_large_numbers(file):
    events = [{"row": 2**100, "event": _event("x", step=2**100)}]
    put_json(file, "events_json", events)


@content
def events_that_are_not_numbers(file):
    events = [{"row": 1, "event": _event("x", wall_time=float("nan"))}]
    put_json(file, "events_json", events)


def _event(text, **fields):
    event = {"type": "Event", "kind": "problem", "step": 1, "text": text}
    return event | {"wall_time": 1e9, "data": {}} | fields


@content
def steps_as_text(file):
    file.attrs["steps"] = np.bytes_(b"<b>many</b>")


@content
def steps_below_zero(file):
    file.attrs["steps"] = -5


@content
def steps_beyond_all(file):
    file.attrs["steps"] = 2**63 - 1


@content
def created_never(file):
    file.attrs["created"] = 1e300


@content
def version_below_zero(file):
    file.attrs["format_major"] = -1


@content
def version_far_away(file):
    file.attrs["format_major"] = 99


@content
def no_version(file):
    del file.attrs["format_minor"]


@content
def no_version_at_all(file):
    del file.attrs["format_major"], file.attrs["format_minor"]


@content
def another_format(file):
    file.attrs["format"] = np.bytes_(b"something")


@content
def uuid_that_is_a_path(file):
    file.attrs["uuid"] = np.bytes_(b"../../../../tmp/owned")
    file.attrs["parent_uuid"] = np.bytes_(b"; rm -rf /")


@content
def writer_with_markup(file):
    file.attrs["writer"] = np.bytes_(TEXTS[0].encode())


@content
def writer_that_is_long(file):
    file.attrs["writer"] = np.bytes_(b"x" * 60_000)


# ------------------------------------------------------------------------ tables


@content
def columns_of_other_lengths(file):
    put(file, "metrics/loss/step", np.arange(3))


@content
def columns_with_two_dimensions(file):
    for name in list(file["metrics/loss"]):
        column = file["metrics/loss"][name][()]
        put(file, f"metrics/loss/{name}", np.resize(column, (4, 4)))


@content
def columns_of_other_types(file):
    put(file, "metrics/loss/step", file["metrics/loss/step"][()].astype("f8") / 0.3)


@content
def values_that_are_no_numbers(file):
    count = len(file["metrics/loss/value"])
    put(file, "metrics/loss/value", np.resize([np.nan, np.inf, -np.inf], count))


@content
def steps_of_a_curve_below_zero(file):
    count = len(file["metrics/loss/step"])
    put(file, "metrics/loss/step", np.full(count, -(2**62)))


@content
def series_without_columns(file):
    file.create_group("metrics/empty")


@content
def order_that_is_text(file):
    file["metrics/loss"].attrs["order"] = np.bytes_(b"first")


@content
def curves_are_missing(file):
    del file["metrics"]


@content
def lying_index(file):
    put(file, "recorded/episode", np.arange(5))


@content
def index_of_episodes_that_are_not_there(file):
    put(file, "recorded/episode", np.arange(1000))
    put(file, "recorded/evaluation", np.zeros(1000, bool))


@content
def finished_episodes_of_other_lengths(file):
    put(file, "finished/return", np.zeros(2))


@content
def episodes_below_zero(file):
    for name in ("episode", "length", "step"):
        count = len(file[f"finished/{name}"])
        put(file, f"finished/{name}", np.full(count, -7))


@content
def evaluations_that_share_wrongly(file):
    put(file, "evaluations/count", np.array([10**6, -(10**6), 9]))


@content
def evaluations_of_nobody(file):
    put(file, "evaluations/count", np.zeros(3, np.int64))
    put(file, "evaluations/returns", np.zeros(0))
    put(file, "evaluations/lengths", np.zeros(0, np.int64))


@content
def order_beyond_all(file):
    file["metrics/loss"].attrs["order"] = 2**62
