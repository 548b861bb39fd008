"""Open Referral out and in: what it says, what never goes out, and that nothing is lost on the way round."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from knowledge.entry import BadEntry, Confirmation, Entry, Kind, Phone, Published, Source
from knowledge.hours import is_open
from knowledge.reading import read_entry, read_folder, write_entry
from knowledge.referral.parts import service_id
from knowledge.referral.proposed import Given
from knowledge.referral.schedules import hours_of, same_hours, schedules_of
from knowledge.referral.table import to_csv
from knowledge.referral.writing import service, to_open_referral
from tests.knowledge.foreign import GIVEN, SILENT, UUID, foreign, taken
from tests.knowledge.shelf import TODAY, entry

SHIPPED = read_folder()
SERVICES = [one for one in SHIPPED if one.kind is Kind.SERVICE]
DAY = date(2026, 11, 23)
SCHEMAS = Path(__file__).parents[2].parent / "shared" / "schemas"
RICH = entry(
    hours="Mo-Fr 18:00-02:00; PH off",
    text="HELP to 01632 960777",
    web="https://example.org",
    cost="free",
    languages=("English", "Urdu"),
    audience=("women", "under 25s"),
    conflicts=("One page says until midnight.",),
    supersedes=("older-helpline",),
    topics=("stalking-harassment", "pets"),
    areas=("blackpool", "england"),
)


def directory(*entries: Entry) -> dict[str, Any]:
    return to_open_referral([Published(one, 3) for one in entries], TODAY)


def only(value: object, **more: Any) -> Entry:
    (found,) = taken(value, **more).entries
    return found


def out(found: Entry) -> dict[str, Any]:
    return service(Published(found, 1))


def items(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield name, one
            yield from items(one)
    elif isinstance(value, list):
        for one in value:
            yield from items(one)


# --- out


@pytest.mark.parametrize("profile", ["hsds-3.0", "hsds-uk-3.0"])
def test_the_shipped_directory_is_valid_by_the_published_schemas(profile: str) -> None:
    file = SCHEMAS / profile / "service.json"
    if not file.is_file():
        pytest.skip("the shared schemas are not here")
    schema = json.loads(file.read_text())
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    services = to_open_referral([Published(one, 1) for one in SHIPPED], DAY)["contents"]
    services += [out(RICH), out(only(foreign()))]
    assert len(services) > 80
    assert [error.message for one in services for error in validator.iter_errors(one)] == []


def test_ids_are_uuids_nothing_is_null_or_empty_and_what_the_standard_requires_is_there() -> None:
    needed = {
        "organization": {"id", "name", "description"},
        "taxonomy_term": {"id", "name", "description"},
        "location": {"id", "location_type"},
    }
    for doc in directory(*SHIPPED, RICH)["contents"]:
        assert doc.keys() >= {"id", "name", "status", "organization_id"}
        assert doc["status"] == "active"
        for name, value in items({name: value for name, value in doc.items() if name != "x_lanyard"}):
            assert value not in (None, "", [], {}), name
            if name == "id" or name.endswith("_id"):
                assert str(uuid.UUID(value)) == value
            assert not isinstance(value, dict) or value.keys() >= needed.get(name, set())


def test_ids_never_change() -> None:
    assert service_id(entry("samaritans")) == "082fcefb-936f-5f8c-beca-655e0e2a0c9e"


def test_only_public_services_within_their_review_date_go_out() -> None:
    kept = entry("kept")
    hidden = [
        entry("private", public=False),
        entry("stale", review_by=TODAY - timedelta(days=1)),
        replace(entry("advice"), kind=Kind.GUIDANCE),
        replace(entry("law"), kind=Kind.POWER),
    ]
    assert [one["x_lanyard"]["id"] for one in directory(kept, *hidden)["contents"]] == ["kept"]
    assert "kept" in to_csv([Published(one, 1) for one in (kept, *hidden)], TODAY)
    assert len(to_csv([Published(one, 1) for one in hidden], TODAY).splitlines()) == 1


def test_what_officers_say_and_red_flags_stay_in_the_house() -> None:
    written = json.dumps(directory(entry(says=("he keeps turning up",), flags=("stalking",))))
    assert "turning up" not in written
    assert "flags" not in written


def test_what_is_not_confirmed_says_so() -> None:
    unsure = entry(confirmation=Confirmation.ONE, hours="24/7", conflicts=("Two numbers are about.",))
    (doc,) = directory(unsure)["contents"]
    assert "NOT CONFIRMED" in doc["alert"]
    assert "hours are not confirmed" in doc["alert"]
    assert "Two numbers are about." in doc["alert"]
    (sure,) = directory(entry(hours="24/7", hours_confirmed=True))["contents"]
    assert "alert" not in sure


def test_an_address_of_a_refuge_never_goes_out_even_if_it_is_in_the_catalogue() -> None:
    place = {"id": UUID, "location": {"id": UUID, "addresses": [{"address_1": "1 Example Street"}]}}
    leaky = entry(body="A refuge for women.", extra={"service_at_locations": json.dumps([place])})
    for written in (json.dumps(directory(leaky)), to_csv([Published(leaky, 1)], TODAY)):
        assert "Example Street" not in written


def test_a_page_says_what_it_holds() -> None:
    page = directory(entry("a"), entry("b"))
    assert {name: page[name] for name in page if name != "contents"} == {
        "total_items": 2, "total_pages": 1, "page_number": 1, "size": 2,
        "first_page": True, "last_page": True, "empty": False,
    }  # fmt: skip


# --- hours


@pytest.mark.parametrize(
    "hours", sorted({one.hours for one in SHIPPED if one.hours} | {RICH.hours, "Sa-Mo 22:00-04:00"})
)
def test_schedules_mean_the_same_hours(hours: str) -> None:
    back = hours_of(schedules_of(hours))
    assert same_hours(back, hours)
    start = datetime(2026, 12, 20, tzinfo=UTC)  # over Christmas
    for step in range(14 * 24 * 2):
        moment = start + timedelta(minutes=30 * step)
        if "18:00-02:00; PH off" not in hours:  # whether the small hours of a bank holiday are off, nobody says
            assert is_open(back, moment) == is_open(hours, moment), moment


def test_a_whole_day_ends_at_the_last_minute_that_the_standard_knows() -> None:
    (whole,) = schedules_of("24/7")
    assert (whole["opens_at"], whole["closes_at"]) == ("00:00", "23:59")
    assert whole["byday"] == "MO,TU,WE,TH,FR,SA,SU"


def test_hours_that_are_more_than_a_week_go_out_in_words_and_come_back() -> None:
    seasonal = "Jan-Mar Mo-Fr 09:00-17:00"
    assert schedules_of(seasonal) == [{"description": seasonal}]
    assert only(directory(entry(hours=seasonal))).hours == seasonal


@pytest.mark.parametrize(
    "change",
    [
        {"freq": "MONTHLY"}, {"interval": 2}, {"valid_to": "2027-01-01"}, {"opens_at": "10:00Z"}, {"byday": "1MO"},
        {"opens_at": "00:00", "closes_at": "00:00"}, {"byday": ""},
    ],
)  # fmt: skip
def test_a_schedule_is_never_guessed_at(change: dict[str, object]) -> None:
    (schedule,) = foreign()["schedules"]
    found = taken(foreign(schedules=[schedule | change]))
    assert found.entries[0].hours == ""
    assert any("hours" in note.text for note in found.notes)
    assert out(found.entries[0])["schedules"] == [schedule | change]


# --- round


def test_the_shipped_directory_comes_back_as_it_went_out() -> None:
    public = to_open_referral([Published(one, 1) for one in SHIPPED], DAY)
    again = taken(public, live=SHIPPED, given=SILENT, today=DAY)
    assert sorted(again.entries, key=lambda one: one.id) == SERVICES
    table = to_csv([Published(one, 1) for one in SHIPPED], DAY).encode()
    again = taken(table, live=SHIPPED, given=SILENT, file="directory.csv", today=DAY)
    assert sorted(again.entries, key=lambda one: one.id) == SERVICES


def test_everything_that_an_entry_can_say_comes_back() -> None:
    assert only(directory(RICH), live=[RICH], given=SILENT) == RICH
    assert only(directory(RICH), given=SILENT) == RICH
    assert only(to_csv([Published(RICH, 3)], TODAY).encode(), given=SILENT, file="d.csv") == RICH


def test_a_foreign_service_goes_out_with_all_that_it_came_with() -> None:
    found = only(foreign())
    assert found.phones == (Phone("01632 960555", "extension 4"), Phone("01632 960556", "Evenings"))
    assert (found.hours, found.cost, found.areas) == ("Mo,We 10:00-16:00", "free", ("blackpool",))
    assert found.sources == (Source("Example Charity", "2026-10-01"),)
    assert found.confirmation is Confirmation.ONE
    sent = out(found)
    for name, value in foreign().items():
        assert value == (sent[name][-1:] if name == "attributes" else sent[name]), name
    assert only(sent, live=[found]) == found


def test_what_was_kept_survives_the_catalogues_own_files() -> None:
    found = only(foreign())
    again = read_entry(write_entry(found), "it.md")
    assert again == found
    assert out(again) == out(found)


def test_a_number_that_a_curator_took_out_never_goes_out_again() -> None:
    found = only(foreign())
    mended = replace(found, phones=(Phone("01632 960999"),))
    written = json.dumps(out(mended))
    assert "960999" in written
    assert "960555" not in written
    assert "960556" not in written
    assert out(mended)["organization"]["legal_status"] == "charity"
    none_left = json.dumps(out(replace(found, phones=())))
    assert "96055" not in none_left


def test_hours_that_a_curator_changed_go_out_changed() -> None:
    found = only(foreign())
    assert out(replace(found, hours="Fr 09:00-10:00"))["schedules"][0]["byday"] == "FR"


def test_a_foreign_alert_goes_out_after_our_own_and_is_not_doubled() -> None:
    found = only(foreign(alert="Closed for a flood."))
    sent = out(found)["alert"]
    assert sent.endswith("Closed for a flood.")
    assert out(only(out(found), live=[found]))["alert"] == sent


def test_a_column_that_is_not_known_is_a_column_again() -> None:
    table = to_csv([Published(entry(), 1)], TODAY).splitlines()
    table = [f"{table[0]},their_note", f"{table[1]},=cmd()", ""]
    found = only("\r\n".join(table).encode(), file="d.csv")
    assert found.extra == {"their_note": '"=cmd()"'}
    assert ",'=cmd()" in to_csv([Published(found, 1)], TODAY)


def test_no_cell_is_a_formula() -> None:
    risky = entry(title="=HYPERLINK(0)", cost="+1", text="@all", languages=("-x",), owner="'=already")
    written = to_csv([Published(risky, 1)], TODAY)
    for formula in ("=HYPERLINK(0)", "+1", "@all", "-x", "'=already"):
        assert f",'{formula}," in written
    assert only(written.encode(), file="d.csv") == risky


# --- in


def test_a_service_that_we_have_is_a_change_of_it_and_keeps_what_no_file_says() -> None:
    ours = entry(says=("he keeps turning up",), flags=("stalking",))
    doc = out(ours) | {"description": "Ring them at night."}
    assert only([doc], live=[ours], given=SILENT) == replace(ours, body="Ring them at night.")


def test_another_service_of_a_name_that_we_have_is_never_written_over_ours() -> None:
    ours = entry("example-pet-fostering")
    assert only(foreign(), live=[ours]).id == f"example-pet-fostering-{UUID[:8]}"


def test_a_file_never_makes_a_fact_surer_than_it_is_here() -> None:
    rung = entry(confirmation=Confirmation.RUNG, hours="24/7", hours_confirmed=True)
    assert only(directory(rung), live=[rung]) == rung
    unknown = only(directory(rung))
    assert (unknown.confirmation, unknown.hours_confirmed) == (Confirmation.ONE, False)
    doc = directory(rung)
    doc["contents"][0]["phones"][0]["number"] = "01632 960321"
    assert only(doc, live=[rung]).confirmation is Confirmation.ONE


def test_a_service_that_is_not_active_is_left_out_and_said() -> None:
    found = taken([foreign(), foreign(id=str(uuid.UUID(int=5)), name="Gone", status="defunct")])
    assert [one.title for one in found.entries] == ["Example Pet Fostering"]
    assert any(note.about == "Gone" and "defunct" in note.text for note in found.notes)


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"contents": [one]}])
def test_a_page_a_list_or_one_service_is_taken(wrap: Any) -> None:
    assert only(wrap(foreign())).title == "Example Pet Fostering"


def test_html_is_taken_out_of_every_text() -> None:
    found = only(foreign(description="<p>Ring &amp; ask.</p><script>alert(1)</script>", x_theirs="<b>bold</b>"))
    assert found.body == "Ring & ask."
    assert out(found)["x_theirs"] == "bold"


SERVICE = "  {"  # the line on which the service itself begins
# Row by row: what is wrong, the words that stand on the line that is named, and the reason given.
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"description": "<<b>script>x</script>&lt;i&gt;y"}, '"description"', "HTML within HTML"),
    ({"url": "javascript:alert(1)"}, '"url"', "a link that is none"),
    ({"x_theirs": {"deep": "data:text/html,x"}}, '"deep"', "a link that is none"),
    ({"url": "file:///etc/passwd"}, '"url"', "a link that is none"),
    ({"url": "http://example.org"}, '"url"', "not a plain https address"),
    ({"url": "https://169.254.169.254/latest"}, '"url"', "bare network address"),
    ({"url": "https://[::1]/"}, '"url"', "bare network address"),
    ({"url": "https://localhost/"}, '"url"', "not a public address"),
    ({"url": "https://me:secret@example.org/"}, '"url"', "not a plain https address"),
    ({"phones": [{"number": "0909 8790000"}]}, '"phones"', "costs extra"),
    ({"phones": [{"number": "12"}]}, '"phones"', "no valid British number"),
    ({"phones": [{"number": 1632960555}]}, '"number"', "one piece of text"),
    ({"phones": {"number": "x"}}, '"phones"', "a list"),
    ({"id": "7"}, '"id"', "a UUID"),
    ({"name": None}, SERVICE, "a service has a name"),
    ({"name": ["x"]}, '"name"', "one piece of text"),
    ({"status": "open"}, '"status"', "status is one of"),
    ({"assured_date": "last year"}, '"assured_date"', "a date such as"),
    ({"description": "x" * 20_001}, '"description"', "longer than 20000"),
    ({"x_lanyard": {"confirmation": "certain"}}, '"confirmation"', "no grade"),
    ({"x_lanyard": {"review_by": "soon"}}, '"review_by"', "a date such as"),
    (
        {"description": "A refuge.", "service_at_locations": [{"location": {"latitude": 53.8}}]},
        '"latitude"',
        "addresses of refuges",
    ),
    ({"description": "Our refuge.", "x_theirs": "FY1 1AA"}, '"x_theirs"', "addresses of refuges"),
]


@pytest.mark.parametrize(("change", "words", "reason"), WRONG, ids=[f"{row[2]}-{n}" for n, row in enumerate(WRONG)])
def test_what_is_wrong_is_refused_with_its_line_and_takes_the_whole_file_with_it(
    change: dict[str, Any], words: str, reason: str
) -> None:
    good = foreign(id=str(uuid.UUID(int=1)), name="A good one", url="https://example.org")
    text = json.dumps({"contents": [good, foreign(**change)]}, indent=1)
    with pytest.raises(BadEntry) as refused:
        taken(text.encode())
    assert words in text.splitlines()[refused.value.line - 1]
    assert refused.value.line > len(json.dumps(good, indent=1).splitlines())
    assert reason in refused.value.reason
    assert refused.value.file == "feed.json"


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (replace(GIVEN, owner=""), "an owner"),
        (replace(GIVEN, review_by=None), "a review date"),
        (replace(GIVEN, areas=()), "an area"),
        (replace(GIVEN, topics=()), "a topic"),
    ],
)
def test_without_owner_review_date_area_or_topic_it_is_refused_with_its_line(given: Given, missing: str) -> None:
    with pytest.raises(BadEntry, match=f"line 2: nobody says {missing}"):
        taken([foreign(service_areas=None)], given=given)


def test_a_past_review_date_can_be_proposed_and_is_said() -> None:
    found = taken(foreign(), given=replace(GIVEN, review_by=TODAY - timedelta(days=1)))
    assert len(found.entries) == 1
    assert any("review date is past" in note.text for note in found.notes)


def test_one_id_twice_is_refused() -> None:
    with pytest.raises(BadEntry, match="stands in line"):
        taken([foreign(), foreign()])


def test_services_that_supersede_each_other_are_refused_also_by_way_of_what_is_live() -> None:
    one, other = entry("one", supersedes=("other",)), entry("other", supersedes=("one",))
    with pytest.raises(BadEntry, match="supersedes itself"):
        taken(directory(one, other))
    with pytest.raises(BadEntry, match="supersedes itself"):
        taken(directory(one), live=[other])


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(BadEntry, match=r"line 4: .*also wrong: line \d+"):
        taken([foreign(name=["x"]), foreign(status="open")])


def test_letters_that_can_be_mistaken_are_shown_to_a_person() -> None:
    found = taken(foreign(url="https://еxample.org"))  # the first letter is Cyrillic
    assert any("mistaken for others" in note.text for note in found.notes)


def test_advice_that_must_not_stand_is_shown_and_cannot_be_approved() -> None:
    found = taken(foreign(description="They offer mediation between you both."))
    assert any("mediate" in note.text for note in found.notes)
