"""The stage: a whole line on real parts, its people at their doors, and the clock in our hand.

Rules kept here:
- Only the outer walls are ours: the clock, chance, and the Bot API server (`tests/botapi`), which is spoken to over
  HTTP by the real channel. `works` turns intake, courier and watch by hand: no test sleeps.
- After every act the line comes to rest before the story goes on; time passes from due thing to due thing.
- A page is refreshed when the line's bell rang for whoever sits in front of it, and then only.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select

from access.enrolment import bind_telegram
from access.tables import Role
from conversations import store, wording
from conversations.case import Case
from conversations.errors import LineError, Taken
from conversations.line import Doors
from conversations.messages import ChannelName
from conversations.policy import Policy
from conversations.states import NotPossible
from conversations.tables import Consultation
from conversations.work import Work
from knowledge.entry import Published
from knowledge.guide import Chosen, Guide, Seen, SilentGuide
from knowledge.reading import read_folder
from storage.database import Database
from tests.botapi import BotApi
from tests.house import House, OneWord, Scripted
from tests.journeys.actors import CAST, STRANGER, Actor
from tests.journeys.at_telegram import AtTelegram
from tests.journeys.at_the_web import AtWeb
from tests.journeys.reading import Story, StoryError
from tests.journeys.works import Works

Result = TypeVar("Result")
TICK = timedelta(milliseconds=10)  # an act takes a moment: what was done first is older
PUBLIC_URL = "https://lanyard.example"
EVERYBODY = frozenset(Role)
ON_PETS = ("guidance-pets", "dogs-trust-freedom-north-west")


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
        self.setting = setting
        self.api = api
        self.acts = 0
        self.questions: list[Question] = []
        self.code = ""  # the newest one-time link's
        self.secrets: set[str] = set()  # words and names that a doorbell must never carry
        self.took = 0.0  # seconds of the processor for the last act and what followed: no other program counts
        self.cast = [name for name in CAST if any(name in line.text for line in story.lines)]
        self.house = self._house(database, story)
        self.works = Works(self.house, api)
        self.phones: dict[str, AtTelegram] = {}
        self.actors = {name: self._actor(name) for name in self.cast}
        if api:
            api.topics_enabled = setting.topics
            self._connect_phones()
            self.actors[STRANGER] = AtTelegram(self, STRANGER, api.person(5999, STRANGER))
        self._rung = 0

    def _house(self, database: Database, story: Story) -> House:
        house = House(
            database,
            policy=_policy(story),
            doors=Doors(self.api is not None, self.setting.relay, PUBLIC_URL),
            team=dict(CAST[name] for name in self.cast),
        )
        house.line = replace(house.line, guide=_guide(story))
        return house

    def _actor(self, name: str) -> Actor:
        at_telegram = bool(CAST[name][1].roles & self.setting.at_telegram)
        if self.api and (at_telegram or self.setting.doorbell):
            person = self.api.person(5001 + len(self.phones), name)
            person._record.started = True
            self.phones[name] = AtTelegram(self, name, person)
        return self.phones[name] if at_telegram else AtWeb(self, name)

    def _connect_phones(self) -> None:
        with self.house.work() as work:
            for phone in self.phones.values():
                bind_telegram(work.session, work.line.keyring, phone.id, str(phone.person.user_id), work.now)

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
        while self.works.running and (soonest := self.works.moments().next) is not None and soonest <= end:
            self._set_clock(max(soonest, self.house.clock()))
            await self.works.come_to_rest()
        self._set_clock(end)
        await self.settle()

    async def settle(self) -> None:
        """The line comes to rest; pages show what is new, which may set it to work again; taps have their answers."""
        await self.works.come_to_rest()
        while woken := self._woken():
            for page in woken:
                await page.refresh()
            await self.works.come_to_rest()
        self._learn_questions()
        self._show_answers()

    def _show_answers(self) -> None:
        """What the last act was answered: at the page at once, at Telegram where a button was tapped."""
        people = {actor.id: actor for name, actor in self.actors.items() if name in CAST}
        for handled in self.works.handled:
            incoming = handled.incoming
            if incoming is not None and incoming.channel is ChannelName.WEB:
                people[incoming.sender].answered(handled.received.answer)
        self.works.handled.clear()
        for phone in self.phones.values():
            phone.hear_answers()

    def _learn_questions(self) -> None:
        known = [one.ref for one in self.questions]
        new = select(Consultation.officer_id, Consultation.ref).where(Consultation.ref.not_in(known))
        with self.house.line.database.reading() as session:
            rows = session.execute(new.order_by(Consultation.asked_at, Consultation.id)).all()
        names = {actor.id: name for name, actor in self.actors.items() if name in CAST}
        self.questions += [Question(names[officer], ref) for officer, ref in rows]

    def _woken(self) -> list[AtWeb]:
        """Whose open page the bell rang for since this was last asked."""
        rung, self._rung = self.house.bell.people[self._rung :], len(self.house.bell.people)
        people = {person for ring in rung for person in ring}
        pages = [one for one in self.actors.values() if isinstance(one, AtWeb) and one.looking]
        woken = [page for page in pages if page.id in people or page.acted]
        for page in woken:
            page.acted = False
        return woken

    def _set_clock(self, at: datetime) -> None:
        self.house.clock.time = at
        if self.api is not None:
            self.api.advance(at.timestamp() - self.api.now())


def _policy(story: Story) -> Policy:
    capacity = int(story.headings.get("Capacity", Policy.capacity))
    minutes = story.headings.get("Looks again after", "").removesuffix(" minutes")
    return Policy(capacity=capacity, next_look=timedelta(minutes=int(minutes)) if minutes else Policy.next_look)


def _guide(story: Story) -> Guide:
    flag, word = story.headings.get("Red flag"), story.headings.get("Signposting")
    if word is None:
        return OneWord(flag) if flag else SilentGuide()
    entries = [Published(entry, 1) for entry in read_folder() if entry.id in ON_PETS]
    seen = Seen(
        chosen=tuple(Chosen(one, 1.0, ("a pet",)) for one in sorted(entries, key=lambda one: one.entry.title)[::-1])
    )
    return Scripted({word: seen}, entries)


@asynccontextmanager
async def staged(database: Database, story: Story, door: str) -> AsyncIterator[Stage]:
    """A stage for one story at one door, on an empty database."""
    if door not in SETTINGS:
        raise StoryError(f"{story.name}: {door!r} is no door; there are: {', '.join(SETTINGS)}")
    setting = SETTINGS[door]
    api = BotApi().open() if setting.at_telegram or setting.doorbell else None
    try:
        stage = Stage(database, story, setting, api)
        await stage.works.start()
        try:
            yield stage
        finally:
            await stage.works.close()
    finally:
        if api is not None:
            api.close()
