"""The stage: a whole line on real parts, its people at their doors, and the clock in our hand.

Rules kept here:
- Only the outer walls are ours: the clock, chance, and the Bot API server (`tests/botapi`), which is spoken to over
  HTTP by the real channel. Intake, courier and watch are the real ones, turned by hand: no test sleeps.
- After every act the line comes to rest before the story goes on; time passes from due thing to due thing.
- A page is refreshed when the line's bell rang for whoever sits in front of it, and then only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import func, select

from access.enrolment import bind_telegram
from access.tables import Role
from bot.courier import Courier
from bot.intake import Handled, Intake
from bot.telegram_channel import TelegramChannel
from bot.threads import Threads
from bot.watch import Watch
from bot.web_channel import WebDoor
from conversations import store, wording
from conversations.case import Case
from conversations.errors import LineError, Taken
from conversations.line import Doors
from conversations.messages import ChannelName
from conversations.policy import Policy
from conversations.states import NotPossible
from conversations.tables import Consultation, Held, Inbox, InboxState, Outbox, OutboxState, Shift
from conversations.work import Work
from storage.database import Database
from tests.botapi import BotApi
from tests.house import House
from tests.journeys.actors import CAST, STRANGER, Actor
from tests.journeys.at_telegram import AtTelegram
from tests.journeys.at_the_web import AtWeb
from tests.journeys.reading import Story, StoryError

Result = TypeVar("Result")
PATIENCE = 10.0  # seconds of real time; only a failure ever takes that long
TICK = timedelta(milliseconds=10)  # an act takes a moment: what was done first is older
PUBLIC_URL = "https://lanyard.example"
EVERYBODY = frozenset(Role)
ROUNDS = 500  # of work after one act; a line that goes on for ever is broken

# Of each lane only the first can be handled or sent.
_WAITING, _CLAIMED = OutboxState.WAITING.value, OutboxState.CLAIMED.value
_HEADS = select(func.min(Outbox.seq)).where(Outbox.state.in_((_WAITING, _CLAIMED))).group_by(Outbox.lane)
_ARRIVALS = select(func.min(Inbox.seq)).where(Inbox.state == InboxState.WAITING.value).group_by(Inbox.lane)
_NEXT_ARRIVAL = select(func.min(Inbox.due_at)).where(Inbox.seq.in_(_ARRIVALS))
_NEXT_SEND = select(func.min(Outbox.due_at)).where(Outbox.seq.in_(_HEADS), Outbox.state == _WAITING)
_NEXT_CLAIM = select(func.min(Outbox.claimed_until)).where(Outbox.seq.in_(_HEADS), Outbox.state == _CLAIMED)


@dataclass(frozen=True)
class Setting:
    """Which people are at Telegram, and what may pass through it."""

    at_telegram: frozenset[Role] = frozenset()
    relay: bool = False
    topics: bool = False
    doorbell: bool = False  # everybody is at the web, with a telephone that only rings


SETTINGS = {
    "web": Setting(),
    "Telegram": Setting(EVERYBODY, relay=True),
    "Telegram with topics": Setting(EVERYBODY, relay=True, topics=True),
    "mixed": Setting(frozenset({Role.OFFICER}), relay=True),
    "doorbell": Setting(doorbell=True),
}


@dataclass(frozen=True)
class Question:
    """A consultation as a story knows it."""

    officer: str
    ref: str


class Stage:
    """Everything a story happens on."""

    def __init__(self, database: Database, story: Story, setting: Setting, api: BotApi | None) -> None:
        telegram = api is not None
        self.story = story
        self.setting = setting
        self.api = api
        self.acts = 0
        self.questions: list[Question] = []
        self.running = True
        self.code = ""  # the newest one-time link's
        self.secrets: set[str] = set()  # words and names that a doorbell must never carry
        self.took = (
            0.0  # seconds of the processor that the last act and all that followed took: no other program counts
        )
        self.house = House(
            database,
            policy=Policy(capacity=int(story.headings.get("Capacity", Policy.capacity))),
            doors=Doors(telegram, setting.relay, PUBLIC_URL),
            team=dict(CAST.values()),
        )
        flag = story.headings.get("Red flag")
        if flag:
            known = lambda words: ("known",) if flag in words else ()  # noqa: E731 - a rule in one line
            self.house.line = replace(self.house.line, flags=known)
        self.threads = Threads(4)
        self.channel = self._channel(api) if api else None
        doors = {ChannelName.WEB: WebDoor()} | ({ChannelName.TELEGRAM: self.channel} if self.channel else {})
        self.intake = Intake(self.house.line, doors, self.threads)
        self.courier = Courier(self.house.line, self.channel, self.threads) if self.channel else None
        self.watch = Watch(self.house.line, self.threads)
        self.phones: dict[str, AtTelegram] = {}
        self.actors = {name: self._actor(name) for name in CAST}
        if api:
            self.actors[STRANGER] = AtTelegram(self, STRANGER, api.person(5999, STRANGER))
        self._listening: asyncio.Task[None] | None = None
        self._rung = 0

    def _channel(self, api: BotApi) -> TelegramChannel:
        api.topics_enabled = self.setting.topics
        return TelegramChannel(
            api.token, api.base_url, clock=self.house.clock, help_line=lambda _who: None, poll_timeout=25
        )

    def _actor(self, name: str) -> Actor:
        roles = CAST[name][1].roles
        at_telegram = bool(roles & self.setting.at_telegram)
        if self.api and (at_telegram or self.setting.doorbell):
            person = self.api.person(5000 + len(self.phones) + 1, name)
            self.phones[name] = AtTelegram(self, name, person)
            person._record.started = True
            key = self.house.id(CAST[name][0])
            self.do(lambda work: bind_telegram(work.session, work.line.keyring, key, str(person.user_id), work.now))
        return self.phones[name] if at_telegram else AtWeb(self, name)

    # --- what stories speak of ----------------------------------------------------------------------

    def do(self, act: Callable[[Work], Result]) -> Result:
        """One transaction."""
        return self.house.do(act)

    def question(self, named: str) -> Question:
        """'it', or 'PC Example's second question'."""
        if named == "it":
            assert len(self.questions) == 1, f"there are {len(self.questions)} questions: say whose is meant"
            return self.questions[0]
        officer, _, which = named.partition("'s ")
        theirs = [one for one in self.questions if one.officer == officer]
        at = {"first": 0, "second": 1, "third": 2}.get(which.split()[0], 0)
        assert at < len(theirs), f"{officer} has asked {len(theirs)} so far"
        return theirs[at]

    def row(self, named: str) -> Consultation:
        """The consultation as it stands."""
        return self.house.row(self.question(named).ref)

    def case(self, work: Work, ref: str) -> Case:
        """The consultation, locked in this transaction."""
        return Case.load(work, store.by_ref(work.session, ref).id)

    def ref_in(self, text: str) -> str | None:
        """Which consultation a text names."""
        return next((one.ref for one in self.questions if one.ref in text), None)

    def fill(self, words: str) -> str:
        """<reference> and <PC Example's second reference> become what was given."""
        if "<reference>" in words:
            words = words.replace("<reference>", self.question("it").ref)
        for one in self.questions:
            nth = [other.ref for other in self.questions if other.officer == one.officer].index(one.ref)
            if nth == 0:
                words = words.replace(f"<{one.officer}'s reference>", one.ref)
            words = words.replace(f"<{one.officer}'s {('first', 'second', 'third')[nth]} reference>", one.ref)
        return words

    async def at_page(self, actor: Actor, act: Callable[[Work], object]) -> None:
        """Somebody does something on a page; a refusal undoes it and is shown."""
        try:
            self.do(act)
        except Taken as refused:
            actor.answered(wording.say("tap_taken", by=refused.by))
        except LineError as refused:
            actor.answered(str(refused))
        except NotPossible:
            actor.answered(wording.say("tap_not_now"))

    # --- acts and time ------------------------------------------------------------------------------

    @asynccontextmanager
    async def act(self) -> AsyncIterator[None]:
        """Somebody does something, and the line comes to rest."""
        for actor in self.actors.values():
            actor.begin_act()
        self.acts += 1
        began = time.process_time()
        self._set_clock(self.house.clock() + TICK)
        yield
        await self.settle()
        self.took = time.process_time() - began

    async def pass_time(self, by: timedelta) -> None:
        """Let time pass, and everything happen that falls due in it, each thing at its time."""
        end = self.house.clock() + by
        while self.running and (soonest := self._next_moment()) is not None and soonest <= end:
            self._set_clock(max(soonest, self.house.clock()))
            await self.settle()
        self._set_clock(end)
        await self.settle()

    async def settle(self) -> None:
        """Work until nothing is left to do now; then let pages show it, and tapped buttons their answers."""
        while True:
            rounds = 0
            while self.running and await self._work():
                rounds += 1
                assert rounds < ROUNDS, "the line does not come to rest"
            woken = self._woken()
            if not woken:
                break
            for actor in woken:
                await actor.refresh()
        self._learn_questions()
        for phone in self.phones.values():
            phone.hear_answers()

    async def _work(self) -> bool:
        moved = await self._handle_arrivals()
        if self.courier is not None:
            jobs = self.courier.claim(32)
            await asyncio.gather(*(self.courier._carry_one(job) for job in jobs))
            moved = moved or bool(jobs)
        if not moved:
            self.watch.look()
            moved = self._is_due()
        return moved

    def _is_due(self) -> bool:
        at = self._next_moment()
        return at is not None and at <= self.house.clock()

    async def _handle_arrivals(self) -> bool:
        await self._heard()
        moved = False
        while (handled := self.intake.handle_next()) is not None:
            await self.follow_up(handled)
            incoming = handled.incoming
            if incoming is not None and incoming.channel is ChannelName.WEB:
                writer = next(one for one in self.actors.values() if one.name in CAST and one.id == incoming.sender)
                writer.answered(handled.received.answer)
            moved = True
        return moved

    async def follow_up(self, handled: Handled) -> None:
        """What follows an arrival outside its transaction: a tap's answer."""
        self.intake._follow_up(handled)
        await asyncio.gather(*self.intake._courtesies)

    async def _heard(self) -> None:
        """Wait until every update that Telegram holds for us was fetched, stored and acknowledged."""
        if self.api is None or self._listening is None:
            return
        until = time.perf_counter() + PATIENCE
        while self.api.pending_updates:
            if self._listening.done():
                self._listening.result()
            assert time.perf_counter() < until, "updates are not fetched"
            await asyncio.sleep(0.001)

    def _next_moment(self) -> datetime | None:
        """When something falls due next: a timer, a held line, a shift, something to be sent or tried again."""
        with self.house.line.database.reading() as session:
            moments = [
                store.next_due_at(session),
                session.scalar(select(func.min(Held.due_at))),
                session.scalar(select(func.min(Shift.starts_at)).where(Shift.announced.is_(False))),
                session.scalar(_NEXT_ARRIVAL),
                session.scalar(_NEXT_SEND),
                session.scalar(_NEXT_CLAIM),
            ]
        return min((at for at in moments if at is not None), default=None)

    def _learn_questions(self) -> None:
        with self.house.line.database.reading() as session:
            rows = session.scalars(select(Consultation).order_by(Consultation.asked_at, Consultation.id))
            names = {self.house.id(key): name for name, (key, _) in CAST.items()}
            known = {one.ref for one in self.questions}
            self.questions += [Question(names[row.officer_id], row.ref) for row in rows if row.ref not in known]

    def _woken(self) -> list[AtWeb]:
        """Whose open page the bell rang for since this was last asked."""
        rung, self._rung = self.house.bell.people[self._rung :], len(self.house.bell.people)
        people = {person for ring in rung for person in ring}
        pages = [one for one in self.actors.values() if isinstance(one, AtWeb) and one.looking]
        return [page for page in pages if page.id in people]

    def _set_clock(self, at: datetime) -> None:
        self.house.clock.time = at
        self._set_telegrams_clock()

    def _set_telegrams_clock(self) -> None:
        if self.api is not None:
            self.api.advance(self.house.clock().timestamp() - self.api.now())

    # --- the line itself ----------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen, own up to a long outage, go on."""
        self.watch.own_up_to_outage()
        if self.channel is not None:
            self._listening = asyncio.create_task(self.channel.listen(self.intake.store))
        self.running = True

    async def stop(self) -> None:
        """The line stops: nothing is heard, sent or looked at any more."""
        self.watch.beat()
        self.running = False
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
            self._listening = None

    async def close(self) -> None:
        """Give everything back."""
        await self.stop()
        if self.channel is not None:
            await self.channel.close()
        self.threads.close()

    def waiting_arrivals(self) -> int:
        """How much was stored and not yet handled."""
        with self.house.line.database.reading() as session:
            query = select(func.count()).select_from(Inbox).where(Inbox.state == InboxState.WAITING.value)
            return session.scalar(query) or 0


@asynccontextmanager
async def staged(url: str, story: Story, door: str) -> AsyncIterator[Stage]:
    """A stage for one story at one door."""
    if door not in SETTINGS:
        raise StoryError(f"{story.name}: {door!r} is no door; there are: {', '.join(SETTINGS)}")
    setting = SETTINGS[door]
    database = Database(url)
    api = BotApi().open() if setting.at_telegram or setting.doorbell else None
    try:
        stage = Stage(database, story, setting, api)
        await stage.start()
        try:
            yield stage
        finally:
            await stage.close()
    finally:
        database.close()
        if api is not None:
            api.close()
