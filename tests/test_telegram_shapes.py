"""Any bytes are read, ignored or unreadable, soon, and nothing else (security.md section 6, rows 61-64)."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.telegram_batch import arrival_of
from bot.telegram_reading import WANTED, address_in, read
from conversations.messages import Ignore, Ignored, Incoming, Unreadable
from tests.telegram_wire import GROUP, edited, membership, message, tap

Json = dict[str, Any]


def without(update: Json, *path: str) -> Json:
    changed = copy.deepcopy(update)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return changed


NESTED = b'{"update_id":3,"message":' + b'{"a":' * 5000 + b"1" + b"}" * 5001
UNREADABLE: dict[str, bytes | Json] = {
    "nothing": b"",
    "not JSON": b"<html>hello</html>",
    "a list": b"[1]",
    "a number": b"7",
    "invalid UTF-8": b'{"update_id":3,"message":{"text":"\xff"}}',
    "a surrogate in UTF-8": json.dumps(message()).encode().replace(b"hello", b"\xed\xa0\xbd"),
    "NaN": json.dumps(message(latitude=float("nan"))).encode(),
    "Infinity": json.dumps(message(latitude=float("inf"))).encode(),
    "a repeated name": json.dumps(message()).encode().replace(b'"text"', b'"text":"b","text"'),
    "5,000 deep": NESTED,
    "100 deep": json.dumps(message()).encode().replace(b'"hello"', b'"x","y":' + b"[" * 100 + b"]" * 100),
    "a number of 5,000 digits": b'{"update_id":' + b"9" * 5000 + b"}",
    "no update id": without(message(), "update_id"),
    "an update id in quotes": message() | {"update_id": "1"},
    "an update id that is true": message() | {"update_id": True},
    "an unknown kind": {"update_id": 1, "telepathy": {}},
    "two kinds at once": message() | tap(),
    "a message that is a list": {"update_id": 1, "message": []},
    "no sender": without(message(), "message", "from"),
    "no chat": without(message(), "message", "chat"),
    "no message id": without(message(), "message", "message_id"),
    "a sender's id in quotes": message(by={"id": "4001"}),
    "a sender's id that is true": message(by={"id": True}),
    "a sender's id with a fraction": message(by={"id": 4001.0}),
    "a chat id of 65 bits": message(chat={"id": 2**64, "type": "private"}),
    "a chat of unknown type": message(chat={"id": 4001, "type": "cave"}),
    "text that is a number": message(text=None) | {"message": message()["message"] | {"text": 5}},
    "a photo that is a number": message(text=None, photo=5),
    "a date in words": message(date="today"),
    "an album id that is a number": message(text=None, photo=[], media_group_id=5),
    "a topic flag that is a number": message(is_topic_message=1, message_thread_id=3),
    "a topic without its id": message(is_topic_message=True),
    "a tap without its id": without(tap(), "callback_query", "id"),
    "a tap whose data is a number": tap(data=5),
    "a membership without a status": membership("x", new_chat_member={}),
}


@pytest.mark.parametrize("shape", UNREADABLE)
def test_a_shape_that_is_not_telegrams_is_unreadable_and_says_nothing_it_held(shape: str) -> None:
    update = UNREADABLE[shape]
    raw = update if isinstance(update, bytes) else json.dumps(update).encode()
    with pytest.raises(Unreadable) as refusal:
        read(raw)
    assert len(str(refusal.value)) < 30
    assert "hello" not in str(refusal.value)


def test_fields_we_do_not_know_or_use_may_be_anything() -> None:
    update = message(tomorrow={"a": [1, {"b": None}]}, entities="wrong", author_signature=5)
    update["message"]["from"]["last_name"] = 12
    found = read(json.dumps(update | {"extra": []}).encode())
    assert isinstance(found, Incoming)
    assert found.text == "hello"


HOSTILE = {
    "deep": NESTED,
    "deep and never closed": b'{"update_id":3,"message":' + b"[" * 250_000,
    "wide": b'{"update_id":3,"message":[' + b"[]," * 80_000 + b"1]}",
    "a string that never ends": b'{"update_id":3,"message":"' + b'\\"' * 125_000,
    "only quotes": b'"' * 250_000,
    "many names": b"{" + b",".join(b'"%d":1' % n for n in range(24_000)) + b"}",
    "blanks before a colon": b'{"update_id"' + b" " * 250_000,
    "a long number": b'{"update_id":' + b"1" * 250_000,
    "many ids": b'"update_id" ' * 20_000,
    "a megabyte": json.dumps(message(text="x" * 2**20)).encode(),
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_a_hostile_shape_is_refused_within_50_ms(shape: str) -> None:
    def once() -> float:
        start = time.perf_counter()
        with pytest.raises(Unreadable):
            read(HOSTILE[shape])
        return time.perf_counter() - start

    assert min(once() for _ in range(5)) < 0.05
    start = time.perf_counter()
    arrival_of(HOSTILE[shape])
    assert time.perf_counter() - start < 0.5


# --- whatever comes --------------------------------------------------------------------------------

names = st.sampled_from([*WANTED, "update_id", "from", "chat", "id", "text", "type", "message_id", "date", "x"])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
shapes = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=5), inner, max_size=6),
)
SAMPLES: list[Json] = [
    message(),
    edited(),
    tap(),
    membership("kicked"),
    message(chat=GROUP),
    message(text="/start a"),
]


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, item in inner for path in paths(item, (*here, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> Json:
    update = copy.deepcopy(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths(update)[1:] or [("update_id",)]))
        inner: Any = update
        for step in path[:-1]:
            inner = inner[step]
        if draw(st.booleans()) and isinstance(inner, dict):
            inner.pop(path[-1], None)
        else:
            inner[path[-1]] = draw(shapes)
    return update


def answers_in_one_of_three_ways(raw: bytes) -> None:
    try:
        found = read(raw, "LanyardBot")
    except Unreadable:
        found = Ignored(Ignore.SERVICE)
    assert isinstance(found, Incoming | Ignored)
    lane = address_in(raw)
    assert lane is None or lane.lstrip("-").isdecimal()
    if isinstance(found, Incoming):
        assert lane == found.sender  # what one person does is handled in order


loosely = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@loosely
@given(st.binary(max_size=200))
def test_any_bytes_are_read_ignored_or_unreadable(raw: bytes) -> None:
    answers_in_one_of_three_ways(raw)


@loosely
@given(shapes)
def test_any_json_is_read_ignored_or_unreadable(value: Any) -> None:
    answers_in_one_of_three_ways(json.dumps(value).encode())


@loosely
@given(mutated())
def test_any_spoilt_update_is_read_ignored_or_unreadable(update: Json) -> None:
    answers_in_one_of_three_ways(json.dumps(update).encode())


@loosely
@given(st.sampled_from(SAMPLES), st.data())
def test_any_update_with_bytes_overwritten_is_read_ignored_or_unreadable(update: Json, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(update).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    answers_in_one_of_three_ways(bytes(raw))
