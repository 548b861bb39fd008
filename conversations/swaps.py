"""Swaps: one IDVA asks another to take a shift, for one of theirs or for none; it happens once both agreed.

Rules kept here:
- Both shifts are still there, still theirs, and at the times that were agreed to, and neither has begun.
- Neither of the two ends up with shifts that overlap, or with one within their leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import or_, select

from access.people import Known, active_with_role
from access.permissions import Action, roles_for
from audit.events import Event
from conversations import store, wording
from conversations.away import is_away
from conversations.errors import NoSuchShift, NoSuchSwap, RotaRefused
from conversations.post import note
from conversations.rota_plan import Slot, one_at_a_time, slot_of
from conversations.standing import require
from conversations.tables import Shift
from conversations.tables_rota import Swap
from conversations.work import Work


class Answer(Enum):
    """How a swap ended."""

    AGREED = "agreed"
    REFUSED = "refused"  # by whoever was asked
    TAKEN_BACK = "taken back"  # by whoever asked


@dataclass(frozen=True)
class SwapShown:
    """A swap that waits for its answer."""

    id: str
    asked_by: Known
    asked_of: Known
    gives: Slot
    takes: Slot | None


def own(work: Work, person_id: str) -> list[tuple[str, Slot]]:
    """Somebody's coming shifts, with their ids."""
    query = select(Shift).where(Shift.person_id == person_id, Shift.starts_at > work.now, Shift.duty == store.IDVA_DUTY)
    return [(one.id, slot_of(one)) for one in work.session.scalars(query.order_by(Shift.starts_at).limit(100))]


def of_colleagues(work: Work, person_id: str) -> list[tuple[str, Slot]]:
    """The coming shifts of the others."""
    query = select(Shift).where(Shift.person_id != person_id, Shift.starts_at > work.now, Shift.duty == store.IDVA_DUTY)
    return [(one.id, slot_of(one)) for one in work.session.scalars(query.order_by(Shift.starts_at).limit(200))]


def colleagues(work: Work, person_id: str) -> list[str]:
    """The other IDVAs."""
    roles = roles_for(Action.OWN_SHIFTS)
    return [one for role in roles for one in active_with_role(work.session, role) if one != person_id]


def open_swaps(work: Work, person_id: str) -> list[SwapShown]:
    """The swaps of this person that wait for an answer, theirs or the other's."""
    query = select(Swap).where(Swap.answer.is_(None), Swap.gives_from > work.now)
    mine = query.where(or_(Swap.asked_by == person_id, Swap.asked_of == person_id)).order_by(Swap.asked_at, Swap.id)
    return [
        SwapShown(one.id, work.person(one.asked_by), work.person(one.asked_of), _gives(one), _takes(one))
        for one in work.session.scalars(mine).all()
    ]


def ask(work: Work, by: str, gives: str, of: str, takes: str | None) -> None:
    """Ask a colleague to take a shift of one's own, for the shift `takes` of theirs or for none. Raises `RoleMissing`,
    `NoSuchShift`, or `RotaRefused`."""
    require(work, by, Action.OWN_SHIFTS)
    if of not in colleagues(work, by):
        raise RotaRefused("Choose a colleague who is an IDVA.")
    mine, theirs = _shift(work, gives, by), _shift(work, takes, of) if takes else None
    _can_be(work, mine, theirs, of)
    swap = Swap(id=work.new_id(), asked_by=by, asked_of=of, gives=mine.id, takes=theirs.id if theirs else None)
    swap.gives_from, swap.gives_until = mine.starts_at, mine.ends_at
    swap.takes_from, swap.takes_until = (theirs.starts_at, theirs.ends_at) if theirs else (None, None)
    swap.asked_at = work.now
    work.session.add(swap)
    work.record(Event.SWAP_ASKED, by, person=of, gives=_at(mine), takes=_at(theirs))
    note(work, of, wording.say("swap_asked", link=work.line.doors.link("/shifts")))
    work.wake(of)


