"""Red flags in a consultation: raised by rule at once, or asked about; what the officer says of them is recorded.

Rules kept here:
- A raised flag shows its fixed words in the transaction of the message that raised it, makes the consultation urgent,
  and calls whoever has it (or is asked to take it) and the duty lead. It waits for nobody.
- A flag is asked about once in a consultation. "Not so" is recorded and shown to the IDVA: the flag stays on the
  record, and the consultation stays urgent.
- The trail gets the flag and what became of it; the words that brought it up stay sealed.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit.events import Event
from conversations import wording
from conversations.case import Case
from conversations.dialogue import Action, Notice, Party, Rows
from conversations.errors import NotYours
from conversations.post import call, make_buttons, page_of
from conversations.search import call_leads, make_urgent
from conversations.signs import flags_of, raised_in
from conversations.states import UNOWNED, State
from conversations.store import open_offers
from conversations.tables import FlagState, Message, MessageKind, RedFlag
from conversations.work import BY_THE_LINE, scope_of
from knowledge.flags import Finding, Flag, Tier

QUESTIONS = 2  # check questions on one message, at most
ANSWERS = {"yes": FlagState.RAISED, "no": FlagState.NO, "unknown": FlagState.UNKNOWN}


def note_flags(case: Case, message: Message, findings: Sequence[Finding]) -> list[RedFlag]:
    """Put what a message brought up on the record; gives what is new: to be shown with `show_flags`."""
    known = flags_of(case.work.session, case.row.id)
    raised = [one for one in findings if one.tier is Tier.RAISED and _is_new(known.get(one.flag.value), message)]
    asked = [one for one in findings if one.tier is Tier.ASK and one.flag.value not in known][:QUESTIONS]
    rows = [_note(case, message, one, known.get(one.flag.value)) for one in [*raised, *asked]]
    if raised:
        make_urgent(case)
    return rows


def show_flags(case: Case, rows: Sequence[RedFlag]) -> None:
    """Show the officer the fixed words of what was raised, call who must know, and put the check questions."""
    raised = [row for row in rows if row.state == FlagState.RAISED.value]
    for row in raised:
        block = case.work.line.guide.block(Flag(row.flag))
        text = wording.say("flag_block", ref=case.row.ref, title=block.title, block=block.text)
        _put(case, text, (((Action.NOT_SO, row.flag),),))
    if raised and case.state is not State.STALE:  # a late question calls nobody before the officer says that it stands
        _call(case, raised)
    for row in rows:
        if row.state == FlagState.ASKED.value:
            text = wording.say("flag_question", ref=case.row.ref, question=_question(case, row))
            _put(case, text, (tuple((Action.FLAG_ANSWER, f"{row.flag}:{answer}") for answer in ANSWERS),))


def call_for_flags(case: Case) -> None:
    """Call for what was raised while nobody was to be called yet."""
    raised = raised_in(case.work.session, case.row.id)
    if raised:
        _call(case, raised)


def answer(case: Case, argument: str) -> None:
    """The officer answers a check question with a tap: `flag:yes`, `flag:no` or `flag:unknown`."""
    slug, _, said = argument.partition(":")
    row = _row(case, slug)
    if row.state != FlagState.ASKED.value:
        return  # a rule has raised it since, or it was answered at the other door
    _change(case, row, ANSWERS[said], said)
    question = _question(case, row)
    case.say(Notice(Party.OWNER, "flag_answered"), question=question, answer=wording.FLAG_ANSWERS[said])
    if row.state == FlagState.RAISED.value:
        make_urgent(case)
        show_flags(case, [row])


def not_so(case: Case, slug: str) -> None:
    """The officer says that a raised flag is not so: recorded, never dropped."""
    row = _row(case, slug)
    if row.state != FlagState.RAISED.value:
        return
    _change(case, row, FlagState.NOT_SO, "not so")
    title = case.work.line.guide.block(Flag(slug)).title
    case.tell(case.row.officer_id, "flag_not_so", title=title)
    case.say(Notice(Party.OWNER, "officer_not_so"), title=title)


def _is_new(row: RedFlag | None, message: Message) -> bool:
    """Whether a rule's finding says anything new: the same message again does not overrule the officer's "not so"."""
    if row is None or row.state in (FlagState.ASKED.value, FlagState.NO.value, FlagState.UNKNOWN.value):
        return True
    return row.state == FlagState.NOT_SO.value and row.message != message.number


def _note(case: Case, message: Message, finding: Finding, known: RedFlag | None) -> RedFlag:
    work, slug = case.work, finding.flag.value
    why = work.seal("red_flag", "why", f"{case.row.id}.{slug}", scope_of(case.row.id), finding.why)
    row = known or RedFlag(consultation_id=case.row.id, flag=slug, at=work.now)
    row.state = (FlagState.RAISED if finding.tier is Tier.RAISED else FlagState.ASKED).value
    row.message, row.why, row.changed_at = message.number, why, work.now
    work.session.add(row)
    work.session.flush()
    event = Event.FLAG_RAISED if finding.tier is Tier.RAISED else Event.FLAG_ASKED
    work.record(event, BY_THE_LINE, case.row.id, flag=slug, message=message.number)
    return row


def _change(case: Case, row: RedFlag, state: FlagState, said: str) -> None:
    work = case.work
    row.state, row.changed_at = state.value, work.now
    work.session.flush()
    work.record(Event.FLAG_ANSWERED, case.row.officer_id, case.row.id, flag=row.flag, answer=said)
    if state is FlagState.RAISED:
        work.record(Event.FLAG_RAISED, case.row.officer_id, case.row.id, flag=row.flag, message=row.message)


def _call(case: Case, raised: Sequence[RedFlag]) -> None:
    """Whoever has it, or is being asked to take it, and the duty lead."""
    work = case.work
    titles = ", ".join(work.line.guide.block(Flag(row.flag)).title for row in raised)
    case.say(Notice(Party.OWNER, "flag_raised"), flags=titles)
    for offer in open_offers(work.session, case.row.id):
        if case.state in UNOWNED and offer.offered_at < work.now:  # an offer made just now says it already
            call(work, offer.idva_id, case.row, "call_flag", flags=titles, **case.officer_facts())
    call_leads(case, "call_lead_flag", flags=titles)


def _put(case: Case, text: str, rows: Rows) -> None:
    officer = case.row.officer_id
    link = case.work.line.doors.link(page_of(case.row, officer))
    door = wording.say("door_flag", emergency=case.work.line.policy.emergency, ref=case.row.ref, link=link)
    case.put(officer, text, MessageKind.FLAG, make_buttons(case.work, officer, case.row, rows), door)


def _row(case: Case, slug: str) -> RedFlag:
    row = flags_of(case.work.session, case.row.id).get(slug)
    if row is None:
        raise NotYours
    return row


def _question(case: Case, row: RedFlag) -> str:
    return case.work.line.guide.block(Flag(row.flag)).question
