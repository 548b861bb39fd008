"""An answer to getUpdates is cut into its updates, byte for byte, whatever one of them holds."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.telegram_batch import NOBODY, arrival_of, update_id, updates_in
from tests.telegram_wire import GROUP, message, tap

AWKWARD = [
    b'{"update_id":5,"message":{"text":"\xff\xfe"}}',
    b'{"update_id":6,"n":NaN}',
    b'{"update_id":7,"a":1,"a":2}',
    b'{"update_id":8,"deep":' + b"[" * 5000 + b"]" * 5000 + b"}",
    rb'{"update_id":9,"text":"brackets ]}, and \"quotes\" and \\"}',
    b'{"update_id":10,"result":[1,2]}',
    b"null",
    b"[]",
]


@pytest.mark.parametrize("blank", [b"", b" \n"])
def test_updates_are_cut_out_exactly(blank: bytes) -> None:
    comma = blank + b"," + blank
    body = b'{"ok":true,' + blank + b'"result"' + blank + b":[" + blank + comma.join(AWKWARD) + blank + b"]}"
    assert updates_in(body) == AWKWARD


def test_the_list_is_found_wherever_it_stands() -> None:
    assert updates_in(b'{"result":[{"update_id":1}],"ok":true}') == [b'{"update_id":1}']


def test_nothing_new_is_an_empty_list() -> None:
    assert updates_in(b'{"ok":true,"result":[]}') == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"ok":true}',
        b'{"ok":true,"result":{}}',
        b'{"ok":true,"result":[{"update_id":1},',
        b'{"ok":true,"result":[{"update_id":1,"a":[}]}',
        b'{"ok":true,"result":[{"update_id":1,"text":"never ends}]}',
    ],
)
def test_what_does_not_close_is_not_cut(body: bytes) -> None:
    assert updates_in(body) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.lists(json_values, max_size=6), st.booleans())
def test_any_list_is_cut_as_a_parser_would(values: list[object], escape: bool) -> None:
    raws = [json.dumps(value, ensure_ascii=escape).encode("utf-8", "surrogatepass") for value in values]
    assert updates_in(b'{"ok":true,"result":[' + b",".join(raws) + b"]}") == raws


@given(st.binary(max_size=100))
def test_any_bytes_are_cut_or_not(body: bytes) -> None:
    whole = b'{"result":[' + body
    assert all(update in whole for update in updates_in(whole) or [])


def test_a_hundred_full_updates_are_cut_in_no_time() -> None:
    body = json.dumps({"ok": True, "result": [message(n, text="x\\" * 2000) for n in range(100)]}).encode()
    start = time.perf_counter()
    found = updates_in(body)
    assert found is not None
    assert len(found) == 100
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (b'{"update_id":12}', 12),
        (b'{ "update_id" : 12 }', 12),
        (b'{"update_id":"12"}', 12),
        (b'{"update_id":12,"\xff":NaN', 12),
        (json.dumps(message(12, text='"update_id":99')).encode(), 12),
        (json.dumps({"message": {"text": '"update_id":99'}, "update_id": 12}).encode(), 12),
        (b'{"update_id":0}', None),
        (b'{"update_id":-4}', None),
        (b'{"update_id":12.5}', None),
        (b'{"update_id":1e5}', None),
        (b'{"update_id":99999999999999999999}', None),
        (b'{"update_id":true}', None),
        (b"", None),
    ],
)
def test_the_id_is_found_without_parsing_and_only_a_positive_one_is_believed(raw: bytes, number: int | None) -> None:
    assert update_id(raw) == number


def test_an_update_has_one_key_for_ever_and_the_lane_of_who_did_it() -> None:
    first, again = arrival_of(json.dumps(message(12)).encode()), arrival_of(json.dumps(message(12)).encode())
    assert (first.key, first.lane) == (again.key, again.lane) == ("12", "4001")
    assert arrival_of(json.dumps(tap(13)).encode()).lane == "4001"
    assert arrival_of(json.dumps(message(14, chat=GROUP)).encode()).lane == str(GROUP["id"])


def test_what_cannot_be_read_has_a_key_too_and_holds_up_nobodys_lane() -> None:
    first, other = arrival_of(b"rubbish"), arrival_of(b"other rubbish")
    assert first.key == arrival_of(b"rubbish").key != other.key
    assert first.lane == NOBODY
    assert first.raw == b"rubbish"
