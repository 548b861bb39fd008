"""Every story in this folder, at each door that it names, on SQLite and on PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

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
TOLD = [(path, door) for path in STORIES for door in read(path).listed("Doors", EVERYWHERE)]


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


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(
    request: pytest.FixtureRequest, shelf: dict[str, Reused], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """An empty one of each kind."""
    if request.param not in shelf:
        url = f"sqlite:///{tmp_path_factory.mktemp('journeys') / 'lanyard.db'}"
        if request.param == "postgresql":
            url = request.getfixturevalue("postgres").new_database()
        shelf[request.param] = Reused(url)
    yield shelf[request.param].emptied()
    shelf[request.param].database.close()


@pytest.mark.parametrize(("path", "door"), TOLD, ids=[f"{path.stem}-{door.replace(' ', '_')}" for path, door in TOLD])
async def test_the_story_happens_as_told(
    path: Path, door: str, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await play(database, read(path), door)
    failed = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not failed, "something failed behind the scenes"
