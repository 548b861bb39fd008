"""Telegram as it may be: the same update again and again, out of order, with ids that jump; and what is left of it.

A `Flood` is a line in this process, on a real database, fed through the real poller, reading and intake. Only the
outer wall is ours: what getUpdates answers, the clock, randomness. Two floods of the same seed that were fed the
same make the same database, row by row, so any extra effect of a repeat shows in the digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

from sqlalchemy import select

from access.enrolment import bind_telegram
from access.people import NewPerson
from access.tables import Role
from bot.intake import Intake
from bot.telegram_channel import TelegramChannel
from bot.telegram_polling import Polling
from bot.threads import Threads
from conversations import store
from conversations.line import Doors
from conversations.messages import ChannelName, Outgoing
from conversations.policy import Policy
from conversations.tables import Consultation, Inbox, Message, MessageVersion, Outbox
from conversations.work import scope_of
from storage.database import Base, Database
from storage.sealing import Sealed
from tests.house import House
from tests.telegram_wire import TOKEN, message

Update = dict[str, Any]
OFFICERS, IDVAS = 12, 6
STRANGER = 9_999


def team() -> dict[str, NewPerson]:
    """Officers and IDVAs enough that nobody's room decides what happens."""
    officers = {
        f"officer{number}": NewPerson(f"PC {number}", f"PC {number} Example", "Force", frozenset({Role.OFFICER}))
        for number in range(OFFICERS)
    }
    idvas = {
        f"idva{number}": NewPerson(f"N {number}", f"Idva{number} Example", "Trust", frozenset({Role.IDVA}))
        for number in range(IDVAS)
    }
    return officers | idvas


def telegram_id(name: str) -> int:
    """Everybody's Telegram account."""
    return 4_000 + list(team()).index(name)


class AllGiven(Exception):
    """Telegram has nothing more to give."""


@dataclass
class Flood:
    """One line and the wire that feeds it."""

    house: House
    channel: TelegramChannel
    intake: Intake
    _bodies: Iterator[bytes] = field(default_factory=lambda: iter(()))

    async def feed(self, updates: Iterable[Update], at_once: int = 20) -> None:
        """Answer getUpdates with these, in this order; handle what was stored after each answer."""
        waiting = list(updates)
        cuts = range(0, len(waiting), at_once)
        self._bodies = (_answer(waiting[cut : cut + at_once]) for cut in cuts)
        with suppress(AllGiven):
            await Polling(self._fetch, self.intake.store, self._no_help, self.house.clock, 10).run()

    async def _fetch(self, _offset: int | None, _limit: int) -> bytes:
        while self.intake.handle_next() is not None:
            pass
        body = next(self._bodies, None)
        if body is None:
            raise AllGiven
        return body

    async def _no_help(self, raws: object) -> None:
        raise AssertionError("an update was not stored")

    def buttons(self, since: int) -> list[tuple[str, str, str]]:
        """The buttons sent after this row of the outbox: whose, what they say, their token."""
        found = []
        with self.house.work() as work:
            rows = select(Outbox).where(Outbox.seq > since, Outbox.body.is_not(None)).order_by(Outbox.seq)
            for row in work.session.scalars(rows):
                assert row.body is not None
                words = work.open_words("outbox", "body", row.id, row.scope, row.body)
                for line in Outgoing.from_json(json.loads(words)).buttons:
                    found += [(self.house.name(row.person_id) or "", key.label, key.token) for key in line]
        return found

    def last_sent(self) -> int:
        """The newest row of the outbox."""
        with self.house.line.database.reading() as session:
            return session.scalar(select(Outbox.seq).order_by(Outbox.seq.desc()).limit(1)) or 0

    def inbox(self) -> dict[str, list[str]]:
        """The states of what arrived, by key."""
        found: dict[str, list[str]] = {}
        with self.house.line.database.reading() as session:
            for key, state in session.execute(select(Inbox.key, Inbox.state)):
                found.setdefault(key, []).append(state)
        return found

    def digest(self, *, without: Iterable[str] = ()) -> dict[str, str]:
        """A hash of each table's rows, words opened only so far as their length tells; `words` holds them all.

        Sealing is never twice the same: what hashes sealed bytes (a fact of the leaves, and the tree) is left out."""
        told: dict[str, str] = {"words": _hash(self.words())}
        with self.house.line.database.reading() as session:
            for table in Base.metadata.sorted_tables:
                if table.name not in (*without, "tile"):
                    columns = [column for column in table.columns if column.name != "frontier"]
                    rows = session.execute(select(*columns).order_by(*table.primary_key.columns))
                    told[table.name] = _hash([[_plain(value) for value in row] for row in rows])
        return told

    def words(self) -> list[list[object]]:
        """Every wording of every message."""
        told: list[list[object]] = []
        with self.house.work() as work:
            rows = select(MessageVersion, Message).join(Message, Message.id == MessageVersion.message_id)
            for version, said in work.session.execute(rows.order_by(Message.id, MessageVersion.number)):
                place, scope = f"{said.id}.{version.number}", scope_of(said.consultation_id)
                opened = work.open_words("message_version", "words", place, scope, version.words)
                told.append([said.consultation_id, said.number, version.number, opened])
        return told

    def stories(self) -> dict[str, list[object]]:
        """What happened to each officer's questions, told without ids: the same however lanes are mixed."""
        words: dict[tuple[object, object], list[str]] = {}
        for consultation, number, _, text in self.words():
            words.setdefault((consultation, number), []).append(str(text))
        told: dict[str, list[object]] = {}
        with self.house.line.database.reading() as session:
            for row in session.scalars(select(Consultation).order_by(Consultation.asked_at, Consultation.id)):
                said = [
                    (one.side, one.kind, [text.replace(row.ref, "REF") for text in words[row.id, one.number]])
                    for one in store.messages_of(session, row.id)
                ]
                owed = session.scalars(select(Outbox.purpose).where(Outbox.consultation_id == row.id))
                story = (row.state, row.grade, said, sorted(owed))
                told.setdefault(self.house.name(row.officer_id) or "", []).append(story)
        return told


