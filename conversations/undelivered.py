"""What happens when something could not be delivered, or is not delivered for too long.

Rules kept here:
- The sender is told, in the thread; somebody is called who can reach the other side by telephone.
- Not delivered at one door is no failure when another door has already shown it.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from access.enrolment import first_in
from access.people import set_telegram_alive
from access.signin import last_seen
from access.tables import Role
from audit.events import Event
from conversations import store
from conversations.case import Case
from conversations.messages import ChannelName
from conversations.post import receipt_update
from conversations.search import call_leads, unreachable
from conversations.tables import Message, Offer, Outbox, OutboxState, Purpose, Side
from conversations.work import BY_THE_LINE, Work

AT_A_PAGE = timedelta(minutes=2)  # somebody who used our own pages this lately sees everything there
HOUR = timedelta(hours=1)


def door_lost(work: Work, person_id: str) -> None:
    """The person blocked the bot or the account is gone."""
    set_telegram_alive(work.session, person_id, work.now)
    work.record(Event.TELEGRAM_LOST, person_id)


def stopped(work: Work, person_id: str) -> None:
    """The person says so: nothing has failed yet, but whoever they have open consultations with must not write on
    into silence."""
    door_lost(work, person_id)
    for row in store.open_to(work.session, person_id):
        role = Role.OFFICER if row.officer_id == person_id else Role.IDVA
        if not _at_a_page(work, person_id, role):
            _cannot_reach(Case.load(work, row.id), person_id)


def not_delivered(work: Work, sent: Outbox) -> None:
    """Tell who has to know, once."""
    if sent.purpose == Purpose.CALL.value:
        _call_failed(work, sent)
    elif sent.purpose == Purpose.THREAD.value and sent.consultation_id and sent.message_id:
        _thread_failed(work, sent)


def _call_failed(work: Work, sent: Outbox) -> None:
    if sent.offer_id is None or sent.person_id is None or sent.consultation_id is None:
        return
    if _at_a_page(work, sent.person_id, Role.IDVA):
        return
    case = Case.load(work, sent.consultation_id)
    offer = work.session.get(Offer, sent.offer_id)
    if offer is not None:
        unreachable(case, offer)


def _thread_failed(work: Work, sent: Outbox) -> None:
    if sent.consultation_id is None or sent.message_id is None or sent.person_id is None:
        return
    shown = select(Outbox.seq).where(
        Outbox.message_id == sent.message_id,
        Outbox.person_id == sent.person_id,
        Outbox.channel == ChannelName.WEB.value,
        Outbox.state == OutboxState.DELIVERED.value,
    )
    if work.session.scalar(shown.limit(1)) is not None:
        return
    case = Case.load(work, sent.consultation_id)
    message = work.session.get_one(Message, sent.message_id)
    work.record(Event.WORDS_NOT_SENT, BY_THE_LINE, case.row.id, message=message.number, to=sent.person_id)
    receipt_update(work, case.row, message, "receipt_failed", lead_phone=work.line.policy.lead_phone)
    if case.ended:
        return
    by_people = message.side != Side.LINE.value and message.author_id is not None
    if by_people and message.author_id is not None:
        other = work.person(sent.person_id)
        case.tell(message.author_id, "not_delivered", number=message.number, other=other.name)
    _cannot_reach(case, sent.person_id, other_side_knows=by_people)


def _cannot_reach(case: Case, person_id: str, *, other_side_knows: bool = False) -> None:
    """Once an hour: the other side is told, and the duty lead is called, who can telephone."""
    work, row = case.work, case.row
    key = work.hash("unreachable", f"{row.id}:{person_id}")
    if person_id not in (row.officer_id, row.idva_id) or not first_in(work.session, f"u{key[:30]}", HOUR, work.now):
        return
    officer = person_id == row.officer_id
    other = row.idva_id if officer else row.officer_id
    if other is not None and not other_side_knows:
        case.tell(other, "cannot_reach", other=work.person(person_id).name)
    call_leads(case, "call_lead_undelivered" if officer else "call_lead_unreachable")


def _at_a_page(work: Work, person_id: str, role: Role) -> bool:
    seen = last_seen(work.session, person_id, role)
    return seen is not None and work.now - seen < AT_A_PAGE
