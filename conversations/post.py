"""Putting words and calls into the outbox, for each person and each door they can be reached at.

Rules kept here:
- Everything sent to somebody is a row, written in the transaction that decided it; nothing is sent from here.
- Words of people always stand under a header that names their side, so that nobody can imitate a notice.
- In doorbell mode, and for whoever did not sign in for this shift (`may_carry`), Telegram gets a reference, a link
  and public numbers; the words wait in our own chat.
- Suspended people are sent nothing (looked at again when it is sent).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from access.enrolment import hash_of
from access.leases import signed_in_within
from access.people import telegram_of
from audit.events import Event
from conversations import wording
from conversations.dialogue import Action, Rows
from conversations.messages import Button, ChannelName, Outgoing
from conversations.split import PART, parts, units
from conversations.tables import (
    Audience,
    Consultation,
    Message,
    MessageKind,
    MessageVersion,
    Offer,
    Outbox,
    OutboxState,
    Purpose,
    Side,
    Tap,
)
from conversations.work import BY_THE_LINE, Work, scope_of
from storage.sealing import commitment

ButtonRows = tuple[tuple[Button, ...], ...]

EDIT_PAUSE = timedelta(seconds=2)  # many edits in a row go out as the last one


@dataclass(frozen=True)
class Send:
    """One thing for one person at one door."""

    person_id: str
    purpose: Purpose
    outgoing: Outgoing
    consultation: Consultation | None = None
    message: Message | None = None
    offer_id: str | None = None
    edits: str | None = None
    carries_words: bool = False
    due_at: datetime | None = None


def make_button(
    work: Work, person_id: str, row: Consultation | None, action: Action, argument: str = "", label: str = ""
) -> Button:
    """A button with a fresh token, bound to this person, consultation and action."""
    token = work.line.token()
    work.session.add(
        Tap(
            token_hash=hash_of(token),
            person_id=person_id,
            consultation_id=row.id if row else None,
            action=action.value,
            argument=argument,
            expires_at=work.now + work.line.policy.tap_life,
            used_at=None,
            answer=None,
        )
    )
    return Button(label or wording.label(action.value, argument), token)


def make_buttons(work: Work, person_id: str, row: Consultation | None, rows: Rows) -> ButtonRows:
    """Rows of buttons for one person."""
    return tuple(tuple(make_button(work, person_id, row, *press) for press in line) for line in rows)


def page_of(row: Consultation, person_id: str) -> str:
    """The path of this consultation in our own chat, for officer or IDVA."""
    return f"/chat/{row.ref}" if person_id == row.officer_id else f"/desk/{row.ref}"


def write_message(
    work: Work,
    row: Consultation,
    words: str,
    *,
    side: Side,
    kind: MessageKind,
    audience: Audience = Audience.BOTH,
    author_id: str | None = None,
    origin: str | None = None,
    buttons: ButtonRows = (),
    **facts: str,
) -> Message:
    """Add a message to the thread, sealed; `facts` stand in its leaf."""
    row.messages += 1
    message = Message(
        id=work.new_id(),
        consultation_id=row.id,
        number=row.messages,
        side=side.value,
        author_id=author_id,
        kind=kind.value,
        audience=audience.value,
        origin=origin,
        versions=1,
        at=work.now,
    )
    if buttons:
        data = json.dumps([[[button.label, button.token] for button in line] for line in buttons])
        message.buttons = work.seal("message", "buttons", message.id, scope_of(row.id), data)
    work.session.add(message)
    work.session.flush()
    add_version(work, row, message, words, **facts)
    return message


def add_version(work: Work, row: Consultation, message: Message, words: str, **facts: str) -> None:
    """Add a wording of a message, sealed and committed to in the trail; earlier ones stay."""
    place, scope, number = f"{message.id}.{message.versions}", scope_of(row.id), message.versions
    salt = work.line.token() + work.line.token()  # 32 random bytes, in hex
    sealed = work.seal("message_version", "words", place, scope, words)
    kept = work.seal("message_version", "salt", place, scope, salt)
    work.session.add(MessageVersion(message_id=message.id, number=number, words=sealed, salt=kept, at=work.now))
    work.session.flush()
    work.record(
        _event_of(message),
        message.author_id or BY_THE_LINE,
        row.id,
        message=message.number,
        version=number,
        side=message.side,
        kind=message.kind,
        commitment=commitment(bytes.fromhex(salt), words),
        sealed=sealed.digest(),
        **facts,
    )


def _event_of(message: Message) -> Event:
    if message.versions > 1:
        return Event.MESSAGE_EDITED
    return Event.NOTICE_SAID if message.side == Side.LINE.value else Event.MESSAGE_RECEIVED


def deliver(
    work: Work,
    row: Consultation,
    message: Message,
    text: str,
    to: str,
    *,
    header: str = "",
    door: str | None = None,
    buttons: ButtonRows = (),
    due_at: datetime | None = None,
) -> None:
    """Owe a message of the thread to a person: on the web, and at Telegram when they are bound to it.

    `text` is what Telegram shows in relay mode, `door` what it shows in doorbell mode (default: something new).
    `header` stands above every part of a long text: no part of it can pass for a notice of the line.
    """
    outgoing = Outgoing(text=text, placeholder="")
    _add(work, Send(to, Purpose.THREAD, outgoing, row, message, carries_words=True), ChannelName.WEB)
    work.wake(to)
    if not _has_telegram(work, to):
        return
    if not may_carry(work, to):
        _ring(work, row, message, to, door)
        return
    pieces = parts(text, PART - units(header))
    for at, piece in enumerate(pieces):
        mark = f"\n({at + 1}/{len(pieces)})" if len(pieces) > 1 else ""
        outgoing = Outgoing(
            text=header + piece + mark,
            placeholder=wording.PLACEHOLDER.format(ref=row.ref),
            buttons=buttons if at == len(pieces) - 1 else (),
            thread_title=row.ref if to != row.officer_id else None,
        )
        send = Send(to, Purpose.THREAD, outgoing, row, message, carries_words=True, due_at=due_at)
        _add(work, send, ChannelName.TELEGRAM)


def call(
    work: Work,
    to: str,
    row: Consultation,
    name: str,
    rows: Rows = (),
    *,
    offer_id: str | None = None,
    **values: object,
) -> None:
    """Call somebody to act. Their page shows it from the state; Telegram rings."""
    work.wake(to)
    if not _has_telegram(work, to):
        return
    buttons = make_buttons(work, to, row, rows)
    link = work.line.doors.link("/board" if name.startswith("call_lead") else "/desk")
    if may_carry(work, to):
        text = wording.say(name, ref=row.ref, **values)
    else:
        text = wording.doorbell(name, ref=row.ref, link=link, **values)
    outgoing = Outgoing(text=text, placeholder=wording.PLACEHOLDER.format(ref=row.ref), buttons=buttons)
    _add(work, Send(to, Purpose.CALL, outgoing, row, offer_id=offer_id), ChannelName.TELEGRAM)


def settle_call(work: Work, row: Consultation, offer: Offer, text: str) -> None:
    """Take the buttons off the call of an offer that has ended, where it was sent."""
    query = select(Outbox).where(Outbox.offer_id == offer.id, Outbox.purpose == Purpose.CALL.value)
    for sent in work.session.scalars(query):
        outgoing = Outgoing(text=text, placeholder="")
        _add(work, Send(offer.idva_id, Purpose.RECEIPT, outgoing, row, edits=sent.id), ChannelName.TELEGRAM)


def note(work: Work, to: str, text: str, rows: Rows = (), row: Consultation | None = None) -> None:
    """Answer somebody outside a thread, at Telegram, where they just wrote. Carries none of their words."""
    outgoing = Outgoing(
        text=text,
        placeholder=wording.PLACEHOLDER_PLAIN,
        buttons=make_buttons(work, to, row, rows),
    )
    _add(work, Send(to, Purpose.NOTE, outgoing, row), ChannelName.TELEGRAM)


def summon(work: Work, to: str, text: str, rows: Rows = ()) -> None:
    """Call somebody outside a consultation. Their page shows it from the state; Telegram rings."""
    work.wake(to)
    if _has_telegram(work, to):
        note(work, to, text, rows)


def last_word(work: Work, to: str, text: str) -> None:
    """Answer somebody who is suspended: the one thing they are still sent."""
    outgoing = Outgoing(text=text, placeholder=wording.PLACEHOLDER_PLAIN)
    _add(work, Send(to, Purpose.LAST_WORD, outgoing), ChannelName.TELEGRAM)


def note_with(work: Work, to: str, text: str, buttons: Iterable[Button], reply_to: str | None = None) -> None:
    """Answer somebody outside a thread with buttons made elsewhere, one a row. `reply_to`: the line it is about."""
    rows = tuple((button,) for button in buttons)
    outgoing = Outgoing(text=text, placeholder=wording.PLACEHOLDER_PLAIN, buttons=rows, reply_to=reply_to)
    _add(work, Send(to, Purpose.NOTE, outgoing), ChannelName.TELEGRAM)


def note_stranger(work: Work, address: str, text: str) -> None:
    """Answer an address that belongs to nobody we know."""
    outgoing = Outgoing(text=text, placeholder=wording.PLACEHOLDER_PLAIN)
    _add(work, Send("", Purpose.NOTE, outgoing), ChannelName.TELEGRAM, address)


def receipt(work: Work, row: Consultation, message: Message, to: str, reply_to: str | None) -> None:
    """Tell the writer at Telegram that their message is stored; `receipt_update` says how it went on."""
    outgoing = Outgoing(
        text=wording.say("receipt", ref=row.ref),
        placeholder=wording.PLACEHOLDER.format(ref=row.ref),
        reply_to=reply_to,
        thread_title=row.ref if to != row.officer_id and work.line.doors.relay else None,
    )
    _add(work, Send(to, Purpose.RECEIPT, outgoing, row, message), ChannelName.TELEGRAM)


def receipt_update(work: Work, row: Consultation, message: Message, name: str, **values: object) -> None:
    """Bring the receipt of a message up to date, once it was sent at all."""
    query = select(Outbox).where(
        Outbox.message_id == message.id, Outbox.purpose == Purpose.RECEIPT.value, Outbox.edits.is_(None)
    )
    first = work.session.scalar(query)
    if first is None or first.person_id is None:
        return
    text = (wording.say if may_carry(work, first.person_id) else wording.doorbell)(name, ref=row.ref, **values)
    outgoing = Outgoing(text=text, placeholder="")
    send = Send(first.person_id, Purpose.RECEIPT, outgoing, row, message, edits=first.id)
    _add(work, send, ChannelName.TELEGRAM)


def overtake(work: Work, message: Message) -> datetime | None:
    """A newer wording overtakes those still waiting, but for the first. Gives when it goes out: two seconds after
    the first change that has not gone out yet, so that whoever changes on and on is heard every two seconds."""
    if message.versions == 1:
        return None
    query = select(Outbox).where(
        Outbox.message_id == message.id,
        Outbox.state == OutboxState.WAITING.value,
        Outbox.sending.is_(False),
        Outbox.purpose == Purpose.THREAD.value,
        Outbox.version < message.versions,
        Outbox.version > 1,
    )
    due_at = work.now + EDIT_PAUSE
    for sent in work.session.scalars(query.with_for_update(skip_locked=True)):
        sent.state, sent.done_at = OutboxState.DROPPED.value, work.now
        due_at = min(due_at, sent.due_at)
    return due_at


def _ring(work: Work, row: Consultation, message: Message, to: str, door: str | None) -> None:
    # One unanswered ring is enough: the page behind the link shows everything.
    waiting = select(Outbox.id).where(
        Outbox.person_id == to,
        Outbox.consultation_id == row.id,
        Outbox.channel == ChannelName.TELEGRAM.value,
        Outbox.purpose == Purpose.THREAD.value,
        Outbox.state == OutboxState.WAITING.value,
        Outbox.sending.is_(False),
    )
    link = work.line.doors.link(page_of(row, to))
    if door is None and work.session.scalar(waiting.limit(1)) is not None:
        return
    text = door or wording.say("door_new", ref=row.ref, link=link)
    placeholder = wording.PLACEHOLDER.format(ref=row.ref)
    outgoing = Outgoing(text=text, placeholder=placeholder, buttons=_way_in(work, row, to))
    _add(work, Send(to, Purpose.THREAD, outgoing, row, message), ChannelName.TELEGRAM)


def _way_in(work: Work, row: Consultation, to: str) -> ButtonRows:
    """The officer's own chat inside Telegram. The link in the text stays: not every client opens Mini Apps of ours."""
    if to != row.officer_id or not work.line.doors.mini_app:
        return ()
    return ((Button(wording.label("mini_app"), app=work.line.doors.link(f"/mini-app/{row.ref}")),),)


