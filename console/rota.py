"""The Rota room: the week, cover beside demand, adding and taking off, leave, imports, what a second person decides.

Rules kept here:
- Everything is shown as what it would change, with the gaps it would leave, and read again when that is confirmed;
  where the rota is another by then, nothing is done.
- Only the fields a form has are read: any other is refused (422), and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import Field

from access.permissions import Action, roles_for
from console.acts import went
from console.front import Front
from console.page import Pages
from console.people import Fields
from console.reader import Reader, local_today, reader
from conversations import cover, leave, rota_import, rota_plan, rota_second, rota_shown
from conversations.errors import NoSuchShift, RotaRefused
from conversations.patterns import PATTERNS, Pattern, shifts_of
from conversations.planned import MOST_BYTES, BadRota, Duty
from conversations.rota_csv import COLUMNS, write_csv
from conversations.rota_plan import Plan
from conversations.work import Work
from knowledge.hours import BANK_HOLIDAYS

router = APIRouter(prefix="/rota/{role}")
Me = Annotated[Reader, Depends(reader(Action.MANAGE_ROTA))]
Load = Callable[[Work], dict[str, Any]]

ROLES = sorted(role.value for role in roles_for(Action.MANAGE_ROTA))
IMPORTS = ("/import", "/import/look")
LONGEST_BODY = 4 * MOST_BYTES  # a form writes some signs as three
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
OTHER = "other"
Day = Annotated[date, Field(ge=date(2020, 1, 1), le=date(2999, 12, 1))]
_CLOCK = r"^(|([01][0-9]|2[0-3]):[0-5][0-9])$"


class Listing(Fields):
    """Which week is asked for."""

    week: Day | None = None  # any day of it


class Hours(Fields):
    """Shifts of one person: one, or by a pattern."""

    staff_id: str = Field(max_length=200)
    duty: Duty
    first: Day
    last: Day
    hours: Literal["7-15", "14-22", "22-6", "other"]
    starts: str = Field("", pattern=_CLOCK)
    ends: str = Field("", pattern=_CLOCK)
    days: list[Annotated[int, Field(ge=0, le=6)]] = Field(default=[])
    holidays: Literal["", "off"] = ""


class HoursAgain(Hours):
    """The same, looked at."""

    shown: str = Field(max_length=64)


class LeaveAsked(Fields):
    """Somebody's leave."""

    staff_id: str = Field(max_length=200)
    first: Day
    last: Day


class LeaveAgain(LeaveAsked):
    """The same, looked at."""

    shown: str = Field(max_length=64)


class Shown(Fields):
    """What was looked at."""

    shown: str = Field(max_length=64)


class Rows(Shown):
    """A file that was looked at."""

    rows: str = Field(max_length=MOST_BYTES)


class Decision(Fields):
    """What a second person says."""

    published: bool


@router.get("")
async def home(request: Request, me: Me, asked: Annotated[Listing, Query()]) -> Response:
    """A week, and the cover of the coming ones."""

    def load(work: Work) -> dict[str, Any]:
        day = asked.week or local_today(work)
        monday = day - timedelta(days=day.weekday())
        drafts = [(one, rota_shown.in_plan(work, one.plan)) for one in rota_second.waiting(work, me.id)]
        return {
            "week": rota_shown.week(work, me.id, monday),
            "around": (monday - timedelta(days=7), monday + timedelta(days=7)),
            "cover": cover.look(work),
            "drafts": drafts,
            "kind_of": rota_plan.kind_of,
        }

    return await _show(request, me, "rota.html", load)


@router.get("/add")
async def adding(request: Request, me: Me) -> Response:
    """The form for shifts and the one for leave."""

    def load(work: Work) -> dict[str, Any]:
        return {"people": rota_shown.on_rotas(work), "today": local_today(work), "patterns": PATTERNS}

    return await _show(request, me, "rota-add.html", load)


@router.post("/add/look")
async def look_at_hours(request: Request, me: Me, form: Annotated[Hours, Form()]) -> Response:
    """What these shifts would change."""
    return await _look(request, me, lambda work: _hours(work, me, form), "/add", _again(form))


@router.post("/add")
async def add(request: Request, me: Me, form: Annotated[HoursAgain, Form()]) -> Response:
    """Put them on the rota."""
    return await _publish(request, me, lambda work: _hours(work, me, form), form.shown)


@router.get("/import")
async def importing(request: Request, me: Me) -> Response:
    """The form for a file."""
    return await _show(request, me, "rota-import.html", lambda _work: {"columns": ",".join(COLUMNS)})


@router.post("/import/look")
async def look_at_file(request: Request, me: Me, file: UploadFile) -> Response:
    """What a file would change. Nothing is changed."""
    if set(await request.form()) != {"file"}:
        raise RequestValidationError([])
    content = await file.read(MOST_BYTES + 1)
    again = {"rows": content.decode("utf-8-sig", "replace")}
    return await _look(request, me, lambda work: rota_import.look(work, me.id, content), "/import", again)


