"""The People room: who may use the line, adding them one by one or from a file, roles, access, sign-in links.

Rules kept here:
- Only the fields a form has are read: any other is refused (422), and changes nothing.
- Somebody is looked for by the exact staff id: names and ids are sealed, so there is nothing to search in.
- A file is shown as what it would do, and read again when that is confirmed; between the two nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from access.people import NewPerson
from access.permissions import Action, roles_for
from access.roster import Wanted, list_people
from access.staff_list import COLUMNS, MOST_BYTES, MOST_ROWS, BadStaff, known_area, new_person, read_list
from access.tables import Role, Standing
from console.acts import LEASE_WARNING, went
from console.front import Front
from console.page import Pages
from console.reader import Reader, reader
from conversations import staff
from conversations.errors import StaffRefused
from conversations.work import Work
from knowledge.places import PLACES

router = APIRouter(prefix="/people/{role}")
Load = Callable[[Work], dict[str, Any]]
Me = Annotated[Reader, Depends(reader(Action.MANAGE_PEOPLE))]

IMPORTS = ("/import", "/import/look")
ROLES = sorted(role.value for role in roles_for(Action.MANAGE_PEOPLE))
LONGEST_BODY = 4 * MOST_BYTES  # a form writes some signs as three
TITLES = {
    Role.OFFICER: "Officer",
    Role.IDVA: "IDVA",
    Role.IDVA_LEAD: "IDVA lead",
    Role.SUPERVISOR: "Supervisor",
    Role.SERGEANT: "Detective sergeant",
    Role.CURATOR: "Knowledge curator",
    Role.ADMIN: "Administrator",
    Role.AUDITOR: "Auditor",
}


class Fields(BaseModel):
    """A form or query: its own fields and no others."""

    model_config = ConfigDict(extra="forbid")


class Listing(Fields):
    """What the list is asked for."""

    staff_id: str = Field("", max_length=40)
    role: Role | Literal[""] = ""
    standing: Standing | Literal[""] = ""
    page: str = Field("1", pattern=r"^[1-9][0-9]{0,4}$")  # digits of ours: int() reads those of any script


class Adding(Fields):
    """Somebody to be added."""

    staff_id: str = Field("", max_length=200)
    name: str = Field("", max_length=500)
    service: str = Field("", max_length=500)
    roles: list[Role] = Field(default=[])
    area: str = Field("", max_length=40)


class Roles(Fields):
    """The roles somebody is to hold."""

    roles: list[Role] = Field(default=[])


class Area(Fields):
    """Where somebody works."""

    area: str = Field("", max_length=40)


class Access(Fields):
    """Whether somebody is let in."""

    standing: Standing


class Link(Fields):
    """What a sign-in link is for."""

    role: Role


class Rows(Fields):
    """A list that was looked at, and is to be taken in."""

    rows: str = Field(max_length=MOST_BYTES)


@router.get("")
async def home(request: Request, me: Me, asked: Annotated[Listing, Query()]) -> Response:
    """The list."""
    staff_id = " ".join(asked.staff_id.split()) or None
    wanted = Wanted(staff_id, asked.role or None, asked.standing or None)

    def load(work: Work) -> dict[str, Any]:
        staff.may_give(work, me.id)
        return {"listed": list_people(work.session, work.line.keyring, wanted, int(asked.page))}

    return await _show(request, me, "people.html", load, {"asked": asked, "wanted": wanted})


@router.post("")
async def add(request: Request, me: Me, form: Annotated[Adding, Form()]) -> Response:
    """One more."""
    front: Front = request.app.state.front

    def act(work: Work) -> str:
        roles = [role.value for role in form.roles]
        try:
            new = new_person(form.staff_id, form.name, form.service, roles, form.area, practice=front.practice)
        except BadStaff as refused:
            raise StaffRefused(str(refused).capitalize()) from None
        return staff.add(work, me.id, new)

    return went(request, f"{_base(me)}/{await front.run(act)}")


@router.get("/new")
async def new(request: Request, me: Me) -> Response:
    """The form for one more."""
    return await _show(request, me, "people-new.html", lambda work: {"given": _given(work, me)}, {})


@router.get("/import")
async def importing(request: Request, me: Me) -> Response:
    """The form for a file."""
    limits = {"columns": ",".join(COLUMNS), "most": MOST_ROWS}
    return await _show(request, me, "people-import.html", lambda work: {"given": _given(work, me)}, limits)


@router.post("/import/look")
async def look(request: Request, me: Me, file: UploadFile) -> Response:
    """What a file would do. Nothing is done."""
    if set(await request.form()) != {"file"}:
        raise RequestValidationError([])
    content = await file.read(MOST_BYTES + 1)

    def load(work: Work) -> dict[str, Any]:
        people = _read(request, content)
        staff.look_at_list(work, me.id, people)
        return {"people": people, "rows": content.decode("utf-8-sig")}

    return await _show(request, me, "people-import-look.html", load, {})


@router.post("/import")
async def take_in(request: Request, me: Me, form: Annotated[Rows, Form()]) -> Response:
    """Do it: everybody in one transaction, or nobody."""
    content = form.rows.encode("utf-8", "surrogatepass")

    def act(work: Work) -> int:
        people = _read(request, content)
        staff.add_list(work, me.id, people)
        return len(people)

    added = await request.app.state.front.run(act)
    return await _show(request, me, "people-imported.html", lambda work: {"given": _given(work, me)}, {"added": added})


@router.get("/{person_id}")
async def one(request: Request, me: Me, person_id: str) -> Response:
    """One person."""
    return await _person(request, me, person_id)


@router.post("/{person_id}/roles")
async def roles(request: Request, me: Me, person_id: str, form: Annotated[Roles, Form()]) -> Response:
    """Exactly these roles."""
    await request.app.state.front.run(lambda work: staff.give_roles(work, me.id, person_id, frozenset(form.roles)))
    return went(request, f"{_base(me)}/{person_id}")


@router.post("/{person_id}/area")
async def area(request: Request, me: Me, person_id: str, form: Annotated[Area, Form()]) -> Response:
    """Where they work."""

    def act(work: Work) -> None:
        try:
            staff.set_area(work, me.id, person_id, known_area(form.area))
        except BadStaff as refused:
            raise StaffRefused(str(refused).capitalize()) from None

    await request.app.state.front.run(act)
    return went(request, f"{_base(me)}/{person_id}")


@router.post("/{person_id}/standing")
async def standing(request: Request, me: Me, person_id: str, form: Annotated[Access, Form()]) -> Response:
    """Suspended, or let in again."""
    act = staff.suspend if form.standing is Standing.SUSPENDED else staff.let_in_again
    await request.app.state.front.run(lambda work: act(work, me.id, person_id))
    return went(request, f"{_base(me)}/{person_id}")


@router.post("/{person_id}/lease")
async def lease(request: Request, me: Me, person_id: str) -> Response:
    """An enrolment that runs anew."""
    if await request.form():
        raise RequestValidationError([])
    await request.app.state.front.run(lambda work: staff.renew(work, me.id, person_id))
    return went(request, f"{_base(me)}/{person_id}")


@router.post("/{person_id}/link")
async def link(request: Request, me: Me, person_id: str, form: Annotated[Link, Form()]) -> Response:
    """A one-time sign-in link, on this answer and nowhere else."""
    made = await request.app.state.front.run(lambda work: staff.make_link(work, me.id, person_id, form.role))
    return await _person(request, me, person_id, made)


async def _person(request: Request, me: Reader, person_id: str, made: str | None = None) -> Response:
    def load(work: Work) -> dict[str, Any]:
        person = staff.member(work, me.id, person_id)
        answers = staff.answers_for(work, me.id, person)
        return {"person": person, "answers": answers, "given": _given(work, me)}

    return await _show(request, me, "people-person.html", load, {"made": made})


def _base(me: Reader) -> str:
    return f"/people/{me.role.value}"


def _given(work: Work, me: Reader) -> list[Role]:
    given = staff.may_give(work, me.id)
    return [role for role in Role if role in given]


def _read(request: Request, content: bytes) -> list[NewPerson]:
    try:
        return read_list(content, practice=request.app.state.front.practice)
    except BadStaff as refused:
        raise StaffRefused(str(refused)) from None


async def _show(request: Request, me: Reader, template: str, load: Load, more: dict[str, Any]) -> Response:
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    values = await front.run(load)
    shown = {"me": me, "role": me.role, "base": _base(me), "titles": TITLES, "Standing": Standing, "places": PLACES}
    return pages.show(request, template, values | more | shown | {"warning": LEASE_WARNING})
