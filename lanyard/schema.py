"""The database's schema: bringing it up to date, and refusing one that does not fit this program."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DatabaseError, OperationalError

from storage.database import Database


class SchemaProblem(Exception):
    """The database does not fit this program."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to date, in one transaction."""
    _refuse_newer(database)
    command.upgrade(_config(database), revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back."""
    command.downgrade(_config(database), revision)


def require_current(database: Database) -> None:
    """Raises `SchemaProblem` with one line that says what to do."""
    _refuse_newer(database)
    if current(database) != _script().get_current_head():
        raise SchemaProblem("The database is older than this program. Back it up, then run: lanyard database upgrade")


def current(database: Database) -> str | None:
    """The revision the database is at; None when it is empty."""
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise SchemaProblem("The database cannot be reached. Start it, or correct LANYARD_DATABASE.") from error
    except DatabaseError as error:
        raise SchemaProblem("LANYARD_DATABASE is no database that can be read. Correct it, or restore it.") from error


def _refuse_newer(database: Database) -> None:
    here = current(database)
    if here is not None and here not in {script.revision for script in _script().walk_revisions()}:
        raise SchemaProblem(
            f"The database was made by a newer lanyard (revision {here}). Run that version; "
            "this one would not understand what it holds."
        )


@cache  # the migrations of this program do not change while it runs
def _script() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent.parent / "migrations"))


def _config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    config.attributes["engine"] = database.engine
    return config
