"""What is kept for how long, what a legal hold forbids, what may not be erased, and the commands for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from conversations import store
from conversations.erasure import Rule
from conversations.errors import (
    LiftNotAsked,
    LineError,
    NoHold,
    NotDue,
    RoleMissing,
    SecondPerson,
    StillLive,
    TooFresh,
    UnclearReference,
    UnderHold,
)
from conversations.policy import RetentionClass, RetentionPolicy
from conversations.retention import HoldReason, ask_to_lift, due_for_review, lift, place_hold
from lanyard import wiring
from lanyard.settings import BadSettings, read_settings
from tests.erasing import (
    RELAY,
    TWO_SUPERVISORS,
    ended,
    erases,
    everything,
    leaves_of,
    retention_command,
    settings_for,
    told,
)
from tests.house import House
from tests.place import only_settings

ROUTINE, SAFEGUARDING = RetentionPolicy.routine, RetentionPolicy.safeguarding


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(team=TWO_SUPERVISORS, doors=RELAY)


def holds(house: House, ref: str, by: str = "sam", reference: str = "IOPC/2026/123") -> str:
    reason = HoldReason.CONDUCT
    return house.do(lambda work: place_hold(work, house.row(ref).id, house.id(by), reason, reference)).id


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


def test_a_hold_s_reference_is_a_number_and_tells_nothing(house: House) -> None:
    ref = ended(house)
    for reference in ("Jane Smith", "7", "x" * 39 + "12", "7\nshe said", ""):
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
    only_settings(monkeypatch, settings_for(tmp_path, database_url))
    monkeypatch.setattr(wiring, "now", house.clock)
    folder = tmp_path / "certificates"

    run = retention_command(capsys)
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
