"""What a consultation is made of, and the three queues: inbox, outbox and due times.

Rules kept here:
- Words stand only in `Sealed` columns; everything else is ids, states and times.
- `seq` columns grow; order within a lane or a consultation is order of `seq`.
- The database is the queue: no message, send or timer exists in memory alone.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, Serial
from storage.sealing import Sealed, SealedText

ID = String(32)  # 128 random bits, hexadecimal


class Side(Enum):
    """Whose words they are."""

    OFFICER = "officer"
    IDVA = "idva"
    LINE = "line"  # the line itself: notices, never advice


class Audience(Enum):
    """Who sees a message in the thread."""

    BOTH = "both"
    OFFICER = "officer"
    IDVA = "idva"


class MessageKind(Enum):
    """What sort of message it is."""

    WORDS = "words"
    FORWARDED = "forward"  # words passed on from elsewhere: marked, and whose they were first is never believed
    ADVICE = "advice"  # the structured advice, to be read back
    NOTICE = "notice"  # said by the line
    NOTE = "note"  # from one IDVA to the next, at a transfer
    FLAG = "flag"  # a red flag's fixed block, or its check question
    ENTRY = "entry"  # an entry of the catalogue, as a person wrote and approved it


class FlagState(Enum):
    """Where a red flag of a consultation stands. It is never dropped, whatever anybody says of it."""

    RAISED = "raised"  # by a rule, or because the officer said yes to its check question
    ASKED = "asked"  # its check question was asked
    NOT_SO = "not_so"  # was raised; the officer says it is not so
    NO = "no"  # the officer said no to its check question
    UNKNOWN = "unknown"  # the officer cannot say


class OfferKind(Enum):
    """What is offered."""

    QUESTION = "question"
    TRANSFER = "transfer"


class OfferOutcome(Enum):
    """How an offer ended. None while it is open."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    UNANSWERED = "unanswered"
    UNREACHABLE = "unreachable"  # it could not be delivered anywhere
    OVERTAKEN = "overtaken"  # somebody else took it, or it is no longer needed


class InboxState(Enum):
    """Where an arrival stands."""

    WAITING = "waiting"  # stored, not yet handled
    DONE = "done"  # handled, in the transaction that recorded its effects
    QUARANTINED = "quarantined"  # could not be read or handled: kept sealed, alarm raised, the lane goes on


class OutboxState(Enum):
    """Where a message to somebody stands."""

    WAITING = "waiting"  # to be sent when due
    CLAIMED = "claimed"  # one courier has it until its claim runs out
    READER = "reader"  # web: waits for the reader's browser to say that it is on the screen
    DELIVERED = "delivered"  # the other side has it
    FAILED = "failed"  # given up: the sender was told and somebody else was called
    DROPPED = "dropped"  # overtaken by a newer version, or the person lost access


class Purpose(Enum):
    """Why something is sent: decides what is done when it is unknown whether it arrived."""

    THREAD = "thread"  # part of a conversation: must arrive, a labelled second copy is better than none
    CALL = "call"  # calls somebody to act: never repeated blindly, the next person is called instead
    NOTE = "note"  # an answer to the person who just wrote, outside any thread
    LAST_WORD = "last"  # tells somebody who was suspended, and writes, that their access has ended
    RECEIPT = "receipt"  # how far a message of theirs got; kept up to date by editing


