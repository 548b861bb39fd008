"""Open Referral UK: valid by the standard, round trips, and nothing but the public directory leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from knowledge.entry import Kind, Published
from knowledge.imports import Defaults, read_file, to_csv
from knowledge.open_referral import page, public, service, spans
from knowledge.reading import read_folder

TODAY = date(2026, 11, 23)
SHIPPED = [Published(entry, 1) for entry in read_folder()]
PUBLIC = public(SHIPPED)
SCHEMAS = Path(__file__).parents[2].parent / "shared" / "schemas"
# What both schemas of the standard demand, in our own words: for where they are not at hand.
NEEDED = {
    "phones": {"id", "number"}, "schedules": {"id", "freq", "byday", "opens_at", "closes_at"},
    "service_areas": {"id", "name"}, "attributes": {"id", "taxonomy_term_id"}, "cost_options": {"id"},
}  # fmt: skip


@pytest.mark.parametrize("profile", ["hsds-3.0", "hsds-uk-3.0"])
def test_every_exported_service_is_valid_by_the_schema(profile: str) -> None:
    file = SCHEMAS / profile / "service.json"
    if not file.is_file():
        pytest.skip("the shared schemas are not here")
    validator = jsonschema.Draft202012Validator(json.loads(file.read_text()), format_checker=jsonschema.FormatChecker())
    for one in PUBLIC:
        assert [error.message for error in validator.iter_errors(service(one))] == [], one.entry.id


def test_every_exported_service_has_what_the_standard_needs_and_no_empty_property() -> None:
    ids = set()
    for one in PUBLIC:
        found = service(one)
        assert {"id", "name", "status"} <= found.keys()
        assert found["status"] == "active"
        assert None not in found.values()
        for name, needed in NEEDED.items():
            assert all(needed <= part.keys() for part in found.get(name, ())), (one.entry.id, name)
        ids.add(found["id"])
    assert len(ids) == len(PUBLIC)


def test_only_public_services_leave() -> None:
    assert {one.entry.kind for one in PUBLIC} == {Kind.SERVICE}
    hidden = [replace(one, entry=replace(one.entry, public=False)) for one in PUBLIC[:3]]
    assert public([*hidden, *SHIPPED[:0]]) == []
    text = json.dumps([service(one) for one in PUBLIC])
    assert "guidance-" not in text
    assert "power-" not in text


def test_an_unconfirmed_number_and_a_conflict_are_in_the_alert() -> None:
    found = {one.entry.id: service(one) for one in PUBLIC}
    assert "not confirmed" in found["opoka"]["alert"]
    assert "Hours: one list says" in found["men-s-advice-line-respect"]["alert"]
    assert "alert" not in found["samaritans"]


def test_a_round_trip_gives_every_entry_back(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    file.write_text(json.dumps(page([service(one) for one in PUBLIC])))
    assert list(read_file(file, TODAY, Defaults())) == [one.entry for one in PUBLIC]


def test_unknown_properties_survive_a_round_trip(tmp_path: Path) -> None:
    found = service(PUBLIC[0]) | {"wait_time": "two days", "funding": [{"id": "x"}], "x_council": {"ward": "Central"}}
    file = tmp_path / "one.json"
    file.write_text(json.dumps(found))
    (entry,) = read_file(file, TODAY, Defaults())
    again = service(Published(entry, 1))
    assert {name: again[name] for name in ("wait_time", "funding", "x_council")} == {
        "wait_time": "two days", "funding": [{"id": "x"}], "x_council": {"ward": "Central"},
    }  # fmt: skip


def test_csv_goes_out_and_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text(to_csv(PUBLIC), newline="")
    back = read_file(file, TODAY, Defaults())
    assert [(one.id, one.phones, one.areas, one.hours, one.body) for one in back] == [
        (one.entry.id, one.entry.phones, one.entry.areas, one.entry.hours, one.entry.body) for one in PUBLIC
    ]


def test_a_cell_that_a_spreadsheet_would_run_is_put_in_quotes() -> None:
    evil = replace(PUBLIC[0].entry, title='=HYPERLINK("https://example.org")')
    assert "'=HYPERLINK" in to_csv([Published(evil, 1)])


def test_hours_become_weekly_schedules() -> None:
    assert spans("24/7") == [(("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"), "00:00", "23:59")]
    assert spans("Mo-Th 09:00-17:00; Fr 09:00-16:30; PH off") == [
        (("Mo", "Tu", "We", "Th"), "09:00", "17:00"),
        (("Fr",), "09:00", "16:30"),
    ]


def test_pages_tell_where_they_stand() -> None:
    middle = page(list(range(25)), 2, 10)
    assert (middle["total_pages"], middle["first_page"], middle["last_page"], middle["size"]) == (3, False, False, 10)
    assert page([])["empty"] is True
