"""Carrying words between the two sides of a consultation.

Rules kept here:
- Words are sealed as they came, never changed; each wording of each message is kept.
- Whoever gets words gets them under a header that names the sender's side and the reference.
- Opening words to send them on is recorded as disclosure when they go out (see `courier`), and as a reading
  when somebody takes over what was said before.
"""

from __future__ import annotations

from audit.events import Event
from conversations import store
from conversations.case import Case
from conversations.post import deliver, overtake
from conversations.tables import Audience, Message, MessageKind, Side
from conversations.work import Work, scope_of

WHAT = {MessageKind.ADVICE.value: "advice from ", MessageKind.ENTRY.value: "signposting from "}


def open_version(work: Work, message: Message, number: int | None = None) -> str:
    """The words of one wording of a message; the last by default. The caller records why."""
    versions = store.versions_of(work.session, [message.id])[message.id]
    chosen = versions[(number or message.versions) - 1]
    place = f"{message.id}.{chosen.number}"
    return work.open_words("message_version", "words", place, scope_of(message.consultation_id), chosen.words)


def header(case: Case, message: Message) -> str:
    """Who says it, as the other side sees it."""
    ref = case.row.ref
    marks = " · forwarded" if message.kind == MessageKind.FORWARDED.value else ""
    marks += " · changed" if message.versions > 1 else ""
    if message.side == Side.LINE.value or message.author_id is None:
        return f"Lanyard · {ref}"
    author = case.work.person(message.author_id)
    if message.side == Side.OFFICER.value:
        return f"{ref} · {author.title}, {author.service}{marks}"
    if message.kind == MessageKind.NOTE.value:
        return f"{ref} · note from {author.name}, IDVA"
    what = WHAT.get(message.kind, "")
    return f"{ref} · {what}{author.name}, IDVA ({case.work.line.policy.service}){marks}"


def relay(case: Case, message: Message, words: str) -> None:
    """Owe a message to the other side, if it has one already."""
    to = case.row.idva_id if message.side == Side.OFFICER.value else case.row.officer_id
    if to is not None and to != message.author_id:
        due_at = overtake(case.work, message)
        deliver(case.work, case.row, message, words, to, header=f"{header(case, message)}:\n", due_at=due_at)


def show_everything(case: Case, idva_id: str) -> None:
    """Owe a new owner the whole thread so far, in order."""
    work = case.work
    for message in store.messages_of(work.session, case.row.id):
        by_people = message.side != Side.LINE.value and message.author_id != idva_id
        if by_people and message.audience != Audience.OFFICER.value:
            words = open_version(work, message)
            deliver(work, case.row, message, words, idva_id, header=f"{header(case, message)}:\n")
            work.record(Event.WORDS_READ, idva_id, case.row.id, message=message.number, purpose="took it")
