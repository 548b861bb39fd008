"""Enrolments end unless people sign in, and Telegram carries content only to who signed in for this shift. Help does
not wait for a sign-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from access.enrolment import bind_telegram
from access.leases import lease_until, note_sign_in
from access.people import NewPerson
from access.tables import Role
from conversations import staff, store
from conversations.case import Case
from conversations.errors import OnOneself, RoleMissing
from conversations.line import Doors
from conversations.messages import ChannelName, Incoming, Kind
from conversations.policy import Policy
from conversations.receive import receive
from conversations.search import accept
from lanyard.settings import read_settings
from tests.house import TEAM, House
from tests.test_account import told
from tests.test_console import Pages

OFFICER, IDVA = "42000001", "42000002"
ADA = {"ada": NewPerson("A-600", "Ada Example", "Example Constabulary", frozenset({Role.ADMIN}))}
SHIFT = timedelta(hours=12)
PRACTICE = {
    name: NewPerson(one.staff_id, one.name, one.service, one.roles, practice=True) for name, one in TEAM.items()
}


@pytest.fixture
def pages(make_house: Callable[..., House], tmp_path: Path) -> Iterator[Pages]:
    made = Pages(make_house(team=TEAM | ADA), tmp_path)
    yield made
    made.client.close()


@pytest.fixture
def relayed(make_house: Callable[..., House]) -> House:
    return on_telegram(make_house(doors=Doors(True, relay=True), policy=Policy(shift_hours=12)))


def on_telegram(house: House) -> House:
    """Officer and IDVA, each with a Telegram account; she is on duty."""
    for name, address in (("officer1", OFFICER), ("jane", IDVA)):
        house.do(
            lambda work, name=name, address=address: bind_telegram(  # type: ignore[misc]
                work.session, house.line.keyring, house.id(name), address, work.now
            )
        )
    house.on_duty("jane", hours=14)
    return house


def signs_in(house: House, name: str) -> None:
    house.do(lambda work: note_sign_in(work.session, house.id(name), timedelta(days=90), work.now))


def writes(house: House, text: str, number: int = 1) -> str:
    """The officer writes at Telegram; gives the reference."""
    incoming = Incoming(ChannelName.TELEGRAM, OFFICER, Kind.TEXT, text, message=str(number))
    ref = house.do(lambda work: receive(work, incoming)).ref
    assert ref is not None
    return ref


def taken(house: House, ref: str) -> None:
    house.do(lambda work: accept(Case.load(work, store.by_ref(work.session, ref).id), house.id("jane")))


def test_an_enrolment_ends_after_90_days_and_is_renewed_by_a_colleague(pages: Pages) -> None:
    house = pages.house
    house.clock.forward(days=90)
    assert pages.client.post("/sign-in", data={"code": pages.code("officer1", Role.OFFICER)}).status_code == 404
    signs_in(house, "ada")
    pages.sign_in("ada", Role.ADMIN)
    assert "Enrolment ended" in pages.client.get("/people/admin").text
    assert pages.client.post(f"/people/admin/{house.id('officer1')}/lease").status_code == 303
    pages.sign_in("officer1", Role.OFFICER)
    assert pages.client.get("/chat").status_code == 200


def test_each_sign_in_renews_it(pages: Pages) -> None:
    house = pages.house
    for _ in range(3):
        house.clock.forward(days=89)
        pages.sign_in("officer1", Role.OFFICER)
    until = house.do(lambda work: lease_until(work.session, house.id("officer1")))
    assert until == house.clock() + timedelta(days=90)


def test_the_people_room_and_ones_own_account_warn_14_days_ahead(
    make_house: Callable[..., House], tmp_path: Path
) -> None:
    short = Pages(make_house(team=TEAM | ADA, policy=Policy(lease_days=14)), tmp_path)
    short.sign_in("ada", Role.ADMIN)
    assert "That is soon" in short.client.get("/account/admin").text
    assert "Enrolment ends" in short.client.get("/people/admin").text
    short.client.close()


def test_nothing_is_said_about_an_enrolment_that_runs_for_long(pages: Pages) -> None:
    pages.sign_in("ada", Role.ADMIN)
    assert "That is soon" not in pages.client.get("/account/admin").text
    assert "Enrolment ends" not in pages.client.get("/people/admin").text


def test_nobody_renews_their_own_and_no_officer_anybodys(pages: Pages) -> None:
    house = pages.house
    with pytest.raises(OnOneself):
        house.do(lambda work: staff.renew(work, house.id("ada"), house.id("ada")))
    with pytest.raises(RoleMissing):
        house.do(lambda work: staff.renew(work, house.id("officer1"), house.id("officer2")))
    pages.sign_in("ada", Role.ADMIN)
    data = {"lease_until": "2099-01-01"}
    assert pages.client.post(f"/people/admin/{house.id('officer1')}/lease", data=data).status_code == 422


def test_who_did_not_sign_in_gets_help_at_once_and_no_content(relayed: House) -> None:
    ref = writes(relayed, "SECRET question")
    assert relayed.state(ref) == "offered"  # routed all the same
    assert any(ref in text for text in told(relayed, OFFICER))
    assert any(ref in text and "/desk" in text for text in told(relayed, IDVA))  # rung
    taken(relayed, ref)
    relayed.says("jane", "SECRET answer", ref)
    assert not [text for text in told(relayed, OFFICER) + told(relayed, IDVA) if "SECRET" in text]
    assert any("/chat" in text for text in told(relayed, OFFICER))


def test_who_signed_in_for_this_shift_gets_content(relayed: House) -> None:
    signs_in(relayed, "officer1")
    signs_in(relayed, "jane")
    ref = writes(relayed, "SECRET question")
    taken(relayed, ref)
    relayed.clock.forward(hours=12)
    relayed.says("jane", "SECRET answer", ref)
    assert any("SECRET question" in text for text in told(relayed, IDVA))
    assert any("SECRET answer" in text for text in told(relayed, OFFICER))
    relayed.clock.forward(seconds=1)
    relayed.says("jane", "LATER answer", ref)
    assert not any("LATER answer" in text for text in told(relayed, OFFICER))


def test_practice_people_are_not_asked(make_house: Callable[..., House]) -> None:
    house = on_telegram(make_house(doors=Doors(True, relay=True), policy=Policy(shift_hours=12), team=PRACTICE))
    taken(house, writes(house, "SECRET question"))
    assert any("SECRET question" in text for text in told(house, IDVA))
    assert house.do(lambda work: lease_until(work.session, house.id("jane"))) is None


def test_both_limits_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANYARD_LEASE_DAYS", "30")
    monkeypatch.setenv("LANYARD_LEAD_PHONE", "01632 960 001")
    policy = read_settings().policy()
    assert (policy.lease, policy.shift) == (timedelta(days=30), SHIFT)
