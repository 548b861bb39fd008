"""The trail: every leaf in the tree, none lost, none twice, whoever writes at once; what a leaf says about words."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
import rfc8785
from sqlalchemy import delete, func, select, text, update

from audit.events import Event
from audit.growth import LeafRow, TileRow, hashes_of, read_tile
from audit.trail import Head, Leaf, read_leaves, record
from audit.tree import EMPTY_ROOT, Frontier, Levels, inclusion, leaf_hash, root, verify_inclusion
from conversations import search, store, view
from conversations.advise import Advice, AdviceStatus, advise
from conversations.case import Case
from conversations.tables import MessageVersion
from conversations.work import scope_of, working
from storage.database import Database
from storage.sealing import commitment
from tests.house import NINE_PM, House

MANY = 10_000 if os.environ.get("LANYARD_PROVE") == "full" else 800
WRITERS = 8


def write(database: Database, count: int, actor: str = "line") -> None:
    for _ in range(count):
        with database.transaction() as tx:
            record(tx, Leaf(Event.SIGNED_IN, NINE_PM, actor))


def the_tree(database: Database) -> tuple[int, bytes, bytes]:
    """Size and root as the head has them, and the root over the leaves that are there."""
    with database.reading() as session:
        head = session.get_one(Head, 1)
        leaves = read_leaves(session)
        assert len(leaves) == head.size
        kept = Frontier.from_bytes(head.frontier or b"")
        over_all = Frontier().extend(map(leaf_hash, leaves))
        assert root(head.size, hashes_of(session, head.size)) == kept.root()
    return head.size, kept.root(), over_all.root()


def test_the_tree_over_the_database_is_the_tree_of_its_leaves(database_url: str) -> None:
    database = Database(database_url)
    write(database, 520)
    size, kept, over_all = the_tree(database)
    assert (size, kept) == (520, over_all)
    assert kept != EMPTY_ROOT
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(TileRow)) == 2
        hashes = hashes_of(session, size)
        leaves = read_leaves(session)
        slow = Levels(map(leaf_hash, leaves))
        assert read_tile(session, 1, 0, 2) == slow.get(8, 0) + slow.get(8, 1)
        for index in (0, 255, 256, 511, 512, 519):
            assert verify_inclusion(leaf_hash(leaves[index]), index, size, inclusion(index, size, hashes), kept)
    database.close()


def test_a_trail_from_before_the_tree_builds_it_with_its_next_leaf(database_url: str) -> None:
    database = Database(database_url)
    write(database, 300)
    with database.engine.begin() as connection:
        if database.is_sqlite:
            connection.execute(text("DROP TRIGGER tile_no_delete"))
        else:
            connection.execute(text("ALTER TABLE tile DISABLE TRIGGER tile_stays"))
        connection.execute(delete(TileRow))
        connection.execute(update(Head).values(frontier=None))
    write(database, 1)
    assert the_tree(database)[0] == 301
    assert the_tree(database)[1] == the_tree(database)[2]
    database.close()


@pytest.mark.prove
def test_eight_writers_at_once_leave_no_gap_and_no_fork(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(lambda at: write(databases[at], MANY // WRITERS, f"writer-{at}"), range(WRITERS)))
    size, kept, over_all = the_tree(databases[0])
    assert (size, kept) == (MANY, over_all)
    with databases[0].reading() as session:
        assert [json.loads(leaf)["index"] for leaf in read_leaves(session)] == list(range(MANY))
    for database in databases:
        database.close()


@pytest.mark.postgres
def test_the_usual_pattern_of_locking_the_last_row_forks_and_this_would_show_it(postgres: object) -> None:
    """`ORDER BY … LIMIT 1 FOR UPDATE`: whoever waited for the lock wakes with the row that was last before."""
    database = Database(postgres.new_database())  # type: ignore[attr-defined]
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE chain (id serial PRIMARY KEY, before bytea, hash bytea)"))
        connection.execute(text("INSERT INTO chain (before, hash) VALUES ('', 'a')"))

    def append(at: int) -> None:
        for turn in range(25):
            with database.engine.begin() as connection:
                last = connection.scalar(text("SELECT hash FROM chain ORDER BY id DESC LIMIT 1 FOR UPDATE"))
                digest = sha256(bytes(last) + f"{at}.{turn}".encode()).digest()
                connection.execute(
                    text("INSERT INTO chain (before, hash) VALUES (:before, :hash)"), {"before": last, "hash": digest}
                )

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(append, range(WRITERS)))
    with database.reading() as session:
        forks = session.scalar(
            text("SELECT count(*) FROM (SELECT before FROM chain GROUP BY before HAVING count(*) > 1) AS forked")
        )
    database.close()
    assert forks


def test_each_wording_is_committed_to_and_its_stored_bytes_are_those_in_the_trail(house: House) -> None:
    house.on_duty("jane")
    ref = house.asks(text="Is this coercive control?")
    with working(house.line) as work:
        row = store.by_ref(work.session, ref)
        leaves = [json.loads(leaf) for leaf in read_leaves(work.session, row.id)]
        told = {
            (leaf["facts"]["message"], leaf["facts"]["version"]): leaf["facts"]
            for leaf in leaves
            if "commitment" in leaf["facts"]
        }
        messages = {message.id: message for message in store.messages_of(work.session, row.id)}
        versions = list(work.session.scalars(select(MessageVersion)))
        assert len(versions) == len(told) > 1
        for version in versions:
            facts, place = told[messages[version.message_id].number, version.number], f"{version.message_id}."
            place += str(version.number)
            assert version.salt
            assert version.words.digest() == facts["sealed"]
            words = work.open_words("message_version", "words", place, scope_of(row.id), version.words)
            salt = work.open_words("message_version", "salt", place, scope_of(row.id), version.salt)
            assert commitment(bytes.fromhex(salt), words) == facts["commitment"]
            assert commitment(bytes.fromhex(salt), words + ".") != facts["commitment"]


def test_a_leaf_is_canonical_and_says_nothing_in_words(house: House) -> None:
    house.on_duty("jane")
    house.asks(text="Is this coercive control?")
    with house.line.database.reading() as session:
        for leaf in read_leaves(session):
            assert rfc8785.dumps(json.loads(leaf)) == leaf
            assert b"coercive" not in leaf


def test_a_leaf_that_would_not_fit_a_bundle_is_refused_with_all_that_goes_with_it(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(ValueError, match="too many facts"), database.transaction() as tx:
        record(tx, Leaf(Event.SIGNED_IN, NINE_PM, "line", facts={"much": "x" * 66_000}))
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LeafRow)) == 0
    database.close()


def test_advice_has_a_receipt_that_names_its_leaf(house: House) -> None:
    house.on_duty("jane")
    ref = house.asks()
    with working(house.line) as work:
        case = Case.load(work, store.by_ref(work.session, ref).id)
        search.accept(case, house.id("jane"))
        advise(
            case, house.id("jane"), Advice(AdviceStatus.ADVICE, "Ambulance to her now", "Duty sergeant before 22:00")
        )
    with working(house.line) as work:
        thread = view.thread(work, ref, house.id("officer1"))
        (receipt,) = {message.receipt for message in thread.messages if message.receipt}
        named, index, digits = receipt.split("-")
        leaf = work.session.get_one(LeafRow, int(index))
        assert (named, digits) == (ref, leaf_hash(leaf.data)[:2].hex().upper())
        assert json.loads(leaf.data)["facts"]["kind"] == "advice"
