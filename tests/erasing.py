"""What the tests of erasure share: consultations full of canaries, what is sealed where, what the files hold.

Run as a program it is a process that dies on demand: each line `failpoint reference` on its input is one run of
`lanyard retention erase` in a child that is killed at that failpoint; it answers with the child's exit status.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from access.enrolment import bind_telegram
from access.people import NewPerson
from access.tables import Role
from audit.trail import read_leaves
from bot.intake import Intake
from bot.threads import Threads
from bot.web_channel import WebDoor, arrival
from conversations import consult, held, search, store
from conversations.advise import Advice, AdviceStatus, advise, understood
from conversations.case import Case
from conversations.erasure import Rule, erase
from conversations.line import Doors
from conversations.messages import ChannelName, Incoming, Kind
from conversations.private_notes import add_note
from conversations.receive import receive
from conversations.tables import Consultation, Erased, Held, Inbox, Message, MessageVersion, Outbox
from conversations.work import scope_of
from lanyard.__main__ import main
from storage import failpoint
from storage.database import Base, Database
from storage.keys import DataKey
from storage.sealing import Sealed
from tests.house import TEAM, House

SUPERVISOR = frozenset({Role.SUPERVISOR})
TWO_SUPERVISORS = TEAM | {"ruth": NewPerson("S-400", "Ruth Sample", "Example Hospitals NHS Trust", SUPERVISOR)}
OFFICER_AT_TELEGRAM, JANE_AT_TELEGRAM = "1001", "1002"
LONG = " and then" * 700  # longer than a page of the database: it spills over


@dataclass(frozen=True)
class Blob:
    """Something sealed, where it stands and what it says."""

    table: str
    blob: bytes
    words: str
    scope: str  # whose key


class Talk:
    """Consultations between the same two people, through the doors, with canaries in all they write."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._intake = Intake(house.line, {ChannelName.WEB: WebDoor()}, Threads())
        self._typed = 0
        with house.work() as work:
            for name, address in (("officer1", OFFICER_AT_TELEGRAM), ("jane", JANE_AT_TELEGRAM)):
                bind_telegram(work.session, house.line.keyring, house.id(name), address, work.now)

    def types(self, name: str, ref: str | None, words: str) -> str:
        """Somebody types in our own chat; it goes through the inbox. Gives the reference."""
        self._typed += 1
        self._intake._store(arrival(self.house.id(name), ref, words, f"typed-{self._typed}"))
        handled = self._intake.handle_next()
        assert handled is not None
        return str(handled.received.ref)

    def at_telegram(self, sender: str, words: str, kind: Kind = Kind.TEXT, message: str | None = None) -> None:
        """Somebody writes, or changes what they wrote, at Telegram."""
        self._typed += 1
        incoming = Incoming(ChannelName.TELEGRAM, sender, kind, words, message=message or f"9{self._typed}")
        with self.house.work() as work:
            receive(work, incoming)

    def whole(self, canary: str) -> str:
        """A consultation from question to read-back. Gives its reference; it has ended."""
        house = self.house
        house.on_duty("jane")
        ref = self.types("officer1", None, f"{canary}-question")
        consultation = house.row(ref).id
        house.do(lambda work: consult.set_incident(Case.load(work, consultation), f"{canary}-log"))
        house.do(lambda work: search.accept(Case.load(work, consultation), house.id("jane")))
        self.types("jane", ref, f"{canary}-back")
        house.do(lambda work: add_note(work, ref, house.id("jane"), f"{canary}-noted"))
        self.at_telegram(OFFICER_AT_TELEGRAM, f"{canary}-telegram{LONG}", message=f"m-{canary}")
        self.at_telegram(OFFICER_AT_TELEGRAM, f"{canary}-changed", Kind.EDIT, f"m-{canary}")
        self.at_telegram(OFFICER_AT_TELEGRAM, f"{canary}-held NHS 943 476 5919", message=f"h-{canary}")
        house.clock.forward(seconds=11)
        house.do(self._held_lines_act)
        advice = Advice(
            AdviceStatus.ADVICE, f"{canary}-now", f"{canary}-tell", f"{canary}-services", f"{canary}-change"
        )
        house.do(lambda work: advise(Case.load(work, consultation), house.id("jane"), advice))
        house.do(lambda work: understood(Case.load(work, consultation)))
        return ref

    def _held_lines_act(self, work: Any) -> None:
        for row in store.held_due(work.session, work.now):
            held.act_by_itself(work, row)

    def carried(self) -> None:
        """The courier has carried everything."""
        with self.house.work() as work:
            for row in work.session.scalars(select(Outbox)):
                row.state, row.done_at = "delivered", work.now


