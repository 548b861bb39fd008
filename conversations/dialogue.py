"""What is said, to whom, with which buttons, and what falls due, when a consultation moves. Pure.

Rules kept here:
- At every move the officer learns where the question stands; nothing waits in silence.
- Judgement lives here and in `routing`; the law of states lives in `states`; sentences live in `wording`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from conversations.policy import Policy
from conversations.routing import answer_time
from conversations.states import State, Timer, Trigger


class Party(Enum):
    """Who a notice is for."""

    OFFICER = "officer"
    OWNER = "owner"  # the IDVA who has it (or had it until this move)


class Action(Enum):
    """What a button does. The value stands in the tap's row."""

    GRADE = "grade"
    SAFE = "safe"
    LOG = "log"
    WITHDRAW = "withdraw"
    STILL_NEEDED = "still_needed"
    ACCEPT = "accept"
    DECLINE = "decline"
    UNDERSTOOD = "understood"
    ASK_ON = "ask_on"
    REOPEN = "reopen"
    LEAD_TOOK = "lead_took"
    STILL_HERE = "still_here"
    SEND_ANYWAY = "send_anyway"  # a held line: to the consultation in the argument
    USE_PAGE = "use_page"  # a held line: dropped, the secure page is used instead
    NEW_QUESTION = "new_question"  # a held line becomes a new question
    NOT_SO = "not_so"  # a red flag that was raised: the officer says it is not so
    FLAG_ANSWER = "flag_answer"  # the answer to a check question: `flag:yes`, `flag:no` or `flag:unknown`
    MEANS = "means"  # what a short form means: `short=meaning`
    SHOW_ENTRY = "show_entry"  # the officer wants to read an entry: `id.version`
    ACKNOWLEDGE = "acknowledge"  # somebody has read a correction: the recall's id
    HERE = "here"  # an IDVA whose shift has begun shows that they can be reached
    SEND_ENTRY = "send_entry"  # the IDVA sends an entry to the officer: `id.version`


Press = tuple[Action, str]
"""A button before it has a token: what it does, and its argument."""

Rows = tuple[tuple[Press, ...], ...]

ACK_BUTTONS: Rows = (
    (
        (Action.GRADE, "high"),
        (Action.GRADE, "medium"),
        (Action.GRADE, "standard"),
        (Action.GRADE, "not_done"),
    ),
    ((Action.SAFE, "yes"), (Action.SAFE, "no")),
    ((Action.LOG, ""), (Action.WITHDRAW, "")),
)
READ_BACK: Rows = (((Action.UNDERSTOOD, ""), (Action.ASK_ON, "")),)
OFFER_BUTTONS: Rows = (
    ((Action.ACCEPT, ""),),
    ((Action.DECLINE, "busy"), (Action.DECLINE, "conflict"), (Action.DECLINE, "other")),
)
DOUBT_BUTTONS: Rows = (((Action.STILL_NEEDED, ""), (Action.WITHDRAW, "")),)
REOPEN_BUTTONS: Rows = (((Action.REOPEN, ""),),)
LEAD_BUTTONS: Rows = (((Action.LEAD_TOOK, ""),),)
STILL_HERE_BUTTONS: Rows = (((Action.STILL_HERE, ""), (Action.WITHDRAW, "")),)


@dataclass(frozen=True)
class Notice:
    """Something the line says in a thread, to one party."""

    to: Party
    name: str  # in `wording`
    buttons: Rows = ()


OFFICER, OWNER = Party.OFFICER, Party.OWNER
T, S = Trigger, State

_SAID: dict[Trigger, tuple[Notice, ...]] = {
    T.ACCEPT: (Notice(OFFICER, "accepted"), Notice(OWNER, "yours")),
    T.LEAD_TOOK: (Notice(OFFICER, "lead_has_it", REOPEN_BUTTONS), Notice(OWNER, "lead_took_note")),
    T.OWNER_LOST: (Notice(OFFICER, "owner_lost"), Notice(OWNER, "passed_on")),
    T.OFFER_TRANSFER: (Notice(OFFICER, "transfer_asked"), Notice(OWNER, "transfer_waiting")),
    T.TRANSFER_ACCEPTED: (Notice(OFFICER, "transfer_done"), Notice(OWNER, "yours")),
    T.TRANSFER_REFUSED: (Notice(OFFICER, "transfer_back"), Notice(OWNER, "transfer_refused")),
    T.ADVISE: (),  # the advice itself is the message
    T.UNDERSTOOD: (Notice(OFFICER, "understood", REOPEN_BUTTONS), Notice(OWNER, "officer_understood")),
    T.ASK_ON: (Notice(OFFICER, "ask_on"), Notice(OWNER, "officer_asks_on")),
    T.RAISE: (Notice(OFFICER, "advice_raised", READ_BACK), Notice(OWNER, "advice_overdue")),
    T.QUIET: (Notice(OFFICER, "quiet", REOPEN_BUTTONS), Notice(OWNER, "closed_quiet")),
    T.WITHDRAW: (Notice(OFFICER, "withdrawn", REOPEN_BUTTONS), Notice(OWNER, "officer_withdrew")),
}

