"""That an erased consultation is nowhere any more, that its certificate repeats nothing, and the trail goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from conversations import erasure, store, view
from conversations.erasure import FORGET_DUE, Rule, certificate, erase, finish
from conversations.errors import NotYours
from conversations.tables import Installation
from conversations.work import scope_of
from lanyard import wiring
from lanyard.bells import Bells
from lanyard.settings import read_settings
from storage import database as storage_database
from storage.database import Base, Database
from storage.sealing import CannotOpen, Sealed
from tests.erasing import (
    FIRST,
    RELAY,
    TWO_SUPERVISORS,
    Talk,
    ended,
    erases,
    everything,
    files_of,
    keys_on_disk,
    leaves_of,
    remains,
    sealed_in,
    settings_for,
    told,
)
from tests.house import House
from tests.place import only_settings


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(team=TWO_SUPERVISORS, doors=RELAY)


def test_an_erased_consultation_is_nowhere_and_the_trail_goes_on(house: House, database_url: str) -> None:
    first, second, theirs, others = told(house)
    inputs = {"message_version", "consultation", "outbox", "held", "inbox", "data_key", "message"}
    assert {one.table for one in theirs} == inputs
    row, before = house.row(first), everything(house.line.database)
    leaves = leaves_of(house)
    assert len(remains(theirs, files_of(database_url))) == (len(theirs) if house.line.database.is_sqlite else 0)

    erases(house, first)
    assert finish(house.line)

    after = everything(house.line.database)
    assert not any(row.id in line for name, table in after.items() for line in table if name not in ("leaf", "erased"))
    assert row.incident_hash is not None
    assert not any(row.incident_hash in line for table in after.values() for line in table)
    assert not any(f"m-{FIRST}" in line for table in after.values() for line in table)
    still = {one.blob for one in sealed_in(house)}
    assert not [one.table for one in theirs if one.blob in still]
    # The other consultation of the same people: byte for byte.
    assert {one.table for one in others} == inputs - {"inbox", "held"}
    assert [one.table for one in others if one.blob not in still] == []
    second_id = house.row(second).id
    for name in before.keys() - {"held", "inbox"}:  # copies of what merely arrived, of everybody
        table = before[name]
        assert [line for line in table if second_id in line and line not in after[name]] == [], name
    for name in ("person", "person_role", "telegram_binding", "shift"):
        assert after[name] == before[name]
    # The trail: nothing changed, one leaf more, no gap.
    grown = leaves_of(house)
    assert grown[: len(leaves)] == leaves
    assert [leaf["event"] for leaf in grown[len(leaves) :]] == ["consultation.erased"]
    assert [leaf["index"] for leaf in grown] == list(range(len(grown)))
    of_it = [leaf["cseq"] for leaf in grown if leaf["consultation"] == row.id]
    assert of_it == list(range(len(of_it)))


def test_the_certificate_says_what_was_destroyed_and_repeats_nothing(house: House) -> None:
    first, _second, _theirs, _others = told(house)
    row = house.row(first)
    erases(house, first, "ruth", Rule.ORDER)
    before_files = house.do(lambda work: certificate(work, first))
    finish(house.line)
    made = house.do(lambda work: certificate(work, first))
    assert (before_files.files_let_go, made.files_let_go) == (False, True)
    leaf = leaves_of(house)[made.leaf or 0]
    assert (leaf["event"], leaf["consultation"], leaf["actor"]) == ("consultation.erased", row.id, house.id("ruth"))
    assert leaf["facts"] == {"rule": "order", "reference": first} | made.destroyed
    assert made.destroyed["keys"] == made.destroyed["consultations"] == 1
    assert made.destroyed["look_up_hashes"] == 5  # the incident's, and where each of four lines came from
    assert made.destroyed["versions"] > made.destroyed["messages"] > 4  # one was changed
    assert made.destroyed["arrivals"] == 4  # typed in both consultations
    assert made.destroyed["day_keys"] == 2
    text = made.to_json().decode()
    assert json.loads(text)["consultation"] == row.id
    for secret in (FIRST, "CANARY", row.officer_id, row.last_idva_id or "", row.incident_hash or ""):
        assert secret not in text
        assert not any(secret in json.dumps(one["facts"]) for one in leaves_of(house)[-1:])


def test_as_soon_as_it_may_be_erased_the_keys_of_its_days_go_too(house: House) -> None:
    talk = Talk(house)
    ref = talk.whole(FIRST)
    talk.carried()
    house.clock.forward(days=2)
    talk.types("officer2", None, "still new")
    erases(house, ref)
    days = {one.scope for one in sealed_in(house) if one.table == "data_key" and one.scope.startswith("ingress:")}
    assert days == {f"ingress:{house.clock():%Y-%m-%d}"}


def test_without_the_key_a_kept_copy_opens_nowhere(house: House) -> None:
    first, _second, theirs, _others = told(house)
    row = house.row(first)
    erases(house, first)
    sealed = next(one for one in theirs if one.table == "consultation")
    with house.work() as work, pytest.raises(CannotOpen, match="no key for consultation"):
        work.open_words("consultation", "incident", row.id, scope_of(row.id), Sealed(sealed.blob))


def test_what_is_gone_does_not_exist_for_anybody(house: House) -> None:
    ref = ended(house)
    house.clock.forward(days=3)
    consultation = house.row(ref).id
    erases(house, ref)
    with pytest.raises(NotYours):
        house.do(lambda work: erase(work, consultation, house.id("sam"), Rule.ORDER))
    with pytest.raises(NotYours):
        house.do(lambda work: view.thread(work, ref, house.id("officer1")))
    with house.line.database.reading() as session:
        assert store.recent_of_officer(session, house.id("officer1")) == []
        assert store.ref_taken(session, ref)  # a reference never means two things


def test_a_line_that_waits_for_its_writer_outlives_the_consultation_it_might_have_gone_to(house: House) -> None:
    talk = Talk(house)
    ref = ended(house)
    consultation = house.row(ref).id
    talk.at_telegram("1001", "NHS 943 476 5919 CANARY-WAITING")
    with house.work() as work:
        (line,) = store.held_due(work.session, work.now + timedelta(days=1))
        line.consultation_id = consultation
    house.clock.forward(days=3)
    erases(house, ref)
    house.do(talk._held_lines_act)
    assert any("CANARY-WAITING" in one.words for one in sealed_in(house) if one.table == "message_version")


def test_every_table_that_points_at_a_consultation_is_emptied_by_erasure() -> None:
    pointing = {"consultation"}
    for _ in range(3):
        pointing |= {
            table.name
            for table in Base.metadata.sorted_tables
            if "consultation_id" in table.c or any(key.column.table.name in pointing for key in table.foreign_keys)
        }
    kept_on_purpose = {"leaf", "erased"}
    assert pointing - kept_on_purpose == set(erasure.TOUCHED) - {"inbox"}


# --- the files ------------------------------------------------------------------------------------


def on_sqlite(tmp_path: Path, *, secure: bool = True) -> tuple[House, str]:
    url = f"sqlite:///{tmp_path}/lanyard.db"
    database = Database(url)

    def careless(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA secure_delete=OFF")

    # Some builds of SQLite overwrite by default: here none does, and `secure` says whether we may turn it on.
    event.listen(database.engine, "connect", careless, insert=secure)

    Base.metadata.create_all(database.engine)
    return House(database, team=TWO_SUPERVISORS, doors=RELAY), url


@pytest.mark.parametrize(("secure", "let_go"), [(True, True), (False, True), (True, False)])
def test_sqlites_files_hold_nothing_of_it_once_they_were_written_anew_and_only_then(
    tmp_path: Path, secure: bool, let_go: bool
) -> None:
    house, url = on_sqlite(tmp_path, secure=secure)
    first, _second, theirs, _others = told(house)
    assert house.line.database.forget((), "")  # everything stands in the file itself
    assert remains(theirs, files_of(url)) == [one.table for one in theirs]
    erases(house, first)
    assert finish(house.line) if let_go else True
    left, data = remains(theirs, files_of(url)), files_of(url)
    assert b"CANARY" not in data
    if let_go:
        assert left == []
    else:
        assert left != []  # so this test can tell
    house.line.database.close()


def test_a_reader_in_the_way_is_reported_and_it_is_done_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_database, "FORGET_TRIES", 1)
    house, url = on_sqlite(tmp_path)
    first, _second, theirs, _others = told(house)
    with house.line.database.reading() as reader:
        reader.scalars(select(Installation)).all()  # an old look that pins the log
        erases(house, first)
        assert not finish(house.line)
        assert not house.do(lambda work: certificate(work, first)).files_let_go
        assert remains(theirs, files_of(url)) != []
    only_settings(monkeypatch, settings_for(tmp_path, url))
    wiring.Server(wiring.House(read_settings(), house.line, Bells()))._begin()
    assert house.do(lambda work: certificate(work, first)).files_let_go
    assert remains(theirs, files_of(url)) == []
    house.line.database.close()


@pytest.mark.postgres
def test_postgresqls_file_of_keys_is_written_anew(postgres: Any) -> None:
    house = House(Database(postgres.new_database()), team=TWO_SUPERVISORS, doors=RELAY)
    first, _second, theirs, _others = told(house)
    keys = [one for one in theirs if one.table == "data_key"]
    erases(house, first)
    assert remains(keys, keys_on_disk(house.line.database)) == ["data_key"]  # deleted, and still there
    assert finish(house.line)
    assert remains(keys, keys_on_disk(house.line.database)) == []
    house.line.database.close()


@pytest.mark.postgres
def test_a_lock_in_the_way_is_reported(postgres: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_database, "FORGET_TRIES", 1)
    house = House(Database(postgres.new_database()), team=TWO_SUPERVISORS, doors=RELAY)
    ref = ended(house)
    house.clock.forward(days=3)
    erases(house, ref)
    with house.line.database.reading() as reader:
        reader.connection().exec_driver_sql("LOCK TABLE data_key IN ACCESS SHARE MODE")
        assert not finish(house.line)
        assert reader.get(Installation, FORGET_DUE) is not None
    assert finish(house.line)
    house.line.database.close()


@pytest.mark.postgres
def test_who_does_not_own_the_tables_is_not_told_that_they_were_cleaned(postgres: Any) -> None:
    url = postgres.new_database()
    owner = Database(url)
    with owner.engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE visitor LOGIN")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO visitor")
    visitor = Database(url.replace("postgres:", "visitor:", 1))
    assert not visitor.forget(erasure.TOUCHED, "data_key")
    assert owner.forget(erasure.TOUCHED, "data_key")
    visitor.close()
    with owner.engine.begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY visitor")
        connection.exec_driver_sql("DROP ROLE visitor")
    owner.close()


# --- several at once ------------------------------------------------------------------------------


def test_an_erasure_that_commits_while_the_files_let_go_keeps_its_own_mark(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ended(house), ended(house)
    house.clock.forward(days=3)
    erases(house, first)
    forget = house.line.database.forget

    def meanwhile(*asked: Any) -> bool:
        done = forget(*asked)
        erases(house, second)
        return done

    with monkeypatch.context() as patch:
        patch.setattr(house.line.database, "forget", meanwhile)
        assert not finish(house.line)
    assert not house.do(lambda work: certificate(work, second)).files_let_go
    assert finish(house.line)
    assert house.do(lambda work: certificate(work, second)).files_let_go


def test_many_erasures_at_once_do_not_hinder_each_other(house: House) -> None:
    refs = [ended(house, f"question {number}") for number in range(6)]
    house.clock.forward(days=3)
    with ThreadPoolExecutor(len(refs)) as pool:
        list(pool.map(lambda ref: erases(house, ref), refs))
    assert finish(house.line)
    with house.line.database.reading() as session:
        assert all(store.erased(session, ref) for ref in refs)
    assert [leaf["index"] for leaf in leaves_of(house)] == list(range(len(leaves_of(house))))
    with house.work() as work:
        named = {certificate(work, ref).leaf for ref in refs}
    said = {leaf["index"] for leaf in leaves_of(house) if leaf["event"] == "consultation.erased"}
    assert named == said
    assert len(said) == len(refs)