class Consultation(Base):
    """One question and everything that follows from it."""

    __tablename__ = "consultation"
    __table_args__ = (
        Index(None, "state"),
        Index(None, "incident_hash"),
        Index(None, "ended_at"),
        Index(None, "asked_at"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    ref: Mapped[str] = mapped_column(String(6), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    officer_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    idva_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"), index=True)  # the one owner
    last_idva_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))  # who had it before, for reopening
    transfer_to: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    grade: Mapped[str | None] = mapped_column(String(12))  # as the officer set it; the line never grades
    later_grade: Mapped[str | None] = mapped_column(String(12))  # as somebody graded it once it had ended
    victim_safe: Mapped[bool | None]
    incident_hash: Mapped[str | None] = mapped_column(String(32))  # keyed hash of the incident log number
    incident: Mapped[Sealed | None] = mapped_column(SealedText)
    asked_at: Mapped[datetime]
    search_began_at: Mapped[datetime]  # when looking for an IDVA began, this time round
    search: Mapped[int] = mapped_column(Integer, default=1)  # how many times it was looked for
    owed_since: Mapped[datetime | None]  # when it was first kept, this time round
    ended_at: Mapped[datetime | None]
    keep_until: Mapped[datetime | None]  # reviewed, and kept on until this moment
    officer_waits: Mapped[bool] = mapped_column(Boolean, default=True)  # whose turn it is: the IDVA owes the next word
    messages: Mapped[int] = mapped_column(Integer, default=0)  # how many, to number the next
    changed_at: Mapped[datetime]


class Message(Base):
    """One message in a consultation. Its wordings are `MessageVersion`s: edits add, nothing is overwritten."""

    __tablename__ = "message"
    __table_args__ = (UniqueConstraint("consultation_id", "number"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"))
    number: Mapped[int]  # order within the consultation
    side: Mapped[str] = mapped_column(String(8))
    author_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(8))
    audience: Mapped[str] = mapped_column(String(8))
    origin: Mapped[str | None] = mapped_column(String(64), unique=True)  # hash of channel and its message id
    versions: Mapped[int] = mapped_column(Integer, default=1)
    buttons: Mapped[Sealed | None] = mapped_column(SealedText)  # rows of [label, token, action, argument]
    at: Mapped[datetime]


class MessageVersion(Base):
    """One wording of a message."""

    __tablename__ = "message_version"

    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    words: Mapped[Sealed] = mapped_column(SealedText)
    salt: Mapped[Sealed | None] = mapped_column(SealedText)  # of the commitment in the trail; none before it had one
    at: Mapped[datetime]


class Offer(Base):
    """One IDVA asked once to take one consultation."""

    __tablename__ = "offer"
    __table_args__ = (Index(None, "consultation_id", "search"), Index(None, "idva_id", "outcome"))

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"))
    idva_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(8))
    search: Mapped[int]
    offered_at: Mapped[datetime]
    due_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(16))
    answered_at: Mapped[datetime | None]


class Due(Base):
    """Something that happens to a consultation at a time unless it is cancelled before."""

    __tablename__ = "due"
    __table_args__ = (UniqueConstraint("consultation_id", "timer"), Index(None, "at"))

    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"))
    timer: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    count: Mapped[int] = mapped_column(Integer, default=0)  # how often it was put off already (nudges)


class Shift(Base):
    """When somebody is on duty, and as what. Written by the rota or by a tap on 'go on duty'."""

    __tablename__ = "shift"
    __table_args__ = (Index(None, "person_id"), Index(None, "starts_at"), Index(None, "ends_at"))

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    duty: Mapped[str] = mapped_column(String(8))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    announced: Mapped[bool] = mapped_column(Boolean, default=False)  # waiting questions were looked at when it began


class Tap(Base):
    """What one button does: bound to a person, a consultation and an action; works once."""

    __tablename__ = "tap"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    consultation_id: Mapped[str | None] = mapped_column(ForeignKey("consultation.id"))
    action: Mapped[str] = mapped_column(String(20))
    argument: Mapped[str] = mapped_column(String(80), default="")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(40))  # name of the sentence that answered it


class RedFlag(Base):
    """One red flag in one consultation."""

    __tablename__ = "red_flag"

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"), primary_key=True)
    flag: Mapped[str] = mapped_column(String(24), primary_key=True)  # a slug of `knowledge.flags.Flag`
    state: Mapped[str] = mapped_column(String(8))
    message: Mapped[int]  # number of the message that brought it up
    why: Mapped[Sealed] = mapped_column(SealedText)  # the rule, and the officer's words it saw
    at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Suggestion(Base):
    """An entry that was put forward in a consultation: to the officer at once, to the IDVA beside the thread."""

    __tablename__ = "suggestion"

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"), primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    rank: Mapped[int]  # order in which they came up
    why: Mapped[Sealed] = mapped_column(SealedText)  # may quote the officer
    at: Mapped[datetime]
    sent_at: Mapped[datetime | None]  # when an IDVA sent it


