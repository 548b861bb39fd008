"""An officer's or IDVA's message as numbered steps: claim · who · may they · load · decide · record.

The claim (step 1) is `intake`'s: a repeat never gets here. The commit is the caller's.

Rules kept here:
- An enrolled person always gets an answer; a stranger gets one fixed line, seldom; everything else none.
- What cannot be sent gets a clear line, changes nothing and is not kept.
- Words of immediate danger are answered with the emergency words first of all, and wait for no warning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from access import enrolment, people
from access.tables import Role
from audit.events import Event
from conversations import store, wording
from conversations.advise import idva_says, is_advice, read_advice
from conversations.case import Case
from conversations.consult import Words, ask, edit, officer_writes
from conversations.danger import sounds_dangerous
from conversations.errors import LineError
from conversations.held import Doubt, Why, hold, reword
from conversations.identifiers import looks_personal
from conversations.messages import ChannelName, Incoming, Kind, Unsendable
from conversations.orders import NEW, obey
from conversations.own_account import code_presented
from conversations.post import last_word, note, note_stranger
from conversations.states import NotPossible
from conversations.tables import Consultation
from conversations.taps import press
from conversations.undelivered import stopped
from conversations.whose import Whose, origin_of, whose_is
from conversations.work import Work

BY_STRANGER = "stranger"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Received:
    """What came of it, for a door that can show it at once."""

    answer: str | None = None  # a sentence for the writer
    ref: str | None = None  # the consultation it became part of
    spent: bool = False  # TAP: none of the buttons under that message works any more


def receive(work: Work, incoming: Incoming) -> Received:
    """Take in one thing that one person did. What cannot be done is answered, and leaves nothing half done."""
    try:
        with work.tx.attempt():
            return _receive(work, incoming)
    except LineError as refused:
        text, why = str(refused), type(refused).__name__
    except NotPossible:
        text, why = wording.say("tap_not_now"), "not now"
    person_id = _who(work, incoming)
    work.record(Event.INPUT_REFUSED, person_id or BY_STRANGER, why=why)
    if incoming.channel is ChannelName.TELEGRAM and person_id is not None:
        note(work, person_id, text)
    return Received(text)


def _receive(work: Work, incoming: Incoming) -> Received:
    # 2. who is this
    person_id = _who(work, incoming)
    if person_id is None:
        return _stranger(work, incoming)
    if incoming.kind is Kind.BLOCKED:
        stopped(work, person_id)
        return Received()
    if incoming.channel is ChannelName.TELEGRAM:
        people.set_telegram_alive(work.session, person_id, None)  # who writes there can be written to there
    if incoming.kind is Kind.UNBLOCKED:
        return Received()
    # 3. may they
    if not people.is_active(work.session, person_id):
        work.record(Event.INPUT_REFUSED, person_id, why="suspended")
        text = wording.say("access_ended")
        if incoming.channel is ChannelName.TELEGRAM:
            last_word(work, person_id, text)
        return Received(text)
    return _did(work, incoming, person_id)


def _did(work: Work, incoming: Incoming, person_id: str) -> Received:
    # 4.-6. load, decide, record: by what they did
    if incoming.kind is Kind.TAP:
        pressed = press(work, person_id, incoming.token or "")
        return Received(pressed.answer, spent=pressed.spent)
    if incoming.kind is Kind.UNSENDABLE:
        return _unsendable(work, incoming, person_id)
    if incoming.kind is Kind.COMMAND and incoming.text.startswith(NEW) and work.has_role(person_id, Role.OFFICER):
        return _written(work, replace(incoming, text=incoming.text.removeprefix(NEW)), person_id, anew=True)
    if incoming.kind is Kind.COMMAND and is_advice(incoming.text) and work.has_role(person_id, Role.IDVA):
        read_advice(incoming.text).as_text()  # half a form is refused at once, not held and refused later
        return _written(work, incoming, person_id)
    if incoming.kind is Kind.COMMAND:
        return Received(obey(work, person_id, incoming))
    if incoming.kind is Kind.EDIT:
        return _edited(work, incoming, person_id)
    return _written(work, incoming, person_id)


def _who(work: Work, incoming: Incoming) -> str | None:
    if incoming.channel is ChannelName.WEB:
        return incoming.sender
    return people.person_at_telegram(work.session, work.line.keyring, incoming.sender)


def _say(work: Work, incoming: Incoming, person_id: str, name: str, **values: object) -> Received:
    policy = work.line.policy
    facts = {"emergency": policy.emergency, "lead_name": policy.lead_name, "lead_phone": policy.lead_phone}
    text = wording.say(name, **(facts | values))
    if incoming.channel is ChannelName.TELEGRAM:
        note(work, person_id, text)
    return Received(text)


def _stranger(work: Work, incoming: Incoming) -> Received:
    """Enrol by a code, or one fixed line once an hour that names neither force nor subject."""
    who = work.hash("telegram", incoming.sender)
    if incoming.kind is Kind.COMMAND and incoming.text.startswith("/start "):
        return _enrol(work, incoming, who)
    if incoming.kind in (Kind.BLOCKED, Kind.UNBLOCKED, Kind.EDIT):
        work.record(Event.INPUT_IGNORED, BY_STRANGER, why=incoming.kind.value)
        return Received()
    if incoming.kind is Kind.TAP:
        work.record(Event.TAP_REFUSED, BY_STRANGER, why="stranger")
        return Received(wording.say("tap_expired"))
    work.record(Event.INPUT_REFUSED, BY_STRANGER, why="stranger")
    if enrolment.first_in(work.session, f"s{who[:30]}", HOUR, work.now):
        note_stranger(work, incoming.sender, wording.say("stranger"))
    return Received()


def _enrol(work: Work, incoming: Incoming, who: str) -> Received:
    if not enrolment.may_guess(work.session, who, work.now):
        work.record(Event.CODE_REFUSED, BY_STRANGER, why="too many guesses", alarm=True)
        return Received()
    try:
        return Received(code_presented(work, incoming.text.removeprefix("/start ").strip(), incoming.sender))
    except enrolment.CodeRefused:
        enrolment.count_guess(work.session, who, work.now)
        work.record(Event.CODE_REFUSED, BY_STRANGER, why="code")
        note_stranger(work, incoming.sender, wording.say("code_refused"))
        return Received()


def _unsendable(work: Work, incoming: Incoming, person_id: str) -> Received:
    what = incoming.unsendable or Unsendable.OTHER
    work.record(Event.INPUT_REFUSED, person_id, why=what.value)
    if incoming.album:
        album = f"a{work.hash('album', incoming.album)[:30]}"
        if not enrolment.first_in(work.session, album, HOUR, work.now):
            return Received()
    if what is Unsendable.EMPTY and store.message_of_origin(work.session, origin_of(work, incoming) or ""):
        return _say(work, incoming, person_id, "edit_empty")
    return _say(work, incoming, person_id, f"unsendable_{what.value}")


def _edited(work: Work, incoming: Incoming, person_id: str) -> Received:
    origin = origin_of(work, incoming) or ""
    message = store.message_of_origin(work.session, origin)
    if message is None and reword(work, person_id, origin, incoming.text):
        return Received()
    if message is None:
        work.record(Event.INPUT_REFUSED, person_id, why="edit of nothing we have")
        return _say(work, incoming, person_id, "edit_unknown")
    case = Case.load(work, message.consultation_id)
    if case.ended:
        work.record(Event.INPUT_REFUSED, person_id, case.row.id, why="edit after the end")
        return _say(work, incoming, person_id, "edit_closed", ref=case.row.ref)
    edit(case, message, person_id, incoming.text)
    return Received(ref=case.row.ref)


def _written(work: Work, incoming: Incoming, person_id: str, *, anew: bool = False) -> Received:
    words = Words(
        text=incoming.text,
        origin=origin_of(work, incoming),
        reply_to=incoming.message,
        by_telegram=incoming.channel is ChannelName.TELEGRAM,
        written_at=incoming.written_at,
        forwarded=incoming.forwarded,
        anew=anew,
    )
    found = Whose(Role.OFFICER, None) if anew else whose_is(work, person_id, incoming)
    if isinstance(found, Doubt):
        if work.has_role(person_id, Role.OFFICER) and sounds_dangerous(words.text):
            _say(work, incoming, person_id, "danger")
        hold(work, person_id, words, found)
        return Received()
    if found.row is None and found.role is Role.IDVA:
        work.record(Event.INPUT_REFUSED, person_id, why="nothing open")
        waiting = ", ".join(row.ref for row in store.unowned(work.session)) or wording.say("none_waiting")
        return _say(work, incoming, person_id, "nothing_open", waiting=waiting)
    if found.role is Role.OFFICER and _must_warn(work, person_id, words):
        hold(work, person_id, words, Doubt(Why.PERSONAL, Role.OFFICER, default=found.row))
        return Received()
    row = _take_in(work, person_id, found, words)
    _slow_down(work, incoming, person_id)
    return Received(ref=row.ref)


def _must_warn(work: Work, person_id: str, words: Words) -> bool:
    """Whether this would pass personal details through Telegram; whoever is in danger is not kept waiting for that."""
    if not words.by_telegram or not work.line.doors.relay or sounds_dangerous(words.text):
        return False
    text = words.text
    for row in store.recent_of_officer(work.session, person_id):
        text = text.replace(row.ref, " ")  # our references look like postcodes
    return looks_personal(text)


def _take_in(work: Work, person_id: str, found: Whose, words: Words) -> Consultation:
    if found.row is None:
        return ask(work, person_id, words).row  # its acknowledgement begins with the emergency words
    case = Case.load(work, found.row.id)
    if found.role is Role.IDVA:
        idva_says(case, person_id, words)
        return case.row
    if sounds_dangerous(words.text):
        case.tell(person_id, "danger")
    officer_writes(case, words)
    return case.row


def _slow_down(work: Work, incoming: Incoming, person_id: str) -> None:
    # Nothing is refused: everything that was received is kept and carried. One line a minute asks for patience.
    written = store.messages_since(work.session, person_id, work.now - MINUTE)
    if written > work.line.policy.flood and enrolment.first_in(work.session, f"f{person_id[:30]}", MINUTE, work.now):
        _say(work, incoming, person_id, "slow_down")
