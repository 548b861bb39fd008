"""Which consultation a line belongs to, and in which role it was written.

Rules kept here:
- Nothing is guessed: a topic, a reply or a web pane says it, or there is only one it can be; else it is asked.
- Role follows from the consultation; without one, somebody who is an officer asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from access.tables import Role
from conversations import store
from conversations.errors import NotYours
from conversations.held import Doubt, Why
from conversations.messages import ChannelName, Incoming
from conversations.queues import sent_as
from conversations.tables import Consultation
from conversations.work import Work


@dataclass(frozen=True)
class Whose:
    """A role, and the consultation; None is a new question."""

    role: Role
    row: Consultation | None


def origin_of(work: Work, incoming: Incoming) -> str | None:
    """The keyed hash under which a channel's message is found again."""
    if incoming.message is None:
        return None
    return work.hash("origin", f"{incoming.channel.value}:{incoming.sender}:{incoming.message}")


def whose_is(work: Work, person_id: str, incoming: Incoming) -> Whose | Doubt:
    """Where this line goes. Raises `NotYours` for a web pane that is not theirs."""
    if incoming.channel is ChannelName.WEB:
        return _on_web(work, person_id, incoming)
    pointed = _pointed_at(work, person_id, incoming)
    if len({row.id for row in pointed}) > 1:
        return Doubt(Why.OTHER, _role_in(pointed[0], person_id), tuple(pointed))
    if pointed:
        return _to_pointed(work, person_id, pointed[0])
    roles = work.person(person_id).roles
    if Role.OFFICER not in roles:
        return _idvas(work, person_id)
    return _both(work, person_id) if Role.IDVA in roles else _officers(work, person_id)


def _on_web(work: Work, person_id: str, incoming: Incoming) -> Whose:
    if incoming.consultation is None:
        if not work.has_role(person_id, Role.OFFICER):
            raise NotYours
        return Whose(Role.OFFICER, None)
    row = store.by_ref(work.session, incoming.consultation)
    if person_id not in (row.officer_id, row.idva_id):
        raise NotYours
    return Whose(_role_in(row, person_id), row)


def _pointed_at(work: Work, person_id: str, incoming: Incoming) -> list[Consultation]:
    found: list[Consultation] = []
    ids: list[str | None] = []
    if incoming.thread is not None:
        topic = store.thread_to(work.session, person_id, incoming.thread)
        ids.append(topic.consultation_id if topic else None)
    if incoming.reply_to is not None:
        sent = sent_as(work.session, person_id, incoming.reply_to)
        if sent is not None:
            ids.append(sent.consultation_id)
        else:
            origin = work.hash("origin", f"{incoming.channel.value}:{incoming.sender}:{incoming.reply_to}")
            own = store.message_of_origin(work.session, origin)
            ids.append(own.consultation_id if own else None)
    for consultation_id in ids:
        row = work.session.get(Consultation, consultation_id) if consultation_id else None
        if row is not None:
            found.append(row)
    return found


def _to_pointed(work: Work, person_id: str, row: Consultation) -> Whose | Doubt:
    if row.officer_id != person_id:
        return Whose(Role.IDVA, row)
    live = store.live_of_officer(work.session, person_id)
    current = max(live, key=lambda one: (one.changed_at, one.id), default=None)
    if current is not None and current.id != row.id:
        return Doubt(Why.OTHER, Role.OFFICER, (row, current))
    if current is None:  # it answers something that has ended: reopen it, or ask anew?
        return Doubt(Why.OTHER, Role.OFFICER, (row,), may_be_new=True)
    return Whose(Role.OFFICER, row)


def _officers(work: Work, person_id: str) -> Whose | Doubt:
    live = store.live_of_officer(work.session, person_id)
    if len(live) > 1:
        return Doubt(Why.WHICH, Role.OFFICER, tuple(live), may_be_new=True)
    return Whose(Role.OFFICER, live[0] if live else None)


def _idvas(work: Work, person_id: str) -> Whose | Doubt:
    owned = store.owned_by(work.session, person_id)
    if len(owned) > 1 or (owned and _just_ended(work, person_id)):
        return Doubt(Why.WHICH, Role.IDVA, tuple(owned))
    return Whose(Role.IDVA, owned[0] if owned else None)


def _both(work: Work, person_id: str) -> Whose | Doubt:
    """Whoever is officer and IDVA is taken for an officer only while there is nothing to answer as IDVA."""
    if store.owned_by(work.session, person_id) or _just_ended(work, person_id):
        return Doubt(Why.WHICH, Role.IDVA, tuple(store.open_to(work.session, person_id)), may_be_new=True)
    return _officers(work, person_id)


def _just_ended(work: Work, person_id: str) -> bool:
    return bool(store.just_ended_of(work.session, person_id, work.now - store.RECENT))


def _role_in(row: Consultation, person_id: str) -> Role:
    return Role.OFFICER if row.officer_id == person_id else Role.IDVA
