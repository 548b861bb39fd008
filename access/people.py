"""Members of staff: adding them, knowing them, suspending them.

Rules kept here:
- A practice person and a real person never share a database: whichever was first decides.
- Who somebody is comes from here alone, never from a display name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from access.tables import Person, PersonRole, Role, Standing, TelegramBinding
from storage.keys import Keyring
from storage.sealing import Place


class PracticeMix(Exception):
    """Practice people and real people cannot share a database. Use an empty one for practice."""


class AlreadyKnown(Exception):
    """Somebody with this staff id is already here."""


class NoSuchPerson(Exception):
    """Nobody here has that staff id."""


@dataclass(frozen=True)
class Known:
    """A person, opened: names are for showing to those who may see them, never for logs."""

    id: str
    name: str
    number: str
    service: str
    roles: frozenset[Role]
    active: bool
    practice: bool
    lease_until: datetime | None  # None: for good
    area: str | None  # where they work; None: wherever the line's officers are

    @property
    def title(self) -> str:
        """Name and number as the other side sees them: 'PC 1234 Example'."""
        return f"{self.name} ({self.number})" if self.number not in self.name else self.name


@dataclass(frozen=True)
class NewPerson:
    """What is needed to add somebody."""

    staff_id: str
    name: str
    service: str
    roles: frozenset[Role]
    practice: bool = False
    lease: timedelta = timedelta(days=90)  # until the first sign-in
    area: str | None = None  # one of the catalogue's


def scope_of(person_id: str) -> str:
    """The key scope of one person."""
    return f"person:{person_id}"


def _place(column: str, person_id: str) -> Place:
    return Place("person", column, person_id, scope_of(person_id))


def add_person(session: Session, keyring: Keyring, person_id: str, new: NewPerson, now: datetime) -> None:
    """Add a member of staff. Raises `PracticeMix` or `AlreadyKnown`."""
    if session.scalar(select(Person.id).where(Person.practice != new.practice).limit(1)):
        raise PracticeMix(PracticeMix.__doc__)
    staff_hash = keyring.keyed_hash(session, "staff", new.staff_id)
    if is_known(session, keyring, new.staff_id):
        raise AlreadyKnown(new.staff_id)
    keyring.make_scope(session, scope_of(person_id), now)
    session.add(
        Person(
            id=person_id,
            staff_hash=staff_hash,
            name=keyring.seal(session, _place("name", person_id), new.name),
            number=keyring.seal(session, _place("number", person_id), new.staff_id),
            service=new.service,
            area=new.area,
            standing=Standing.ACTIVE.value,
            practice=new.practice,
            added_at=now,
            lease_until=now + new.lease,
        )
    )
    session.flush()
    session.add_all(PersonRole(person_id=person_id, role=role.value) for role in new.roles)
    session.flush()


def is_known(session: Session, keyring: Keyring, staff_id: str) -> bool:
    """Whether somebody with this staff id is here, in whatever standing."""
    staff_hash = keyring.keyed_hash(session, "staff", staff_id)
    return session.scalar(select(Person.id).where(Person.staff_hash == staff_hash)) is not None


def find_by_staff_id(session: Session, keyring: Keyring, staff_id: str) -> Known:
    """The person with this staff id. Raises `NoSuchPerson`."""
    staff_hash = keyring.keyed_hash(session, "staff", staff_id)
    person_id = session.scalar(select(Person.id).where(Person.staff_hash == staff_hash))
    if person_id is None:
        raise NoSuchPerson(staff_id)
    return known(session, keyring, person_id)


def known(session: Session, keyring: Keyring, person_id: str) -> Known:
    """One person, opened. Raises `NoSuchPerson`."""
    people = known_all(session, keyring, (person_id,))
    if not people:
        raise NoSuchPerson(person_id)
    return people[0]


def known_all(session: Session, keyring: Keyring, ids: Iterable[str] | None = None) -> list[Known]:
    """The people with these ids, or everybody, in the order they were added."""
    query = select(Person).order_by(Person.added_at, Person.id)
    if ids is not None:
        query = query.where(Person.id.in_(list(ids)))
    rows = session.scalars(query).all()
    roles: dict[str, set[Role]] = {row.id: set() for row in rows}
    for held in session.scalars(select(PersonRole).where(PersonRole.person_id.in_(roles))):
        roles[held.person_id].add(Role(held.role))
    return [
        Known(
            id=row.id,
            name=keyring.open(session, _place("name", row.id), row.name),
            number=keyring.open(session, _place("number", row.id), row.number),
            service=row.service,
            roles=frozenset(roles[row.id]),
            active=row.standing == Standing.ACTIVE.value,
            practice=row.practice,
            lease_until=None if row.practice else row.lease_until,
            area=row.area,
        )
        for row in rows
    ]


def is_active(session: Session, person_id: str) -> bool:
    """Whether this person may use the line now."""
    standing = session.scalar(select(Person.standing).where(Person.id == person_id))
    return standing == Standing.ACTIVE.value


def services(session: Session) -> list[str]:
    """The forces and trusts that people here belong to."""
    return sorted(session.scalars(select(Person.service).distinct()))


def slug(service: str) -> str:
    """A force or trust as the trail names it: "example-constabulary"."""
    return "-".join(re.findall(r"[a-z0-9]+", service.lower()))


def active_with_role(session: Session, role: Role) -> list[str]:
    """The ids of everybody who holds this role and may use the line now."""
    held = select(PersonRole.person_id).where(PersonRole.role == role.value)
    query = select(Person.id).where(Person.id.in_(held), Person.standing == Standing.ACTIVE.value)
    return list(session.scalars(query.order_by(Person.id)))


def hold_standing(session: Session, ids: Iterable[str | None]) -> None:
    """Nobody of these is suspended or let in until this transaction ends; whoever is just being so is waited for."""
    wanted = sorted({one for one in ids if one is not None})
    query = select(Person.id).where(Person.id.in_(wanted)).order_by(Person.id)
    session.execute(query.with_for_update(read=True))


def set_standing(session: Session, person_id: str, standing: Standing) -> None:
    """Suspend somebody or let them in again."""
    row = session.get(Person, person_id, with_for_update=True)
    if row is None:
        raise NoSuchPerson(person_id)
    row.standing = standing.value


def has_people(session: Session, *, practice: bool) -> bool:
    """Whether any practice (or any real) person is here."""
    return session.scalar(select(Person.id).where(Person.practice == practice).limit(1)) is not None


def person_at_telegram(session: Session, keyring: Keyring, user_id: str) -> str | None:
    """Whose Telegram account this is."""
    user_hash = keyring.keyed_hash(session, "telegram", user_id)
    return session.scalar(select(TelegramBinding.person_id).where(TelegramBinding.user_hash == user_hash))


def telegram_of(session: Session, keyring: Keyring, person_id: str) -> str | None:
    """The Telegram user id to reach this person at, while that door works."""
    row = session.get(TelegramBinding, person_id)
    if row is None or row.dead_at is not None:
        return None
    return keyring.open(session, binding_place(person_id), row.user_id)


def binding_place(person_id: str) -> Place:
    """Where a person's Telegram id is sealed."""
    return Place("telegram_binding", "user_id", person_id, scope_of(person_id))


def set_telegram_alive(session: Session, person_id: str, dead_at: datetime | None) -> None:
    """Note that the person blocked the bot, or opened it again (None)."""
    row = session.get(TelegramBinding, person_id)
    if row is not None:
        row.dead_at = dead_at


def enrolled_addresses(session: Session, keyring: Keyring) -> set[str]:
    """The Telegram user ids of everybody who may use the line: to be held in memory, for help without a database."""
    query = (
        select(TelegramBinding)
        .join(Person, Person.id == TelegramBinding.person_id)
        .where(Person.standing == Standing.ACTIVE.value)
    )
    return {keyring.open(session, binding_place(row.person_id), row.user_id) for row in session.scalars(query)}
