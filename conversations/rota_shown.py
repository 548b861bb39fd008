"""The rota as it is shown: a week by person and day, who can be put on it, what a plan would change.

Rule kept here: people are opened once for a page, however many shifts it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from access.people import Known, active_with_role, known_all
from access.permissions import Action, roles_for
from conversations.cover import marks_of
from conversations.planned import LOCAL, from_local
from conversations.rota_plan import Plan, Slot, slot_of
from conversations.standing import require
from conversations.tables import Shift
from conversations.tables_rota import Leave
from conversations.work import Work

SHOWN_LEAVE = 100


@dataclass(frozen=True)
class Cell:
    """One shift in the week."""

    shift_id: str
    slot: Slot
    begun: bool


@dataclass(frozen=True)
class RowShown:
    """One person's week, on one duty."""

    person: Known
    duty: str
    days: list[list[Cell]]


@dataclass(frozen=True)
class WeekShown:
    """A week, Monday first."""

    days: list[date]
    marks: list[tuple[str, ...]]
    rows: list[RowShown]
    leave: list[tuple[Leave, Known]]  # all that has not ended


def week(work: Work, by: str, monday: date) -> WeekShown:
    """The shifts that begin in this week, and all leave that has not ended. Raises `RoleMissing`."""
    require(work, by, Action.MANAGE_ROTA)
    days = [monday + timedelta(days=one) for one in range(7)]
    begins, ends = (from_local(datetime.combine(day, time())) for day in (monday, monday + timedelta(days=7)))
    query = select(Shift).where(Shift.starts_at >= begins, Shift.starts_at < ends).order_by(Shift.starts_at, Shift.id)
    cells = [Cell(one.id, slot_of(one), one.starts_at <= work.now) for one in work.session.scalars(query)]
    away = select(Leave).where(Leave.ends_at > work.now).order_by(Leave.starts_at, Leave.id).limit(SHOWN_LEAVE)
    leave = work.session.scalars(away).all()
    people = called(work, {one.slot.person_id for one in cells} | {one.person_id for one in leave})
    away_then = [(one, people[one.person_id]) for one in leave]
    return WeekShown(days, [marks_of(day) for day in days], _rows(cells, people, days), away_then)


def _rows(cells: Sequence[Cell], people: Mapping[str, Known], days: Sequence[date]) -> list[RowShown]:
    found: dict[tuple[str, str], list[list[Cell]]] = {}
    for one in cells:
        row = found.setdefault((one.slot.duty, one.slot.person_id), [[] for _ in days])
        row[days.index(one.slot.day)].append(one)
    ordered = sorted(found, key=lambda key: (key[0], people[key[1]].name, key[1]))
    return [RowShown(people[person_id], duty, found[duty, person_id]) for duty, person_id in ordered]


def called(work: Work, people: Iterable[str]) -> dict[str, Known]:
    """These people, opened."""
    ids = sorted(set(people))
    return {one.id: one for one in known_all(work.session, work.line.keyring, ids)} if ids else {}


def in_plan(work: Work, plan: Plan) -> dict[str, Known]:
    """Everybody whose shifts a plan changes."""
    return called(work, {slot.person_id for one in plan.changes for slot in (one.before, one.after) if slot})


def on_rotas(work: Work) -> list[Known]:
    """Everybody who may be on duty as IDVA or as lead, by name."""
    roles = roles_for(Action.SEE_DESK) | roles_for(Action.LEAD)
    people = called(work, {one for role in roles for one in active_with_role(work.session, role)})
    return sorted(people.values(), key=lambda one: (one.name, one.id))


def local_day(at: datetime) -> date:
    """The day where people are."""
    return at.astimezone(LOCAL).date()


def coming(work: Work, by: str) -> list[tuple[str, str, datetime, datetime]]:
    """Every shift that has not begun: staff id, duty, start and end."""
    require(work, by, Action.MANAGE_ROTA)
    query = select(Shift).where(Shift.starts_at > work.now).order_by(Shift.starts_at, Shift.id)
    shifts = work.session.scalars(query).all()
    people = called(work, {one.person_id for one in shifts})
    return [(people[one.person_id].number, one.duty, one.starts_at, one.ends_at) for one in shifts]
