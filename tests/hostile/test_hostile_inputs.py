"""Every row of the table of hostile inputs gets what it must get (facts/security.md section 6, rows 1 to 72)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.hostile import (
    rows_buttons,
    rows_delivery,
    rows_places,
    rows_talk,
    rows_text,
    rows_things,
    rows_trouble,
    rows_warned,
)
from tests.hostile.kit import a_scene, heard_logs
from tests.hostile.table import Case, Code, prove

ROWS = range(1, 73)
CASES: list[Case] = [
    *rows_text.CASES,
    *rows_talk.CASES,
    *rows_warned.CASES,
    *rows_things.CASES,
    *rows_places.CASES,
    *rows_buttons.CASES,
    *rows_delivery.CASES,
    *rows_trouble.CASES,
]


def _played() -> Iterator[tuple[Case, str]]:
    """Each case on SQLite, those about storage on PostgreSQL too, and one refusal of each row in doorbell mode."""
    unanswered = (Code.REFUSED, Code.NOTHING)
    refusals = {case.row: case for case in reversed(CASES) if case.code in unanswered and not case.relay_only}
    for case in CASES:
        yield case, "sqlite"
        if case.storage:
            yield case, "postgresql"
    for case in refusals.values():
        yield replace(case, relay=False), "sqlite"


def _param(case: Case, kind: str) -> object:
    marks = [pytest.mark.postgres] if kind == "postgresql" else []
    marks += [pytest.mark.prove] if case.campaign else []
    return pytest.param(case, kind, id=f"{case.id}-on-{kind}", marks=marks)


@pytest.mark.parametrize(("case", "database"), [_param(case, kind) for case, kind in _played()])
async def test_a_hostile_input_gets_what_its_row_says(
    case: Case, database: str, fresh_database: Callable[[str], str]
) -> None:
    logs = heard_logs()
    async with a_scene(fresh_database(database), relay=case.relay) as scene:
        await prove(case, scene, logs)


def test_no_row_of_the_table_is_missing() -> None:
    assert sorted({case.row for case in CASES}) == list(ROWS)
    assert len({case.id for case in CASES}) == len(CASES)
