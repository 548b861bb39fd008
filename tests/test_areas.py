"""Where an officer works decides which services are put forward: the catalogue and the search as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from access.areas import set_area
from conversations.tables import Suggestion
from knowledge.entry import Entry
from knowledge.places import covers
from knowledge.reading import read_folder
from tests.house import House
from tests.knowledge.test_search import by_words_alone

ENTRIES = {entry.id: entry for entry in read_folder()}
HOUSING = "She is homeless tonight. Which council has the housing duty?"


@pytest.fixture
def line(make_house: Callable[..., House]) -> House:
    house = make_house()
    house.line = replace(house.line, guide=by_words_alone(), place="lancashire-14")
    return house


def put_forward(house: House, name: str) -> list[Entry]:
    """What this officer's question brings up, the best first."""
    row = house.row(house.asks(name, HOUSING))
    with house.line.database.reading() as session:
        query = select(Suggestion.entry_id).where(Suggestion.consultation_id == row.id).order_by(Suggestion.rank)
        return [ENTRIES[one] for one in session.scalars(query)]


def services(found: list[Entry], area: str) -> list[str]:
    """Those that are for this district alone."""
    return [one.id for one in found if one.areas == (area,)]


def test_an_officer_sees_what_is_in_their_own_area_and_nothing_of_another(line: House) -> None:
    for name, area in (("officer1", "blackpool"), ("officer2", "lancaster")):
        with line.work() as work:
            set_area(work.session, line.id(name), area)
    blackpool, lancaster = put_forward(line, "officer1"), put_forward(line, "officer2")
    assert services(blackpool, "blackpool")
    assert services(lancaster, "lancaster")
    assert not services(blackpool, "lancaster")
    assert not services(lancaster, "blackpool")
    assert all(covers(one.areas, "blackpool") for one in blackpool)


def test_without_an_area_it_is_the_lines_own(line: House) -> None:
    found = put_forward(line, "officer1")
    assert found
    assert all(covers(one.areas, "lancashire-14") for one in found)
    assert not services(found, "blackpool")
