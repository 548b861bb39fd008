"""A day of the line in simulated time, through the real use cases: other rotas can be tried before anybody works them.

Rules kept here:
- Only the clock, the people and their words are made up. Database, keys, routing, timers and trail are those of the
  line, in memory and gone afterwards; no real installation is opened.
- How people act is assumed (`Manners`) and said with every result.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random

from sqlalchemy.orm import Session

from access.people import NewPerson, add_person
from access.tables import Role
from bot.threads import Threads
from bot.watch import Watch
from conversations import consult, search, start_check, store
from conversations.advise import Advice, AdviceStatus, advise, understood
from conversations.case import Case
from conversations.consult import Words
from conversations.errors import LineError
from conversations.line import Doors, Line
from conversations.policy import Policy
from conversations.rota import add_shift
from conversations.search import LOCAL
from conversations.states import NotPossible, State
from conversations.tables import Consultation, Installation, Shift, Side
from conversations.work import Work, working
from storage.database import Base, Database
from storage.keys import KeyEncryptionKey, Keyring
from storage.providers import HeldKeys

SERVICE, TRUST = "Example Constabulary", "Example Hospitals NHS Trust"
GIVEN = (State.ADVICE_SENT, State.ADVICE_RAISED, State.ADVISED)
SETTLING = timedelta(hours=12)  # after midnight: until what is owed has been answered in the morning

# Domestic-abuse incidents and crimes of Lancashire, 98 a day in 2022/23, with peaks at 15-16h and 19-23h (sources in
# docs/simulation.md). The weights between the peaks are ours.
LANCASHIRE = (3, 2, 1.5, 1, 1, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4, 4, 5, 8, 6, 5, 5.5, 8, 9, 10, 9, 6)


@dataclass(frozen=True)
class Manners:
    """How people act here. All of it is assumed."""

    takes: float = 25  # seconds until an IDVA takes an offer, on average
    misses: float = 0.1  # share of offers that nobody looks at
    talk: float = 1200  # seconds from taking a question to the advice, on average
    lines: int = 3  # that each side writes before the advice
    reads: float = 60  # seconds until an officer confirms the advice, on average
    urgent: float = 0.3  # share of questions that the officer grades high


@dataclass(frozen=True)
class Plan:
    """The day to be played."""

    day: date
    shifts: tuple[tuple[int, int], ...] = (
        (7, 15),
        (14, 22),
    )  # local hours; an end before its start: next day
    questions: int = 98
    shape: tuple[float, ...] = LANCASHIRE
    manners: Manners = field(default_factory=Manners)
    seed: int = 1


@dataclass(frozen=True)
class Stand:
    """Where the questions stand at one moment."""

    asked: int
    advised: int
    in_hand: int  # with an IDVA
    owed: int  # waiting, with a due time
    handed_over: int  # nobody could answer in time: the officer was told whom to ring
    lost: int  # none of these: there must be none


@dataclass(frozen=True)
class Answer:
    """One question, and when an IDVA first wrote to it."""

    asked_at: datetime
    urgent: bool
    after: float | None  # seconds; None: not yet


class Clock:
    """A clock that only the simulation moves."""

    def __init__(self, begin: datetime) -> None:
        self.time = begin

    def __call__(self) -> datetime:
        """The moment it shows."""
        return self.time


class _Nobody:
    def ring(self, people: frozenset[str]) -> None:
        """Nobody looks at a page here."""


class Simulation:
    """One day, played once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._chance = Random(plan.seed)  # noqa: S311 - the same day again for the same seed; nothing here is secret
        self._begin = self._local(0, 0)
        self.midnight = self._local(1, 0)
        self.clock = Clock(self._begin)
        database = Database("sqlite://")
        Base.metadata.create_all(database.engine)
        keys = Keyring(HeldKeys(KeyEncryptionKey("simulation", self._chance.randbytes(32))))
        self.line = Line(database, keys, Policy(), Doors(), _Nobody(), self.clock, self._token)
        self._watch = Watch(self.line, Threads(1))
        self._acts: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()
        self._seen: set[tuple[str, ...]] = set()
        with working(self.line) as work:
            keys.prove_fits(work.session, self.clock())
            work.session.add(Installation(name="routing", value="lock"))
            self._roster(work)
        self._questions()

    def play(self) -> Iterator[Stand]:
        """Let the day happen: how it stands at its midnight, and how at noon of the next day."""
        for until in (self.midnight, self.midnight + SETTLING):
            while (at := self._next()) is not None and at <= until:
                self.clock.time = max(self.clock.time, at)
                while self._acts and self._acts[0][0] <= self.clock.time:
                    heapq.heappop(self._acts)[2]()
                self._watch.look()
                self._notice()
            self.clock.time = until
            yield self.stand()

    def stand(self) -> Stand:
        """Each question, counted once."""
        with self.line.database.reading() as session:
            rows = session.query(Consultation).all()
            due = {row.id for row in rows if store.timers_of(session, row.id)}
        states = {row.id: State(row.state) for row in rows}
        advised = {one for one, state in states.items() if state in GIVEN}
        told = {one for one, state in states.items() if state is State.FALLBACK}
        in_hand = {row.id for row in rows if row.idva_id} & due - advised
        owed = due - advised - in_hand
        missing = self.plan.questions if self.clock() >= self.midnight else len(rows)
        lost = missing - len(advised | told | in_hand | owed)
        return Stand(len(rows), len(advised), len(in_hand), len(owed), len(told - owed), lost)

    def answers(self) -> list[Answer]:
        """Each question, in the order of asking."""
        with self.line.database.reading() as session:
            rows = session.query(Consultation).order_by(Consultation.asked_at).all()
            return [Answer(row.asked_at, row.urgent, _answered_after(session, row)) for row in rows]

    def on_duty(self, hour: int) -> float:
        """IDVAs on duty in an hour of the day, on average."""
        begins, ends = self._local(0, hour), self._local(0, hour) + timedelta(hours=1)
        with self.line.database.reading() as session:
            shifts = session.query(Shift).filter(Shift.duty == store.IDVA_DUTY).all()
        covered = [min(shift.ends_at, ends) - max(shift.starts_at, begins) for shift in shifts]
        return sum((one for one in covered if one > timedelta()), timedelta()) / timedelta(hours=1)

    # --- who there is, and what they ask ---

    def _roster(self, work: Work) -> None:
        self._officers = [
            self._person(work, f"PC {1000 + number}", f"PC {1000 + number} Example", SERVICE, Role.OFFICER)
            for number in range(self.plan.questions)
        ]
        self._idvas = [
            self._person(work, f"N-{number}", f"IDVA {number} Example", TRUST, Role.IDVA)
            for number in range(1, len(self.plan.shifts) + 1)
        ]
        for idva, (start, end) in zip(self._idvas, self.plan.shifts, strict=True):
            for day in range(-1, 2):
                begins, ends = self._shift(day, start, end)
                if ends > self._begin:
                    add_shift(work, idva, store.IDVA_DUTY, max(begins, self._begin), ends)
                    self._at(begins, lambda: None)
        self.lead = self._person(work, "S-1", "Sam Example", SERVICE, Role.SUPERVISOR)

    def _shift(self, day: int, start: int, end: int) -> tuple[datetime, datetime]:
        return self._local(day, start), self._local(day if end > start else day + 1, end)

    def _local(self, day: int, hour: int) -> datetime:
        """An hour by the clock on the wall, so many days on: through both changes of the clock."""
        return datetime.combine(self.plan.day + timedelta(days=day), time(hour), LOCAL).astimezone(UTC)

    def _person(self, work: Work, staff_id: str, name: str, service: str, role: Role) -> str:
        person_id = self._token()
        new = NewPerson(staff_id, name, service, frozenset({role}), practice=True)
        add_person(work.session, self.line.keyring, person_id, new, work.now)
        return person_id

    def _questions(self) -> None:
        hours = self._chance.choices(range(24), self.plan.shape, k=self.plan.questions)
        for officer, hour in zip(self._officers, hours, strict=True):
            at = self._local(0, hour) + timedelta(seconds=self._chance.uniform(0, 3600))
            urgent = self._chance.random() < self.plan.manners.urgent
            self._at(at, lambda officer=officer, urgent=urgent: self._ask(officer, urgent))  # type: ignore[misc]

    # --- what people do ---

    def _notice(self) -> None:
        """Everybody sees what has changed for them, once."""
        with self.line.database.reading() as session:
            for offer in (offer for idva in self._idvas for offer in store.offers_to(session, idva)):
                if self._first("offer", offer.id) and self._chance.random() >= self.plan.manners.misses:
                    self._soon(self.plan.manners.takes, self._accept, offer.consultation_id, offer.idva_id)
            for idva in store.not_reached(session, self._idvas, self.clock()):
                if self._first("start", idva, f"{self.clock():%d}"):
                    self._soon(60, self._here, idva)
            for row in store.live(session):
                state, turn = State(row.state), row.changed_at.isoformat()
                if state is State.TALKING and row.idva_id and self._first("talk", row.id, row.idva_id):
                    self._soon(20, self._idva_writes, row.id, row.idva_id, self.plan.manners.lines)
                elif state is State.STALE and self._first("stale", row.id, turn):
                    self._soon(60, self._still_needed, row.id)
                elif state in (State.ADVICE_SENT, State.ADVICE_RAISED) and self._first("advice", row.id):
                    self._soon(self.plan.manners.reads, self._understood, row.id)

    def _ask(self, officer: str, urgent: bool) -> None:
        with working(self.line) as work:
            case = consult.ask(work, officer, Words("A made-up question."))
            if urgent:
                consult.set_grade(case, "high")

    def _here(self, idva: str) -> None:
        with working(self.line) as work:
            start_check.answer(work, idva)

    def _accept(self, consultation: str, idva: str) -> None:
        self._try(consultation, lambda case: search.accept(case, idva))

    def _still_needed(self, consultation: str) -> None:
        self._try(consultation, consult.still_needed)

    def _understood(self, consultation: str) -> None:
        self._try(consultation, understood)

    def _idva_writes(self, consultation: str, idva: str, left: int) -> None:
        """Some lines, each answered by the officer; then the advice. Whoever has lost it meanwhile stops."""
        if self._owner(consultation) != idva:
            return
        if left == 0:
            advice = Advice(AdviceStatus.ADVICE, "A made-up advice.", "Nobody: this is a simulation.")
            self._try(consultation, lambda case: advise(case, idva, advice))
            return
        self._try(consultation, lambda case: consult.idva_writes(case, idva, Words("A made-up line.")))
        pace = self.plan.manners.talk / self.plan.manners.lines
        self._soon(pace, self._officer_writes, consultation, idva, left - 1, most=840)

    def _officer_writes(self, consultation: str, idva: str, left: int) -> None:
        if self._owner(consultation) == idva:
            self._try(consultation, lambda case: consult.officer_writes(case, Words("A made-up answer.")))
            self._soon(30, self._idva_writes, consultation, idva, left, most=110)

    # --- how it is played ---

    def _try(self, consultation: str, act: Callable[[Case], object]) -> None:
        """Do it, or be refused in an orderly way: somebody was quicker."""
        with suppress(LineError, NotPossible), working(self.line) as work:
            act(Case.load(work, consultation))

    def _owner(self, consultation: str) -> str | None:
        with self.line.database.reading() as session:
            row = session.get_one(Consultation, consultation)
            return row.idva_id if row.state == State.TALKING.value else None

    def _first(self, *what: str) -> bool:
        new = what not in self._seen
        self._seen.add(what)
        return new

    def _soon(self, mean: float, act: Callable[..., None], *args: object, most: float = 3600) -> None:
        """In some seconds, `mean` on average before they are cut off at `most`."""
        seconds = min(self._chance.expovariate(1 / mean), most)
        self._at(self.clock() + timedelta(seconds=seconds), lambda: act(*args))

    def _at(self, moment: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._acts, (moment, next(self._order), act))

    def _next(self) -> datetime | None:
        with self.line.database.reading() as session:
            due = store.next_due_at(session)
        acts = [self._acts[0][0]] if self._acts else []
        return min([*acts, *([due] if due else [])], default=None)

    def _token(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"


def _answered_after(session: Session, row: Consultation) -> float | None:
    own = (one.at for one in store.messages_of(session, row.id) if one.side == Side.IDVA.value)
    return min(((at - row.asked_at).total_seconds() for at in own), default=None)
