"""Numbers by numbers: the same as a dict says, in any order of what comes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rllab_gui.numbered import FIRST_ROOM, Numbered

pairs = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 99)), max_size=20)
batches = st.lists(st.tuples(st.booleans(), pairs), max_size=8)


def whole(numbered):
    keys, values = numbered.keys.tolist(), numbered.values.tolist()
    return dict(zip(keys, values, strict=True))


@given(batches)
def test_it_says_what_a_dict_says(batches):
    numbered, expected = Numbered(), {}
    for at_once, rows in batches:
        if at_once:
            columns = np.array(rows, np.int64).reshape(-1, 2).T
            numbered.put_all(*columns)
        else:
            for key, value in rows:
                numbered.put(key, value)
        expected |= dict(rows)
        assert whole(numbered) == dict(sorted(expected.items()))
        assert len(numbered) == len(expected)
    asked = np.arange(-1, 33)
    assert [numbered.get(it) for it in asked] == [expected.get(it) for it in asked]
    assert numbered.known(asked).tolist() == [it in expected for it in asked]
    numbered.keep(numbered.values < 50)
    assert whole(numbered) == {k: it for k, it in sorted(expected.items()) if it < 50}
    numbered.put(7, 3)
    assert numbered.get(7) == 3


def test_it_grows_beyond_its_first_room():
    numbered = Numbered()
    for key in range(10 * FIRST_ROOM):
        numbered.put(key, 2 * key)
    assert numbered.values.tolist() == [2 * it for it in range(10 * FIRST_ROOM)]
