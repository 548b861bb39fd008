"""Finding an IDVA: offering, accepting, declining, calling the lead, keeping for the next shift.

Rules kept here:
- What to do next is decided by `routing.next_step` alone; this file carries it out.
- One routing decision at a time (`lock_routing`), so that nobody is offered more than they have room for.
- Accepting is decided under the consultation's lock: of two at the same moment exactly one wins.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from audit.events import Event
from conversations import start_check, store, wording
from conversations.case import Case
from conversations.dialogue import ACK_BUTTONS, LEAD_BUTTONS, OFFER_BUTTONS, routed
from conversations.errors import NoLongerOffered, OffDuty, OwnQuestion, Taken
from conversations.policy import Policy
from conversations.post import call
from conversations.relay import show_everything
from conversations.routing import Ask, CallLead, Keep, OnDuty, Search, Step, answer_time, next_step, somebody_new
from conversations.signposting import offer_to_send
from conversations.states import OWNED, UNOWNED, State, Timer, Trigger
from conversations.tables import Consultation, Offer, OfferKind, OfferOutcome
from conversations.work import BY_THE_LINE

LOCAL = ZoneInfo("Europe/London")


def route(case: Case, *, ack: bool = False) -> None:
    """Take the search's next step. `ack`: this is the first answer to a question (or to its reopening)."""
    store.lock_routing(case.work.session)
    store.cancel_timers(case.work.session, case.row.id, [Timer.ROUTE])
    step = _step(case)
    if isinstance(step, Ask):
        _ask(case, step, ack)
    elif isinstance(step, CallLead):
        _call_lead(case, step, ack)
    elif isinstance(step, Keep):
        case.close_offers(OfferOutcome.OVERTAKEN)
        _keep(case, ack)
    _time_offers(case)


def route_again(case: Case) -> None:
    """Decide again who is asked; offers whose time is up ask nobody any more."""
    for offer in store.open_offers(case.work.session, case.row.id):
        if offer.due_at <= case.work.now:
            case.end_offer(offer, OfferOutcome.UNANSWERED)
    route(case)


def accept(case: Case, idva_id: str) -> None:
    """Take a consultation. Raises `Taken`, `NoLongerOffered`, `OwnQuestion` or `OffDuty`."""
    work, row = case.work, case.row
    if row.officer_id == idva_id:
        raise OwnQuestion
    if case.state in OWNED and row.idva_id == idva_id:
        return  # theirs already: a second tap changes nothing
    if case.state in OWNED and row.idva_id:
        raise Taken(work.person(row.idva_id).name)
    if case.state not in UNOWNED or not case.can(Trigger.ACCEPT):
        raise NoLongerOffered
    if store.current_shift(work.session, idva_id, store.IDVA_DUTY, work.now) is None:
        raise OffDuty
    for offer in store.open_offers(work.session, row.id):
        if offer.idva_id == idva_id:
            case.end_offer(offer, OfferOutcome.ACCEPTED)
    others = case.close_offers(OfferOutcome.OVERTAKEN)
    stand_down(case, "call_lead_taken", idva=work.person(idva_id).name)
    row.idva_id = idva_id
    start_check.answer(work, idva_id)
    case.move(Trigger.ACCEPT, idva_id, **case.officer_facts())
    show_everything(case, idva_id)
    offer_to_send(case)
    case.row.officer_waits = True
    for other in others:
        call(work, other, row, "taken_by", idva=work.person(idva_id).name)


def decline(case: Case, idva_id: str, reason: str) -> None:
    """Say no to an offer; the search goes on at once. Raises `NoLongerOffered`."""
    for offer in store.open_offers(case.work.session, case.row.id):
        if offer.idva_id == idva_id and offer.kind == OfferKind.QUESTION.value:
            offer.reason = reason
            case.end_offer(offer, OfferOutcome.DECLINED)
            route(case)
            return
    raise NoLongerOffered


def offers_ran_out(case: Case, outcome: OfferOutcome = OfferOutcome.UNANSWERED) -> None:
    """Nobody asked has answered in time: next."""
    case.close_offers(outcome)
    route(case)


