"""What all tests share: no network but loopback, a fresh database on SQLite or PostgreSQL, a house."""

from __future__ import annotations

import functools
import ipaddress
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import quiet
from lanyard import schema
from storage.database import Database
from tests.house import House
from tests.place import Place, copied, first_place, place_like
from tests.postgres import Postgres

_connect = socket.socket.connect


def _only_loopback(self: socket.socket, address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else None
    if host is not None and host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise AssertionError("tests stay on loopback")
    _connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Sockets are closed but for loopback and files."""
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _only_loopback)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def certificates_read_once() -> Iterator[None]:
    """The stand-in speaks plain HTTP; each new client would still read this machine's certificates."""
    patch = pytest.MonkeyPatch()
    patch.setattr("httpx._transports.default.create_ssl_context", functools.cache(httpx.create_ssl_context))
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """What a test does to logging (`keep_words_out_of_logs` does much) ends with it."""
    root, hook, factory = logging.getLogger(), sys.excepthook, logging.getLogRecordFactory()
    handlers, propagates = list(root.handlers), logging.getLogger("uvicorn.access").propagate
    levels = {name: logging.getLogger(name).level for name in ["", *logging.root.manager.loggerDict]}
    yield
    logging.setLogRecordFactory(factory)
    root.handlers[:], sys.excepthook = handlers, hook
    logging.getLogger("uvicorn.access").propagate = propagates
    for name in ["", *logging.root.manager.loggerDict]:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
    quiet._secrets.clear()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Postgres]:
    """A real PostgreSQL, brought along by the suite; each test process has its own, so that none ends another's."""
    server = Postgres(tmp_path_factory.getbasetemp() / "postgres", worker_id)
    yield server
    server.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated, empty database of its own for this test, on each kind in turn."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres").new_database())
    return copied(request.getfixturevalue("migrated"), tmp_path / "data" / "lanyard.db")


@pytest.fixture
def make_house(database_url: str) -> Iterator[Callable[..., House]]:
    """Makes a house on this test's database."""
    opened: list[Database] = []

    def make(**more: Any) -> House:
        database = Database(database_url)
        opened.append(database)
        return House(database, **more)

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """A house with a team, on each kind of database."""
    return make_house()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "lanyard.db"
    database = Database(f"sqlite:///{file}")
    schema.upgrade(database)
    database.close()
    return file


@pytest.fixture(scope="session")
def opened_once(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Place:
    """An installation, to be copied: putting the catalogue into each would take longer than many a test."""
    return first_place(tmp_path_factory.mktemp("installation"), migrated)


@pytest.fixture
def place(tmp_path: Path, opened_once: Place) -> Place:
    """A complete installation: a migrated database, a key, a token to come."""
    return place_like(opened_once, tmp_path)
