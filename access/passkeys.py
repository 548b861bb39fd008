"""Passkeys: adding one, showing it to sign in, taking it away.

Rules kept here:
- A passkey is somebody's because they made it, signed in here by a one-time link. Each is one person's: another's is
  refused, and so is one that names somebody else.
- A challenge lasts five minutes, for one browser (and, to add, for one session), and ends with the first answer.
- A device that counts its signatures counts upwards. One that counts back is a copy, or there is one: refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from access import passkey_proof as proof
from access.identity import CannotLink, Flow, FlowRefused, begin_flow, end_flow, may_link
from access.passkey_proof import Kind, NotProven, Site
from access.tables import Passkey, WebSession

MOST = 10  # passkeys of one person
ADDING = "passkey:add"  # in place of a provider; none may have a colon in its name
SIGNING_IN = "passkey:use"


class Why(Enum):
    """Why a passkey was refused: for the trail, never for whoever showed it."""

    NOT_PROVEN = "not proven"  # forged, altered, for another address or challenge, or nobody was asked who they are
    UNKNOWN = "unknown"  # nobody's, or no longer
    NOT_THEIRS = "not theirs"  # it names another person than whose it is
    TAKEN = "taken"  # to be added, but somebody's already
    TOO_MANY = "too many"  # to be added, beside ten others
    COPIED = "copied"  # its count went back: there are two of it
    SHUT = "shut"  # its person may not sign in now


class PasskeyRefused(Exception):
    """This passkey opens nothing here."""

    def __init__(self, why: Why, person_id: str | None = None, handle: str | None = None) -> None:
        super().__init__(why.value)
        self.why = why
        self.person_id = person_id  # whose it is, once that is proven
        self.handle = handle


@dataclass(frozen=True)
class Kept:
    """One of a person's passkeys, for them to look at."""

    handle: str  # what a page and the trail name it by
    kind: Kind
    added_at: datetime
    used_at: datetime | None


def ask_to_add(
    session: Session, site: Site, token: str, session_hash: str, label: str, now: datetime
) -> dict[str, Any]:
    """What the browser is asked, to make one. Raises `CannotLink`."""
    holder = may_link(session, session_hash, now)
    known = [row.credential_id for row in _rows(session, holder.person_id)]
    if len(known) >= MOST:
        raise CannotLink
    begin_flow(session, token, ADDING, Flow(session_hash=session_hash), now, proof.ANSWER_WITHIN)
    return proof.to_add(site, proof.challenge_of(token), holder.person_id, label, known)


def ask_to_sign_in(session: Session, site: Site, token: str, now: datetime) -> dict[str, Any]:
    """What the browser is asked, to sign in."""
    begin_flow(session, token, SIGNING_IN, Flow(), now, proof.ANSWER_WITHIN)
    return proof.to_sign_in(site, proof.challenge_of(token))


def end_adding(session: Session, token: str, session_hash: str, now: datetime) -> WebSession:
    """The answer has come, in that session. Raises `FlowRefused`; also where it may add none."""
    if end_flow(session, token, ADDING, now).session_hash != session_hash:
        raise FlowRefused
    try:
        return may_link(session, session_hash, now)
    except CannotLink:
        raise FlowRefused from None


def end_signing_in(session: Session, token: str, now: datetime) -> None:
    """The answer has come. Raises `FlowRefused`."""
    end_flow(session, token, SIGNING_IN, now)


def add(session: Session, site: Site, token: str, person_id: str, answer: str, now: datetime) -> Kept:
    """A new passkey is this person's. Raises `PasskeyRefused`."""
    try:
        new = proof.made(site, proof.challenge_of(token), answer)
    except NotProven:
        raise PasskeyRefused(Why.NOT_PROVEN) from None
    hashed = _hash(new.credential_id)
    if session.get(Passkey, hashed) is not None:
        raise PasskeyRefused(Why.TAKEN)
    if len(_rows(session, person_id)) >= MOST:
        raise PasskeyRefused(Why.TOO_MANY)
    row = Passkey(
        credential_hash=hashed,
        person_id=person_id,
        credential_id=new.credential_id,
        public_key=new.public_key,
        count=new.count,
        kind=new.kind.value,
        transports=new.transports,
        added_at=now,
        used_at=None,
    )
    session.add(row)
    session.flush()
    return _kept(row)


def prove(session: Session, site: Site, token: str, answer: str, now: datetime) -> tuple[str, str]:
    """Whose passkey was shown, and its handle. Raises `PasskeyRefused`."""
    # 1. Which one it says it is; locked, so that of two with the same count only one is let in.
    try:
        claim = proof.claimed(answer)
    except NotProven:
        raise PasskeyRefused(Why.NOT_PROVEN) from None
    row = session.get(Passkey, _hash(claim.credential_id), with_for_update=True)
    if row is None:
        raise PasskeyRefused(Why.UNKNOWN)

    # 2. That it signed, for us, now, in this browser.
    try:
        count = proof.proven_count(site, proof.challenge_of(token), answer, row.public_key)
    except NotProven:
        raise PasskeyRefused(Why.NOT_PROVEN) from None
    handle = row.credential_hash[:16]
    if claim.holder != row.person_id.encode():
        raise PasskeyRefused(Why.NOT_THEIRS, row.person_id, handle)

    # 3. That it is the only one of itself (Web Authentication 6.1.1). Synced ones never count: 0 after 0.
    if (count or row.count) and count <= row.count:
        raise PasskeyRefused(Why.COPIED, row.person_id, handle)
    row.count, row.used_at = count, now
    session.flush()
    return row.person_id, handle


def remove(session: Session, person_id: str, handle: str) -> bool:
    """Take one of somebody's away; whether there was one."""
    theirs = (Passkey.person_id == person_id, func.substr(Passkey.credential_hash, 1, 16) == handle)
    found = session.scalars(delete(Passkey).where(*theirs).returning(Passkey.credential_hash)).all()
    return bool(found)


def kept(session: Session, person_id: str) -> list[Kept]:
    """Somebody's passkeys, oldest first."""
    return [_kept(row) for row in _rows(session, person_id)]


def _rows(session: Session, person_id: str) -> list[Passkey]:
    query = select(Passkey).where(Passkey.person_id == person_id)
    return list(session.scalars(query.order_by(Passkey.added_at, Passkey.credential_hash)))


def _kept(row: Passkey) -> Kept:
    return Kept(row.credential_hash[:16], Kind(row.kind), row.added_at, row.used_at)


def _hash(credential_id: bytes) -> str:
    return sha256(credential_id).hexdigest()
