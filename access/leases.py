"""How long somebody's enrolment runs, and whether they signed in for this shift.

Rules kept here:
- A lease runs from the day somebody is added and anew from each sign-in on the web. Once it has run out they do not get
  in until a supervisor or administrator renews it.
- Practice people's never runs out; that of whoever was here before there were leases begins at their next sign-in.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from access.people import NoSuchPerson
from access.tables import Person


def lease_until(session: Session, person_id: str) -> datetime | None:
    """Until when somebody may sign in; None: for good."""
    person = session.get_one(Person, person_id)
    return None if person.practice else person.lease_until


def lease_runs(session: Session, person_id: str, now: datetime) -> bool:
    """Whether somebody may still sign in."""
    until = lease_until(session, person_id)
    return until is None or now < until


def renew_lease(session: Session, person_id: str, until: datetime) -> None:
    """Let somebody's lease run anew."""
    person = session.get(Person, person_id, with_for_update=True)
    if person is None:
        raise NoSuchPerson(person_id)
    person.lease_until = until


def note_sign_in(session: Session, person_id: str, lease: timedelta, now: datetime) -> None:
    """Somebody signed in on the web: for this shift, and their lease runs anew."""
    values = {"signed_in_at": now, "lease_until": now + lease}
    session.execute(update(Person).where(Person.id == person_id).values(**values))


def signed_in_within(session: Session, person_id: str, shift: timedelta, now: datetime) -> bool:
    """Whether somebody signed in on the web within this time. Practice people always did."""
    person = session.get_one(Person, person_id)
    return person.practice or (person.signed_in_at is not None and now - person.signed_in_at <= shift)
