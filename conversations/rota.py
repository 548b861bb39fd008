"""Shifts and duty: who answers now.

Rules kept here:
- On duty means a shift that has begun and not ended, nothing else: no presence dot, no guess.
- Whoever comes on duty is asked the waiting questions first; nobody goes off duty while holding one.
- Whoever may no longer be on duty is taken off the rota for good; let in again, they are put on it anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from access.enrolment import void_codes
from access.people import set_standing
from access.signin import end_sessions
from access.tables import Standing
from audit.events import Event
from conversations import store
from conversations.away import is_away
from conversations.case import Case
from conversations.errors import OffDuty, OnLeave, StillHolding
from conversations.planned import LONGEST_SHIFT
from conversations.rota_plan import MAY, leaving
from conversations.rota_second import at_once
from conversations.search import lose_owner, offers_ran_out, unreachable
from conversations.standing import require
from conversations.states import OWNED, State, Timer
from conversations.tables import Consultation, OfferKind, OfferOutcome, Shift
from conversations.transfer import refuse_transfer
from conversations.work import BY_THE_LINE, Work


def add_shift(
    work: Work, person_id: str, duty: str, starts_at: datetime, ends_at: datetime, by: str | None = None
) -> Shift:
    """Put somebody on the rota; `by`: who does it, if not they themselves.

    Raises `RoleMissing`, `OnLeave`, or ValueError for a shift that cannot be."""
    require(work, person_id, MAY[duty])
    if not timedelta(0) < ends_at - starts_at <= LONGEST_SHIFT:
        raise ValueError("a shift ends after it starts, and lasts 14 hours at most")
    if is_away(work.session, person_id, starts_at, ends_at):
        raise OnLeave
    shift = Shift(id=work.new_id(), person_id=person_id, duty=duty, starts_at=starts_at, ends_at=ends_at)
    shift.announced = False
    work.session.add(shift)
    work.session.flush()
    _record_change(work, shift, by or person_id)
    if starts_at <= work.now < ends_at:
        announce(work, shift)
    return shift


def go_on_duty(work: Work, person_id: str, duty: str, ends_at: datetime) -> None:
    """A tap: on duty from now until `ends_at`. Once on duty, a later end prolongs the shift."""
    current = store.current_shift(work.session, person_id, duty, work.now)
    if current is None:
        add_shift(work, person_id, duty, work.now, ends_at)
    elif ends_at > current.ends_at:
        current.ends_at = ends_at
        _record_change(work, current, person_id)


def _record_change(work: Work, shift: Shift, by: str) -> None:
    starts, ends = (int(at.timestamp()) for at in (shift.starts_at, shift.ends_at))
    work.record(Event.ROTA_CHANGED, by, person=shift.person_id, duty=shift.duty, starts=starts, ends=ends)


def go_off_duty(work: Work, person_id: str, duty: str) -> None:
    """End the shift now. Raises `OffDuty`, or `StillHolding` while consultations are open."""
    shift = store.current_shift(work.session, person_id, duty, work.now)
    if shift is None:
        raise OffDuty
    if duty == store.IDVA_DUTY and store.owned_by(work.session, person_id):
        raise StillHolding
    _end_shifts(work, person_id, duty)
    pass_on_offers(work, person_id)


def announce(work: Work, shift: Shift) -> None:
    """A shift has begun: everything that waits is looked at again, in its own transaction, urgent first."""
    shift.announced = True
    work.record(Event.DUTY_BEGAN, shift.person_id, duty=shift.duty)
    if shift.duty != store.IDVA_DUTY:
        return
    for row in store.unowned(work.session):
        look_at(work, row)
    work.wake(shift.person_id)


def look_at(work: Work, row: Consultation) -> None:
    """Have it decided again who is asked, in its own transaction."""
    timer = Timer.NEXT_SHIFT if row.state == State.KEPT.value else Timer.ROUTE
    store.set_due(work.session, row.id, timer, work.now)


def suspend(work: Work, person_id: str, by: str) -> None:
    """Take somebody's access away at once: sessions and codes end, what they hold goes to others."""
    set_standing(work.session, person_id, Standing.SUSPENDED)
    work.record(Event.STANDING_SET, by, person=person_id, standing=Standing.SUSPENDED.value)
    end_sessions(work.session, person_id, work.now)
    void_codes(work.session, person_id, work.now)
    leave_leads(work, person_id)
    leave_idvas(work, person_id)


def leave_idvas(work: Work, person_id: str) -> None:
    """End an IDVA's duty at once, whatever they hold: it goes to others."""
    _off_the_rota(work, person_id, store.IDVA_DUTY)
    pass_on_offers(work, person_id)
    for row in store.owned_by(work.session, person_id):
        case = Case.load(work, row.id)
        if case.state is State.TRANSFER_OFFERED:
            refuse_transfer(case, OfferOutcome.OVERTAKEN)
        if case.state in OWNED and case.state is State.TALKING:
            lose_owner(case, "no longer available")
    work.wake(person_id)


def pass_on_offers(work: Work, person_id: str) -> None:
    """Offers to somebody who left go on at once."""
    for offer in store.offers_to(work.session, person_id):
        case = Case.load(work, offer.consultation_id)
        if offer.kind == OfferKind.TRANSFER.value:
            refuse_transfer(case, OfferOutcome.DECLINED)
        elif len(store.open_offers(work.session, case.row.id)) > 1:
            unreachable(case, offer)
        else:
            offers_ran_out(case, OfferOutcome.DECLINED)


def leave_leads(work: Work, person_id: str) -> None:
    """End a duty lead's duty at once."""
    _off_the_rota(work, person_id, store.LEAD_DUTY)


def _off_the_rota(work: Work, person_id: str, duty: str) -> None:
    """Nothing is asked of somebody who may no longer be on duty: neither now nor at a shift to come."""
    _end_shifts(work, person_id, duty)
    work.session.flush()
    at_once(work, BY_THE_LINE, leaving(work, person_id, duty))


def _end_shifts(work: Work, person_id: str, duty: str) -> None:
    while (shift := store.current_shift(work.session, person_id, duty, work.now)) is not None:
        shift.ends_at = work.now
        work.session.flush()
        work.record(Event.DUTY_ENDED, person_id, duty=duty)
