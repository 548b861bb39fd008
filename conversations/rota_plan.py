"""What a file or a pattern would change on the rota; and changing it, once that was seen.

Rules kept here:
- What is shown is what is done: the changes carry a fingerprint of themselves and of what stood there before, and where
  that no longer holds nothing is done.
- What has begun is never touched: a running shift, and whatever is held in it, ends on the old rota.
- A file is the rota from the first to the last day it names, for the duties it names. A pattern only adds.
- Leaving the next 24 hours uncovered takes two people: the first one's changes are kept, a second one decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from sqlalchemy import select

from access.people import NoSuchPerson, find_by_staff_id
from access.permissions import Action
from audit.events import Event
from conversations import store, wording
from conversations.away import leave_of
from conversations.board import DAY, Span, gaps
from conversations.errors import RotaMoved, RotaRefused
from conversations.planned import LOCAL, Asked, BadRota, RotaFile
from conversations.post import note
from conversations.standing import may, require
from conversations.tables import Shift
from conversations.tables_rota import Leave
from conversations.work import Work

MAY = {store.IDVA_DUTY: Action.SEE_DESK, store.LEAD_DUTY: Action.LEAD}
"""What somebody has to be allowed, to be on a duty."""


@dataclass(frozen=True, order=True)
class Slot:
    """Somebody's time on duty."""

    starts_at: datetime
    ends_at: datetime
    duty: str
    person_id: str

    @property
    def day(self) -> date:
        """The day it begins, where people are."""
        return self.starts_at.astimezone(LOCAL).date()


