"""Whether an IDVA whose shift begins can be reached: a test call, answered by one tap; a missed start is noticed.

Rules kept here:
- Only a shift that the rota began is checked: whoever goes on duty by a tap has just been reached.
- The tap, a button on the desk or taking a question answers it. Until then others on duty are asked first, but nobody
  is left out: a missed check may be a fault of ours.
- A start nobody answered is told once, to the duty leads, and stays on the board.
"""

from __future__ import annotations

from sqlalchemy import select

from audit.events import Event
from conversations import store, wording
from conversations.dialogue import Action
from conversations.post import summon
from conversations.tables import Shift
from conversations.tables_duty import StartCheck
from conversations.work import BY_THE_LINE, Work


def begin(work: Work, shift: Shift) -> None:
    """A shift has begun by the rota: ask whether its IDVA is there."""
    if shift.duty != store.IDVA_DUTY:
        return
    work.session.add(StartCheck(shift_id=shift.id, person_id=shift.person_id, asked_at=work.now))
    work.record(Event.START_ASKED, BY_THE_LINE, person=shift.person_id)
    summon(work, shift.person_id, wording.say("start_check"), (((Action.HERE, ""),),))


def answer(work: Work, person_id: str) -> bool:
    """This IDVA is there. Gives whether that was still to be shown."""
    waiting = work.session.scalars(
        select(StartCheck).where(StartCheck.person_id == person_id, StartCheck.answered_at.is_(None)).with_for_update()
    ).all()
    for check in waiting:
        check.answered_at = work.now
        seconds = int((work.now - check.asked_at).total_seconds())
        work.record(Event.START_ANSWERED, person_id, seconds=seconds)
    return bool(waiting)


def notice_missed(work: Work) -> None:
    """Tell the duty leads of each start that nobody has answered in time."""
    for check in store.missed_starts(work.session, work.now - work.line.policy.start_check, work.now):
        check.missed_at = work.now
        work.record(Event.START_MISSED, BY_THE_LINE, person=check.person_id, alarm=True)
        for lead in store.on_duty(work.session, store.LEAD_DUTY, work.now):
            summon(work, lead, wording.say("start_missed", link=work.line.doors.link("/board")))