def answer(work: Work, by: str, swap_id: str, given: Answer) -> None:
    """Agree or refuse, if one was asked; take it back, if one asked. Raises `NoSuchSwap`, or what `ask` raises."""
    require(work, by, Action.OWN_SHIFTS)
    one_at_a_time(work)
    swap = work.session.get(Swap, swap_id, with_for_update=True)
    if swap is None or swap.answer is not None:
        raise NoSuchSwap
    if by != (swap.asked_by if given is Answer.TAKEN_BACK else swap.asked_of):
        raise NoSuchSwap
    swap.answer, swap.answered_at = given.value, work.now
    work.record(Event.SWAP_ANSWERED, by, person=swap.asked_by, answer=given.value)
    if given is Answer.AGREED:
        _change_hands(work, swap)
    other = swap.asked_by if by == swap.asked_of else swap.asked_of
    note(work, other, wording.say("swap_answered", answer=given.value, link=work.line.doors.link("/shifts")))
    work.wake(swap.asked_by, swap.asked_of)


def _change_hands(work: Work, swap: Swap) -> None:
    mine = _shift(work, swap.gives, swap.asked_by)
    theirs = _shift(work, swap.takes, swap.asked_of) if swap.takes else None
    for shift, agreed in ((mine, _gives(swap)), (theirs, _takes(swap))):
        if shift is not None and slot_of(shift) != agreed:
            raise NoSuchShift
    _can_be(work, mine, theirs, swap.asked_of)
    for shift, to, gave in ((mine, swap.asked_of, swap.asked_by), (theirs, swap.asked_by, swap.asked_of)):
        if shift is None:
            continue
        shift.person_id = to
        starts, ends = int(shift.starts_at.timestamp()), int(shift.ends_at.timestamp())
        facts = {"starts": starts, "ends": ends}
        work.record(
            Event.ROTA_CHANGED, swap.asked_of, None, act="swapped", person=to, gave=gave, duty=shift.duty, **facts
        )
    work.session.flush()


def _shift(work: Work, shift_id: str, person_id: str) -> Shift:
    """A shift of this person that has not begun. Raises `NoSuchShift`."""
    found = work.session.get(Shift, shift_id)
    if found is None or found.person_id != person_id or found.starts_at <= work.now:
        raise NoSuchShift
    if found.duty != store.IDVA_DUTY:
        raise NoSuchShift
    return found


def _can_be(work: Work, mine: Shift, theirs: Shift | None, of: str) -> None:
    """Whether both can do what they would have then. Raises `RotaRefused`."""
    _free(work, of, mine, [mine, *([theirs] if theirs else [])])
    if theirs is not None:
        require(work, mine.person_id, Action.OWN_SHIFTS)
        _free(work, mine.person_id, theirs, [mine, theirs])


def _free(work: Work, person_id: str, shift: Shift, swapped: Sequence[Shift]) -> None:
    if is_away(work.session, person_id, shift.starts_at, shift.ends_at):
        raise RotaRefused("One of the two is on leave then.")
    others = select(Shift.id).where(
        Shift.person_id == person_id,
        Shift.duty == shift.duty,
        Shift.starts_at < shift.ends_at,
        Shift.ends_at > shift.starts_at,
        Shift.id.not_in([one.id for one in swapped]),
    )
    if work.session.scalar(others.limit(1)) is not None:
        raise RotaRefused("One of the two has another shift then.")


def _gives(swap: Swap) -> Slot:
    return Slot(swap.gives_from, swap.gives_until, store.IDVA_DUTY, swap.asked_by)


def _takes(swap: Swap) -> Slot | None:
    if swap.takes_from is None or swap.takes_until is None:
        return None
    return Slot(swap.takes_from, swap.takes_until, store.IDVA_DUTY, swap.asked_of)


def _at(shift: Shift | None) -> int | None:
    return int(shift.starts_at.timestamp()) if shift else None
