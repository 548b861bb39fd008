"""What a tapped button does.

Rules kept here:
- A token works for its own person only, once, and only while its consultation allows the act; what it does is
  read from its row, never from what the client sends.
- A second tap (or the same tap under another update id) changes nothing and gets the same answer.
- A wrong, foreign or expired token gets one constant text.
"""

from __future__ import annotations

from collections.abc import Callable

from access.enrolment import hash_of
from access.tables import Role
from audit.events import Event
from conversations import consult, held, search, wording
from conversations.advise import ask_on, understood
from conversations.case import Case
from conversations.dialogue import Action
from conversations.errors import LineError, NotYours, Taken
from conversations.post import note
from conversations.states import NotPossible
from conversations.store import open_offers
from conversations.tables import Consultation, OfferKind, OfferOutcome, Tap
from conversations.transfer import accept_transfer, refuse_transfer
from conversations.work import Work

REFUSED = "tap_expired"


def press(work: Work, person_id: str, token: str) -> str:
    """Do what this button does. Gives the sentence to show; never raises for what a client can send."""
    tap = work.session.get(Tap, hash_of(token), with_for_update=True, populate_existing=True)
    if tap is None or tap.person_id != person_id:
        work.record(Event.TAP_REFUSED, person_id, why="unknown" if tap is None else "foreign")
        return wording.say(REFUSED)
    if tap.used_at is not None:
        return _answer(work, tap, tap.answer or "tap_done")
    if tap.expires_at <= work.now:
        return _expired(work, tap)
    tap.used_at, tap.answer = work.now, "tap_done"
    try:
        with work.tx.attempt():
            name = _ACTS[Action(tap.action)](work, person_id, tap)
    except (LineError, NotPossible) as refused:
        tap.used_at = work.now
        tap.answer = _refusal(refused)
        if isinstance(refused, Taken):
            return wording.say("tap_taken", by=refused.by)
        return str(refused) if isinstance(refused, LineError) else _answer(work, tap, tap.answer)
    tap.answer = name
    return _answer(work, tap, name)


def _expired(work: Work, tap: Tap) -> str:
    work.record(Event.TAP_REFUSED, tap.person_id, tap.consultation_id, why="expired")
    if tap.consultation_id is not None:
        case = Case.load(work, tap.consultation_id)
        if case.ended:
            return wording.say("tap_closed", ref=case.row.ref)
    return wording.say(REFUSED)


def _refusal(refused: Exception) -> str:
    return "tap_expired" if isinstance(refused, NotYours) else "tap_not_now"


def _answer(work: Work, tap: Tap, name: str) -> str:
    row = work.session.get(Consultation, tap.consultation_id) if tap.consultation_id else None
    return wording.say(name, ref=row.ref if row else "")


def _case(work: Work, tap: Tap) -> Case:
    if tap.consultation_id is None:
        raise NotYours
    return Case.load(work, tap.consultation_id)


def _of_officer(act: Callable[[Case, str], None]) -> Callable[[Work, str, Tap], str]:
    def run(work: Work, person_id: str, tap: Tap) -> str:
        case = _case(work, tap)
        if case.row.officer_id != person_id:
            raise NotYours
        act(case, tap.argument)
        return "tap_done"

    return run


def _grade(case: Case, argument: str) -> None:
    consult.set_grade(case, argument)


def _safe(case: Case, argument: str) -> None:
    consult.set_safe(case, argument == "yes")


def _log(case: Case, _argument: str) -> None:
    note(case.work, case.row.officer_id, wording.say("log_how", ref=case.row.ref), row=case.row)


def _withdraw(case: Case, _argument: str) -> None:
    consult.withdraw(case, case.row.officer_id)


def _accept(work: Work, person_id: str, tap: Tap) -> str:
    if not work.has_role(person_id, Role.IDVA):
        raise NotYours
    case = _case(work, tap)
    if case.transfer_offer() == person_id:
        accept_transfer(case, person_id)
    else:
        search.accept(case, person_id)
    return "tap_done"


def _decline(work: Work, person_id: str, tap: Tap) -> str:
    case = _case(work, tap)
    offers = open_offers(work.session, case.row.id)
    if any(offer.idva_id == person_id and offer.kind == OfferKind.TRANSFER.value for offer in offers):
        refuse_transfer(case, OfferOutcome.DECLINED)
    else:
        search.decline(case, person_id, tap.argument)
    return "tap_done"


def _lead_took(work: Work, person_id: str, tap: Tap) -> str:
    if not work.has_role(person_id, Role.SUPERVISOR):
        raise NotYours
    search.lead_took(_case(work, tap), person_id)
    return "tap_done"


def _send_anyway(work: Work, person_id: str, tap: Tap) -> str:
    held_id, _, consultation_id = tap.argument.partition(":")
    to = work.session.get(Consultation, consultation_id) if consultation_id else None
    return held.release(work, held_id, person_id, to)


_ACTS: dict[Action, Callable[[Work, str, Tap], str]] = {
    Action.GRADE: _of_officer(_grade),
    Action.SAFE: _of_officer(_safe),
    Action.LOG: _of_officer(_log),
    Action.WITHDRAW: _of_officer(_withdraw),
    Action.STILL_NEEDED: _of_officer(lambda case, _: consult.still_needed(case)),
    Action.STILL_HERE: _of_officer(lambda case, _: consult.still_here(case)),
    Action.UNDERSTOOD: _of_officer(lambda case, _: understood(case)),
    Action.ASK_ON: _of_officer(lambda case, _: ask_on(case)),
    Action.REOPEN: _of_officer(lambda case, _: consult.reopen(case)),
    Action.ACCEPT: _accept,
    Action.DECLINE: _decline,
    Action.LEAD_TOOK: _lead_took,
    Action.SEND_ANYWAY: _send_anyway,
    Action.USE_PAGE: lambda work, person_id, tap: held.drop(work, tap.argument, person_id),
    Action.NEW_QUESTION: lambda work, person_id, tap: held.release(work, tap.argument, person_id, None),
}
