"""Who is offered a consultation, who is next, and when it is overdue. Pure.

Rules kept here:
- One IDVA at a time, with room, on duty. Whoever answered the start of their shift comes before who did not; then
  whoever had an earlier consultation on this incident (or this very one, when reopened); then whoever was offered one
  longest ago.
- Urgent (high risk, victim not safe, a red flag) and once unanswered: all who are left, at once.
- Everyone tried, nobody with room, or five minutes gone by: the duty lead. Nobody on duty: kept, at once.
- Nobody is offered their own question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from conversations.policy import Policy


@dataclass(frozen=True)
class OnDuty:
    """An IDVA who is on duty now."""

    person_id: str
    load: int  # live consultations they have, and offers open to them
    last_offer_at: datetime | None = None
    knows_it: bool = False  # had this consultation, or an earlier one on the same incident
    reached: bool = True  # has answered the test call at the start of the shift


@dataclass(frozen=True)
class Search:
    """One consultation's search for an IDVA, so far."""

    began_at: datetime
    urgent: bool
    asked_by: str  # the officer
    tried: frozenset[str] = frozenset()  # asked in this search and no longer asked
    asking: frozenset[str] = frozenset()  # asked, not yet answered
    unanswered: int = 0  # offers of this search that ran out
    lead_called: bool = False  # the lead knows; somebody who comes free may still be asked


@dataclass(frozen=True)
class Ask:
    """Offer it to these people until `due_at`."""

    people: tuple[str, ...]
    due_at: datetime


@dataclass(frozen=True)
class Wait:
    """Somebody is being asked already."""


@dataclass(frozen=True)
class CallLead:
    """Call the duty lead."""

    full: bool  # everybody on duty has as many as they can take


@dataclass(frozen=True)
class Keep:
    """Nobody is on duty: keep it for the next shift."""


Step = Ask | Wait | CallLead | Keep


def next_step(search: Search, on_duty: Sequence[OnDuty], now: datetime, policy: Policy) -> Step:
    """What the search does now."""
    eligible = [idva for idva in on_duty if idva.person_id != search.asked_by]
    overdue = now - search.began_at >= policy.search_limit and not search.lead_called
    if not eligible:
        return Wait() if search.lead_called else Keep()
    if search.asking:
        return CallLead(full=False) if overdue else Wait()
    untried = [idva for idva in eligible if idva.person_id not in search.tried]
    free = sorted((idva for idva in untried if idva.load < policy.capacity), key=_order)
    if search.lead_called and not free:
        return Wait()
    if overdue or not free:
        return CallLead(full=not search.tried and not overdue)
    chosen = free if search.urgent and search.unanswered else free[:1]
    return Ask(tuple(idva.person_id for idva in chosen), now + answer_time(search.urgent, policy))


def somebody_new(search: Search, on_duty: Sequence[OnDuty], policy: Policy) -> bool:
    """Whether somebody has room who was not asked in this search, and nobody is being asked."""
    asked = search.tried | {search.asked_by}
    return not search.asking and any(idva.load < policy.capacity and idva.person_id not in asked for idva in on_duty)


def answer_time(urgent: bool, policy: Policy) -> timedelta:
    """How long an IDVA has to answer an offer."""
    return policy.answer_urgent if urgent else policy.answer


def is_urgent(grade: str | None, victim_safe: bool | None, flags: Sequence[str]) -> bool:
    """High risk as the officer set it, a victim who is not safe, or any red flag."""
    return grade == "high" or victim_safe is False or bool(flags)


def _order(idva: OnDuty) -> tuple[bool, bool, float, str]:
    last = idva.last_offer_at.timestamp() if idva.last_offer_at else 0.0
    return (not idva.reached, not idva.knows_it, last, idva.person_id)