def _answer(updates: list[Update]) -> bytes:
    return json.dumps({"ok": True, "result": updates}).encode()


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return re.sub(rb'"sealed":"[0-9a-f]{64}"', b"", value).decode("latin-1")
    return f"sealed {len(value.blob)}" if isinstance(value, Sealed) else str(value)


def _hash(value: object) -> str:
    return sha256(json.dumps(value).encode()).hexdigest()


def says(house: House, number: int, name: str, text: str) -> Update:
    """Somebody writes, now."""
    return message(number, telegram_id(name), text, date=int(house.clock().timestamp()))


@asynccontextmanager
async def a_flood(url: str) -> AsyncIterator[Flood]:
    """A line with its team, on this database."""
    database = Database(url)
    threads = Threads()
    policy = Policy(capacity=1000, flood=1_000_000)
    house = House(database, team=team(), policy=policy, doors=Doors(telegram=True, relay=True))
    house.on_duty(*(name for name in house.team if name.startswith("idva")), hours=12)
    with house.work() as work:
        for name in house.team:
            address = str(telegram_id(name))
            bind_telegram(work.session, house.line.keyring, house.id(name), address, work.now)
    channel = TelegramChannel(TOKEN, "http://127.0.0.1:9/bot", clock=house.clock, help_line=lambda _: None)
    try:
        yield Flood(house, channel, Intake(house.line, {ChannelName.TELEGRAM: channel}, threads))
    finally:
        await channel.close()
        threads.close()
        database.close()


def repeated(updates: list[Update], many: int, chance: Random) -> list[Update]:
    """Each first in its turn; then copies of what was given before, near and far, until there are `many`."""
    copies = many - len(updates)
    given: list[Update] = []
    for place, update in enumerate(updates):
        given.append(update)
        due = copies * (place + 1) // len(updates) - copies * place // len(updates)
        for _ in range(due):
            far = chance.random() < 0.3
            given.append(chance.choice(given if far else given[-20:]))
    return given


def lanes_mixed(updates: list[Update], chance: Random, window: int = 20) -> list[Update]:
    """The same updates, changed in order within a window; each sender's own stay in order."""
    mixed: list[Update] = []
    for cut in range(0, len(updates), window):
        part = updates[cut : cut + window]
        lanes: dict[int, list[Update]] = {}
        for update in part:
            lanes.setdefault(_sender(update), []).append(update)
        order = [_sender(update) for update in part]
        chance.shuffle(order)
        mixed += [lanes[sender].pop(0) for sender in order]
    return mixed


def _sender(update: Update) -> int:
    said = next(value for name, value in update.items() if name != "update_id")
    return int(said["from"]["id"])
