"""Every story in this folder, at each door that it names, on SQLite and on PostgreSQL."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from lanyard import schema
from storage.database import Database
from tests.journeys.playing import play
from tests.journeys.reading import read

HERE = Path(__file__).parent
EVERYWHERE = "web, Telegram"
STORIES = sorted(HERE.glob("*.journey"))
TOLD = [(path, door) for path in STORIES for door in read(path).listed("Doors", EVERYWHERE)]


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied for each story."""
    path = tmp_path_factory.mktemp("journeys") / "empty.db"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    database.close()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database of each kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres").new_database())
    shutil.copy(request.getfixturevalue("empty_file"), tmp_path / "lanyard.db")
    return f"sqlite:///{tmp_path / 'lanyard.db'}"


@pytest.mark.parametrize(("path", "door"), TOLD, ids=[f"{path.stem}-{door.replace(' ', '_')}" for path, door in TOLD])
async def test_the_story_happens_as_told(path: Path, door: str, url: str, caplog: pytest.LogCaptureFixture) -> None:
    await play(url, read(path), door)
    failed = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not failed, "something failed behind the scenes"
