"""500 canary strings through every input: none is found again where somebody could read it without a key.

Looked for in the database with its log and its shared memory, in a backup, in temporary files, in the logs at their
loudest, and (in doorbell mode) in everything that the bot sends to Telegram. Error pages: `test_without_trail`.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text

from access.people import NewPerson
from access.tables import Role
from conversations.advise import Advice, AdviceStatus, advise
from conversations.case import Case
from conversations.consult import edit, set_incident
from conversations.messages import ChannelName, Incoming, Kind
from conversations.receive import receive
from conversations.tables import Message
from conversations.transfer import offer_transfer
from conversations.work import Work
from storage.database import Database
from tests.hostile.kit import FULL, Json, Scene, a_scene, heard_logs

ALL, SOME = 18, 4  # rounds; all of them give 500, some more than 100
MARK = "qzCanary"
FORCE = "Example Constabulary"  # an organisation: kept as it is


class Canaries:
    """Words that occur nowhere else, each handed out once."""

    def __init__(self) -> None:
        self.out: list[str] = []

    def __call__(self) -> str:
        self.out.append(f"{MARK}{len(self.out):04d}")
        return self.out[-1]


def sent_things(fly: Canaries) -> Iterator[Json]:
    """What people can send besides typed text: nothing of it is kept."""
    yield {"photo": [{"file_id": fly(), "file_unique_id": "u", "width": 1, "height": 1}], "caption": fly()}
    yield {"document": {"file_id": "f", "file_unique_id": "u", "file_name": fly()}, "caption": fly()}
    yield {"contact": {"phone_number": fly(), "first_name": fly()}}
    yield {
        "venue": {"location": {"latitude": 1.0, "longitude": 2.0}, "title": fly(), "address": fly()},
        "location": {"latitude": 1.0, "longitude": 2.0},
    }
    yield {"text": f"/{fly()}", "entities": [{"type": "bot_command", "offset": 0, "length": 13}]}
    yield {"text": f"/start {fly()}", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}
    yield {"text": fly(), "forward_origin": {"type": "hidden_user", "sender_user_name": fly(), "date": 1}}
    yield {fly(): {"unknown": fly()}}


async def a_round(scene: Scene, fly: Canaries) -> None:
    """One consultation, with a canary wherever somebody can put something in."""
    jane, officer = scene.house.id("jane"), scene.phone("officer1")
    ref = await scene.talk(text=fly())
    line = officer.write(fly())
    await scene.settle()
    officer.edit(line, fly())
    scene.push(*(scene.update(**things) for things in sent_things(fly)))
    stranger: Json = {"from": {"id": 9001, "is_bot": False, "first_name": fly()}, "text": fly()}
    scene.push(scene.update(9001, "message", **stranger))
    scene.push(b'{"update_id": 1, "message": "' + fly().encode() + b'"}')
    await scene.settle()

    def at_pages(work: Work) -> None:
        said = Incoming(ChannelName.WEB, jane, Kind.TEXT, fly(), message=fly(), consultation=ref)
        receive(work, said)
        receive(work, Incoming(ChannelName.WEB, jane, Kind.TAP, token=fly()))

    scene.do(at_pages)

    def in_the_case(work: Work) -> None:
        case = Case.load(work, scene.row_of("officer1").id)
        set_incident(case, fly())
        query = select(Message).where(Message.author_id == jane).order_by(Message.at.desc(), Message.number.desc())
        last = case.work.session.scalars(query.limit(1)).one()
        edit(case, last, jane, fly())
        offer_transfer(case, jane, scene.house.id("amira"), fly())

    scene.house.on_duty("amira", hours=0.02)
    scene.do(in_the_case)
    await scene.later(seconds=91)
    await scene.settle()
    scene.do(
        lambda work: advise(
            Case.load(work, scene.row_of("officer1").id), jane, Advice(AdviceStatus.ADVICE, fly(), fly(), fly(), fly())
        )
    )
    officer.write("/withdraw")
    name = f"new{len(fly.out)}"
    person = NewPerson(fly(), fly(), FORCE, frozenset({Role.OFFICER}))
    scene.do(lambda work: scene.enrol(work, name, person, 5000 + len(fly.out)))
    await scene.settle()
    await scene.later(minutes=3)


def found_in(files: Iterator[Path], needle: bytes) -> list[Path]:
    return [file for file in files if file.is_file() and needle in file.read_bytes()]


def files_of(database: Database, folder: Path) -> list[Path]:
    """Everything the database keeps on disk; of SQLite a backup too."""
    if database.is_sqlite:
        file = Path(str(database.engine.url.database))
        with closing(sqlite3.connect(file)) as here, closing(sqlite3.connect(folder / "backup.db")) as there:
            here.backup(there)
        return [*file.parent.iterdir(), folder / "backup.db"]
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("CHECKPOINT"))
        data = Path(str(connection.scalar(text("SHOW data_directory"))))
        number = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    return [*(data / "base" / str(number)).rglob("*"), *(data / "pg_wal").rglob("*"), *data.glob("*.log")]


@pytest.mark.prove
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_five_hundred_canaries_are_found_nowhere(
    kind: str, fresh_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    logs, fly = heard_logs(), Canaries()
    url = fresh_database(kind)
    rounds = ALL if FULL else SOME
    async with a_scene(url, relay=False) as scene:
        for _ in range(rounds):
            await a_round(scene, fly)
        assert len(fly.out) >= (500 if rounds == ALL else 100)
        words = [one for row in scene.rows() for wordings in scene.words(row.ref) for one in wordings]
        assert sum(MARK in one for one in words) >= 5 * rounds  # they did get in, and open with the key
        sent = json.dumps([call.params for call in scene.api.calls()], default=str)
        assert "Received" in sent or "received" in sent
        assert MARK not in sent
        needle = MARK.encode()
        kept = files_of(scene.database, tmp_path)
        assert kept
        assert found_in(iter(kept), needle) == []
        assert found_in(iter(kept), needle.hex().encode()) == []
    assert found_in(temporary.rglob("*"), needle) == []
    assert logs.getvalue()
    assert MARK not in logs.getvalue()
