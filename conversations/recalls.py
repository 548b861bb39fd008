"""When an entry or an advice was wrong: the correction goes to whoever was shown it, and each acknowledges it.

Rules kept here:
- Everybody who was shown the entry in the period is told, at every door they have; who has not acknowledged it is
  listed until they have.
- In doorbell mode Telegram carries only that something waits; what was wrong stands on our own page.
- A correction of advice is words of the IDVA: sealed in its thread, under the IDVA's name, whether or not it ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from access import permissions
from access.people import NoSuchPerson, telegram_of
from access.tables import Role
from audit.events import Event
from conversations import catalogue, wording
from conversations.case import Case
from conversations.dialogue import Action, Rows
from conversations.errors import NoAdvice, NoSuchCorrection, NothingToSay, NotYours, WrongPeriod
from conversations.post import deliver, make_buttons, may_carry, note, write_message
from conversations.relay import header
from conversations.standing import require
from conversations.tables import Consultation, Message, MessageKind, Side
from conversations.work import Work
from knowledge import library, recall
from knowledge.tables import EntryVersion, Recall

LONGEST = 2_000  # characters of a correction
RECENT = timedelta(days=14)  # how far back an IDVA is shown their own advice


@dataclass(frozen=True)
class Wrong:
    """What was wrong, when it was shown, and what is right."""

    entry_id: str
    since: datetime
    until: datetime
    correction: str
    withdraw: bool  # take it out of the live catalogue with it


def recall_entry(work: Work, by: str, wrong: Wrong) -> str:
    """Recall an entry; gives the recall's id. Raises `RoleMissing`, `WrongPeriod`, `NothingToSay`, `NoSuchVersion`
    or what `library.withdraw` does."""
    require(work, by, permissions.Action.RECALL_ENTRY)
    if wrong.until <= wrong.since:
        raise WrongPeriod
    correction = _correction(wrong.correction)
    library.version(work.session, wrong.entry_id, 1)
    recall_id, period = work.new_id(), (wrong.since, wrong.until)
    people = recall.recall_entry(work.session, recall_id, wrong.entry_id, period, correction, by, work.now)
    work.record(Event.RECALLED, by, recall=recall_id, entry=wrong.entry_id, people=len(people))
    if wrong.withdraw:
        catalogue.withdraw(work, by, wrong.entry_id, f"recalled: {correction}"[:400])
    for person in people:
        _tell(work, person, _one(work, recall_id))
    return recall_id


def recall_advice(case: Case, by: str, words: str) -> str:
    """Correct the advice of a consultation; gives the recall's id. Raises `NotYours`, `NoAdvice` or `NothingToSay`."""
    work, row = case.work, case.row
    _require_adviser(case, by)
    words = wording.say("correction_advice", ref=row.ref, correction=_correction(words))
    recall_id, officer = work.new_id(), row.officer_id
    recall.recall_advice(work.session, recall_id, row.id, officer, by, work.now)
    buttons = make_buttons(work, officer, row, _button(recall_id))
    message = write_message(work, row, words, side=Side.IDVA, kind=MessageKind.ADVICE, author_id=by, buttons=buttons)
    deliver(work, row, message, words, officer, header=f"{header(case, message)}:\n", buttons=buttons)
    row.changed_at = work.now  # it is not erased while this is on its way
    work.record(Event.RECALLED, by, row.id, recall=recall_id, people=1)
    work.wake(officer)
    return recall_id


def acknowledge(work: Work, person_id: str, recall_id: str) -> None:
    """Somebody has read a correction; a second time changes nothing. Raises `NotYours` where it is not for them."""
    if recall.acknowledge(work.session, recall_id, person_id, work.now):
        work.record(Event.RECALL_ACKNOWLEDGED, person_id, recall=recall_id)
        work.wake(person_id)
    elif not any(one.person_id == person_id for one in _one(work, recall_id).people):
        raise NotYours


