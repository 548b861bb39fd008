"""One's own account: sessions are ended, a Telegram account is bound by link and number, and by nothing less."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from access.enrolment import bind_telegram, issue_code
from access.people import person_at_telegram
from access.tables import CodePurpose, Role
from conversations.line import Doors
from conversations.messages import ChannelName, Incoming, Kind
from conversations.receive import Received, receive
from conversations.rota import suspend
from conversations.tables import Outbox
from conversations.work import Work
from tests.house import House
from tests.test_console import Pages

MINE, ANOTHER, STRANGE = "42000001", "42000002", "42000003"
ACCOUNT = "/account/officer"


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(doors=Doors(telegram=True))


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[Pages]:
    made = Pages(house, tmp_path)
    made.sign_in("officer1", Role.OFFICER)
    yield made
    made.client.close()


def writes(house: House, address: str, text: str) -> Received:
    """Somebody writes to the bot."""
    incoming = Incoming(ChannelName.TELEGRAM, address, Kind.COMMAND if text.startswith("/") else Kind.TEXT, text)
    return house.do(lambda work: receive(work, incoming))


def told(house: House, address: str) -> list[str]:
    """What is owed to this chat, in order."""

    def read(work: Work) -> list[str]:
        texts = []
        for row in work.session.scalars(select(Outbox).where(Outbox.body.is_not(None)).order_by(Outbox.seq)):
            at = work.open_words("outbox", "address", row.id, row.scope, row.address) if row.address else None
            mine = person_at_telegram(work.session, work.line.keyring, address)
            if at == address or (row.person_id is not None and row.person_id == mine):
                assert row.body is not None
                texts.append(json.loads(work.open_words("outbox", "body", row.id, row.scope, row.body))["text"])
        return texts

    return house.do(read)


def owner(house: House, address: str) -> str | None:
    return house.name(house.do(lambda work: person_at_telegram(work.session, work.line.keyring, address)))


def link(pages: Pages) -> str:
    """The command behind a fresh link."""
    found = re.search(r"/start [0-9a-f]{32}", pages.client.post(f"{ACCOUNT}/telegram/link").text)
    assert found is not None
    return found[0]


def number_told(house: House, address: str) -> str:
    found = re.search(r"link: (\d\d)\n", told(house, address)[-1])
    assert found is not None
    return found[1]


def types(pages: Pages, number: str) -> int:
    return pages.client.post(f"{ACCOUNT}/telegram/number", data={"number": number}).status_code


def another(number: str) -> str:
    return f"{(int(number) + 1) % 100:02d}"


def test_a_telegram_account_is_bound_by_link_and_number(pages: Pages) -> None:
    writes(pages.house, MINE, link(pages))
    assert owner(pages.house, MINE) is None, "the link alone binds nothing"
    assert types(pages, number_told(pages.house, MINE)) == 303
    assert owner(pages.house, MINE) == "officer1"
    assert "now connected" in told(pages.house, MINE)[-1]


def test_three_wrong_numbers_end_it(pages: Pages) -> None:
    writes(pages.house, MINE, link(pages))
    number = number_told(pages.house, MINE)
    assert (
        "That is not the number"
        in pages.client.post(f"{ACCOUNT}/telegram/number", data={"number": another(number)}).text
    )
    assert [types(pages, another(number)) for _ in range(2)] == [409, 409]
    assert types(pages, number) == 409
    assert owner(pages.house, MINE) is None


def test_two_wrong_numbers_do_not_end_it(pages: Pages) -> None:
    writes(pages.house, MINE, link(pages))
    number = number_told(pages.house, MINE)
    assert [types(pages, another(number)) for _ in range(2)] == [409, 409]
    assert types(pages, number) == 303
    assert owner(pages.house, MINE) == "officer1"


def test_a_number_works_for_ten_minutes_and_once(pages: Pages) -> None:
    writes(pages.house, MINE, link(pages))
    number = number_told(pages.house, MINE)
    pages.house.clock.forward(minutes=10)
    assert types(pages, number) == 409
    assert owner(pages.house, MINE) is None
    writes(pages.house, MINE, link(pages))
    number = number_told(pages.house, MINE)
    assert [types(pages, number), types(pages, number)] == [303, 409]


@pytest.mark.parametrize("spoilt", ["expired", "used", "superseded", "foreign purpose", "forged", "suspended"])
def test_a_link_that_is_not_fresh_is_refused_with_one_and_the_same_text(pages: Pages, spoilt: str) -> None:
    house, command = pages.house, link(pages)
    if spoilt == "expired":
        house.clock.forward(minutes=10)
    elif spoilt == "used":
        writes(house, MINE, command)
    elif spoilt == "superseded":
        link(pages)
    elif spoilt == "foreign purpose":
        command = f"/start {pages.code('officer1', Role.OFFICER)}"
    elif spoilt == "forged":
        command = f"/start {'0' * 32}"
    else:
        house.do(lambda work: suspend(work, house.id("officer1"), "line"))
    writes(house, STRANGE, command)
    assert told(house, STRANGE) == ["This link does not work. Ask for a new one."]
    assert owner(house, STRANGE) is None


def test_the_number_of_one_persons_link_is_nothing_on_anothers_page(pages: Pages) -> None:
    writes(pages.house, MINE, link(pages))
    number = number_told(pages.house, MINE)
    pages.client.cookies.clear()
    pages.sign_in("officer2", Role.OFFICER)
    assert types(pages, number) == 409
    assert owner(pages.house, MINE) is None


def test_another_account_takes_the_place_of_the_first_and_both_are_told(pages: Pages) -> None:
    house = pages.house
    house.do(lambda work: bind_telegram(work.session, work.line.keyring, house.id("officer1"), MINE, work.now))
    writes(house, ANOTHER, link(pages))
    assert owner(house, MINE) == "officer1"
    assert types(pages, number_told(house, ANOTHER)) == 303
    assert (owner(house, MINE), owner(house, ANOTHER)) == (None, "officer1")
    assert "no longer connected" in told(house, MINE)[-1]
    assert "the one you had before no longer is" in told(house, ANOTHER)[-1]


def test_an_account_that_is_somebodys_cannot_be_taken_by_another(pages: Pages) -> None:
    house = pages.house
    house.do(lambda work: bind_telegram(work.session, work.line.keyring, house.id("officer2"), ANOTHER, work.now))
    writes(house, ANOTHER, link(pages))
    assert owner(house, ANOTHER) == "officer2"


def test_the_command_lines_code_still_binds_at_once(house: House) -> None:
    who = house.id("officer1")
    house.do(lambda work: issue_code(work.session, "c" * 32, CodePurpose.TELEGRAM, who, work.now))
    writes(house, MINE, f"/start {'c' * 32}")
    assert owner(house, MINE) == "officer1"


def test_disconnecting_takes_effect_at_once_and_its_chat_is_told(pages: Pages) -> None:
    house = pages.house
    house.do(lambda work: bind_telegram(work.session, work.line.keyring, house.id("officer1"), MINE, work.now))
    assert pages.client.post(f"{ACCOUNT}/telegram/unbind").status_code == 303
    assert owner(house, MINE) is None
    assert "no longer connected" in told(house, MINE)[-1]
    assert pages.client.post(f"{ACCOUNT}/telegram/unbind").status_code == 409


def test_all_other_sessions_are_ended_and_this_one_stays(pages: Pages) -> None:
    first = dict(pages.client.cookies)
    pages.client.cookies.clear()
    pages.sign_in("officer1", Role.OFFICER)
    page = pages.client.get(ACCOUNT).text
    assert page.count("Since <time") == 2
    assert page.count(", here.") == 1
    assert pages.client.post(f"{ACCOUNT}/others/end").status_code == 303
    assert pages.client.get(ACCOUNT).text.count("Since <time") == 1
    for name, value in first.items():
        pages.client.cookies.set(name, value)
    assert pages.client.get("/chat").status_code == 303


def test_one_session_is_ended_by_its_person_and_by_nobody_else(pages: Pages) -> None:
    handle = re.search(r"/sessions/(\w+)/end", pages.client.get(ACCOUNT).text)
    assert handle is not None
    mine = dict(pages.client.cookies)
    pages.client.cookies.clear()
    pages.sign_in("officer2", Role.OFFICER)
    assert pages.client.post(f"{ACCOUNT}/sessions/{handle[1]}/end").status_code == 404
    pages.client.cookies.clear()
    for name, value in mine.items():
        pages.client.cookies.set(name, value)
    assert pages.client.get("/chat").status_code == 200
    assert pages.client.post(f"{ACCOUNT}/sessions/{handle[1]}/end").status_code == 303
    assert pages.client.get("/chat").status_code == 303


def test_row_97_a_field_the_number_form_does_not_have_is_refused(pages: Pages) -> None:
    writes(pages.house, MINE, link(pages))
    data = {"number": number_told(pages.house, MINE), "person_id": pages.house.id("officer2")}
    assert pages.client.post(f"{ACCOUNT}/telegram/number", data=data).status_code == 422
    assert owner(pages.house, MINE) is None
