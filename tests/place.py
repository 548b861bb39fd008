"""A complete installation in a folder, as `lanyard serve` wants it; commands are run against it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text

from lanyard.commands import house_of
from lanyard.settings import read_settings
from storage.database import Database
from storage.keys import make_key_file


@dataclass
class Place:
    """A complete installation: a migrated database, a key, a token. Tests spoil one thing each."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.folder / "data" / "lanyard.db"

    @property
    def key(self) -> Path:
        return self.folder / "keys" / "lanyard.key"

    def secret(self, name: str, content: str) -> str:
        """A file that only its owner can read; gives its path."""
        file = self.folder / "keys" / name
        file.write_text(content)
        file.chmod(0o600)
        return str(file)

    def sql(self, statement: str) -> None:
        database = Database(f"sqlite:///{self.database}")
        with database.engine.begin() as connection:
            connection.execute(text(statement))
        database.close()

    def dump(self) -> list[str]:
        """All that the database holds."""
        with closing(sqlite3.connect(self.database)) as connection:
            return list(connection.iterdump())


def copied(migrated: Path, file: Path) -> str:
    """The URL of a database of its own, copied from a migrated one: making one takes ten times as long."""
    file.parent.mkdir(exist_ok=True)
    shutil.copy(migrated, file)
    return f"sqlite:///{file}"


def first_place(folder: Path, migrated: Path) -> Place:
    """An installation that has been opened once, so that its catalogue is live: to be copied by `place_like`."""
    made = Place(folder)
    copied(migrated, made.database)
    make_key_file(made.key, "canarykey")
    made.env = _settings(made)
    house_of(read_settings(**{name.lower(): value for name, value in made.env.items()})).line.database.close()
    return made


def place_like(first: Place, folder: Path) -> Place:
    """An installation of its own that is like this one, with the same key."""
    made = Place(folder)
    for part in ("data", "keys"):
        shutil.copytree(first.folder / part, folder / part)
    made.env = _settings(made)
    return made


def _settings(made: Place) -> dict[str, str]:
    return {
        "DATABASE": f"sqlite:///{made.database}",
        "KEY_FILE": str(made.key),
        "LEAD_PHONE": "01632 960 001",
        "PORT": "0",
    }


def only_settings(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> None:
    """These settings, named without their prefix, and no others."""
    for name in [name for name in os.environ if name.startswith("LANYARD_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(f"LANYARD_{name}", value)