def send_again(work: Work, by: str, recall_id: str) -> int:
    """Tell everybody again who has not acknowledged it; gives how many. Raises `RoleMissing` or `NotYours`."""
    require(work, by, permissions.Action.RECALL_ENTRY)
    found = _one(work, recall_id)
    for one in found.missing:
        _tell(work, one.person_id, found)
    work.record(Event.RECALL_SENT_AGAIN, by, recall=recall_id, people=len(found.missing))
    return len(found.missing)


@dataclass(frozen=True)
class Owed:
    """A correction that waits for somebody's acknowledgement."""

    id: str
    title: str  # of what was wrong
    correction: str  # "" for an advice: it stands in its thread
    ref: str  # of the advice's consultation, or ""
    at: datetime


def owed(work: Work, person_id: str) -> list[Owed]:
    """Corrections that this person has not acknowledged, oldest first."""
    return [
        Owed(one.id, title(work, one), one.correction or "", _ref(work, one), one.made_at)
        for one in recall.owed_to(work.session, person_id)
    ]


def title(work: Work, one: Recall) -> str:
    """What was recalled, in a few words."""
    if one.entry_id is None:
        return f"Advice in {_ref(work, one)}"
    row: EntryVersion = library.versions(work.session, one.entry_id)[0]
    return library.title_of(row)


def advised_by(work: Work, idva_id: str) -> list[Consultation]:
    """Consultations in which this IDVA gave advice within the last fortnight, the newest first."""
    query = (
        select(Consultation)
        .join(Message, Message.consultation_id == Consultation.id)
        .where(
            or_(Consultation.idva_id == idva_id, Consultation.last_idva_id == idva_id),
            Message.kind == MessageKind.ADVICE.value,
            Message.at > work.now - RECENT,
        )
    )
    return list(work.session.scalars(query.distinct().order_by(Consultation.changed_at.desc())))


def _require_adviser(case: Case, by: str) -> None:
    """The IDVA who has or had it; another one only when that one no longer uses the line."""
    work, row = case.work, case.row
    if not work.has_role(by, Role.IDVA) or by == row.officer_id:
        raise NotYours
    theirs = [one for one in (row.idva_id, row.last_idva_id) if one is not None]
    if not theirs:
        raise NoAdvice
    if by not in theirs and any(_active(work, one) for one in theirs):
        raise NotYours
    given = select(Message.id).where(Message.consultation_id == row.id, Message.kind == MessageKind.ADVICE.value)
    if work.session.scalar(given.limit(1)) is None:
        raise NoAdvice


def _active(work: Work, person_id: str) -> bool:
    try:
        return work.has_role(person_id, Role.IDVA)
    except NoSuchPerson:
        return False


def _tell(work: Work, person_id: str, found: recall.Reached) -> None:
    work.wake(person_id)
    if not work.line.doors.telegram or telegram_of(work.session, work.line.keyring, person_id) is None:
        return  # the correction stands on their page until they acknowledge it
    one = found.recall
    if not may_carry(work, person_id) or one.correction is None:
        note(work, person_id, wording.say("door_correction", link=work.line.doors.link("/chat")))
        return
    text = wording.say("correction", title=title(work, one), correction=one.correction)
    note(work, person_id, text, _button(one.id))


def _button(recall_id: str) -> Rows:
    return (((Action.ACKNOWLEDGE, recall_id),),)


def _one(work: Work, recall_id: str) -> recall.Reached:
    found = recall.recalls(work.session, recall_id)
    if not found:
        raise NoSuchCorrection
    return found[0]


def _ref(work: Work, one: Recall) -> str:
    row = work.session.get(Consultation, one.consultation_id) if one.consultation_id else None
    return row.ref if row is not None else ""


def _correction(words: str) -> str:
    said = words.strip()
    if not said or len(said) > LONGEST:
        raise NothingToSay
    return said
