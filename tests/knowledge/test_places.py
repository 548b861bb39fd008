"""Areas: an officer in Blackpool sees Blackpool first, and never a service that does not cover the place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from knowledge.entry import Kind, Published
from knowledge.places import PLACES, UnknownPlace, covers, distance, require_place
from knowledge.reading import read_folder
from knowledge.search import Search
from knowledge.vectors import VectorStore

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_an_area_covers_what_lies_in_it_and_nothing_beside() -> None:
    assert covers(("uk",), "blackpool")
    assert covers(("fylde-coast",), "blackpool")
    assert not covers(("lcc",), "blackpool"), "Blackpool is a council of its own"
    assert covers(("lcc",), "wyre")
    assert not covers(("pendle", "preston"), "blackpool")
    assert not covers(("blackpool",), "lancashire-14"), "a part does not cover the whole"
    assert covers(("blackpool",), None)


def test_the_nearer_area_stands_lower() -> None:
    order = ["blackpool", "fylde-coast", "lancashire-14", "england", "uk"]
    assert sorted(order, key=lambda slug: distance((slug,), "blackpool")) == order


def test_an_unknown_place_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnknownPlace, match="blackpool"):
        require_place("blakcpool")


@pytest.mark.parametrize("place", ["blackpool", "pendle", "wyre", "lancashire-14"])
@pytest.mark.parametrize(
    "text", ["homeless tonight with the kids", "who do i ring about a child at risk", "domestic abuse service"]
)
def test_no_suggestion_fails_to_cover_the_place(place: str, text: str) -> None:
    search = Search([Published(entry, 1) for entry in read_folder()], None, VectorStore())
    found = search.suggest(text, place, NOW, limit=20)
    assert all(covers(one.published.entry.areas, place) for one in found)
    services = [one.published.entry for one in found if one.published.entry.kind is Kind.SERVICE]
    assert services or place == "lancashire-14"


def test_blackpool_first() -> None:
    search = Search([Published(entry, 1) for entry in read_folder()], None, VectorStore())
    found = search.suggest("homeless tonight council housing", "blackpool", NOW)
    services = [one.published.entry for one in found if one.published.entry.kind is Kind.SERVICE]
    assert services[0].areas == ("blackpool",)
    assert all(slug in PLACES for entry in services for slug in entry.areas)
