"""The list of staff, a page at a time, and what roles somebody holds.

Rule kept here: names and staff ids are sealed, so somebody is found by the exact staff id, through its keyed hash.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from access.people import Known, NoSuchPerson, known_all
from access.tables import Person, PersonRole, Role, Standing
from storage.keys import Keyring

PAGE = 50  # people on one page


@dataclass(frozen=True)
class Wanted:
    """Which people to list; None is any."""

    staff_id: str | None = None
    role: Role | None = None
    standing: Standing | None = None


@dataclass(frozen=True)
class PeoplePage:
    """One page of the list."""

    people: list[Known]
    number: int
    pages: int
    found: int


def list_people(session: Session, keyring: Keyring, wanted: Wanted, number: int) -> PeoplePage:
    """This page of those wanted, in the order they were added."""
    query = _query(session, keyring, wanted)
    found = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.order_by(Person.added_at, Person.id).offset((number - 1) * PAGE).limit(PAGE)
    ids = session.scalars(ordered).all()
    return PeoplePage(known_all(session, keyring, ids) if ids else [], number, max(1, -(-found // PAGE)), found)


def _query(session: Session, keyring: Keyring, wanted: Wanted) -> Select[str]:
    query = select(Person.id)
    if wanted.staff_id is not None:
        query = query.where(Person.staff_hash == keyring.keyed_hash(session, "staff", wanted.staff_id))
    if wanted.role is not None:
        holders = select(PersonRole.person_id).where(PersonRole.role == wanted.role.value)
        query = query.where(Person.id.in_(holders))
    if wanted.standing is not None:
        query = query.where(Person.standing == wanted.standing.value)
    return query


def set_roles(session: Session, person_id: str, roles: frozenset[Role]) -> None:
    """Let somebody hold exactly these roles."""
    if session.get(Person, person_id, with_for_update=True) is None:
        raise NoSuchPerson(person_id)
    session.execute(delete(PersonRole).where(PersonRole.person_id == person_id))
    session.add_all(PersonRole(person_id=person_id, role=role.value) for role in roles)
    session.flush()
