"""Every state a consultation can be in and every move it can make, as one table. Pure.

Rules kept here:
- The choice of a trigger is judgement and lives in `dialogue` and the use cases; its consequence is law and
  lives in `MOVES`. Nothing else sets a state.
- Every live state has timers (`TIMERS`): whatever anybody fails to do, something becomes due.
- The table is asked through one function, `advance`; the diagram in docs/states.md is drawn from it.
"""

from __future__ import annotations

from enum import Enum

from transitions import Machine


class State(Enum):
    """Where a consultation stands."""

    SEEKING = "seeking"  # received; who is asked is being decided (left again in the same transaction)
    STALE = "stale"  # written long before it reached us: the officer is asked whether help is still needed
    OFFERED = "offered"  # one IDVA (or all, when urgent) has been asked to take it
    LEAD_CALLED = "lead_called"  # nobody took it in time: the duty lead has been called, the officer told
    KEPT = "kept"  # nobody can take it now: the officer was told who else to ring; the answer is owed
    TALKING = "talking"  # one IDVA has it; both sides write
    TRANSFER_OFFERED = "transfer_offered"  # another IDVA was asked to take it over; the first still has it
    ADVICE_SENT = "advice_sent"  # advice was given; the officer has not yet confirmed having understood
    ADVICE_RAISED = "advice_raised"  # the advice stayed unread although chased: the duty lead knows
    ADVISED = "advised"  # the officer confirmed the advice (read-back)
    CLOSED_QUIET = "closed_quiet"  # the officer fell silent: closed with what was said so far, officer told
    WITHDRAWN = "withdrawn"  # the officer needs no answer any more
    FALLBACK = "fallback"  # handed to a named fallback that the officer was told of


class Trigger(Enum):
    """What can happen to a consultation."""

    DOUBT = "doubt"  # it reached us so late that the need is asked about first
    STILL_NEEDED = "still_needed"  # the officer says the late question still stands
    OFFER = "offer"  # an IDVA is asked (first, next, or all at once)
    CALL_LEAD = "call_lead"  # everyone was tried, nobody has room, or five minutes went by
    KEEP = "keep"  # nobody is on duty, or the lead did not take it either
    ACCEPT = "accept"  # an IDVA takes it
    LEAD_TOOK = "lead_took"  # the duty lead deals with it in person, by name
    OFFICER_WROTE = "officer_wrote"  # the officer wrote on; after advice that asks on
    IDVA_WROTE = "idva_wrote"  # the IDVA who has it wrote
    OWNER_LOST = "owner_lost"  # the IDVA fell silent, went off shift or lost access
    OFFER_TRANSFER = "offer_transfer"  # the IDVA asks a colleague to take over, with a note
    TRANSFER_ACCEPTED = "transfer_accepted"  # the colleague has it from here
    TRANSFER_REFUSED = "transfer_refused"  # declined, unanswered or taken back: it stays where it was
    ADVISE = "advise"  # advice given, or given again corrected
    UNDERSTOOD = "understood"  # read-back
    ASK_ON = "ask_on"  # the officer has a further question before confirming
    RAISE = "raise"  # unread advice goes to the duty lead
    WITHDRAW = "withdraw"  # the officer needs no answer any more
    QUIET = "quiet"  # the officer did not answer the nudges
    LAPSE = "lapse"  # a limit ran out: the named fallback has it from here
    REOPEN = "reopen"  # the officer asks more, within 14 days


class Timer(Enum):
    """What can fall due for a consultation. One of each at most."""

    ROUTE = "route"  # decide again who is asked: somebody came on duty, became free or lost it
    OFFER_UNANSWERED = "offer_unanswered"
    SEARCH_LIMIT = "search_limit"  # the longest an officer waits before the duty lead is called
    LEAD_SILENT = "lead_silent"
    NEXT_SHIFT = "next_shift"  # look again for somebody on duty
    KEPT_LIMIT = "kept_limit"  # the longest an answer may be owed before the fallback has it
    STALE_UNANSWERED = "stale_unanswered"
    WAITING = "waiting"  # whoever's turn it is has been silent: nudge, then act
    OWNER_SHIFT_END = "owner_shift_end"
    TRANSFER_UNANSWERED = "transfer_unanswered"
    ADVICE_UNREAD = "advice_unread"  # chase, then raise
    RAISED_LIMIT = "raised_limit"


class NotPossible(Exception):
    """This cannot be done to the consultation as it stands now."""


S, T = State, Trigger

ENDED = frozenset({S.ADVISED, S.CLOSED_QUIET, S.WITHDRAWN, S.FALLBACK})
"""States in which nothing is owed any more. Each can be reopened for 14 days."""

UNOWNED = frozenset({S.SEEKING, S.OFFERED, S.LEAD_CALLED, S.KEPT})
"""States in which an IDVA may still take it."""

OWNED = frozenset({S.TALKING, S.TRANSFER_OFFERED, S.ADVICE_SENT, S.ADVICE_RAISED})
"""States in which exactly one IDVA has it."""

LIVE = frozenset(State) - ENDED

