"""The People room: who may add whom, what a file may hold, and that nobody raises themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import select

from access.people import NewPerson, find_by_staff_id
from access.tables import Role
from audit.events import Event
from audit.growth import LeafRow
from conversations import staff
from conversations.errors import AboveYou, NoSuchMember, OnOneself, RoleMissing
from tests.erasing import leaves_of
from tests.house import TEAM, House
from tests.test_console import Pages

FORCE = "Example Constabulary"
MORE = {
    "ada": NewPerson("A-600", "Ada Example", FORCE, frozenset({Role.ADMIN})),
    "abe": NewPerson("A-700", "Abe Sample", FORCE, frozenset({Role.ADMIN, Role.SUPERVISOR})),
    "cleo": NewPerson("C-400", "Cleo Example", FORCE, frozenset({Role.CURATOR, Role.OFFICER})),
}
HEAD = "staff_id,name,service,roles\n"
SOMEBODY = {"staff_id": "PC 9", "name": "PC 9 New", "service": FORCE, "roles": ["officer"]}


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(team=TEAM | MORE)


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[Pages]:
    made = Pages(house, tmp_path)
    yield made
    made.client.close()


def roles_of(house: House, name: str) -> frozenset[Role]:
    return house.do(lambda work: work.person(house.id(name)).roles)


def recorded(house: House, event: Event) -> list[LeafRow]:
    with house.line.database.reading() as session:
        return list(session.scalars(select(LeafRow).where(LeafRow.event == event.label)))


@pytest.mark.parametrize("role", [Role.OFFICER, Role.IDVA, Role.CURATOR])
def test_only_administrators_and_supervisors_have_the_people_room(pages: Pages, role: Role) -> None:
    pages.sign_in({Role.OFFICER: "officer1", Role.IDVA: "jane", Role.CURATOR: "cleo"}[role], role)
    for method, path in (
        ("GET", "/people/admin"),
        ("POST", "/people/admin"),
        ("GET", "/people/admin/new"),
        ("GET", "/people/admin/import"),
    ):
        assert pages.client.request(method, path).status_code == 303, path


@pytest.mark.parametrize("by", ["officer1", "jane", "cleo"])
def test_the_use_case_itself_refuses_whoever_is_neither(house: House, by: str) -> None:
    new = NewPerson("PC 9", "PC 9 New", FORCE, frozenset({Role.OFFICER}))
    acts = (
        lambda work: staff.add(work, house.id(by), new),
        lambda work: staff.add_list(work, house.id(by), [new]),
        lambda work: staff.suspend(work, house.id(by), house.id("officer2")),
        lambda work: staff.give_roles(work, house.id(by), house.id("officer2"), frozenset({Role.ADMIN})),
        lambda work: staff.make_link(work, house.id(by), house.id("officer2"), Role.OFFICER),
    )
    for act in acts:
        with pytest.raises(RoleMissing):
            house.do(act)


@pytest.mark.parametrize("name", ["sam", "ada", "cleo", "abe"])
def test_a_supervisor_answers_for_officers_and_idvas_only(house: House, name: str) -> None:
    sam, whom = house.id("sam"), house.id(name)
    refused = OnOneself if name == "sam" else AboveYou
    for act in (
        lambda work: staff.suspend(work, sam, whom),
        lambda work: staff.give_roles(work, sam, whom, frozenset({Role.OFFICER})),
        lambda work: staff.make_link(work, sam, whom, Role.OFFICER),
    ):
        with pytest.raises(refused):
            house.do(act)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OFFICER, Role.IDVA}, key=str))
def test_a_supervisor_gives_no_higher_role_to_anybody(house: House, role: Role) -> None:
    sam = house.id("sam")
    new = NewPerson("PC 9", "PC 9 New", FORCE, frozenset({Role.OFFICER, role}))
    with pytest.raises(AboveYou):
        house.do(lambda work: staff.add(work, sam, new))
    with pytest.raises(AboveYou):
        house.do(lambda work: staff.give_roles(work, sam, house.id("officer1"), frozenset({role})))
    assert roles_of(house, "officer1") == {Role.OFFICER}


def test_nobody_changes_their_own_roles_or_access(pages: Pages) -> None:
    pages.sign_in("abe", Role.ADMIN)
    me = f"/people/admin/{pages.house.id('abe')}"
    for path, data in (
        ("roles", {"roles": ["admin", "idva"]}),
        ("standing", {"standing": "suspended"}),
        ("link", {"role": "supervisor"}),
    ):
        answer = pages.client.post(f"{me}/{path}", data=data)
        assert answer.status_code == 409
        assert "Nobody changes their own" in answer.text
    assert roles_of(pages.house, "abe") == {Role.ADMIN, Role.SUPERVISOR}


@pytest.mark.parametrize(("by", "role"), [("sam", Role.SUPERVISOR), ("ada", Role.ADMIN)])
def test_everybodys_page_opens_and_says_why_somebody_cannot_be_changed(pages: Pages, by: str, role: Role) -> None:
    pages.sign_in(by, role)
    said = {name: pages.client.get(f"/people/{role.value}/{pages.house.id(name)}") for name in TEAM | MORE}
    assert {name: one.status_code for name, one in said.items()} == dict.fromkeys(said, 200)
    assert "Nobody changes their own roles or access" in said[by].text
    assert ("Only an administrator may change this person" in said["abe"].text) == (role is Role.SUPERVISOR)


def test_an_administrator_adds_somebody_who_signs_in_by_the_link(pages: Pages) -> None:
    pages.sign_in("ada", Role.ADMIN)
    went = pages.client.post("/people/admin", data=SOMEBODY)
    assert went.status_code == 303
    page = pages.client.post(f"{went.headers['location']}/link", data={"role": "officer"}).text
    code = page.partition("/sign-in/")[2][:32]
    assert pages.client.post("/sign-in", data={"code": code}).headers["location"] == "/chat"
    assert code not in pages.client.get(went.headers["location"]).text
    added, issued = recorded(pages.house, Event.PERSON_ADDED), recorded(pages.house, Event.CODE_ISSUED)
    assert len(added) == 1
    assert len(issued) == 1
    assert "PC 9" not in str([leaf.__dict__ for leaf in added + issued])


def test_suspending_ends_the_session_and_letting_in_again_does_not_bring_it_back(pages: Pages) -> None:
    pages.sign_in("officer1", Role.OFFICER)
    pages.sign_in("sam", Role.SUPERVISOR)
    unused = pages.code("officer1", Role.OFFICER)
    person = f"/people/supervisor/{pages.house.id('officer1')}"
    assert pages.client.post(f"{person}/standing", data={"standing": "suspended"}).status_code == 303
    assert pages.client.get("/chat").status_code == 303
    assert "Suspended" in pages.client.get(person).text
    assert pages.client.post("/sign-in", data={"code": unused}).status_code == 404
    assert pages.client.post(f"{person}/standing", data={"standing": "active"}).status_code == 303
    assert pages.client.get("/chat").status_code == 303
    assert pages.client.post("/sign-in", data={"code": unused}).status_code == 404
    assert len(recorded(pages.house, Event.STANDING_SET)) == 2


def test_a_role_that_was_taken_opens_nothing_at_the_next_request(pages: Pages) -> None:
    house = pages.house
    house.on_duty("jane")
    ref = house.asks()
    pages.sign_in("jane", Role.IDVA)
    pages.sign_in("ada", Role.ADMIN)
    unused = pages.code("jane", Role.IDVA)
    assert pages.client.get("/desk").status_code == 200
    pages.client.post(f"/people/admin/{house.id('jane')}/roles", data={"roles": ["officer"]})
    assert pages.client.get("/desk").status_code == 303
    assert pages.client.post("/sign-in", data={"code": unused}).status_code == 404
    assert house.state(ref) != "offered"  # it went on to others
    assert len(recorded(house, Event.ROLES_SET)) == 1


@pytest.mark.parametrize("more", ["role", "owner_id", "audit_idx", "standing", "practice", "id", "added_at"])
def test_row_97_a_field_no_form_has_is_refused_and_changes_nothing(pages: Pages, more: str) -> None:
    pages.sign_in("ada", Role.ADMIN)
    person = f"/people/admin/{pages.house.id('officer1')}"
    for path, data in (
        ("/people/admin", SOMEBODY),
        (f"{person}/roles", {"roles": ["idva"]}),
        ("/people/admin/import", {"rows": f"{HEAD}PC 9,PC 9 New,{FORCE},officer"}),
    ):
        assert pages.client.post(path, data=data | {more: "admin"}).status_code == 422, path
    if more != "standing":
        data = {"standing": "suspended", more: "x"}
        assert pages.client.post(f"{person}/standing", data=data).status_code == 422
    if more != "role":
        assert pages.client.post(f"{person}/link", data={"role": "officer", more: "x"}).status_code == 422
    look = pages.client.post("/people/admin/import/look", data={more: "x"}, files={"file": ("a.csv", HEAD)})
    assert look.status_code == 422
    assert roles_of(pages.house, "officer1") == {Role.OFFICER}
    assert not recorded(pages.house, Event.PERSON_ADDED)


@pytest.mark.parametrize(
    "page", ["-1", "0", "1000000000000", "NaN", "٣", "１", "1e3", "0x1", "1.0", " 1", "1;2", "%00"]
)
def test_row_105_a_page_that_is_no_number_of_ours_is_refused(pages: Pages, page: str) -> None:
    pages.sign_in("ada", Role.ADMIN)
    assert pages.client.get(f"/people/admin?page={quote(page)}").status_code == 422
    assert pages.client.get("/people/admin?page=1").status_code == 200
    assert "Nobody fits" in pages.client.get("/people/admin?page=99999").text


@pytest.mark.parametrize(
    "search", ["%", "_", "PC%", "PC 123_", "' OR 1=1 --", "PC 1234'--", "*", "\\", "(a+)+$", "pc 1234"]
)
def test_row_98_only_the_exact_staff_id_finds_somebody(pages: Pages, search: str) -> None:
    pages.sign_in("ada", Role.ADMIN)
    assert "Nobody fits" in pages.client.get(f"/people/admin?staff_id={quote(search)}").text
    assert "PC 1234 Example" in pages.client.get("/people/admin?staff_id=PC%201234").text


@pytest.mark.parametrize("query", ["role=root", "standing=gone", "sort=name", "role=admin'--", "staff_id=" + "x" * 41])
def test_row_98_what_is_no_filter_of_the_list_is_refused(pages: Pages, query: str) -> None:
    pages.sign_in("ada", Role.ADMIN)
    assert pages.client.get(f"/people/admin?{query}").status_code == 422


def test_the_list_is_filtered_and_paged(pages: Pages) -> None:
    house = pages.house
    rows = "".join(f"P{number},Person {number},{FORCE},officer idva\n" for number in range(60))
    pages.sign_in("ada", Role.ADMIN)
    assert pages.client.post("/people/admin/import", data={"rows": HEAD + rows}).status_code == 200
    pages.client.post(f"/people/admin/{house.id('officer2')}/standing", data={"standing": "suspended"})
    first, second = (pages.client.get(f"/people/admin?role=idva&page={page}").text for page in (1, 2))
    assert "62 people" in first
    assert "page=2" in first
    shown = [set(re.findall(r">(Person \d+|Jane Example|Amira Sample)</a>", page)) for page in (first, second)]
    assert (len(shown[0]), len(shown[1]), len(shown[0] | shown[1])) == (50, 12, 62)
    suspended = pages.client.get("/people/admin?standing=suspended").text
    assert "1 person" in suspended
    assert "PC 5678 Sample" in suspended


def test_somebody_who_is_not_there_does_not_exist(pages: Pages) -> None:
    pages.sign_in("ada", Role.ADMIN)
    for method, path in (("GET", ""), ("POST", "/roles"), ("POST", "/standing"), ("POST", "/link")):
        data = {"/roles": {"roles": "idva"}, "/standing": {"standing": "active"}, "/link": {"role": "idva"}}.get(path)
        answer = pages.client.request(method, f"/people/admin/{'0' * 32}{path}", data=data)
        assert answer.status_code == 404
        assert "no such person" in answer.text
    with pytest.raises(NoSuchMember):
        pages.house.do(lambda work: staff.member(work, pages.house.id("ada"), "x"))


def test_a_file_is_shown_before_it_does_anything(pages: Pages) -> None:
    pages.sign_in("ada", Role.ADMIN)
    content = f'\ufeff{HEAD}PC 9,PC 9 New,{FORCE},officer\nN-9,Nora O\'New,"Trust, NHS",idva supervisor\n\n'
    look = pages.client.post("/people/admin/import/look", files={"file": ("staff.csv", content)})
    assert look.status_code == 200
    assert "2 people would be added" in look.text
    assert "Trust, NHS" in look.text
    assert not recorded(pages.house, Event.PERSON_ADDED)
    done = pages.client.post("/people/admin/import", data={"rows": content[1:].replace("\n", "\r\n")})
    assert "2 people added" in done.text
    added = pages.house.do(lambda work: find_by_staff_id(work.session, pages.house.line.keyring, "N-9"))
    assert (added.name, added.service, added.roles) == (
        "Nora O'New",
        "Trust, NHS",
        frozenset({Role.IDVA, Role.SUPERVISOR}),
    )


GOOD = f"PC 8,PC 8 Good,{FORCE},officer\n"
WRONG = {
    "another column": (f"{HEAD}{GOOD}PC 9,PC 9 New,{FORCE},officer,admin\n", "Line 3: 5 columns"),
    "another heading": (f"staff_id,name,service,roles,standing\n{GOOD}", "Line 1: the first line"),
    "a column missing": (f"{HEAD}{GOOD}PC 9,PC 9 New,officer\n", "Line 3: 3 columns"),
    "a formula": (f"{HEAD}{GOOD}PC 9,=HYPERLINK(1),{FORCE},officer\n", "Line 3: the name begins like a formula"),
    "a formula after a space": (f"{HEAD}{GOOD}PC 9, @SUM(1),{FORCE},officer\n", "Line 3: the name begins"),
    "a formula as staff id": (f"{HEAD}{GOOD}+44,PC 9 New,{FORCE},officer\n", "Line 3: the staff id begins"),
    "a control": (f"{HEAD}{GOOD}PC 9,PC\x07 9,{FORCE},officer\n", "Line 3: the name holds signs"),
    "a reordering": (f"{HEAD}{GOOD}PC 9,PC \u202e9,{FORCE},officer\n", "Line 3: the name holds signs"),
    "a line break": (f'{HEAD}{GOOD}PC 9,"PC\n9",{FORCE},officer\n', "Line 4: the name holds signs"),
    "no name": (f"{HEAD}{GOOD}PC 9,,{FORCE},officer\n", "Line 3: the name is missing"),
    "too long": (f"{HEAD}{GOOD}PC 9,{'x' * 121},{FORCE},officer\n", "Line 3: the name is longer than 120"),
    "an unknown role": (f"{HEAD}{GOOD}PC 9,PC 9 New,{FORCE},chief\n", "Line 3: a role is one of"),
    "no role": (f"{HEAD}{GOOD}PC 9,PC 9 New,{FORCE},\n", "Line 3: Choose at least one role"),
    "twice": (f"{HEAD}{GOOD}PC  8,PC 8 Twice,{FORCE},officer\n", "Line 3: the staff id of line 2 again"),
    "known already": (f"{HEAD}{GOOD}PC 1234,PC 1234 Again,{FORCE},officer\n", "Line 3: Somebody with this staff id"),
    "a quote never closed": (f'{HEAD}{GOOD}PC 9,"PC 9,{FORCE},officer\n', "Line 3: unexpected end"),
    "an empty line between": (f"{HEAD}\n{GOOD}", "Line 2: 0 columns"),
    "nobody": (HEAD, "nobody in this file"),
    "nothing": ("", "Line 1: the first line"),
    "too many": (HEAD + "".join(f"P{n},P,F,officer\n" for n in range(2_001)), "Line 2002: more than 2,000"),
}  # fmt: skip


def test_an_area_comes_with_the_file_or_is_set_on_the_page_and_only_a_known_one(pages: Pages) -> None:
    pages.sign_in("ada", Role.ADMIN)
    house, head = pages.house, HEAD.replace("roles", "roles,area")

    def area(staff_id: str) -> str | None:
        return house.do(lambda work: find_by_staff_id(work.session, house.line.keyring, staff_id)).area

    content = f"{head}PC 8,PC 8 Good,{FORCE},officer,blackpool\nPC 9,PC 9 New,{FORCE},officer,\n"
    look = pages.client.post("/people/admin/import/look", files={"file": ("staff.csv", content)})
    assert "Blackpool" in look.text
    assert pages.client.post("/people/admin/import", data={"rows": content}).status_code == 200
    assert (area("PC 8"), area("PC 9")) == ("blackpool", None)
    wrong = pages.client.post("/people/admin/import", data={"rows": content.replace("blackpool", "atlantis")})
    assert (wrong.status_code, "Line 2: an area is one of" in wrong.text) == (409, True)

    pages.client.post("/people/admin", data=SOMEBODY | {"staff_id": "PC 10", "area": "wyre"})
    assert area("PC 10") == "wyre"
    page = f"/people/admin/{house.id('officer1')}"
    pages.client.post(f"{page}/area", data={"area": "preston"})
    assert area("PC 1234") == "preston"
    assert '<option value="preston" selected>' in pages.client.get(page).text
    assert pages.client.post(f"{page}/area", data={"area": "atlantis"}).status_code == 409
    (leaf,) = [one for one in leaves_of(house) if one["event"] == Event.AREA_SET.label]
    facts = {"person": house.id("officer1"), "area": "preston", "before": ""}
    assert (leaf["actor"], leaf["facts"]) == (house.id("ada"), facts)
    assert pages.client.post(f"/people/admin/{house.id('ada')}/area", data={"area": "wyre"}).status_code == 409


@pytest.mark.parametrize("name", WRONG)
def test_a_file_with_one_wrong_line_is_refused_whole_with_line_and_reason(pages: Pages, name: str) -> None:
    content, reason = WRONG[name]
    pages.sign_in("ada", Role.ADMIN)
    look = pages.client.post("/people/admin/import/look", files={"file": ("staff.csv", content)})
    done = pages.client.post("/people/admin/import", data={"rows": content or "\n"})
    for answer in (look, done):
        assert answer.status_code == 409
        assert reason in answer.text
    assert not recorded(pages.house, Event.PERSON_ADDED)


def test_a_file_that_is_not_utf_8_or_too_large_is_refused(pages: Pages) -> None:
    pages.sign_in("ada", Role.ADMIN)
    latin = f"{HEAD}{GOOD}PC 9,Ren\u00e9,{FORCE},officer\n".encode("latin-1")
    answer = pages.client.post("/people/admin/import/look", files={"file": ("staff.csv", latin)})
    assert "Line 3: this is not UTF-8" in answer.text
    large = pages.client.post("/people/admin/import/look", files={"file": ("staff.csv", b"x" * 300_000)})
    assert (large.status_code, "larger than 256 KB" in large.text) == (409, True)
    huge = pages.client.post("/people/admin/import/look", files={"file": ("staff.csv", b"x" * 1_100_000)})
    assert huge.status_code == 413
    assert pages.client.post("/people/admin", data=SOMEBODY | {"name": "x" * 70_000}).status_code == 413


def test_a_supervisors_file_gives_no_higher_role(pages: Pages) -> None:
    pages.sign_in("sam", Role.SUPERVISOR)
    content = f"{HEAD}{GOOD}PC 9,PC 9 New,{FORCE},officer supervisor\n"
    answer = pages.client.post("/people/supervisor/import", data={"rows": content})
    assert (answer.status_code, "Line 3: Only an administrator" in answer.text) == (409, True)
    assert not recorded(pages.house, Event.PERSON_ADDED)
    assert pages.client.post("/people/supervisor/import", data={"rows": HEAD + GOOD}).status_code == 200


def test_names_are_shown_literally_in_the_people_room(pages: Pages) -> None:
    pages.sign_in("ada", Role.ADMIN)
    went = pages.client.post("/people/admin", data=SOMEBODY | {"name": "<script>alert(1)</script>"})
    for path in ("/people/admin", went.headers["location"]):
        page = pages.client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page
