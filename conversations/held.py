"""Lines that were not sent on because something had to be asked first.

Rules kept here:
- An ambiguous line is asked about and never guessed; it stays sealed until its writer says where it goes.
- A line with personal details goes out as written after ten seconds unless its writer chooses otherwise: a
  warning must not become a lost message.
- In which role it was written follows from the consultation it goes to. What its writer changes meanwhile goes out
  as changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from access.tables import Role
from audit.events import Event
from conversations import store, wording
from conversations.advise import idva_says
from conversations.case import Case
from conversations.consult import Words, ask, officer_writes, reopen
from conversations.dialogue import Action
from conversations.errors import LineError
from conversations.post import ingress_scope, make_button, note, note_with
from conversations.tables import Consultation, Held
from conversations.work import BY_THE_LINE, Work


class Why(Enum):
    """Why a line is held."""

    WHICH = "which"  # several consultations are open
    OTHER = "other"  # it answers a message of another consultation than the one being talked in
    PERSONAL = "personal"  # it seems to hold personal details


@dataclass(frozen=True)
class Doubt:
    """What has to be asked before a line can go on."""

    why: Why
    role: Role  # in which role it was written
    choices: tuple[Consultation, ...] = ()
    default: Consultation | None = None  # PERSONAL only: where it goes by itself
    may_be_new: bool = False


def hold(work: Work, person_id: str, words: Words, doubt: Doubt) -> Held:
    """Keep a line and ask its writer."""
    scope = ingress_scope(work)
    row = Held(
        id=work.new_id(),
        person_id=person_id,
        role=doubt.role.value,
        why=doubt.why.value,
        consultation_id=doubt.default.id if doubt.default else None,
        origin=words.origin,
        scope=scope,
        at=work.now,
        due_at=work.now + _patience(work, doubt.why),
    )
    _keep_words(work, row, words)
    work.session.add(row)
    work.session.flush()
    work.record(Event.MESSAGE_HELD, person_id, why=doubt.why.value)
    _ask_about(work, row, doubt)
    return row


def release(work: Work, held_id: str, person_id: str, to: Consultation | None, by: str | None = None) -> str:
    """Send a held line on: to a consultation, or as a new question. Gives the name of the answering sentence."""
    row = work.session.get(Held, held_id, with_for_update=True)
    if row is None or row.person_id != person_id or row.due_at is None:
        return "held_gone"
    words = _words_of(work, row)
    row.due_at = None
    if to is None and row.why == Why.PERSONAL.value and not words.anew:
        to = _begun_meanwhile(work, person_id)
    work.record(Event.HELD_RESOLVED, by or person_id, to.id if to else None, why=row.why)
    if to is None:
        ask(work, person_id, words)
        return "tap_done"
    case = Case.load(work, to.id)
    if case.row.officer_id != person_id:
        idva_says(case, person_id, words)
        return "tap_done"
    if case.ended:
        reopen(case)
    officer_writes(case, words)
    return "tap_done"


def reword(work: Work, person_id: str, origin: str, text: str) -> bool:
    """Somebody changes a line while it is held. False when there is none."""
    row = store.held_of_origin(work.session, person_id, origin)
    if row is None:
        return False
    _keep_words(work, row, replace(_words_of(work, row), text=text))
    work.record(Event.MESSAGE_EDITED, person_id, held=row.id)
    return True


def drop(work: Work, held_id: str, person_id: str) -> str:
    """The writer will use the secure page instead."""
    row = work.session.get(Held, held_id, with_for_update=True)
    if row is None or row.person_id != person_id or row.due_at is None:
        return "held_gone"
    row.due_at = None
    work.record(Event.HELD_RESOLVED, person_id, why="dropped")
    note(work, person_id, wording.say("held_dropped", link=work.line.doors.link("/chat")))
    return "tap_done"


def act_by_itself(work: Work, row: Held) -> None:
    """Time is up: personal details go out as written; an ambiguous line is asked about once more."""
    if row.why == Why.PERSONAL.value:
        to = store.lock(work.session, row.consultation_id) if row.consultation_id else None
        try:
            release(work, row.id, row.person_id, to, BY_THE_LINE)
        except LineError as refused:
            row.due_at = None
            note(work, row.person_id, str(refused))
        return
    choices = store.open_to(work.session, row.person_id)
    may_be_new = work.has_role(row.person_id, Role.OFFICER)
    _offer_choices(work, row, "held_reminder", choices, may_be_new=may_be_new)
    row.due_at = work.now + work.line.policy.kept_limit


def _keep_words(work: Work, row: Held, words: Words) -> None:
    kept = {"text": words.text, "forwarded": words.forwarded, "anew": words.anew, "reply_to": words.reply_to}
    data = json.dumps(kept)
    row.words = work.seal("held", "words", row.id, row.scope, data)


def _words_of(work: Work, row: Held) -> Words:
    data = json.loads(work.open_words("held", "words", row.id, row.scope, row.words))
    return Words(origin=row.origin, by_telegram=True, **data)


def _begun_meanwhile(work: Work, person_id: str) -> Consultation | None:
    """A line with personal details began no question of its own if its writer has asked one since."""
    live = store.live_of_officer(work.session, person_id)
    return live[0] if len(live) == 1 else None


def _patience(work: Work, why: Why) -> timedelta:
    policy = work.line.policy
    return policy.held_identifiers if why is Why.PERSONAL else policy.held_reminder


def _ask_about(work: Work, row: Held, doubt: Doubt) -> None:
    if doubt.why is Why.PERSONAL:
        default = doubt.default.id if doubt.default else ""
        send = make_button(work, row.person_id, None, Action.SEND_ANYWAY, f"{row.id}:{default}")
        page = make_button(work, row.person_id, None, Action.USE_PAGE, row.id)
        seconds = int(work.line.policy.held_identifiers.total_seconds())
        buttons = [send, page]
        text = wording.say("held_identifiers", seconds=seconds)
        note_with(work, row.person_id, text, buttons, _words_of(work, row).reply_to)
        return
    name = "held_which" if doubt.why is Why.WHICH else "held_other"
    _offer_choices(work, row, name, doubt.choices, may_be_new=doubt.may_be_new)


def _offer_choices(work: Work, row: Held, name: str, choices: Sequence[Consultation], *, may_be_new: bool) -> None:
    buttons = []
    for choice in choices:
        made = make_button(work, row.person_id, None, Action.SEND_ANYWAY, f"{row.id}:{choice.id}")
        buttons.append(replace(made, label=choice.ref))
    if may_be_new:
        buttons.append(make_button(work, row.person_id, None, Action.NEW_QUESTION, row.id))
    text = wording.say(name, ref=choices[0].ref if choices else "")
    note_with(work, row.person_id, text, buttons, _words_of(work, row).reply_to)
