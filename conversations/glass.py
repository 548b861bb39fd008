"""Breaking the glass: somebody opens a consultation in which they have no part, because somebody may be in danger.

Rules kept here:
- One consultation, half an hour, with the reason written down. In the trail, and in the second trail, before it opens.
- The other organisation is told at once, and says within 72 hours whether it was justified; where nobody could be told
  it stays closed, and until the last one was reviewed there is no next one.
- Police never see what IDVAs note for each other; a restricted consultation has no glass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from access.people import Known, active_with_role
from access.permissions import Action, Relation
from access.tables import Role
from audit.events import Event
from conversations import store, view, wording
from conversations.errors import GlassNotReviewed, NobodyToTell, NoReason, NotYours
from conversations.post import note
from conversations.standing import open_until, relation_to, require
from conversations.tables import Consultation
from conversations.tables_access import BrokenGlass
from conversations.work import Work, scope_of

OPEN_FOR = timedelta(minutes=30)
REVIEW_WITHIN = timedelta(hours=72)
LEAST_REASON = 10  # characters
OTHER: Mapping[Role, Role] = {
    Role.SUPERVISOR: Role.IDVA_LEAD,
    Role.SERGEANT: Role.IDVA_LEAD,
    Role.IDVA_LEAD: Role.SUPERVISOR,
}
"""Who of the other organisation is told, and reviews it."""
OPENABLE = frozenset({Relation.STRANGER, Relation.FORMER, Relation.GLASS})


@dataclass(frozen=True)
class GlassShown:
    """One emergency access, for whoever reviews it."""

    id: str
    ref: str
    by: Known
    role: Role
    reason: str
    began_at: datetime
    review_by: datetime
    overdue: bool


@dataclass(frozen=True)
class LookedInto:
    """A consultation behind broken glass, until then."""

    thread: view.ThreadShown
    ends_at: datetime


def break_glass(work: Work, by: str, role: Role, ref: str, reason: str) -> str:
    """Open one for half an hour; gives its reference. Raises `NotYours`, `NoReason`, `GlassNotReviewed` or
    `NobodyToTell`."""
    require(work, by, Action.BREAK_GLASS)
    row = store.lock(work.session, store.by_ref(work.session, ref.strip()).id)
    if relation_to(work, row, by) not in OPENABLE:
        raise NotYours
    if len(reason.strip()) < LEAST_REASON:
        raise NoReason
    if work.session.scalar(_unreviewed().where(BrokenGlass.person_id == by).limit(1)) is not None:
        raise GlassNotReviewed
    told = active_with_role(work.session, OTHER[role])
    if not told:
        raise NobodyToTell
    made = work.new_id()
    work.session.add(
        BrokenGlass(
            id=made,
            consultation_id=row.id,
            person_id=by,
            role=role.value,
            reason=work.seal("broken_glass", "reason", made, scope_of(row.id), reason.strip()),
            began_at=work.now,
            ends_at=work.now + OPEN_FOR,
        )
    )
    work.record(Event.GLASS_BROKEN, by, row.id, role=role.value, until=int((work.now + OPEN_FOR).timestamp()))
    link = work.line.doors.link(f"/glass/{OTHER[role].value}")
    for person in told:
        note(work, person, wording.say("door_glass", link=link))
    work.wake(*told)
    work.session.flush()
    return row.ref


def look(work: Work, by: str, role: Role, ref: str) -> LookedInto:
    """Read it, while it is open; the reading is recorded first. Raises `NotYours`."""
    row = store.by_ref(work.session, ref)
    if relation_to(work, row, by) is not Relation.GLASS:
        raise NotYours
    thread = view.looked_into(work, row, by, "emergency access", notes=role is Role.IDVA_LEAD)
    return LookedInto(thread, open_until(work, row.id, by) or work.now)


def to_review(work: Work, by: str, role: Role) -> list[GlassShown]:
    """What the other organisation opened and nobody reviewed yet, oldest first; reading the reasons is recorded."""
    require(work, by, Action.REVIEW_GLASS)
    rows = work.session.scalars(_of_the_other(role).order_by(BrokenGlass.began_at))
    return [_shown(work, by, one) for one in rows]


def waiting(work: Work, role: Role) -> int:
    """How many of them there are for this role."""
    return work.session.scalar(select(func.count()).select_from(_of_the_other(role).subquery())) or 0


def review(work: Work, by: str, role: Role, glass_id: str, finding: str, *, justified: bool) -> None:
    """Say whether it was justified. Raises `NotYours`."""
    require(work, by, Action.REVIEW_GLASS)
    one = work.session.get(BrokenGlass, glass_id, with_for_update=True)
    if one is None or one.reviewed_at is not None or OTHER[Role(one.role)] is not role or one.person_id == by:
        raise NotYours
    one.reviewed_by, one.reviewed_at, one.justified = by, work.now, justified
    scope = scope_of(one.consultation_id)
    one.finding = work.seal("broken_glass", "finding", one.id, scope, finding.strip()) if finding.strip() else None
    work.record(Event.GLASS_REVIEWED, by, one.consultation_id, person=one.person_id, justified=justified)
    work.wake(one.person_id)


def forget(session: Session, consultation_id: str) -> None:
    """Take all of it away with its consultation; the trail keeps that it was."""
    session.execute(delete(BrokenGlass).where(BrokenGlass.consultation_id == consultation_id))


def _of_the_other(role: Role) -> Select[BrokenGlass]:
    theirs = [breaker.value for breaker, reviewer in OTHER.items() if reviewer is role]
    return _unreviewed().where(BrokenGlass.role.in_(theirs))


def _unreviewed() -> Select[BrokenGlass]:
    return select(BrokenGlass).where(BrokenGlass.reviewed_at.is_(None))


def _shown(work: Work, reader: str, one: BrokenGlass) -> GlassShown:
    row = work.session.get_one(Consultation, one.consultation_id)
    work.reading(reader, row.id, purpose="reviewing an emergency access")
    return GlassShown(
        id=one.id,
        ref=row.ref,
        by=work.person(one.person_id),
        role=Role(one.role),
        reason=work.open_words("broken_glass", "reason", one.id, scope_of(row.id), one.reason),
        began_at=one.began_at,
        review_by=one.began_at + REVIEW_WITHIN,
        overdue=work.now > one.began_at + REVIEW_WITHIN,
    )
