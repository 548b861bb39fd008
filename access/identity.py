"""Sign-ins of forces and trusts: going there, coming back, and whose they are.

Rules kept here:
- A sign-in there is somebody's because they said so, signed in here by a one-time link. One nobody linked opens
  nothing and leaves nothing behind.
- Going there lasts ten minutes and ends with the first return that brings its state, whatever comes of it.
- Each is one person's; a person has one at each provider, and linking another takes the place of the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from access.enrolment import hash_of
from access.oidc import Identity
from access.people import is_active
from access.signin import is_open
from access.tables import LinkedIdentity, PersonRole, Role, SignInFlow, Way, WebSession
from storage.keys import Keyring

FLOW_LIFE = timedelta(minutes=10)


class FlowRefused(Exception):
    """Nobody with this cookie is away at this provider (any more)."""


class CannotLink(Exception):
    """Only somebody signed in by a one-time link says which sign-in is theirs, and none that is another's."""


@dataclass(frozen=True)
class Flow:
    """Somebody who came back: to sign in, to link (in the session of that hash), or to step up (in that Mini App)."""

    session_hash: str | None = None
    entry_hash: str | None = None


def begin_flow(
    session: Session, token: str, provider: str, flow: Flow, now: datetime, life: timedelta = FLOW_LIFE
) -> None:
    """Somebody goes to a provider, with `token` in their cookie. Those who never came back are forgotten."""
    session.execute(delete(SignInFlow).where(SignInFlow.expires_at <= now))
    session.add(
        SignInFlow(
            token_hash=hash_of(token),
            provider=provider,
            session_hash=flow.session_hash,
            entry_hash=flow.entry_hash,
            expires_at=now + life,
        )
    )
    session.flush()


def end_flow(session: Session, token: str, provider: str, now: datetime) -> Flow:
    """They are back. Raises `FlowRefused`, also for the second of two at the same moment."""
    row = session.execute(
        delete(SignInFlow)
        .where(SignInFlow.token_hash == hash_of(token), SignInFlow.provider == provider)
        .returning(SignInFlow.session_hash, SignInFlow.entry_hash, SignInFlow.expires_at)
    ).one_or_none()
    if row is None or row.expires_at <= now:
        raise FlowRefused
    return Flow(row.session_hash, row.entry_hash)


def whose(session: Session, keyring: Keyring, identity: Identity) -> str | None:
    """The person this is, while they may use the line."""
    row = session.get(LinkedIdentity, _hash(session, keyring, identity))
    return row.person_id if row is not None and is_active(session, row.person_id) else None


def roles_of(session: Session, person_id: str) -> list[Role]:
    """The roles somebody holds, in the order of `Role`."""
    held = set(session.scalars(select(PersonRole.role).where(PersonRole.person_id == person_id)))
    return [role for role in Role if role.value in held]


def may_link(session: Session, session_hash: str, now: datetime) -> WebSession:
    """The session in which somebody may link, where it still is one. Raises `CannotLink`."""
    row = session.get(WebSession, session_hash)
    if row is None or row.way != Way.LINK.value or not is_open(session, row, now):
        raise CannotLink
    return row


def link(
    session: Session, keyring: Keyring, session_hash: str, provider: str, identity: Identity, now: datetime
) -> WebSession:
    """This identity is whoever holds that session. Raises `CannotLink`; another person's stays theirs."""
    holder = may_link(session, session_hash, now)
    identity_hash = _hash(session, keyring, identity)
    there = session.get(LinkedIdentity, identity_hash)
    if there is not None and there.person_id != holder.person_id:
        raise CannotLink
    unlink(session, holder.person_id, provider)
    session.add(
        LinkedIdentity(identity_hash=identity_hash, person_id=holder.person_id, provider=provider, linked_at=now)
    )
    session.flush()
    return holder


def unlink(session: Session, person_id: str, provider: str) -> bool:
    """Take somebody's identity at a provider away again; whether there was one."""
    query = select(LinkedIdentity).where(LinkedIdentity.person_id == person_id, LinkedIdentity.provider == provider)
    row = session.scalar(query)
    if row is not None:
        session.delete(row)
        session.flush()
    return row is not None


def linked(session: Session, person_id: str) -> dict[str, datetime]:
    """At which providers somebody has linked theirs, and since when."""
    query = select(LinkedIdentity).where(LinkedIdentity.person_id == person_id)
    return {row.provider: row.linked_at for row in session.scalars(query)}


def _hash(session: Session, keyring: Keyring, identity: Identity) -> str:
    return keyring.keyed_hash(session, "identity", identity.whole)
