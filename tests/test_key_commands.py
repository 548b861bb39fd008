"""`lanyard keys …`: doctor, rotate, escrow and restore; what is refused is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import select, update

from access.people import NewPerson, add_person, known_all
from access.tables import Role
from audit.growth import LeafRow
from lanyard.__main__ import main
from storage.database import Database, Transaction
from storage.escrow import open_escrow, seal_escrow
from storage.key_file import make_key_file, read_key_file
from storage.keys import DataKey, Keyring
from storage.providers import KeyProblem
from tests.place import only_settings

PASSPHRASE = "correct horse battery staple canary"
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
T = TypeVar("T")


@dataclass
class Place:
    """An installation, and its commands."""

    folder: Path
    database: str
    capsys: pytest.CaptureFixture[str]

    @property
    def key(self) -> Path:
        return self.folder / "keys" / "lanyard.key"

    @property
    def phrase(self) -> Path:
        return self.folder / "keys" / "passphrase"

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Status, what was said, what was said to standard error."""
        self.capsys.readouterr()
        status = main(["keys", *arguments])
        said = self.capsys.readouterr()
        assert "canary" not in said.out + said.err
        return status, said.out, said.err

    def sealed(self, name: str, out: Path) -> tuple[int, str, str]:
        return self.run(name, str(out), "--passphrase-file", str(self.phrase))

    def refused(self, found: tuple[int, str, str], *parts: str) -> None:
        status, out, err = found
        assert (status, out, err.count("\n")) == (2, "", 1), err
        assert err.startswith("lanyard: ")
        for part in parts:
            assert part in err, err

    def leaves(self) -> list[tuple[str, object]]:
        query = select(LeafRow.event, LeafRow.data).where(LeafRow.event.like("keys.%")).order_by(LeafRow.index)
        rows = self.with_database(lambda tx, _: tx.session.execute(query).all())
        return [(row.event, json.loads(row.data)["facts"]) for row in rows]

    def names(self) -> list[str]:
        return self.with_database(lambda tx, keyring: [person.name for person in known_all(tx.session, keyring)])

    def with_database(self, act: Callable[[Transaction, Keyring], T]) -> T:
        """Do something in a transaction of its own."""
        database = Database(self.database)
        try:
            with database.transaction() as tx:
                return act(tx, Keyring(read_key_file(self.key, None)))
        finally:
            database.close()


def _add_jane(tx: Transaction, keyring: Keyring) -> None:
    keyring.prove_fits(tx.session, NOW)
    jane = NewPerson("N-100", "Jane Example", "Example Trust", frozenset({Role.IDVA}), practice=False)
    add_person(tx.session, keyring, "j" * 32, jane, NOW)


@pytest.fixture
def place(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Place:
    made = Place(tmp_path, database_url, capsys)
    settings = {"DATABASE": database_url, "KEY_FILE": str(made.key), "LEAD_PHONE": "01632 960 001"}
    only_settings(monkeypatch, settings)
    assert main(["keys", "make"]) == 0
    made.with_database(_add_jane)
    made.phrase.write_text(PASSPHRASE + "\n")
    made.phrase.chmod(0o600)
    return made


# --- doctor and rotate --------------------------------------------------------------------------------


def test_doctor_finds_a_sound_installation_sound(place: Place) -> None:
    status, out, err = place.run("doctor")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"Keys: 1 in the file {place.key}",
        "open.1\tcurrent\t3 rows",
        "All 3 rows open that should.",
    ]


def test_rotate_then_retire_and_the_new_key_alone_reads_everything(place: Place) -> None:
    assert place.run("rotate", "--batch", "2")[1].splitlines()[:2] == [
        "Made open.2.",
        "Wrapped 3 rows anew in 2 batches.",
    ]
    assert "open.1\tolder\t0 rows\nopen.2\tcurrent\t3 rows\nAll 3 rows" in place.run("doctor")[1]
    assert place.run("rotate", "--retire")[1] == "Retired open.1: backups under them open no more.\n"
    assert read_key_file(place.key, None).kids() == ("open.2",)
    assert place.run("doctor")[0] == 0
    assert place.names() == ["Jane Example"]
    assert place.run("rotate", "--retire")[1] == "There is no replaced key.\n"
    assert place.leaves() == [
        ("keys.made", {"kid": "open.2"}),
        ("keys.rewrapped", {"batch": 1, "rows": 2, "kids": "open.2"}),
        ("keys.rewrapped", {"batch": 2, "rows": 1, "kids": "open.2"}),
        ("keys.retired", {"kid": "open.1"}),
    ]


