"""A whole line in this process for hostile inputs, with everybody at Telegram.

Rules kept here:
- Database, keys, intake, courier, watch and channel are the real ones. Only the outer walls are ours: the Bot API
  server (`tests/botapi`, spoken to over HTTP), the clock and chance.
- An arrival comes by the stand-in, as a person does it or pushed raw; or straight to `Intake.store` where no Bot API
  server would hand it out.
- What people see is read off their visible chats. What the line noted is read off the trail.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import func, select

from access.enrolment import bind_telegram
from access.people import NewPerson, add_person
from access.tables import Attempt, Role, TelegramBinding
from audit.trail import read_leaves
from bot.channel import Arrival, Door
from bot.courier import Courier
from bot.intake import Intake
from bot.quiet import keep_words_out_of_logs
from bot.telegram_batch import arrival_of
from bot.telegram_channel import TelegramChannel
from bot.threads import Threads
from bot.watch import Watch
from bot.web_channel import WebDoor
from conversations import store
from conversations.line import Doors
from conversations.messages import ChannelName
from conversations.tables import Consultation, Due, Held, Inbox, Message, MessageVersion, Offer, Outbox
from conversations.work import Work, scope_of
from storage.database import Database
from tests.botapi import BotApi, Person
from tests.botapi import Message as Seen
from tests.house import NINE_PM, House

Result = TypeVar("Result")
Json = dict[str, Any]

FULL = os.environ.get("LANYARD_PROVE") == "full"
PATIENCE = 10.0  # seconds of real time; only a failure takes that long
PUBLIC_URL = "https://lanyard.example"
FORCE, TRUST = "Example Constabulary", "Example Hospitals NHS Trust"
OFFICER, IDVA, LEAD = frozenset({Role.OFFICER}), frozenset({Role.IDVA}), frozenset({Role.SUPERVISOR})
TEAM = {
    "officer1": NewPerson("PC 1234", "PC 1234 Example", FORCE, OFFICER),
    "officer2": NewPerson("PC 5678", "PC 5678 Sample", "Other Constabulary", OFFICER),
    "amira": NewPerson("N-200", "Amira Sample", TRUST, IDVA),
    "jane": NewPerson("N-100", "Jane Example", TRUST, IDVA),
    "noor": NewPerson("N-300", "Noor Specimen", TRUST, IDVA),
    "both": NewPerson("N-400", "Kim Double", TRUST, OFFICER | IDVA),
    "sam": NewPerson("S-300", "Sam Example", FORCE, LEAD),
    "next": NewPerson("PC 9999", "PC 9999 Next", FORCE, OFFICER),  # shows after each input that the line goes on
}
CHATS = {name: 4001 + at for at, name in enumerate(TEAM)}
STRANGER = 9001
TOKEN = "123456789:AAhostileCanaryTokenCanaryTokenCana"


@dataclass(frozen=True)
class Note:
    """One leaf of the trail."""

    event: str
    actor: str
    facts: Json

    @property
    def why(self) -> Any:
        return self.facts.get("why")


class Scene:
    """A line and its people."""

    def __init__(self, url: str, api: BotApi, *, relay: bool = True, team: dict[str, NewPerson] | None = None) -> None:
        self.url = url
        self.api = api
        self.database = Database(url)
        self.house = House(self.database, doors=Doors(True, relay, PUBLIC_URL), team=team or TEAM)
        self.threads = Threads(4)
        self._message_ids = count(700_000)
        self._open()
        if team is None:
            self._enrol()
            self.house.on_duty("jane")
            self.house.lead_on_duty()
        self._set_telegrams_clock()

    def _enrol(self) -> None:
        for name, user_id in CHATS.items():
            self.bind(name, user_id)

    def bind(self, name: str, user_id: int) -> None:
        """Somebody's Telegram account is theirs, and they have pressed Start."""
        self.api.person(user_id, name)._record.started = True
        self.do(
            lambda work: bind_telegram(work.session, work.line.keyring, self.house.id(name), str(user_id), work.now)
        )

    def enrol(self, work: Work, name: str, new: NewPerson, user_id: int) -> None:
        """One more member of staff, with an account at Telegram."""
        add_person(work.session, work.line.keyring, self.house.id(name), new, work.now)
        bind_telegram(work.session, work.line.keyring, self.house.id(name), str(user_id), work.now)
        self.api.person(user_id, name)._record.started = True

    def _open(self) -> None:
        """What lives as long as the process does."""
        self.channel = TelegramChannel(
            self.api.token, self.api.base_url, clock=self.house.clock, help_line=lambda _who: None, poll_timeout=5
        )
        doors: dict[ChannelName, Door] = {ChannelName.WEB: WebDoor(), ChannelName.TELEGRAM: self.channel}
        self.intake = Intake(self.house.line, doors, self.threads)
        self.courier = Courier(self.house.line, self.channel, self.threads)
        self.watch = Watch(self.house.line, self.threads)
        self._listening: asyncio.Task[None] | None = None

    # --- running ----------------------------------------------------------------------------------

    async def listen(self) -> None:
        """Begin to poll."""
        assert await self.channel.identify()
        self._listening = asyncio.create_task(self.channel.listen(self.intake.store))

    async def stop(self) -> None:
        """The process is gone: nothing is heard, sent or looked at any more."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        await self.channel.close()

    async def restart(self) -> None:
        """Another process on the same database."""
        await self.stop()
        self._open()
        self.courier.start_afresh()
        await self.listen()

    async def settle(self) -> None:
        """Until nothing is left to do now."""
        self._set_telegrams_clock()
        while True:
            moved = await self.handle()
            moved = await self.carry() or moved
            if not moved:
                return

    async def handle(self) -> bool:
        """Fetch, store and handle what has arrived; send nothing."""
        await self._heard()
        moved = False
        while (handled := self.intake.handle_next()) is not None:
            self.intake._follow_up(handled)
            moved = True
        await asyncio.gather(*self.intake._courtesies)
        return moved

    async def carry(self) -> bool:
        """Send once what is due."""
        jobs = self.courier.claim(32)
        await asyncio.gather(*(self.courier._carry_one(job) for job in jobs))
        return bool(jobs)

    async def _heard(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.api.pending_updates:
                if self._listening is not None and self._listening.done():
                    self._listening.result()
                await asyncio.sleep(0.001)

    async def later(self, **parts: float) -> None:
        """Let time pass, and everything happen that falls due in it, each thing at its time."""
        await self.settle()
        end = self.house.clock() + timedelta(**parts)
        while (soonest := self._next_moment()) is not None and soonest <= end:
            self.house.clock.time = soonest
            self.watch.look()
            await self.settle()
        self.house.clock.time = end
        self.watch.look()
        await self.settle()

    def _next_moment(self) -> datetime | None:
        """When something falls due next, after now."""
        now = self.house.clock()
        times = (Due.at, Held.due_at, Inbox.due_at, Outbox.due_at, Outbox.claimed_until)
        open_ones = (None, None, Inbox.state == "waiting", Outbox.state == "waiting", Outbox.state == "claimed")
        found: list[datetime] = []
        with self.database.reading() as session:
            for column, still in zip(times, open_ones, strict=True):
                query = select(func.min(column)).where(column > now)
                soonest = session.scalar(query if still is None else query.where(still))
                found += [soonest] if soonest else []
        return min(found, default=None)

    def _set_telegrams_clock(self) -> None:
        self.api.advance(self.house.clock().timestamp() - self.api.now())

    def do(self, act: Callable[[Work], Result]) -> Result:
        """One transaction."""
        return self.house.do(act)

    # --- what arrives -----------------------------------------------------------------------------

    def phone(self, name: str) -> Person:
        """Somebody of the team at Telegram."""
        return self.api.person(CHATS[name], name)

    def update(self, who: str | int = "officer1", kind: str = "message", **fields: Any) -> Json:
        """An update about a message, without its id. A field of None is left out."""
        user_id = CHATS[who] if isinstance(who, str) else who
        said: Json = {
            "message_id": next(self._message_ids),
            "from": {"id": user_id, "is_bot": False, "first_name": "Ann"},
            "chat": {"id": user_id, "type": "private", "first_name": "Ann"},
            "date": int(self.house.clock().timestamp()),
        }
        said |= fields
        return {kind: {name: value for name, value in said.items() if value is not None}}

    def push(self, *updates: Json | bytes) -> None:
        """Anything at all, through the stand-in."""
        for update in updates:
            self.api.push(update)

    async def store(self, update: Json | bytes) -> Arrival:
        """What no Bot API server would hand out, straight to the inbox."""
        raw = update if isinstance(update, bytes) else json.dumps(update).encode()
        arrival = arrival_of(raw)
        await self.intake.store(arrival)
        return arrival

    async def ask(self, name: str = "officer1", text: str = "Is this coercive control?") -> str:
        """A question by Telegram; gives its reference."""
        self.phone(name).write(text)
        await self.settle()
        return self.row_of(name).ref

    async def talk(self, idva: str = "jane", officer: str = "officer1", text: str = "Is this coercive control?") -> str:
        """A question that an IDVA has accepted."""
        ref = await self.ask(officer, text)
        await self.accept(idva, ref)
        return ref

    def call_to(self, who: str, ref: str, label: str = "Accept") -> Seen:
        """The newest message in somebody's chat about this consultation that has such a button."""
        return next(one for one in reversed(self.seen_by(who)) if ref in one.text and label in one.labels)

    async def accept(self, idva: str, ref: str) -> None:
        """An IDVA takes what she was offered."""
        self.phone(idva).tap(self.call_to(idva, ref), "Accept")
        await self.settle()
        with self.database.reading() as session:
            row = store.by_ref(session, ref)
        assert (row.state, row.idva_id) == ("talking", self.house.id(idva))

    # --- what is there ------------------------------------------------------------------------------

    def row_of(self, name: str) -> Consultation:
        """The newest consultation of an officer."""
        with self.database.reading() as session:
            return store.recent_of_officer(session, self.house.id(name))[0]

    def rows(self) -> list[Consultation]:
        """Every consultation, oldest first."""
        with self.database.reading() as session:
            return list(session.scalars(select(Consultation).order_by(Consultation.asked_at, Consultation.id)))

    def words(self, ref: str, side: str | None = None) -> list[list[str]]:
        """The opened wordings of each message of people, in order."""
        with self.house.work() as work:
            row = store.by_ref(work.session, ref)
            messages = [one for one in store.messages_of(work.session, row.id) if one.side != "line"]
            versions = store.versions_of(work.session, [one.id for one in messages])
            return [
                [self._opened(work, one, version) for version in versions[one.id]]
                for one in messages
                if side in (None, one.side)
            ]

    def _opened(self, work: Work, message: Message, version: MessageVersion) -> str:
        place, scope = f"{message.id}.{version.number}", scope_of(message.consultation_id)
        return work.open_words("message_version", "words", place, scope, version.words)

    def snapshot(self) -> Json:
        """All that a refusal must leave as it was."""
        with self.database.reading() as session:
            rows = session.scalars(select(Consultation).order_by(Consultation.id))
            states = [(row.ref, row.state, row.idva_id, row.grade, row.victim_safe, row.messages) for row in rows]
            tables = (Message, MessageVersion, Offer, Held, TelegramBinding)
            counts = {table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in tables}
            return {"states": states} | counts

    def trail(self, since: int = 0) -> list[Note]:
        """What the line noted."""
        with self.database.reading() as session:
            leaves = [json.loads(data) for data in read_leaves(session)[since:]]
        return [Note(leaf["event"], leaf["actor"], leaf["facts"]) for leaf in leaves]

    def noted(self, event: str, since: int = 0) -> list[Note]:
        """The notes of one kind."""
        return [one for one in self.trail(since) if one.event == event]

    def inbox(self) -> list[Inbox]:
        """Every arrival, in order."""
        with self.database.reading() as session:
            return list(session.scalars(select(Inbox).order_by(Inbox.seq)))

    def raw_of(self, row: Inbox) -> bytes:
        """An arrival's bytes, as they are kept."""
        with self.house.work() as work:
            return work.open_words("inbox", "raw", row.key, row.scope, row.raw).encode("latin-1")

    def owed(self) -> int:
        """How much waits to be sent."""
        with self.database.reading() as session:
            waiting = select(func.count()).select_from(Outbox).where(Outbox.state.in_(("waiting", "claimed")))
            return session.scalar(waiting) or 0

    def attempts(self) -> int:
        """How many things are counted."""
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(Attempt)) or 0

    def leaves(self) -> bytes:
        """The whole trail, as bytes."""
        with self.database.reading() as session:
            return b"\n".join(read_leaves(session))

    # --- what people see ------------------------------------------------------------------------------

    def seen_by(self, who: str | int) -> list[Seen]:
        """What the bot's side of somebody's chat shows now."""
        return self.api.person(CHATS[who] if isinstance(who, str) else who).from_bot

    def sent_to(self, who: str) -> list[str]:
        """The words put into somebody's chat, in order, as they went over the wire."""
        return [call.params["text"] for call in self.api.calls("editMessageText", CHATS[who]) if call.outcome == "ok"]


def heard_logs() -> io.StringIO:
    """All that the program logs from now on, at its loudest, cleaned as the program itself cleans it."""
    lines = io.StringIO()
    keep_words_out_of_logs(logging.DEBUG, lines)
    return lines


@asynccontextmanager
async def a_scene(url: str, **more: Any) -> AsyncIterator[Scene]:
    """A line on this migrated, empty database, listening at a stand-in of its own."""
    with BotApi(TOKEN) as api:
        api.advance(NINE_PM.timestamp() - api.now())
        scene = Scene(url, api, **more)
        try:
            await scene.listen()
            yield scene
        finally:
            await scene.stop()
            scene.threads.close()
            scene.database.close()
