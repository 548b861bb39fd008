"""The proof of one consultation: it says what is so, and a changed leaf, a missing leaf or a forged note shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from audit.checkpoint import FileStore, Signed, Signer, newest_published, publish
from audit.notes import log_key, private_key
from audit.proof import Proof, Standing, no_checkpoints, prove
from lanyard.signing import DatabaseLog
from tests.house import House

ORIGIN = "lanyard/1"
KEY = private_key(b"\x07" * 32)


@pytest.fixture
def sign(house: House, tmp_path: Path) -> Callable[[], None]:
    """Signs the trail as it is, and publishes."""

    def act() -> None:
        signed = Signer(KEY, ORIGIN, FileStore(tmp_path / "record"), DatabaseLog(house.line.database), None).sign()
        publish(tmp_path / "published", ORIGIN, signed.note, signed.checkpoint.size)

    return act


@pytest.fixture
def proof(house: House, tmp_path: Path) -> Callable[[str], Proof]:
    def find(_epoch: int) -> Signed | None:
        return newest_published(tmp_path / "published", ORIGIN, {log_key(ORIGIN, KEY)})

    def act(ref: str) -> Proof:
        consultation = house.row(ref).id
        with house.line.database.reading() as session:
            return prove(session, consultation, find)

    return act


def spoil(house: House, statement: str) -> None:
    """Somebody with the database in their hands, past the triggers that refuse it."""
    with house.line.database.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars():
                connection.execute(text(f'DROP TRIGGER "{name}"'))
        connection.execute(text(statement))


def test_what_a_checkpoint_covers_is_verified_and_what_came_since_is_named_apart(
    house: House, sign: Callable[[], None], proof: Callable[[str], Proof]
) -> None:
    ref, other = house.asks(), house.asks("officer2")
    assert proof(ref).standing is Standing.NOT_COVERED
    sign()
    whole = proof(ref)
    assert (whole.standing, whole.later) == (Standing.VERIFIED, ())
    assert whole.covered
    assert not set(whole.covered) & set(proof(other).covered)
    house.says("officer1", "And now?", ref)
    later = proof(ref)
    assert (later.standing, later.covered) == (Standing.VERIFIED, whole.covered)
    assert later.later


def test_where_nothing_is_published_nothing_is_verified(house: House) -> None:
    ref = house.asks()
    with house.line.database.reading() as session:
        found = prove(session, house.row(ref).id, no_checkpoints)
    assert (found.standing, found.covered) == (Standing.NOT_COVERED, ())


@pytest.mark.parametrize("how", ["changed", "missing"])
def test_a_changed_or_missing_leaf_does_not_verify(
    house: House, sign: Callable[[], None], proof: Callable[[str], Proof], how: str
) -> None:
    ref = house.asks()
    sign()
    at = proof(ref).covered[0]
    with house.line.database.reading() as session:
        data = bytes(session.execute(text(f"SELECT data FROM leaf WHERE idx = {at}")).scalar_one())
    forged = data.replace(house.id("officer1").encode(), house.id("officer2").encode())
    assert forged != data
    on_postgres = house.line.database.engine.dialect.name == "postgresql"
    literal = f"'\\x{forged.hex()}'" if on_postgres else f"x'{forged.hex()}'"
    acts = {
        "changed": f"UPDATE leaf SET data = {literal} WHERE idx = {at}",
        "missing": f"DELETE FROM leaf WHERE idx = {at}",
    }
    spoil(house, acts[how])
    assert proof(ref).standing is Standing.FAILED


def test_a_checkpoint_that_another_key_signed_does_not_verify(
    house: House, sign: Callable[[], None], proof: Callable[[str], Proof], tmp_path: Path
) -> None:
    ref = house.asks()
    sign()
    for file in (tmp_path / "published").rglob("checkpoint*"):
        note = file.read_bytes()
        file.write_bytes(note[:-6] + (b"AAAA" if note[-6:-2] != b"AAAA" else b"BBBB") + note[-2:])
    assert proof(ref).standing is Standing.FAILED
