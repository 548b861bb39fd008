"""`initData`: who opened the Mini App is what Telegram signed for our bot, a few minutes ago, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.init_data import InitDataRefused, Refusal, key_of, read_init_data
from tests.init_data import BOT_TOKEN, fields_of, hash_of_fields, signed, written

NOW = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
KEY = key_of(BOT_TOKEN)

# Of a made-up person, signed with openssl: what our own code must go on making of these bytes. (Data that Telegram's
# servers signed, `signature` among it, was tried by hand: it names somebody real, so it does not stand here.)
PINNED = (
    "auth_date=1795208400&query_id=AAHdF6IQAAAAAN0XohDhrOrc&signature=c2lnbmF0dXJl-_&user=%7B%22id%22%3A501%2C%22fi"
    "rst_name%22%3A%22Pat%20%2B%20%C3%A9%22%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2F1.svg%22%7D"
    "&hash=c295db051968df87912180f002badee7a78c5d19da747593b577f6135adcd913"
)
GOOD = fields_of(501, NOW)
HASH = hash_of_fields(GOOD)


def whole(**changed: str | None) -> str:
    """The good data with fields changed, added or (None) left out; the hash stays."""
    fields = GOOD | {"hash": HASH} | changed
    return written({name: value for name, value in fields.items() if value is not None})


def resigned(**changed: str) -> str:
    """The good data with fields changed, and signed with the right key: only Telegram could."""
    fields = GOOD | changed
    return written(fields | {"hash": hash_of_fields(fields)})


def test_bytes_signed_by_another_program_are_believed() -> None:
    assert read_init_data(PINNED, KEY, datetime.fromtimestamp(1795208400, UTC)).user_id == "501"


def test_the_signature_of_third_parties_is_under_the_hash_too() -> None:
    unsigned = {name: value for name, value in GOOD.items() if name != "signature"}
    assert why(whole(hash=hash_of_fields(unsigned))) is Refusal.FORGED


@pytest.mark.parametrize("seconds", [-60, 0, 300])
def test_it_counts_for_five_minutes_and_clocks_may_differ_by_one(seconds: int) -> None:
    assert read_init_data(signed(501, NOW), KEY, NOW + timedelta(seconds=seconds)).user_id == "501"


REFUSED = {
    "nothing": ("", Refusal.UNREADABLE),
    "no fields": ("hello", Refusal.UNREADABLE),
    "forged hash": (whole(hash="0" * 64), Refusal.FORGED),
    "no hash at all in it": (whole(hash=""), Refusal.FORGED),
    "hash in capitals": (whole(hash=HASH.upper()), Refusal.FORGED),
    "hash beyond ASCII": (whole(hash="é" * 64), Refusal.FORGED),
    "user altered": (whole(user=GOOD["user"].replace("501", "502")), Refusal.FORGED),
    "time altered": (whole(auth_date=str(int(NOW.timestamp()) + 1)), Refusal.FORGED),
    "a field added": (whole(start_param="x"), Refusal.FORGED),
    "a field left out": (whole(query_id=None), Refusal.FORGED),
    "another bot's": (signed(501, NOW, "654321:ANOTHER-TOKEN-of-nobody-at-all"), Refusal.FORGED),
    "no hash": (whole(hash=None), Refusal.MISSING),
    "no user": (whole(user=None), Refusal.MISSING),
    "no time": (whole(auth_date=None), Refusal.MISSING),
    "user twice": (whole() + "&user=%7B%22id%22%3A502%7D", Refusal.DOUBLED),
    "hash twice": (f"hash={'0' * 64}&" + whole(), Refusal.DOUBLED),
    "a name written otherwise, twice": (whole() + "&%75ser=%7B%22id%22%3A502%7D", Refusal.DOUBLED),
    "not UTF-8": (whole() + "&start_param=%FF", Refusal.UNREADABLE),
    "a lone surrogate": (whole() + "&start_param=\ud800", Refusal.UNREADABLE),
    "fields joined by a line end": (
        whole(query_id=None, auth_date=f"{GOOD['auth_date']}\nquery_id={GOOD['query_id']}"),
        Refusal.UNREADABLE,
    ),
    "fields joined further on": (
        whole(signature=None, query_id=f"{GOOD['query_id']}\nsignature={GOOD['signature']}"),
        Refusal.UNREADABLE,
    ),
    "a name that is none": (whole() + "&us%0Aer=x", Refusal.UNREADABLE),
    "a field without a value": (whole() + "&start_param", Refusal.UNREADABLE),
    "too long": (whole() + "&start_param=" + "x" * 4096, Refusal.TOO_LONG),
    "expired": (signed(501, NOW - timedelta(seconds=301)), Refusal.EXPIRED),
    "of a year ago": (signed(501, NOW - timedelta(days=365)), Refusal.EXPIRED),
    "future": (signed(501, NOW + timedelta(seconds=61)), Refusal.FUTURE),
    "a time that is none": (resigned(auth_date="now"), Refusal.UNREADABLE),
    "a time of other digits": (resigned(auth_date="١٢٣"), Refusal.UNREADABLE),
    "a user that is no object": (resigned(user="[501]"), Refusal.UNREADABLE),
    "a user that is no JSON": (resigned(user="{"), Refusal.UNREADABLE),
    "a user nested without end": (resigned(user="[" * 1000), Refusal.UNREADABLE),
    "no user id": (resigned(user="{}"), Refusal.UNREADABLE),
    "a user id that is true": (signed(True, NOW), Refusal.UNREADABLE),
    "a user id that is text": (signed("501", NOW), Refusal.UNREADABLE),
    "a user id below one": (signed(-501, NOW), Refusal.UNREADABLE),
}


def why(data: str) -> Refusal | None:
    """Why this is refused; None: it is not."""
    try:
        read_init_data(data, KEY, NOW)
    except InitDataRefused as error:
        return error.why
    return None


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_telegrams_word_is_refused(case: str) -> None:
    data, expected = REFUSED[case]
    assert why(data) is expected


def test_the_good_data_of_these_cases_is_believed() -> None:
    assert why(whole()) is None
    assert why(resigned()) is None


def test_one_and_the_same_data_has_one_mark_however_it_is_written() -> None:
    marks = {read_init_data(data, KEY, NOW).mark for data in (whole(), "&".join(reversed(whole().split("&"))))}
    marks.add(read_init_data(whole().replace("query", "%71uery"), KEY, NOW).mark)
    assert len(marks) == 1


@given(st.text() | st.text(alphabet='hashuserauth_date=&%0123456789abcdef{}"\n'))
def test_whatever_stands_there_is_refused_in_order(data: str) -> None:
    assert why(data) is not None


@given(at=st.integers(0, len(whole()) - 1), put=st.characters())
def test_no_single_sign_of_it_can_be_changed(at: int, put: str) -> None:
    good = whole()
    changed = good[:at] + put + good[at + 1 :]
    try:
        found = read_init_data(changed, KEY, NOW)
    except InitDataRefused:
        return
    assert found == read_init_data(good, KEY, NOW)  # %C3 and %c3 are one and the same
