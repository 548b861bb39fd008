"""What the pages show of consultations: threads, offers, lists. Opening words records a reading first.

Rules kept here:
- `thread` is the one way a page gets words; it refuses whoever has no part in the consultation.
- A message that a page shows for the first time counts as delivered only when the browser says so (`shown`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from access.enrolment import hash_of
from access.people import Known
from audit.events import Event
from conversations import queues, store
from conversations.advise import receipt_of
from conversations.case import Case
from conversations.errors import NotYours
from conversations.post import receipt_update
from conversations.relay import open_version
from conversations.standing import seen_by
from conversations.states import ENDED, State
from conversations.tables import (
    Audience,
    Consultation,
    Message,
    MessageKind,
    MessageVersion,
    Offer,
    Outbox,
    OutboxState,
    Side,
    Tap,
)
from conversations.view_signs import SignsShown, raised_titles, signs
from conversations.work import BY_THE_LINE, Work, scope_of


@dataclass(frozen=True)
class ButtonShown:
    """A button that still works."""

    label: str
    token: str


@dataclass(frozen=True)
class Wording:
    """One wording of a message."""

    words: str
    at: datetime


@dataclass(frozen=True)
class MessageShown:
    """One message as one reader sees it."""

    id: str
    number: int
    side: str  # "officer", "idva" or "line"
    kind: str  # "words", "advice", "notice", "note"
    author: str  # name and service, or ""
    mine: bool
    versions: tuple[Wording, ...]  # first to last
    at: datetime
    delivery: str  # mine only: "received", "delivered" or "failed"; else ""
    unread: bool  # owed to this reader's browser
    receipt: str = ""  # advice only: for the officer's notebook
    buttons: tuple[tuple[ButtonShown, ...], ...] = ()

    @property
    def words(self) -> str:
        """The last wording."""
        return self.versions[-1].words


@dataclass(frozen=True)
class Summary:
    """A consultation in a list: no words."""

    ref: str
    state: str
    urgent: bool
    grade: str | None
    victim_safe: bool | None
    officer: Known
    idva: Known | None
    asked_at: datetime
    changed_at: datetime
    live: bool
    incident: str | None = None
    owed_since: datetime | None = None


@dataclass(frozen=True)
class OfferShown:
    """An offer waiting for this IDVA."""

    id: str
    kind: str
    due_at: datetime
    offered_at: datetime
    consultation: Summary
    flags: tuple[str, ...] = ()  # titles of the red flags that stand
    first_words: str = ""  # all that the officer wrote so far: a long question comes in several messages
    note: str = ""


@dataclass(frozen=True)
class ThreadShown:
    """A whole consultation as one reader sees it."""

    summary: Summary
    messages: tuple[MessageShown, ...]
    unread: tuple[str, ...] = field(default=())
    signs: SignsShown = field(default_factory=SignsShown)  # for the IDVA's side only


def summary(work: Work, row: Consultation, *, with_incident: bool = False) -> Summary:
    """A consultation without its words."""
    state = State(row.state)
    return Summary(
        ref=row.ref,
        state=row.state,
        urgent=row.urgent,
        grade=row.grade,
        victim_safe=row.victim_safe,
        officer=work.person(row.officer_id),
        idva=work.person(row.idva_id) if row.idva_id else None,
        asked_at=row.asked_at,
        changed_at=row.changed_at,
        live=state not in ENDED,
        incident=Case(work, row).incident() if with_incident else None,
        owed_since=row.owed_since,
    )


def thread(work: Work, ref: str, reader_id: str) -> ThreadShown:
    """The thread for officer or IDVA, reading recorded first. Raises `NotYours`."""
    row = store.by_ref(work.session, ref)
    side = side_of(work, row, reader_id)
    messages = [one for one in store.messages_of(work.session, row.id) if one.audience in (Audience.BOTH.value, side)]
    work.reading(reader_id, row.id, upto=row.messages, purpose="own consultation")
    beside = signs(work, row) if side == Audience.IDVA.value else SignsShown()
    return _thread(work, row, messages, reader_id, beside)


def looked_into(work: Work, row: Consultation, reader_id: str, purpose: str, *, notes: bool) -> ThreadShown:
    """What the two sides said to each other, for somebody without a part in it; with what IDVAs note for each other or
    without. Who may is the caller's; the reading is recorded first."""
    kinds = set(MessageKind) - {MessageKind.NOTICE} - (set() if notes else {MessageKind.NOTE})
    audiences = {Audience.BOTH.value} | ({Audience.IDVA.value} if notes else set())
    named = {kind.value for kind in kinds}
    found = store.messages_of(work.session, row.id)
    messages = [one for one in found if one.audience in audiences and one.kind in named]
    work.reading(reader_id, row.id, upto=row.messages, purpose=purpose)
    return _thread(work, row, messages, reader_id, signs(work, row))


def _thread(work: Work, row: Consultation, messages: list[Message], reader_id: str, beside: SignsShown) -> ThreadShown:
    owed = queues.of_message(work.session, [message.id for message in messages])
    messages = [one for one in messages if one.kind != MessageKind.NOTICE.value or _is_owed(one, owed, reader_id)]
    versions = store.versions_of(work.session, [message.id for message in messages])
    shown = tuple(_message(work, row, message, versions[message.id], owed, reader_id) for message in messages)
    unread = tuple(one.id for one in shown if one.unread)
    return ThreadShown(summary(work, row, with_incident=True), shown, unread, beside)


def _is_owed(notice: Message, owed: list[Outbox], reader_id: str) -> bool:
    """What the line says to one IDVA ("you have it") is not said to the next."""
    return any(one.message_id == notice.id and one.person_id == reader_id for one in owed)


