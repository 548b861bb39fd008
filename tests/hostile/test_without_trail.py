"""With the trail unwritable nothing is opened for anybody, and an officer who writes still hears whom to ring.

On both databases: the trail's table refuses every new leaf, and nothing else does.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from access.tables import Role
from audit.events import Event
from audit.trail import read_leaves
from conversations import view
from conversations.policy import Policy
from conversations.work import Work
from storage.database import Database
from storage.keys import Keyring
from storage.sealing import Place, Sealed
from tests.hostile.test_without_database import LEAD_PHONE, TROUBLE, WITHIN, a_line, officer_of, sign_in, words_in
from tests.house import House

READS = 10_000 if os.environ.get("LANYARD_PROVE") == "full" else 300


@contextmanager
def no_leaf_can_be_written(database: Database) -> Iterator[None]:
    with database.engine.begin() as connection:
        if database.is_sqlite:
            connection.execute(
                text("CREATE TRIGGER full_up BEFORE INSERT ON leaf BEGIN SELECT RAISE(ABORT, 'disk full'); END")
            )
        else:
            connection.execute(
                text("CREATE TRIGGER full_up BEFORE INSERT ON leaf FOR EACH STATEMENT EXECUTE FUNCTION leaf_stays()")
            )
    try:
        yield
    finally:
        on = "" if database.is_sqlite else " ON leaf"
        with database.engine.begin() as connection:
            connection.execute(text(f"DROP TRIGGER full_up{on}"))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was opened of people's words."""
    found: list[str] = []
    real = Keyring.open

    def spy(self: Keyring, session: object, place: Place, sealed: Sealed) -> str:
        if (place.table, place.column) in (("message_version", "words"), ("outbox", "body")):
            found.append(place.row)
        return real(self, session, place, sealed)  # type: ignore[arg-type]

    monkeypatch.setattr(Keyring, "open", spy)
    return found


def test_without_a_leaf_no_word_is_opened_for_a_page(house: House, opened: list[str]) -> None:
    house.on_duty("jane")
    ref = house.asks(text="canary")
    house.do(lambda work: view.thread(work, ref, house.id("officer1")))
    assert opened
    opened.clear()
    with no_leaf_can_be_written(house.line.database):
        for _ in range(20):
            with pytest.raises(DBAPIError):
                house.do(lambda work: view.thread(work, ref, house.id("officer1")))
            with pytest.raises(DBAPIError):
                house.do(lambda work: view.offers(work, house.id("jane")))
    assert opened == []


@pytest.mark.prove
def test_as_many_readings_as_leaves(house: House) -> None:
    house.on_duty("jane")
    ref = house.asks()
    readers: list[Callable[[Work], object]] = [
        lambda work: view.thread(work, ref, house.id("officer1")),
        lambda work: view.offers(work, house.id("jane")),
    ]
    chance = Random(1)
    for _ in range(READS):
        house.do(chance.choice(readers))
    with house.line.database.reading() as session:
        leaves = [json.loads(leaf) for leaf in read_leaves(session)]
    told = [leaf for leaf in leaves if leaf["event"] == Event.WORDS_READ.label]
    assert len(told) == READS
    assert {leaf["facts"]["purpose"] for leaf in told} == {"own consultation", "offered"}


def test_an_officer_who_writes_hears_whom_to_ring_and_is_heard_once_it_can_be_recorded(
    database_url: str, tmp_path: Path
) -> None:
    database = Database(database_url)
    with (
        a_line(tmp_path / "line", database_url) as (installation, api, here),
        httpx.Client(base_url=here, headers={"Sec-Fetch-Site": "same-origin"}, timeout=WITHIN) as browser,
    ):
        sign_in(installation, browser)
        officer = officer_of(installation, api)
        idva = api.person(installation.members(Role.IDVA)[0].telegram)
        officer.write("Before it, canary")
        ref = re.search(r"Reference (\w{6})", officer.wait_for("Received safely. Reference", WITHIN).text)
        assert ref
        chat = f"/chat/{ref[1]}"
        assert "canary" in browser.get(chat).text
        before = len(idva.from_bot)
        with no_leaf_can_be_written(database):
            officer.write("While it cannot be recorded, canary")
            helped = officer.wait_for(TROUBLE, WITHIN)
            assert helped.text == f"{TROUBLE} Ring the duty lead on {LEAD_PHONE}. {Policy.emergency}"
            assert len(idva.from_bot) == before
            page = browser.get(chat)
            assert page.status_code >= 500
            assert "canary" not in page.text
            assert Policy.emergency in page.text
            assert LEAD_PHONE in page.text
        officer.wait_for("Received. ", 30)
        assert words_in(installation) == ["Before it, canary", "While it cannot be recorded, canary"]
    database.close()
