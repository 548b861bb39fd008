"""Nothing forged, replayed, borrowed or copied signs anybody in or adds a passkey."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as some

from access.passkey_proof import NotProven, Site, challenge_of, claimed, made, proven_count
from access.tables import Passkey, Role, SignInFlow, WebSession
from audit.events import Event
from conversations import passkeys
from tests.authenticator import UP, UV, Device, altered, to_bytes, to_text
from tests.house import TEAM, House
from tests.passkey_doors import BOTH, HERE, Keys, in_memory, is_refused, main_of, opened


@pytest.fixture
def keys(make_house: Callable[..., House], tmp_path: Path) -> Iterator[Keys]:
    """On each kind of database."""
    with opened(make_house(doors=HERE, team=TEAM | BOTH), tmp_path) as made:
        yield made


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Keys]:
    """In memory."""
    with opened(in_memory(), tmp_path) as made:
        yield made


# --- forged: signing in -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forged:
    """An answer that is not right: how the device differs, what is changed after it signed, what the trail says."""

    device: Callable[[Device], Device] = lambda device: device
    after: Callable[[dict[str, Any]], object] = lambda answer: answer
    why: str = "not proven"


def flipped(at: int) -> Callable[[bytes], bytes]:
    """One bit changed."""
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def saying(**said: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The answer with other fields."""
    return lambda answer: answer | said


