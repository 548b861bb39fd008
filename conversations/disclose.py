"""What leaves the house on paper or as a file: for a court, an inspection, somebody's own request.

Rules kept here:
- The disclosure is recorded, and committed, before any words are opened for it: `intend` and `words_of` are two
  transactions of the caller's.
- All wordings of all messages go, each with the salt that proves it; nothing is chosen here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from access.people import NoSuchPerson
from audit.bundle import Disclosed
from audit.disclosure import Happened, Said, Told, Wording, both_times
from audit.events import Event
from audit.trail import read_leaves
from conversations import store
from conversations.case import Case
from conversations.tables import Consultation, Message
from conversations.work import BY_THE_LINE, Work, scope_of


@dataclass(frozen=True)
class Intent:
    """What is to be disclosed: to whom, on whose word."""

    consultations: tuple[str, ...]
    by: str  # a person id
    recipient: str  # a reference, not a name
    purpose: str


def of_reference(work: Work, reference: str, force: str | None = None) -> list[Consultation]:
    """The consultation of this reference, or all with this incident log number of a force. Raises `NotYours`."""
    if force is None:
        return [store.by_ref(work.session, reference)]
    return store.of_incident(work.session, work.hash("incident", f"{force}:{reference.upper()}"))


def intend(work: Work, intent: Intent) -> None:
    """Record the disclosure of each consultation. Commit this before `words_of`."""
    for consultation in intent.consultations:
        work.record(
            Event.EXPORTED, intent.by, consultation, recipient=intent.recipient, purpose=intent.purpose, words=True
        )


def words_of(work: Work, intent: Intent) -> list[Disclosed]:
    """Every wording of every message, opened. Raises LookupError where no disclosure was recorded."""
    found = []
    for consultation in intent.consultations:
        _require_recorded(work, consultation)
        for message, version in store.wordings_of(work.session, consultation):
            place, scope = f"{message.id}.{version.number}", scope_of(consultation)
            if version.salt is None:
                continue  # from before wordings were committed to: nothing could prove it
            words = work.open_words("message_version", "words", place, scope, version.words)
            salt = work.open_words("message_version", "salt", place, scope, version.salt)
            found.append(Disclosed(consultation, message.number, version.number, words, bytes.fromhex(salt)))
    return found


def told(work: Work, consultation: str, words: list[Disclosed], size: int) -> Told:
    """One consultation for reading: every wording, and what happened up to a signed size."""
    row = work.session.get_one(Consultation, consultation)
    wordings: dict[int, list[Wording]] = {}
    times = {
        (message.number, version.number): version.at
        for message, version in store.wordings_of(work.session, consultation)
    }
    for one in words:
        if one.consultation == consultation:
            at = times[one.number, one.version]
            wordings.setdefault(one.number, []).append(Wording(one.version, at, one.words))
    messages = store.messages_of(work.session, consultation)
    said = [Said(one.number, _author(work, one), tuple(wordings.get(one.number, ()))) for one in messages]
    leaves = [json.loads(leaf) for leaf in read_leaves(work.session, consultation)]
    history = [happened(work, leaf) for leaf in leaves if leaf["index"] < size]
    return Told(row.ref, _facts(work, row), tuple(said), tuple(history))


def _facts(work: Work, row: Consultation) -> tuple[tuple[str, str], ...]:
    case = Case(work, row)
    facts = case.officer_facts()
    idva = row.idva_id or row.last_idva_id
    return (
        ("Officer", f"{facts['officer']}, {facts['force']}"),
        ("IDVA", work.person(idva).name if idva else "none"),
        ("Asked", both_times(row.asked_at)),
        ("Ended", both_times(row.ended_at) if row.ended_at else "not yet"),
        ("State", row.state),
        ("Grade as the officer set it", facts["grade"]),
        ("Victim safe now, as the officer said", facts["safe"]),
        ("Incident log", facts["log"]),
    )


def _author(work: Work, message: Message) -> str:
    return work.person(message.author_id).title if message.author_id else "the line"


def happened(work: Work, leaf: dict[str, Any]) -> Happened:
    """A leaf in words that people read; nobody's words are in it."""
    known = leaf["actor"] not in (BY_THE_LINE, "stranger")
    who = work.person(leaf["actor"]).title if known else f"the {leaf['actor']}"
    shown = {name: value for name, value in leaf["facts"].items() if name not in ("commitment", "sealed")}
    facts = ", ".join(f"{name} {_named(work, name, value)}" for name, value in shown.items())
    at = datetime.fromtimestamp(leaf["t_ms"] / 1000, UTC)
    return Happened(leaf["index"], at, who, f"{leaf['event']}: {facts}" if facts else leaf["event"])


def _named(work: Work, name: str, value: object) -> str:
    """People by name where a fact names them by id."""
    if name in ("to", "person", "idva", "colleague") and isinstance(value, str):
        try:
            return work.person(value).title
        except NoSuchPerson:  # "to" is a state where a consultation moved
            return value
    return str(value)


def _require_recorded(work: Work, consultation: str) -> None:
    last = read_leaves(work.session, consultation)[-1:]
    if not last or json.loads(last[0])["event"] != Event.EXPORTED.label:
        raise LookupError("a disclosure is recorded before words are opened for it")
