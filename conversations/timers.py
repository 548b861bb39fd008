"""What happens when a timer runs out.

Rules kept here:
- The consultation is locked before its timer is looked at again: a timer cancelled meanwhile does nothing.
- Every branch ends in a move, or in the same timer set later with its count raised: nothing falls out.
"""

from __future__ import annotations

from collections.abc import Callable

from conversations import store
from conversations.advise import raise_unread
from conversations.case import Case
from conversations.dialogue import READ_BACK, STILL_HERE_BUTTONS, Notice, Party
from conversations.search import call_leads, keep, lose_owner, offers_ran_out, route, route_again
from conversations.states import OWNED, UNOWNED, State, Timer, Trigger
from conversations.tables import OfferOutcome
from conversations.transfer import refuse_transfer
from conversations.work import Work


def fall_due(work: Work, seq: int, consultation_id: str) -> bool:
    """Let one due timer take effect. False when somebody else is at this consultation: try again soon."""
    row = store.lock_if_free(work.session, consultation_id)
    if row is None:
        return False
    due = store.due_row(work.session, seq)
    if due is None or due.at > work.now:
        return True
    timer, count = Timer(due.timer), due.count
    work.session.delete(due)
    work.session.flush()
    _EFFECTS[timer](Case(work, row), count)
    return True


def _route(case: Case, _count: int) -> None:
    if case.state in UNOWNED:
        route_again(case)


def _offer_unanswered(case: Case, _count: int) -> None:
    if case.state is State.OFFERED:
        offers_ran_out(case)


def _search_limit(case: Case, _count: int) -> None:
    if case.state is State.OFFERED:
        route(case)  # the limit has passed: routing calls the lead; open offers stay open


def _lead_silent(case: Case, _count: int) -> None:
    if case.state is State.LEAD_CALLED:
        keep(case)


def _next_shift(case: Case, _count: int) -> None:
    if case.state is State.KEPT:
        case.close_offers(OfferOutcome.UNANSWERED)
        case.new_search()
        route(case)


def _kept_limit(case: Case, _count: int) -> None:
    if case.state is State.KEPT:
        case.close_offers(OfferOutcome.OVERTAKEN)
        case.move(Trigger.LAPSE)
        call_leads(case, "call_lead")


def _stale_unanswered(case: Case, _count: int) -> None:
    if case.state is State.STALE:
        case.move(Trigger.LAPSE)


def _waiting(case: Case, count: int) -> None:
    if case.state is not State.TALKING:
        return
    policy = case.work.line.policy
    if case.row.officer_waits:
        if count >= policy.idva_nudges:
            lose_owner(case, "you did not answer", silent=True)
            return
        case.say(Notice(Party.OWNER, "nudge_idva"))
        until = case.work.now + (policy.idva_silent_urgent if case.row.urgent else policy.idva_silent)
    else:
        if count >= policy.officer_nudges:
            case.move(Trigger.QUIET)
            return
        case.say(Notice(Party.OFFICER, "nudge_officer", STILL_HERE_BUTTONS))
        until = case.work.now + policy.officer_silent
    store.set_due(case.work.session, case.row.id, Timer.WAITING, until, count + 1)


def _owner_shift_end(case: Case, _count: int) -> None:
    work, row = case.work, case.row
    if case.state not in OWNED or row.idva_id is None:
        return
    shift = store.current_shift(work.session, row.idva_id, store.IDVA_DUTY, work.now)
    if shift is not None and work.person(row.idva_id).active:
        store.set_due(work.session, row.id, Timer.OWNER_SHIFT_END, shift.ends_at)
        return
    case.close_offers(OfferOutcome.OVERTAKEN)
    lose_owner(case, "your shift has ended")


def _transfer_unanswered(case: Case, _count: int) -> None:
    if case.state is State.TRANSFER_OFFERED:
        refuse_transfer(case, OfferOutcome.UNANSWERED)


def _advice_unread(case: Case, count: int) -> None:
    if case.state is not State.ADVICE_SENT:
        return
    policy = case.work.line.policy
    if count >= policy.advice_chases:
        raise_unread(case)
        return
    case.say(Notice(Party.OFFICER, "advice_chase", READ_BACK))
    until = case.work.now + policy.advice_unread
    store.set_due(case.work.session, case.row.id, Timer.ADVICE_UNREAD, until, count + 1)


def _raised_limit(case: Case, _count: int) -> None:
    if case.state is State.ADVICE_RAISED:
        case.move(Trigger.LAPSE)


_EFFECTS: dict[Timer, Callable[[Case, int], None]] = {
    Timer.ROUTE: _route,
    Timer.OFFER_UNANSWERED: _offer_unanswered,
    Timer.SEARCH_LIMIT: _search_limit,
    Timer.LEAD_SILENT: _lead_silent,
    Timer.NEXT_SHIFT: _next_shift,
    Timer.KEPT_LIMIT: _kept_limit,
    Timer.STALE_UNANSWERED: _stale_unanswered,
    Timer.WAITING: _waiting,
    Timer.OWNER_SHIFT_END: _owner_shift_end,
    Timer.TRANSFER_UNANSWERED: _transfer_unanswered,
    Timer.ADVICE_UNREAD: _advice_unread,
    Timer.RAISED_LIMIT: _raised_limit,
}
