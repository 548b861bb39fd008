"""Plots of a report's tables: where everything stands, to be drawn as SVG by a template. Pure.

Rules kept here:
- A plot shows nothing that its table does not: the table stands under it, for those who cannot see the plot.
- Nothing is told by colour alone: the number stands in or beside what it fills.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.reports.table import Plot, Table

WIDTH = 290
MOST = 25  # bars in one plot; the table has all
ROW = 40  # of one bar with its label
SIDE, TOP, CELL, LINE = 52, 22, 34, 22  # of a heat map: hours, weekdays, a cell's width and height
DEEPEST = 0.45  # how strong the fullest cell is filled: its number can still be read


@dataclass(frozen=True)
class Bar:
    """One row of a table."""

    label: str
    value: int
    y: int
    width: float


@dataclass(frozen=True)
class Spot:
    """One cell of a heat map."""

    value: int
    x: int
    y: int
    fill: float
    framed: bool  # less than one on duty


@dataclass(frozen=True)
class Mark:
    """A word at the edge."""

    text: str
    x: int
    y: int


@dataclass(frozen=True)
class Drawing:
    """What the template draws."""

    width: int
    height: int
    bars: tuple[Bar, ...] = ()
    spots: tuple[Spot, ...] = ()
    marks: tuple[Mark, ...] = ()
    what: str = ""  # the bars are of


def draw(table: Table) -> Drawing | None:
    """The plot of a table; None where there is none, or nothing to draw."""
    if table.plot is Plot.NONE or not any(_number(cell) for row in table.rows for cell in row[1:]):
        return None
    return _heat(table) if table.plot is Plot.HEAT else _bars(table)


def _bars(table: Table) -> Drawing:
    rows = table.rows[:-1] if table.total else table.rows
    found = [(str(row[0]), _number(row[1])) for row in rows[:MOST]]
    most = max(value for _, value in found) or 1
    bars = tuple(Bar(label, value, at * ROW, round(WIDTH * value / most, 1)) for at, (label, value) in enumerate(found))
    return Drawing(WIDTH, len(bars) * ROW, bars=bars, what=table.columns[1].title)


def _heat(table: Table) -> Drawing:
    most = max(_number(cell) for row in table.rows for cell in row[1:])
    spots = tuple(
        Spot(
            _number(cell),
            SIDE + across * CELL,
            TOP + down * LINE,
            round(DEEPEST * _number(cell) / most, 3),
            table.against[down][across] < 1,
        )
        for down, row in enumerate(table.rows)
        for across, cell in enumerate(row[1:])
    )
    days = [Mark(column.title, SIDE + at * CELL, TOP) for at, column in enumerate(table.columns[1:])]
    hours = [Mark(str(row[0]), 0, TOP + at * LINE) for at, row in enumerate(table.rows)]
    height = TOP + len(table.rows) * LINE
    return Drawing(WIDTH, height, spots=spots, marks=(*days, *hours))


def _number(cell: object) -> int:
    return cell if isinstance(cell, int) else 0
