"""Opening one's own questions inside Telegram: Telegram's word first, then one's own sign-in (the step-up).

Rules kept here:
- Telegram's word alone opens no words. Whoever then signs in must be who it named, and begins as an officer.
- A session of theirs that is open in that window is as good: it ends fifteen minutes after its last use.
- Why somebody is refused is for the trail, once a minute for each reason: strangers cannot make it grow.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select

from access.enrolment import first_in
from access.init_data import InitData, InitDataRefused, Refusal
from access.mini_app import begin_entry, use_entry, why_not
from access.people import person_at_telegram
from access.signin import NotSignedIn, SignedIn, open_session, who_is
from access.tables import Role, Way
from audit.events import Event
from conversations.tables import Consultation
from conversations.work import BY_THE_LINE, Work

log = logging.getLogger(__name__)
CHAT = "/chat"


def enter(work: Work, found: InitData, ref: str, here: Iterable[tuple[Role, str]], token: str) -> str | None:
    """Where whom Telegram named goes on to; None: to the sign-in, with `token`. `here`: the sessions that the window
    holds. Raises `InitDataRefused`."""
    person_id = person_at_telegram(work.session, work.line.keyring, found.user_id)
    if person_id is None:
        raise InitDataRefused(Refusal.UNBOUND)
    refusal = why_not(work.session, person_id, work.now)
    if refusal is not None:
        raise InitDataRefused(refusal)
    open_here = _open(work, here)
    if any(one.person_id != person_id for one in open_here):
        raise InitDataRefused(Refusal.OTHER_SESSION)
    page = _page(work, ref, person_id)
    entry_hash = begin_entry(work.session, token, found, person_id, page, work.now)
    work.record(Event.MINI_APP_OPENED, person_id)
    if any(one.role is Role.OFFICER for one in open_here):
        return use_entry(work.session, entry_hash, person_id, work.now)
    return None


def step_up(work: Work, entry_hash: str, person_id: str | None, way: Way, token: str, **facts: str) -> str:
    """Somebody has just shown who they are, in this way: they begin a session as an officer. Gives the page they go on
    to. Raises `InitDataRefused` for whoever is not the person that Telegram named."""
    if person_id is None:
        raise InitDataRefused(Refusal.OTHER_PERSON)
    page = use_entry(work.session, entry_hash, person_id, work.now)
    refusal = why_not(work.session, person_id, work.now)
    if refusal is not None:
        raise InitDataRefused(refusal)
    open_session(work.session, person_id, Role.OFFICER, way, token, work.line.policy.lease, work.now)
    work.record(Event.SIGNED_IN, person_id, role=Role.OFFICER.value, inside="telegram", **facts)
    return page


def refused(work: Work, why: Refusal) -> None:
    """Somebody was not let in."""
    log.warning("the Mini App let nobody in: because=%s", why.value)
    if first_in(work.session, f"mini_app:{why.value}", timedelta(minutes=1), work.now):
        work.record(Event.MINI_APP_REFUSED, BY_THE_LINE, why=why.value)


def _open(work: Work, here: Iterable[tuple[Role, str]]) -> list[SignedIn]:
    found: list[SignedIn] = []
    for role, token in here:
        try:
            found.append(who_is(work.session, token, role, work.now))
        except NotSignedIn:
            continue
    return found


def _page(work: Work, ref: str, person_id: str) -> str:
    """The page of that consultation where it is theirs, else of all of theirs."""
    if not ref.isalnum():  # a NUL in a question would be PostgreSQL's own error
        return CHAT
    query = select(Consultation.ref).where(Consultation.ref == ref.upper(), Consultation.officer_id == person_id)
    found = work.session.scalar(query)
    return f"{CHAT}/{found}" if found else CHAT
