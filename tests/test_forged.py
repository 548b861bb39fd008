"""Links, cookies and codes that are not what they should be: none is accepted, one row each.

Passkeys and what Telegram signs have tables of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from access.enrolment import issue_code
from access.people import person_at_telegram
from access.roster import set_roles
from access.signin import IDLE, LONGEST, begin_session
from access.tables import CodePurpose, Role
from conversations.line import Doors
from conversations.messages import ChannelName, Incoming, Kind
from conversations.receive import receive
from conversations.rota import suspend
from conversations.work import BY_THE_LINE
from tests.house import House
from tests.test_console import Pages

STRANGERS = count(42_000_010)
TEN_MINUTES = timedelta(minutes=10)


class Door:
    """One thing that lets somebody in: how it is made for an officer, and whether it lets whoever holds it in."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.house = pages, pages.house

    def _issued(self, purpose: CodePurpose, name: str = "officer1") -> str:
        code = self.house.line.token()
        with self.house.work() as work:
            issue_code(work.session, code, purpose, self.house.id(name), work.now, role=Role.OFFICER)
        return code

    def make(self) -> str:
        """A good one."""
        raise NotImplementedError

    def accepts(self, given: str) -> bool:
        """Present it, as nobody."""
        raise NotImplementedError


class Link(Door):
    """A sign-in link."""

    def make(self) -> str:
        return self._issued(CodePurpose.SIGN_IN)

    def accepts(self, given: str) -> bool:
        answer = self.pages.client.post("/sign-in", data={"code": given})
        assert answer.status_code in (303, 404, 422)
        assert bool(answer.headers.get("set-cookie")) == (answer.status_code == 303)
        return answer.status_code == 303


class Choice(Door):
    """A code for choosing among one's roles."""

    def make(self) -> str:
        return self._issued(CodePurpose.CHOICE)

    def accepts(self, given: str) -> bool:
        answer = self.pages.client.post("/sign-in/role", data={"code": given, "role": "officer"})
        assert answer.status_code in (303, 403, 422)
        assert bool(answer.headers.get("set-cookie")) == (answer.status_code == 303)
        return answer.status_code == 303


class Cookie(Door):
    """The token of a session."""

    def make(self) -> str:
        code, token = self._issued(CodePurpose.SIGN_IN), self.house.line.token()
        with self.house.work() as work:
            begin_session(work.session, code, token, work.line.policy.lease, work.now)
        return token

    def accepts(self, given: str) -> bool:
        self.pages.client.cookies.clear()
        answer = self.pages.client.get("/chat", headers={"cookie": f"lanyard-officer={given}"})
        assert answer.status_code in (200, 303)
        return answer.status_code == 200


class Binding(Door):
    """A code that binds a Telegram account."""

    purpose = CodePurpose.TELEGRAM

    def make(self) -> str:
        return self._issued(self.purpose)

    def accepts(self, given: str) -> bool:
        who = str(next(STRANGERS))  # somebody new each time: guesses are counted, and past the limit all are refused
        incoming = Incoming(ChannelName.TELEGRAM, who, Kind.COMMAND, f"/start {given}")
        self.house.do(lambda work: receive(work, incoming))
        return self.house.do(lambda work: person_at_telegram(work.session, work.line.keyring, who)) is not None


class PageBinding(Binding):
    """A code of the account page: binds nothing until its number is typed there, so here even the good one does not."""

    purpose = CodePurpose.TELEGRAM_PAGE


