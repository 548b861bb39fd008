"""The way on for somebody who opened the Mini App: from Telegram's word to their own sign-in.

Rules kept here:
- Telegram's word opens the page with the sign-ins and nothing else, once, for ten minutes.
- Each `initData` lets in once. It counts for five minutes at most, its entry stands for ten: no gap is left.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from access.enrolment import hash_of
from access.init_data import InitData, InitDataRefused, Refusal
from access.people import is_active
from access.signin import may_begin, may_use
from access.tables import MiniAppEntry, Person, Role

ENTRY_LIFE = timedelta(minutes=10)


def why_not(session: Session, person_id: str, now: datetime) -> Refusal | None:
    """Why this person may not come in, to their own questions; None: they may."""
    if not is_active(session, person_id):
        return Refusal.SUSPENDED
    if not may_use(session, person_id, Role.OFFICER):
        return Refusal.NO_OFFICER
    return None if may_begin(session, person_id, Role.OFFICER, now) else Refusal.LAPSED


def begin_entry(session: Session, token: str, found: InitData, person_id: str, page: str, now: datetime) -> str:
    """This person opened the Mini App, on the way to `page`; `token` is for their cookie. Gives its hash. Raises
    `InitDataRefused`, also for the second of two at the same moment."""
    session.execute(delete(MiniAppEntry).where(MiniAppEntry.expires_at <= now))
    session.get_one(Person, person_id, with_for_update=True)  # the other of two waits here, and then sees this one
    if session.get(MiniAppEntry, hash_of(found.mark)) is not None:
        raise InitDataRefused(Refusal.REPLAYED)
    entry = MiniAppEntry(
        data_hash=hash_of(found.mark),
        token_hash=hash_of(token),
        person_id=person_id,
        page=page,
        expires_at=now + ENTRY_LIFE,
        used_at=None,
    )
    session.add(entry)
    session.flush()
    return entry.token_hash


def entry_waits(session: Session, entry_hash: str, now: datetime) -> bool:
    """Whether somebody may still go on from this entry."""
    row = session.scalar(select(MiniAppEntry).where(MiniAppEntry.token_hash == entry_hash))
    return row is not None and row.used_at is None and row.expires_at > now


def use_entry(session: Session, entry_hash: str, person_id: str, now: datetime) -> str:
    """This person has signed in on the way; gives the page they go on to. Raises `InitDataRefused`."""
    row = session.execute(
        update(MiniAppEntry)
        .where(MiniAppEntry.token_hash == entry_hash, MiniAppEntry.used_at.is_(None), MiniAppEntry.expires_at > now)
        .values(used_at=now)
        .returning(MiniAppEntry.person_id, MiniAppEntry.page)
    ).one_or_none()
    if row is None:
        raise InitDataRefused(Refusal.OVER)
    if row.person_id != person_id:
        raise InitDataRefused(Refusal.OTHER_PERSON)
    page: str = row.page
    return page