def side_of(work: Work, row: Consultation, reader_id: str) -> str:
    """Whose side this reader is on: their own, or being asked to take it over. Raises `NotYours`."""
    if reader_id == row.officer_id:
        return Audience.OFFICER.value
    if reader_id in (row.idva_id, row.last_idva_id):
        return Audience.IDVA.value
    if any(offer.idva_id == reader_id for offer in store.open_offers(work.session, row.id)):
        return Audience.IDVA.value
    raise NotYours


def offers(work: Work, idva_id: str) -> list[OfferShown]:
    """What this IDVA is asked to take, with the question; the reading is recorded."""
    shown = []
    for offer in store.offers_to(work.session, idva_id):
        row = work.session.get_one(Consultation, offer.consultation_id)
        shown.append(_offer(work, row, offer, idva_id))
    return shown


def waiting(work: Work) -> list[Summary]:
    """Everything no IDVA has yet, urgent first; restricted ones too, since help is needed."""
    return [summary(work, row) for row in store.unowned(work.session)]


def officers_list(work: Work, officer_id: str) -> list[Summary]:
    """The officer's consultations, newest first."""
    return [summary(work, row) for row in store.recent_of_officer(work.session, officer_id)]


def idvas_list(work: Work, idva_id: str) -> list[Summary]:
    """What this IDVA has now."""
    return [summary(work, row) for row in store.owned_by(work.session, idva_id)]


def everything_live(work: Work, reader_id: str) -> list[Summary]:
    """For the board: who waits and who has what, of what this reader may know of; no words."""
    return [summary(work, row) for row in seen_by(work, store.live(work.session), reader_id)]


def shown(work: Work, ref: str, reader_id: str, message_ids: list[str]) -> int:
    """The reader's browser has these messages on the screen. Gives how many were new."""
    row = store.by_ref(work.session, ref)
    side_of(work, row, reader_id)
    changed = queues.read_on_web(work.session, reader_id, message_ids, work.now)
    for done in changed:
        delivered(work, done)
    return len(changed)


def delivered(work: Work, done: Outbox) -> None:
    """Record that words reached somebody, and bring the sender's receipt up to date."""
    if done.message_id is None or not done.carries_words or done.consultation_id is None:
        return
    row = work.session.get_one(Consultation, done.consultation_id)
    message = work.session.get_one(Message, done.message_id)
    work.record(
        Event.WORDS_DELIVERED,
        BY_THE_LINE,
        row.id,
        message=message.number,
        version=done.version,
        to=done.person_id,
        channel=done.channel,
    )
    # An IDVA's line is delivered when the officer has it, not when a colleague reads it later.
    if message.author_id is not None and done.person_id is not None and _across(row, message, done.person_id):
        receipt_update(work, row, message, "receipt_delivered", other=work.person(done.person_id).name)
    work.wake(message.author_id)


def _offer(work: Work, row: Consultation, offer: Offer, idva_id: str) -> OfferShown:
    question = [one for one in store.messages_of(work.session, row.id) if one.side == Side.OFFICER.value]
    work.reading(idva_id, row.id, upto=row.messages, purpose="offered")
    return OfferShown(
        id=offer.id,
        kind=offer.kind,
        due_at=offer.due_at,
        offered_at=offer.offered_at,
        consultation=summary(work, row),
        flags=raised_titles(work, row),
        first_words="\n".join(open_version(work, one) for one in question),
    )


def _message(
    work: Work,
    row: Consultation,
    message: Message,
    versions: list[MessageVersion],
    owed: list[Outbox],
    reader_id: str,
) -> MessageShown:
    scope = scope_of(row.id)
    author = work.person(message.author_id) if message.author_id else None
    mine = message.author_id == reader_id
    rows = [one for one in owed if one.message_id == message.id]
    return MessageShown(
        id=message.id,
        number=message.number,
        side=message.side,
        kind=message.kind,
        author=author.title if author and message.side == Side.OFFICER.value else (author.name if author else ""),
        mine=mine,
        versions=tuple(
            Wording(
                work.open_words("message_version", "words", f"{message.id}.{one.number}", scope, one.words),
                one.at,
            )
            for one in versions
        ),
        at=message.at,
        delivery=delivery_of([one for one in rows if _across(row, message, one.person_id)]) if mine else "",
        unread=any(one.person_id == reader_id and one.state == OutboxState.READER.value for one in rows),
        receipt=receipt_of(work, row, message) if message.kind == MessageKind.ADVICE.value else "",
        buttons=_buttons(work, message, scope, reader_id),
    )


def _across(row: Consultation, message: Message, person_id: str | None) -> bool:
    """Whether this person is on the other side of the message's writer."""
    return (message.author_id == row.officer_id) != (person_id == row.officer_id)


def delivery_of(rows: list[Outbox]) -> str:
    """How far a message got, by its newest wording: received, delivered or failed. `rows`: to the other side."""
    theirs = [one for one in rows if one.carries_words]
    newest = max((one.version for one in theirs), default=1)
    states = {one.state for one in theirs if one.version == newest}
    if OutboxState.DELIVERED.value in states:
        return "delivered"
    if states and states <= {OutboxState.FAILED.value, OutboxState.DROPPED.value}:
        return "failed"
    return "received"


def _buttons(work: Work, message: Message, scope: str, reader_id: str) -> tuple[tuple[ButtonShown, ...], ...]:
    if message.buttons is None:
        return ()
    data = json.loads(work.open_words("message", "buttons", message.id, scope, message.buttons))
    rows = []
    for line in data:
        live = []
        for label, token in line:
            tap = work.session.get(Tap, hash_of(token))
            if tap is not None and tap.person_id == reader_id and tap.used_at is None and tap.expires_at > work.now:
                live.append(ButtonShown(label, token))
        if live:
            rows.append(tuple(live))
    return tuple(rows)