@dataclass(frozen=True)
class Change:
    """One shift added (nothing before), taken off (nothing after) or moved."""

    before: Slot | None
    after: Slot | None
    shift_id: str | None  # of the shift that was there before

    @property
    def slot(self) -> Slot:
        """Where it is looked for on the rota."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - a change of nothing is not made
        return found


@dataclass(frozen=True)
class Plan:
    """All that would change."""

    changes: tuple[Change, ...]
    same: int = 0  # how many shifts stay as they are
    begun: int = 0  # how many were left out: they have begun
    later: int = 0  # how many were left out: they are beyond the horizon

    @property
    def fingerprint(self) -> str:
        """Of the changes, with what stood there before."""
        return hashlib.sha256(
            repr([(one.shift_id, one.before, one.after) for one in self.changes]).encode()
        ).hexdigest()

    def count(self, kind: str) -> int:
        """How many are `added`, `removed` or `moved`."""
        return sum(kind_of(one) == kind for one in self.changes)


def kind_of(change: Change) -> str:
    """Whether a shift is added, removed or moved."""
    if change.before is None:
        return "added"
    return "moved" if change.after else "removed"


def from_file(work: Work, by: str, file: RotaFile) -> Plan:
    """What a file would change. Raises `RoleMissing`, or `RotaRefused` with all that is wrong."""
    require(work, by, Action.MANAGE_ROTA)
    wanted = _placed(work, file.shifts)
    there = _coming(work)
    if wanted:
        first, last = (pick(one.day for one in wanted) for pick in (min, max))
        duties = {one.duty for one in wanted}
        theirs = {key: one for key, one in there.items() if first <= one.day <= last and one.duty in duties}
        plan = _compared(theirs, wanted)
        _no_overlap(plan, [one for key, one in there.items() if key not in theirs])
    else:
        plan = Plan(())
    return replace(plan, begun=file.begun, later=file.later)


def adding(work: Work, by: str, asked: RotaFile) -> Plan:
    """What more shifts would change: nothing is taken off. Raises as `from_file`."""
    require(work, by, Action.MANAGE_ROTA)
    wanted = _placed(work, asked.shifts)
    there = _coming(work)
    known = set(there.values())
    plan = Plan(
        tuple(Change(None, one, None) for one in wanted if one not in known), sum(one in known for one in wanted)
    )
    _no_overlap(plan, list(there.values()))
    return replace(plan, begun=asked.begun, later=asked.later)


def removing(work: Work, by: str, shift_ids: Iterable[str]) -> Plan:
    """What taking these shifts off would change. One that has begun, or is no longer there, is passed over."""
    require(work, by, Action.MANAGE_ROTA)
    there = _coming(work)
    return Plan(tuple(Change(there[one], None, one) for one in sorted(set(shift_ids)) if one in there))


def leaving(work: Work, person_id: str, duty: str) -> Plan:
    """Every coming shift of somebody who may no longer be on this duty, taken off."""
    there = _coming(work)
    theirs = (key for key, one in there.items() if (one.person_id, one.duty) == (person_id, duty))
    return Plan(tuple(Change(there[key], None, key) for key in theirs))


def _placed(work: Work, asked: Sequence[Asked]) -> list[Slot]:
    """The people behind the staff ids: they are here, may do that duty, and are not on leave then."""
    wrong: list[str] = []
    people: dict[str, str | None] = {}
    for staff_id in sorted({one.staff_id for one in asked}):
        try:
            people[staff_id] = find_by_staff_id(work.session, work.line.keyring, staff_id).id
        except NoSuchPerson:
            people[staff_id] = None
    able = {(one.staff_id, one.duty): _able(work, people[one.staff_id], one.duty.value) for one in asked}
    away = leave_of(work.session, {one for one in people.values() if one}, work.now)
    placed = []
    for one in asked:
        person_id = people[one.staff_id]
        if person_id is None or not able[one.staff_id, one.duty]:
            wrong.append(f"{one.where}: nobody with this staff id may be on duty as {one.duty.value}.")
            continue
        if any(_during(one, off) for off in away if off.person_id == person_id):
            wrong.append(f"{one.where}: this person is on leave then.")
        placed.append(Slot(one.starts_at, one.ends_at, one.duty.value, person_id))
    if wrong:
        raise RotaRefused(str(BadRota(*wrong)))
    return sorted(placed)


def _during(one: Asked, off: Leave) -> bool:
    return off.starts_at < one.ends_at and one.starts_at < off.ends_at


def _able(work: Work, person_id: str | None, duty: str) -> bool:
    return person_id is not None and may(work, person_id, MAY[duty])


def _coming(work: Work) -> dict[str, Slot]:
    """Every shift that has not begun, by id."""
    query = select(Shift).where(Shift.starts_at > work.now).order_by(Shift.starts_at, Shift.id)
    return {one.id: slot_of(one) for one in work.session.scalars(query)}


def slot_of(shift: Shift) -> Slot:
    """When and as what a shift is."""
    return Slot(shift.starts_at, shift.ends_at, shift.duty, shift.person_id)


def _compared(there: dict[str, Slot], wanted: Sequence[Slot]) -> Plan:
    """What stays, what is moved within its day, what is taken off, what is added."""
    left, gone = set(wanted), dict[str, Slot]()
    for shift_id, slot in there.items():
        if slot in left:
            left.remove(slot)
        else:
            gone[shift_id] = slot
    by_day: dict[tuple[str, str, date], list[Slot]] = {}
    for slot in sorted(left, reverse=True):
        by_day.setdefault(_day_of(slot), []).append(slot)
    changes = []
    for shift_id, slot in gone.items():
        same_day = by_day.get(_day_of(slot))
        moved = same_day.pop() if same_day else None
        changes.append(Change(slot, moved, shift_id))
    changes += [Change(None, slot, None) for slots in by_day.values() for slot in slots]
    return Plan(tuple(sorted(changes, key=lambda one: (one.slot, one.shift_id or ""))), len(there) - len(gone))


def _day_of(slot: Slot) -> tuple[str, str, date]:
    return (slot.person_id, slot.duty, slot.day)


def _no_overlap(plan: Plan, others: Sequence[Slot]) -> None:
    """Nobody's new shift overlaps with one of theirs that stays. Raises `RotaRefused`."""
    theirs: dict[tuple[str, str], list[Slot]] = {}
    for one in others:
        theirs.setdefault((one.person_id, one.duty), []).append(one)
    wrong = [
        f"The shift from {new.starts_at.astimezone(LOCAL):%a %d %b %H:%M} overlaps with one of the same person that "
        f"begins {old.starts_at.astimezone(LOCAL):%a %d %b %H:%M}."
        for new in (one.after for one in plan.changes if one.after)
        for old in theirs.get((new.person_id, new.duty), ())
        if new.starts_at < old.ends_at and old.starts_at < new.ends_at
    ]
    if wrong:
        raise RotaRefused(str(BadRota(*wrong)))


