"""Ending with advice: the short structured form, the read-back, and a further question.

Rules kept here:
- Advice is given by the IDVA who has the consultation, in their own words; only when the officer confirms having
  understood it is the consultation advised.
- Each advice says what it is, in its first line and in its leaf. The IDVA says so each time: none is taken for granted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from audit.trail import leaf_of_message
from audit.tree import leaf_hash
from conversations import store
from conversations.case import Case
from conversations.consult import Words, idva_writes, require_owner
from conversations.dialogue import READ_BACK, Action
from conversations.errors import EmptyAdvice, NoAdviceStatus, UnclearAdvice
from conversations.post import deliver, make_buttons, receipt, write_message
from conversations.relay import header
from conversations.search import call_leads, owner_present, stand_down
from conversations.states import State, Trigger, advance
from conversations.tables import Consultation, Message, MessageKind, Side
from conversations.work import Work

STANDING_LINE = "From an independent health IDVA: advice, not an order. The operational decision is the officer's."
REPLACES = "This replaces the earlier advice."

ORDER = "/advise"
PARTS = {"status": "status", "do now": "do_now", "tell": "tell", "services": "services", "would change": "would_change"}
_PART = re.compile(rf"^[ \t]*({'|'.join(PARTS)})[ \t]*:", re.IGNORECASE | re.MULTILINE)


class AdviceStatus(Enum):
    """What an advice is, so that nobody later asks. The value is the slug in the leaf and never changes once used."""

    def __init__(self, slug: str, label: str, meaning: str) -> None:
        self.slug = slug
        self.label = label
        self.meaning = meaning

    INFORMATION = ("information", "information", "Facts for you to use; nothing is advised.")
    ADVICE = ("advice", "advice", "What the IDVA would do; you decide.")
    CONCERN = ("concern", "advice with concern", "The IDVA fears harm if this is not done; you decide.")
    DECISION = (
        "decision",
        "needs a decision by the officer's supervisor",
        "Your supervisor has to decide this: ask now. This line does not wait for the decision.",
    )

    @classmethod
    def named(cls, words: str) -> AdviceStatus | None:
        """The one with this slug or label, however it is written; None for anything else."""
        wanted = " ".join(words.lower().replace("\u2019", "'").split()).rstrip(".")
        return next((one for one in cls if wanted in (one.slug, one.label)), None)


@dataclass(frozen=True)
class Advice:
    """What the IDVA advises, in the order the officer reads it."""

    status: AdviceStatus | None  # None: not said, which `as_text` refuses
    do_now: str
    tell: str  # who to tell and by when
    services: str = ""  # signposted services
    would_change: str = ""  # what would change this advice

    def as_text(self) -> str:
        """The one message the officer gets. Raises `NoAdviceStatus` or `EmptyAdvice`."""
        if self.status is None:
            raise NoAdviceStatus
        if not self.do_now.strip() or not self.tell.strip():
            raise EmptyAdvice
        parts = [
            ("Status", f"{self.status.label}. {self.status.meaning}"),
            ("Do now", self.do_now),
            ("Tell", self.tell),
        ]
        parts += [("Services", self.services)] if self.services.strip() else []
        parts += [("This would change the advice", self.would_change)] if self.would_change.strip() else []
        return "\n\n".join([*(f"{title}: {text.strip()}" for title, text in parts), STANDING_LINE])


def read_advice(text: str) -> Advice:
    """Advice typed in a chat: "/advise Status: … Do now: … Tell: …" and so on, each name on a new line, once.

    Raises `UnclearAdvice`: what stands under no name, or twice under one, is not guessed at."""
    before, *pieces = _PART.split(text.removeprefix(ORDER).lstrip())
    names = [PARTS[name.lower()] for name in pieces[::2]]
    if before.strip() or not names or len(set(names)) < len(names):
        raise UnclearAdvice
    said = dict.fromkeys(PARTS.values(), "") | dict(zip(names, map(str.strip, pieces[1::2]), strict=True))
    return Advice(AdviceStatus.named(said.pop("status")), **said)


def is_advice(text: str) -> bool:
    """Whether a line typed in a chat is meant as the advice."""
    return text.split(maxsplit=1)[:1] == [ORDER]


def idva_says(case: Case, idva_id: str, words: Words) -> None:
    """What an IDVA typed in a chat: advice when it begins with /advise, else words."""
    if not is_advice(words.text):
        idva_writes(case, idva_id, words)
        return
    message = advise(case, idva_id, read_advice(words.text))
    if words.by_telegram:
        receipt(case.work, case.row, message, idva_id, words.reply_to)


def advise(case: Case, idva_id: str, advice: Advice) -> Message:
    """Give advice, or give it again corrected.

    Raises `NoAdviceStatus`, `EmptyAdvice`, `NotYours`, `Closed` or `NotPossible`."""
    require_owner(case, idva_id)
    work, row = case.work, case.row
    text = advice.as_text()
    if case.state in (State.ADVICE_SENT, State.ADVICE_RAISED):
        text = f"{REPLACES}\n\n{text}"
    case.move(Trigger.ADVISE, idva_id)
    # Nobody confirms, under earlier advice, what they have not read yet.
    store.expire_taps(work.session, row.id, work.now, [Action.UNDERSTOOD.value, Action.ASK_ON.value])
    buttons = make_buttons(work, row.officer_id, row, READ_BACK)
    message = write_message(
        work,
        row,
        text,
        side=Side.IDVA,
        kind=MessageKind.ADVICE,
        author_id=idva_id,
        buttons=buttons,
        status=advice.status.slug if advice.status else "",
    )
    above = f"{header(case, message)}:\n"
    deliver(work, row, message, text, row.officer_id, header=above, buttons=buttons)
    return message


def understood(case: Case) -> None:
    """The officer confirms the advice: read-back. Raises `NotPossible`."""
    advance(case.state, Trigger.UNDERSTOOD)
    stand_down(case, "call_lead_over")
    given = store.last_advice(case.work.session, case.row.id)
    case.move(Trigger.UNDERSTOOD, case.row.officer_id, receipt=receipt_of(case.work, case.row, given))


def receipt_of(work: Work, row: Consultation, advice: Message) -> str:
    """What the officer writes into the notebook, for example K7Q2AD-1042-9F3C: the reference, the place of the
    advice's leaf in the trail, and the first four hex digits of its hash."""
    index, leaf = leaf_of_message(work.session, row.id, advice.number)
    return f"{row.ref}-{index}-{leaf_hash(leaf)[:2].hex().upper()}"


def ask_on(case: Case) -> None:
    """The officer has a further question before confirming."""
    owner = case.row.idva_id
    case.move(Trigger.ASK_ON, case.row.officer_id, idva=case.work.person(owner).name if owner else "")
    case.turn(officer_waits=True)
    owner_present(case)


def raise_unread(case: Case) -> None:
    """Unread advice, chased in vain, goes to the duty lead."""
    case.move(Trigger.RAISE)
    call_leads(case, "call_lead_unread")
