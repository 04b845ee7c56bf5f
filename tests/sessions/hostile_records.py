"""Recorded episodes and checkpoints that obey every rule of HDF5, and lie."""

import json

import numpy as np
from hostile_contents import content, get_json, put, put_json


def state(file):
    """The group of the newest checkpoint."""
    groups = file["checkpoints"].values()
    return max(groups, key=lambda it: it.attrs["step"])


# ---------------------------------------------------------------------- episodes


@content
def rewards_that_are_short(file):
    put(file, "episodes/episode_0/rewards", np.zeros(2))


@content
def episode_without_actions(file):
    del file["episodes/episode_0/actions"]


@content
def actions_with_two_dimensions(file):
    put(file, "episodes/episode_0/actions", np.zeros((11, 2), np.int64))


@content
def values_in_the_place_of_arrays(file):
    put_json(
        file, "episodes/episode_0/values_json", {"actions": "os.system", "kind": 3}
    )


@content
def values_in_the_place_of_rewards(file):
    del file["episodes/episode_0/rewards"]
    put_json(file, "episodes/episode_0/values_json", {"rewards": [1.0] * 11})


@content
def actions_that_there_are_not(file):
    count = len(file["episodes/episode_0/actions"])
    put(file, "episodes/episode_0/actions", np.full(count, 10**9))


@content
def observations_that_are_no_numbers(file):
    shape = file["episodes/episode_0/observations"].shape
    put(file, "episodes/episode_0/observations", np.full(shape, np.nan))


@content
def pictures_that_are_none(file):
    put(file, "episodes/episode_0/frames", np.zeros((12, 2), np.float64))


@content
def seed_that_is_text(file):
    file["episodes/episode_0"].attrs["seed"] = np.bytes_(b"1; import os")


@content
def kind_that_is_a_path(file):
    file["episodes/episode_0"].attrs["kind"] = np.bytes_(b"../../x")


@content
def episode_that_is_an_array(file):
    put(file, "episodes/episode_0", np.zeros(3))


# ------------------------------------------------------------------- checkpoints


@content
def another_number(file):
    state(file).attrs["number"] = 12345


@content
def number_that_is_text(file):
    state(file).attrs["step"] = np.bytes_(b"100")


@content
def checkpoint_below_zero(file):
    state(file).attrs["step"] = -100


@content
def reason_that_is_a_number(file):
    state(file).attrs["reason"] = 5


@content
def reason_that_is_long(file):
    state(file).attrs["reason"] = np.bytes_(b"<b>" + b"x" * 60_000)


@content
def weights_that_are_no_numbers(file):
    _weights(file, np.full((8, 4), np.nan, "f4"))


@content
def weights_of_another_shape(file):
    _weights(file, np.zeros((3, 1000), "f4"))


@content
def weights_of_another_type(file):
    _weights(file, np.zeros((8, 4), "i1"))


def _weights(file, value):
    group = state(file)
    paths = get_json(group, "state_json")["paths"]
    for place, path in paths.items():
        if "online" in path.split("/"):
            put(group, place, value)
    group.attrs["sha256_state"] = np.bytes_(b"")
    del group.attrs["sha256_state"]


@content
def another_hash(file):
    state(file).attrs["sha256_state"] = np.bytes_(b"0" * 64)


@content
def parts_that_lie_elsewhere(file):
    stored = get_json(state(file), "state_json")
    stored["paths"] = {"../../config_json": "agent/online/w", "./": "x", "": "y"}
    put_json(state(file), "state_json", stored)


@content
def parts_within_parts(file):
    stored = get_json(state(file), "state_json")
    stored["paths"] = dict.fromkeys(stored["paths"], "agent")
    stored["values"] = json.dumps({"agent/online": 3, "": 1})
    put_json(state(file), "state_json", stored)
    del state(file).attrs["sha256_state"]


@content
def values_that_are_no_table(file):
    stored = get_json(state(file), "state_json")
    put_json(state(file), "state_json", stored | {"values": "[1, 2"})


@content
def values_with_another_configuration(file):
    stored = get_json(state(file), "state_json")
    values = json.loads(stored["values"]) | {"configuration": '{"environment": 3}'}
    put_json(state(file), "state_json", stored | {"values": json.dumps(values)})
    del state(file).attrs["sha256_state"]


@content
def checkpoint_without_its_list(file):
    del state(file)["state_json"]


@content
def slots_far_away(file):
    slots = state(file)["replay_slots/slot"]
    put(state(file), "replay_slots/slot", slots[()] + 2**61)


@content
def slots_below_zero(file):
    slots = state(file)["replay_slots/slot"]
    put(state(file), "replay_slots/slot", slots[()] - 2**40)


@content
def slots_that_are_no_numbers(file):
    slots = state(file)["replay_slots/slot"]
    put(state(file), "replay_slots/slot", slots[()].astype(np.float64))


@content
def replay_of_other_lengths(file):
    put(state(file), "replay_slots/reward", np.zeros(1))


@content
def replay_without_slots(file):
    del state(file)["replay_slots/slot"]


@content
def no_checkpoints(file):
    for name in list(file["checkpoints"]):
        del file["checkpoints"][name]
