"""Every story in this folder, at each door that it names, on SQLite and on PostgreSQL.

Small, PostgreSQL hears each story at one of its doors, another from story to story; in full at all of them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from audit.growth import LeafRow, TileRow
from audit.trail import Head
from lanyard import schema
from storage.database import Base, Database
from tests.journeys.playing import play
from tests.journeys.reading import read

HERE = Path(__file__).parent
TRAIL = (LeafRow.__tablename__, TileRow.__tablename__, Head.__tablename__)
EVERYWHERE = "web, Telegram"
STORIES = sorted(HERE.glob("*.journey"))
DOORS = [(path, read(path).listed("Doors", EVERYWHERE)) for path in STORIES]
FULL = os.environ.get("LANYARD_PROVE") == "full"
TOLD = [("sqlite", path, door) for path, doors in DOORS for door in doors] + [
    ("postgresql", path, door)
    for at, (path, doors) in enumerate(DOORS)
    for door in (doors if FULL else [doors[at % len(doors)]])
]


class Reused:
    """A migrated database that is emptied for each story: making one for each would take longer than the story.

    The trail goes on from story to story: it is append only, and the database itself sees to that.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        schema.upgrade(self.database)
        with self.database.reading() as session:
            self._migrated = {table: session.execute(select(table)).mappings().all() for table in _tables()}

    def emptied(self) -> Database:
        """As the migrations left it."""
        with self.database.transaction() as tx:
            for table in reversed(_tables()):
                tx.session.execute(table.delete())
            for table, rows in self._migrated.items():
                for row in rows:
                    tx.session.execute(insert(table).values(**row))
        return self.database


def _tables() -> list[Table]:
    return [table for table in Base.metadata.sorted_tables if table.name not in TRAIL]


@pytest.fixture(scope="session")
def shelf() -> dict[str, Reused]:
    """The databases of this process, by kind."""
    return {}


@pytest.fixture
def database(
    request: pytest.FixtureRequest, kind: str, shelf: dict[str, Reused], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """An empty one of this kind."""
    if kind not in shelf:
        url = f"sqlite:///{tmp_path_factory.mktemp('journeys') / 'lanyard.db'}"
        if kind == "postgresql":
            url = request.getfixturevalue("postgres").new_database()
        shelf[kind] = Reused(url)
    yield shelf[kind].emptied()
    shelf[kind].database.close()


def _named(kind: str, path: Path, door: str) -> Any:
    marks = [pytest.mark.postgres] if kind == "postgresql" else []
    return pytest.param(kind, path, door, id=f"{kind}-{path.stem}-{door.replace(' ', '_')}", marks=marks)


@pytest.mark.prove
@pytest.mark.parametrize(("kind", "path", "door"), [_named(*one) for one in TOLD])
async def test_the_story_happens_as_told(
    path: Path, door: str, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await play(database, read(path), door)
    failed = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not failed, "something failed behind the scenes"
