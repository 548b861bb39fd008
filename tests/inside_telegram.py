"""The pages before a house, with a Mini App and browsers that open it as Telegram's client does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from access.enrolment import bind_telegram
from access.init_data import key_of
from access.tables import Role
from tests.house import House
from tests.identity_provider import identity_provider
from tests.init_data import BOT_TOKEN, signed
from tests.signing_in import Doors
from tests.test_console import Client

MINE, ANOTHERS, NOBODYS = "501", "502", "599"
WORDS = "Is the SECRET question mine?"


class Inside(Doors):
    """Pages with a Mini App; two officers with Telegram accounts and a sign-in each (`sub-1`, `sub-2`), and a question
    of the first."""

    def set_up(self) -> None:
        front = self.client.app.state.front
        self.client.app.state.front = replace(front, mini_app_key=key_of(BOT_TOKEN))
        for name, address, subject in (("officer1", MINE, "sub-1"), ("officer2", ANOTHERS, "sub-2")):
            self.link(name, Role.OFFICER, subject)
            self.bind(name, address)
        self.ref = self.house.asks("officer1", WORDS)

    def bind(self, name: str, address: str) -> None:
        """A Telegram account for somebody."""
        self.house.do(
            lambda work: bind_telegram(work.session, work.line.keyring, self.house.id(name), address, work.now)
        )

    def fresh(self, address: str = MINE) -> str:
        """What Telegram's client hands over now."""
        return signed(int(address), self.house.clock())

    def opens(self, browser: Client, data: str | None = None) -> httpx.Response:
        """Somebody opens the Mini App from the message about that question."""
        assert browser.get(f"/mini-app/{self.ref}").status_code == 200
        return browser.post("/mini-app", data={"init_data": self.fresh() if data is None else data, "ref": self.ref})

    def to_provider(self, browser: Client) -> str:
        """Where the sign-in of the Mini App leads."""
        assert 'href="/mini-app/with/force"' in browser.get("/mini-app").text
        return browser.get("/mini-app/with/force").headers["location"]

    def steps_up(self, browser: Client, subject: str = "sub-1") -> httpx.Response:
        """Sign in on the way on."""
        return browser.get(self.stand_in.sign_in(self.to_provider(browser), subject))


@contextmanager
def inside(house: House, assets: Path) -> Iterator[Inside]:
    """The pages before this house."""
    with identity_provider(house.clock) as stand_in:
        made = Inside(house, assets, stand_in)
        made.set_up()
        yield made
        made.close()


def opened_nothing(app: Inside, browser: Client) -> bool:
    """No page with words, nor any other of an officer, opens in this window."""
    answers = [browser.get("/chat"), browser.get(f"/chat/{app.ref}"), browser.post("/chat/say", data={"text": "x"})]
    return all((one.status_code, one.headers["location"]) == (303, "/") and WORDS not in one.text for one in answers)


def main_of(answer: httpx.Response) -> str:
    """What somebody reads."""
    return answer.text.split("<main")[1].split("</main>")[0]