def may_carry(work: Work, to: str) -> bool:
    """Whether Telegram may carry content to this person now: in relay mode, once they signed in for this shift.
    Whoever did not is rung, and what they write is taken in all the same: help never waits for a sign-in."""
    if not work.line.doors.relay:
        return False
    shift = work.line.policy.shift
    return not shift or signed_in_within(work.session, to, shift, work.now)


def _has_telegram(work: Work, person_id: str) -> bool:
    if not work.line.doors.telegram:
        return False
    return telegram_of(work.session, work.line.keyring, person_id) is not None


def _add(work: Work, send: Send, channel: ChannelName, address: str | None = None) -> None:
    if channel is ChannelName.TELEGRAM and not work.line.doors.telegram:
        return
    row_id = work.new_id()
    scope = scope_of(send.consultation.id) if send.consultation else ingress_scope(work)
    on_web = channel is ChannelName.WEB
    who = send.person_id or f"?{work.hash('telegram', address or '')}"
    row = Outbox(
        id=row_id,
        person_id=send.person_id or None,
        lane=f"{channel.value}:{who}"[:48],
        channel=channel.value,
        purpose=send.purpose.value,
        carries_words=send.carries_words,
        consultation_id=send.consultation.id if send.consultation else None,
        message_id=send.message.id if send.message else None,
        version=send.message.versions if send.message else 1,
        offer_id=send.offer_id,
        edits=send.edits,
        scope=scope,
        state=(OutboxState.READER if on_web else OutboxState.WAITING).value,
        due_at=send.due_at or work.now,
        made_at=work.now,
    )
    if not on_web:
        row.body = work.seal("outbox", "body", row_id, scope, json.dumps(send.outgoing.to_json()))
    if address is not None:
        row.address = work.seal("outbox", "address", row_id, scope, address)
    work.session.add(row)
    work.session.flush()


def ingress_scope(work: Work) -> str:
    """The key scope of what arrives (and is answered outside a consultation) today."""
    scope = f"ingress:{work.now:%Y-%m-%d}"
    work.line.keyring.make_scope(work.session, scope, work.now)
    return scope
