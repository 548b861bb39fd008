"""What leaves the house: no hidden number can be worked out, no formula, a PDF that can be read aloud."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as some
from pypdf import PdfReader

from audit.reports.answer_times import STEPS
from audit.reports.every import REPORTS
from audit.reports.figures import Cover, Sums
from audit.reports.paper import Shared, to_csv, to_pdf
from audit.reports.table import HIDDEN, LEAST, Column, Plot, Rows, Table, for_sharing

NOBODY = Cover({}, {})
SHARED = Shared(
    "By force",
    date(2026, 10, 1),
    date(2026, 12, 31),
    datetime(2027, 1, 4, 9, tzinfo=UTC),
    "Sam Example",
    "Example ICB",
    "Quarterly meeting",
    1234,
    (),
)
few = some.one_of(some.integers(0, 12), some.integers(0, 200))


def ranges(
    cells: Sequence[Any], total: int, most: Sequence[int | None], truth: Sequence[int], least: int = 1
) -> list[tuple[int, int]]:
    """From and to: what each hidden cell may be, for somebody who knows the sum, the shown ones, and how much each
    can be at least and at most. Of a hidden part that is none the whole is hidden too: to find none tells nothing."""
    hidden = [at for at, cell in enumerate(cells) if cell == HIDDEN]
    left = total - sum(cell for cell in cells if cell != HIDDEN)
    tops = {at: left if most[at] is None else min(left, int(most[at] or 0)) for at in hidden}
    every = sum(tops.values())
    others = least * (len(hidden) - 1)
    return [(max(least, left - every + tops[at]), min(tops[at], left - others)) for at in hidden if truth[at]]


@settings(max_examples=2_000, deadline=None)
@given(some.lists(few, min_size=1, max_size=8))
def test_no_hidden_count_can_be_worked_out_from_the_sum(counts: list[int]) -> None:
    total = sum(counts)
    columns = (Column("Name"), Column("Count", counts=True))
    lines: Rows = tuple((f"row {at}", count) for at, count in enumerate(counts))
    shared = for_sharing(Table("t", columns, (*lines, ("All", total)), total, total=True))
    cells, sum_shown = [row[1] for row in shared.rows[:-1]], shared.rows[-1][1]
    assert not [cell for cell in cells if isinstance(cell, int) and 0 < cell < LEAST]
    if total >= 2 * LEAST:
        assert sum_shown == shared.n == total
        for low, high in ranges(cells, total, [None] * len(cells), counts):
            assert low < high
    else:
        assert all(row[1] == HIDDEN for row in shared.rows)
        assert shared.n is None


@settings(max_examples=2_000, deadline=None)
@given(some.lists(some.tuples(few, few), min_size=1, max_size=6))
def test_no_hidden_part_can_be_worked_out_from_its_whole(pairs: list[tuple[int, int]]) -> None:
    pairs = [(max(pair), min(pair)) for pair in pairs]
    columns = (Column("Name"), Column("Whole", counts=True), Column("Part", counts=True, part_of=1))
    sums = tuple(map(sum, zip(*pairs, strict=True)))
    lines: Rows = (*((f"row {at}", *pair) for at, pair in enumerate(pairs)), ("All", *sums))
    shared = for_sharing(Table("t", columns, lines, sums[0], total=True))
    for _, whole, part in shared.rows:
        if isinstance(part, int):
            assert part == 0 or part >= LEAST
            assert not isinstance(whole, int) or not 0 < whole - part < LEAST
    *rows, (_, whole_sum, part_sum) = shared.rows
    wholes, parts = [row[1] for row in rows], [row[2] for row in rows]
    most = [cell if isinstance(cell, int) else None for cell in wholes]
    first, second = zip(*pairs, strict=True)
    for cells, total, tops, truth in (
        (wholes, whole_sum, [None] * len(rows), first),
        (parts, part_sum, most, second),
    ):
        if isinstance(total, int):
            assert all(low < high for low, high in ranges(cells, total, tops, truth, 0))


@settings(max_examples=500, deadline=None)
@given(some.lists(some.lists(few, min_size=4, max_size=4), min_size=2, max_size=5))
def test_no_hidden_cell_stands_alone_in_a_row_or_column_whose_sum_may_be_known(grid: list[list[int]]) -> None:
    columns = (Column("Name"), *(Column(str(at), counts=True) for at in range(4)))
    n = sum(map(sum, grid))
    lines: Rows = tuple((str(at), *row) for at, row in enumerate(grid))
    shared = for_sharing(Table("t", columns, lines, n, sum(row[-1] for row in grid), across=True))
    shown = [row[1:] for row in shared.rows]
    for group, truth in [
        *zip(shown, grid, strict=True),
        *zip(zip(*shown, strict=True), zip(*grid, strict=True), strict=True),
    ]:
        gone = [number for cell, number in zip(group, truth, strict=True) if cell == HIDDEN and number]
        assert len(gone) != 1 or all(cell == HIDDEN for cell in group)
    if any(cell == HIDDEN for row in shown for cell in row):
        assert shared.missing is None


@settings(max_examples=500, deadline=None)
@given(some.lists(few, min_size=168, max_size=168))
def test_no_hidden_hour_of_a_heat_map_can_be_worked_out_from_n(counts: list[int]) -> None:
    columns = (Column("Hour"), *(Column(str(day), counts=True) for day in range(7)))
    lines: Rows = tuple((str(hour), *counts[hour * 7 : hour * 7 + 7]) for hour in range(24))
    shared = for_sharing(Table("t", columns, lines, sum(counts), plot=Plot.HEAT))
    cells = [cell for row in shared.rows for cell in row[1:]]
    assume(shared.n is not None)
    assert all(low < high for low, high in ranges(cells, sum(counts), [None] * 168, counts))


@settings(max_examples=300, deadline=None)
@given(some.lists(few, min_size=len(STEPS) + 2, max_size=len(STEPS) + 2))
def test_no_two_tables_of_one_file_give_away_what_either_hides(counts: list[int]) -> None:
    """Answer times: how soon is told in full in the house only; what is left has one sum for each figure."""
    assume(sum(counts) >= 2 * LEAST)
    after = [str(most) for most, _ in STEPS] + ["4000", "none"]
    found = {f"answer/other/{name}": number for name, number in zip(after, counts, strict=True)}
    sums = Sums(SHARED.first, SHARED.last, found | {"asked": sum(counts)}, NOBODY)
    file = to_csv(replace(SHARED, tables=tuple(REPORTS["answer-times"].tables(sums)))).decode("utf-8-sig")
    assert "How soon" not in file
    asked, answered, prompt = next(row for row in csv.reader(io.StringIO(file)) if row[:1] == ["All"])[1:4]
    assert asked == str(sum(counts))
    for part in (answered, prompt):
        assert part == HIDDEN or int(part) == 0 or int(part) >= LEAST
        assert part == HIDDEN or not 0 < sum(counts) - int(part) < LEAST


def test_how_many_are_missing_gives_no_small_number_away() -> None:
    columns = (Column("Topic"), Column("Questions", counts=True))
    table = Table("t", columns, (("one", 50), ("two", 47)), 100, 3)
    assert for_sharing(table).missing is None
    assert for_sharing(replace(table, missing=97)).missing is None  # it leaves 3
    assert for_sharing(replace(table, missing=50)).missing == 50
    unknown = Table("t", columns, (("one", 3), ("two", 50), ("Not known", 7), ("All", 60)), 60, 7, total=True)
    assert for_sharing(unknown).missing is None  # the row of the unknown is hidden, so that one is not found


def test_what_is_worked_out_from_a_hidden_count_is_hidden() -> None:
    found = {"answer/urgent/30": 3, "answer/urgent/90": 20, "answer/other/600": 40, "answer/other/30": 2, "asked": 65}
    times = for_sharing(REPORTS["answer-times"].tables(Sums(SHARED.first, SHARED.last, found, NOBODY))[0])
    urgent, other, _ = times.rows
    assert other == ("Not urgent", 42, 42, HIDDEN, HIDDEN, "10:00", "10:00")
    assert urgent[3:5] == (HIDDEN, HIDDEN)  # the other of the two: else the sum would tell


ODD = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1", '=cmd|" /C calc"!A0')


def test_no_cell_of_the_csv_is_a_formula() -> None:
    columns = (Column("Name"), Column("=Count", counts=True))
    table = Table("=title", columns, tuple((name, 50) for name in ODD), 500, note="+note")
    file = to_csv(replace(SHARED, by="=by", recipient="@for", purpose="-why", tables=(table,))).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(file, newline="")) for cell in row]
    assert sum(cell.startswith("'") for cell in cells) == len(ODD) + 5
    assert not [cell for cell in cells if cell.strip()[:1] in tuple("=+-@\uff1d\uff0b\uff0d\uff20")]


def test_the_pdf_can_be_read_aloud() -> None:
    columns = (Column("Force"), Column("Asked", counts=True))
    table = Table("By force", columns, (("Example Constabulary", 50), ("#raw[$", 3), ("All", 53)), 53, total=True)
    pdf: Any = PdfReader(io.BytesIO(to_pdf(replace(SHARED, tables=(table,)))))
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en-GB"
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    text = "".join(page.extract_text() for page in pdf.pages)
    assert "#raw[$" in text
    assert text.count(HIDDEN) >= 2
    assert "Example ICB" in text


def test_every_report_of_nothing_can_be_shared() -> None:
    for name, report in REPORTS.items():
        tables = tuple(report.tables(Sums(SHARED.first, SHARED.last, {}, NOBODY)))
        shared = replace(SHARED, title=report.title, tables=tables)
        assert report.title in to_csv(shared).decode("utf-8-sig"), name
        assert to_pdf(shared).startswith(b"%PDF-"), name
