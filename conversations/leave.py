"""Leave: somebody is away, and what that takes off the rota.

Rules kept here:
- The shifts that begin within a leave are shown first, and taken off with it; one that runs already is handed over as
  ever. New ones are refused while the leave stands (`away.is_away`).
- Ending a leave brings no shift back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from access.people import NoSuchPerson, find_by_staff_id
from access.permissions import Action
from audit.events import Event
from conversations.errors import NoSuchShift, RotaRefused, WrongPeriod
from conversations.planned import from_local
from conversations.rota_plan import Plan, must_be_as_shown, one_at_a_time, removing
from conversations.rota_second import at_once
from conversations.standing import require
from conversations.tables import Shift
from conversations.tables_rota import Leave
from conversations.work import Work

LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Away:
    """A leave that is asked for, and what it would take off the rota."""

    person_id: str
    starts_at: datetime
    ends_at: datetime
    plan: Plan


def look(work: Work, by: str, staff_id: str, first: date, last: date) -> Away:
    """What leave from the first day to the end of the last one would take off. Raises `RoleMissing`, `RotaRefused` or
    `WrongPeriod`."""
    require(work, by, Action.MANAGE_ROTA)
    if not first <= last <= first + LONGEST:
        raise WrongPeriod
    try:
        person = find_by_staff_id(work.session, work.line.keyring, " ".join(staff_id.split()))
    except NoSuchPerson:
        raise RotaRefused("Nobody has this staff id.") from None
    starts, ends = (from_local(datetime.combine(day, time())) for day in (first, last + timedelta(days=1)))
    if ends <= work.now:
        raise WrongPeriod
    within = select(Shift.id).where(Shift.person_id == person.id, Shift.starts_at < ends, Shift.ends_at > starts)
    return Away(person.id, starts, ends, removing(work, by, work.session.scalars(within)))


def grant(work: Work, by: str, staff_id: str, first: date, last: date, shown: str) -> None:
    """Let them be away, and take those shifts off. Raises `RotaMoved` where they are others than were shown, and what
    `look` raises."""
    require(work, by, Action.MANAGE_ROTA)
    one_at_a_time(work)
    asked = look(work, by, staff_id, first, last)
    must_be_as_shown(asked.plan, shown)
    leave = Leave(id=work.new_id(), person_id=asked.person_id, starts_at=asked.starts_at, ends_at=asked.ends_at)
    leave.placed_by, leave.placed_at = by, work.now
    work.session.add(leave)
    _record(work, by, leave, away=True)
    at_once(work, by, asked.plan)


def end(work: Work, by: str, leave_id: str) -> None:
    """They are back: from now on, or as if it had not been. Raises `RoleMissing` or `NoSuchShift`."""
    require(work, by, Action.MANAGE_ROTA)
    leave = work.session.get(Leave, leave_id)
    if leave is None or leave.ends_at <= work.now:
        raise NoSuchShift
    _record(work, by, leave, away=False)
    if leave.starts_at < work.now:
        leave.ends_at = work.now
    else:
        work.session.delete(leave)


def _record(work: Work, by: str, leave: Leave, *, away: bool) -> None:
    starts, ends = int(leave.starts_at.timestamp()), int(leave.ends_at.timestamp())
    work.record(Event.LEAVE_SET, by, person=leave.person_id, starts=starts, ends=ends, away=away)
