"""Changes that would leave the next 24 hours uncovered: kept until a second person decides, and told to the leads.

Rule kept here: a person who is ill cannot stand on the rota until somebody agrees. Leave, and one shift taken off, are
done at once, with the same alarm; it is what comes in from a file or a pattern that waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from access.people import Known, active_with_role
from access.permissions import Action
from access.tables import Role
from audit.events import Event
from conversations import store, wording
from conversations.away import is_away
from conversations.board import Span
from conversations.errors import RotaMoved, RotaNeedsAnother
from conversations.planned import LOCAL
from conversations.post import note
from conversations.rota_plan import (
    MAY,
    Change,
    Plan,
    Slot,
    carry_out,
    must_be_as_shown,
    one_at_a_time,
    slot_of,
    uncovers,
)
from conversations.standing import may, require
from conversations.tables import Shift
from conversations.tables_rota import RotaDraft, RotaDraftChange
from conversations.work import BY_THE_LINE, Work


@dataclass(frozen=True)
class DraftShown:
    """What waits for a second person."""

    id: str
    asked_by: Known
    asked_at: datetime
    plan: Plan
    stale: bool  # the rota changed meanwhile: it can only be dropped


def publish(work: Work, by: str, make: Callable[[Work], Plan], shown: str) -> bool:
    """Carry out what was looked at. False: it leaves the next 24 hours uncovered, and waits for a second person. Raises
    `RotaMoved` where it is something else by now, and whatever `make` raises."""
    plan = _looked_at(work, by, make, shown)
    if uncovers(work, plan):
        _draft(work, by, plan)
        return False
    carry_out(work, by, plan)
    return True


def take_off(work: Work, by: str, make: Callable[[Work], Plan], shown: str) -> None:
    """Carry out what was looked at, at once. Raises as `publish`."""
    at_once(work, by, _looked_at(work, by, make, shown))


def _looked_at(work: Work, by: str, make: Callable[[Work], Plan], shown: str) -> Plan:
    require(work, by, Action.MANAGE_ROTA)
    one_at_a_time(work)
    plan = make(work)
    must_be_as_shown(plan, shown)
    return plan


def at_once(work: Work, by: str, plan: Plan) -> None:
    """Carry out a plan, and tell the leads if it leaves the next 24 hours uncovered."""
    lost = uncovers(work, plan)
    carry_out(work, by, plan)
    _alarm(work, by, lost)


def _draft(work: Work, by: str, plan: Plan) -> None:
    draft = RotaDraft(id=work.new_id(), fingerprint=plan.fingerprint, asked_by=by, asked_at=work.now)
    work.session.add(draft)
    work.session.flush()
    work.session.add_all(_row(draft.id, number, one) for number, one in enumerate(plan.changes))
    work.record(Event.ROTA_SECOND_ASKED, by, changes=len(plan.changes))
    _tell(work, by, wording.say("rota_second", link=work.line.doors.link("/")))


def _row(draft_id: str, number: int, change: Change) -> RotaDraftChange:
    after = change.after
    return RotaDraftChange(
        draft_id=draft_id,
        number=number,
        shift_id=change.shift_id,
        person_id=after.person_id if after else None,
        duty=change.slot.duty,
        starts_at=after.starts_at if after else None,
        ends_at=after.ends_at if after else None,
    )


def waiting(work: Work, by: str) -> list[DraftShown]:
    """What waits for a second person, oldest first."""
    require(work, by, Action.MANAGE_ROTA)
    query = select(RotaDraft).where(RotaDraft.decided_at.is_(None)).order_by(RotaDraft.asked_at, RotaDraft.id)
    shown = []
    for draft in work.session.scalars(query).all():
        plan = _plan_of(work, draft)
        stale = plan.fingerprint != draft.fingerprint
        shown.append(DraftShown(draft.id, work.person(draft.asked_by), draft.asked_at, plan, stale))
    return shown


def decide(work: Work, by: str, draft_id: str, *, published: bool) -> None:
    """A second person publishes it all the same, or drops it; whoever asked may drop it too. Raises `RotaNeedsAnother`,
    or `RotaMoved` where the rota is no longer what it was."""
    require(work, by, Action.MANAGE_ROTA)
    one_at_a_time(work)
    draft = work.session.get(RotaDraft, draft_id, with_for_update=True)
    if draft is None or draft.decided_at is not None:
        raise RotaMoved
    plan = _plan_of(work, draft)
    if published and draft.asked_by == by:
        raise RotaNeedsAnother
    if published and plan.fingerprint != draft.fingerprint:
        raise RotaMoved
    draft.decided_by, draft.decided_at, draft.published = by, work.now, published
    work.record(Event.ROTA_SECOND_DECIDED, by, asked_by=draft.asked_by, published=published)
    if published:
        lost = uncovers(work, plan)
        carry_out(work, by, plan, asked_by=draft.asked_by)
        _alarm(work, by, lost)


def _plan_of(work: Work, draft: RotaDraft) -> Plan:
    """Its changes against the rota as it is now: another fingerprint where that is another rota, where it has begun, or
    where somebody it puts on the rota is away by now or may no longer be on duty."""
    rows = select(RotaDraftChange).where(RotaDraftChange.draft_id == draft.id).order_by(RotaDraftChange.number)
    return Plan(tuple(one for row in work.session.scalars(rows).all() if (one := _change(work, row)) is not None))


def _change(work: Work, row: RotaDraftChange) -> Change | None:
    there = work.session.get(Shift, row.shift_id) if row.shift_id else None
    before = slot_of(there) if there and there.starts_at > work.now else None
    after = None
    if row.person_id and row.starts_at and row.ends_at and row.starts_at > work.now:
        able = may(work, row.person_id, MAY[row.duty])
        if able and not is_away(work.session, row.person_id, row.starts_at, row.ends_at):
            after = Slot(row.starts_at, row.ends_at, row.duty, row.person_id)
    return Change(before, after, row.shift_id if before else None) if before or after else None


def _alarm(work: Work, by: str, lost: Sequence[Span]) -> None:
    """The next 24 hours have less cover than before: the trail has it, and the leads are told."""
    for begins, ends in lost:
        work.record(Event.COVER_LOST, by, starts=int(begins.timestamp()), ends=int(ends.timestamp()), alarm=True)
        said = {name: f"{at.astimezone(LOCAL):%a %H:%M}" for name, at in (("begins", begins), ("ends", ends))}
        _tell(work, by, wording.say("rota_uncovered", link=work.line.doors.link("/"), **said))


def _tell(work: Work, by: str, words: str) -> None:
    """The leads on duty; where there is none, everybody who may be; never whoever did it."""
    leads = set(store.on_duty(work.session, store.LEAD_DUTY, work.now))
    others = {one for role in (Role.IDVA_LEAD, Role.SUPERVISOR) for one in active_with_role(work.session, role)}
    told = sorted((leads - {by}) or (others - {by, BY_THE_LINE}))
    for person in told:
        note(work, person, words)
    work.wake(*told)
