"""Passkeys: whoever made one signs in with it, sees and removes it, is told; and nobody else does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text

from access.passkey_proof import Site, challenge_of, site_of
from access.tables import Passkey, Person, Role, SignInFlow, WebSession
from audit.events import Event
from conversations.rota import suspend
from conversations.tables import Outbox
from conversations.work import Work
from tests.authenticator import Device, to_bytes, to_text
from tests.house import TEAM, House, new_house
from tests.passkey_doors import BOTH, HERE, Keys, in_memory, is_refused, main_of, opened

LAST = "It is the last way you have of signing in by yourself."


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


# --- what works ---------------------------------------------------------------------------------------


def test_a_passkey_signs_its_person_in(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser()
    answer = keys.enter(device, browser)
    assert answer.headers["location"] == "/chat"
    assert browser.get("/chat").status_code == 200
    first = browser.cookies["lanyard-officer"]
    assert keys.enter(device, browser).headers["location"] == "/chat"
    assert browser.cookies["lanyard-officer"] != first
    (added,) = keys.told(Event.PASSKEY_ADDED)
    assert added == {"by": "officer1", "passkey": added["passkey"], "kind": "device"}
    assert keys.told(Event.SIGNED_IN)[-1] == {"by": "officer1", "role": "officer", "passkey": added["passkey"]}
    assert keys.count(SignInFlow) == 0


def test_it_counts_as_signing_in_for_the_shift_and_prolongs_the_lease(quick: Keys) -> None:
    device = quick.added()
    quick.house.clock.forward(days=20)
    quick.enter(device)
    person = quick.house.do(lambda work: work.session.get_one(Person, quick.house.id("officer1")))
    assert person.signed_in_at == quick.house.clock()
    assert person.lease_until == quick.house.clock() + quick.house.line.policy.lease


def test_somebody_of_several_roles_chooses_one(keys: Keys) -> None:
    device, browser = keys.added("ruth", Role.IDVA), keys.browser()
    code = keys.enter(device, browser).text.split('name="code" value="')[1].split('"')[0]
    answer = browser.post("/sign-in/role", data={"code": code, "role": "idva_lead"})
    assert answer.headers["location"] == "/board/idva_lead"
    ways = keys.house.do(lambda work: set(work.session.scalars(select(WebSession.way))))
    assert ways == {"link", "passkey"}


def test_what_the_browser_is_asked(quick: Keys) -> None:
    quick.added()
    browser = quick.browser("officer1")
    asked = quick.asked(browser, Role.OFFICER)
    assert asked["rp"] == {"id": "localhost", "name": "Lanyard"}
    assert asked["attestation"] == "none"
    chosen = asked["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["requireResidentKey"], chosen["userVerification"]) == (
        "required",
        True,
        "required",
    )
    assert [one["id"] for one in asked["excludeCredentials"]] == [to_text(Device().id)]
    assert "Example" not in json.dumps(asked)  # no name leaves the house
    asked = quick.asked(quick.browser())
    assert (asked["rpId"], asked["userVerification"], asked["allowCredentials"]) == ("localhost", "required", [])
    assert asked["timeout"] == 300_000


def test_a_synced_passkey_that_never_counts_signs_in_each_time(quick: Keys) -> None:
    device = quick.added(step=0)
    for _ in range(3):
        assert quick.enter(device).headers["location"] == "/chat"


def test_a_person_has_ten_at_most(quick: Keys) -> None:
    for number in range(10):
        quick.added(id=bytes([number]) * 16)
    browser = quick.browser("officer1")
    assert is_refused(browser.post("/account/officer/passkeys/options"), browser)
    assert "as many as one person can have" in browser.get("/account/officer").text


# --- refused: who may not --------------------------------------------------------------------------------


def test_somebody_suspended_is_refused_with_the_words_of_every_refusal(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser()
    unknown = main_of(keys.enter(replace(device, id=b"unknown")))
    keys.house.do(lambda work: suspend(work, keys.house.id("officer1"), "line"))
    before, answer = keys.count(WebSession), keys.enter(device, browser)
    assert is_refused(answer, browser)
    assert main_of(answer) == unknown
    assert keys.count(WebSession) == before
    assert keys.told(Event.PASSKEY_REFUSED)[-1]["why"] == "shut"


def test_somebody_suspended_while_choosing_a_role_is_refused(quick: Keys) -> None:
    device, browser = quick.added("ruth", Role.IDVA), quick.browser()
    code = quick.enter(device, browser).text.split('name="code" value="')[1].split('"')[0]
    quick.house.do(lambda work: suspend(work, quick.house.id("ruth"), "line"))
    assert browser.post("/sign-in/role", data={"code": code, "role": "idva"}).status_code == 403


def test_somebody_whose_lease_has_run_out_is_refused(quick: Keys) -> None:
    device, browser = quick.added(), quick.browser()
    quick.house.clock.forward(days=quick.house.line.policy.lease_days + 1)
    assert is_refused(quick.enter(device, browser), browser)


# --- the account page, and what people are told ------------------------------------------------------------


def test_the_account_lists_ones_own_and_removes_them(keys: Keys) -> None:
    device, browser = keys.added(), keys.browser("officer1")
    page = browser.get("/account/officer").text
    assert "Passkey of one device" in page
    assert "not used yet" in page
    keys.enter(device)
    page = browser.get("/account/officer").text
    assert "last used" in page.split('id="passkeys"')[1].split("<h2")[0]
    path = page.split("/passkeys/")[1].split('"')[0]
    address = f"/account/officer/passkeys/{path}"
    assert LAST in browser.get(address).text
    assert browser.post(address).headers["location"] == "/account/officer"
    assert keys.count(Passkey) == 0
    assert [leaf["by"] for leaf in keys.told(Event.PASSKEY_REMOVED)] == ["officer1"]
    assert keys.enter(device).status_code == 403
    assert browser.get(address).headers["location"] == "/account/officer"


def test_a_second_one_is_not_the_last_way(quick: Keys) -> None:
    quick.added()
    quick.added(id=b"another")
    browser = quick.browser("officer1")
    path = browser.get("/account/officer").text.split("/passkeys/")[1].split('"')[0]
    assert LAST not in browser.get(f"/account/officer/passkeys/{path}").text


def test_nobody_removes_anothers(keys: Keys) -> None:
    device, theirs = keys.added(), keys.browser("officer2")
    handle = keys.told(Event.PASSKEY_ADDED)[0]["passkey"]
    assert theirs.get(f"/account/officer/passkeys/{handle}/remove").status_code == 303
    theirs.post(f"/account/officer/passkeys/{handle}/remove")
    assert keys.count(Passkey) == 1
    assert not keys.told(Event.PASSKEY_REMOVED)
    assert keys.enter(device).status_code == 303


def test_its_person_is_told_when_one_comes_goes_or_was_copied(tmp_path: Path) -> None:
    told = Keys(new_house(doors=replace(HERE, telegram=True), team=TEAM), tmp_path)
    device = told.added(count=4)
    told.enter(replace(device, count=0))
    browser = told.browser("officer1")
    path = browser.get("/account/officer").text.split("/passkeys/")[1].split('"')[0]
    browser.post(f"/account/officer/passkeys/{path}")

    def read(work: Work) -> list[tuple[str | None, str]]:
        rows = list(work.session.scalars(select(Outbox).order_by(Outbox.seq)))
        bodies = [work.open_words("outbox", "body", row.id, row.scope, row.body) for row in rows if row.body]
        return [
            (told.house.name(row.person_id), json.loads(body)["text"]) for row, body in zip(rows, bodies, strict=True)
        ]

    said = told.house.do(read)
    told.close()
    assert {name for name, _ in said} == {"officer1"}
    assert [words.split(" Lanyard")[0] for _, words in said] == [
        "A passkey was added to your account at",
        "Somebody tried to sign in to",
        "A passkey was removed from your account at",
    ]


# --- what is kept, and where passkeys are ------------------------------------------------------------------


def test_nothing_that_is_kept_finishes_a_sign_in(keys: Keys) -> None:
    keys.added()
    browser = keys.browser()
    asked = keys.asked(browser)
    away = browser.cookies["lanyard-away"]
    assert to_bytes(asked["challenge"]) == challenge_of(away)
    with keys.house.work() as work:
        tables = ("sign_in_flow", "passkey", "web_session", "leaf")
        kept = [str(tuple(row)) for one in tables for row in work.session.execute(text(f"SELECT * FROM {one}"))]
    for word in (away, asked["challenge"], challenge_of(away).hex()):
        assert not [row for row in kept if word in row]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://line.example", Site("https://line.example", "line.example")),
        ("https://Line.Example:443/", Site("https://line.example", "line.example")),
        ("https://line.example:8443/", Site("https://line.example:8443", "line.example")),
        ("http://localhost:8000", Site("http://localhost:8000", "localhost")),
        ("http://line.example", None),
        ("http://127.0.0.1:8000", None),
        ("https://192.0.2.1", None),
        ("https://[2001:db8::1]", None),
    ],
)
def test_passkeys_are_bound_to_the_lines_own_address(address: str, expected: Site | None) -> None:
    assert site_of(address) == expected


def test_where_browsers_keep_no_passkeys_none_are_offered(tmp_path: Path) -> None:
    bare = Keys(new_house(team=TEAM), tmp_path)
    browser = bare.browser("officer1")
    assert "data-passkey" not in browser.get("/").text
    assert "Browsers keep no passkeys" in browser.get("/account/officer").text
    for path in ("/sign-in/passkey", "/account/officer/passkeys"):
        assert browser.post(f"{path}/options").status_code == 403
        assert browser.post(path, data={"answer": "{}"}).status_code == 403
    bare.close()


def test_without_javascript_the_pages_say_so_and_name_the_other_ways(quick: Keys) -> None:
    browser = quick.browser("officer1")
    for path in ("/", "/account/officer"):
        page = browser.get(path).text
        assert "Passkeys need JavaScript" in page
        assert "ne-time link" in page
        assert 'passkeys" hidden>' in page or 'passkey" hidden>' in page
