"""Restricted consultations: the suspect is police or NHS staff, so only the two sides and named people know of it.

Rules kept here:
- A restriction never delays help. While nobody has it, or its advice stays unread, whoever can help sees that it waits,
  without words; from the moment somebody has it, it is there for nobody else.
- Either side may restrict, name people and lift it; each is in the trail. Being named opens nothing that one's role
  does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from access.people import Known, NoSuchPerson, find_by_staff_id
from audit.events import Event
from conversations import store
from conversations.case import Case
from conversations.errors import NobodyKnown, NotRestricted, NotYours
from conversations.standing import has_part
from conversations.tables import Consultation
from conversations.tables_access import NamedReader, Restriction
from conversations.work import Work


class Suspect(Enum):
    """Why a consultation is restricted."""

    POLICE = "police"  # the suspect works for a police force
    NHS = "nhs"  # the suspect works for the NHS


@dataclass(frozen=True)
class RestrictionShown:
    """What stands of a restriction; `named` in the order in which they were."""

    ref: str
    suspect: Suspect | None  # None: not restricted
    by: Known | None
    at: datetime | None
    named: tuple[Known, ...]


def shown(work: Work, ref: str, by: str) -> RestrictionShown:
    """How it stands, for either side. Raises `NotYours`."""
    row = _of_a_side(work, store.by_ref(work.session, ref), by)
    found = work.session.get(Restriction, row.id)
    if found is None:
        return RestrictionShown(row.ref, None, None, None, ())
    named = work.session.scalars(
        select(NamedReader.person_id)
        .where(NamedReader.consultation_id == row.id)
        .order_by(NamedReader.named_at, NamedReader.person_id)
    )
    who = tuple(work.person(one) for one in named)
    return RestrictionShown(row.ref, Suspect(found.suspect), work.person(found.placed_by), found.placed_at, who)


def restrict(case: Case, by: str, suspect: Suspect) -> None:
    """Hide it from all but the two sides and whom they name. Again, it changes the reason. Raises `NotYours`."""
    work, row = case.work, _of_a_side(case.work, case.row, by)
    found = work.session.get(Restriction, row.id)
    if found is None:
        found = Restriction(consultation_id=row.id, suspect=suspect.value, placed_by=by, placed_at=work.now)
        work.session.add(found)
    found.suspect = suspect.value
    work.record(Event.RESTRICTED, by, row.id, suspect=suspect.value)
    _tell_boards(work, row)


def name(case: Case, by: str, staff_id: str) -> None:
    """Let one more person know of it. Raises `NotYours`, `NotRestricted` or `NobodyKnown`."""
    work, row = case.work, _restricted(case, by)
    try:
        person = find_by_staff_id(work.session, work.line.keyring, staff_id.strip())
    except NoSuchPerson:
        raise NobodyKnown from None
    if work.session.get(NamedReader, (row.id, person.id)) is None:
        work.session.add(
            NamedReader(consultation_id=row.id, person_id=person.id, named_by=by, named_at=work.now),
        )
        work.record(Event.READER_NAMED, by, row.id, person=person.id)
        work.wake(person.id)


def lift(case: Case, by: str) -> None:
    """Make it a consultation like others. Raises `NotYours` or `NotRestricted`."""
    work, row = case.work, _restricted(case, by)
    forget(work.session, row.id)
    work.record(Event.RESTRICTION_LIFTED, by, row.id)
    _tell_boards(work, row)


def forget(session: Session, consultation_id: str) -> None:
    """Take a restriction and its names away, with no trace but the trail's."""
    session.execute(delete(NamedReader).where(NamedReader.consultation_id == consultation_id))
    session.execute(delete(Restriction).where(Restriction.consultation_id == consultation_id))


def _restricted(case: Case, by: str) -> Consultation:
    row = _of_a_side(case.work, case.row, by)
    if case.work.session.get(Restriction, row.id) is None:
        raise NotRestricted
    return row


def _of_a_side(work: Work, row: Consultation, by: str) -> Consultation:
    if not has_part(row, by):
        raise NotYours
    return row


def _tell_boards(work: Work, row: Consultation) -> None:
    """Boards and desks that show it, or no longer do, are looked at again."""
    duties = (store.LEAD_DUTY, store.IDVA_DUTY)
    on_duty = [one for duty in duties for one in store.on_duty(work.session, duty, work.now)]
    work.wake(row.officer_id, row.idva_id, *on_duty)
