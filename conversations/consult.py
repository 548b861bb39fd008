"""Asking, writing on, changing, withdrawing and reopening: what officer and IDVA do in a consultation.

Rule kept here: nobody writes in a consultation that is not theirs; what is not theirs does not exist (`NotYours`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from access.areas import area_of
from access.people import slug
from audit.events import Event
from conversations import store, wording
from conversations.case import Case
from conversations.dialogue import DOUBT_BUTTONS, Notice, Party, routed
from conversations.errors import Closed, NotYours, TooLateToReopen
from conversations.post import call, receipt, write_message
from conversations.redflags import call_for_flags, note_flags, show_flags
from conversations.relay import relay
from conversations.routing import is_urgent
from conversations.search import make_urgent, owner_present, route, stand_down
from conversations.signposting import put_forward
from conversations.states import OWNED, UNOWNED, State, Trigger
from conversations.tables import Audience, Consultation, Message, MessageKind, OfferOutcome, Side
from conversations.work import Work, scope_of
from knowledge.guide import Seen

REF_ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"  # no 0/O, 1/I/L, 2/Z, 5/S, 8/B
REF_LENGTH = 6
LOCAL = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Words:
    """What somebody wrote, and where it came from."""

    text: str
    origin: str | None = None  # hash of the channel's message id, to recognise edits and answers
    reply_to: str | None = None  # the channel's message id, for the receipt
    by_telegram: bool = False
    written_at: datetime | None = None
    forwarded: bool = False  # from elsewhere: shown as such
    anew: bool = False  # asked as something new, whatever else is open


def ask(work: Work, officer_id: str, words: Words) -> Case:
    """A new question: stored, acknowledged and offered in one go."""
    row = _new_consultation(work, officer_id)
    case = Case(work, row)
    message = _take(case, officer_id, Side.OFFICER, words, service=slug(work.person(officer_id).service))
    seen = _look(case, words.text)
    flags = note_flags(case, message, seen.findings)
    if words.written_at and work.now - words.written_at > work.line.policy.stale_after:
        case.move(Trigger.DOUBT, quiet=True)
        sentence = wording.say(
            routed(Trigger.DOUBT, State.SEEKING),
            written=f"{words.written_at.astimezone(LOCAL):%H:%M on %d %B}",
        )
        case.tell(officer_id, "received", DOUBT_BUTTONS, next=sentence)
    else:
        route(case, ack=True)
    put_forward(case, seen)
    show_flags(case, flags)  # last: the newest stands at the bottom, where the eye is
    return case


def officer_writes(case: Case, words: Words) -> Message:
    """The officer writes on. Raises `Closed`."""
    if case.ended:
        raise Closed
    before = case.state
    message = _take(case, case.row.officer_id, Side.OFFICER, words)
    seen = _look(case, words.text)
    flags = note_flags(case, message, seen.findings)
    case.move(Trigger.OFFICER_WROTE, case.row.officer_id, quiet=True)
    case.turn(officer_waits=True)
    relay(case, message, words.text)
    owner_present(case)
    if words.by_telegram and before is not State.STALE:
        receipt(case.work, case.row, message, case.row.officer_id, words.reply_to)
    if case.state is State.SEEKING:
        route(case)
    put_forward(case, seen)
    show_flags(case, flags)  # last: the newest stands at the bottom, where the eye is
    return message


def idva_writes(case: Case, idva_id: str, words: Words) -> Message:
    """The IDVA who has it writes. Raises `Closed` or `NotYours`."""
    require_owner(case, idva_id)
    message = _take(case, idva_id, Side.IDVA, words)
    case.move(Trigger.IDVA_WROTE, idva_id, quiet=True)
    case.turn(officer_waits=False)
    relay(case, message, words.text)
    if words.by_telegram:
        receipt(case.work, case.row, message, idva_id, words.reply_to)
    return message


def require_owner(case: Case, idva_id: str) -> None:
    """Raises `NotYours` unless this IDVA has it, `Closed` when it has ended."""
    if case.row.idva_id != idva_id:
        raise NotYours
    if case.state not in OWNED:
        raise Closed


def edit(case: Case, message: Message, person_id: str, text: str) -> None:
    """Somebody changes what they wrote: a new wording, sent to the other side. Raises `Closed` or `NotYours`."""
    if message.author_id != person_id:
        raise NotYours
    if case.ended:
        raise Closed
    case.reword(message, text)
    relay(case, message, text)
    by_officer = message.side == Side.OFFICER.value
    if by_officer and case.state in {State.ADVICE_SENT, State.ADVICE_RAISED}:
        case.say(Notice(Party.OWNER, "changed_after_advice"), number=message.number)
    if by_officer:
        seen = _look(case, text)
        show_flags(case, note_flags(case, message, seen.findings))
        put_forward(case, seen)


def set_grade(case: Case, grade: str) -> str:
    """The grade as the officer set it; the line never grades. Gives the sentence's detail."""
    case.row.grade = grade
    return _detail(case, "grade", f"grade {wording.GRADES[grade]}", grade)


