"""Where somebody works, as one of the catalogue's areas: a column of the person, and no words."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from access.people import NoSuchPerson
from access.tables import Person


def area_of(session: Session, person_id: str) -> str | None:
    """Where this person works. None: wherever the line's officers are."""
    return session.scalar(select(Person.area).where(Person.id == person_id))


def set_area(session: Session, person_id: str, area: str | None) -> None:
    """Say where somebody works. Raises `NoSuchPerson`."""
    row = session.get(Person, person_id, with_for_update=True)
    if row is None:
        raise NoSuchPerson(person_id)
    row.area = area
