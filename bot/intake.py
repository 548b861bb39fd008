"""The inbox: store an arrival, commit, only then acknowledge; then handle it in its sender's lane.

Rules kept here:
- `store` is durable when it returns. A repeated key is stored once, whatever its number or order.
- An arrival is handled in the transaction that records its effects: a crash at any point leaves it waiting, or
  done with everything that follows from it.
- What cannot be read or handled is quarantined, sealed, with an alarm; its lane and all others go on.
- While nothing can be recorded nothing is handled, but its writer hears whom to ring; it stays waiting.
- Of a picture, a file or a place nothing is kept once its sender has been told; of what is ignored, nothing at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.exc import IntegrityError

from audit.events import Event
from bot.channel import Arrival, Channel, Door
from bot.threads import Threads
from conversations import queues, wording
from conversations.line import Line
from conversations.messages import ChannelName, Ignore, Ignored, Incoming, Kind, Unreadable, Unsendable
from conversations.post import ingress_scope, note_stranger
from conversations.receive import Received, receive
from conversations.tables import Inbox, InboxState
from conversations.work import BY_THE_LINE, Work, working
from storage.database import is_unavailable
from storage.failpoint import failpoint
from storage.sealing import CannotOpen

log = logging.getLogger(__name__)

TRIES = 3  # then an arrival that makes the line fail is quarantined
PAUSE = timedelta(seconds=1)  # between tries
AHEAD = timedelta(minutes=5)  # how far a channel's clock may be ahead of ours
KEPT_BY_CHANNELS = timedelta(hours=24) + AHEAD  # Telegram keeps an update no longer than 24 hours
POLL = 1.0  # seconds: how soon arrivals stored by another process are seen


@dataclass(frozen=True)
class Handled:
    """One arrival dealt with, and what is left to do for it outside the transaction."""

    key: str
    channel: ChannelName
    received: Received
    incoming: Incoming | None = None
    leave: str | None = None
    unhelped: bytes | None = None  # not handled, and nothing can be written about it: its writer is told whom to ring


class Intake:
    """Stores what arrives and works through it."""

    def __init__(self, line: Line, doors: Mapping[ChannelName, Door], threads: Threads) -> None:
        self._line = line
        self._doors = doors
        self._threads = threads
        self._wake = asyncio.Event()
        self._waiters: dict[str, asyncio.Future[Received]] = {}
        self._courtesies: set[asyncio.Task[None]] = set()

    async def store(self, arrival: Arrival) -> None:
        """Store one arrival durably. Raises when the database cannot be written: then it is not acknowledged."""
        failpoint("intake.before_store")
        await self._threads.run(self._store, arrival)
        failpoint("intake.after_store")
        self.wake()

    async def settle(self, arrival: Arrival, patience: float) -> Received | None:
        """Store, then wait a little for what comes of it. None: stored, not yet handled (or a repeat)."""
        loop = asyncio.get_running_loop()
        waiter = self._waiters.setdefault(f"{arrival.channel.value}:{arrival.key}", loop.create_future())
        try:
            await self.store(arrival)
            async with asyncio.timeout(patience):
                return await asyncio.shield(waiter)
        except TimeoutError:
            return None
        finally:
            self._waiters.pop(f"{arrival.channel.value}:{arrival.key}", None)

    def wake(self) -> None:
        """Look for arrivals now."""
        self._wake.set()

    async def work_lanes(self) -> None:
        """Handle stored arrivals until cancelled."""
        while True:
            self._wake.clear()
            try:
                while (handled := await self._threads.run(self.handle_next)) is not None:
                    self._follow_up(handled)
            except Exception as error:  # noqa: BLE001 - a loop of the line goes on after anything; what failed is tried again
                if not is_unavailable(error):
                    log.error("intake failed: %s", type(error).__name__)
                await asyncio.sleep(POLL)
            try:
                async with asyncio.timeout(POLL):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def handle_next(self) -> Handled | None:
        """Handle the next waiting arrival in one transaction; None when there is none."""
        seq = None
        try:
            with working(self._line) as work:
                row = queues.claim_arrival(work.session, work.now)
                if row is None:
                    return None
                seq = row.seq
                failpoint("intake.after_claim")
                handled = self._handle(work, row)
                failpoint("intake.before_commit")
            failpoint("intake.after_commit")
            return handled
        except Exception as error:
            if seq is None or is_unavailable(error):
                raise
            return self._count_failure(seq, error)

    def _store(self, arrival: Arrival) -> None:
        try:
            with working(self._line) as work:
                if queues.is_stored(work.session, arrival.channel.value, arrival.key):
                    return
                self._insert(work, arrival)
                failpoint("intake.before_store_commit")
        except IntegrityError:
            return  # another replica stored the same arrival at the same moment

    def _insert(self, work: Work, arrival: Arrival) -> None:
        scope = ingress_scope(work)
        work.session.add(
            Inbox(
                channel=arrival.channel.value,
                key=arrival.key,
                lane=f"{arrival.channel.value}:{work.hash('lane', arrival.lane)}"[:48],
                scope=scope,
                raw=work.seal("inbox", "raw", arrival.key, scope, arrival.raw.decode("latin-1")),
                received_at=work.now,
                state=InboxState.WAITING.value,
                attempts=0,
                due_at=work.now,
            )
        )

    def _handle(self, work: Work, row: Inbox) -> Handled:
        channel = ChannelName(row.channel)
        row.state, row.done_at = InboxState.DONE.value, work.now
        try:
            raw = work.open_words("inbox", "raw", row.key, row.scope, row.raw).encode("latin-1")
            incoming = self._doors[channel].read(raw)
        except (Unreadable, CannotOpen) as error:
            self._quarantine(work, row, type(error).__name__)
            return Handled(row.key, channel, Received())
        failpoint("intake.after_read")
        if isinstance(incoming, Ignored):
            alarm = incoming.why in (Ignore.GROUP, Ignore.BUSINESS)
            work.record(Event.INPUT_IGNORED, BY_THE_LINE, why=incoming.why.value, alarm=alarm)
            self._forget(work, row)
            return Handled(row.key, channel, Received(), leave=incoming.leave)
        incoming = self._with_believable_time(work, row, incoming)
        received = receive(work, incoming)
        if incoming.unsendable is Unsendable.UNKNOWN:
            self._quarantine(work, row, "unknown kind")
        elif incoming.kind is Kind.UNSENDABLE:
            self._forget(work, row)
        return Handled(row.key, channel, received, incoming)

    def _forget(self, work: Work, row: Inbox) -> None:
        row.raw = work.seal("inbox", "raw", row.key, row.scope, "")

    def _with_believable_time(self, work: Work, row: Inbox, incoming: Incoming) -> Incoming:
        """When we received it rules: a time before all that a channel keeps, or after ours, is not believed."""
        if incoming.written_at is None or -AHEAD <= row.received_at - incoming.written_at <= KEPT_BY_CHANNELS:
            return incoming
        seconds = int((incoming.written_at - row.received_at).total_seconds())
        work.record(Event.CLOCK_SKEW, BY_THE_LINE, seconds=seconds)
        return replace(incoming, written_at=row.received_at)

    def _count_failure(self, seq: int, error: Exception) -> Handled | None:
        log.error("arrival %d failed: %s", seq, type(error).__name__)
        with working(self._line) as work:
            row = work.session.get(Inbox, seq, with_for_update=True)
            if row is None or row.state != InboxState.WAITING.value:
                return None
            row.attempts += 1
            row.due_at = work.now + PAUSE
            if row.attempts < TRIES:
                return Handled(row.key, ChannelName(row.channel), Received())
        try:
            with working(self._line) as work:
                row = work.session.get_one(Inbox, seq, with_for_update=True)
                self._quarantine(work, row, type(error).__name__)
                return Handled(row.key, ChannelName(row.channel), self._own_up(work, row))
        except Exception as worse:
            if is_unavailable(worse):
                raise
            log.error("arrival %d waits: nothing can be recorded (%s)", seq, type(worse).__name__)
            return self._help(seq)

    def _help(self, seq: int) -> Handled:
        """The trail cannot be written: a trouble of the line's, not of what arrived, which stays as it is."""
        with working(self._line) as work:
            row = work.session.get_one(Inbox, seq)
            raw = work.open_words("inbox", "raw", row.key, row.scope, row.raw).encode("latin-1")
            return Handled(row.key, ChannelName(row.channel), Received(self._trouble()), unhelped=raw)

    def _quarantine(self, work: Work, row: Inbox, why: str) -> None:
        row.state, row.why, row.done_at = InboxState.QUARANTINED.value, why[:60], work.now
        work.record(Event.INPUT_QUARANTINED, BY_THE_LINE, inbox=row.seq, why=why, alarm=True)
        log.error("arrival %d quarantined: %s", row.seq, why)

    def _own_up(self, work: Work, row: Inbox) -> Received:
        """Whoever wrote it must not believe that it went through."""
        text = self._trouble()
        if row.channel == ChannelName.TELEGRAM.value:
            raw = work.open_words("inbox", "raw", row.key, row.scope, row.raw).encode("latin-1")
            incoming = self._doors[ChannelName.TELEGRAM].read(raw)
            if isinstance(incoming, Incoming):
                note_stranger(work, incoming.sender, text)
        return Received(text)

    def _trouble(self) -> str:
        policy = self._line.policy
        return wording.say(
            "trouble", lead_name=policy.lead_name, lead_phone=policy.lead_phone, emergency=policy.emergency
        )

    def _follow_up(self, handled: Handled) -> None:
        waiter = self._waiters.get(f"{handled.channel.value}:{handled.key}")
        if waiter is not None and not waiter.done():
            waiter.set_result(handled.received)
        door = self._doors[handled.channel]
        if isinstance(door, Channel):
            # Not waited for: one chat's slow answers must not hold up everybody's lanes.
            courtesy = asyncio.create_task(self._be_courteous(door, handled))
            self._courtesies.add(courtesy)
            courtesy.add_done_callback(self._courtesies.discard)

    async def _be_courteous(self, door: Channel, handled: Handled) -> None:
        if handled.unhelped is not None:
            await door.help_instead([handled.unhelped])
        if handled.leave is not None:
            await door.leave(handled.leave)
        incoming = handled.incoming
        if incoming is None or incoming.query is None:
            return
        await door.answer_tap(incoming.query, handled.received.answer or "")
        if handled.received.spent and incoming.message is not None:
            await door.drop_buttons(incoming.sender, incoming.message)
