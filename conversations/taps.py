"""What a tapped button does.

Rules kept here:
- A token works for its own person only, once, and only while its consultation allows the act; what it does is
  read from its row, never from what the client sends.
- A second tap (or the same tap under another update id) changes nothing and gets the same answer.
- A wrong, foreign or expired token gets one constant text. Somebody who tries others' buttons again and again
  raises an alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from access import permissions
from access.enrolment import count_in, hash_of
from audit.events import Event
from conversations import consult, errors, held, recalls, redflags, search, signposting, start_check, wording
from conversations.advise import ask_on, understood
from conversations.case import Case
from conversations.dialogue import Action
from conversations.errors import LineError, NotYours, Taken
from conversations.post import note
from conversations.send_entry import send_entry
from conversations.standing import may
from conversations.states import ENDED, NotPossible, State
from conversations.store import open_offers
from conversations.tables import Consultation, OfferKind, OfferOutcome, Tap
from conversations.transfer import accept_transfer, refuse_transfer
from conversations.work import Work

REFUSED = "tap_expired"
FOREIGN_AN_HOUR = 3  # somebody else's buttons; from then on it is no accident
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Pressed:
    """What came of a tap."""

    answer: str  # the sentence to show
    spent: bool = False  # nothing under that message can be done any more


def press(work: Work, person_id: str, token: str) -> Pressed:
    """Do what this button does. Never raises for what a client can send."""
    tap = work.session.get(Tap, hash_of(token), with_for_update=True, populate_existing=True)
    if tap is None or tap.person_id != person_id:
        return _not_theirs(work, person_id, foreign=tap is not None)
    if tap.used_at is not None:
        return Pressed(_again(work, tap))
    if tap.expires_at <= work.now:
        return _expired(work, tap)
    tap.used_at, tap.answer = work.now, "tap_done"
    try:
        with work.tx.attempt():
            name = _ACTS[Action(tap.action)](work, person_id, tap)
    except (LineError, NotPossible) as refused:
        tap.used_at, tap.answer = work.now, _refusal(refused)
        work.record(Event.TAP_REFUSED, person_id, tap.consultation_id, why=type(refused).__name__)
        return Pressed(_answer(work, tap, tap.answer))
    tap.answer = name
    return Pressed(_answer(work, tap, name))


def _again(work: Work, tap: Tap) -> str:
    """A second tap gets the first one's answer; but "Done." would be untrue where another button changed it since."""
    row = work.session.get(Consultation, tap.consultation_id) if tap.consultation_id else None
    if row is not None and tap.action == Action.GRADE.value and row.grade != tap.argument:
        return wording.say("tap_overtaken", detail=f"grade {wording.GRADES[row.grade]}")
    if row is not None and tap.action == Action.SAFE.value and row.victim_safe != (tap.argument == "yes"):
        return wording.say("tap_overtaken", detail=f"victim safe now: {wording.SAFE[row.victim_safe]}")
    return _answer(work, tap, tap.answer or "tap_done")


def _not_theirs(work: Work, person_id: str, *, foreign: bool) -> Pressed:
    alarm = foreign and count_in(work.session, f"t{person_id[:30]}", HOUR, work.now) >= FOREIGN_AN_HOUR
    work.record(Event.TAP_REFUSED, person_id, why="foreign" if foreign else "unknown", alarm=alarm)
    return Pressed(wording.say(REFUSED))


def _expired(work: Work, tap: Tap) -> Pressed:
    work.record(Event.TAP_REFUSED, tap.person_id, tap.consultation_id, why="expired")
    row = work.session.get(Consultation, tap.consultation_id) if tap.consultation_id else None
    if row is not None and State(row.state) in ENDED:
        return Pressed(wording.say("tap_closed", ref=row.ref), spent=True)
    return Pressed(wording.say(REFUSED), spent=True)


def _refusal(refused: Exception) -> str:
    """The name under which a refusal is kept, to be said again to a second tap: a sentence's, or the error's own."""
    if isinstance(refused, Taken):
        return "tap_taken"
    return type(refused).__name__ if isinstance(refused, LineError) else "tap_not_now"


def _answer(work: Work, tap: Tap, name: str) -> str:
    refused = getattr(errors, name, None)
    if refused is not None:
        return str(refused())
    row = work.session.get(Consultation, tap.consultation_id) if tap.consultation_id else None
    known = row is not None and row.idva_id is not None and work.line.doors.relay  # a doorbell names nobody
    by = work.person(row.idva_id).name if known and row and row.idva_id else "a colleague"
    return wording.say(name, ref=row.ref if row else "", by=by)


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


def _here(work: Work, person_id: str, _tap: Tap) -> str:
    start_check.answer(work, person_id)
    return "tap_done"


def _accept(work: Work, person_id: str, tap: Tap) -> str:
    if not may(work, person_id, permissions.Action.TAKE):
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
    if not may(work, person_id, permissions.Action.LEAD_TAKE):
        raise NotYours
    search.lead_took(_case(work, tap), person_id)
    return "tap_done"


def _send_entry(work: Work, person_id: str, tap: Tap) -> str:
    send_entry(_case(work, tap), person_id, tap.argument)
    return "tap_done"


def _acknowledge(work: Work, person_id: str, tap: Tap) -> str:
    recalls.acknowledge(work, person_id, tap.argument)
    return "tap_acknowledged"


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
    Action.NOT_SO: _of_officer(redflags.not_so),
    Action.FLAG_ANSWER: _of_officer(redflags.answer),
    Action.MEANS: _of_officer(signposting.say_meaning),
    Action.SHOW_ENTRY: _of_officer(signposting.show_entry),
    Action.SEND_ENTRY: _send_entry,
    Action.ACKNOWLEDGE: _acknowledge,
    Action.HERE: _here,
    Action.ACCEPT: _accept,
    Action.DECLINE: _decline,
    Action.LEAD_TOOK: _lead_took,
    Action.SEND_ANYWAY: _send_anyway,
    Action.USE_PAGE: lambda work, person_id, tap: held.drop(work, tap.argument, person_id),
    Action.NEW_QUESTION: lambda work, person_id, tap: held.release(work, tap.argument, person_id, None),
}
