"""The public directory's API: open to all, only reading, in the standard's pages; wrong questions are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.directory import BASE, router
from console.front import Front
from console.web import create_app
from knowledge.entry import Entry, Kind, Published
from knowledge.referral.parts import TAXONOMY, TERMS, service_id
from tests.house import House
from tests.knowledge.foreign import foreign, taken
from tests.knowledge.shelf import TODAY, entry
from tests.place import copied
from tests.test_console import Client, Pages

CLINIC = entry("example-clinic", title="Example Clinic", hours="Mo-Fr 09:00-17:00; Sa 10:00-12:00", topics=("pets",))
HELPLINE = entry(hours="24/7")
FOSTERING = taken(foreign(maximum_age=25)).entries[0]
SHELF = (CLINIC, HELPLINE, FOSTERING)


class Api:
    """The API over some entries."""

    def __init__(self, pages: Pages, *entries: Entry) -> None:
        self.published = tuple(Published(one, 1) for one in entries)
        front: Front = pages.client.app.state.front
        self.client = Client(create_app(replace(front, directory=lambda: self.published)))

    def get(self, path: str, status: int = 200) -> Any:
        """What it answers, as JSON."""
        answer = self.client.get(BASE + path)
        assert answer.status_code == status, answer.text
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "set-cookie" not in answer.headers
        return answer.json()

    def names(self, query: str) -> list[str]:
        """The services that a query finds."""
        return [one["name"] for one in self.get(f"/services?{query}")["contents"]]


@pytest.fixture
def database_url(tmp_path: Path, migrated: Path) -> str:
    """One kind of database is enough: none is asked here."""
    return copied(migrated, tmp_path / "lanyard.db")


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[Pages]:
    made = Pages(house, tmp_path)
    yield made
    made.client.close()


@pytest.fixture
def api(pages: Pages) -> Iterator[Api]:
    made = Api(pages, *SHELF)
    yield made
    made.client.close()


def test_it_says_which_standard_it_is(api: Api) -> None:
    about = api.get("/")
    assert about["version"] == "HSDS-UK-3.0"
    assert about.keys() == {"version", "profile", "openapi_url"}


def test_it_asks_no_database_and_works_without_one(pages: Pages, api: Api) -> None:
    pages.broken = True
    assert api.get("/services")["total_items"] == 3


def test_there_is_nothing_but_reading(api: Api) -> None:
    assert {method for route in router.routes for method in route.methods} == {"GET"}  # type: ignore[attr-defined]
    for path in ("/services", "/taxonomies", "/services/x"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert api.client.request(method, BASE + path).status_code == 405


def test_a_list_is_a_page_of_services_without_what_belongs_to_them_many_times_over(api: Api) -> None:
    page = api.get("/services?per_page=2")
    assert {name: value for name, value in page.items() if name != "contents"} == {
        "total_items": 3, "total_pages": 2, "page_number": 1, "size": 2,
        "first_page": True, "last_page": False, "empty": False,
    }  # fmt: skip
    assert [one["name"] for one in page["contents"]] == ["Example Clinic", "Example Helpline"]
    assert not any(isinstance(value, list) for one in page["contents"] for value in one.values())
    last = api.get("/services?per_page=2&page=2")
    assert (last["size"], last["first_page"], last["last_page"], last["empty"]) == (1, False, True, False)
    beyond = api.get("/services?per_page=2&page=9")
    assert (beyond["contents"], beyond["empty"], beyond["last_page"]) == ([], True, True)


def test_one_service_is_whole(api: Api) -> None:
    whole = api.get(f"/services/{service_id(FOSTERING)}")
    assert whole["x_theirs"] == {"deep": [1, True, "two"]}
    assert [one["number"] for one in whole["phones"]] == ["01632 960555"]


def test_each_listed_thing_is_there_by_its_id(api: Api) -> None:
    for kind in ("services", "taxonomies", "taxonomy_terms", "service_at_locations"):
        for one in api.get(f"/{kind}")["contents"]:
            assert api.get(f"/{kind}/{one['id']}")["id"] == one["id"]
        assert api.get(f"/{kind}/00000000-0000-0000-0000-000000000000", 404)["detail"]
        assert api.get(f"/{kind}/..%2fetc", 404)
    (place,) = api.get("/service_at_locations?search=clinic")["contents"]
    assert api.get(f"/service_at_locations/{place['id']}")["service"]["name"] == "Example Clinic"


def test_the_terms_are_our_topics(api: Api) -> None:
    assert api.get("/taxonomies")["contents"] == [TAXONOMY]
    assert [one["code"] for one in api.get("/taxonomy_terms")["contents"]] == list(TERMS)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=CLINIC", "C"), ("search=helpline+listen", "H"), ("search=01632+960555", "P"), ("search=nothing", ""),
        (f"taxonomy_term_id={TERMS['pets']['id']}", "CP"), ("taxonomy_term_id=x", ""),
        (f"taxonomy_id={TAXONOMY['id']}", "CHP"), ("taxonomy_id=x", ""),
        ("minimum_age=16", "P"), ("minimum_age=17", ""), ("maximum_age=25", "P"), ("maximum_age=24", ""),
        ("day=SA", "CH"), ("day=saturday", "CH"), ("day=mo", "CHP"), ("day=su", "H"),
        ("start_time=09:30", "CP"), ("end_time=12:00", "C"), ("day=MO&end_time=16:00:00", "P"),
        ("start_time=23:59", ""),
        ("search=example&day=SA&start_time=09:00", "C"),
    ],
)  # fmt: skip
def test_a_filter_finds_what_says_so_and_nothing_else(api: Api, query: str, found: str) -> None:
    assert "".join(name.split()[1][0] for name in api.names(query)) == found
    places = api.get(f"/service_at_locations?{query}")["contents"]
    assert len(places) == len(found)


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=x", "page=99999999999999999999", "per_page=0", "per_page=101", "minimum_age=x",
     "maximum_age=nan", "minimum_age=-1", "day=someday", "day=MO,TU", "start_time=25:00", "end_time=9",
     "search=" + "x" * 201],
)  # fmt: skip
def test_a_wrong_question_is_refused_with_what_is_wrong(api: Api, query: str) -> None:
    for path in ("/services", "/service_at_locations"):
        (fault,) = api.get(f"{path}?{query}", 422)["detail"]
        assert query.partition("=")[0] in fault["loc"]


def test_only_public_services_within_their_review_date_are_there(pages: Pages) -> None:
    hidden = (
        entry("private", public=False),
        entry("stale", review_by=TODAY - timedelta(days=1)),
        replace(entry("advice"), kind=Kind.GUIDANCE),
        replace(entry("law"), kind=Kind.POWER),
    )
    api = Api(pages, entry(), *hidden)
    assert api.names("") == ["Example Helpline"]
    assert api.get("/service_at_locations")["total_items"] == 1
    for one in hidden:
        api.get(f"/services/{service_id(one)}", 404)
    api.client.close()


def test_what_goes_live_is_there_at_once_and_what_comes_past_review_is_gone(pages: Pages, api: Api) -> None:
    api.published = (Published(HELPLINE, 2),)
    assert api.names("") == ["Example Helpline"]
    pages.house.clock.forward(days=1000)
    assert api.names("") == []


def test_every_part_of_the_standard_has_its_way(api: Api) -> None:
    ways = {str(getattr(route, "path", "")).removeprefix(BASE) for route in router.routes}
    kinds = ("services", "taxonomies", "taxonomy_terms", "service_at_locations")
    assert {re.sub(r"\{\w+\}", "{id}", way) for way in ways} == {"/"} | {
        way for kind in kinds for way in (f"/{kind}", f"/{kind}/{{id}}")
    }
