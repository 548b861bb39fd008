"""`lanyard keys rotate`, killed as by kill -9 at every step: nothing is lost, and running it again finishes it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from access.people import NewPerson, add_person, known_all
from access.tables import Role
from audit.events import Event
from audit.growth import LeafRow
from lanyard import schema
from lanyard.__main__ import main
from storage.database import Database
from storage.key_file import make_key_file, read_key_file
from storage.keys import DataKey, Keyring
from storage.providers import HeldKeys, KeyEncryptionKey
from tests.key_rotation_process import settings

ROOT = Path(__file__).parent.parent
PEOPLE = 12
START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
ROWS = PEOPLE + 2  # and the check row and the index row
DEATHS = [
    *((f"keys.row:{n}", 3) for n in range(1, ROWS + 1)),
    *((f"keys.batch:{n}", 3) for n in range(1, 6)),
    *((f"keys.row:{n}", 1) for n in range(1, ROWS + 1)),
    *((f"keys.batch:{n}", 1) for n in range(1, ROWS + 1)),
    ("key_file.written", 3),
    ("key_file.replaced", 3),
    ("keys.batch:1", 500),
]


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A small installation, its names sealed under its first key."""
    folder = tmp_path / "template"
    (folder / "data").mkdir(parents=True)
    make_key_file(folder / "keys" / "lanyard.key", "open.1")
    database, keyring = _opened(folder)
    schema.upgrade(database)
    with database.transaction() as tx:
        keyring.prove_fits(tx.session, START)
        for number in range(PEOPLE):
            new = NewPerson(f"N-{number}", f"Name {number}", "Trust", frozenset({Role.IDVA}), practice=False)
            add_person(tx.session, keyring, f"{number:032}", new, START)
    database.close()
    return folder


def _opened(folder: Path) -> tuple[Database, Keyring]:
    provider = read_key_file(folder / "keys" / "lanyard.key", None)
    return Database(settings(folder)["LANYARD_DATABASE"]), Keyring(provider)


def _names(database: Database, keyring: Keyring) -> set[str]:
    with database.reading() as session:
        return {person.name for person in known_all(session, keyring)}


def _kids_and_leaves(database: Database) -> tuple[Counter[str], int]:
    with database.reading() as session:
        kids = Counter(session.scalars(select(DataKey.kid)))
        leaves = session.scalars(select(LeafRow.data).where(LeafRow.event == Event.KEYS_REWRAPPED.label))
        return kids, sum(json.loads(leaf)["facts"]["rows"] for leaf in leaves)


def test_fifty_deaths_lose_nothing(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    run = subprocess.run(
        [sys.executable, "-m", "tests.key_rotation_process", str(template), str(out)],
        input=json.dumps(DEATHS),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(DEATHS) >= 50
    assert json.loads(run.stdout.splitlines()[-1]) == [137] * len(DEATHS)
    names = {f"Name {number}" for number in range(PEOPLE)}
    half_way = 0
    for number, death in enumerate(DEATHS):
        database, keyring = _opened(out / str(number))
        assert _names(database, keyring) == names, death
        kids, told = _kids_and_leaves(database)
        assert kids["open.2"] == told, death  # each batch's leaf is committed with it
        assert set(kids) <= {"open.1", "open.2"}
        half_way += 0 < told < ROWS
        database.close()
    assert half_way > 25
    for number, death in enumerate(DEATHS):
        _finish(out / str(number), names, death, monkeypatch)


def _finish(folder: Path, names: set[str], death: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings(folder).items():
        monkeypatch.setenv(name, value)
    database, keyring = _opened(folder)
    done = {"open.2": ROWS}
    if _kids_and_leaves(database)[0] != done:  # dying after the last batch leaves nothing to finish
        assert main(["keys", "rotate"]) == 0
    assert _kids_and_leaves(database) == (done, ROWS), death
    held = keyring.provider
    assert isinstance(held, HeldKeys)
    assert "open.2" in held.kids()
    alone = Keyring(HeldKeys(KeyEncryptionKey("open.2", held._keys["open.2"])))
    assert _names(database, alone) == names, death
    database.close()