def sealed_in(house: House) -> list[Blob]:
    """Everything sealed that the line can open, with what it says; and the wrapped keys, with their scope."""
    with house.work() as work:
        session = work.session

        def opened(table: str, column: str, row: str, scope: str, sealed: Sealed | None) -> Iterator[Blob]:
            if sealed is not None and sealed.blob:
                yield Blob(table, sealed.blob, work.open_words(table, column, row, scope, sealed), scope)

        found: list[Blob] = []
        of_message: dict[str, str] = {}
        for message in session.scalars(select(Message)):
            of_message[message.id] = scope_of(message.consultation_id)
            found += opened("message", "buttons", message.id, of_message[message.id], message.buttons)
        for one in session.scalars(select(MessageVersion)):
            place = f"{one.message_id}.{one.number}"
            found += opened("message_version", "words", place, of_message[one.message_id], one.words)
        for row in session.scalars(select(Consultation)):
            found += opened("consultation", "incident", row.id, scope_of(row.id), row.incident)
        for sent in session.scalars(select(Outbox)):
            found += opened("outbox", "body", sent.id, sent.scope, sent.body)
        for line in session.scalars(select(Held)):
            found += opened("held", "words", line.id, line.scope, line.words)
        for came in session.scalars(select(Inbox)):
            found += opened("inbox", "raw", came.key, came.scope, came.raw)
        found += [Blob("data_key", key.wrapped.blob, "", key.scope) for key in session.scalars(select(DataKey))]
    return found


def everything(database: Database) -> dict[str, list[str]]:
    """Every row of every table, to compare."""
    with database.reading() as session:
        return {
            table.name: sorted(repr([_bytes(value) for value in row]) for row in session.execute(select(table)))
            for table in Base.metadata.sorted_tables
        }


def _bytes(value: object) -> object:
    return value.blob if isinstance(value, Sealed) else value  # which shows its length only


RELAY = Doors(telegram=True, relay=True)
FIRST, SECOND = "CANARY-ONE", "CANARY-TWO"


def ended(house: House, text: str = "Is this coercive control?") -> str:
    """A consultation that has ended, withdrawn."""
    ref = house.asks("officer1", text)
    house.do(lambda work: consult.withdraw(Case.load(work, house.row(ref).id), house.id("officer1")))
    return ref


def erases(house: House, ref: str, by: str = "sam", rule: Rule = Rule.REQUEST) -> Erased:
    """Somebody erases it."""
    return house.do(lambda work: erase(work, house.row(ref).id, house.id(by), rule))


def leaves_of(house: House) -> list[dict[str, Any]]:
    """The trail, read."""
    with house.line.database.reading() as session:
        return [json.loads(leaf) for leaf in read_leaves(session)]


def told(house: House) -> tuple[str, str, list[Blob], list[Blob]]:
    """Two consultations of the same people, settled; what is sealed of the first, and of the second."""
    talk = Talk(house)
    first = talk.whole(FIRST)
    house.clock.forward(days=1)
    second = talk.whole(SECOND)
    talk.carried()
    house.clock.forward(days=4)
    blobs, key, other_key = sealed_in(house), scope_of(house.row(first).id), scope_of(house.row(second).id)
    theirs = [one for one in blobs if FIRST in one.words or one.scope == key]
    return first, second, theirs, [one for one in blobs if one.scope == other_key]


def files_of(url: str) -> bytes:
    """All that SQLite has on the disk: the database, its write-ahead log and the log's index."""
    file = url.removeprefix("sqlite:///")
    there = [path for path in (file, f"{file}-wal", f"{file}-shm") if Path(path).exists()]
    if not there:
        return b""
    # Read by another process: closing a file here would drop SQLite's own locks on it (POSIX locks are a process's).
    return subprocess.run(["cat", *there], stdout=subprocess.PIPE, check=True).stdout


def remains(blobs: list[Blob], data: bytes) -> list[str]:
    """Which of these can be found, in whole or in part: a long one is cut up over pages."""
    return [
        one.table
        for one in blobs
        if any(one.blob[at : at + 24] in data for at in (0, len(one.blob) // 2, len(one.blob) - 24))
    ]


def keys_on_disk(database: Database) -> bytes:
    """PostgreSQL's file of the table of wrapped keys, as it is on the disk now."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        folder = connection.scalar(text("SHOW data_directory"))
        path = connection.scalar(text("SELECT pg_relation_filepath('data_key')"))
    return Path(str(folder), str(path)).read_bytes()


def settings_for(folder: Path, url: str) -> Mapping[str, str]:
    """The settings with which the `lanyard` command works on a test's house."""
    file = folder / "keys" / "lanyard.key"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"kid": "test", "key": base64.b64encode(b"k" * 32).decode()}))
    file.chmod(0o600)
    return {"DATABASE": url, "KEY_FILE": str(file), "LEAD_PHONE": "01632 960 001"}


def retention_command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs `lanyard retention …`: status, and all it said; what is refused is refused in one line."""

    def run(*words: str) -> tuple[int, str]:
        status = main(["retention", *words])
        said = capsys.readouterr()
        assert (said.err.count("\n") == 1) == (status == 2), said.err
        return status, said.out + said.err

    return run


def _die_on_demand(folder: str) -> None:
    for number, line in enumerate(sys.stdin):
        if number == 0:  # what the first command makes (mappings, statements) no fork has to make again
            with redirect_stdout(sys.stderr):
                main(["retention", "due"])
        name, ref = line.split()
        child = os.fork()
        if child == 0:
            failpoint._wanted = name
            sys.stdout = sys.stderr
            command = ["retention", "erase", ref, "--by", "S-300", "--rule", "period", "--certificates", folder]
            os._exit(main(command))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _die_on_demand(sys.argv[1])
