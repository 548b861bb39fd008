"""The catalogue's pages: who may see and do what, and that each step leaves its leaf."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.leases import renew_lease
from access.tables import Role
from audit.trail import read_leaves
from conversations import search
from conversations.advise import Advice, AdviceStatus, advise
from conversations.case import Case
from conversations.work import Work
from knowledge import library
from knowledge.entry import Phone
from knowledge.form import to_fields
from knowledge.shown import How, note_shown
from knowledge.tables import State
from tests.house import House
from tests.knowledge.shelf import WITH_CURATORS, entry
from tests.test_console import Pages

HELPLINE = "/entries/example-helpline"


@pytest.fixture
def shelf(make_house: Callable[..., House]) -> House:
    house = make_house(team=WITH_CURATORS)
    house.do(lambda work: library.seed(work.session, (entry(), entry("example-clinic", title="Clinic")), work.now))
    return house


@pytest.fixture
def pages(shelf: House, tmp_path: Path) -> Iterator[Pages]:
    made = Pages(shelf, tmp_path)
    yield made
    made.client.close()


def as_(pages: Pages, name: str, role: Role) -> Callable[..., httpx.Response]:
    """Somebody signed in: asks for a page of theirs, or posts what is given."""
    pages.sign_in(name, role)

    def ask(path: str = "", **sent: Any) -> httpx.Response:
        address = f"/catalogue/{role.value}{path}"
        return pages.client.post(address, data=sent["data"]) if sent else pages.client.get(address)

    return ask


def fields(**changes: Any) -> dict[str, Any]:
    return to_fields(entry()) | {name: [value] for name, value in changes.items()}


def proposed(ask: Callable[..., httpx.Response], **changes: Any) -> str:
    """Propose a change of the helpline; gives the page of the version."""
    went = ask("/propose", data=fields(**changes) | {"entry": "example-helpline"})
    assert went.status_code == 303, went.text
    return went.headers["location"].partition("/entries")[2]


def events(house: House) -> list[tuple[str, dict[str, Any]]]:
    with house.line.database.reading() as session:
        leaves = [json.loads(leaf) for leaf in read_leaves(session)]
    kinds = ("entry.", "catalogue.", "recall.")
    return [(leaf["event"], leaf["facts"]) for leaf in leaves if leaf["event"].startswith(kinds)]


def advised(house: House, words: str) -> str:
    """A consultation that Jane has advised in; gives its reference."""
    house.on_duty("jane")
    ref = house.asks()
    house.do(lambda work: search.accept(Case.load(work, house.row(ref).id), house.id("jane")))
    house.do(
        lambda work: advise(
            Case.load(work, house.row(ref).id), house.id("jane"), Advice(AdviceStatus.ADVICE, words, "The DS, now.")
        )
    )
    return ref


def test_a_change_goes_from_an_idva_by_a_curator_to_the_officers(pages: Pages) -> None:
    officer, jane, cleo = (
        as_(pages, *who) for who in (("officer1", Role.OFFICER), ("jane", Role.IDVA), ("cleo", Role.CURATOR))
    )
    path = proposed(jane, body="Ring them first. They know the way.")
    version = jane(f"/entries{path}").text
    assert "They know the way" in version
    assert "They listen at any hour" in version  # the difference shows both
    assert "They know the way" not in officer(HELPLINE).text
    assert path in cleo("/proposals").text
    assert cleo(f"/entries{path}/approve", data={}).status_code == 303
    assert "They know the way" in cleo("/publish").text
    assert "They know the way" not in officer(HELPLINE).text
    assert cleo("/publish", data={}).status_code == 303
    assert "They know the way" in officer(HELPLINE).text
    assert events(pages.house)[-3:] == [
        ("entry.proposed", {"entry": "example-helpline", "version": 2, "base": 1}),
        ("entry.approved", {"entry": "example-helpline", "version": 2}),
        ("catalogue.switched", {"release": 2, "before": 1}),
    ]
    assert cleo("/releases/1", data={}).status_code == 303
    assert "They listen at any hour" in officer(HELPLINE).text


def test_a_curator_cannot_approve_their_own_proposal_with_or_without_a_button(pages: Pages) -> None:
    cleo = as_(pages, "cleo", Role.CURATOR)
    path = proposed(cleo, body="My own words.")
    assert "Approve version" not in cleo(f"/entries{path}").text
    answer = cleo(f"/entries{path}/approve", data={})
    assert answer.status_code == 409
    assert "second curator" in answer.text


def test_what_breaks_the_rules_is_shown_to_its_writer_and_cannot_be_approved(pages: Pages) -> None:
    jane, cleo = as_(pages, "jane", Role.IDVA), as_(pages, "cleo", Role.CURATOR)
    path = proposed(jane, phones="0900 111 1111 | any hour")
    for ask in (jane, cleo):
        assert "This cannot be approved as it is" in ask(f"/entries{path}").text
    assert "Approve version" not in cleo(f"/entries{path}").text
    assert cleo(f"/entries{path}/approve", data={}).status_code == 409


def test_a_form_that_cannot_be_read_comes_back_as_it_was_typed_with_what_is_wrong(pages: Pages) -> None:
    jane = as_(pages, "jane", Role.IDVA)
    answer = jane("/propose", data=fields(title="", review_by="soon", body="Half-written words"))
    assert answer.status_code == 422
    for words in ("There is a problem", "Give it a title", "Give a day", "Half-written words"):
        assert words in answer.text
    answer = jane("/propose", data=fields(title="Another", main_topic="nonsense"))
    assert "no topic is called" in answer.text
    answer = jane("/propose", data=fields(title="Example helpline"))
    assert "There is an entry of this title already" in answer.text
    assert not pages.house.do(lambda work: library.in_state(work.session, State.PROPOSED))


def test_a_form_gives_back_the_entry_that_it_shows(pages: Pages) -> None:
    whole = entry(
        topics=("stalking-harassment", "children"), audience=("women",), phones=(Phone("0808 2000 247", "any hour"),),
        text="HI to 85258", web="https://example.org", hours="24/7", hours_confirmed=True, cost="free",
        languages=("Welsh",), says=("someone follows her",), conflicts=("One source says Monday.",),
        flags=("stalking",), supersedes=("older-line",), public=False, extra={"kept": "as it was"},
    )  # fmt: skip
    jane = as_(pages, "jane", Role.IDVA)
    pages.house.do(lambda work: library.propose(work.session, whole, pages.house.id("jane"), work.now))
    pages.house.do(lambda work: library.approve(work.session, whole.id, 2, pages.house.id("cleo"), work.now))
    pages.house.do(lambda work: library.publish(work.session, pages.house.id("cleo"), work.now))
    page = jane("/propose?entry=example-helpline").text
    went = jane("/propose", data=typed(page))
    assert went.status_code == 303
    row = pages.house.do(lambda work: library.version(work.session, whole.id, 3))
    assert library.entry_of(row) == whole


def typed(page: str) -> dict[str, Any]:
    """What a browser would send of the form on this page."""
    form = page[page.index('action="/catalogue/idva/propose"') :]
    sent: dict[str, list[str]] = {}
    for tag, name, value in re.findall(r'<input ([^>]*)name="(\w+)" value="([^"]*)"', form):
        if "checkbox" not in tag or re.search(rf'name="{name}" value="{value}" checked', form):
            sent.setdefault(name, []).append(value)
    for name, words in re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>([^<]*)</textarea>', form):
        sent[name] = [words]
    for name, inside in re.findall(r'<select [^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        sent[name] = re.findall(r'value="([^"]*)" selected', inside)
    return sent


def test_a_refusal_says_why_and_only_its_writer_takes_a_proposal_back(pages: Pages) -> None:
    jane = as_(pages, "jane", Role.IDVA)
    first, second = proposed(jane, body="One."), proposed(jane, body="Two.")
    assert jane(f"/entries{first}/take-back", data={}).status_code == 303
    cleo = as_(pages, "cleo", Role.CURATOR)
    assert cleo(f"/entries{second}/refuse", data={"reason": " "}).status_code == 409
    assert cleo(f"/entries{second}/refuse", data={"reason": "The number is another one."}).status_code == 303
    assert "The number is another one." in jane(f"/entries{second}").text
    third = proposed(jane, body="Three.")
    amira = as_(pages, "amira", Role.IDVA)
    assert amira(f"/entries{third}/take-back", data={}).status_code == 404


def test_each_role_sees_and_does_its_own_part_and_nothing_else_exists(pages: Pages) -> None:
    jane = as_(pages, "jane", Role.IDVA)
    path = f"/entries{proposed(jane)}"
    reading = ("/proposals", "/publish", "/recalls", path)
    deciding = (
        f"{path}/approve",
        f"{path}/refuse",
        "/publish",
        "/releases/1",
        f"{HELPLINE}/withdraw",
        "/recalls/x/again",
    )
    may_read = {"officer1": False, "sam": True, "jane": True, "cleo": True}
    roles = {"officer1": Role.OFFICER, "sam": Role.SUPERVISOR, "jane": Role.IDVA, "cleo": Role.CURATOR}
    for name, role in roles.items():
        ask = as_(pages, name, role)
        assert ask().status_code == 200
        assert ask(HELPLINE).status_code == 200
        for one in reading:
            assert ask(one).status_code == (200 if may_read[name] else 404), (name, one)
        for one in deciding if role is not Role.CURATOR else ():
            assert ask(one, data={"reason": "x"}).status_code == 404, (name, one)
        proposing = ask("/propose").status_code
        assert proposing == (200 if role in (Role.IDVA, Role.CURATOR) else 404)
        assert ask("/advice").status_code == (200 if role is Role.IDVA else 404)
    assert len(pages.house.do(lambda work: library.releases(work.session))) == 1


def test_past_its_review_an_entry_is_gone_for_officers_and_marked_for_curators(pages: Pages) -> None:
    officer, cleo = as_(pages, "officer1", Role.OFFICER), as_(pages, "cleo", Role.CURATOR)
    assert "Clinic" in officer().text
    pages.house.clock.forward(days=300)
    with pages.house.work() as work:
        for name in ("officer1", "cleo"):
            renew_lease(work.session, pages.house.id(name), work.now + timedelta(days=1))
    officer, cleo = as_(pages, "officer1", Role.OFFICER), as_(pages, "cleo", Role.CURATOR)
    assert "Clinic" not in officer().text
    assert officer("/entries/example-clinic").status_code == 404
    assert "Past review" in cleo("?review=past").text


def test_the_list_is_filtered(pages: Pages) -> None:
    cleo = as_(pages, "cleo", Role.CURATOR)
    assert "2 entries" in cleo("?topic=stalking-harassment").text
    for query in ("?topic=pets", "?kind=power", "?trust=none", "?review=due"):
        assert "0 entries" in cleo(query).text, query


def test_taking_an_entry_out_works_at_once_and_needs_a_reason(pages: Pages) -> None:
    officer, cleo = as_(pages, "officer1", Role.OFFICER), as_(pages, "cleo", Role.CURATOR)
    assert cleo(f"{HELPLINE}/withdraw", data={"reason": ""}).status_code == 409
    assert officer(HELPLINE).status_code == 200
    assert cleo(f"{HELPLINE}/withdraw", data={"reason": "wrong number"}).status_code == 303
    assert officer(HELPLINE).status_code == 404
    assert [name for name, _ in events(pages.house)] == ["entry.withdrawn", "catalogue.switched"]
    assert "wrong number" in cleo(HELPLINE).text


def test_whoever_was_shown_it_gets_the_correction_and_is_listed_until_they_say_so(pages: Pages) -> None:
    house = pages.house
    row = house.row(house.asks())

    def show(work: Work) -> None:
        one = next(one for one in library.live(work.session) if one.entry.id == "example-helpline")
        note_shown(work.session, row.officer_id, row.id, one, How.SUGGESTED, work.now)

    house.do(show)
    officer, cleo = as_(pages, "officer1", Role.OFFICER), as_(pages, "cleo", Role.CURATOR)
    assert "Example Helpline" in cleo("/recall?entry=example-helpline").text
    days = {"since": "2026-11-20", "until": "2026-11-20"}
    sent = {"entry": "example-helpline", "correction": "The line closed in May.", "withdraw": "yes"} | days
    assert cleo("/recall", data=sent).status_code == 303
    assert officer(HELPLINE).status_code == 404
    page = cleo("/recalls").text
    assert "1 of 1 have not confirmed" in page
    assert "PC 1234 Example" in page
    for home in ("/chat", "/chat/list", "/catalogue/officer"):
        assert "The line closed in May." in pages.client.get(home).text
    (path,) = set(re.findall(r"/catalogue/officer(/corrections/\w+)", pages.client.get("/chat").text))
    as_(pages, "officer2", Role.OFFICER)
    assert pages.client.post(f"/catalogue/officer{path}").status_code == 404
    officer = as_(pages, "officer1", Role.OFFICER)
    for _ in range(2):
        assert officer(path, data={}).status_code == 303
    assert "The line closed in May." not in pages.client.get("/chat").text
    assert "All 1 confirmed" in cleo("/recalls").text
    assert [name for name, _ in events(house)].count("recall.acknowledged") == 1


def test_a_period_that_does_not_exist_and_a_correction_without_words_are_refused(pages: Pages) -> None:
    cleo = as_(pages, "cleo", Role.CURATOR)
    good = {"entry": "example-helpline", "since": "2026-11-01", "until": "2026-11-20", "correction": "x"}
    for wrong in ({"since": "2026-11-21"}, {"since": "yesterday"}, {"correction": "  "}, {"correction": "x" * 2_001}):
        assert cleo("/recall", data=good | wrong).status_code == 409, wrong
    assert cleo("/recall", data=good | {"entry": "nothing"}).status_code == 404
    assert cleo("/recalls").text.count("lanyard-card") == 0


def test_advice_becomes_a_draft_without_names_and_is_proposed_only_once_it_was_read(pages: Pages) -> None:
    house = pages.house
    ref = advised(house, "Tell Sarah Example-Jones to ring 01632 960555. PC 1234 films her neck.")
    jane = as_(pages, "jane", Role.IDVA)
    assert ref in jane("/advice").text
    page = jane(f"/propose?advice={ref}").text
    body = re.search(r'<textarea [^>]*name="body"[^>]*>([^<]*)</textarea>', page)
    assert body is not None
    for gone in ("Sarah", "Jones", "960555", "1234", "independent health IDVA"):
        assert gone not in body[1]
    assert "films her neck" in body[1]
    with house.line.database.reading() as session:
        read = [json.loads(leaf) for leaf in read_leaves(session)]
    assert [one["facts"]["purpose"] for one in read if one["event"] == "words.read"][-1] == "proposing an entry"
    new = fields(title="From advice", body="Film her neck.", advice="yes")
    answer = jane("/propose", data=new)
    assert answer.status_code == 422
    assert "nobody could be recognised" in answer.text
    assert jane("/propose", data=new | {"confirmed": ["yes"]}).status_code == 303
    assert ref not in json.dumps(events(house))


def test_nobody_makes_a_draft_of_a_colleagues_advice(pages: Pages) -> None:
    ref = advised(pages.house, "SECRET")
    amira, cleo = as_(pages, "amira", Role.IDVA), as_(pages, "cleo", Role.CURATOR)
    for ask in (amira, cleo):
        answer = ask(f"/propose?advice={ref}")
        assert answer.status_code == 404
        assert "SECRET" not in answer.text
    assert ref not in amira("/advice").text
    assert amira(f"/advice/{ref}/recall", data={"correction": "x"}).status_code == 404


def test_wrong_advice_is_corrected_in_its_thread_and_confirmed_there(pages: Pages) -> None:
    ref = advised(pages.house, "Film her neck.")
    jane = as_(pages, "jane", Role.IDVA)
    assert jane(f"/advice/{ref}/recall", data={"correction": "Not her neck: her wrist."}).status_code == 303
    pages.sign_in("officer1", Role.OFFICER)
    assert "was wrong" in pages.client.get("/chat").text
    thread = pages.client.get(f"/chat/{ref}").text
    assert "Not her neck: her wrist." in thread
    token = re.search(r'name="token" value="(\w+)"><button[^>]*>I have read this', thread)
    assert token is not None
    assert pages.client.post(f"/chat/{ref}/tap", data={"token": token[1]}).status_code == 303
    assert "was wrong" not in pages.client.get("/chat").text
    assert "All 1 confirmed" in jane("/recalls").text
    assert "her wrist" not in jane("/recalls").text  # sealed in the thread, and nowhere else