def covered(work: Work, plan: Plan, until: datetime) -> list[Span]:
    """When an IDVA is on the rota from now on, were this plan carried out."""
    query = select(Shift.id, Shift.starts_at, Shift.ends_at).where(
        Shift.duty == store.IDVA_DUTY, Shift.ends_at > work.now, Shift.starts_at < until
    )
    gone = {one.shift_id for one in plan.changes}
    stay = [(starts, ends) for shift_id, starts, ends in work.session.execute(query) if shift_id not in gone]
    new = [one.after for one in plan.changes if one.after and one.after.duty == store.IDVA_DUTY]
    return stay + [(one.starts_at, one.ends_at) for one in new]


def uncovers(work: Work, plan: Plan) -> list[Span]:
    """What of the next 24 hours has an IDVA now and would have none."""
    until = work.now + DAY
    before = gaps(covered(work, Plan(()), until), work.now, until)
    after = gaps(covered(work, plan, until), work.now, until)
    return [
        span
        for begins, ends in after
        for span in gaps([one for one in before if one[0] < ends and one[1] > begins], begins, ends)
    ]


def one_at_a_time(work: Work) -> None:
    """Whoever else changes the rota waits until this transaction ends: to be asked for before it is read. (Not the
    lock of routing: no offer waits for a long file.)"""
    store.mark(work.session, "rota", work.now.isoformat())


def must_be_as_shown(plan: Plan, shown: str) -> None:
    """Nothing changed since it was looked at. Raises `RotaMoved`."""
    if plan.fingerprint != shown:
        raise RotaMoved


def carry_out(work: Work, by: str, plan: Plan, asked_by: str | None = None) -> None:
    """Do it, record each change and the whole, and tell those whose shifts they are."""
    for one in plan.changes:
        _change(work, by, one)
    work.session.flush()
    if plan.changes:
        added, moved, removed = (plan.count(kind) for kind in ("added", "moved", "removed"))
        facts = {"asked_by": asked_by} if asked_by else {}
        work.record(Event.ROTA_PUBLISHED, by, None, added=added, moved=moved, removed=removed, **facts)
        people = {slot.person_id for one in plan.changes for slot in (one.before, one.after) if slot}
        for person_id in sorted(people - {by}):
            note(work, person_id, wording.say("shifts_changed", link=work.line.doors.link("/")))
        work.wake(*people)


def _change(work: Work, by: str, change: Change) -> None:
    slot = change.slot
    if change.before is None:
        shift = Shift(id=work.new_id(), person_id=slot.person_id, duty=slot.duty, announced=False)
        shift.starts_at, shift.ends_at = slot.starts_at, slot.ends_at
        work.session.add(shift)
    else:
        there = work.session.get_one(Shift, change.shift_id)
        if change.after is None:
            work.session.delete(there)
        else:
            there.person_id, there.starts_at, there.ends_at = slot.person_id, slot.starts_at, slot.ends_at
    was = change.before if change.after else None
    work.record(
        Event.ROTA_CHANGED,
        by,
        None,
        act=kind_of(change),
        person=slot.person_id,
        duty=slot.duty,
        starts=_seconds(slot.starts_at),
        ends=_seconds(slot.ends_at),
        **({"was_starts": _seconds(was.starts_at), "was_ends": _seconds(was.ends_at)} if was else {}),
    )


def _seconds(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp())
