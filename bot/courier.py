"""The outbox: carry messages out until they have arrived or are given up.

Rules kept here:
- Claim and commit; then send with no transaction open; then record the result, if the claim still stands. Each
  step on the way prolongs the claim, or stops there when somebody else has taken the row over.
- A neutral placeholder first; its id is committed; then the words, by an edit that may be repeated.
- Unknown whether a placeholder arrived: a thread's message gets one labelled second placeholder; a call to
  somebody is not repeated, the next person is called instead.
- One chat's trouble (429, time-outs, blocked) delays no other chat: lanes are claimed and carried apart.
- Whoever is suspended is sent nothing: each step asks again, and a suspension waits for a step that is just asking.
- No leaf, no words: the disclosure is committed before the words are opened to be sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from access.people import hold_standing, is_active, telegram_of
from audit.events import Event
from bot.channel import Channel, Outcome, Sent
from bot.threads import Threads
from conversations import queues, wording
from conversations.line import Line
from conversations.messages import Outgoing
from conversations.tables import Outbox, OutboxState, Purpose, Thread
from conversations.undelivered import door_lost, not_delivered
from conversations.view import delivered
from conversations.work import BY_THE_LINE, Work, working
from storage.database import is_unavailable
from storage.failpoint import failpoint

log = logging.getLogger(__name__)

AT_ONCE = 32  # lanes carried at the same time
POLL = 1.0  # seconds: how soon rows written by another process are seen
BREATH = 0.01  # seconds: several wake-ups at nearly the same time are one
LATE = timedelta(minutes=2)  # the sender is told that it has not arrived yet; carrying goes on
GIVE_UP = timedelta(hours=24)
CALL_LIFE = timedelta(minutes=10)  # a call older than this calls nobody any more
EDITS_IN_A_ROW = 3
TRIES = 3  # then a row that makes the line fail is given up
LONGEST_PAUSE = 30.0  # seconds
LATE_TOLD = "late, told"
PLACE_GONE = frozenset({"thread gone", "message gone"})  # rejected, and a new placeholder is needed


class ClaimLost(Exception):
    """The claim ran out while something took long; whoever has the row now goes on with it."""


@dataclass(frozen=True)
class Job:
    """One claimed row, opened: all that sending needs."""

    seq: int
    claim: str
    to: str
    outgoing: Outgoing
    purpose: Purpose
    remote: str | None
    repeat: bool  # a placeholder may already be out there
    thread: str | None
    wants_thread: bool


class Courier:
    """Carries one channel's messages."""

    def __init__(self, line: Line, channel: Channel, threads: Threads) -> None:
        self._line = line
        self._channel = channel
        self._threads = threads
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look for something to carry now."""
        self._wake.set()

    def start_afresh(self) -> None:
        """The only process on this database has started: claims of its predecessor are void."""
        with working(self._line) as work:
            queues.free_every_claim(work.session)

    async def carry(self) -> None:
        """Carry until cancelled."""
        running: set[asyncio.Task[None]] = set()
        while True:
            self._wake.clear()
            jobs: list[Job] = []
            try:
                jobs = await self._threads.run(self.claim, AT_ONCE - len(running))
            except Exception as error:  # noqa: BLE001 - a loop of the line goes on after anything; what failed is tried again
                log.error("courier cannot claim: %s", type(error).__name__)
                await asyncio.sleep(POLL)
            for job in jobs:
                task = asyncio.create_task(self._carry_one(job))
                running.add(task)
                task.add_done_callback(running.discard)
                task.add_done_callback(lambda _: self.wake())
            if not jobs:
                await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL):
                await self._wake.wait()
            await asyncio.sleep(BREATH)
        except TimeoutError:
            pass

    def claim(self, limit: int) -> list[Job]:
        """Claim due rows, record the disclosure, open the words; commit."""
        if limit <= 0:
            return []
        with working(self._line) as work:
            claim = work.new_id()
            rows = queues.claim_sends(work.session, self._channel.name, work.now, claim, limit)
            hold_standing(work.session, (row.person_id for row in rows))
            jobs = [job for row in rows if (job := self._prepared(work, row, claim)) is not None]
            if len(jobs) == len(rows):
                work.quietly()  # only ours; what was given up has been told to somebody
            failpoint("courier.before_claim_commit")
        failpoint("courier.after_claim")
        return jobs

    def _prepared(self, work: Work, row: Outbox, claim: str) -> Job | None:
        """One row that cannot be prepared (its key destroyed, its person gone) keeps no other from going out."""
        try:
            with work.tx.attempt():
                return self._prepare(work, row, claim)
        except Exception as error:
            if is_unavailable(error):
                raise
            log.error("row %d cannot be prepared: %s", row.seq, type(error).__name__)
            self._put_off(work, row, type(error).__name__)
            return None

    def _put_off(self, work: Work, row: Outbox, why: str) -> None:
        row.claim, row.claimed_until, row.why = None, None, why[:60]
        if row.attempts < TRIES:
            row.state, row.due_at = OutboxState.WAITING.value, work.now + timedelta(seconds=LONGEST_PAUSE)
            return
        row.state, row.done_at = OutboxState.FAILED.value, work.now
        work.record(Event.WORDS_NOT_SENT, BY_THE_LINE, row.consultation_id, outbox=row.id, why=why, alarm=True)
        try:
            with work.tx.attempt():
                not_delivered(work, row)
        except Exception as error:
            if is_unavailable(error):
                raise
            log.error("row %d was given up and nobody told: %s", row.seq, type(error).__name__)

    def _prepare(self, work: Work, row: Outbox, claim: str) -> Job | None:
        to = self._address(work, row)
        unknown = row.sending and row.remote is None and row.edits is None
        remote = row.remote
        if row.edits is not None:
            remote = queues.remote_of(work.session, row.edits)
        old_call = row.purpose == Purpose.CALL.value and work.now - row.made_at > CALL_LIFE
        if to is None or (row.edits is not None and remote is None) or old_call or row.body is None:
            self._end(work, row, OutboxState.DROPPED if row.edits or old_call else OutboxState.FAILED, "no door")
            return None
        if unknown and row.purpose == Purpose.CALL.value:
            self._end(work, row, OutboxState.FAILED, "unknown")
            return None
        if row.carries_words:
            work.record(Event.WORDS_SENT, BY_THE_LINE, row.consultation_id, outbox=row.id, to=row.person_id)
        body = work.open_words("outbox", "body", row.id, row.scope, row.body)
        outgoing = Outgoing.from_json(json.loads(body))
        row.repeats += unknown
        row.sending = True
        thread = self._thread_of(work, row) if outgoing.thread_title else None
        return Job(
            seq=row.seq,
            claim=claim,
            to=to,
            outgoing=outgoing,
            purpose=Purpose(row.purpose),
            remote=remote,
            repeat=unknown,
            thread=thread,
            wants_thread=outgoing.thread_title is not None and thread is None,
        )

    def _address(self, work: Work, row: Outbox) -> str | None:
        if row.person_id is None:
            return work.open_words("outbox", "address", row.id, row.scope, row.address) if row.address else None
        if not _may_be_sent(work, row):
            return None
        return telegram_of(work.session, work.line.keyring, row.person_id)

    def _thread_of(self, work: Work, row: Outbox) -> str | None:
        known = work.session.get(Thread, (row.person_id, row.consultation_id))
        return known.remote if known else None

    async def _carry_one(self, job: Job) -> None:
        try:
            if job.wants_thread:
                job = await self._with_thread(job)
            failpoint("courier.before_placeholder")
            if job.remote is None:
                sent = await self._placeholder(job)
                if sent.outcome is not Outcome.SENT or sent.remote is None:
                    await self._threads.run(self.report, job, sent)
                    return
                job = replace(job, remote=sent.remote)
            sent = await self._words(job)
            failpoint("courier.after_words")
            await self._threads.run(self.report, job, sent)
            failpoint("courier.after_report")
        except Exception as error:  # noqa: BLE001 - a loop of the line goes on after anything; what failed is tried again
            # The claim runs out and the row is taken up again: nothing is lost, at worst a labelled repeat.
            foreseen = is_unavailable(error) or isinstance(error, ClaimLost)
            level = logging.WARNING if foreseen else logging.ERROR
            log.log(level, "carrying row %d stopped: %s", job.seq, type(error).__name__)

    async def _with_thread(self, job: Job) -> Job:
        title = job.outgoing.thread_title or ""
        opened = await self._channel.open_thread(job.to, title)
        if opened.outcome is not Outcome.SENT or opened.remote is None:
            await self._threads.run(self._go_on, job)
            return job
        await self._threads.run(self._keep_thread, job, opened.remote)
        return replace(job, thread=opened.remote)

    def _keep_thread(self, job: Job, remote: str) -> None:
        with self._held(job) as (work, row):
            if row.person_id is not None and row.consultation_id is not None:
                work.session.merge(Thread(person_id=row.person_id, consultation_id=row.consultation_id, remote=remote))

    async def _placeholder(self, job: Job) -> Sent:
        text = job.outgoing.placeholder
        if job.repeat:
            text += wording.REPEATED
        sent = await self._channel.send(job.to, text, thread=job.thread, reply_to=job.outgoing.reply_to)
        failpoint("courier.after_placeholder")
        if sent.outcome is Outcome.SENT:
            await self._threads.run(self._keep_remote, job, sent.remote)
            failpoint("courier.after_placeholder_commit")
        return sent

    def _keep_remote(self, job: Job, remote: str | None) -> None:
        with self._held(job) as (_, row):
            row.remote = remote

    def _go_on(self, job: Job) -> None:
        with self._held(job):
            pass

    @contextmanager
    def _held(self, job: Job) -> Iterator[tuple[Work, Outbox]]:
        """The row on the way, its claim prolonged. Raises `ClaimLost`: nothing more may be sent for it from here."""
        with working(self._line) as work:
            row = queues.held_claim(work.session, job.seq, job.claim)
            if row is None:
                raise ClaimLost
            hold_standing(work.session, (row.person_id,))
            if not _may_be_sent(work, row):
                raise ClaimLost  # what is owed to them ends when the claim has run out
            queues.prolong(row, work.now)
            work.quietly()
            yield work, row

    async def _words(self, job: Job) -> Sent:
        sent = Sent(Outcome.UNKNOWN)
        for again in range(EDITS_IN_A_ROW):
            if again:
                await self._threads.run(self._go_on, job)
            sent = await self._channel.edit(job.to, job.remote or "", job.outgoing)
            if sent.outcome is not Outcome.UNKNOWN:
                break
        return sent

    def report(self, job: Job, sent: Sent) -> None:
        """Record what is known after trying, if the claim still stands."""
        with working(self._line) as work:
            row = queues.held_claim(work.session, job.seq, job.claim)
            if row is None:
                return
            if sent.outcome is Outcome.SENT:
                row.remote = job.remote
                row.state, row.done_at, row.claim = OutboxState.DELIVERED.value, work.now, None
                delivered(work, row)
            elif sent.outcome is Outcome.REFUSED:
                if row.person_id is not None:
                    door_lost(work, row.person_id)
                self._end(work, row, OutboxState.FAILED, sent.why)
            elif sent.outcome is Outcome.REJECTED:
                self._rejected(work, row, job, sent)
            else:
                self._again(work, row, sent)

    def _rejected(self, work: Work, row: Outbox, job: Job, sent: Sent) -> None:
        """This content or its place is not accepted: once more without what was in the way, then given up."""
        if row.attempts > EDITS_IN_A_ROW:
            self._end(work, row, OutboxState.FAILED, sent.why)
            return
        work.record(Event.WORDS_NOT_SENT, BY_THE_LINE, row.consultation_id, outbox=row.id, why=sent.why, again=True)
        if sent.why == "thread gone" and row.person_id and row.consultation_id:
            gone = work.session.get(Thread, (row.person_id, row.consultation_id))
            if gone is not None:
                work.session.delete(gone)
        row.sending = False
        row.remote = None if sent.why in PLACE_GONE else job.remote  # else the placeholder waits for its words
        self._again(work, row, sent)

    def _again(self, work: Work, row: Outbox, sent: Sent) -> None:
        age = work.now - row.made_at
        if age > GIVE_UP or (row.purpose == Purpose.CALL.value and age > CALL_LIFE):
            self._end(work, row, OutboxState.FAILED, sent.why)
            return
        if sent.outcome is Outcome.UNKNOWN and row.remote is None and row.purpose == Purpose.CALL.value:
            self._end(work, row, OutboxState.FAILED, "unknown")
            return
        if sent.outcome is Outcome.NOT_SENT:
            row.sending = row.repeats > 0  # this one is not out there, but one before it may be
        pause = sent.retry_after if sent.retry_after is not None else min(2.0 ** (row.attempts - 1), LONGEST_PAUSE)
        row.state, row.claim, row.claimed_until = OutboxState.WAITING.value, None, None
        row.due_at = work.now + timedelta(seconds=pause)
        if row.why == LATE_TOLD:
            return
        row.why = sent.why[:60]
        if age > LATE:
            row.why = LATE_TOLD
            not_delivered(work, row)

    def _end(self, work: Work, row: Outbox, state: OutboxState, why: str) -> None:
        row.state, row.why, row.done_at, row.claim = state.value, why[:60], work.now, None
        work.session.flush()
        if state is OutboxState.FAILED:
            not_delivered(work, row)


def _may_be_sent(work: Work, row: Outbox) -> bool:
    if row.person_id is None or row.purpose == Purpose.LAST_WORD.value:
        return True
    return is_active(work.session, row.person_id)