def test_a_key_can_be_made_first_and_used_later(place: Place) -> None:
    assert place.run("rotate", "--key-only")[1].startswith("Made open.2.\nNow let every running line read it")
    status, out, _ = place.run("doctor")
    assert status == 0
    assert "3 rows are under an older key or lack a commitment. Run: lanyard keys rotate" in out
    place.refused(place.run("rotate", "--retire"), "3 rows still need a key that would be retired")
    assert place.run("rotate")[1].startswith("Going on with open.2.\nWrapped 3 rows anew in 1 batches.")


def test_doctor_and_rotate_tell_of_rows_that_do_not_open(place: Place) -> None:
    lost = update(DataKey).where(DataKey.scope.like("person:%")).values(kid="gone.7")
    place.with_database(lambda tx, _: tx.session.execute(lost))
    status, out, err = place.run("doctor")
    assert (status, err) == (1, "")
    assert "gone.7\tmissing\t1 rows, 1 do not open" in out
    assert "1 rows do not open. Restore the right key file from escrow" in out


def test_doctor_tells_of_another_installations_key(place: Place) -> None:
    place.key.unlink()
    make_key_file(place.key, "open.1")
    status, out, _ = place.run("doctor")
    assert status == 1
    assert "3 rows, 3 do not open" in out
    place.refused(place.run("rotate"), "does not belong to this database")


@pytest.mark.parametrize("command", [["doctor"], ["rotate"], ["rotate", "--retire"], ["rotate", "--key-only"]])
def test_a_missing_or_readable_key_is_refused_in_one_line(place: Place, command: list[str]) -> None:
    place.key.chmod(0o640)
    place.refused(place.run(*command), "can be read by others. Run: chmod 600")
    place.key.unlink()
    place.refused(place.run(*command), "is missing. Restore it from escrow")


def test_a_batch_of_nothing_is_refused(place: Place) -> None:
    place.refused(place.run("rotate", "--batch", "0"), "--batch must be 1 or more")


# --- escrow and restore -------------------------------------------------------------------------------


def test_escrow_and_restore_give_the_same_keys_back(place: Place, tmp_path: Path) -> None:
    place.run("rotate")
    out = tmp_path / "far" / "escrow"
    out.parent.mkdir()
    before = place.key.read_bytes()
    assert place.sealed("escrow", out)[0] == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert b"open.1" not in out.read_bytes()
    place.key.unlink()
    assert place.sealed("restore", out)[0] == 0
    assert place.key.read_bytes() == before
    assert place.key.stat().st_mode & 0o777 == 0o600
    assert place.run("doctor")[0] == 0
    assert place.leaves()[-1] == ("keys.escrowed", {"keys": 2})


def test_another_passphrase_or_a_changed_copy_opens_nothing(place: Place, tmp_path: Path) -> None:
    out = tmp_path / "escrow"
    place.sealed("escrow", out)
    place.key.unlink()
    place.phrase.write_text(PASSPHRASE + "!")
    place.refused(place.sealed("restore", out), "another passphrase, or a damaged copy")
    place.phrase.write_text(PASSPHRASE)
    whole = json.loads(out.read_bytes())
    for change in ({"n": 2**16}, {"salt": "AAAA"}, {"sealed": whole["sealed"][:-8]}, {"sealed": ""}):
        out.write_text(json.dumps(whole | change))
        place.refused(place.sealed("restore", out), str(out), "does not open")
    for change in ({"n": 2**40}, {"n": 3}, {"n": 0}, {"format": "x"}):
        out.write_text(json.dumps(whole | change))
        place.refused(place.sealed("restore", out), "no escrow file of this program")
    for content in ("", "[]", "{}", '{"n": "x"}'):
        out.write_text(content)
        place.refused(place.sealed("restore", out), "is no escrow file")
    out.unlink()
    place.refused(place.sealed("restore", out), "cannot be read (No such file or directory)")
    assert not place.key.exists()


