"""The pages before a house, and browsers whose devices hold passkeys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from access.people import NewPerson
from access.tables import Passkey, Role, SignInFlow, WebSession
from audit.events import Event
from audit.growth import LeafRow
from conversations.line import Doors
from tests.authenticator import Device
from tests.house import TEAM, House, new_house
from tests.test_console import Client, Pages

BOTH = {"ruth": NewPerson("N-300", "Ruth Example", "Example Trust", frozenset({Role.IDVA, Role.IDVA_LEAD}))}
HERE = Doors(public_url="http://localhost:8000")


class Keys(Pages):
    """The pages, and browsers with passkeys before them."""

    def __init__(self, house: House, assets: Path) -> None:
        self._browsers: list[Client] = []
        super().__init__(house, assets)

    def browser(self, name: str | None = None, role: Role = Role.OFFICER) -> Client:
        """Another browser; somebody came in there by a one-time link."""
        made = Client(self.client.app)
        self._browsers.append(made)
        if name is not None:
            assert made.post("/sign-in", data={"code": self.code(name, role)}).status_code == 303
        return made

    def close(self) -> None:
        """All browsers."""
        for one in [self.client, *self._browsers]:
            one.close()

    def asked(self, browser: Client, role: Role | None = None) -> dict[str, Any]:
        """What the browser is asked: to sign in, or in this role to add one."""
        path = f"/account/{role.value}/passkeys" if role else "/sign-in/passkey"
        answer = browser.post(f"{path}/options")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def add(self, browser: Client, answer: object, role: Role = Role.OFFICER) -> httpx.Response:
        """A device's answer, to add it."""
        return browser.post(f"/account/{role.value}/passkeys", data={"answer": _written(answer)})

    def show(self, browser: Client, answer: object) -> httpx.Response:
        """A device's answer, to sign in."""
        return browser.post("/sign-in/passkey", data={"answer": _written(answer)})

    def added(self, name: str = "officer1", role: Role = Role.OFFICER, **more: Any) -> Device:
        """Somebody's passkey, added in a browser of its own."""
        device, browser = Device(**more), self.browser(name, role)
        answer = self.add(browser, device.create(self.asked(browser, role)), role)
        assert answer.status_code == 303, answer.text
        return device

    def enter(self, device: Device, browser: Client | None = None) -> httpx.Response:
        """The whole way of signing in."""
        browser = browser or self.browser()
        return self.show(browser, device.get(self.asked(browser)))

    def told(self, event: Event) -> list[dict[str, Any]]:
        """Actor and facts of each leaf of one kind."""
        query = select(LeafRow.data).where(LeafRow.event == event.label).order_by(LeafRow.index)
        leaves = self.house.do(lambda work: [json.loads(data) for data in work.session.scalars(query)])
        return [{"by": self.house.name(leaf["actor"])} | leaf["facts"] for leaf in leaves]

    def count(self, table: type[Passkey | WebSession | SignInFlow]) -> int:
        """How many rows."""
        return self.house.do(lambda work: work.session.scalar(select(func.count()).select_from(table)) or 0)


def _written(answer: object) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer)


def is_refused(answer: httpx.Response, browser: Client) -> bool:
    """The one page of refusal."""
    return (
        answer.status_code == 403
        and "That passkey did not work" in answer.text
        and "lanyard-away" not in (browser.cookies)
    )


def main_of(answer: httpx.Response) -> str:
    """What the page says."""
    return answer.text.split("<main")[1].split("</main>")[0]


@contextmanager
def opened(house: House, assets: Path) -> Iterator[Keys]:
    """The pages before this house."""
    made = Keys(house, assets)
    yield made
    made.close()


def in_memory() -> House:
    """For what the kind of database has no part in."""
    return new_house(doors=HERE, team=TEAM | BOTH)
