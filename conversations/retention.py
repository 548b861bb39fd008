"""For how long a consultation is kept, and what keeps it longer: classes, the review-due list, legal holds.

Rules kept here:
- A period that has run out erases nothing: it puts the consultation on a list, and somebody decides: erase it, or
  keep it on until another day.
- Whatever stands under a legal hold is not erased. One supervisor places a hold; lifting one takes two.
- Holds are decided under the consultation's lock, as erasure is: of a hold and an erasure at the same moment one
  sees the other.
- Reasons are codes and references are numbers: a hold must not tell what the consultation was about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from access.tables import Role
from audit.events import Event
from conversations import store
from conversations.errors import (
    KeptTooLong,
    LiftNotAsked,
    NoHold,
    RoleMissing,
    SecondPerson,
    StillLive,
    UnclearReference,
)
from conversations.policy import RetentionClass
from conversations.routing import is_urgent
from conversations.states import ENDED, State
from conversations.tables import Consultation, LegalHold
from conversations.work import Work

LONGEST_KEPT = timedelta(days=3653)  # from one review to the next
_REFERENCE = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9 ./_-]{1,39}")


class HoldReason(Enum):
    """Why a consultation must not be erased."""

    DISCLOSURE = "disclosure"  # criminal proceedings: it may have to be disclosed (CPIA 1996)
    CONDUCT = "conduct"  # a complaint or conduct matter (IOPC, professional standards, the NHS trust)
    CLAIM = "claim"  # a civil claim, made or threatened
    DEATH_REVIEW = "death_review"  # a review of a domestic-abuse-related death
    ACCESS_REQUEST = "access_request"  # somebody asked for what is held about them, and has not been answered


class KeepReason(Enum):
    """Why a consultation that was reviewed is kept on."""

    RISK = "risk"  # somebody may still be at risk from somebody in it
    PATTERN = "pattern"  # it is part of a course of conduct that others show too
    PROCEEDINGS = "proceedings"  # proceedings are likely, but no hold is due yet


@dataclass(frozen=True)
class ReviewDue:
    """One consultation whose period has run out."""

    consultation: str
    ref: str
    kind: RetentionClass
    ended_at: datetime
    due_at: datetime


def class_of(row: Consultation, *, held: bool) -> RetentionClass:
    """Which class it is in: by what the officer and the red flags made of it; the line grades nothing."""
    if held:
        return RetentionClass.HELD
    if row.urgent or is_urgent(row.grade, row.victim_safe, ()):
        return RetentionClass.SAFEGUARDING
    return RetentionClass.ROUTINE


def due_for_review(work: Work) -> list[ReviewDue]:
    """Every consultation that ended longer ago than its class's period, first ended first."""
    policy = work.line.retention
    shortest = min(policy.routine, policy.safeguarding)
    rows = store.ended_before(work.session, work.now - shortest)
    held = {hold.consultation_id for hold in store.standing_holds(work.session, [row.id for row in rows])}
    due = [review_of(work, row, held=row.id in held) for row in rows]
    return [one for one in due if one is not None and one.due_at <= work.now]


def review_of(work: Work, row: Consultation, *, held: bool) -> ReviewDue | None:
    """When this one is (or will be) due for review. None while it lives or is held."""
    kind = class_of(row, held=held)
    period = work.line.retention.period(kind)
    if period is None or row.ended_at is None:
        return None
    due_at = max(row.ended_at + period, row.keep_until or row.ended_at)
    return ReviewDue(row.id, row.ref, kind, row.ended_at, due_at)


def keep_on(work: Work, consultation: str, by: str, until: datetime, reason: KeepReason) -> None:
    """Reviewed: it is kept until then, when it is due again. Raises `NotYours`, `RoleMissing`, `StillLive` or
    `KeptTooLong`."""
    require_supervisor(work, by)
    row = store.lock(work.session, consultation)
    if State(row.state) not in ENDED:
        raise StillLive
    if not work.now < until <= work.now + LONGEST_KEPT:
        raise KeptTooLong
    row.keep_until = until
    work.record(Event.KEPT_ON, by, row.id, reason=reason.value, until=int(until.timestamp()))


def place_hold(work: Work, consultation: str, by: str, reason: HoldReason, reference: str) -> LegalHold:
    """Forbid erasing this consultation, live or ended. Raises `NotYours`, `RoleMissing` or `UnclearReference`."""
    require_supervisor(work, by)
    if not _REFERENCE.fullmatch(reference):
        raise UnclearReference
    row = store.lock(work.session, consultation)
    hold = LegalHold(
        id=work.new_id(),
        consultation_id=row.id,
        reason=reason.value,
        reference=reference,
        placed_by=by,
        placed_at=work.now,
    )
    work.session.add(hold)
    work.session.flush()
    work.record(Event.HOLD_PLACED, by, row.id, hold=hold.id, reason=reason.value, reference=reference)
    return hold


def ask_to_lift(work: Work, hold: str, by: str) -> LegalHold:
    """The first of two people: wants a hold lifted. Asking again changes nothing. Raises `NoHold`."""
    row = _standing(work, hold, by)
    if row.lift_asked_by is None:
        row.lift_asked_by, row.lift_asked_at = by, work.now
        work.record(Event.HOLD_LIFT_ASKED, by, row.consultation_id, hold=row.id)
    return row


def lift(work: Work, hold: str, by: str) -> LegalHold:
    """The second of two people lifts a hold. Raises `LiftNotAsked`, `SecondPerson` or `NoHold`."""
    row = _standing(work, hold, by)
    if row.lift_asked_by is None:
        raise LiftNotAsked
    if row.lift_asked_by == by:
        raise SecondPerson
    row.lifted_by, row.lifted_at = by, work.now
    work.record(Event.HOLD_LIFTED, by, row.consultation_id, hold=row.id, asked_by=row.lift_asked_by)
    return row


def require_supervisor(work: Work, person_id: str) -> None:
    """Raises `RoleMissing` unless this is a supervisor with access."""
    if not work.has_role(person_id, Role.SUPERVISOR):
        raise RoleMissing


def _standing(work: Work, hold: str, by: str) -> LegalHold:
    require_supervisor(work, by)
    found = work.session.get(LegalHold, hold)
    if found is None:
        raise NoHold
    store.lock(work.session, found.consultation_id)  # two people at the same moment: one after the other
    work.session.refresh(found)
    if found.lifted_at is not None:
        raise NoHold
    return found
