"""Archiving: which key a consultation lies under, and that no backup opens what a destroyed month held."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from conversations import archive, view
from conversations.erasure import finish
from conversations.errors import KeptTooLong, MonthNotOver, NoSuchMonth, RoleMissing, StillArchived, StillLive
from conversations.policy import RetentionPolicy
from conversations.retention import HoldReason, KeepReason, ask_to_lift, due_for_review, keep_on, lift, place_hold
from conversations.work import Work, scope_of
from lanyard import wiring
from storage.database import Database
from storage.key_file import Content, FileProvider, write_new
from storage.keys import DataKey, KeyEncryptionKey, Keyring
from storage.providers import KeysUnavailable
from storage.sealing import CannotOpen
from tests.erasing import TWO_SUPERVISORS, ended, erases, leaves_of, retention_command
from tests.house import House
from tests.place import only_settings

WORDS = "CANARY of the archive"
FIFTEEN_DAYS = timedelta(days=15).total_seconds()
ROUTINE = RetentionPolicy.routine.total_seconds()
DUE = "2032-11"  # six years after the house's clock begins


@pytest.fixture
def provider(tmp_path: Path) -> FileProvider:
    file = tmp_path / "keys" / "lanyard.key"
    write_new(file, Content((KeyEncryptionKey("test", b"k" * 32),)))
    return FileProvider(file, None)


@pytest.fixture
def house(make_house: Callable[..., House], provider: FileProvider) -> House:
    made = make_house(team=TWO_SUPERVISORS)
    made.line = replace(made.line, keyring=Keyring(provider))
    return made


def kid(house: House, ref: str) -> str:
    with house.line.database.reading() as session:
        return session.get_one(DataKey, scope_of(house.row(ref).id)).kid


def reads(house: House, ref: str) -> str:
    with house.work() as work:
        return " ".join(message.words for message in view.thread(work, ref, house.id("officer1")).messages)


def settled(house: House, text: str = WORDS) -> str:
    """A consultation that has ended and can no longer be reopened, archived."""
    ref = ended(house, text)
    house.clock.forward(seconds=FIFTEEN_DAYS)
    assert archive.settle(house.line) >= 1
    return ref


def holds(house: House, ref: str) -> str:
    act = (house.row(ref).id, house.id("sam"), HoldReason.CONDUCT, "IOPC/2026/1")
    return house.do(lambda work: place_hold(work, *act)).id


def test_what_ended_for_good_lies_under_its_month_and_what_may_go_on_does_not(house: House) -> None:
    done, live = ended(house, WORDS), house.asks("officer2")
    assert archive.settle(house.line) == 0
    house.clock.forward(days=13)
    assert archive.settle(house.line) == 0
    house.clock.forward(days=2)
    recent = ended(house)
    assert archive.settle(house.line) == 1
    assert archive.settle(house.line) == 0
    assert (kid(house, done), kid(house, live), kid(house, recent)) == (f"archive-{DUE}.1", "test", "test")
    assert WORDS in reads(house, done)


def test_a_hold_brings_it_back_under_the_open_key_until_it_is_lifted(house: House) -> None:
    ref = settled(house)
    hold = holds(house, ref)
    assert archive.settle(house.line) == 1
    assert kid(house, ref) == "test"
    house.clock.forward(seconds=ROUTINE)  # longer than it is kept
    assert archive.settle(house.line) == 0
    house.do(lambda work: ask_to_lift(work, hold, house.id("sam")))
    house.do(lambda work: lift(work, hold, house.id("ruth")))
    assert archive.settle(house.line) == 1
    assert kid(house, ref) == f"archive-{house.clock():%Y-%m}.1"  # its own month is over: this one, then
    assert WORDS in reads(house, ref)


def test_reviewed_and_kept_on_it_moves_to_its_new_month(house: House) -> None:
    ref = settled(house)
    row, sam = house.row(ref).id, house.id("sam")
    house.clock.forward(seconds=ROUTINE)
    assert [one.ref for one in house.do(due_for_review)] == [ref]
    until = house.clock() + timedelta(days=365)
    for by, when, error in (
        (house.id("jane"), until, RoleMissing),
        (sam, house.clock(), KeptTooLong),
        (sam, house.clock() + timedelta(days=4000), KeptTooLong),
    ):
        with pytest.raises(error):
            house.do(lambda work, by=by, when=when: keep_on(work, row, by, when, KeepReason.RISK))  # type: ignore[misc]
    live = house.row(house.asks("officer2")).id
    with pytest.raises(StillLive):
        house.do(lambda work: keep_on(work, live, sam, until, KeepReason.RISK))
    house.do(lambda work: keep_on(work, row, sam, until, KeepReason.RISK))
    assert house.do(due_for_review) == []
    assert archive.settle(house.line) == 1
    assert kid(house, ref) == f"archive-{until:%Y-%m}.1"
    kept = [leaf for leaf in leaves_of(house) if leaf["event"] == "consultation.kept_on"]
    assert [(leaf["actor"], leaf["facts"]) for leaf in kept] == [
        (sam, {"reason": "risk", "until": int(until.timestamp())})
    ]
    house.clock.forward(days=366)
    assert [one.ref for one in house.do(due_for_review)] == [ref]
    assert archive.settle(house.line) == 0  # overdue, and nobody has decided: it stays where it is


def test_no_backup_opens_what_a_destroyed_month_held(house: House, provider: FileProvider, tmp_path: Path) -> None:
    gone = settled(house, f"{WORDS} gone")
    house.clock.forward(days=40)
    other = settled(house, f"{WORDS} other")
    backup = {ref: house.do(lambda work, ref=ref: _copied(work, house, ref)) for ref in (gone, other)}  # type: ignore[misc]
    file = tmp_path / "backup.db"
    if house.line.database.is_sqlite:
        with (
            closing(sqlite3.connect(str(house.line.database.url.database))) as source,
            closing(sqlite3.connect(file)) as target,
        ):
            source.backup(target)

    house.clock.forward(seconds=ROUTINE)
    sam = house.id("sam")
    with pytest.raises(StillArchived):
        house.do(lambda work: archive.destroy_month(work, DUE, sam))
    erases(house, gone)
    finish(house.line)
    for month, by, error in (
        (DUE, house.id("jane"), RoleMissing),
        (f"{house.clock():%Y-%m}", sam, MonthNotOver),
        ("2032-13", sam, NoSuchMonth),
        ("2031-01", sam, NoSuchMonth),
    ):
        with pytest.raises(error):
            house.do(lambda work, month=month, by=by: archive.destroy_month(work, month, by))  # type: ignore[misc]
    house.do(lambda work: archive.destroy_month(work, DUE, sam))
    house.line.keyring.destroy_month(DUE)
    assert provider.destroyed() == (f"archive-{DUE}.1",)
    assert leaves_of(house)[-1]["facts"] == {"month": DUE, "keys": 1}

    assert house.line.keyring.unwrap(backup[other])
    with pytest.raises(CannotOpen):
        house.line.keyring.unwrap(backup[gone])
    assert f"{WORDS} other" in reads(house, other)
    if file.exists():
        restored = Database(f"sqlite:///{file}")
        house.line = replace(house.line, database=restored)
        assert f"{WORDS} other" in reads(house, other)
        with pytest.raises(CannotOpen):
            reads(house, gone)
        restored.close()


def _copied(work: Work, house: House, ref: str) -> DataKey:
    """A row of the table of keys, as a backup keeps it."""
    row = work.session.get_one(DataKey, scope_of(house.row(ref).id))
    return DataKey(scope=row.scope, kid=row.kid, wrapped=row.wrapped, commitment=row.commitment, made_at=row.made_at)


def test_dying_leaves_each_under_one_key_and_the_next_turn_goes_on(
    house: House, provider: FileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = [ended(house, f"{WORDS} {number}") for number in range(4)]
    house.clock.forward(seconds=FIFTEEN_DAYS)
    wrap, calls = provider.wrap, []

    def dies(kid: str, key: bytes, context: bytes) -> bytes:
        calls.append(kid)
        if len(calls) == 3:
            raise SystemExit
        return wrap(kid, key, context)

    monkeypatch.setattr(provider, "wrap", dies)
    with pytest.raises(SystemExit):
        archive.settle(house.line)
    assert sorted(kid(house, ref) for ref in refs) == [f"archive-{DUE}.1"] * 2 + ["test"] * 2
    assert all(f"{WORDS} {number}" in reads(house, ref) for number, ref in enumerate(refs))
    assert archive.settle(house.line) == 2
    assert {kid(house, ref) for ref in refs} == {f"archive-{DUE}.1"}


def test_without_keys_that_can_be_made_archiving_waits_and_help_goes_on(
    make_house: Callable[..., House], caplog: pytest.LogCaptureFixture
) -> None:
    house = make_house(team=TWO_SUPERVISORS)  # its keys are only given to it
    ref = ended(house, WORDS)
    house.clock.forward(seconds=FIFTEEN_DAYS)
    assert archive.settle(house.line) == 0
    assert "archiving waits" in caplog.text
    assert WORDS not in caplog.text
    assert WORDS in reads(house, ref)
    house.asks("officer2")


def test_an_outage_of_the_keys_is_waited_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = ended(house, WORDS)
    house.clock.forward(seconds=FIFTEEN_DAYS)

    def down(_purpose: str) -> str:
        raise KeysUnavailable("the keys do not answer")

    with monkeypatch.context() as patch:
        patch.setattr(house.line.keyring.provider, "current", down)
        assert archive.settle(house.line) == 0
    assert archive.settle(house.line) == 1
    assert kid(house, ref) == f"archive-{DUE}.1"


def test_more_than_one_turn_can_hold_is_done_in_several(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST", 2)
    for number in range(5):
        ended(house, f"{number}")
    house.clock.forward(seconds=FIFTEEN_DAYS)
    assert [archive.settle(house.line) for _ in range(4)] == [2, 2, 1, 0]


def test_the_commands_keep_on_and_destroy_a_month(
    house: House,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ref = settled(house)
    key = str(tmp_path / "keys" / "lanyard.key")
    only_settings(monkeypatch, {"DATABASE": database_url, "KEY_FILE": key, "LEAD_PHONE": "01632 960 001"})
    monkeypatch.setattr(wiring, "now", house.clock)

    run = retention_command(capsys)
    house.clock.forward(seconds=ROUTINE)
    assert run("due")[1].startswith(ref)
    assert run("destroy-month", DUE, "--by", "S-300") == (2, f"lanyard: {StillArchived()}\n")
    keeping = ("keep", ref, "--until", "2033-06-01", "--reason", "pattern", "--by", "S-300")
    assert run(*keeping) == (0, f"{ref} is kept on until 2033-06-01 (pattern). Then it is due for review again.\n")
    assert run("due") == (0, "")
    assert archive.settle(house.line) == 1
    assert run("destroy-month", DUE, "--by", "N-100")[0] == 2
    assert "are destroyed" in run("destroy-month", DUE, "--by", "S-300")[1]
    assert run("destroy-month", DUE, "--by", "S-300") == (2, f"lanyard: {NoSuchMonth()}\n")
    assert WORDS in reads(house, ref)
