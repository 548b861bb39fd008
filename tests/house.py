"""A whole line for tests, on real parts: database, keys, states, trail. Only the clock and randomness are ours.

`House` holds a practice-sized team and lets a test speak as one of them through the same use case that every
door uses (`receive`), move the clock, and let everything that is due happen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from access.people import NewPerson, add_person
from access.tables import Role
from conversations import store
from conversations.line import Doors, Line
from conversations.messages import ChannelName, Incoming, Kind
from conversations.policy import Policy
from conversations.receive import Received, receive
from conversations.rota import add_shift
from conversations.tables import Consultation, Installation
from conversations.timers import fall_due
from conversations.work import Work, working
from knowledge.entry import Published
from knowledge.flags import Block, Finding, Flag, Tier
from knowledge.guide import Seen, SilentGuide
from storage.database import Base, Database
from storage.keys import KeyEncryptionKey, Keyring
from storage.providers import HeldKeys

Result = TypeVar("Result")

NINE_PM = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)  # a Friday in winter: local time is UTC


@dataclass
class Clock:
    """A clock that tests move."""

    time: datetime = NINE_PM

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **parts: float) -> None:
        """Move on."""
        self.time += timedelta(**parts)


@dataclass
class Rung:
    """A bell that remembers who was woken."""

    people: list[frozenset[str]] = field(default_factory=list)

    def ring(self, people: frozenset[str]) -> None:
        """Note it."""
        self.people.append(people)


TEAM = {
    "officer1": NewPerson("PC 1234", "PC 1234 Example", "Example Constabulary", frozenset({Role.OFFICER})),
    "officer2": NewPerson("PC 5678", "PC 5678 Sample", "Example Constabulary", frozenset({Role.OFFICER})),
    "jane": NewPerson("N-100", "Jane Example", "Example Hospitals NHS Trust", frozenset({Role.IDVA})),
    "amira": NewPerson("N-200", "Amira Sample", "Example Hospitals NHS Trust", frozenset({Role.IDVA})),
    "sam": NewPerson("S-300", "Sam Example", "Example Constabulary", frozenset({Role.SUPERVISOR})),
}


class OneWord(SilentGuide):
    """A guide that knows one word, and raises one red flag for it."""

    def __init__(self, word: str) -> None:
        self._word = word

    def look(self, words: str, place: str | None, now: datetime) -> Seen:
        """The flag, where the word stands."""
        found = Finding(Flag.WEAPON, Tier.RAISED, f"the word {self._word}")
        return Seen((found,)) if self._word in words else Seen()


class Scripted(SilentGuide):
    """A guide that brings up what a test wrote down, word by word: what follows from it is what is tested."""

    def __init__(self, script: dict[str, Seen], entries: Sequence[Published] = ()) -> None:
        self._script = script
        self._entries = {(one.entry.id, one.version): one for one in entries}

    def look(self, words: str, place: str | None, now: datetime) -> Seen:
        """All that the words bring up."""
        seen = [one for word, one in self._script.items() if word in words]
        return Seen(
            tuple(found for one in seen for found in one.findings),
            tuple(chosen for one in seen for chosen in one.chosen),
            tuple(unclear for one in seen for unclear in one.unclear),
        )

    def block(self, flag: Flag) -> Block:
        """Words that a test can look for."""
        return Block(f"Title of {flag.value}", f"Block of {flag.value}", f"Question of {flag.value}?")

    def entry(self, entry_id: str, version: int) -> Published | None:
        """One of the test's own."""
        return self._entries.get((entry_id, version))


class House:
    """The line, assembled for a test."""

    def __init__(
        self,
        database: Database,
        *,
        policy: Policy | None = None,
        doors: Doors | None = None,
        seed: int = 1,
        team: dict[str, NewPerson] | None = None,
    ) -> None:
        self.clock = Clock()
        self.bell = Rung()
        self._random = random.Random(seed)
        self._messages = 0
        self.line = Line(
            database=database,
            keyring=Keyring(HeldKeys(KeyEncryptionKey("test", b"k" * 32))),
            policy=policy or Policy(),
            doors=doors or Doors(),
            bell=self.bell,
            now=self.clock,
            token=lambda: f"{self._random.getrandbits(128):032x}",
        )
        self.team = team or TEAM
        with self.work() as work:
            self.line.keyring.prove_fits(work.session, self.clock())
            if work.session.get(Installation, "routing") is None:
                work.session.add(Installation(name="routing", value="lock"))
            for name, new in self.team.items():
                add_person(work.session, self.line.keyring, self.id(name), new, self.clock())

    def id(self, name: str) -> str:
        """The person id of a member of the team."""
        return f"{name:_<32}"[:32]

    def name(self, person_id: str | None) -> str | None:
        """The short name behind a person id."""
        return person_id.rstrip("_") if person_id else None

    def work(self) -> AbstractContextManager[Work]:
        """A transaction to work in."""
        return working(self.line)

    def do(self, act: Callable[[Work], Result]) -> Result:
        """Run one use case in one transaction."""
        with self.work() as work:
            return act(work)

    def on_duty(self, *names: str, hours: float = 8, duty: str = store.IDVA_DUTY) -> None:
        """Put people on duty from now."""
        for name in names:
            until = self.clock() + timedelta(hours=hours)
            with self.work() as work:
                add_shift(work, self.id(name), duty, self.clock(), until)

    def lead_on_duty(self, name: str = "sam", hours: float = 8) -> None:
        """Put the duty lead on duty from now."""
        self.on_duty(name, hours=hours, duty=store.LEAD_DUTY)

    def says(self, name: str, text: str, ref: str | None = None, **more: object) -> Received:
        """Somebody types in our own chat."""
        self._messages += 1
        incoming = Incoming(
            ChannelName.WEB, self.id(name), Kind.TEXT, text, message=f"web:{self._messages}", consultation=ref
        )
        with self.work() as work:
            return receive(work, replace(incoming, **more))  # type: ignore[arg-type]

    def asks(self, name: str = "officer1", text: str = "Is this coercive control?") -> str:
        """An officer asks; gives the reference."""
        ref = self.says(name, text).ref
        assert ref is not None
        return ref

    def row(self, ref: str) -> Consultation:
        """The consultation as it stands."""
        with self.line.database.reading() as session:
            return store.by_ref(session, ref)

    def state(self, ref: str) -> str:
        """Where it stands."""
        return self.row(ref).state

    def run_due(self, until: datetime | None = None) -> int:
        """Let everything happen that is due by `until` (default: now), moving the clock to each time."""
        end = until or self.clock()
        done = 0
        while done < 10_000:
            with self.line.database.reading() as session:
                soonest = store.next_due_at(session)
            if soonest is None or soonest > end:
                break
            self.clock.time = max(self.clock.time, soonest)
            with self.line.database.reading() as session:
                due = store.due_now(session, self.clock(), limit=1)[0]
            with self.work() as work:
                fall_due(work, due.seq, due.consultation_id)
            done += 1
        self.clock.time = max(self.clock.time, end)
        return done

    def wait(self, **parts: float) -> None:
        """Let time pass, with everything that falls due in it."""
        self.run_due(self.clock() + timedelta(**parts))


def new_house(url: str = "sqlite://", **more: object) -> House:
    """A line on a fresh database."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    return House(database, **more)  # type: ignore[arg-type]
