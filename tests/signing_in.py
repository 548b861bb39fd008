"""The pages before a house, with providers of sign-ins, and browsers that go there and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import func, select

from access.people import NewPerson
from access.provider import Provider, Registration
from access.tables import LinkedIdentity, OneTimeCode, Person, Role, SignInFlow, WebSession
from audit.events import Event
from audit.growth import LeafRow
from conversations.work import Work
from tests.house import TEAM, House, new_house
from tests.identity_provider import CLIENT, SECRET, IdentityProvider, identity_provider
from tests.test_console import Client, Pages

BOTH = {"ruth": NewPerson("N-300", "Ruth Example", "Example Trust", frozenset({Role.IDVA, Role.IDVA_LEAD}))}


class Doors(Pages):
    """Pages with providers; `force` is the stand-in, unless others are given."""

    def __init__(self, house: House, assets: Path, stand_in: IdentityProvider, **others: IdentityProvider) -> None:
        self.stand_in = stand_in
        self._browsers: list[Client] = []
        super().__init__(house, assets, providers=registered({"force": stand_in} | others))

    def browser(self) -> Client:
        """Another browser."""
        made = Client(self.client.app)
        self._browsers.append(made)
        return made

    def close(self) -> None:
        """All browsers."""
        for one in [self.client, *self._browsers]:
            one.close()

    def link(self, name: str, role: Role, subject: str = "sub-1", *, by: Client | None = None) -> httpx.Response:
        """Somebody gets in by a one-time link and links their sign-in; what the way back answers."""
        browser = by or self.browser()
        assert browser.post("/sign-in", data={"code": self.code(name, role)}).status_code == 303
        return browser.get(self.stand_in.sign_in(self.to_link(browser, role), subject))

    def to_link(self, browser: Client, role: Role) -> str:
        """Where the linking page sends them."""
        page = browser.post(f"/identity/{role.value}/with/force")
        assert page.status_code == 200, page.text
        return page.text.split('class="govuk-button" href="')[1].split('"')[0].replace("&amp;", "&")

    def leave(self, browser: Client, name: str = "force") -> str:
        """Press a button of the start page; where that goes."""
        assert f'href="/sign-in/with/{name}"' in browser.get("/").text
        answer = browser.get(f"/sign-in/with/{name}")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def come_back(self, browser: Client, subject: str = "sub-1", email: str = "pc1234@force.example") -> httpx.Response:
        """The whole way of signing in."""
        return browser.get(self.stand_in.sign_in(self.leave(browser), subject, email))

    def told(self, event: Event) -> list[str]:
        """The leaves of one kind, as they stand."""

        query = select(LeafRow.data).where(LeafRow.event == event.label).order_by(LeafRow.index)
        return self.house.do(lambda work: [data.decode() for data in work.session.scalars(query)])

    def rows(self) -> dict[str, int]:
        """How many rows there are of all that a sign-in could leave behind."""
        tables = (LinkedIdentity, OneTimeCode, Person, SignInFlow, WebSession)

        def count(work: Work) -> dict[str, int]:
            found = {one.__tablename__: work.session.scalar(select(func.count()).select_from(one)) for one in tables}
            return {name: number or 0 for name, number in found.items()}

        return self.house.do(count)


def registered(stand_ins: Mapping[str, IdentityProvider]) -> dict[str, Provider]:
    """These providers, as they know us."""
    return {
        name: Provider(Registration(name, f"Example {name}", one.issuer, CLIENT, SECRET))
        for name, one in stand_ins.items()
    }


def is_refused(answer: httpx.Response, browser: Client) -> bool:
    """The one page of refusal, and nobody signed in."""
    sessions = [name for name in browser.cookies if name.startswith("lanyard-") and name != "lanyard-away"]
    return answer.status_code == 403 and "That sign-in did not work" in answer.text and not sessions


@contextmanager
def opened(house: House, assets: Path) -> Iterator[Doors]:
    """The pages before this house, and a stand-in."""
    with identity_provider(house.clock) as stand_in:
        made = Doors(house, assets, stand_in)
        yield made
        made.close()


def in_memory() -> House:
    """For what the kind of database has no part in."""
    return new_house(team=TEAM | BOTH)
