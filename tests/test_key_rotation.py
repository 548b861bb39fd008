"""Rotation: the old key alone, both, the new one alone; everything opens throughout, and a crash loses nothing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from lanyard import schema
from storage.database import Database, Transaction
from storage.key_file import make_key_file, read_key_file
from storage.keys import CHECK_SCOPE, INDEX_SCOPE, DataKey, Keyring
from storage.providers import HeldKeys, KeyEncryptionKey, KeyProblem
from storage.rotation import Batch, Under, examine, make_next, retire, rotate, rows_behind
from storage.sealing import CannotOpen, Place, Sealed, new_key

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
OLD, NEW = KeyEncryptionKey("kek-2026-11-23", new_key()), KeyEncryptionKey("open.1", new_key())
SCOPES = 12


def place(scope: str) -> Place:
    return Place("t", "words", "row", scope)


@dataclass
class Store:
    """A database with sealed words, kept here beside it."""

    database: Database
    words: dict[str, Sealed] = field(default_factory=dict)

    def fill(self, keyring: Keyring, scopes: int = SCOPES) -> None:
        with self.database.transaction() as tx:
            keyring.prove_fits(tx.session, NOW)
            for number in range(scopes):
                self.add(tx, keyring, f"consultation:{number:04}")

    def add(self, tx: Transaction, keyring: Keyring, scope: str) -> None:
        keyring.make_scope(tx.session, scope, NOW)
        self.words[scope] = keyring.seal(tx.session, place(scope), f"words of {scope}")

    def opened(self, keyring: Keyring) -> set[str]:
        """The scopes whose words open, and are what they were."""
        found = set()
        with self.database.reading() as session:
            for scope, sealed in self.words.items():
                try:
                    assert keyring.open(session, place(scope), sealed) == f"words of {scope}"
                    found.add(scope)
                except CannotOpen:
                    continue
        return found

    def all_open(self, keyring: Keyring) -> bool:
        with self.database.transaction() as tx:
            keyring.prove_fits(tx.session, NOW)
        return self.opened(keyring) == set(self.words)

    def kids(self) -> Counter[str]:
        with self.database.reading() as session:
            return Counter(session.scalars(select(DataKey.kid)))

    def rows(self) -> list[dict[str, object]]:
        """The table of keys, as a backup holds it."""
        columns = DataKey.__table__.columns
        with self.database.reading() as session:
            return [dict(row._mapping) for row in session.execute(select(*columns))]

    def restore(self, rows: list[dict[str, object]]) -> None:
        with self.database.transaction() as tx:
            tx.session.execute(delete(DataKey))
            tx.session.execute(insert(DataKey), rows)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    made = Store(Database(database_url))
    yield made
    made.database.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "lanyard.key"
    make_key_file(path, "open.1")
    return path


# --- old, both, new -----------------------------------------------------------------------------------


def test_old_alone_then_both_then_new_alone_read_everything(store: Store) -> None:
    old, both, new = Keyring(HeldKeys(OLD)), Keyring(HeldKeys(OLD, NEW)), Keyring(HeldKeys(NEW))
    store.fill(old)
    assert store.all_open(old)
    assert store.all_open(both)
    assert store.opened(new) == set()
    done = rotate(both, store.database.transaction, batch=5)
    assert (done.rows, done.batches, done.unopened) == (SCOPES + 2, 3, ())
    assert store.kids() == {NEW.kid: SCOPES + 2}
    assert store.all_open(both)
    assert store.all_open(new)
    assert store.opened(old) == set()
    with pytest.raises(KeyProblem, match="does not belong"):
        store.all_open(old)


def test_rotating_again_changes_nothing(store: Store) -> None:
    store.fill(Keyring(HeldKeys(OLD)))
    both = Keyring(HeldKeys(OLD, NEW))
    rotate(both, store.database.transaction)
    before = store.rows()
    assert rotate(both, store.database.transaction).rows == 0
    assert store.rows() == before


def test_each_batch_is_reported_in_its_own_transaction(store: Store) -> None:
    store.fill(Keyring(HeldKeys(OLD)))
    told: list[Batch] = []

    def report(work: Transaction, batch: Batch) -> None:
        told.append(batch)
        if batch.number == 3:
            raise OSError("the trail cannot be written")

    with pytest.raises(OSError, match="trail"):
        rotate(Keyring(HeldKeys(OLD, NEW)), store.database.transaction, batch=4, report=report)
    assert [(batch.number, batch.rows, batch.kids) for batch in told] == [(n, 4, (NEW.kid,)) for n in (1, 2, 3)]
    assert store.kids() == {NEW.kid: 8, OLD.kid: SCOPES + 2 - 8}  # the third batch was undone with its report


def test_the_check_row_goes_first_and_the_index_row_last(store: Store) -> None:
    store.fill(Keyring(HeldKeys(OLD)))
    both, order = Keyring(HeldKeys(OLD, NEW)), list[str]()

    def report(work: Transaction, _batch: Batch) -> None:
        done = set(work.session.scalars(select(DataKey.scope).where(DataKey.kid == NEW.kid)))
        order.extend(done - set(order))

    rotate(both, store.database.transaction, batch=1, report=report)
    assert (order[0], order[-1], len(order)) == (CHECK_SCOPE, INDEX_SCOPE, SCOPES + 2)


@pytest.mark.parametrize("key", [OLD, NEW], ids=["old", "new"])
def test_one_key_alone_is_refused_half_way(store: Store, key: KeyEncryptionKey) -> None:
    store.fill(Keyring(HeldKeys(OLD)))
    with pytest.raises(InterruptedError):
        rotate(Keyring(HeldKeys(OLD, NEW)), _breaking(store.database), batch=1)
    assert store.all_open(Keyring(HeldKeys(OLD, NEW)))
    with pytest.raises(KeyProblem, match="does not belong"):
        store.all_open(Keyring(HeldKeys(key)))


def _breaking(database: Database) -> Callable[[], AbstractContextManager[Transaction]]:
    """Transactions of which the second never begins."""
    begun = iter([True, False])

    @contextmanager
    def begin() -> Iterator[Transaction]:
        if not next(begun):
            raise InterruptedError
        with database.transaction() as tx:
            yield tx

    return begin


def test_a_row_that_does_not_open_stays_and_is_told(store: Store) -> None:
    store.fill(Keyring(HeldKeys(OLD)))
    with store.database.transaction() as tx:
        tx.session.execute(
            update(DataKey).where(DataKey.scope == "consultation:0003").values(wrapped=Sealed(b"\x01" + bytes(60)))
        )
    both = Keyring(HeldKeys(OLD, NEW))
    done = rotate(both, store.database.transaction, batch=1)
    assert (done.rows, done.unopened) == (SCOPES + 1, ("consultation:0003",))
    with store.database.reading() as session:
        assert examine(both, session) == [Under(OLD.kid, 1, 1, 0, "older"), Under(NEW.kid, SCOPES + 1, 0, 0, "current")]


def test_what_a_replica_wrote_under_the_old_key_meanwhile_is_found(store: Store) -> None:
    stale, both = Keyring(HeldKeys(OLD)), Keyring(HeldKeys(OLD, NEW))
    store.fill(stale)
    rotate(both, store.database.transaction)
    with store.database.transaction() as tx:
        store.add(tx, stale, "consultation:late")
        assert rows_behind(tx.session, both.provider) == 1
    with pytest.raises(KeyProblem, match="1 rows still need"), store.database.transaction() as tx:
        retire(both, tx.session)
    assert rotate(both, store.database.transaction).rows == 1
    assert store.all_open(Keyring(HeldKeys(NEW)))


# --- commitments --------------------------------------------------------------------------------------


def test_a_row_from_before_commitments_opens_and_gets_one(store: Store) -> None:
    keyring = Keyring(HeldKeys(OLD))
    store.fill(keyring)
    with store.database.transaction() as tx:
        tx.session.execute(update(DataKey).values(commitment=None))
    assert store.all_open(keyring)
    with store.database.reading() as session:
        assert examine(keyring, session)[0].uncommitted == SCOPES + 2
    assert rotate(keyring, store.database.transaction).rows == SCOPES + 2
    assert all(len(bytes(row["commitment"])) == 16 for row in store.rows())  # type: ignore[call-overload]


def test_a_key_that_is_not_the_committed_one_is_not_used(store: Store) -> None:
    keyring = Keyring(HeldKeys(OLD))
    store.fill(keyring)
    with store.database.transaction() as tx:
        rows = {row.scope: row for row in tx.session.scalars(select(DataKey))}
        # A key that unwraps well, in its own place, and is another than the one the row is committed to.
        other = keyring.provider.wrap(
            OLD.kid, new_key(), Place("data_key", "wrapped", CHECK_SCOPE, "kek").additional_data()
        )
        rows[CHECK_SCOPE].wrapped = Sealed(other)
    with store.database.reading() as session, pytest.raises(CannotOpen, match="commitment"):
        keyring.unwrap(session.get_one(DataKey, CHECK_SCOPE))


def test_down_and_up_again_keeps_what_is_wrapped(store: Store) -> None:
    keyring = Keyring(HeldKeys(OLD))
    store.fill(keyring)
    schema.downgrade(store.database, "0001")
    schema.upgrade(store.database)
    assert store.all_open(keyring)
    assert {row["commitment"] for row in store.rows()} == {None}


# --- retiring -----------------------------------------------------------------------------------------


def test_a_retired_key_is_gone_and_the_new_one_reads_everything(store: Store, file: Path) -> None:
    keyring = Keyring(read_key_file(file, None))
    store.fill(keyring)
    assert make_next(keyring.provider) == "open.2"
    with pytest.raises(KeyProblem, match="14 rows still need"), store.database.transaction() as tx:
        retire(keyring, tx.session)
    rotate(keyring, store.database.transaction)
    with store.database.transaction() as tx:
        assert retire(keyring, tx.session) == ("open.1",)
        assert retire(keyring, tx.session) == ()
    alone = read_key_file(file, None)
    assert (alone.kids(), alone.destroyed()) == (("open.2",), ("open.1",))
    assert store.all_open(Keyring(alone))
    assert make_next(keyring.provider) == "open.3"


def test_retiring_waits_for_whoever_is_writing(store: Store, file: Path, database_url: str) -> None:
    held = KeyEncryptionKey("open.1", read_key_file(file, None)._keys["open.1"])
    keyring, stale = Keyring(read_key_file(file, None)), Keyring(HeldKeys(held))
    store.fill(keyring)
    make_next(keyring.provider)
    rotate(keyring, store.database.transaction)
    elsewhere, ended = Database(database_url), list[BaseException | None]()

    def retire_it() -> None:
        try:
            with elsewhere.transaction() as tx:
                retire(keyring, tx.session)
            ended.append(None)
        except KeyProblem as error:
            ended.append(error)

    thread = threading.Thread(target=retire_it)
    with store.database.transaction() as tx:
        store.add(tx, stale, "consultation:late")
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(10)
    elsewhere.close()
    assert "1 rows still need" in str(ended[0])
    assert store.all_open(keyring)


def test_whoever_writes_waits_for_a_retiring_before_asking_which_key_is_current(
    store: Store, database_url: str
) -> None:
    asked = threading.Event()

    class Watched(HeldKeys):
        def current(self, purpose: str) -> str:
            asked.set()
            return super().current(purpose)

    store.fill(Keyring(HeldKeys(OLD)))
    elsewhere = Database(database_url)

    def write() -> None:
        with elsewhere.transaction() as tx:
            store.add(tx, Keyring(Watched(OLD)), "consultation:late")

    thread = threading.Thread(target=write)
    with store.database.transaction() as tx:
        assert retire(Keyring(HeldKeys(OLD)), tx.session) == ()
        thread.start()
        assert not asked.wait(0.3)
    assert asked.wait(10)
    thread.join(10)
    elsewhere.close()


# --- months -------------------------------------------------------------------------------------------


def test_a_destroyed_month_opens_in_no_old_backup(store: Store, file: Path, tmp_path: Path) -> None:
    keyring = Keyring(read_key_file(file, None))
    store.fill(keyring)
    with store.database.transaction() as tx:
        for number in range(4):
            keyring.archive(tx.session, f"consultation:{number:04}", "2032-11" if number < 3 else "2032-12")
    assert store.all_open(keyring)
    backup = store.rows()
    keyring.destroy_month("2032-11")
    keyring.destroy_month("2032-11")
    gone = {f"consultation:{number:04}" for number in range(3)}
    assert store.opened(keyring) == set(store.words) - gone
    with store.database.transaction() as tx:
        tx.session.execute(delete(DataKey))
    store.restore(backup)
    for holder in (keyring, Keyring(read_key_file(file, None))):
        assert store.opened(holder) == set(store.words) - gone
    for scope in gone:
        with store.database.transaction() as tx, pytest.raises(CannotOpen):
            keyring.unarchive(tx.session, scope)
    with store.database.transaction() as tx, pytest.raises(KeyProblem, match="were destroyed"):
        keyring.archive(tx.session, "consultation:0009", "2032-11")
    with store.database.reading() as session:
        assert Under("archive-2032-11.1", 3, 3, 0, "destroyed") in examine(keyring, session)


def test_what_is_taken_out_of_its_month_survives_it(store: Store, file: Path) -> None:
    keyring = Keyring(read_key_file(file, None))
    store.fill(keyring)
    with store.database.transaction() as tx:
        keyring.archive(tx.session, "consultation:0001", "2032-11")
        keyring.archive(tx.session, "consultation:0001", "2032-11")
    assert store.kids() == {"open.1": SCOPES + 1, "archive-2032-11.1": 1}
    with store.database.transaction() as tx:
        keyring.unarchive(tx.session, "consultation:0001")
    keyring.destroy_month("2032-11")
    assert store.opened(keyring) == set(store.words)


def test_a_rotation_leaves_archives_under_their_month(store: Store, file: Path) -> None:
    keyring = Keyring(read_key_file(file, None))
    store.fill(keyring)
    with store.database.transaction() as tx:
        keyring.archive(tx.session, "consultation:0001", "2032-11")
    make_next(keyring.provider)
    rotate(keyring, store.database.transaction)
    assert store.kids() == {"open.2": SCOPES + 1, "archive-2032-11.1": 1}
    keyring.provider.make("archive-2032-11.2")  # the month's own key rotates within the month
    rotate(keyring, store.database.transaction)
    assert store.kids() == {"open.2": SCOPES + 1, "archive-2032-11.2": 1}
    assert store.opened(keyring) == set(store.words)
