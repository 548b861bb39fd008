"""A day played through the real use cases: nothing is lost, whatever the rota; the same day again for the same seed."""

from __future__ import annotations

import os
from datetime import date

import pytest

from conversations.tables import Consultation, Offer
from lanyard.__main__ import main
from lanyard.simulation import Manners, Plan, Simulation, Stand

FRIDAY, SPRING_FORWARD, FALL_BACK = date(2026, 11, 20), date(2026, 3, 29), date(2026, 10, 25)
FULL = os.environ.get("LANYARD_PROVE") == "full"
FEW = Plan.questions if FULL else 8
LATE = tuple([0] * 19 + [1] * 5)  # every question after 19:00


def played(plan: Plan) -> tuple[Stand, Stand, Simulation]:
    simulation = Simulation(plan)
    midnight, noon = simulation.play()
    return midnight, noon, simulation


@pytest.mark.prove
@pytest.mark.timeout(600 if FULL else 120)
@pytest.mark.parametrize("day", [FRIDAY, SPRING_FORWARD, FALL_BACK])
def test_on_lancashires_shifts_each_question_is_advised_or_owed_and_none_is_lost(day: date) -> None:
    midnight, noon, _ = played(Plan(day, questions=FEW, seed=day.day))
    assert midnight.lost == noon.lost == 0
    assert midnight.advised + midnight.in_hand + midnight.owed == FEW
    assert noon == Stand(FEW, FEW, 0, 0, 0, 0)


def test_what_is_asked_at_night_is_owed_until_the_morning_unless_somebody_is_there() -> None:
    late = {"questions": 4, "shape": LATE, "seed": 5}
    without, morning, _ = played(Plan(FRIDAY, shifts=((7, 15), (9, 17)), **late))  # type: ignore[arg-type]
    with_night, _, _ = played(Plan(FRIDAY, shifts=((7, 15), (18, 2)), **late))  # type: ignore[arg-type]
    assert (without.advised, without.owed, morning.advised) == (0, 4, 4)
    assert with_night.advised > 0


def test_with_nobody_on_the_rota_the_officer_is_told_whom_to_ring_and_none_is_lost() -> None:
    midnight, noon, _ = played(Plan(FRIDAY, shifts=(), questions=2))
    assert (midnight.owed, midnight.lost, noon.lost) == (2, 0, 0)


def test_offers_that_nobody_looks_at_go_on() -> None:
    _, noon, simulation = played(Plan(FRIDAY, questions=5, manners=Manners(misses=0.5), seed=3))
    assert noon.advised == 5
    with simulation.line.database.reading() as session:
        assert {one.outcome for one in session.query(Offer)} >= {"accepted", "unanswered"}


def test_the_same_seed_plays_the_same_day() -> None:
    def asked(seed: int) -> list[tuple[object, ...]]:
        _, _, simulation = played(Plan(FRIDAY, questions=5, seed=seed))
        with simulation.line.database.reading() as session:
            return sorted((row.asked_at, row.idva_id, row.changed_at) for row in session.query(Consultation))

    assert asked(1) == asked(1) != asked(2)


def test_the_command_says_how_long_officers_waited_and_where_nobody_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--shift", "7-15", "--shift", "22-6", "--questions", "4"]) == 0
    told = capsys.readouterr().out
    assert "IDVAs on 7-15, 22-6. Everybody is made up." in told
    assert "At noon of the next day: 4 asked, 4 advised, 0 in hand, 0 owed, 0 handed over, 0 lost." in told
    rows = {line[:5]: line for line in told.splitlines() if line[2:3] == ":"}
    assert len(rows) == 24
    assert [rows[hour].split()[1] for hour in ("05:00", "06:00", "07:00", "15:00", "22:00")] == [
        "1.0", "0.0", "1.0", "0.0", "1.0",
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", ["7", "7-7", "25-3", "7-25", "seven-15"])
def test_a_shift_that_cannot_be_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", "--shift", wrong])
    assert "is no shift: write two hours of the day" in capsys.readouterr().err
