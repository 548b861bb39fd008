"""A migrated, empty database for each hostile input: a copy of one that was migrated once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lanyard import schema
from storage.database import Database


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database, migrated and closed."""
    file = tmp_path_factory.mktemp("migrated") / "lanyard.db"
    database = Database(f"sqlite:///{file}")
    schema.upgrade(database)
    database.close()
    return file


@pytest.fixture
def fresh_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes a migrated, empty database of a kind; gives its URL."""

    def make(kind: str) -> str:
        if kind == "postgresql":
            return str(request.getfixturevalue("postgres").new_database())
        file = tmp_path / "data" / "lanyard.db"
        file.parent.mkdir(exist_ok=True)
        shutil.copy(request.getfixturevalue("migrated_file"), file)
        return f"sqlite:///{file}"

    return make
