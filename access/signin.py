"""Web sessions: a one-time link, or the sign-in of a force or trust, becomes a session in one role.

Rules kept here:
- The server decides when a session ends: 15 minutes idle, 10 hours at most, at once on suspension. A page that
  only listens does not count as use.
- Only hashes of session tokens are kept; a new token at each sign-in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from access.enrolment import CodeRefused, hash_of, use_code
from access.leases import lease_runs, note_sign_in
from access.people import is_active
from access.tables import CodePurpose, PersonRole, Role, Way, WebSession

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=10)
TOUCH_EVERY = timedelta(seconds=30)  # how exactly idleness is known; spares a write for each request


class NotSignedIn(Exception):
    """Nobody is signed in here."""


@dataclass(frozen=True)
class SignedIn:
    """Who a request comes from, in which role."""

    person_id: str
    role: Role
    token_hash: str
    needs_touch: bool


def begin_session(session: Session, code: str, token: str, lease: timedelta, now: datetime) -> WebSession:
    """Turn a sign-in code into a session. Raises `CodeRefused`; also for who is suspended, has lost
    that role, or whose lease has run out. It runs anew from here, for so long."""
    spent = use_code(session, code, CodePurpose.SIGN_IN, now)
    role = Role(spent.role or Role.OFFICER.value)
    return open_session(session, spent.person_id, role, Way.LINK, token, lease, now)


def open_session(
    session: Session, person_id: str, role: Role, way: Way, token: str, lease: timedelta, now: datetime
) -> WebSession:
    """A session of somebody whom the caller knows. Raises `CodeRefused` for whoever `may_begin` not."""
    if not may_begin(session, person_id, role, now):
        raise CodeRefused
    note_sign_in(session, person_id, lease, now)
    row = WebSession(
        token_hash=hash_of(token),
        person_id=person_id,
        role=role.value,
        way=way.value,
        began_at=now,
        seen_at=now,
        ended_at=None,
    )
    session.add(row)
    session.flush()
    return row


def who_is(session: Session, token: str, role: Role, now: datetime) -> SignedIn:
    """Who holds this token in this role. Raises `NotSignedIn`."""
    row = session.get(WebSession, hash_of(token))
    if row is None or row.role != role.value or not is_open(session, row, now):
        raise NotSignedIn
    return SignedIn(row.person_id, role, row.token_hash, now - row.seen_at > TOUCH_EVERY)


def may_begin(session: Session, person_id: str, role: Role, now: datetime) -> bool:
    """Whether this person may sign in, in this role, now."""
    return may_use(session, person_id, role) and lease_runs(session, person_id, now)


def may_use(session: Session, person_id: str, role: Role) -> bool:
    """Whether this person may use the line in this role now: asked at every request."""
    return is_active(session, person_id) and session.get(PersonRole, (person_id, role.value)) is not None


def is_open(session: Session, row: WebSession, now: datetime) -> bool:
    """Whether a session has not ended: by its holder, by time, or because they may not use the line in that role."""
    if row.ended_at is not None or now - row.seen_at > IDLE or now - row.began_at > LONGEST:
        return False
    return may_use(session, row.person_id, Role(row.role))


def touch(session: Session, token_hash: str, now: datetime) -> None:
    """Note that a session is in use."""
    session.execute(update(WebSession).where(WebSession.token_hash == token_hash).values(seen_at=now))


def end_session(session: Session, token_hash: str, now: datetime) -> None:
    """Sign out."""
    session.execute(update(WebSession).where(WebSession.token_hash == token_hash).values(ended_at=now))


@dataclass(frozen=True)
class OpenSession:
    """One of a person's sessions, for them to look at."""

    token_hash: str
    role: Role
    began_at: datetime
    seen_at: datetime

    @property
    def handle(self) -> str:
        """What a page may name it by."""
        return self.token_hash[:16]


def open_sessions(session: Session, person_id: str, now: datetime) -> list[OpenSession]:
    """This person's sessions that still open something, newest first."""
    query = select(WebSession).where(
        WebSession.person_id == person_id,
        WebSession.ended_at.is_(None),
        WebSession.seen_at >= now - IDLE,
        WebSession.began_at >= now - LONGEST,
    )
    rows = session.scalars(query.order_by(WebSession.began_at.desc(), WebSession.token_hash))
    return [OpenSession(row.token_hash, Role(row.role), row.began_at, row.seen_at) for row in rows]


def end_sessions(session: Session, person_id: str, now: datetime) -> None:
    """Sign somebody out everywhere."""
    still_open = (WebSession.person_id == person_id, WebSession.ended_at.is_(None))
    session.execute(update(WebSession).where(*still_open).values(ended_at=now))


def last_seen(session: Session, person_id: str, role: Role) -> datetime | None:
    """When this person last used a page in this role, in a session that is still open."""
    query = select(func.max(WebSession.seen_at)).where(
        WebSession.person_id == person_id, WebSession.role == role.value, WebSession.ended_at.is_(None)
    )
    return session.scalar(query)