def unreachable(case: Case, offer: Offer) -> None:
    """An offer could not be delivered anywhere: next, without waiting for its time to run out."""
    if offer.outcome is None:
        case.end_offer(offer, OfferOutcome.UNREACHABLE)
        if offer.kind == OfferKind.QUESTION.value and case.state in UNOWNED:
            route(case)


def lead_took(case: Case, lead_id: str) -> None:
    """The duty lead deals with it in person. Raises `NotPossible`."""
    lead = case.work.person(lead_id)
    case.close_offers(OfferOutcome.OVERTAKEN)
    case.move(Trigger.LEAD_TOOK, lead_id, lead=lead.name)


def call_leads(case: Case, name: str, flags: str = "") -> None:
    """Call whoever is duty lead now; the phone number told to the officer works without them."""
    work = case.work
    for lead in store.on_duty(work.session, store.LEAD_DUTY, work.now):
        rows = LEAD_BUTTONS if case.can(Trigger.LEAD_TOOK) else ()
        call(work, lead, case.row, name, rows, idva=case.facts()["idva"], flags=flags, **case.officer_facts())


def stand_down(case: Case, name: str, idva: str = "") -> None:
    """Tell whoever was called as duty lead that there is nothing for them to do any more. Before the move."""
    if case.state in (State.LEAD_CALLED, State.KEPT, State.ADVICE_RAISED):
        for lead in store.on_duty(case.work.session, store.LEAD_DUTY, case.work.now):
            call(case.work, lead, case.row, name, idva=idva)


def owner_present(case: Case) -> None:
    """After advice was given the owner may have gone off duty: then another IDVA is found at once."""
    idva_id = case.row.idva_id
    if case.state is State.TALKING and idva_id is not None:
        work = case.work
        on_shift = store.current_shift(work.session, idva_id, store.IDVA_DUTY, work.now) is not None
        if not on_shift or not work.person(idva_id).active:
            lose_owner(case, "off duty")


def lose_owner(case: Case, why: str, *, silent: bool = False) -> None:
    """The IDVA cannot go on: the officer is told, and another is found at once. Who fell silent is not asked again."""
    idva_id = case.row.idva_id
    name = case.work.person(idva_id).name if idva_id else "the IDVA"
    case.new_search()
    if silent and idva_id is not None:
        left = _new_offer(case, idva_id, case.work.now)
        left.outcome, left.answered_at = OfferOutcome.UNANSWERED.value, case.work.now
    case.move(Trigger.OWNER_LOST, BY_THE_LINE, idva=name, why=why)
    route(case)


def make_urgent(case: Case) -> None:
    """Urgent from here on: an open offer has only the urgent time left."""
    row, work = case.row, case.work
    if row.urgent:
        return
    row.urgent = True
    if case.state is State.OFFERED:
        soonest = work.now + answer_time(urgent=True, policy=work.line.policy)
        running = store.timers_of(work.session, row.id).get(Timer.OFFER_UNANSWERED)
        until = min(running.at, soonest) if running else soonest
        store.set_due(work.session, row.id, Timer.OFFER_UNANSWERED, until)
        for offer in store.open_offers(work.session, row.id):
            offer.due_at = min(offer.due_at, until)
            work.wake(offer.idva_id)


def who_could_be_asked(session: Session, now: datetime, policy: Policy) -> list[str]:
    """What waits for an IDVA although somebody has room who was not asked in this search; urgent first."""
    if not store.on_duty(session, store.IDVA_DUTY, now):
        return []
    waiting = [row for row in store.unowned(session) if State(row.state) in (State.LEAD_CALLED, State.KEPT)]
    return [row.id for row in waiting if somebody_new(*_stand(session, row, now), policy)]


def _step(case: Case) -> Step:
    work = case.work
    return next_step(*_stand(work.session, case.row, work.now), work.now, work.line.policy)


