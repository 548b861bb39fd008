"""SQLite with `synchronous=NORMAL`: in WAL mode nothing is synced at a commit."""

from __future__ import annotations

from typing import Any

from storage import database

_as_shipped = database._prepare_sqlite


def _prepare_sqlite(connection: Any, _record: object) -> None:
    _as_shipped(connection, _record)
    connection.execute("PRAGMA synchronous=NORMAL")


def sabotage() -> None:
    """Ask for less than FULL on every connection."""
    database._prepare_sqlite = _prepare_sqlite
