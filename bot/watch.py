"""Due times: offers unanswered, silence, shifts that begin and end, held lines, and our own outages.

Rules kept here:
- Each thing that is due takes effect in its own transaction; one that fails delays no other.
- After an outage everything overdue happens at once, in the order it was due.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from audit.events import Event
from bot.threads import Threads
from conversations import start_check, store
from conversations.case import Case
from conversations.held import act_by_itself
from conversations.line import Line
from conversations.rota import announce, look_at
from conversations.search import LOCAL, who_could_be_asked
from conversations.tables import Installation
from conversations.timers import fall_due
from conversations.work import BY_THE_LINE, working
from storage.database import is_unavailable
from storage.failpoint import failpoint

log = logging.getLogger(__name__)

LONGEST_SLEEP = 0.5  # seconds: how late a timer set by another process may be
BREATH = 0.05  # seconds between two looks: every commit wakes the watch, and a look costs four queries
AFTER_FAILURE = timedelta(seconds=5)
HEARTBEAT = "last_running"
HEARTBEAT_EVERY = 60.0  # seconds


class Watch:
    """Makes due things happen."""

    def __init__(self, line: Line, threads: Threads) -> None:
        self._line = line
        self._threads = threads
        self._wake = asyncio.Event()
        self._beat_at = 0.0

    def wake(self) -> None:
        """Look at the due times now."""
        self._wake.set()

    async def keep(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            try:
                sleep = await self._threads.run(self.look)
                if loop.time() >= self._beat_at:
                    await self._threads.run(self.beat)
                    self._beat_at = loop.time() + HEARTBEAT_EVERY
            except Exception as error:  # noqa: BLE001 - a loop of the line goes on after anything; what failed is tried again
                log.error("watch failed: %s", type(error).__name__)
                sleep = LONGEST_SLEEP
            await asyncio.sleep(min(BREATH, sleep))
            try:
                async with asyncio.timeout(sleep):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def look(self) -> float:
        """Let everything happen that is due. Gives the seconds until the next look."""
        self._shifts()
        self._missed_starts()
        self._room()
        now = self._line.now()
        with self._line.database.reading() as session:
            due = [(row.seq, row.consultation_id) for row in store.due_now(session, now)]
        for seq, consultation_id in due:
            self._fire(seq, consultation_id)
        self._held()
        with self._line.database.reading() as session:
            soonest = store.next_due_at(session)
        if soonest is None:
            return LONGEST_SLEEP
        return min(max((soonest - self._line.now()).total_seconds(), 0.02), LONGEST_SLEEP)

    def _fire(self, seq: int, consultation_id: str) -> None:
        try:
            failpoint("watch.before_fire")
            with working(self._line) as work:
                fall_due(work, seq, consultation_id)
                failpoint("watch.before_commit")
            failpoint("watch.after_fire")
        except Exception as error:
            if is_unavailable(error):
                raise
            log.error("timer %d failed: %s", seq, type(error).__name__)
            self._postpone(seq)

    def _postpone(self, seq: int) -> None:
        with working(self._line) as work:
            row = store.due_row(work.session, seq)
            if row is not None:
                row.at = work.now + AFTER_FAILURE

    def _shifts(self) -> None:
        with self._line.database.reading() as session:
            if not store.unannounced_shifts(session, self._line.now()):
                return
        with working(self._line) as work:
            for shift in store.unannounced_shifts(work.session, work.now):
                announce(work, shift)
                start_check.begin(work, shift)

    def _missed_starts(self) -> None:
        now = self._line.now()
        with self._line.database.reading() as session:
            if not store.missed_starts(session, now - self._line.policy.start_check, now):
                return
        with working(self._line) as work:
            start_check.notice_missed(work)

    def _room(self) -> None:
        """Somebody on duty came free: whoever waits and has not been offered to them is looked at again."""
        with self._line.database.reading() as session:
            waiting = who_could_be_asked(session, self._line.now(), self._line.policy)
        for consultation_id in waiting:
            with working(self._line) as work:
                row = store.lock_if_free(work.session, consultation_id)
                if row is not None:
                    look_at(work, row)

    def _held(self) -> None:
        with self._line.database.reading() as session:
            due = [row.id for row in store.held_due(session, self._line.now())]
        for held_id in due:
            self._release(held_id)

    def _release(self, held_id: str) -> None:
        try:
            with working(self._line) as work:
                row = store.held_if_free(work.session, held_id, work.now)
                if row is not None:
                    act_by_itself(work, row)
        except Exception as error:
            if is_unavailable(error):
                raise
            log.error("a held line failed: %s", type(error).__name__)
            with working(self._line) as work:
                row = store.held_if_free(work.session, held_id, work.now)
                if row is not None:
                    row.due_at = work.now + AFTER_FAILURE

    def beat(self) -> None:
        """Note that the line is running, so that the next start knows how long it was not."""
        with working(self._line) as work:
            row = work.session.get(Installation, HEARTBEAT)
            if row is None:
                work.session.add(Installation(name=HEARTBEAT, value=work.now.isoformat()))
            else:
                row.value = work.now.isoformat()

    def own_up_to_outage(self) -> None:
        """At the start: after a long outage every officer with an open consultation is told."""
        with working(self._line) as work:
            row = work.session.get(Installation, HEARTBEAT)
            since = datetime.fromisoformat(row.value) if row else work.now
            if row is None or work.now - since <= self._line.policy.outage_notice:
                return
            row.value = work.now.isoformat()  # said once, however often the start is repeated
            hours = int((work.now - since).total_seconds() // 3600)
            work.record(Event.OUTAGE_NOTICED, BY_THE_LINE, hours=hours, alarm=True)
            for row_of in store.live(work.session):
                if row_of.asked_at <= since:
                    case = Case.load(work, row_of.id)
                    case.tell(row_of.officer_id, "outage", since=f"{since.astimezone(LOCAL):%H:%M on %d %B}")