def _stand(session: Session, row: Consultation, now: datetime) -> tuple[Search, list[OnDuty]]:
    """How the search for an IDVA stands, and who is there."""
    offers = store.offers_of(session, row)
    search = Search(
        began_at=row.search_began_at,
        urgent=row.urgent,
        asked_by=row.officer_id,
        tried=frozenset(offer.idva_id for offer in offers if offer.outcome is not None),
        asking=frozenset(offer.idva_id for offer in offers if offer.outcome is None),
        unanswered=sum(offer.outcome == OfferOutcome.UNANSWERED.value for offer in offers),
        lead_called=State(row.state) is State.LEAD_CALLED,
    )
    return search, store.idvas_on_duty(session, row, now)


def _time_offers(case: Case) -> None:
    """While the lead is called, or it is kept, offers have no timer of their own: it is routed when one runs out."""
    offers = store.open_offers(case.work.session, case.row.id)
    if offers and case.state in (State.LEAD_CALLED, State.KEPT):
        store.set_due(case.work.session, case.row.id, Timer.ROUTE, min(offer.due_at for offer in offers))


def _ask(case: Case, step: Ask, ack: bool) -> None:
    work, row = case.work, case.row
    before = case.state
    if before is State.KEPT:
        row.search_began_at = work.now
    case.move(Trigger.OFFER, offer_due_at=step.due_at, quiet=True)
    seconds = int((step.due_at - work.now).total_seconds())
    knowing = set(store.earlier_on_incident(work.session, row))
    for person in step.people:
        offer = _new_offer(case, person, step.due_at)
        work.record(Event.OFFERED, BY_THE_LINE, row.id, to=person, urgent=row.urgent)
        if person in knowing:
            work.record(Event.LINKED, BY_THE_LINE, row.id, to=person)
        call(
            work,
            person,
            row,
            "call_offer",
            OFFER_BUTTONS,
            offer_id=offer.id,
            seconds=seconds,
            **case.officer_facts(),
        )
    _tell_next(case, routed(Trigger.OFFER, before, everybody=len(step.people) > 1), ack)


def _new_offer(case: Case, person: str, due_at: datetime) -> Offer:
    offer = Offer(
        id=case.work.new_id(),
        consultation_id=case.row.id,
        idva_id=person,
        kind=OfferKind.QUESTION.value,
        search=case.row.search,
        offered_at=case.work.now,
        due_at=due_at,
    )
    case.work.session.add(offer)
    case.work.session.flush()
    return offer


def _call_lead(case: Case, step: CallLead, ack: bool) -> None:
    before = case.state
    there = store.on_duty(case.work.session, store.LEAD_DUTY, case.work.now)
    if before is State.KEPT or not there:  # nobody to be called: on at once to whom else the officer can ring
        _keep(case, ack)
        return
    case.move(Trigger.CALL_LEAD, quiet=True)
    call_leads(case, "call_lead")
    _tell_next(case, routed(Trigger.CALL_LEAD, before, full=step.full), ack)


def _keep(case: Case, ack: bool) -> None:
    if case.state is State.KEPT:
        _look_again(case)
        return
    before = case.state
    case.move(Trigger.KEEP, quiet=True)
    call_leads(case, "call_lead")
    _tell_next(case, routed(Trigger.KEEP, before), ack, alone=True)


def keep(case: Case) -> None:
    """The lead did not take it either: keep it, tell the officer who else to ring."""
    case.close_offers(OfferOutcome.UNANSWERED)
    _keep(case, ack=False)


def _look_again(case: Case) -> None:
    until = case.work.now + case.work.line.policy.next_look
    store.set_due(case.work.session, case.row.id, Timer.NEXT_SHIFT, until)


def _tell_next(case: Case, name: str, ack: bool, *, alone: bool = False) -> None:
    """Tell the officer what happens next: in the acknowledgement, or as a line of its own."""
    work, row = case.work, case.row
    upcoming = store.next_shift(work.session, work.now)
    when = f" (next on duty: {upcoming.astimezone(LOCAL):%a %H:%M})" if upcoming else ""
    sentence = wording.say(name, **case.facts(), position=store.position_in_queue(work.session, row), next_shift=when)
    rows = ACK_BUTTONS if ack else ()
    case.tell(row.officer_id, "received" if ack else "still_looking", rows, next=sentence, alone=alone)
