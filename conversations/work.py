"""One use case at work: one transaction, one moment, the line's keys and trail at hand.

Rules kept here:
- A use case takes a `Work`, never commits, and records what it does in the same transaction.
- Opening words is explicit: `open_words` here is called by a handful of places, and a test lists them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from access.people import Known, known
from access.tables import Role
from audit.events import Event
from audit.trail import Fact, Leaf, record, record_first
from conversations.line import Line
from storage.database import Transaction
from storage.sealing import Place, Sealed

BY_THE_LINE = "line"


class Work:
    """A transaction with what a use case needs around it."""

    def __init__(self, line: Line, tx: Transaction) -> None:
        self.line = line
        self.tx = tx
        self.session = tx.session
        self.now = line.now()
        self._known: dict[str, Known] = {}
        self._wake: set[str] = set()
        self._quiet = False
        tx.after_commit(self._ring)

    def record(self, event: Event, actor: str, consultation: str | None = None, **facts: Fact) -> None:
        """Add a leaf to the trail, in this transaction."""
        record(self.tx, Leaf(event, self.now, actor, consultation, facts))

    def reading(self, reader: str, consultation: str, **facts: Fact) -> None:
        """Record that somebody reads, before the words open: where it cannot be recorded, none opens."""
        record_first(self.tx, Leaf(Event.WORDS_READ, self.now, reader, consultation, facts))

    def seal(self, table: str, column: str, row: str, scope: str, words: str) -> Sealed:
        """Seal words for one place."""
        return self.line.keyring.seal(self.session, Place(table, column, row, scope), words)

    def open_words(self, table: str, column: str, row: str, scope: str, sealed: Sealed) -> str:
        """Open words. Whoever calls this has recorded why."""
        return self.line.keyring.open(self.session, Place(table, column, row, scope), sealed)

    def hash(self, label: str, value: str) -> str:
        """The keyed hash under which a sealed value is found again."""
        return self.line.keyring.keyed_hash(self.session, label, value)

    def new_id(self) -> str:
        """A fresh random id."""
        return self.line.token()

    def person(self, person_id: str) -> Known:
        """Somebody, as may be shown to the people in their consultations."""
        if person_id not in self._known:
            self._known[person_id] = known(self.session, self.line.keyring, person_id)
        return self._known[person_id]

    def has_role(self, person_id: str, role: Role) -> bool:
        """Whether this person is active and holds this role."""
        person = self.person(person_id)
        return person.active and role in person.roles

    def wake(self, *people: str | None) -> None:
        """Ring the bell for these people once this is committed."""
        self._wake.update(person for person in people if person)

    def quietly(self) -> None:
        """Nobody waits for what is written here: the bell stays silent."""
        self._quiet = True

    def _ring(self) -> None:
        if not self._quiet:
            self.line.bell.ring(frozenset(self._wake))


@contextmanager
def working(line: Line) -> Iterator[Work]:
    """Open a transaction and work in it: committed whole on leaving, or not at all."""
    with line.database.transaction() as tx:
        yield Work(line, tx)


def scope_of(consultation_id: str) -> str:
    """The key scope of one consultation."""
    return f"consultation:{consultation_id}"
