"""The schema: what migrations make is what the code declares, both ways, with data, on both databases."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lanyard import schema
from storage.database import Base, Database
from tests.house import House


def test_migrations_make_exactly_what_the_code_declares(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.close()


def test_down_and_up_again_with_data(house: House) -> None:
    house.on_duty("jane")
    house.asks()
    database = house.line.database
    schema.downgrade(database, "base")
    assert schema.current(database) is None
    schema.upgrade(database)
    schema.require_current(database)


@pytest.mark.parametrize("act", ["UPDATE leaf SET event = 'x'", "DELETE FROM leaf"])
def test_the_database_itself_refuses_to_change_the_trail(house: House, act: str) -> None:
    house.on_duty("jane")
    house.asks()
    with house.line.database.engine.connect() as connection, pytest.raises(DBAPIError, match="append only"):
        connection.execute(text(act))


def test_a_newer_database_is_refused_with_what_to_do(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(schema.SchemaProblem, match="newer lanyard"):
        schema.require_current(database)
    with pytest.raises(schema.SchemaProblem, match="newer lanyard"):
        schema.upgrade(database)
    database.close()


def test_an_older_database_is_refused_with_the_command_to_run(tmp_path: object) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(schema.SchemaProblem, match="lanyard database upgrade"):
        schema.require_current(database)
    database.close()


def test_sqlite_is_durable_and_checks_its_keys(tmp_path: object) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    with database.engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    database.close()
