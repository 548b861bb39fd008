"""What is kept for how long, what a legal hold forbids, and that an erased consultation is nowhere any more."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from audit.trail import read_leaves
from conversations import erasure, store, view
from conversations.case import Case
from conversations.consult import withdraw
from conversations.erasure import FORGET_DUE, Rule, certificate, erase, finish
from conversations.errors import (
    LiftNotAsked,
    LineError,
    NoHold,
    NotDue,
    NotYours,
    RoleMissing,
    SecondPerson,
    StillLive,
    TooFresh,
    UnclearReference,
    UnderHold,
)
from conversations.line import Doors
from conversations.policy import RetentionClass, RetentionPolicy
from conversations.retention import HoldReason, ask_to_lift, due_for_review, lift, place_hold
from conversations.tables import Erased, Installation
from conversations.work import scope_of
from lanyard import wiring
from lanyard.__main__ import main
from lanyard.bells import Bells
from lanyard.settings import BadSettings, read_settings
from storage.database import Base, Database
from storage.sealing import CannotOpen, Sealed
from tests.erasing import (
    TWO_SUPERVISORS,
    Blob,
    Talk,
    everything,
    files_of,
    keys_on_disk,
    remains,
    sealed_in,
    settings_for,
)
from tests.house import House

RELAY = Doors(telegram=True, relay=True)
FIRST, SECOND = "CANARY-ONE", "CANARY-TWO"
ROUTINE, SAFEGUARDING = RetentionPolicy.routine, RetentionPolicy.safeguarding


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(team=TWO_SUPERVISORS, doors=RELAY)


def ended(house: House, text: str = "Is this coercive control?") -> str:
    """A consultation that has ended, withdrawn."""
    ref = house.asks("officer1", text)
    house.do(lambda work: withdraw(Case.load(work, house.row(ref).id), house.id("officer1")))
    return ref


def erases(house: House, ref: str, by: str = "sam", rule: Rule = Rule.REQUEST) -> Erased:
    return house.do(lambda work: erase(work, house.row(ref).id, house.id(by), rule))


def holds(house: House, ref: str, by: str = "sam", reference: str = "IOPC/2026/123") -> str:
    reason = HoldReason.CONDUCT
    return house.do(lambda work: place_hold(work, house.row(ref).id, house.id(by), reason, reference)).id


def leaves_of(house: House) -> list[dict[str, Any]]:
    with house.line.database.reading() as session:
        return [json.loads(leaf) for leaf in read_leaves(session)]


# --- what is due for review -----------------------------------------------------------------------


def test_a_consultation_is_due_for_review_when_its_class_has_been_kept_long_enough(house: House) -> None:
    plain, grave = ended(house), ended(house)
    live = house.asks("officer2")
    with house.work() as work:
        store.by_ref(work.session, grave).grade = "high"
    house.clock.forward(seconds=(ROUTINE - timedelta(seconds=1)).total_seconds())
    assert house.do(due_for_review) == []
    house.clock.forward(seconds=1)
    assert [(one.ref, one.kind) for one in house.do(due_for_review)] == [(plain, RetentionClass.ROUTINE)]
    house.clock.forward(seconds=(SAFEGUARDING - ROUTINE).total_seconds())
    assert {one.ref: one.kind for one in house.do(due_for_review)} == {
        plain: RetentionClass.ROUTINE,
        grave: RetentionClass.SAFEGUARDING,
    }
    holds(house, plain)
    assert [one.ref for one in house.do(due_for_review)] == [grave]
    assert live not in {one.ref for one in house.do(due_for_review)}


def test_the_periods_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"lead_phone": "01632 960 001"}
    assert read_settings(**settings, retention={"routine": 30}).kept().routine == timedelta(days=30)
    assert read_settings(**settings).kept() == RetentionPolicy()
    with pytest.raises(BadSettings, match="unknown classes: held"):
        read_settings(**settings, retention={"held": 30})
    with pytest.raises(BadSettings, match="routine must be 1 day or more"):
        read_settings(**settings, retention={"routine": 0})


# --- legal holds ----------------------------------------------------------------------------------


def test_lifting_a_hold_takes_two_supervisors(house: House) -> None:
    ref = ended(house)
    house.clock.forward(days=3)
    hold = holds(house, ref)
    with pytest.raises(LiftNotAsked):
        house.do(lambda work: lift(work, hold, house.id("ruth")))
    house.do(lambda work: ask_to_lift(work, hold, house.id("sam")))
    house.do(lambda work: ask_to_lift(work, hold, house.id("sam")))  # once more changes nothing
    with pytest.raises(SecondPerson):
        house.do(lambda work: lift(work, hold, house.id("sam")))
    with pytest.raises(RoleMissing):
        house.do(lambda work: lift(work, hold, house.id("jane")))
    with pytest.raises(UnderHold):
        erases(house, ref)
    house.do(lambda work: lift(work, hold, house.id("ruth")))
    with pytest.raises(NoHold):
        house.do(lambda work: lift(work, hold, house.id("ruth")))
    said = [leaf["event"] for leaf in leaves_of(house) if leaf["event"].startswith("hold.")]
    assert said == ["hold.placed", "hold.lift_asked", "hold.lifted"]
    erases(house, ref)


def test_every_hold_must_be_lifted(house: House) -> None:
    ref = ended(house)
    house.clock.forward(days=3)
    first, _second = holds(house, ref), holds(house, ref, "ruth", "CLAIM 7")
    house.do(lambda work: ask_to_lift(work, first, house.id("sam")))
    house.do(lambda work: lift(work, first, house.id("ruth")))
    with pytest.raises(UnderHold):
        erases(house, ref)


@pytest.mark.parametrize("reference", ["Jane Smith", "7", "x" * 39 + "12", "7\nshe said", ""])
def test_a_hold_s_reference_is_a_number_and_tells_nothing(house: House, reference: str) -> None:
    ref = ended(house)
    with pytest.raises(UnclearReference):
        holds(house, ref, reference=reference)
    with pytest.raises(RoleMissing):
        holds(house, ref, "jane")


# --- what is refused ------------------------------------------------------------------------------


def test_what_may_not_be_erased_stays_whole(house: House) -> None:
    live, fresh = house.asks("officer2"), ended(house)
    house.clock.forward(days=1)
    refused: list[tuple[type[LineError], str, str, Rule]] = [
        (StillLive, live, "sam", Rule.ORDER),
        (TooFresh, fresh, "sam", Rule.ORDER),
        (RoleMissing, fresh, "jane", Rule.ORDER),
        (RoleMissing, fresh, "officer1", Rule.ORDER),
    ]
    before = everything(house.line.database)
    for error, ref, by, rule in refused:
        with pytest.raises(error):
            erases(house, ref, by, rule)
    house.clock.forward(days=30)
    with pytest.raises(NotDue):
        erases(house, fresh, rule=Rule.PERIOD)
    assert everything(house.line.database) == before
    house.clock.forward(days=ROUTINE.days)
    erases(house, fresh, rule=Rule.PERIOD)


# --- erasure --------------------------------------------------------------------------------------


def told(house: House) -> tuple[str, str, list[Blob], list[Blob]]:
    """Two consultations of the same people, settled; what is sealed of the first, and of the second."""
    talk = Talk(house)
    first = talk.whole(FIRST)
    house.clock.forward(days=1)
    second = talk.whole(SECOND)
    talk.carried()
    house.clock.forward(days=4)
    blobs, key, other_key = sealed_in(house), scope_of(house.row(first).id), scope_of(house.row(second).id)
    theirs = [one for one in blobs if FIRST in one.words or one.scope == key]
    return first, second, theirs, [one for one in blobs if one.scope == other_key]


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
    assert made.destroyed["keys"] == made.destroyed["consultations"] == made.destroyed["look_up_hashes"] == 1
    assert made.destroyed["versions"] > made.destroyed["messages"] > 4  # one was changed
    assert made.destroyed["arrivals"] == 4  # typed in both consultations
    assert made.destroyed["day_keys"] == 2
    text = made.to_json().decode()
    assert json.loads(text)["consultation"] == row.id
    for secret in (FIRST, "CANARY", row.officer_id, row.last_idva_id or "", row.incident_hash or ""):
        assert secret not in text
        assert not any(secret in json.dumps(one["facts"]) for one in leaves_of(house)[-1:])


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
    if not secure:

        @event.listens_for(database.engine, "connect")
        def careless(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA secure_delete=OFF")

    Base.metadata.create_all(database.engine)
    return House(database, team=TWO_SUPERVISORS, doors=RELAY), url


@pytest.mark.parametrize(("secure", "let_go"), [(True, True), (False, True), (True, False)])
def test_sqlites_files_hold_nothing_of_it_only_if_overwritten_and_truncated(
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
    if secure and let_go:
        assert left == []
    else:
        assert left != []  # so this test can tell
    house.line.database.close()


def test_a_reader_in_the_way_is_reported_and_it_is_done_at_the_next_start(tmp_path: Path) -> None:
    house, url = on_sqlite(tmp_path)
    first, _second, theirs, _others = told(house)
    with house.line.database.reading() as reader:
        reader.scalars(select(Installation)).all()  # an old look that pins the log
        erases(house, first)
        assert not finish(house.line)
        assert not house.do(lambda work: certificate(work, first)).files_let_go
        assert remains(theirs, files_of(url)) != []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings_for(tmp_path, url).items():
            patch.setenv(name, value)
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
def test_a_lock_in_the_way_is_reported(postgres: Any) -> None:
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


# --- the commands ---------------------------------------------------------------------------------


def test_the_commands_hold_lift_and_erase(
    house: House,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second, _theirs, _others = told(house)
    house.clock.forward(days=SAFEGUARDING.days)
    for name, value in settings_for(tmp_path, database_url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(wiring, "now", house.clock)
    folder = tmp_path / "certificates"

    def run(*words: str) -> tuple[int, str]:
        status = main(["retention", *words])
        said = capsys.readouterr()
        assert (said.err.count("\n") == 1) == (status == 2), said.err
        return status, said.out + said.err

    erasing = ("--rule", "period", "--certificates", str(folder))
    assert run("due")[1].split()[::8] == [first, second]
    assert run("hold", first, "--reason", "claim", "--reference", "CLAIM 7", "--by", "S-300")[0] == 0
    assert run("due")[1].split()[0] == second
    status, said = run("erase", first, "--by", "S-300", *erasing)
    assert (status, "legal hold" in said) == (2, True)
    assert "Asked" in run("lift", first, "--by", "S-300")[1]
    assert run("lift", first, "--by", "S-300")[0] == 2
    assert "lifted" in run("lift", first, "--by", "S-400")[1]
    assert run("lift", first, "--by", "S-400") == (2, f"lanyard: {NoHold()}\n")
    for who in ("N-100", "nobody"):
        assert run("erase", first, "--by", who, *erasing)[0] == 2
    assert run("erase", first, "--by", "S-300", "--rule", "period", "--certificates", "/dev/null/x")[0] == 2
    assert house.state(first) == "advised"
    status, said = run("erase", first, "--by", "S-300", *erasing)
    assert (status, "Its certificate" in said) == (0, True)
    written = (folder / f"erased-{first}.json").read_bytes()
    assert json.loads(written)["files_let_go"] is True
    (folder / f"erased-{first}.json").unlink()
    assert run("erase", first, "--by", "S-300", *erasing)[0] == 0  # lost: written again
    assert (folder / f"erased-{first}.json").read_bytes() == written
    assert run("erase", "ZZZZZZ", "--by", "S-300", *erasing)[0] == 2