_LAPSED = {S.STALE: "lapse_stale", S.KEPT: "lapse_kept", S.ADVICE_RAISED: "lapse_raised"}

_ROUTED: dict[tuple[Trigger, State], str] = {
    (T.OFFER, S.SEEKING): "next_asked",
    (T.OFFER, S.OFFERED): "next_asked_another",
    (T.OFFER, S.KEPT): "next_came_free",
    (T.OFFER, S.LEAD_CALLED): "next_came_free",
}


def notices(trigger: Trigger, before: State) -> tuple[Notice, ...]:
    """What is said in the thread because of a move. Routing moves have `routed` instead."""
    if trigger is T.LAPSE:
        return (Notice(OFFICER, _LAPSED[before], REOPEN_BUTTONS),)
    return _SAID.get(trigger, ())


def routed(trigger: Trigger, before: State, *, everybody: bool = False, full: bool = False) -> str:
    """Which sentence tells the officer what happens next after a routing move."""
    if trigger is T.KEEP:
        return "next_kept"
    if trigger is T.DOUBT:
        return "next_doubt"
    if trigger is T.CALL_LEAD:
        return "next_full" if full else "next_lead"
    return "next_asked_all" if everybody else _ROUTED[trigger, before]


@dataclass(frozen=True)
class Moment:
    """What the timers of a state depend on."""

    now: datetime
    urgent: bool
    search_began_at: datetime
    owed_since: datetime | None = None
    offer_due_at: datetime | None = None
    next_shift_at: datetime | None = None
    owner_until: datetime | None = None  # when the owner's shift ends
    officer_waits: bool = True  # whose turn it is: True when the IDVA owes the next word


def timers(state: State, moment: Moment, policy: Policy) -> dict[Timer, datetime]:
    """When things fall due in this state, if nobody does anything first."""
    now = moment.now
    if state is S.SEEKING:
        return {Timer.ROUTE: now}
    if state is S.STALE:
        return {Timer.STALE_UNANSWERED: now + policy.stale_unanswered}
    if state is S.OFFERED:
        return {
            Timer.OFFER_UNANSWERED: moment.offer_due_at or now + answer_time(moment.urgent, policy),
            Timer.SEARCH_LIMIT: moment.search_began_at + policy.search_limit,
        }
    if state is S.LEAD_CALLED:
        return {Timer.LEAD_SILENT: now + policy.lead_silent}
    if state is S.KEPT:
        soon = now + policy.next_look
        looks = min(soon, moment.next_shift_at) if moment.next_shift_at else soon
        return {Timer.NEXT_SHIFT: looks, Timer.KEPT_LIMIT: (moment.owed_since or now) + policy.kept_limit}
    if state is S.TALKING:
        return {
            Timer.WAITING: waiting_until(moment, policy),
            Timer.OWNER_SHIFT_END: moment.owner_until or now,
        }
    if state is S.TRANSFER_OFFERED:
        return {
            Timer.TRANSFER_UNANSWERED: moment.offer_due_at or now + answer_time(moment.urgent, policy),
            Timer.OWNER_SHIFT_END: moment.owner_until or now,
        }
    if state is S.ADVICE_SENT:
        return {Timer.ADVICE_UNREAD: now + policy.advice_unread}
    if state is S.ADVICE_RAISED:
        return {Timer.RAISED_LIMIT: now + policy.raised_limit}
    return {}


def waiting_until(moment: Moment, policy: Policy) -> datetime:
    """How long whoever's turn it is may be silent."""
    if not moment.officer_waits:
        return moment.now + policy.officer_silent
    return moment.now + (policy.idva_silent_urgent if moment.urgent else policy.idva_silent)