@router.post("/import")
async def take_in(request: Request, me: Me, form: Annotated[Rows, Form()]) -> Response:
    """Make it the rota."""
    content = form.rows.encode("utf-8", "surrogatepass")
    return await _publish(request, me, lambda work: rota_import.look(work, me.id, content), form.shown)


@router.get("/rota.csv")
async def export(request: Request, me: Me) -> Response:
    """What is to come, as a file that can be read in again."""
    front: Front = request.app.state.front
    text = await front.run(lambda work: write_csv(rota_shown.coming(work, me.id)))
    headers = {"Content-Disposition": 'attachment; filename="rota.csv"'}
    return PlainTextResponse(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/shift/{shift_id}")
async def one(request: Request, me: Me, shift_id: str) -> Response:
    """What taking one shift off would change."""
    return await _look(request, me, lambda work: _off(work, me, shift_id), f"/shift/{shift_id}", {})


@router.post("/shift/{shift_id}")
async def take_off(request: Request, me: Me, shift_id: str, form: Annotated[Shown, Form()]) -> Response:
    """Take it off, at once."""
    await request.app.state.front.run(
        lambda work: rota_second.take_off(work, me.id, lambda work: _off(work, me, shift_id), form.shown)
    )
    return went(request, _base(me))


@router.post("/leave/look")
async def look_at_leave(request: Request, me: Me, form: Annotated[LeaveAsked, Form()]) -> Response:
    """What somebody's leave would take off."""

    def plan(work: Work) -> Plan:
        return leave.look(work, me.id, form.staff_id, form.first, form.last).plan

    return await _look(request, me, plan, "/leave", _again(form))


@router.post("/leave")
async def grant(request: Request, me: Me, form: Annotated[LeaveAgain, Form()]) -> Response:
    """Let them be away."""
    await request.app.state.front.run(
        lambda work: leave.grant(work, me.id, form.staff_id, form.first, form.last, form.shown)
    )
    return went(request, _base(me))


@router.post("/leave/{leave_id}/end")
async def end_leave(request: Request, me: Me, leave_id: str) -> Response:
    """They are back."""
    await request.app.state.front.run(lambda work: leave.end(work, me.id, leave_id))
    return went(request, _base(me))


@router.post("/second/{draft_id}")
async def second(request: Request, me: Me, draft_id: str, form: Annotated[Decision, Form()]) -> Response:
    """A second person decides on what would leave the next 24 hours uncovered."""
    await request.app.state.front.run(lambda work: rota_second.decide(work, me.id, draft_id, published=form.published))
    return went(request, _base(me))


def _hours(work: Work, me: Reader, form: Hours) -> Plan:
    days = frozenset(form.days or range(7))
    starts, ends = (timedelta(hours=hour) for hour in PATTERNS.get(form.hours, (0, 0)))
    if form.hours == OTHER:
        starts, ends = (_clock(text) for text in (form.starts, form.ends))
    pattern = Pattern(form.staff_id, form.duty, form.first, form.last, days, starts, ends)
    try:
        found = shifts_of(pattern, BANK_HOLIDAYS if form.holidays else (), work.now)
    except BadRota as refused:
        raise RotaRefused(str(refused)) from None
    return rota_plan.adding(work, me.id, found)


def _clock(text: str) -> timedelta:
    if not text:
        raise RotaRefused("Say from when to when.")
    return timedelta(hours=int(text[:2]), minutes=int(text[3:]))


def _off(work: Work, me: Reader, shift_id: str) -> Plan:
    plan = rota_plan.removing(work, me.id, [shift_id])
    if not plan.changes:
        raise NoSuchShift
    return plan


def _again(form: Fields) -> dict[str, Any]:
    """The fields of a form, to be sent once more."""
    return form.model_dump(mode="json")


async def _look(request: Request, me: Reader, plan: Callable[[Work], Plan], to: str, again: dict[str, Any]) -> Response:
    """What would change, with the gaps that it would leave, and the button that does it."""

    def load(work: Work) -> dict[str, Any]:
        found = plan(work)
        return {
            "plan": found,
            "people": rota_shown.in_plan(work, found),
            "lost": rota_plan.uncovers(work, found),
            "cover": cover.look(work, found),
            "again": again | {"shown": found.fingerprint},
            "to": to,
            "kind_of": rota_plan.kind_of,
        }

    return await _show(request, me, "rota-look.html", load)


async def _publish(request: Request, me: Reader, plan: Callable[[Work], Plan], shown: str) -> Response:
    await request.app.state.front.run(lambda work: rota_second.publish(work, me.id, plan, shown))
    return went(request, _base(me))


def _base(me: Reader) -> str:
    return f"/rota/{me.role.value}"


async def _show(request: Request, me: Reader, template: str, load: Load) -> Response:
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    values = await front.run(load)
    return pages.show(request, template, values | {"me": me, "role": me.role, "base": _base(me), "day_names": DAYS})
