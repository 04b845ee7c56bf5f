"""Messages arrive as they were sent, and anything else is refused."""

import threading
import typing
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.contract import codec, messages
from engine.contract.codec import MalformedMessage, decode, encode
from engine.contract.messages import Answer, Ask, Message, Pause, Problem, Weights

KINDS = sorted(Message.__subclasses__(), key=lambda kind: kind.__name__)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)

integers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(max_size=8)
arrays = hnp.arrays(
    dtype=st.sampled_from(["float32", "float64", "int64", "uint8", "bool", "int16"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
)
plain = st.one_of(st.none(), st.booleans(), integers, st.floats(), texts)
anything = st.recursive(
    plain | arrays,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner),
    max_leaves=5,
)
BY_TYPE = {
    str: texts,
    int: integers,
    float: st.floats(),
    bool: st.booleans(),
    np.ndarray: arrays,
    Any: anything,
}


def of_type(annotation: Any) -> st.SearchStrategy:
    """Values of a declared type of a message's field."""
    if annotation in BY_TYPE:
        return BY_TYPE[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(of_type(arguments[0]), max_size=3)
    if origin is tuple:
        return st.tuples(*map(of_type, arguments))
    if origin is dict:
        return st.dictionaries(*map(of_type, arguments), max_size=3)
    if type(None) in arguments:
        return st.none() | of_type(arguments[0])
    return message_of(annotation)


def message_of(kind: type[Message]) -> st.SearchStrategy:
    hints = typing.get_type_hints(kind)
    fields = {name: of_type(hints[name]) for name in kind.__struct_fields__}
    return st.builds(kind, **fields)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return (
            isinstance(other, np.ndarray)
            and (one.dtype, one.shape) == (other.dtype, other.shape)
            and one.tobytes() == other.tobytes()
        )
    if isinstance(one, Message):
        names = one.__struct_fields__
        pairs = [(getattr(one, name), getattr(other, name)) for name in names]
        return type(one) is type(other) and all(same(a, b) for a, b in pairs)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return type(one) is type(other) and repr(one) == repr(other)


def over_the_wire(frames: Sequence[Any]) -> list[bytes]:
    return [bytes(frame) for frame in frames]


@every_kind
@settings(max_examples=25)
@given(data=st.data())
def test_a_message_arrives_as_it_was_sent(kind: type[Message], data: st.DataObject):
    message = data.draw(message_of(kind))
    assert same(decode(over_the_wire(encode(message))), message)


@every_kind
def test_a_message_and_each_of_its_fields_is_explained(kind: type[Message]):
    assert kind.__doc__


def test_no_two_messages_have_the_same_name():
    assert len({kind.__name__ for kind in KINDS}) == len(KINDS)


def test_an_array_that_is_not_in_one_piece_arrives_whole():
    array = np.arange(24).reshape(2, 3, 4)[:, ::2, ::-1]
    answer = decode(over_the_wire(encode(Answer(1, {"a": array}))))
    assert np.array_equal(answer.result["a"], array)


def test_arrays_travel_beside_the_text_and_are_not_copied():
    array = np.zeros(1000)
    head, body = encode(Weights(1, 1, {"online/w": array}))
    assert len(head) < 200
    assert np.shares_memory(np.frombuffer(body, np.float64), array)


def test_arrays_that_arrived_cannot_be_written_to():
    array = decode(over_the_wire(encode(Answer(1, {"a": np.zeros(3)})))).result["a"]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_numbers_of_numpy_become_plain_ones():
    result = decode(encode(Answer(1, {"n": np.int64(3), "x": np.float32(0.5)}))).result
    assert same(result, {"n": 3, "x": 0.5})


@pytest.mark.parametrize(
    "value", [object(), np.array(["text"]), np.array([object()]), np.array([1j])]
)
def test_what_no_message_can_hold_is_not_sent(value: object):
    with pytest.raises(TypeError, match="cannot hold"):
        encode(Answer(1, {"a": value}))


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_random_bytes_are_refused(frames: list[bytes]):
    with pytest.raises(MalformedMessage, match="not understood"):
        decode(frames)


@settings(max_examples=300)
@given(st.integers(0, 10_000), st.integers(1, 255), st.integers(0, 40))
def test_damaged_messages_are_refused_or_are_messages(
    place: int, change: int, cut: int
):
    content = {"a": np.zeros((2, 3), np.float32), "b": [1, "x", {"c": np.zeros(2)}]}
    head, *rest = over_the_wire(encode(Ask(7, "episode", content)))
    damaged = bytearray(head)
    damaged[place % len(damaged)] ^= change
    try:
        found = decode([bytes(damaged[: len(damaged) - cut]), *rest])
    except MalformedMessage:
        return
    assert isinstance(found, Message)


def array_frame(dtype: object, shape: object, index: object) -> bytes:
    meta = msgspec.msgpack.encode((dtype, shape, index))
    extension = msgspec.msgpack.Ext(1, meta)
    body = {"type": "Answer", "id": 1, "result": {"a": extension}}
    return msgspec.msgpack.encode(body)


@pytest.mark.parametrize(
    ("dtype", "shape", "index"),
    [
        ("<f4", [2], 0),
        ("<f4", [-1, -1], 0),
        ("<f4", [2**64 - 1], 0),
        ("<f4", [2**40, 2**40], 0),
        ("<f4", [1], 5),
        ("<f4", [1], -1),
        ("O", [1], 0),
        ("V4", [1], 0),
        ("<U1", [1], 0),
        ("rubbish", [1], 0),
        ("(1", [1], 0),
        ("f4,i4", [1], 0),
        ("<f3", [1], 0),
        ("<f8", [1], 0),
        (3, [1], 0),
    ],
)
def test_arrays_that_are_none_are_refused(dtype: object, shape: object, index: object):
    assert decode([array_frame("<f4", [1], 0), bytes(4)]).result["a"].shape == (1,)
    with pytest.raises(MalformedMessage):
        decode([array_frame(dtype, shape, index), bytes(4)])


@pytest.mark.parametrize(
    "body",
    [
        {"type": "NoSuchMessage"},
        {"type": "Pause", "more": 1, "id": []} | {"type": None},
        {"type": "Ask", "id": "seven", "question": "q", "arguments": {}},
        {"type": "Ask", "id": 7},
        {"type": "Weights", "step": 1, "update": 1, "arrays": {"w": [1.0]}},
        {"type": "Advance", "unit": "mile"},
        [],
        {"type": "Answer", "id": 1, "result": {"a": msgspec.msgpack.Ext(9, b"")}},
    ],
)
def test_what_does_not_fit_its_declared_types_is_refused(body: object):
    with pytest.raises(MalformedMessage):
        decode([msgspec.msgpack.encode(body)])


def test_endless_nesting_is_refused():
    deep = b"\x81\xa1a" * 100_000 + b"\xc0"
    head = msgspec.msgpack.encode({"type": "Answer", "id": 1})
    with pytest.raises(MalformedMessage):
        decode([b"\x83" + head[1:] + b"\xa6result" + deep])


def test_no_frames_are_no_message():
    with pytest.raises(MalformedMessage):
        decode([])


def test_threads_do_not_mix_up_their_arrays():
    wrong: list[int] = []

    def talk(number: int) -> None:
        array = np.full(50, number)
        for _ in range(200):
            answer = decode(over_the_wire(encode(Answer(number, {"a": array}))))
            if not np.array_equal(answer.result["a"], array):
                wrong.append(number)

    threads = [threading.Thread(target=talk, args=(it,)) for it in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_problem_is_one_sentence_of_what_why_and_fix():
    problem = Problem("x", "It broke.", fix="Mend it.")
    assert problem.sentence() == "It broke. Mend it."


def test_the_first_message_of_a_process_carries_the_version():
    assert messages.Hello("trainer", 1).protocol == messages.PROTOCOL


def test_a_message_is_frozen():
    with pytest.raises(AttributeError):
        Ask(1, "q", {}).id = 2
    assert Pause() == Pause()


@given(chosen=hnp.arrays(np.int64, 170, elements=st.integers(0, 3)))
def test_pictures_arrive_as_they_were_whatever_their_rows(chosen: np.ndarray):
    colours = np.random.default_rng(0).integers(0, 256, (4, 130, 3), np.uint8)
    picture = colours[chosen]
    arrived = decode(encode(Answer(id=1, result={"frame": picture}))).result["frame"]
    assert np.array_equal(arrived, picture)


def test_plain_areas_of_a_picture_take_no_room():
    plain = np.full((2, 400, 600, 3), 255, np.uint8)
    plain[1, 200:220, 100:] = 7
    frames = encode(Answer(id=1, result={"frames": plain}))
    assert sum(len(it) for it in frames) < plain.nbytes / 100
    assert np.array_equal(decode(frames).result["frames"], plain)
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8)
    _, sent = encode(Answer(id=1, result={"frame": noise}))
    assert bytes(sent) == noise.tobytes()


def test_a_damaged_picture_is_refused():
    plain = np.zeros((100, 300, 3), np.uint8)
    head, packed = encode(Answer(id=1, result={"frame": plain}))
    flipped = bytes([packed[0] ^ 0xFF]) + packed[1:]
    for damaged in ([head, packed[:-1]], [head, flipped], [head, b""], [head]):
        with pytest.raises(MalformedMessage):
            decode(damaged)


@pytest.mark.parametrize("shape", [(1 << 20, 1 << 20, 3), (-1, 300, 3), (2, -300, -3)])
def test_no_memory_is_taken_for_what_a_picture_cannot_hold(shape):
    plain = np.zeros((100, 300, 3), np.uint8)
    head, packed = encode(Answer(id=1, result={"frame": plain}))
    told = msgspec.msgpack.encode(("|u1", list(plain.shape), 0))
    other = msgspec.msgpack.encode(("|u1", list(shape), 0))
    lied = msgspec.msgpack.decode(head)
    lied["result"]["frame"] = msgspec.msgpack.Ext(lied["result"]["frame"].code, other)
    assert told in head
    with pytest.raises(MalformedMessage, match="no picture of shape"):
        decode([msgspec.msgpack.encode(lied), packed])


def test_many_pictures_of_one_frame_are_bounded_together(monkeypatch):
    monkeypatch.setattr(codec, "_PICTURES_MOST", 1_000_000)
    plain = np.zeros((100, 300, 3), np.uint8)
    head, packed = encode(Answer(id=1, result={"frame": plain}))
    told = msgspec.msgpack.decode(head)
    for count, fits in ((11, True), (12, False), (11, True)):
        told["result"]["frames"] = [told["result"]["frame"]] * (count - 1)
        frames = [msgspec.msgpack.encode(told), packed]
        if fits:
            assert len(decode(frames).result["frames"]) == count - 1
        else:
            with pytest.raises(MalformedMessage, match="bytes of pictures"):
                decode(frames)