def set_safe(case: Case, safe: bool) -> str:
    """Whether the victim is safe at this moment, as the officer says."""
    case.row.victim_safe = safe
    return _detail(case, "victim_safe", f"victim safe now: {wording.SAFE[safe]}", safe)


def set_incident(case: Case, number: str) -> str:
    """The incident log number, sealed, with a keyed hash to find other consultations on the same incident."""
    work, row = case.work, case.row
    row.incident_hash = work.hash("incident", f"{work.person(row.officer_id).service}:{number.upper()}")
    row.incident = work.seal("consultation", "incident", row.id, scope_of(row.id), number)
    return _detail(case, "incident", f"incident log {number}")


def withdraw(case: Case, officer_id: str) -> None:
    """The officer needs no answer any more. Raises `Closed`."""
    if case.ended:
        raise Closed
    had = case.close_offers(OfferOutcome.OVERTAKEN)
    stand_down(case, "call_lead_over")
    case.move(Trigger.WITHDRAW, officer_id)
    for person in had:
        call(case.work, person, case.row, "no_longer_needed")


def still_needed(case: Case) -> None:
    """The officer says that a late question still stands."""
    case.move(Trigger.STILL_NEEDED, case.row.officer_id, quiet=True)
    case.row.search_began_at = case.work.now
    route(case)
    call_for_flags(case)


def still_here(case: Case) -> None:
    """The officer answers a nudge with a tap: the waiting starts again."""
    if case.state is State.TALKING and not case.row.officer_waits:
        case.turn(officer_waits=False)
        case.say(Notice(Party.OFFICER, "still_here"))


def reopen(case: Case) -> None:
    """Ask more in a consultation that ended. Raises `TooLateToReopen`."""
    row, work = case.row, case.work
    if row.ended_at is not None and work.now - row.ended_at > work.line.policy.reopen:
        raise TooLateToReopen
    case.new_search()
    row.idva_id, row.owed_since, row.officer_waits = None, None, True
    case.move(Trigger.REOPEN, row.officer_id, quiet=True)
    route(case, ack=True)


def _look(case: Case, text: str) -> Seen:
    work = case.work
    place = area_of(work.session, case.row.officer_id) or work.line.place
    return work.line.guide.look(text, place, work.now)


def _new_consultation(work: Work, officer_id: str) -> Consultation:
    row = Consultation(
        id=work.new_id(),
        ref=_free_ref(work),
        state=State.SEEKING.value,
        officer_id=officer_id,
        asked_at=work.now,
        search_began_at=work.now,
        search=1,
        urgent=False,
        officer_waits=True,
        messages=0,
        changed_at=work.now,
    )
    work.line.keyring.make_scope(work.session, scope_of(row.id), work.now)
    work.session.add(row)
    work.session.flush()
    return row


def _free_ref(work: Work) -> str:
    while True:
        number = int(work.line.token(), 16)
        ref = ""
        for _ in range(REF_LENGTH):
            number, digit = divmod(number, len(REF_ALPHABET))
            ref += REF_ALPHABET[digit]
        if not store.ref_taken(work.session, ref):
            return ref


def _take(case: Case, author_id: str, side: Side, words: Words, **facts: Any) -> Message:
    message = write_message(
        case.work,
        case.row,
        words.text,
        side=side,
        kind=MessageKind.FORWARDED if words.forwarded else MessageKind.WORDS,
        audience=Audience.BOTH,
        author_id=author_id,
        origin=words.origin,
        **facts,
    )
    case.work.wake(case.row.officer_id, case.row.idva_id)
    return message


def _detail(case: Case, what: str, detail: str, value: str | bool | None = None) -> str:
    """`value` stands in the leaf: a grade or a yes or no, never a number that somebody gave."""
    case.work.record(Event.DETAIL_SET, case.row.officer_id, case.row.id, what=what, value=value)
    if is_urgent(case.row.grade, case.row.victim_safe, ()):
        make_urgent(case)
    if case.state in OWNED:
        case.say(Notice(Party.OWNER, "officer_detail"), detail=detail)
    elif case.state in UNOWNED:
        case.work.wake(*(offer.idva_id for offer in store.open_offers(case.work.session, case.row.id)))
    return detail
