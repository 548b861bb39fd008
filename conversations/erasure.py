"""Erasing a consultation: its key, its look-up hashes and its rows, at once, with a certificate that repeats nothing.

Rules kept here:
- One transaction: the rows, the key, the leaf `consultation.erased` and the note that the files must let go
  commit together. Dying anywhere leaves the consultation wholly there or wholly gone.
- Refused while it lives, is held, ended a moment ago, or is not due (unless a request or an order says so).
- What arrived stands a second time in the inbox, sealed under its day's key, and an answer at Telegram quotes what
  it answers. So every arrival that is done with is emptied, whosever it was: nothing reads it again.
- The trail keeps its leaves: ids, facts and commitments, which become noise without the key (docs/trail.md).
- What stays is one row `Erased`, without words, hashes or who was part of it: no reference is given twice, and a
  certificate that was lost with the process is written again.

Not done here: what a channel keeps (Telegram's copies), backups (their keys go with the backup's own period), and a
quarantined arrival, of which nobody can say whose consultation it would have been.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Delete, Update, delete, func, or_, select, update

from audit.events import Event
from audit.trail import Head
from conversations import glass, restrict, store
from conversations.errors import NotDue, NotYours, StillLive, TooFresh, UnderHold
from conversations.line import Line
from conversations.retention import require_supervisor, review_of
from conversations.states import ENDED, State
from conversations.tables import (
    Consultation,
    Due,
    Erased,
    Held,
    Inbox,
    InboxState,
    Installation,
    LegalHold,
    Message,
    MessageVersion,
    Offer,
    Outbox,
    OutboxState,
    RedFlag,
    Suggestion,
    Tap,
    Thread,
)
from conversations.tables_desk import PrivateNote
from conversations.tables_review import Review, ReviewQuestion
from conversations.work import Work, scope_of, working
from knowledge.tables import Recall, RecallPerson, Shown
from storage.failpoint import failpoint
from storage.keys import DataKey
from storage.sealing import Sealed

SETTLED = timedelta(days=2)  # Telegram delivers for 24 hours; sends and held lines have come to an end by then
FORGET_DUE = "forget_due"  # marks that the database's files may still hold what was erased
EMPTY = Sealed(b"")  # opens nowhere
TOUCHED = (
    "consultation", "message", "message_version", "offer", "due", "tap", "thread", "held", "inbox", "outbox",
    "legal_hold", "red_flag", "suggestion", "shown", "recall",
    "recall_person", "restriction", "named_reader", "broken_glass", "review", "review_question", "private_note",
)  # fmt: skip


class Rule(Enum):
    """By which rule a consultation is erased."""

    PERIOD = "period"  # its retention period has run out, and it was reviewed
    REQUEST = "request"  # somebody's request for erasure was granted (Data Protection Act 2018 s.47)
    ORDER = "order"  # a court or the Information Commissioner ordered it


@dataclass(frozen=True)
class Certificate:
    """What an erasure destroyed. Holds numbers and ids; never a word, a hash of one, or who was part of it."""

    reference: str
    consultation: str
    at: str  # UTC, ISO 8601
    rule: str
    by: str  # the id of whoever erased it
    destroyed: dict[str, int]
    leaf: int | None  # its place in the trail
    files_let_go: bool  # False: a reader was in the way; it is tried again at the next start

    def to_json(self) -> bytes:
        """The certificate as it is kept: JSON with sorted names."""
        return json.dumps({"v": 1} | asdict(self), indent=2, sort_keys=True).encode() + b"\n"


def erase(work: Work, consultation_id: str, by: str, rule: Rule) -> Erased:
    """Destroy a consultation. Raises `NotYours`, `RoleMissing`, `StillLive`, `UnderHold`, `TooFresh` or `NotDue`."""
    row = store.lock(work.session, consultation_id)
    _refuse(work, row, by, rule)
    failpoint("erase.after_refusals")
    store.mark(work.session, FORGET_DUE, work.new_id())  # also lets one erasure through at a time
    destroyed = _destroy_rows(work, row)
    failpoint("erase.after_rows")
    destroyed |= _empty_arrivals(work)
    failpoint("erase.after_arrivals")
    destroyed["keys"] = work.line.keyring.destroy(work.session, scope_of(row.id))
    failpoint("erase.after_key")
    return _record(work, row, by, rule, destroyed)


def finish(line: Line) -> bool:
    """Make the files let go of what was erased, if anything was. False: not yet; it is tried again at next start.

    After the commit, never in it. If we die before the mark is taken away, the next start does this again; of an
    erasure that commits meanwhile the mark is another one, and stays.
    """
    with line.database.reading() as session:
        mark = session.get(Installation, FORGET_DUE)
    if mark is None:
        return True
    if not line.database.forget(TOUCHED, DataKey.__tablename__):
        return False
    failpoint("erase.after_forget")
    ours = (Installation.name == FORGET_DUE, Installation.value == mark.value)
    with working(line) as work:
        return _run(work, delete(Installation).where(*ours)) == 1


def certificate(work: Work, ref: str) -> Certificate:
    """The certificate of an erased consultation, as often as it is asked for. Raises `NotYours`."""
    row = store.erased(work.session, ref)
    if row is None:
        raise NotYours
    return Certificate(
        reference=row.ref,
        consultation=row.consultation_id,
        at=row.at.astimezone(UTC).isoformat(timespec="seconds"),
        rule=row.rule,
        by=row.by_id,
        destroyed=json.loads(row.destroyed),
        leaf=row.leaf,
        files_let_go=work.session.get(Installation, FORGET_DUE) is None,
    )


def _refuse(work: Work, row: Consultation, by: str, rule: Rule) -> None:
    require_supervisor(work, by)
    if State(row.state) not in ENDED:
        raise StillLive
    if store.standing_holds(work.session, [row.id]):
        raise UnderHold
    if work.now - row.changed_at < SETTLED:
        raise TooFresh
    review = review_of(work, row, held=False)
    if rule is Rule.PERIOD and (review is None or review.due_at > work.now):
        raise NotDue


def _destroy_rows(work: Work, row: Consultation) -> dict[str, int]:
    """Everything that hangs on a consultation, in the order foreign keys allow, then the consultation itself."""
    messages = select(Message.id).where(Message.consultation_id == row.id)
    origins = select(func.count(Message.origin)).where(Message.consultation_id == row.id)  # of where each came from
    hashes = int(row.incident_hash is not None) + (work.session.scalar(origins) or 0)
    chosen = Tap.argument.endswith(f":{row.id}", autoescape=True)  # a held line's button: `held:consultation`
    # A line that still waits for its writer is not part of it: it goes on as if nothing had been proposed.
    _run(work, update(Held).where(Held.consultation_id == row.id).values(consultation_id=None))
    destroyed = {
        "sends": _run(work, delete(Outbox).where(Outbox.consultation_id == row.id)),
        "buttons": _run(work, delete(Tap).where(or_(Tap.consultation_id == row.id, chosen))),
        "timers": _run(work, delete(Due).where(Due.consultation_id == row.id)),
        "topics": _run(work, delete(Thread).where(Thread.consultation_id == row.id)),
        "versions": _run(work, delete(MessageVersion).where(MessageVersion.message_id.in_(messages))),
        "messages": _run(work, delete(Message).where(Message.consultation_id == row.id)),
        "offers": _run(work, delete(Offer).where(Offer.consultation_id == row.id)),
        "red_flags": _run(work, delete(RedFlag).where(RedFlag.consultation_id == row.id)),
        "suggestions": _run(work, delete(Suggestion).where(Suggestion.consultation_id == row.id)),
        "shown_entries": _run(work, delete(Shown).where(Shown.consultation_id == row.id)),
        "recalls": _destroy_recalls(work, row),
        "reviews": _destroy_reviews(work, row),
        "private_notes": _run(work, delete(PrivateNote).where(PrivateNote.consultation_id == row.id)),
        "lifted_holds": _run(work, delete(LegalHold).where(LegalHold.consultation_id == row.id)),
        "look_up_hashes": hashes,
    }
    restrict.forget(work.session, row.id)
    glass.forget(work.session, row.id)
    destroyed["consultations"] = _run(work, delete(Consultation).where(Consultation.id == row.id))
    return destroyed


def _destroy_recalls(work: Work, row: Consultation) -> int:
    """Recalls of its advice, and that they were acknowledged. What was shown in it may have been recalled too: that
    somebody got a correction of an entry says nothing of a consultation, and stays."""
    recalls = select(Recall.id).where(Recall.consultation_id == row.id)
    _run(work, delete(RecallPerson).where(RecallPerson.recall_id.in_(recalls)))
    return _run(work, delete(Recall).where(Recall.consultation_id == row.id))


def _destroy_reviews(work: Work, row: Consultation) -> int:
    """Reviews of it with what was asked and answered in them."""
    _run(work, delete(ReviewQuestion).where(ReviewQuestion.consultation_id == row.id))
    return _run(work, delete(Review).where(Review.consultation_id == row.id))


def _empty_arrivals(work: Work) -> dict[str, int]:
    """Empty all that is done with under the keys of the days, then destroy those that nothing waits under."""
    done = (Inbox.state == InboxState.DONE.value, func.length(Inbox.raw) > 0)
    emptied = _run(work, update(Inbox).where(*done).values(raw=EMPTY))
    dropped = _run(work, delete(Held).where(Held.due_at.is_(None)))
    settled = f"ingress:{work.now - SETTLED:%Y-%m-%d}"  # younger keys may be in use at this very moment
    finished = (OutboxState.DELIVERED.value, OutboxState.FAILED.value, OutboxState.DROPPED.value)
    sent = (Outbox.consultation_id.is_(None), Outbox.state.in_(finished), Outbox.body.is_not(None))
    notes = _run(work, update(Outbox).where(*sent).values(body=None, address=None))
    in_use = (
        select(Inbox.scope).where(Inbox.state != InboxState.DONE.value),
        select(Held.scope),
        select(Outbox.scope).where(Outbox.state.not_in(finished)),
    )
    old = delete(DataKey).where(DataKey.scope.startswith("ingress:"), DataKey.scope <= settled)
    keys = _run(work, old.where(*(DataKey.scope.not_in(scopes) for scopes in in_use)))
    return {"arrivals": emptied, "held_lines": dropped, "notes": notes, "day_keys": keys}


def _record(work: Work, row: Consultation, by: str, rule: Rule, destroyed: dict[str, int]) -> Erased:
    erased = Erased(
        consultation_id=row.id,
        ref=row.ref,
        rule=rule.value,
        by_id=by,
        at=work.now,
        destroyed=json.dumps(destroyed, sort_keys=True),
    )
    work.session.add(erased)
    work.session.flush()
    work.record(Event.CONSULTATION_ERASED, by, row.id, rule=rule.value, reference=row.ref, **destroyed)
    work.tx.before_commit(_noting_its_leaf(work, erased))
    work.wake(row.officer_id, row.last_idva_id)
    return erased


def _noting_its_leaf(work: Work, erased: Erased) -> Callable[[], None]:
    def note() -> None:
        # The head is still locked by the leaf before this: its last one is ours.
        head = work.session.get(Head, 1)
        erased.leaf = head.size - 1 if head is not None else None
        failpoint("erase.before_commit")

    return note


def _run(work: Work, statement: Delete | Update) -> int:
    done: Any = work.session.execute(statement, execution_options={"synchronize_session": False})
    return int(done.rowcount)
