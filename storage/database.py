"""The engine, the table base and `transaction()`: the only commit in the program.

Rules kept here:
- One message, one transaction: whatever a use case does is committed by leaving `transaction()`, or not at all.
- SQLite: WAL, `synchronous=FULL` (NORMAL may lose committed transactions on power loss), one writer at a
  time, `secure_delete`. PostgreSQL: READ COMMITTED; rows that decide something are locked by who loads them.
- Leaves of the trail are written last in each transaction (`before_commit`), because they take the one lock
  that every writer shares: nobody holds it while waiting for another.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from sqlalchemy import BigInteger, DateTime, Engine, Integer, MetaData, create_engine, event
from sqlalchemy.engine import Connection, Dialect, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session
from sqlalchemy.types import TypeDecorator

POOL_SIZE = 16  # connections to PostgreSQL for one process; one thread uses one at a time
FORGET_TRIES = 4  # how often the files are asked to let go of what was deleted, before it is left for the next start
FORGET_TIMEOUT_MS = 500  # how long each of these waits; nobody else can write meanwhile
BUSY_TIMEOUT_MS = 5_000  # how long a second SQLite process (a command) waits for the writer


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. Takes and gives aware datetimes only; a naive one raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Serial = BigInteger().with_variant(Integer(), "sqlite")
"""A growing number given by the database: 64 bits on both."""


class Base(DeclarativeBase):
    """Every table of the house, each defined in its own room."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: Instant}


_WROTE = "wrote"


class _Session(Session):
    """A session that notes whether anything was written in it."""


@event.listens_for(_Session, "after_flush")
def _flushed(session: Session, _context: object) -> None:
    session.info[_WROTE] = True


@event.listens_for(_Session, "do_orm_execute")
def _executed(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        state.session.info[_WROTE] = True


class Elsewhere(Protocol):
    """Where high-risk acts are written down a second time, see `audit.second`."""

    def before(self, index: int, leaf: bytes) -> None:
        """Make a leaf durable that is about to be committed. Whatever it raises undoes the transaction."""

    def after(self, index: int, leaf: bytes) -> None:
        """Note that it was committed. Never fails."""


class Transaction:
    """One piece of work that commits whole. `session` reads and writes; `before_commit` runs last."""

    def __init__(self, session: Session, elsewhere: Elsewhere | None = None) -> None:
        self.session = session
        self.elsewhere = elsewhere
        self._last: list[Callable[[], None]] = []
        self._after: list[Callable[[], None]] = []

    def before_commit(self, act: Callable[[], None]) -> None:
        """Run `act` just before the commit, after everything else, in the order given."""
        self._last.append(act)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Run `act` once the commit is durable, if anything was written. It must not fail, and must not write here:
        only wake somebody, or note it elsewhere."""
        self._after.append(act)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Part of this work that an exception undoes alone, with whatever it had put before the commit."""
        kept = len(self._last)
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            del self._last[kept:]
            raise

    def finish(self) -> None:
        """Write what was left for last. Called once, by `Database.transaction`."""
        self.session.flush()
        for act in self._last:
            act()
        self.session.flush()

    def announce(self) -> None:
        """Wake whoever waits. Called once, by `Database.transaction`."""
        # Only looking wakes nobody: lanes, courier and watch would else wake each other for ever.
        if self.session.info.get(_WROTE):
            for act in self._after:
                act()


class Database:
    """One database, SQLite or PostgreSQL, by its SQLAlchemy URL."""

    def __init__(self, url: str, elsewhere: Elsewhere | None = None) -> None:
        self.url = make_url(url)
        self._elsewhere = elsewhere
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _engine(url, self.is_sqlite)
        self._reading = self.engine.execution_options(lanyard_reading=True)
        self._writer = threading.Lock() if self.is_sqlite else None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Work that is committed on leaving, and wholly undone by any exception."""
        with self._one_writer(), _Session(self.engine, expire_on_commit=False) as session:
            work = Transaction(session, self._elsewhere)
            yield work
            work.finish()
            session.commit()
        work.announce()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent look. Nothing written in here is kept."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session  # closing rolls back

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        # SQLite has one writer anyway; queueing here is fair and quick, its busy handler sleeps and starves.
        if self._writer is None:
            yield
        else:
            with self._writer:
                yield

    def forget(self, tables: Sequence[str], keys: str) -> bool:
        """Make the files let go of what was deleted from these tables and from the table of keys.

        SQLite: `secure_delete` has overwritten it in the file, but not the copies that moving rows about leaves in
        the gaps of pages: VACUUM writes every page anew. What the write-ahead log still holds goes by truncating it.
        PostgreSQL: VACUUM frees the rows for reuse without overwriting them, so the table of wrapped keys is written
        anew (VACUUM FULL) and its old file is given back. What neither reaches: blocks the file system or the disk
        has not reused, PostgreSQL's own log and its archive, replicas until they have replayed, backups. There the
        words stay sealed under a key that is wrapped in them too, and opens only with the key-encryption key:
        destroying the key live, and the key-encryption key of old backups in time, is the answer.

        False: a reader or a lock was in the way. What is deleted stays deleted; call again later.
        """
        return self._write_anew() if self.is_sqlite else self._vacuum(tables, keys)

    def _write_anew(self) -> bool:
        vacuumed = False
        for _ in range(FORGET_TRIES):
            with self._one_writer(), closing(self.engine.raw_connection()) as connection:
                cursor = connection.cursor()
                cursor.execute(f"PRAGMA busy_timeout={FORGET_TIMEOUT_MS}")
                vacuumed = vacuumed or _vacuumed(cursor)
                busy, _log, _moved = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
                cursor.close()
            if vacuumed and not busy:
                return True
        return False

    def _vacuum(self, tables: Sequence[str], keys: str) -> bool:
        file = f"SELECT pg_relation_filenode('{keys}')"
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            before = connection.exec_driver_sql(file).scalar()
            try:
                connection.exec_driver_sql(f"SET lock_timeout = {FORGET_TIMEOUT_MS * FORGET_TRIES}")
                connection.exec_driver_sql(f"VACUUM (FULL) {keys}")
                connection.exec_driver_sql(f"VACUUM {', '.join(tables)}")
            except OperationalError:
                return False
            finally:
                connection.exec_driver_sql("RESET lock_timeout")
            # Somebody who does not own a table is told so by a warning, and nothing is done.
            return bool(connection.exec_driver_sql(file).scalar() != before)

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


def _vacuumed(cursor: Any) -> bool:
    try:
        cursor.execute("VACUUM")
    except sqlite3.OperationalError:  # another process is writing
        return False
    return True


class DatabaseUnavailable(Exception):
    """The database cannot be reached or written. Words were not stored."""


def is_unavailable(error: BaseException) -> bool:
    """Whether this error says that the database is gone, full or locked, rather than that we did wrong."""
    return isinstance(error, (OperationalError, DatabaseUnavailable, OSError)) or (
        isinstance(getattr(error, "orig", None), sqlite3.OperationalError)
        or bool(getattr(error, "connection_invalidated", False))
    )


def _engine(url: str, is_sqlite: bool) -> Engine:
    if is_sqlite:
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_pre_ping=True,
        pool_timeout=5,
        connect_args={"connect_timeout": 3},
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see `_begin_sqlite`
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a read that later writes could otherwise fail half-way.
    reading = connection.get_execution_options().get("lanyard_reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
