"""The public directory over HTTP: Open Referral UK's read-only API, for anybody and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conversations import catalogue
from tests.house import House
from tests.test_console import Pages

BASE = "/open-referral"


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[Pages]:
    with house.work() as work:
        catalogue.seed(work)
    made = Pages(house, tmp_path)
    yield made
    made.client.close()


def test_it_says_which_standard_it_is(pages: Pages) -> None:
    answer = pages.client.get(f"{BASE}/")
    assert answer.json()["version"] == "HSDS-UK-3.0"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_services_come_in_pages_and_one_by_one(pages: Pages) -> None:
    first = pages.client.get(f"{BASE}/services?per_page=10").json()
    assert (first["page_number"], first["size"], first["first_page"], first["last_page"]) == (1, 10, True, False)
    last = pages.client.get(f"{BASE}/services?per_page=10&page={first['total_pages']}").json()
    assert last["last_page"] is True
    assert pages.client.get(f"{BASE}/services?page=9999").json()["empty"] is True
    one = first["contents"][0]
    assert pages.client.get(f"{BASE}/services/{one['id']}").json() == one
    assert pages.client.get(f"{BASE}/services/{one['id'][:-1]}x").status_code == 404


def test_services_are_narrowed_by_words_topic_and_opening_times(pages: Pages) -> None:
    def names(query: str) -> set[str]:
        return {one["name"] for one in pages.client.get(f"{BASE}/services?per_page=100&{query}").json()["contents"]}

    assert names("search=samaritans") == {"Samaritans"}
    terms = pages.client.get(f"{BASE}/taxonomy_terms?per_page=100").json()["contents"]
    pets = next(one["id"] for one in terms if one["code"] == "pets")
    assert "Dogs Trust Freedom (North West)" in names(f"taxonomy_term_id={pets}")
    assert "Samaritans" not in names(f"taxonomy_term_id={pets}")
    night = names("day=SU&start_time=03:00&end_time=04:00")
    assert "Samaritans" in night
    assert "Karma Nirvana" not in night


def test_taxonomy_and_places_can_be_read(pages: Pages) -> None:
    (taxonomy,) = pages.client.get(f"{BASE}/taxonomies").json()["contents"]
    assert pages.client.get(f"{BASE}/taxonomies/{taxonomy['id']}").json() == taxonomy
    terms = pages.client.get(f"{BASE}/taxonomy_terms?per_page=100&taxonomy_id={taxonomy['id']}").json()
    assert terms["total_items"] == 45
    term = terms["contents"][0]
    assert pages.client.get(f"{BASE}/taxonomy_terms/{term['id']}").json() == term
    place = pages.client.get(f"{BASE}/service_at_locations").json()["contents"][0]
    assert pages.client.get(f"{BASE}/service_at_locations/{place['id']}").json() == place


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "per_page=100000", "day=FUNDAY", "start_time=25:00"])
def test_what_is_asked_wrongly_is_answered_with_what_is_wrong(pages: Pages, query: str) -> None:
    answer = pages.client.get(f"{BASE}/services?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_nothing_but_public_services_is_there_and_nothing_can_be_written(pages: Pages) -> None:
    text = pages.client.get(f"{BASE}/services?per_page=100").text
    assert "guidance-" not in text
    assert "power-" not in text
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert pages.client.request(method, f"{BASE}/services").status_code in (403, 405)
