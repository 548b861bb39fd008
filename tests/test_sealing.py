"""Words are sealed: only `Sealed` is stored, it opens only in its place, and few may open it."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from access.tables import Person
from conversations.tables import Message, MessageVersion
from conversations.work import Work, scope_of
from storage.keys import KeyEncryptionKey, KeyProblem, Keyring, make_key_file, read_key_file
from storage.providers import HeldKeys
from storage.sealing import CannotOpen, Place, Sealed, new_key, open_words, seal, to_bytes, to_text
from tests.house import House

PLACE = Place("message_version", "words", "m1.1", "consultation:c1")
ROOT = Path(__file__).parent.parent

# Everybody who opens words, and why. A new caller is a decision: add it here with its reason.
OPENERS = {
    "storage/escrow.py": "a key file, put back from its sealed copy",
    "access/binding.py": "the Telegram user id that is to be bound, once its number was typed",
    "access/people.py": "names and numbers, to show the two sides of a consultation to each other",
    "bot/courier.py": "what is about to be sent, and to whom; the disclosure is committed first",
    "bot/intake.py": "what has just arrived",
    "conversations/disclose.py": "what a court or somebody themselves is given; the disclosure is committed first",
    "conversations/from_advice.py": "one's own advice, to make an entry of; the reading is recorded first",
    "conversations/case.py": "the incident log number, for the officer and the owner",
    "conversations/glass.py": "why somebody broke the glass, for whoever reviews it; the reading is recorded first",
    "conversations/held.py": "a line its writer has now decided about",
    "conversations/private_notes.py": "private notes, for the IDVAs' side alone; the reading is recorded first",
    "conversations/relay.py": "words for a new owner or for the offer; the reading is recorded",
    "conversations/review_shown.py": "reviews and what was asked in them; the reading is recorded first",
    "conversations/snippets.py": "an IDVA's own wording, for its author alone",
    "conversations/view.py": "a thread for one of its two sides; the reading is recorded first",
    "conversations/view_signs.py": "why flags and entries came up, beside the thread; the reading is recorded",
    "conversations/work.py": "the one way through which use cases open",
    "storage/keys.py": "the key of a scope, and what is sealed under it",
    "storage/providers.py": "a wrapped key, never words",
    "storage/sealing.py": "the opening itself",
}


@given(some.binary(max_size=300), some.sampled_from(["table", "column", "row", "scope"]), some.text(max_size=8))
def test_moved_words_do_not_open(words: bytes, part: str, other: str) -> None:
    key = new_key()
    sealed = seal(key, PLACE, words)
    assert open_words(key, PLACE, sealed) == words
    moved = replace(PLACE, **{part: getattr(PLACE, part) + "x" + other})
    with pytest.raises(CannotOpen):
        open_words(key, moved, sealed)


@given(some.binary(min_size=1, max_size=100), some.integers(0, 7), some.data())
def test_one_changed_bit_is_enough_not_to_open(words: bytes, bit: int, data: some.DataObject) -> None:
    key = new_key()
    blob = bytearray(seal(key, PLACE, words).blob)
    blob[data.draw(some.integers(0, len(blob) - 1))] ^= 1 << bit
    with pytest.raises(CannotOpen):
        open_words(key, PLACE, Sealed(bytes(blob)))


@given(some.text())
def test_any_text_comes_back_as_it_was(words: str) -> None:
    assert to_text(to_bytes(words)) == words


def test_lone_surrogates_and_nul_come_back_as_they_were() -> None:
    assert to_text(to_bytes("\x00a\ud800b")) == "\x00a\ud800b"


def test_places_that_only_look_alike_when_joined_are_different() -> None:
    assert Place("a", "bc", "d", "e").additional_data() != Place("ab", "c", "d", "e").additional_data()


def test_a_column_of_words_takes_no_plain_text(house: House) -> None:
    with house.work() as work:
        work.session.add(MessageVersion(message_id="x", number=1, words="plain", at=work.now))
        with pytest.raises(StatementError, match="sealed words only"):
            work.session.flush()
        work.session.rollback()


def test_no_words_and_no_names_stand_in_the_database(house: House) -> None:
    house.on_duty("jane")
    ref = house.asks("officer1", "CANARY-QUESTION")
    house.says("officer1", "CANARY-MORE", ref)
    with house.line.database.engine.connect() as connection:
        tables = [row[0] for row in connection.execute(text(_TABLES[house.line.database.is_sqlite]))]
        content = b"".join(
            repr(tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)).encode()
            for table in tables
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
        )
    assert b"CANARY" not in content
    assert b"Jane Example" not in content
    assert ref.encode() in content  # the search itself works


def test_only_these_open_words() -> None:
    calls = re.compile(r"\b(open_words|unwrap_key|keyring\.open|open_version)\(")
    found = set()
    for room in ("access", "audit", "bot", "console", "conversations", "knowledge", "lanyard", "storage"):
        for file in (ROOT / room).rglob("*.py"):
            tree = ast.parse(file.read_text())
            if any(calls.search(ast.unparse(node)) for node in ast.walk(tree) if isinstance(node, ast.Call)):
                found.add(str(file.relative_to(ROOT)))
    assert found == set(OPENERS)


def test_ten_thousand_values_moved_or_changed_open_nowhere(house: House) -> None:
    """Real cells of real consultations, put in the place of another, or changed by a bit, a cut or an addition."""
    house.on_duty("jane")
    for name in ("officer1", "officer2"):
        ref = house.asks(name, f"{name} asks")
        house.says(name, f"{name} goes on", ref)
    chance = Random(7)
    with house.work() as work:
        cells = cells_of(work)
        assert len({place.scope for place, _ in cells}) >= 5
        for place, sealed in cells:
            house.line.keyring.open(work.session, place, sealed)
        accepted = 0
        for _ in range(10_000):
            (place, sealed), (elsewhere, _) = chance.sample(cells, 2)
            at = chance.randrange(len(sealed.blob) * 8)
            flipped = bytearray(sealed.blob)
            flipped[at // 8] ^= 1 << at % 8
            tried = chance.choice(
                [
                    (elsewhere, sealed),  # another row, column, table or consultation
                    (replace(elsewhere, scope=place.scope), sealed),  # the same key, another place
                    (place, Sealed(bytes(flipped))),
                    (place, Sealed(sealed.blob[: chance.randrange(len(sealed.blob))])),
                    (place, Sealed(sealed.blob + b"\0")),
                ]
            )
            try:
                house.line.keyring.open(work.session, *tried)
                accepted += 1
            except CannotOpen:
                pass
    assert accepted == 0


def cells_of(work: Work) -> list[tuple[Place, Sealed]]:
    """Sealed cells with the places they stand in."""
    found = []
    for message, version in work.session.execute(select(Message, MessageVersion).join(MessageVersion)):
        row, scope = f"{message.id}.{version.number}", scope_of(message.consultation_id)
        found.append((Place("message_version", "words", row, scope), version.words))
        assert version.salt is not None
        found.append((Place("message_version", "salt", row, scope), version.salt))
        if message.buttons is not None:
            found.append((Place("message", "buttons", message.id, scope), message.buttons))
    people = work.session.scalars(select(Person))
    return found + [(Place("person", "name", one.id, f"person:{one.id}"), one.name) for one in people]


def test_a_key_made_in_a_transaction_that_failed_was_never_there(house: House) -> None:
    with house.work() as work:
        house.line.keyring.make_scope(work.session, "consultation:lost", work.now)
        work.seal("t", "c", "r", "consultation:lost", "words")
        work.session.rollback()
    with pytest.raises(CannotOpen), house.work() as work:
        work.seal("t", "c", "r", "consultation:lost", "words")


def test_another_key_than_the_databases_own_is_refused(house: House) -> None:
    other = Keyring(HeldKeys(KeyEncryptionKey("other", b"o" * 32)))
    with pytest.raises(KeyProblem, match="does not belong to this database"), house.work() as work:
        other.prove_fits(work.session, work.now)


def test_a_key_file_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "k"
    make_key_file(file, "k1")
    assert read_key_file(file, tmp_path / "data").kids() == ("k1",)
    file.chmod(0o640)
    with pytest.raises(KeyProblem, match="chmod 600"):
        read_key_file(file, None)


def test_a_key_file_beside_the_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "k"
    make_key_file(file, "k1")
    with pytest.raises(KeyProblem, match="beside the database"):
        read_key_file(file, tmp_path)


def test_a_missing_or_damaged_key_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="lanyard keys make"):
        read_key_file(tmp_path / "none", None)
    damaged = tmp_path / "damaged"
    damaged.touch(mode=0o600)
    damaged.write_text('{"kid": "k"}')
    with pytest.raises(KeyProblem, match="damaged"):
        read_key_file(damaged, None)


def test_every_scope_has_a_key_of_its_own(house: House) -> None:
    house.on_duty("jane")
    house.asks("officer1")
    house.asks("officer2")
    with house.line.database.reading() as session:
        versions = list(session.scalars(select(MessageVersion.words)))
    assert len({sealed.blob for sealed in versions}) == len(versions)


_TABLES = {
    True: "SELECT name FROM sqlite_master WHERE type = 'table'",
    False: "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