MOVES: tuple[tuple[Trigger, tuple[State, ...], State], ...] = (
    (T.DOUBT, (S.SEEKING,), S.STALE),
    (T.STILL_NEEDED, (S.STALE,), S.SEEKING),
    (T.OFFER, (S.SEEKING, S.OFFERED, S.KEPT), S.OFFERED),
    (T.OFFER, (S.LEAD_CALLED,), S.LEAD_CALLED),  # the lead stays called while somebody who came free is asked
    (T.CALL_LEAD, (S.SEEKING, S.OFFERED), S.LEAD_CALLED),
    (T.KEEP, (S.SEEKING, S.OFFERED, S.LEAD_CALLED), S.KEPT),
    (T.ACCEPT, (S.OFFERED, S.LEAD_CALLED, S.KEPT), S.TALKING),
    (T.LEAD_TOOK, (S.LEAD_CALLED, S.KEPT, S.ADVICE_RAISED), S.FALLBACK),
    (T.OFFICER_WROTE, (S.OFFERED,), S.OFFERED),
    (T.OFFICER_WROTE, (S.LEAD_CALLED,), S.LEAD_CALLED),
    (T.OFFICER_WROTE, (S.KEPT,), S.KEPT),
    (T.OFFICER_WROTE, (S.STALE,), S.SEEKING),  # writing again says that it is still needed
    (T.OFFICER_WROTE, (S.TALKING, S.ADVICE_SENT, S.ADVICE_RAISED), S.TALKING),  # after advice: asks on
    (T.OFFICER_WROTE, (S.TRANSFER_OFFERED,), S.TRANSFER_OFFERED),
    (T.IDVA_WROTE, (S.TALKING,), S.TALKING),
    (T.IDVA_WROTE, (S.TRANSFER_OFFERED,), S.TRANSFER_OFFERED),
    (T.IDVA_WROTE, (S.ADVICE_SENT,), S.ADVICE_SENT),
    (T.IDVA_WROTE, (S.ADVICE_RAISED,), S.ADVICE_RAISED),
    (T.OWNER_LOST, (S.TALKING, S.TRANSFER_OFFERED), S.SEEKING),
    (T.OFFER_TRANSFER, (S.TALKING,), S.TRANSFER_OFFERED),
    (T.TRANSFER_ACCEPTED, (S.TRANSFER_OFFERED,), S.TALKING),
    (T.TRANSFER_REFUSED, (S.TRANSFER_OFFERED,), S.TALKING),
    (T.ADVISE, (S.TALKING, S.ADVICE_SENT, S.ADVICE_RAISED), S.ADVICE_SENT),
    (T.UNDERSTOOD, (S.ADVICE_SENT, S.ADVICE_RAISED), S.ADVISED),
    (T.ASK_ON, (S.ADVICE_SENT, S.ADVICE_RAISED), S.TALKING),
    (T.RAISE, (S.ADVICE_SENT,), S.ADVICE_RAISED),
    (T.WITHDRAW, tuple(sorted(LIVE, key=lambda state: state.value)), S.WITHDRAWN),
    (T.QUIET, (S.TALKING,), S.CLOSED_QUIET),
    (T.LAPSE, (S.STALE, S.KEPT, S.ADVICE_RAISED), S.FALLBACK),
    (T.REOPEN, tuple(sorted(ENDED, key=lambda state: state.value)), S.SEEKING),
)

TIMERS: dict[State, frozenset[Timer]] = {
    S.SEEKING: frozenset({Timer.ROUTE}),
    S.STALE: frozenset({Timer.STALE_UNANSWERED}),
    S.OFFERED: frozenset({Timer.OFFER_UNANSWERED, Timer.SEARCH_LIMIT}),
    S.LEAD_CALLED: frozenset({Timer.LEAD_SILENT}),
    S.KEPT: frozenset({Timer.NEXT_SHIFT, Timer.KEPT_LIMIT}),
    S.TALKING: frozenset({Timer.WAITING, Timer.OWNER_SHIFT_END}),
    S.TRANSFER_OFFERED: frozenset({Timer.TRANSFER_UNANSWERED, Timer.OWNER_SHIFT_END}),
    S.ADVICE_SENT: frozenset({Timer.ADVICE_UNREAD}),
    S.ADVICE_RAISED: frozenset({Timer.RAISED_LIMIT}),
}
"""Timers that must be running in each live state. `ROUTE` may run beside them in any unowned state."""


def _machine() -> Machine:
    moves = [
        {"trigger": trigger.value, "source": source.value, "dest": target.value}
        for trigger, sources, target in MOVES
        for source in sources
    ]
    return Machine(
        model=None,
        states=[state.value for state in State],
        initial=S.SEEKING.value,
        transitions=moves,
        auto_transitions=False,
    )


_MACHINE = _machine()


def advance(state: State, trigger: Trigger) -> State:
    """The state that follows. Raises `NotPossible` when the table has no such move."""
    found = _MACHINE.get_transitions(trigger.value, state.value)
    if not found:
        raise NotPossible(f"{trigger.value} from {state.value}")
    return State(found[0].dest)


def can(state: State, trigger: Trigger) -> bool:
    """Whether the table has this move."""
    return bool(_MACHINE.get_transitions(trigger.value, state.value))
