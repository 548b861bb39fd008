"""Passing a consultation to a colleague, with a note. The first IDVA has it until the second accepts.

Rule kept here: there is exactly one owner at every moment; the new one can read all of it at once.
"""

from __future__ import annotations

from audit.events import Event
from conversations import store
from conversations.case import Case
from conversations.consult import require_owner
from conversations.dialogue import Action, Press, Rows
from conversations.errors import NobodyToPassTo, NoLongerOffered
from conversations.post import call, write_message
from conversations.relay import show_everything
from conversations.routing import answer_time
from conversations.states import State, Trigger
from conversations.tables import Audience, MessageKind, Offer, OfferKind, OfferOutcome, Side

ACCEPT: Press = (Action.ACCEPT, "")
TRANSFER_BUTTONS: Rows = ((ACCEPT, (Action.DECLINE, "busy")),)


def offer_transfer(case: Case, idva_id: str, colleague_id: str, note: str) -> None:
    """Ask a colleague on duty, with room, to take over. Raises `NobodyToPassTo` or `NotYours`."""
    require_owner(case, idva_id)
    work, row = case.work, case.row
    store.lock_routing(work.session)
    on_duty = colleague_id in store.on_duty(work.session, store.IDVA_DUTY, work.now)
    room = store.load_of(work.session, colleague_id) < work.line.policy.capacity
    if colleague_id in (idva_id, row.officer_id) or not on_duty or not room:
        raise NobodyToPassTo
    due_at = work.now + answer_time(row.urgent, work.line.policy)
    colleague, me = work.person(colleague_id), work.person(idva_id)
    case.move(Trigger.OFFER_TRANSFER, idva_id, offer_due_at=due_at, colleague=colleague.name)
    if note.strip():
        write_message(work, row, note, side=Side.IDVA, kind=MessageKind.NOTE, audience=Audience.IDVA, author_id=idva_id)
    offer = Offer(
        id=work.new_id(),
        consultation_id=row.id,
        idva_id=colleague_id,
        kind=OfferKind.TRANSFER.value,
        search=row.search,
        offered_at=work.now,
        due_at=due_at,
    )
    row.transfer_to = colleague_id
    work.session.add(offer)
    work.session.flush()
    work.record(Event.OFFERED, idva_id, row.id, to=colleague_id, kind=OfferKind.TRANSFER.value)
    seconds = int((due_at - work.now).total_seconds())
    call(
        work,
        colleague_id,
        row,
        "call_transfer",
        TRANSFER_BUTTONS,
        offer_id=offer.id,
        colleague=me.name,
        seconds=seconds,
    )


def accept_transfer(case: Case, colleague_id: str) -> None:
    """The colleague takes over. Raises `NoLongerOffered`."""
    if case.transfer_offer() != colleague_id or case.state is not State.TRANSFER_OFFERED:
        raise NoLongerOffered
    before = case.row.idva_id
    case.close_offers(OfferOutcome.ACCEPTED)
    case.row.idva_id, case.row.transfer_to = colleague_id, None
    case.move(Trigger.TRANSFER_ACCEPTED, colleague_id, **case.officer_facts())
    if before is not None:
        case.tell(before, "passed_on", why=f"{case.work.person(colleague_id).name} has it")
    show_everything(case, colleague_id)


def refuse_transfer(case: Case, outcome: OfferOutcome) -> None:
    """Declined, unanswered or taken back: it stays where it was."""
    asked = case.transfer_offer()
    name = case.work.person(asked).name if asked else "Your colleague"
    case.close_offers(outcome)
    case.row.transfer_to = None
    case.move(Trigger.TRANSFER_REFUSED, asked or "line", colleague=name)
    case.turn(officer_waits=case.row.officer_waits)