class Held(Base):
    """Somebody's line that was not sent on, because whose it is (or whether to send it) had to be asked."""

    __tablename__ = "held"
    __table_args__ = (Index(None, "due_at"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(String(12))
    why: Mapped[str] = mapped_column(String(12))
    consultation_id: Mapped[str | None] = mapped_column(ForeignKey("consultation.id"))  # where it goes by itself
    origin: Mapped[str | None] = mapped_column(String(64))
    words: Mapped[Sealed] = mapped_column(SealedText)
    scope: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # when the line acts by itself; None once resolved


class Inbox(Base):
    """Everything that arrived, sealed and stored before it was acknowledged."""

    __tablename__ = "inbox"
    __table_args__ = (UniqueConstraint("channel", "key"), Index(None, "state", "lane", "seq"))

    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    channel: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(80))
    lane: Mapped[str] = mapped_column(String(48))  # keyed hash of the sender: handled in order
    scope: Mapped[str] = mapped_column(String(80))
    raw: Mapped[Sealed] = mapped_column(SealedText)
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), default=InboxState.WAITING.value)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[datetime]
    why: Mapped[str | None] = mapped_column(String(60))  # class of the failure, never its text
    done_at: Mapped[datetime | None]


class Outbox(Base):
    """Everything owed to somebody, one row for each person and channel."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(None, "state", "due_at"),
        Index(None, "person_id", "state"),
        Index(None, "message_id"),
        Index(None, "consultation_id"),
    )

    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(ID, unique=True)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))  # None: an address without a person
    address: Mapped[Sealed | None] = mapped_column(SealedText)  # where there is no person to look up
    lane: Mapped[str] = mapped_column(String(48))  # one chat; sent in order, its trouble delays no other
    channel: Mapped[str] = mapped_column(String(10))
    purpose: Mapped[str] = mapped_column(String(8))
    carries_words: Mapped[bool] = mapped_column(Boolean, default=False)  # False for a doorbell
    consultation_id: Mapped[str | None] = mapped_column(ForeignKey("consultation.id"))
    message_id: Mapped[str | None] = mapped_column(ForeignKey("message.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)
    offer_id: Mapped[str | None] = mapped_column(ForeignKey("offer.id"))
    edits: Mapped[str | None] = mapped_column(String(32))  # id of the row whose sent message this one replaces
    scope: Mapped[str] = mapped_column(String(80))
    body: Mapped[Sealed | None] = mapped_column(SealedText)  # an `Outgoing` as JSON; None on the web
    state: Mapped[str] = mapped_column(String(10))
    due_at: Mapped[datetime]
    claim: Mapped[str | None] = mapped_column(String(32))  # a fresh random value for each claim: fences late results
    claimed_until: Mapped[datetime | None]
    sending: Mapped[bool] = mapped_column(Boolean, default=False)  # a placeholder may already be out there
    repeats: Mapped[int] = mapped_column(Integer, default=0)  # placeholders sent after an unknown outcome
    remote: Mapped[str | None] = mapped_column(String(64))  # the channel's id of the sent message
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    why: Mapped[str | None] = mapped_column(String(60))
    made_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class Thread(Base):
    """The Telegram topic of one consultation in one person's chat."""

    __tablename__ = "thread"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"), primary_key=True)
    remote: Mapped[str] = mapped_column(String(32), index=True)


class LegalHold(Base):
    """A reason why a consultation must not be erased. Standing until a second person has lifted it."""

    __tablename__ = "legal_hold"
    __table_args__ = (Index(None, "consultation_id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"))
    reason: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(40))  # the other side's number for it, never a name
    placed_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    placed_at: Mapped[datetime]
    lift_asked_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    lift_asked_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    lifted_at: Mapped[datetime | None]


class Erased(Base):
    """That there was a consultation, and how it was erased: its reference is never given again, and its certificate
    can be written again. Nobody's words, no hash of any, and nobody who was part of it."""

    __tablename__ = "erased"

    consultation_id: Mapped[str] = mapped_column(ID, primary_key=True)
    ref: Mapped[str] = mapped_column(String(6), unique=True)
    rule: Mapped[str] = mapped_column(String(16))
    by_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    destroyed: Mapped[str] = mapped_column(String(400))  # counts by name, as JSON
    leaf: Mapped[int | None] = mapped_column(BigInteger)  # where the trail says so


class Installation(Base):
    """Facts about this installation: whether it is for practice, when it was last seen running."""

    __tablename__ = "installation"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))
