"""A state can be taken apart, put together and told from any other."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.contract.arrays import flatten, join, split, state_hash

names = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1)
arrays = hnp.arrays(
    dtype=st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
values = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats())
leaves = st.one_of(arrays, values, st.lists(st.integers(), max_size=3))
states = st.recursive(
    st.dictionaries(names, leaves, min_size=1, max_size=3),
    lambda inner: st.dictionaries(names, inner | leaves, min_size=1, max_size=3),
    max_leaves=8,
)


def same(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    return repr(one) == repr(other)


@given(states)
def test_what_is_split_joins_to_the_same(state: dict):
    assert same(join(*split(state)), state)


@given(states)
def test_the_hash_does_not_depend_on_the_order_of_names(state: dict):
    turned = dict(reversed(list(state.items())))
    assert state_hash(turned) == state_hash(copy.deepcopy(state))


@given(arrays.filter(lambda it: it.size > 0))
def test_the_hash_changes_with_any_byte(array: np.ndarray):
    changed = array.copy()
    changed.reshape(-1).view(np.uint8)[0] ^= 1
    assert state_hash({"a": array}) != state_hash({"a": changed})


def test_the_hash_tells_shapes_types_names_and_values_apart():
    flat = np.zeros(4, np.float32)
    differing = [
        {"a": flat},
        {"b": flat},
        {"a": flat.reshape(2, 2)},
        {"a": flat.view(np.int32)},
        {"a": flat, "n": 1},
        {"a": flat, "n": 2},
        {"g": {"a": flat}},
    ]
    assert len({state_hash(it) for it in differing}) == len(differing)


def test_the_hash_of_a_transposed_view_is_that_of_its_copy():
    array = np.arange(6.0).reshape(2, 3).T
    assert state_hash({"a": array}) == state_hash({"a": array.copy()})


def test_leaves_come_in_the_order_of_their_names():
    state = {"b": 1, "a": {"z": 2, "c": 3}}
    assert list(flatten(state)) == [("a/c", 3), ("a/z", 2), ("b", 1)]


@pytest.mark.parametrize("name", ["", "a/b"])
def test_a_name_that_would_make_two_states_look_alike_is_refused(name: str):
    with pytest.raises(ValueError, match="cannot name"):
        split({"group": {name: 1}})


@pytest.mark.parametrize("leaf", [object(), {1, 2}, b"bytes", np.float32(1)])
def test_a_leaf_that_no_file_can_hold_is_refused(leaf: object):
    with pytest.raises(TypeError):
        split({"a": leaf})