DOORS = {"link": Link, "choice": Choice, "cookie": Cookie, "binding": Binding}
SPOILT: dict[str, Callable[[str], str]] = {
    "forged": lambda good: "0" * len(good),
    "one sign other": lambda good: good[:-1] + ("0" if good[-1] != "0" else "1"),
    "truncated": lambda good: good[:-1],
    "half": lambda good: good[: len(good) // 2],
    "longer": lambda good: good + "0",
    "twice": lambda good: good + good,
    "upper case": str.upper,
    "space inside": lambda good: f"{good[:8]} {good[8:]}",
    "its hash": lambda good: hashlib.sha256(good.encode()).hexdigest(),
    "a wildcard": lambda good: good[:4] + "%",
    "SQL": lambda _good: "' OR '1'='1",
    "empty": lambda _good: "",
    "escaped": lambda good: "%" + good.encode().hex("%"),
    "reversed": lambda good: good[::-1],
}
AROUND = {"space before": " {}", "space behind": "{} ", "line behind": "{}\n", "zero width": "{}\u200b", "NUL": "{}\0"}


def _suspended(door: Door) -> None:
    door.house.do(lambda work: suspend(work, door.house.id("officer1"), BY_THE_LINE))


def _role_lost(door: Door) -> None:
    with door.house.work() as work:
        set_roles(work.session, door.house.id("officer1"), frozenset({Role.IDVA}))


def _late(by: timedelta) -> Callable[[Door], None]:
    def wait(door: Door) -> None:
        door.house.clock.time += by

    return wait


LATER: list[tuple[str, str, Callable[[Door], None]]] = [
    ("link", "expired", _late(TEN_MINUTES)),
    ("choice", "expired", _late(TEN_MINUTES)),
    ("binding", "expired", _late(TEN_MINUTES)),
    ("cookie", "idle", _late(IDLE + timedelta(seconds=1))),
    ("cookie", "too old", _late(LONGEST + timedelta(seconds=1))),
    *((door, "suspended", _suspended) for door in DOORS),
    *((door, "role lost", _role_lost) for door in ("link", "choice", "cookie")),
]
OTHER_DOORS = [(made, tried) for made in DOORS for tried in DOORS if made != tried]


@pytest.fixture
def pages(make_house: Callable[..., House], tmp_path: Path) -> Iterator[Pages]:
    made = Pages(make_house(doors=Doors(telegram=True)), tmp_path)
    yield made
    made.client.close()


@pytest.mark.parametrize("kind", DOORS)
def test_a_good_one_is_accepted(pages: Pages, kind: str) -> None:
    door = DOORS[kind](pages)
    assert door.accepts(door.make())


@pytest.mark.parametrize("kind", DOORS)
def test_a_spoilt_one_is_not_accepted_and_spoils_nothing(pages: Pages, kind: str) -> None:
    door = DOORS[kind](pages)
    good = door.make()
    spoilt = {name: spoil(good) for name, spoil in SPOILT.items()}
    if kind in ("link", "choice"):  # a header and a command have no outside: what stands around is not part of them
        spoilt |= {name: around.format(good) for name, around in AROUND.items()}
    accepted = []
    for name, given in spoilt.items():
        if given != good and door.accepts(given):
            accepted.append(name)
    assert accepted == []


@pytest.mark.parametrize(("kind", "why", "spoil"), [pytest.param(*row, id=f"{row[0]}-{row[1]}") for row in LATER])
def test_a_good_one_that_came_to_its_end_is_not_accepted(
    pages: Pages, kind: str, why: str, spoil: Callable[[Door], None]
) -> None:
    door = DOORS[kind](pages)
    good = door.make()
    spoil(door)
    assert not door.accepts(good), why


@pytest.mark.parametrize("kind", ["link", "choice"])
def test_a_used_one_is_not_accepted_again(pages: Pages, kind: str) -> None:
    door = DOORS[kind](pages)
    good = door.make()
    assert [door.accepts(good) for _ in range(3)] == [True, False, False]


def test_a_used_binding_code_binds_nobody_else(pages: Pages) -> None:
    door = Binding(pages)
    good = door.make()
    assert door.accepts(good)
    incoming = Incoming(ChannelName.TELEGRAM, "42000009", Kind.COMMAND, f"/start {good}")
    pages.house.do(lambda work: receive(work, incoming))
    assert pages.house.do(lambda work: person_at_telegram(work.session, work.line.keyring, "42000009")) is None


def test_a_code_of_the_account_page_binds_nothing_by_itself(pages: Pages) -> None:
    door = PageBinding(pages)
    assert not door.accepts(door.make())


def test_a_cookie_is_not_accepted_after_signing_out(pages: Pages) -> None:
    door = Cookie(pages)
    token = door.make()
    assert door.accepts(token)
    pages.client.request("POST", "/sign-out/officer", headers={"cookie": f"lanyard-officer={token}"})
    assert not door.accepts(token)


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.OFFICER])
def test_a_cookie_opens_no_other_role(pages: Pages, role: Role) -> None:
    token = Cookie(pages).make()
    answer = pages.client.get(f"/account/{role.value}", headers={"cookie": f"lanyard-{role.value}={token}"})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(("made", "tried"), OTHER_DOORS)
def test_what_opens_one_door_opens_no_other(pages: Pages, made: str, tried: str) -> None:
    assert not DOORS[tried](pages).accepts(DOORS[made](pages).make())


def test_a_link_makes_a_session_of_its_own_person_whoever_holds_it(pages: Pages) -> None:
    ref = pages.house.asks("officer2", "The words of officer two")
    pages.sign_in("officer2", Role.OFFICER)
    assert Link(pages).accepts(Link(pages).make())
    assert pages.client.get(f"/chat/{ref}").status_code == 404