def test_nothing_is_written_over(place: Place, tmp_path: Path) -> None:
    out = tmp_path / "escrow"
    place.sealed("escrow", out)
    key, copy = place.key.read_bytes(), out.read_bytes()
    place.refused(place.sealed("escrow", out), "is there already, and is never written over")
    place.refused(place.sealed("restore", out), "is there already, and is never written over")
    assert (place.key.read_bytes(), out.read_bytes()) == (key, copy)


@pytest.mark.parametrize("name", ["escrow", "restore"])
def test_a_passphrase_that_others_can_read_is_refused(place: Place, tmp_path: Path, name: str) -> None:
    out = tmp_path / "escrow"
    place.sealed("escrow", out)
    place.phrase.chmod(0o644)
    if name == "escrow":
        out.unlink()
    else:
        place.key.unlink()
    place.refused(place.sealed(name, out), "can be read by others. Run: chmod 600")
    place.phrase.unlink()
    place.refused(place.sealed(name, out), "cannot be read: No such file")


def test_a_short_passphrase_and_a_folder_that_is_not_there_are_refused(place: Place, tmp_path: Path) -> None:
    place.refused(place.sealed("escrow", tmp_path / "no" / "escrow"), "cannot be written (No such file or directory)")
    place.phrase.write_text("short canary")
    place.refused(place.sealed("escrow", tmp_path / "escrow"), "shorter than 16 letters")
    assert not (tmp_path / "escrow").exists()


def test_every_changed_byte_of_what_is_sealed_is_noticed(tmp_path: Path) -> None:
    make_key_file(tmp_path / "k", "open.1")
    content = read_key_file(tmp_path / "k", None).content()
    whole = json.loads(seal_escrow(content, PASSPHRASE, cost=2))
    assert open_escrow(json.dumps(whole).encode(), PASSPHRASE, tmp_path) == content
    for at in range(len(whole["sealed"])):
        letter = "B" if whole["sealed"][at] == "A" else "A"
        changed = whole | {"sealed": whole["sealed"][:at] + letter + whole["sealed"][at + 1 :]}
        try:
            assert open_escrow(json.dumps(changed).encode(), PASSPHRASE, tmp_path) == content
        except KeyProblem:
            continue
        assert at >= len(whole["sealed"]) - 4  # base64 ignores the last bits of its last group


# --- keys that are not in a file ----------------------------------------------------------------------


def test_keys_from_the_environment_are_for_practice_and_have_no_escrow(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANYARD_KEYS", "environment")
    place.refused(place.run("doctor"), "LANYARD_KEYS=environment needs LANYARD_KEY")
    monkeypatch.setenv("LANYARD_KEY", "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E=")
    place.refused(place.run("doctor"), "LANYARD_KEY is for practice mode only")
    monkeypatch.setenv("LANYARD_PRACTICE", "true")
    assert place.run("doctor")[0] == 1  # this database was sealed under the file
    place.refused(place.sealed("escrow", tmp_path / "x"), "Escrow is for the key file")
    place.refused(place.sealed("restore", tmp_path / "x"), "restore belongs to the key file")
    place.refused(place.run("make"), "There is a key already")


def test_transit_needs_its_settings_and_a_safe_address(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANYARD_KEYS", "transit")
    place.refused(place.run("doctor"), "LANYARD_KEYS=transit needs LANYARD_TRANSIT_URL")
    monkeypatch.setenv("LANYARD_TRANSIT_TOKEN_FILE", str(place.phrase))
    for url in ("http://vault.example", "http://localhost.example", "vault", "https://"):
        monkeypatch.setenv("LANYARD_TRANSIT_URL", url)
        place.refused(place.run("doctor"), "LANYARD_TRANSIT_URL must begin with https://")