def responding(**said: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The answer with another response in it."""
    return lambda answer: answer | {"response": answer["response"] | said}


def differing(**fields: Any) -> Callable[[Device], Device]:
    """The device with this changed."""
    return lambda device: replace(device, **fields)


ALIKE = {
    "another site": Forged(differing(origin="http://evil.example")),
    "a site that begins alike": Forged(differing(origin="http://localhost:8000.evil.example")),
    "another port": Forged(differing(origin="http://localhost:8001")),
    "another scheme": Forged(differing(origin="https://localhost:8000")),
    "a list of sites": Forged(differing(client={"origin": ["http://localhost:8000"]})),
    "for another host": Forged(differing(host="evil.example")),
    "nobody asked who holds it": Forged(differing(flags=UP)),
    "nobody there": Forged(differing(flags=UV)),
    "framed": Forged(differing(client={"crossOrigin": True})),
    "a challenge of its own": Forged(differing(client={"challenge": to_text(bytes(32))})),
    "no challenge": Forged(differing(client={"challenge": ""})),
    "a challenge that is a number": Forged(differing(client={"challenge": 1})),
    "made for something else": Forged(differing(client={"type": "payment.get"})),
    "client data that is none": Forged(after=responding(clientDataJSON=to_text(b"\xff\xfe"))),
    "two ids": Forged(after=saying(id=to_text(b"another"))),
    "not base64": Forged(after=saying(rawId="\u2603")),
    "another type": Forged(after=saying(type="password")),
    "no response": Forged(after=saying(response=None)),
    "empty": Forged(after=lambda _: ""),
    "null": Forged(after=lambda _: "null"),
    "a list": Forged(after=lambda _: "[]"),
    "an empty object": Forged(after=lambda _: "{}"),
    "deep": Forged(after=lambda _: "[" * 16_000),
    "half a character": Forged(after=lambda _: '{"id": "\\ud800", "rawId": "\\ud800"}'),
}
SIGNING_IN = ALIKE | {
    "another key": Forged(differing(key=ec.generate_private_key(ec.SECP256R1()))),
    "another signature": Forged(after=lambda answer: altered(answer, "signature", flipped(20))),
    "no signature": Forged(after=responding(signature="")),
    "altered client data": Forged(after=lambda answer: altered(answer, "clientDataJSON", lambda data: data + b" ")),
    "an altered count": Forged(after=lambda answer: altered(answer, "authenticatorData", flipped(36))),
    "cut short": Forged(after=lambda answer: altered(answer, "authenticatorData", lambda data: data[:30])),
    "unknown": Forged(differing(id=b"unknown"), why="unknown"),
    "no holder": Forged(differing(holder=None), why="not theirs"),
    "another holder": Forged(differing(holder=b"officer2".ljust(32, b"_")), why="not theirs"),
    "the count goes back": Forged(differing(count=1), why="copied"),
    "the count stays": Forged(differing(count=4), why="copied"),
    "the count goes to none": Forged(differing(count=0, step=0), why="copied"),
    "a count before, unsigned": Forged(after=lambda answer: altered(answer, "authenticatorData", flipped(34))),
}


@pytest.mark.parametrize("name", SIGNING_IN)
def test_forged_answers_sign_nobody_in(quick: Keys, name: str) -> None:
    forged, device = SIGNING_IN[name], quick.added(count=4)
    assert quick.enter(device).status_code == 303  # it counts to 5
    before, browser = quick.count(WebSession), quick.browser()
    answer = quick.show(browser, forged.after(forged.device(device).get(quick.asked(browser))))
    assert is_refused(answer, browser)
    assert quick.count(WebSession) == before
    assert [leaf["why"] for leaf in quick.told(Event.PASSKEY_REFUSED)] == [forged.why]
    assert quick.enter(replace(device, count=9)).status_code == 303  # and the right one still works


# --- forged: adding -----------------------------------------------------------------------------------

ADDING = ALIKE | {
    "cut short": Forged(after=lambda answer: altered(answer, "attestationObject", lambda data: data[:-20])),
    "attested by a format nobody knows": Forged(
        after=lambda answer: altered(answer, "attestationObject", lambda data: data.replace(b"none", b"nope"))
    ),
    "no id": Forged(differing(id=b"")),
    "a long id": Forged(differing(id=b"x" * 1_024)),
    "somebody's already": Forged(differing(id=b"of somebody else"), why="taken"),
}


@pytest.mark.parametrize("name", ADDING)
def test_forged_answers_add_nothing(quick: Keys, name: str) -> None:
    quick.added("officer2", id=b"of somebody else")
    forged, browser = ADDING[name], quick.browser("officer1")
    answer = quick.add(browser, forged.after(forged.device(Device()).create(quick.asked(browser, Role.OFFICER))))
    assert is_refused(answer, browser)
    assert quick.count(Passkey) == 1
    assert quick.told(Event.PASSKEY_REFUSED) == [{"by": "officer1", "why": forged.why}]


# --- replayed, borrowed, expired ------------------------------------------------------------------------


def test_an_answer_works_once(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser()
    answer = device.get(keys.asked(browser))
    away = browser.cookies["lanyard-away"]
    assert keys.show(browser, answer).status_code == 303
    other = keys.browser()
    other.cookies.set("lanyard-away", away)
    assert keys.show(other, answer).status_code == 403
    # Nor does a fresh signature in answer to the same question.
    assert keys.show(other, device.get({"challenge": to_text(challenge_of(away))})).status_code == 403
    assert "lanyard-officer" not in other.cookies


def test_a_refused_answer_uses_the_challenge_up(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser()
    asked = keys.asked(browser)
    away = browser.cookies["lanyard-away"]
    assert is_refused(keys.show(browser, "{}"), browser)
    browser.cookies.set("lanyard-away", away)
    assert keys.show(browser, device.get(asked)).status_code == 403


def test_an_answer_after_five_minutes_is_too_late(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser()
    asked = keys.asked(browser)
    keys.house.clock.forward(minutes=5)
    assert is_refused(keys.show(browser, device.get(asked)), browser)
    browser = keys.browser("officer2")
    asked = keys.asked(browser, Role.OFFICER)
    keys.house.clock.forward(minutes=5)
    assert is_refused(keys.add(browser, Device(id=b"another").create(asked)), browser)


def test_another_browsers_challenge_signs_nobody_in(quick: Keys) -> None:
    device, mine, theirs = quick.added(), quick.browser(), quick.browser()
    asked = quick.asked(theirs)
    quick.asked(mine)
    assert is_refused(quick.show(mine, device.get(asked)), mine)
    bare = quick.browser()
    assert is_refused(quick.show(bare, device.get(asked)), bare)
    assert quick.show(theirs, device.get(asked)).status_code == 303  # and nothing of theirs is spoilt


@pytest.mark.parametrize("cookie", ["", "x", "x" * 4_000])
def test_a_cookie_that_is_none_signs_nobody_in(quick: Keys, cookie: str) -> None:
    device, browser = quick.added(), quick.browser()
    browser.cookies.set("lanyard-away", cookie)
    answer = device.get({"challenge": to_text(challenge_of(cookie))})
    assert quick.show(browser, answer).status_code == 403
    assert not quick.told(Event.PASSKEY_REFUSED)  # made up without a question: no reason to write to the trail


def test_an_answer_to_the_other_question_is_refused(quick: Keys) -> None:
    device, browser = quick.added(), quick.browser("officer1")
    other = Device(id=b"another")
    made = other.create(quick.asked(browser, Role.OFFICER))
    assert is_refused(quick.show(browser, made), browser)  # made to be added, shown to sign in
    assert is_refused(quick.show(browser, device.get(quick.asked(browser, Role.OFFICER))), browser)
    asked = quick.asked(browser)
    assert is_refused(quick.add(browser, device.get(asked)), browser)
    asked = quick.asked(browser) | {"user": {"id": to_text(quick.house.id("officer1").encode())}}
    assert is_refused(quick.add(browser, other.create(asked)), browser)
    browser.post("/sign-in/passkey/options")
    assert quick.count(Passkey) == 1


def test_the_answer_of_another_kind_under_a_right_challenge_is_refused(quick: Keys) -> None:
    device, browser = quick.added(), quick.browser("officer1")
    asked = quick.asked(browser)
    made = replace(device, id=b"new").create(asked | {"user": {"id": to_text(b"x")}})
    assert is_refused(quick.show(browser, made), browser)
    assert is_refused(quick.add(browser, device.get(quick.asked(browser, Role.OFFICER))), browser)


def test_another_persons_session_adds_nothing_to_mine(keys: Keys) -> None:
    mine, theirs = keys.browser("officer1"), keys.browser("officer2")
    made = Device().create(keys.asked(theirs, Role.OFFICER))
    assert is_refused(keys.add(mine, made), mine)
    mine.cookies.set("lanyard-away", theirs.cookies["lanyard-away"])
    assert keys.add(mine, made).status_code == 403  # their whole question, in my session
    assert keys.count(Passkey) == 0


def test_another_session_of_the_same_person_adds_nothing(quick: Keys) -> None:
    first, second = quick.browser("officer1"), quick.browser("officer1")
    made = Device().create(quick.asked(first, Role.OFFICER))
    second.cookies.set("lanyard-away", first.cookies["lanyard-away"])
    assert quick.add(second, made).status_code == 403


def test_only_a_session_of_a_one_time_link_adds_one(quick: Keys) -> None:
    device, browser = quick.added(), quick.browser()
    quick.enter(device, browser)
    assert is_refused(browser.post("/account/officer/passkeys/options"), browser)
    page = browser.get("/account/officer").text
    assert "sign in with a one-time link" in page
    assert "data-passkey" not in page


def test_adding_ends_with_the_session_that_began_it(quick: Keys) -> None:
    browser = quick.browser("officer1")
    made = Device().create(quick.asked(browser, Role.OFFICER))
    browser.post("/sign-out/officer")
    assert quick.add(browser, made).headers["location"] == "/"
    assert quick.count(Passkey) == 0


def test_another_site_can_begin_nothing(quick: Keys) -> None:
    browser = quick.browser("officer1")
    for path in ("/account/officer/passkeys", "/account/officer/passkeys/options", "/sign-in/passkey/options"):
        assert browser.post(path, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert quick.count(SignInFlow) == 0


def test_what_is_refused_is_answered_alike(quick: Keys) -> None:
    device, answers = quick.added(count=4), []
    quick.enter(device)
    for forged in SIGNING_IN.values():
        browser = quick.browser()
        answers.append(quick.show(browser, forged.after(forged.device(replace(device)).get(quick.asked(browser)))))
    answers.append(quick.show(quick.browser(), "{}"))
    headers = {(answer.status_code, answer.headers["set-cookie"].split("; expires")[0]) for answer in answers}
    assert len({main_of(answer) for answer in answers}) == len(headers) == 1


def test_strangers_cannot_fill_the_trail(quick: Keys) -> None:
    browser = quick.browser()
    for _ in range(25):
        quick.asked(browser)
        quick.show(browser, "{}")
    assert len(quick.told(Event.PASSKEY_REFUSED)) == 20
    quick.house.clock.forward(minutes=1)
    quick.asked(browser)
    quick.show(browser, "{}")
    assert len(quick.told(Event.PASSKEY_REFUSED)) == 21


def test_of_two_that_show_the_same_count_at_once_one_is_let_in(keys: Keys) -> None:
    device, site = keys.added(count=1), Site("http://localhost:8000", "localhost")
    for _ in range(5):
        shown = []
        for copy in (replace(device), replace(device)):
            browser = keys.browser()
            shown.append((json.dumps(copy.get(keys.asked(browser))), browser.cookies["lanyard-away"]))
        barrier = Barrier(2)

        def enter(one: tuple[str, str], barrier: Barrier = barrier) -> list[Role]:
            barrier.wait()
            token = one[1][::-1]
            return keys.house.do(lambda work: passkeys.let_in(work, site, one[1], one[0], token))

        with ThreadPoolExecutor(2) as threads:
            let_in = list(threads.map(enter, shown))
        assert sorted(let_in, key=len) == [[], [Role.OFFICER]]
        device = replace(device, count=device.count + 1)
    assert [leaf["why"] for leaf in keys.told(Event.PASSKEY_REFUSED)] == ["copied"] * 5


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature"])
def test_one_changed_bit_is_enough_not_to_be_proven(part: str) -> None:
    device, site, challenge = Device(), Site("http://localhost:8000", "localhost"), bytes(32)
    device.create({"user": {"id": "eA"}, "challenge": to_text(challenge)})
    answer = device.get({"challenge": to_text(challenge)})
    public = device.public()
    assert proven_count(site, challenge, json.dumps(answer), public) == 1
    data = to_bytes(answer["response"][part])
    for at, bit in product(range(len(data)), range(8)):
        changed = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        with pytest.raises(NotProven):
            proven_count(site, challenge, json.dumps(responding(**{part: to_text(changed)})(answer)), public)


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=20),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "signature"]), inner
        )
    ),
)


@given(some.text() | JSON.map(json.dumps))
def test_whatever_is_sent_is_refused_and_breaks_nothing(answer: str) -> None:
    site = Site("http://localhost:8000", "localhost")
    for read in (
        lambda: made(site, bytes(32), answer),
        lambda: claimed(answer),
        lambda: proven_count(site, bytes(32), answer, Device().public()),
    ):
        with pytest.raises(NotProven):
            read()
