"""Every row of the table of hostile inputs gets what it must get (facts/security.md section 6, rows 1 to 72)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hostile import rows_buttons, rows_delivery, rows_places, rows_talk, rows_text, rows_things, rows_trouble, rows_warned
from tests.hostile.kit import a_scene, heard_logs
from tests.hostile.table import Case, prove

ROWS = range(1, 73)
CASES: list[Case] = [*rows_text.CASES, *rows_talk.CASES, *rows_warned.CASES, *rows_things.CASES, *rows_places.CASES, *rows_buttons.CASES, *rows_delivery.CASES, *rows_trouble.CASES]
PLAYED = [(case, "sqlite") for case in CASES] + [(case, "postgresql") for case in CASES if case.storage]


@pytest.mark.parametrize(
    ("case", "database"),
    [
        pytest.param(
            case, kind, id=f"{case.id}-on-{kind}", marks=[pytest.mark.postgres] if kind == "postgresql" else []
        )
        for case, kind in PLAYED
    ],
)
async def test_a_hostile_input_gets_what_its_row_says(
    case: Case, database: str, fresh_database: Callable[[str], str]
) -> None:
    with heard_logs() as logs:
        async with a_scene(fresh_database(database), relay=case.relay) as scene:
            await prove(case, scene, logs)


def test_no_row_of_the_table_is_missing() -> None:
    assert sorted({case.row for case in CASES}) == list(ROWS)
    assert len({case.id for case in CASES}) == len(CASES)
