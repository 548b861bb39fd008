"""Somebody adds a passkey, signs in with it, or takes it away.

Rules kept here:
- Its person is told of each passkey that comes or goes, and of a copy that was tried.
- What is refused is recorded: by whose passkey only once that is proven, and what strangers make up only so often.
"""

from __future__ import annotations

from datetime import timedelta

from access import passkeys
from access.enrolment import count_in
from access.passkey_proof import Site
from access.passkeys import PasskeyRefused, Why
from access.tables import Role, Way
from audit.events import Event
from conversations import identify, wording
from conversations.post import note
from conversations.work import BY_THE_LINE, Work

NOTED_A_MINUTE = 20  # refusals that prove nothing, of everybody together


def add(work: Work, site: Site, token: str, session_hash: str, answer: str) -> bool:
    """A passkey was made in this session; whether it is kept. Raises `FlowRefused`."""
    person_id = passkeys.end_adding(work.session, token, session_hash, work.now).person_id
    try:
        new = passkeys.add(work.session, site, token, person_id, answer, work.now)
    except PasskeyRefused as refused:
        work.record(Event.PASSKEY_REFUSED, person_id, why=refused.why.value)
        return False
    work.record(Event.PASSKEY_ADDED, person_id, passkey=new.handle, kind=new.kind.value)
    note(work, person_id, wording.say("passkey_added"))
    return True


def let_in(work: Work, site: Site, token: str, answer: str, session_token: str) -> list[Role]:
    """The roles of whoever shows a passkey; none: refused. As `identify.let_in`. Raises `FlowRefused`."""
    passkeys.end_signing_in(work.session, token, work.now)
    try:
        person_id, handle = passkeys.prove(work.session, site, token, answer, work.now)
        roles = identify.arrive(work, person_id, Way.PASSKEY, session_token, passkey=handle)
        if not roles:
            raise PasskeyRefused(Why.SHUT, person_id, handle)
    except PasskeyRefused as refused:
        _refused(work, refused)
        return []
    return roles


def remove(work: Work, person_id: str, handle: str) -> None:
    """One of one's own passkeys opens nothing any more."""
    if passkeys.remove(work.session, person_id, handle):
        work.record(Event.PASSKEY_REMOVED, person_id, passkey=handle)
        note(work, person_id, wording.say("passkey_removed"))


def _refused(work: Work, refused: PasskeyRefused) -> None:
    if refused.person_id is None or refused.handle is None:
        if count_in(work.session, "passkeys", timedelta(minutes=1), work.now) <= NOTED_A_MINUTE:
            work.record(Event.PASSKEY_REFUSED, BY_THE_LINE, why=refused.why.value)
        return
    work.record(Event.PASSKEY_REFUSED, refused.person_id, why=refused.why.value, passkey=refused.handle)
    if refused.why is Why.COPIED:
        note(work, refused.person_id, wording.say("passkey_copied"))
